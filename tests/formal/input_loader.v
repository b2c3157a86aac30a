  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);
  (* anyconst *) reg [15:0] f_base;
  (* anyconst *) reg [WORD_BITS-1:0] f_words;
  always @* assume (base_i == f_base && words_i == f_words && f_words != 0 && f_base < 16'hFF00);
  always @* if (start_i) assume (!busy_o);
  // Groups of the present run that were written, and beats that were taken.
  reg [WORD_BITS:0] f_groups = 0, f_beats = 0;
  wire [WORD_BITS:0] f_all = {f_words, 1'b0};
  wire [WORD_BITS:0] f_needed = (f_all + 1) >> 1;  // beats with data
  always @(posedge clk_i) begin
    if (start_i) begin
      f_groups <= 0;
      f_beats <= 0;
    end else begin
      f_groups <= f_groups + load_valid_o;
      f_beats <= f_beats + beat_pop_o;
    end
    if (!rst_ni) begin
      f_groups <= 0;
      f_beats <= 0;
    end
  end
  reg f_started = 1'b0;
  always @(posedge clk_i) f_started <= rst_ni && (f_started || start_i);
  always @* if (f_past && rst_ni) begin
    one_thing_at_a_time: assert (!(loading_q && padding_q));
    nothing_without_a_start: assert (f_started || !busy_o);
    if (f_started && loading_q) begin
      groups_left: assert (f_groups < f_all && f_groups == ({f_words - left_q, 1'b0} | group_q));
      address_follows: assert (addr_q == f_base + (f_words - left_q) && left_q <= f_words && left_q != 0);
      place_follows: assert (gen_many_a_beat_place == f_groups[0] && f_beats == f_groups >> 1);
    end
    if (f_started && !loading_q) all_groups_came: assert (f_groups == f_all);
    if (!loading_q) rests: assert (group_q == 0 && gen_many_a_beat_place == 0);
    if (f_started && padding_q) padding: assert (f_beats == f_needed && f_beats[0]);
    if (f_started && !busy_o) whole_blocks: assert (f_beats == f_needed + f_needed[0] && !f_beats[0]);
    if (f_started) pad_follows: assert (pad_q == f_beats[0]);
    if (!f_started) pad_rests: assert (pad_q == 0);
    if (load_valid_o) begin
      the_address_is_inside: assert (load_addr_o >= f_base && load_addr_o < f_base + f_words);
      the_group_exists: assert (load_group_o < GROUPS);
      the_group_is_the_next: assert (load_group_o == f_groups[0]);
      the_codes_are_its_part: assert (load_data_o == (f_groups[0] ? beat_i[255:128] : beat_i[127:0]));
    end
    if (load_valid_o || beat_pop_o) only_with_a_beat: assert (beat_valid_i);
    a_run: cover (f_started && !busy_o && f_groups == 6);
  end
