  // ---- what comes in ----

  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);

  // A layer's record is set while nothing is under way, and has been there for a cycle when the first word comes.
  wire [15:0] f_modulus = desc_i[`LAC_LAYER_MINOR];
  wire  [1:0] f_order = desc_i[`LAC_LAYER_ORDER], f_size = desc_i[`LAC_LAYER_ENTRY_BITS], f_split = desc_i[`LAC_LAYER_SPLIT_X];
  wire  [3:0] f_weight_bits = desc_i[`LAC_LAYER_WEIGHT_BITS];
  wire  [5:0] f_cols = MESH_X >> f_split;
  reg [255:0] f_desc = 256'd0;
  reg         f_setting = 1'b1;  // between the start of a layer and its first word
  reg         f_begun = 1'b0;    // a layer was started
  reg         f_between = 1'b1;  // the last word that was taken was a channel's last one
  always @(posedge clk_i) begin
    f_desc <= desc_i;
    if (layer_start_i || !rst_ni) f_setting <= 1'b1;
    else if (list_valid_i) f_setting <= 1'b0;
    f_begun <= rst_ni && (f_begun || layer_start_i);
  end
  wire [15:0] f_ones = 16'hFFFF << f_weight_bits;
  always @* begin
    assume (f_begun || !list_valid_i);
    assume (f_setting && !list_valid_i || desc_i == f_desc);
    assume (!layer_start_i || idle_o && f_between && !list_valid_i);
    if (list_valid_i || !f_setting) begin
      assume (f_order < 3 && f_size != 2'd3 && f_weight_bits != 0 && f_weight_bits <= 8 && f_weight_bits < 5'd4 << f_size);
      assume (LANE == 0 || f_weight_bits == 3);
      assume (f_modulus != 0 && f_modulus < 32 && f_cols != 0 && (f_order != 2'd2 || f_modulus <= 4 * f_cols));
      assume (desc_i[`LAC_LAYER_IN_CHANNEL_WORDS] < 8);
      assume (end_mark_i == (f_size == 0 ? {4{f_ones[3:0]}} : f_size == 1 ? {2{f_ones[7:0]}} : f_ones));
    end
  end

  // Words of a channel, the first and the last one marked; an end mark in a word ends the channel, and one in its first slot
  // comes only where the channel has nothing else.
  function [15:0] f_first_slot;
    input [63:0] word;
    input  [1:0] size;
    f_first_slot = size == 2'd0 ? word[3:0] : size == 2'd1 ? word[7:0] : word[15:0];
  endfunction
  wire [15:0] f_end = f_size == 0 ? f_ones[3:0] : f_size == 1 ? f_ones[7:0] : f_ones;
  wire  [4:0] f_slots = 5'd16 >> f_size;
  wire        f_takes = list_valid_i && list_ready_o;
  always @* if (list_valid_i) begin
    assume (list_first_i == f_between);
    assume (list_empty_i == (f_first_slot(list_i, f_size) == f_end));
    assume (!list_empty_i || list_first_i && list_end_i);
  end

  // ---- the law's own walk over the slots, one a step ----

  wire f_step = word_valid_q && !stall;
  reg        f_there = 1'b0, f_word_first, f_word_group, f_word_end;
  reg [63:0] f_word;         // its slots from the present one on,
  reg  [4:0] f_place;        // which has this place
  reg [15:0] f_group;
  reg        f_restart = 1'b1;   // the next position is counted from before the first
  reg        f_times_4 = 1'b0;   // the next entry starts a plane of digits
  reg        f_any = 1'b0;       // the channel has had an entry
  wire [63:0] f_rest = f_size == 0 ? f_word >> 4 : f_size == 1 ? f_word >> 8 : f_word >> 16;
  wire [15:0] f_slot = f_first_slot(f_word, f_size), f_next = f_first_slot(f_rest, f_size);
  wire        f_nothing = f_slot == f_end;
  wire        f_word_ends = f_nothing || f_place + 5'd1 == f_slots || f_next == f_end;
  wire        f_ends = f_word_end && f_word_ends;
  wire signed [15:0] f_left = f_slot << (5'd16 - f_weight_bits);
  wire signed [15:0] f_weight = f_left >>> (5'd16 - f_weight_bits);
  wire [15:0] f_gap = f_slot >> f_weight_bits;
  wire        f_mark = LANE == 1 && f_weight == -4;
  wire        f_entry = !f_nothing && (f_mark ? f_gap == 1 : f_weight != 0);
  wire        f_makes = f_entry || (f_ends && !f_any);
  wire [17:0] f_m = {2'd0, f_modulus};
  wire [15:0] f_to_group = f_group + (!f_word_group || !f_word_first || f_place != 0 ? 16'd0 : f_order == 1 ? 16'd1 : f_modulus);
  always @* if (f_step) begin
    // An end mark that is not the last word's is none; positions move by no more than three times MINOR. A mark has gap 0 or 1,
    // and after one with gap 0 comes an entry.
    assume (!(f_nothing || f_next == f_end && f_place + 5'd1 != f_slots) || f_word_end);
    if (!f_nothing) begin
      assume (f_gap + 18'd1 <= f_m + 2 * f_m);
      assume (!f_mark || f_gap < 2 && !f_times_4);
      assume (!f_ends || !(f_times_4 && !f_entry || f_mark && f_gap == 0));
    end
  end
  always @(posedge clk_i) begin
    if (f_step) begin
      f_group <= f_to_group;
      f_restart <= f_ends || f_mark;
      f_times_4 <= f_mark ? f_gap == 0 : f_times_4 && !f_entry;
      f_any <= !f_ends && (f_any || f_entry);
      f_place <= f_place + 5'd1;
      f_word <= f_rest;
      f_there <= !f_word_ends;
    end
    if (f_takes) begin
      f_there <= 1'b1;
      f_place <= 5'd0;
      {f_word, f_word_first, f_word_group, f_word_end} <= {list_i, list_first_i, list_next_group_i, list_end_i};
      f_between <= list_end_i;
    end
    if (layer_start_i) f_group <= 16'd0;
    if (!rst_ni) {f_there, f_between, f_restart, f_times_4, f_any, f_group} <= {5'b01100, 16'd0};
  end

  // A step moves the position, minor + MINOR * major, on by gap + 1, from -1 at the start of a list or a plane.
  reg         f_stepped = 1'b0, f_from_start;
  reg  [15:0] f_minor, f_major, f_moved;
  wire [15:0] f_turns = major_q - (f_from_start ? 16'd0 : f_major);
  always @(posedge clk_i) begin
    f_stepped <= rst_ni && f_step && !f_nothing;
    {f_from_start, f_minor, f_major, f_moved} <= {f_restart, minor_q, major_q, f_gap};
  end
  wire [17:0] f_whole = f_turns[1:0] == 3 ? f_m + 2 * f_m : f_turns[1:0] == 2 ? 2 * f_m : f_turns[1:0] == 1 ? f_m : 18'd0;
  always @* if (f_past && rst_ni && f_stepped) begin
    minor_is_below_its_modulus: assert (minor_q < f_modulus && f_turns < 4);
    the_position_moves_by_the_gap: assert (minor_q + f_whole == (f_from_start ? 18'd0 : f_minor + 18'd1) + f_moved);
  end

  // ---- one entry, chosen by the solver, is followed until it leaves ----

  wire f_leaves = entry_valid_o && entry_ready_i;
  (* anyseq *) wire f_choose;
  reg  [2:0] f_flying = 3'd0, f_ahead;    // entries between the law's walk and the end, and those before the followed one
  reg        f_followed = 1'b0, f_gone = 1'b0;
  wire       f_here = f_followed && !f_gone;
  reg  [1:0] f_stage;
  reg        f_is_entry, f_is_null;       // it is none in a channel that has none; it has no digit
  reg        f_known, f_is_last;          // whether it is its channel's last one
  reg [WEIGHT_WIDTH-1:0] f_its_weight;
  reg [15:0] f_channel, f_its_minor;
  (* anyconst *) reg [5:0] f_tap;         // the tap of the followed entry
  (* anyconst *) reg [31:0] f_tap_value;
  wire [15:0] f_index = f_order == 2 ? 16'd0 : f_order == 1 ? minor_q : major_q;
  always @* begin
    assume (tap_o != f_tap || tap_i == f_tap_value);
    if (f_here && f_is_entry && f_stage == 0) assume (f_index == f_tap);
  end
  wire f_now = f_step && f_makes && f_choose && !f_followed;
  wire f_its_turn = f_here && f_leaves && f_ahead == 0;
  always @(posedge clk_i) begin
    f_flying <= f_flying + (f_step && f_makes) - f_leaves;
    if (f_here && f_leaves) begin
      f_ahead <= f_ahead - 3'd1;
      f_gone <= f_ahead == 0;
    end
    if (f_here && f_step && !f_known && (f_entry || f_ends)) {f_known, f_is_last} <= {1'b1, !f_entry};
    if (f_here && f_stage == 0) begin  // its position is known
      f_channel <= f_order == 2 ? major_q : f_group + (f_order == 1 ? major_q : minor_q);
      f_its_minor <= minor_q;
    end
    if (f_now) begin
      f_followed <= 1'b1;
      f_ahead <= f_flying - f_leaves;
      {f_is_entry, f_is_null} <= {f_entry, f_mark};
      {f_known, f_is_last} <= {f_ends, f_ends};
      if (LANE == 1) f_its_weight <= {f_entry && (f_mark || f_times_4), f_entry && !f_mark ? f_weight[2:0] : 3'd0};
      else f_its_weight <= f_entry ? f_weight : 0;
    end
    if (!rst_ni) {f_flying, f_followed, f_gone} <= 5'd0;
  end
  wire [15:0] f_offset = f_order == 2 ? f_channel : f_channel * desc_i[`LAC_LAYER_IN_CHANNEL_WORDS];
  wire [15:0] f_address = desc_i[`LAC_LAYER_IN_BASE] + f_offset + f_tap_value[`LAC_TAP_OFFSET];
  wire                    f_o_last;
  wire [WEIGHT_WIDTH-1:0] f_o_weight;
  wire             [15:0] f_o_address;
  wire              [7:0] f_o_dy, f_o_dx;
  assign {f_o_last, f_o_weight, f_o_address, f_o_dy, f_o_dx} = entry_o;
  // An entry that has left the pipeline keeps the address of its own layer when the next layer's record comes.
  reg [15:0] f_made_address;
  reg        f_lane_order;
  reg  [5:0] f_made_cols;
  always @(posedge clk_i) if (f_here && f_stage != 3) {f_made_address, f_lane_order, f_made_cols} <= {f_address, f_order == 2, f_cols};

  reg f_waits = 1'b0;
  reg [WEIGHT_WIDTH+32:0] f_offered;
  always @(posedge clk_i) {f_waits, f_offered} <= {rst_ni && entry_valid_o && !entry_ready_i, entry_o};
  always @* if (f_past && rst_ni) begin
    nothing_leaves_that_did_not_come: assert (!f_leaves || f_flying != 0);
    nothing_stays_behind: assert (!idle_o || entry_valid_o || f_flying <= !f_between);
    an_offer_holds: assert (!f_waits || entry_valid_o && entry_o == f_offered);
    if (f_its_turn) begin
      it_has_its_weight: assert (f_o_weight == f_its_weight);
      it_says_whether_it_is_the_last: assert (f_known && f_o_last == f_is_last);
      if (!f_is_entry) an_empty_channel_reads_the_first_word: assert ({f_o_dy, f_o_dx} == 16'd0);
      else if (!f_is_null) begin
        it_has_its_address: assert (f_o_address == f_made_address);
        if (!f_lane_order) it_has_its_tap: assert (f_o_dy == f_tap_value[`LAC_TAP_DY] && f_o_dx == f_tap_value[`LAC_TAP_DX]);
        else it_has_its_lane: assert (f_o_dx < f_made_cols && f_o_dy < 8'd32 && f_o_dy[4:0] * f_made_cols + f_o_dx[5:0] == f_its_minor);
      end
    end
  end
  reg f_waited = 1'b0;
  always @(posedge clk_i) f_waited <= rst_ni && (f_waited || f_here && f_waits);
  always @* if (f_past && rst_ni) begin
    a_later_entry_left: cover (f_its_turn && f_is_entry && f_is_last && f_waited && f_its_minor == 1);
    an_empty_channel_left: cover (f_its_turn && !f_is_entry);
  end

  // ---- for the induction: what the decoder holds is what the law says ----

  always @(posedge clk_i) begin
    if (f_here && !stall && f_stage != 2'd3) f_stage <= f_stage + 2'd1;
    if (f_now) f_stage <= 2'd0;
  end
  wire f_held_open = held_valid_q && !held_last_q;
  wire f_open_2 = valid_q[2] && is_end_q[2] ? 1'b0 : f_held_open || valid_q[2] && is_entry_q[2];
  wire f_open_1 = valid_q[1] && is_end_q[1] ? 1'b0 : f_open_2 || valid_q[1] && is_entry_q[1];
  wire f_open_0 = valid_q[0] && is_end_q[0] ? 1'b0 : f_open_1 || valid_q[0] && is_entry_q[0];
  wire [2:0] f_makes_2 = valid_q[2] && (is_entry_q[2] || is_end_q[2] && !f_held_open);
  wire [2:0] f_makes_1 = valid_q[1] && (is_entry_q[1] || is_end_q[1] && !f_open_2);
  wire [2:0] f_makes_0 = valid_q[0] && (is_entry_q[0] || is_end_q[0] && !f_open_1);
  wire [1:0] f_tells_0 = !valid_q[0] ? 2'b00 : is_entry_q[0] ? 2'b10 : {2{is_end_q[0]}};
  wire [1:0] f_tells_1 = !valid_q[1] ? f_tells_0 : is_entry_q[1] ? 2'b10 : is_end_q[1] ? 2'b11 : f_tells_0;
  wire [1:0] f_tells_2 = !valid_q[2] ? f_tells_1 : is_entry_q[2] ? 2'b10 : is_end_q[2] ? 2'b11 : f_tells_1;
  wire [1:0] f_tells = {f_known, f_known && f_is_last};
  wire       f_real = f_is_entry && !f_is_null;
  always @* if (f_past && rst_ni) begin
    assert (triple_q == f_desc[`LAC_LAYER_MINOR] + {f_desc[`LAC_LAYER_MINOR], 1'b0});
    assert (!f_setting || f_between && idle_o);
    assert (word_valid_q == f_there);
    if (f_there) begin
      assert (f_place < f_slots && slots_left_q == f_slots - f_place);
      assert (word_q == f_word);
      assert (word_end_q == f_word_end && word_next_group_q == f_word_group && word_empty_q == f_nothing);
      assert (f_place == 0 || !f_nothing);
      assert (word_first_q == (f_word_first && f_place == 0));
      assert (f_between == f_word_end);
      assert (!word_empty_q || f_word_first && f_word_end);
    end
    assert (f_there || f_any == !f_between || !f_any);
    if (f_there ? !word_first_q : !f_between) assert (restart_q == f_restart && (f_restart || minor_q < f_modulus));
    if (f_there && word_first_q || !f_there && f_between) assert (f_restart && !f_any);
    if (LANE == 1) assert (times_4_q == f_times_4);
    assert (f_begun ? f_group == group_q : f_setting);
    assert (!f_times_4 || f_there || !f_between);
    assert (!f_times_4 || !f_there || !word_first_q);
    assert (f_any == f_open_0);
    assert (f_flying == held_valid_q + f_makes_0 + f_makes_1 + f_makes_2);
    assert (f_followed || !f_gone);
    if (f_here) begin
      assert (f_is_entry || f_known && f_is_last && f_its_weight == 0);
      case (f_stage)
        2'd0: begin
          assert (f_makes_0 && is_entry_q[0] == f_is_entry && f_ahead == held_valid_q + f_makes_1 + f_makes_2);
          assert (f_tells == {2{is_end_q[0]}});
          if (f_is_entry) assert (weight_1_q == f_its_weight);
          assert (!f_real || minor_q < f_modulus);
        end
        2'd1: begin
          assert (f_makes_1 && is_entry_q[1] == f_is_entry && f_ahead == held_valid_q + f_makes_2);
          assert (f_tells == (is_end_q[1] ? 2'b11 : f_tells_0));
          if (f_is_entry) assert (weight_2_q == f_its_weight);
          if (f_real) assert (f_order == 2 ? straight_q == f_channel && f_tap == 0 : channel_q == f_channel && tap_index_q == f_tap);
          if (f_real && f_order == 2) assert (lane_col_q < f_cols && lane_row_q * f_cols + lane_col_q == f_its_minor);
        end
        2'd2: begin
          assert (f_makes_2 && is_entry_q[2] == f_is_entry && f_ahead == held_valid_q);
          assert (f_tells == (is_end_q[2] ? 2'b11 : f_tells_1));
          if (f_is_entry) assert (weight_3_q == f_its_weight);
          if (f_real) assert (offset_q == f_offset && tap_offset_q == f_tap_value[`LAC_TAP_OFFSET]);
          if (f_real && f_order != 2) assert (dy_q == f_tap_value[`LAC_TAP_DY] && dx_q == f_tap_value[`LAC_TAP_DX]);
          if (f_real && f_order == 2) assert (dx_q < f_cols && dy_q < 32 && dy_q * f_cols + dx_q == f_its_minor);
        end
        default: begin
          assert (held_valid_q && f_ahead == 0 && held_weight_q == f_its_weight);
          assert (f_tells == (held_last_q ? 2'b11 : f_tells_2));
          if (f_real) assert (address_q == f_made_address);
          if (f_real && !f_lane_order) assert (dy_2_q == f_tap_value[`LAC_TAP_DY] && dx_2_q == f_tap_value[`LAC_TAP_DX]);
          if (f_real && f_lane_order) assert (dx_2_q < f_made_cols && dy_2_q < 32 && dy_2_q * f_made_cols + dx_2_q == f_its_minor);
          if (!f_is_entry) assert (dy_2_q == 0 && dx_2_q == 0);
        end
      endcase
    end
  end
