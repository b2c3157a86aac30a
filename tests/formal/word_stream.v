  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);
  always @* if (take_i) assume (valid_o);
  // A beat waits until it is taken.
  reg f_held = 1'b0;
  reg [DATA_BITS-1:0] f_beat;
  always @(posedge clk_i) begin
    f_held <= rst_ni && beat_valid_i && !beat_pop_o;
    f_beat <= beat_i;
  end
  always @* if (f_held) assume (beat_valid_i && beat_i == f_beat);
  // The words of the present beat that were taken.
  reg [1:0] f_taken = 2'd0;
  reg       f_ended = 1'b0;
  always @(posedge clk_i) begin
    f_taken <= beat_pop_o ? 2'd0 : f_taken + take_i;
    f_ended <= take_i && last_i;
    if (!rst_ni) begin
      f_taken <= 2'd0;
      f_ended <= 1'b0;
    end
  end
  always @* if (f_past && rst_ni) begin
    a_word_is_there_with_its_beat: assert (valid_o == beat_valid_i);
    place_counts_the_words_taken: assert (f_place == f_taken);
    the_word_is_the_next_of_its_beat: assert (word_o == beat_i[64*f_taken+:64]);
    a_beat_goes_with_its_last_word: assert (beat_pop_o == (take_i && (f_taken == 2'd3 || last_i)));
    a_run_starts_with_a_beat: assert (!f_ended || f_taken == 2'd0);
    a_run_of_two_words: cover (f_ended && beat_pop_o && last_i);
  end
