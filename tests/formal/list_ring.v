  // One push, chosen by the solver, is followed from its place in the memory through every pass over its channel.
  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);

  // Places counted round after round; distances between them.
  function [ADDR_BITS+1:0] f_distance;
    input [ADDR_BITS:0] from, to;
    f_distance = to[ADDR_BITS] == from[ADDR_BITS] ? to[ADDR_BITS-1:0] - from[ADDR_BITS-1:0]
                                                  : WORDS + to[ADDR_BITS-1:0] - from[ADDR_BITS-1:0];
  endfunction
  function f_legal;
    input [ADDR_BITS:0] pointer;
    f_legal = pointer[ADDR_BITS-1:0] <= LAST;
  endfunction
  wire [ADDR_BITS+1:0] f_held = f_distance(oldest, write_q);
  wire [ADDR_BITS+1:0] f_unread = f_distance(read_q, write_q);
  wire [ADDR_BITS+1:0] f_back = f_distance(start_q, read_q);

  // What the replayer does: it rewinds only before the last pass, is done only in it, and decides at the start of a pass
  // whether it is the last.
  reg f_last_q = 1'b0;
  always @(posedge clk_i) f_last_q <= rst_ni && last_pass_i && !(next_i && done_i);
  always @* if (f_past && rst_ni) begin
    assume (!next_i || valid_o);
    assume (!(rewind_i && done_i));
    assume (!next_i || !rewind_i || !last_pass_i);
    assume (!next_i || !done_i || last_pass_i);
    assume (!f_last_q || last_pass_i);
    assume (f_last_q || !last_pass_i || read_q == start_q);
  end

  (* anyseq *) wire f_choose;
  reg f_followed = 1'b0, f_gone = 1'b0;
  reg [WIDTH-1:0] f_data;
  wire f_here = f_followed && !f_gone;
  wire f_shown = f_here && valid_q && read_q == f_place;
  // It leaves with its channel, or when it is read in the last pass.
  wire f_leaves = f_shown && next_i && last_pass_i;
  always @(posedge clk_i) begin
    if (push && f_choose && !f_followed) begin
      f_followed <= 1'b1;
      f_place <= write_q;
      f_data <= entry_i;
    end
    if (f_leaves) f_gone <= 1'b1;
    if (!rst_ni) begin
      f_followed <= 1'b0;
      f_gone <= 1'b0;
    end
  end
  always @* if (f_past && rst_ni) begin
    pointers_are_legal: assert (f_legal(write_q) && f_legal(read_q) && f_legal(start_q));
    never_holds_more_than_its_words: assert (f_held <= WORDS);
    is_ready_while_there_is_room: assert (ready_o == (f_held != WORDS));
    the_reader_is_not_before_the_start: assert (last_pass_i || f_back + f_unread == f_distance(start_q, write_q));
    the_reader_is_not_behind_the_writer: assert (f_unread <= f_held);
    shows_nothing_that_was_not_written: assert (!valid_o || f_unread != 0);
    if (f_here) begin
      followed_entry_is_held: assert (f_legal(f_place) && f_distance(oldest, f_place) < f_held);
      followed_entry_is_unchanged: assert (f_word == f_data);
      reader_shows_the_followed_entry_as_it_came: assert (!f_shown || entry_o == f_data);
    end
    was_full: cover (!ready_o);
    was_read_again: cover (f_reads == 2'd2 && f_gone);
  end
  // The next entry is the one after, or the first of the channel.
  reg [ADDR_BITS:0] f_expected;
  reg f_expects = 1'b0;
  reg [ADDR_BITS:0] f_start;
  reg [1:0] f_reads = 2'd0;
  always @(posedge clk_i) begin
    if (next_i) begin
      f_expected <= rewind_i ? f_start : read_next;
      if (done_i) f_start <= read_next;
    end
    if (f_shown && next_i && f_reads != 2'd2) f_reads <= f_reads + 2'd1;
    if (!rst_ni) begin
      f_expected <= 0;
      f_start <= 0;
      f_reads <= 2'd0;
    end
  end
  always @* if (f_past && rst_ni) begin
    passes_start_where_the_channel_does: assert (start_q == f_start);
    entries_come_in_order: assert (read_q == f_expected);
  end
