  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);
  // A flush lasts until a multiple of 64 bytes was packed, and no result comes with it.
  reg f_flushing = 1'b0;
  always @(posedge clk_i) f_flushing <= rst_ni && flush_i && !even_o;
  always @* begin
    if (f_flushing) assume (flush_i);
    if (flush_i) assume (!valid_i);
  end
  // One result, chosen by the solver, is followed to its beat.
  (* anyseq *) wire f_choose;
  wire f_taken = valid_i && ready_o;
  wire f_word = f_taken || (flush_i && !even_o && room_i);
  reg f_followed = 1'b0, f_gone = 1'b0;
  reg  [1:0] f_place;            // of the followed result in its beat
  reg [31:0] f_data;
  reg  [3:0] f_words = 4'd0;     // taken since the last 64 bytes
  wire f_now = f_taken && f_choose && !f_followed;
  wire f_here = (f_followed && !f_gone) || f_now;
  wire [1:0] f_its_place = f_now ? f_words[1:0] : f_place;
  wire [31:0] f_its_data = f_now ? data_i : f_data;
  always @(posedge clk_i) begin
    if (f_now) begin
      f_followed <= 1'b1;
      f_place <= f_words[1:0];
      f_data <= data_i;
    end
    if (f_here && push_o) f_gone <= 1'b1;
    f_words <= f_words + f_word;
    if (!rst_ni) begin
      f_followed <= 1'b0;
      f_gone <= 1'b0;
      f_words <= 4'd0;
    end
  end
  always @* if (f_past && rst_ni) begin
    counts_the_words_of_64_bytes: assert (place_q == f_words);
    even_after_64_bytes: assert (even_o == (f_words == 4'd0));
    pushes_every_fourth_word: assert (push_o == (f_word && f_words[1:0] == 2'd3));
    pushes_only_where_there_is_room: assert (!push_o || room_i);
    takes_a_result_whenever_there_is_room: assert (ready_o == room_i);
    if (f_followed && !f_gone) begin
      the_followed_result_is_of_the_present_beat: assert (f_place < f_words[1:0]);
      and_in_its_place: assert (earlier_q[32*(3 - f_words[1:0] + f_place)+:32] == f_data);
    end
    if (f_here && push_o) leaves_in_its_place: assert (beat_o[32*f_its_place+:32] == f_its_data);
    a_flush_ended: cover (f_gone && flush_i && even_o);
  end
