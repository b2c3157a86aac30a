  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);
  wire [3:0] f_reads, f_writes;
  wire [8:0] f_beats_left;
  axi_master_rules #(.DATA_BITS(DATA_BITS)) u_rules (
      .clk_i(clk_i), .rst_ni(rst_ni), .arvalid(arvalid_o), .arready(arready_i), .awvalid(awvalid_o), .awready(awready_i),
      .addr(addr_o), .len(len_o), .wvalid(wvalid_o), .wready(wready_i), .wlast(wlast_o), .bvalid(bvalid_i), .rvalid(rvalid_i),
      .rlast(rlast_i), .reads_o(f_reads), .writes_o(f_writes), .beats_left_o(f_beats_left));
  // A block is asked for when the one before is issued; a beat leaves a queue after its place was promised. Results come
  // while their queue of 32 has room. Addresses are set while nothing is under way.
  always @* begin
    assume (!program_arm_i || program_idle_o);
    assume (!input_arm_i || input_idle_o);
    assume (!program_pop_i || program_taken_q != 0);
    assume (!input_pop_i || input_taken_q != 0);
    assume (!output_push_i || !output_level_q[5]);
    assume ((set_low_i == 0 && set_high_i == 0) || (!issue_q && !output_wants && !input_wants && !program_wants));
  end
  always @* if (f_past && rst_ni) begin
    the_program_queue_has_room_for_what_was_asked: assert (program_taken_q <= (1 << PROGRAM_LOG2));
    the_input_queue_has_room_for_what_was_asked: assert (input_taken_q <= (1 << INPUT_LOG2));
    a_write_has_its_data: assert (!issue_output || beats <= output_level_q);
    a_burst_is_never_empty: assert (!issue || beats != 0);
    nothing_is_outstanding_when_quiet: assert (!quiet_o || (f_reads == 0 && f_writes == 0 && f_beats_left == 0));
  end
