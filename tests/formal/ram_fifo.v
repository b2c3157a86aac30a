  // One push, chosen by the solver, is followed from its place in the memory to the head.
  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);
  always @* if (pop_i) assume (valid_o);
  (* anyseq *) wire f_choose;
  reg f_followed = 1'b0, f_gone = 1'b0;
  reg [WIDTH-1:0] f_data;
  wire [DEPTH_LOG2:0] f_level = write_q - read_q;
  wire [DEPTH_LOG2:0] f_ahead = f_place - read_q;
  wire f_here = f_followed && !f_gone;
  wire f_leaves = f_here && pop_i && read_q == f_place;
  always @(posedge clk_i) begin
    if (push && f_choose && !f_followed) begin
      f_followed <= 1'b1;
      f_place <= write_q;
      f_data <= data_i;
    end
    if (f_leaves) f_gone <= 1'b1;
    if (!rst_ni) begin
      f_followed <= 1'b0;
      f_gone <= 1'b0;
    end
  end
  always @* if (f_past) begin
    never_holds_more_than_its_depth: assert (f_level <= (1 << DEPTH_LOG2));
    is_ready_while_there_is_room: assert (ready_o == (f_level != (1 << DEPTH_LOG2)));
    shows_nothing_when_empty: assert (!valid_o || f_level != 0);
    if (f_here) begin
      followed_word_is_inside: assert (f_ahead < f_level);
      followed_word_is_unchanged: assert (f_word == f_data);
      head_is_the_followed_word: assert (!(valid_q && read_q == f_place) || data_o == f_data);
    end
    if (f_leaves) followed_word_leaves_as_it_came: assert (data_o == f_data);
    was_full: cover (rst_ni && !ready_o);
    followed_word_left: cover (f_gone);
  end
  reg [1:0] f_waits = 2'd0;
  always @(posedge clk_i) f_waits <= rst_ni && f_level != 0 && !valid_o ? f_waits + 2'd1 : 2'd0;
  always @* shows_a_word_two_cycles_after_its_push: assert (f_waits <= 2'd1);
