// Decodes list words to entries for the ring: weight, activation address before the pixel is added, and tap.
//
// A position counts minor + MINOR * major; an entry moves it on by gap + 1, at most 3 * MINOR. What minor and
// major mean is the layer's ORDER (docs/engine.md). Skips vanish here. An entry is held back until the next one
// or the end of the channel is seen, because the ring's entries say themselves which one is last; a channel
// without any entry becomes one entry of weight 0.
//
// DIGIT lanes: weights are digits of 3 bits, and -4 is a mark: the position starts over and the accumulators are
// multiplied by 4, together with the next entry (gap 0), or by an entry of its own without a digit (gap 1).
//
// stream  one entry or skip a cycle; no cycle for headers and end marks
`default_nettype none

`include "lac_contract.vh"

module list_decoder #(
    parameter MESH_X = 7,
    parameter LANE = 0,
    parameter WEIGHT_WIDTH = LANE == 1 ? 4 : 8  // {times 4, digit}, or the weight
) (
    input  wire         clk_i,
    input  wire         rst_ni,
    input  wire [255:0] desc_i,
    input  wire  [15:0] end_mark_i,
    input  wire         layer_start_i,  // desc_i is about to change
    output wire         idle_o,         // desc_i may change
    output wire   [5:0] tap_o,
    input  wire  [31:0] tap_i,
    // list words
    output wire         list_ready_o,
    input  wire         list_valid_i,
    input  wire  [63:0] list_i,
    input  wire         list_first_i,
    input  wire         list_next_group_i,
    input  wire         list_end_i,
    input  wire         list_empty_i,
    // entries
    input  wire         entry_ready_i,
    output wire         entry_valid_o,
    output wire [WEIGHT_WIDTH+32:0] entry_o  // {last, weight, address, dy or lane row, dx or lane column}
);
  wire  [1:0] order = desc_i[`LAC_LAYER_ORDER];
  wire  [1:0] entry_bits = desc_i[`LAC_LAYER_ENTRY_BITS];
  wire  [3:0] weight_bits = desc_i[`LAC_LAYER_WEIGHT_BITS];
  wire [15:0] minor_modulus = desc_i[`LAC_LAYER_MINOR];
  wire [15:0] channel_words = {4'd0, desc_i[`LAC_LAYER_IN_CHANNEL_WORDS]};
  wire [15:0] in_base = desc_i[`LAC_LAYER_IN_BASE];

  wire stall;

  // Slots of the present word, lowest first.
  reg         word_valid_q, word_first_q, word_next_group_q, word_end_q, word_empty_q;
  reg  [63:0] word_q;
  reg   [4:0] slots_left_q;
  reg  [15:0] slot, next_slot, end_slot;
  reg  [63:0] word_shifted;
  reg   [4:0] slots_of_word;
  always @* begin
    case (entry_bits)
      2'd0: begin
        slot = {12'd0, word_q[3:0]};
        next_slot = {12'd0, word_q[7:4]};
        end_slot = {12'd0, end_mark_i[3:0]};
        word_shifted = word_q >> 4;
        slots_of_word = 5'd16;
      end
      2'd1: begin
        slot = {8'd0, word_q[7:0]};
        next_slot = {8'd0, word_q[15:8]};
        end_slot = {8'd0, end_mark_i[7:0]};
        word_shifted = word_q >> 8;
        slots_of_word = 5'd8;
      end
      default: begin
        slot = word_q[15:0];
        next_slot = word_q[31:16];
        end_slot = end_mark_i;
        word_shifted = word_q >> 16;
        slots_of_word = 5'd4;
      end
    endcase
  end

  wire word_done = slots_left_q == 5'd1 || next_slot == end_slot || word_empty_q;
  wire take_slot = word_valid_q && !stall;
  assign list_ready_o = !word_valid_q || (take_slot && word_done);

  // The position that the slot moves to.
  wire  [7:0] weight_mask = ~(8'hFF << weight_bits);
  wire  [7:0] weight_sign = 8'd1 << (weight_bits - 4'd1);
  wire  [7:0] weight = ((slot[7:0] & weight_mask) ^ weight_sign) - weight_sign;
  wire [15:0] gap = slot >> weight_bits;
  reg  [15:0] minor_q, major_q, group_q;
  reg         restart_q, times_4_q;
  wire        is_mark = LANE == 1 && weight == 8'hFC && !word_empty_q;
  wire        is_null = is_mark && gap[0];
  wire        is_entry = is_mark ? is_null : weight != 8'd0 && !word_empty_q;
  wire        restart = word_first_q || restart_q;
  wire [16:0] minor_from = restart ? 17'd0 : {1'b0, minor_q} + 17'd1;
  wire [16:0] minor_sum = minor_from + {1'b0, gap};
  reg  [17:0] triple_q;  // of the modulus, which is there several cycles before a list
  wire [18:0] less_1 = {2'd0, minor_sum} - {3'd0, minor_modulus};
  wire [18:0] less_2 = {2'd0, minor_sum} - {2'd0, minor_modulus, 1'b0};
  wire [18:0] less_3 = {2'd0, minor_sum} - {1'b0, triple_q};
  wire  [1:0] turns = !less_3[18] ? 2'd3 : !less_2[18] ? 2'd2 : {1'b0, !less_1[18]};
  wire [15:0] minor_next = turns[1] ? (turns[0] ? less_3[15:0] : less_2[15:0])
                                    : turns[0] ? less_1[15:0] : minor_sum[15:0];
  wire [15:0] major_next = (restart ? 16'd0 : major_q) + {14'd0, turns};
  wire [15:0] group_step = order == 2'd1 ? 16'd1 : minor_modulus;

  always @(posedge clk_i) begin
    triple_q <= {2'd0, minor_modulus} + {1'b0, minor_modulus, 1'b0};
    if (list_ready_o) begin
      word_valid_q <= list_valid_i;
      if (list_valid_i) begin
        word_q <= list_i;
        word_first_q <= list_first_i;
        word_next_group_q <= list_next_group_i;
        word_end_q <= list_end_i;
        word_empty_q <= list_empty_i;
        slots_left_q <= slots_of_word;
      end
    end else if (take_slot) begin
      word_q <= word_shifted;
      word_first_q <= 1'b0;
      slots_left_q <= slots_left_q - 5'd1;
    end
    if (layer_start_i) group_q <= 16'd0;
    if (take_slot) begin
      minor_q <= minor_next;
      major_q <= major_next;
      restart_q <= is_mark;
      if (is_mark) times_4_q <= !is_null;
      else if (is_entry || (word_done && word_end_q)) times_4_q <= 1'b0;
      if (word_first_q && word_next_group_q) group_q <= group_q + group_step;
    end
    if (!rst_ni) begin
      word_valid_q <= 1'b0;
      restart_q <= 1'b0;
      times_4_q <= 1'b0;
    end
  end
  wire [WEIGHT_WIDTH-1:0] lane_weight;
  generate
    if (LANE == 1) begin : gen_digit
      assign lane_weight = {is_null || times_4_q, is_mark ? 3'd0 : weight[2:0]};
    end else begin : gen_weight
      assign lane_weight = weight;
    end
  endgenerate

  // Position to address, in steps; the flags go along: is_entry, is_end.
  reg  [2:0] valid_q, is_entry_q, is_end_q;
  reg [WEIGHT_WIDTH-1:0] weight_1_q, weight_2_q, weight_3_q;
  reg [15:0] channel_q, tap_index_q, straight_q, offset_q;
  reg  [4:0] lane_row_q, lane_col_q;
  reg  [7:0] dy_q, dx_q;
  reg [15:0] tap_offset_q, address_q;
  reg  [7:0] dy_2_q, dx_2_q;

  // lane / MESH_X by a reciprocal: exact for lanes below 1024 and MESH_X up to 32.
  // Images that share the mesh have MESH_X >> SPLIT_X columns each.
  localparam integer COLS_0 = MESH_X, COLS_1 = MESH_X < 2 ? 1 : MESH_X / 2, COLS_2 = MESH_X < 4 ? 1 : MESH_X / 4,
                     COLS_3 = MESH_X < 8 ? 1 : MESH_X / 8;
  localparam integer RECIPROCAL_0 = (32768 + COLS_0 - 1) / COLS_0, RECIPROCAL_1 = (32768 + COLS_1 - 1) / COLS_1,
                     RECIPROCAL_2 = (32768 + COLS_2 - 1) / COLS_2, RECIPROCAL_3 = (32768 + COLS_3 - 1) / COLS_3;
  wire  [1:0] split_x = desc_i[`LAC_LAYER_SPLIT_X];
  wire  [5:0] cols = split_x == 2'd0 ? COLS_0[5:0] : split_x == 2'd1 ? COLS_1[5:0] :
                     split_x == 2'd2 ? COLS_2[5:0] : COLS_3[5:0];
  wire [15:0] reciprocal = split_x == 2'd0 ? RECIPROCAL_0[15:0] : split_x == 2'd1 ? RECIPROCAL_1[15:0] :
                           split_x == 2'd2 ? RECIPROCAL_2[15:0] : RECIPROCAL_3[15:0];
  wire [25:0] lane_scaled = minor_q[9:0] * reciprocal;
  wire  [4:0] lane_row = lane_scaled[19:15];
  wire [10:0] lane_row_begin = lane_row * cols;
  wire [10:0] lane_col = {1'b0, minor_q[9:0]} - lane_row_begin;

  assign tap_o = order == 2'd2 ? 6'd0 : tap_index_q[5:0];

  always @(posedge clk_i) begin
    if (!stall) begin
      valid_q <= {valid_q[1:0], word_valid_q};
      is_entry_q <= {is_entry_q[1:0], is_entry};
      is_end_q <= {is_end_q[1:0], word_done && word_end_q};
      if (valid_q[1]) begin
        weight_3_q <= weight_2_q;
        offset_q <= order == 2'd2 ? straight_q : channel_q * channel_words;
        tap_offset_q <= tap_i[`LAC_TAP_OFFSET];
        dy_q <= order == 2'd2 ? {3'd0, lane_row_q} : tap_i[`LAC_TAP_DY];
        dx_q <= order == 2'd2 ? {3'd0, lane_col_q} : tap_i[`LAC_TAP_DX];
      end
      if (valid_q[0]) begin
        weight_2_q <= weight_1_q;
        channel_q <= group_q + (order == 2'd1 ? major_q : minor_q);
        tap_index_q <= order == 2'd1 ? minor_q : major_q;
        straight_q <= major_q;
        lane_row_q <= lane_row;
        lane_col_q <= lane_col[4:0];
      end
      if (word_valid_q) weight_1_q <= lane_weight;
    end
    if (!rst_ni) valid_q <= 3'd0;
  end

  // The held entry.
  reg         held_valid_q, held_last_q;
  reg [WEIGHT_WIDTH-1:0] held_weight_q;
  wire        in_valid = valid_q[2];
  wire        push = held_valid_q && (held_last_q || (in_valid && is_entry_q[2]));
  assign stall = push && !entry_ready_i;

  always @(posedge clk_i) begin
    if (!stall) begin
      if (push) held_valid_q <= 1'b0;
      if (in_valid && is_entry_q[2]) begin
        held_valid_q <= 1'b1;
        held_last_q <= is_end_q[2];
        held_weight_q <= weight_3_q;
        address_q <= in_base + offset_q + tap_offset_q;
        dy_2_q <= dy_q;
        dx_2_q <= dx_q;
      end else if (in_valid && is_end_q[2]) begin
        held_last_q <= 1'b1;
        if (!held_valid_q || held_last_q) begin  // nothing held of this channel: it is empty
          held_valid_q <= 1'b1;
          held_weight_q <= {WEIGHT_WIDTH{1'b0}};
          address_q <= in_base;
          dy_2_q <= 8'd0;
          dx_2_q <= 8'd0;
        end
      end
    end
    if (!rst_ni) held_valid_q <= 1'b0;
  end

  assign entry_valid_o = push;
  assign entry_o = {held_last_q, held_weight_q, address_q, dy_2_q, dx_2_q};
  assign idle_o = !word_valid_q && valid_q == 3'd0;

  wire unused_ok = &{1'b0, desc_i, less_1[17:16], less_2[17:16], less_3[17:16], lane_scaled, lane_col[10:5], tap_index_q[15:6], times_4_q};
endmodule

`default_nettype wire
