  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);
  wire [1:0] f_writes;
  wire       f_reads;
  axi_lite_rules u_rules (
      .clk_i(clk_i), .rst_ni(rst_ni), .awvalid(awvalid_i), .awready(awready_o), .awaddr(awaddr_i), .wvalid(wvalid_i),
      .wready(wready_o), .wdata(wdata_i), .wstrb(wstrb_i), .bvalid(bvalid_o), .bready(bready_i), .arvalid(arvalid_i),
      .arready(arready_o), .araddr(araddr_i), .rvalid(rvalid_o), .rready(rready_i), .rdata(rdata_o), .writes_o(f_writes),
      .reads_o(f_reads));
  // The register bus answers within three cycles.
  reg [1:0] f_slow = 2'd0, f_waits_b = 2'd0;
  always @(posedge clk_i) begin
    f_slow <= rst_ni && read_o && !read_done_i ? f_slow + 2'd1 : 2'd0;
    f_waits_b <= rst_ni && awvalid_i && wvalid_i && !awready_o && bready_i ? f_waits_b + 2'd1 : 2'd0;
  end
  always @* assume (!(f_slow == 2'd3 && read_o && !read_done_i));
  reg [2:0] f_waits_r = 3'd0;
  always @(posedge clk_i) f_waits_r <= rst_ni && f_reads && !rvalid_o ? f_waits_r + 3'd1 : 3'd0;
  reg [31:0] f_data;
  always @(posedge clk_i) if (read_o && read_done_i) f_data <= read_data_i;
  reg f_bus_written = 1'b0;
  always @(posedge clk_i) f_bus_written <= rst_ni && write_o;
  always @* if (f_past) begin
    an_answer_is_owed_after_a_write: assert (bvalid_o == (f_writes == 2'b11));
    address_and_data_are_taken_together: assert (f_writes == 2'b00 || f_writes == 2'b11);
    a_write_waits_for_its_host_only: assert (f_waits_b <= 2'd1);
    a_read_is_in_one_place: assert (f_reads == (reading_q || rvalid_q) && !(reading_q && rvalid_q));
    a_read_is_answered: assert (f_waits_r <= 3'd4 && (!reading_q || f_waits_r == {1'b0, f_slow}));
    the_answer_is_what_the_bus_said: assert (!rvalid_o || rdata_o == f_data);
    if (rst_ni && write_o) the_bus_sees_the_write: assert (write_addr_o == awaddr_i && write_data_o == wdata_i);
    a_write_after_a_read: cover (f_bus_written && rvalid_o && !rready_i);
  end
