// The engine: a program stream in, activations on chip, raw results out. docs/engine.md describes it.
//
// stream  one list entry a cycle for all MESH_X * MESH_Y lanes
// units   DRAIN lanes requantized a cycle; ACT_WORDS words of MESH_X * MESH_Y codes; LIST_WORDS entries
`default_nettype none

`include "lac_contract.vh"

module lac_engine #(
    parameter MESH_X = `LAC_MESH_X_DEFAULT,
    parameter MESH_Y = `LAC_MESH_Y_DEFAULT,
    parameter DRAIN = `LAC_DRAIN_DEFAULT,
    parameter ACC_BITS = `LAC_ACC_BITS_DEFAULT,
    parameter ACT_WORDS = `LAC_ACT_WORDS_DEFAULT,
    parameter LIST_WORDS = `LAC_LIST_WORDS_DEFAULT,
    parameter LANE = `LAC_LANE_DEFAULT,
    parameter ACT_BITS = `LAC_ACT_BITS_DEFAULT,
    parameter VECTOR = `LAC_VECTOR_DEFAULT,
    parameter TABLE = `LAC_TABLE_DEFAULT,
    parameter SCALE = `LAC_SCALE_DEFAULT
) (
    input  wire               clk_i,
    input  wire               rst_ni,
    // program stream
    input  wire               prog_valid_i,
    output wire               prog_ready_o,
    input  wire        [63:0] prog_data_i,
    // host writes of codes, while no program is in progress
    input  wire               load_valid_i,
    input  wire        [15:0] load_addr_i,
    input  wire        [15:0] load_group_i,
    input  wire [8*DRAIN-1:0] load_data_i,
    // raw results
    output wire               out_valid_o,
    input  wire               out_ready_i,
    output wire        [31:0] out_data_o,
    // state
    output wire               busy_o,
    output wire               done_o,
    output wire               error_o,
    output wire        [31:0] contract_o,
    // what happens inside, for counters and verification
    output wire               watch_write_o,
    output wire        [15:0] watch_addr_o,
    output wire        [15:0] watch_group_o,
    output wire [8*DRAIN-1:0] watch_data_o,
    output wire        [15:0] watch_step_o,
    output wire               watch_step_done_o,
    output wire         [1:0] watch_cause_o,      // of this cycle: 0 other, 1 compute, 2 starved, 3 drain
    output wire        [31:0] cycles_compute_o,
    output wire        [31:0] cycles_starved_o,
    output wire        [31:0] cycles_drain_o,
    output wire        [31:0] cycles_other_o
);
  localparam LANES = MESH_X * MESH_Y;
  localparam ADDR_BITS = $clog2(ACT_WORDS);
  localparam WEIGHT_WIDTH = LANE == 1 ? 4 : 8;
  localparam ENTRY_BITS = WEIGHT_WIDTH + 33;

  // Icarus 11 has no elaboration $error: there the name of a module that does not exist is the sentence.
`ifdef __ICARUS__
`define LAC_REFUSE(sentence, name) name u_refused ();
`else
`define LAC_REFUSE(sentence, name) $error(sentence);
`endif
  generate
    if (MESH_X < `LAC_MESH_X_MIN || MESH_X > `LAC_MESH_X_MAX) begin : gen_mesh_x
      `LAC_REFUSE("MESH_X is outside the limits of rtl/defs/engine.def", mesh_x_is_outside_its_limits)
    end
    if (MESH_Y < `LAC_MESH_Y_MIN || MESH_Y > `LAC_MESH_Y_MAX) begin : gen_mesh_y
      `LAC_REFUSE("MESH_Y is outside the limits of rtl/defs/engine.def", mesh_y_is_outside_its_limits)
    end
    if (DRAIN < `LAC_DRAIN_MIN || DRAIN > `LAC_DRAIN_MAX || LANES % DRAIN != 0) begin : gen_drain
      `LAC_REFUSE("DRAIN must divide MESH_X * MESH_Y and be at most 64", drain_must_divide_the_number_of_lanes)
    end
    if (ACC_BITS < `LAC_ACC_BITS_MIN || ACC_BITS > `LAC_ACC_BITS_MAX) begin : gen_acc_bits
      `LAC_REFUSE("ACC_BITS is outside the limits of rtl/defs/engine.def", acc_bits_is_outside_its_limits)
    end
    if (ACT_WORDS < `LAC_ACT_WORDS_MIN || ACT_WORDS > `LAC_ACT_WORDS_MAX) begin : gen_act_words
      `LAC_REFUSE("ACT_WORDS is outside the limits of rtl/defs/engine.def", act_words_is_outside_its_limits)
    end
    if (LIST_WORDS < `LAC_LIST_WORDS_MIN || LIST_WORDS > `LAC_LIST_WORDS_MAX) begin : gen_list_words
      `LAC_REFUSE("LIST_WORDS is outside the limits of rtl/defs/engine.def", list_words_is_outside_its_limits)
    end
    if (LANE < `LAC_LANE_MIN || LANE > `LAC_LANE_MAX) begin : gen_lane_kind
      `LAC_REFUSE("LANE is outside the limits of rtl/defs/engine.def", lane_is_outside_its_limits)
    end
    if (ACT_BITS < `LAC_ACT_BITS_MIN || ACT_BITS > `LAC_ACT_BITS_MAX) begin : gen_act_bits
      `LAC_REFUSE("ACT_BITS is outside the limits of rtl/defs/engine.def", act_bits_is_outside_its_limits)
    end
    if (VECTOR != 0 && VECTOR != 4 && VECTOR != 8 && VECTOR != 16) begin : gen_vector_size
      `LAC_REFUSE("VECTOR must be 0, 4, 8 or 16", vector_must_be_0_4_8_or_16)
    end
    if (TABLE != 0 && TABLE != 1) begin : gen_table
      `LAC_REFUSE("TABLE must be 0 or 1", table_must_be_0_or_1)
    end
    if (SCALE != 0 && SCALE != 1 && SCALE != 2) begin : gen_scale
      `LAC_REFUSE("SCALE must be 0, 1 or 2", scale_must_be_0_1_or_2)
    end
  endgenerate
`undef LAC_REFUSE

  // Program words.
  wire        word_valid, word_pop;
  wire [63:0] word;
  fifo #(
      .WIDTH(64),
      .DEPTH_LOG2(3)
  ) u_words (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .push_i (prog_valid_i),
      .ready_o(prog_ready_o),
      .data_i (prog_data_i),
      .valid_o(word_valid),
      .pop_i  (word_pop),
      .data_o (word)
  );

  wire         desc_valid, desc_taken, desc_start;
  wire [255:0] desc, layer;
  wire  [15:0] end_mark;
  wire   [5:0] tap_index;
  wire  [31:0] tap;
  wire         header_ready, header_push, header_valid, header_pop;
  wire  [53:0] header_in, header;
  wire         decoder_idle, list_ready, list_valid, list_first, list_next_group, list_end, list_empty;
  wire  [63:0] list;
  wire         vector_valid, vector_ready, vector_last;
  wire         at_end, drained;
  wire         table_write;
  wire   [6:0] table_addr;
  wire  [31:0] table_data;
  program_parser #(
      .TABLE(TABLE)
  ) u_parser (
      .clk_i            (clk_i),
      .rst_ni           (rst_ni),
      .word_valid_i     (word_valid),
      .word_pop_o       (word_pop),
      .word_i           (word),
      .desc_valid_o     (desc_valid),
      .desc_taken_i     (desc_taken),
      .desc_o           (desc),
      .desc_start_o     (desc_start),
      .end_mark_o       (end_mark),
      .tap_i            (tap_index),
      .tap_o            (tap),
      .table_write_o    (table_write),
      .table_addr_o     (table_addr),
      .table_data_o     (table_data),
      .header_ready_i   (header_ready),
      .header_push_o    (header_push),
      .header_o         (header_in),
      .decoder_idle_i   (decoder_idle),
      .list_ready_i     (list_ready),
      .list_valid_o     (list_valid),
      .list_o           (list),
      .list_first_o     (list_first),
      .list_next_group_o(list_next_group),
      .list_end_o       (list_end),
      .list_empty_o     (list_empty),
      .vector_valid_o   (vector_valid),
      .vector_ready_i   (vector_ready),
      .vector_last_o    (vector_last),
      .at_end_o         (at_end),
      .drained_i        (drained),
      .error_o          (error_o)
  );

  fifo #(
      .WIDTH(54),
      .DEPTH_LOG2(5)
  ) u_headers (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .push_i (header_push),
      .ready_o(header_ready),
      .data_i (header_in),
      .valid_o(header_valid),
      .pop_i  (header_pop),
      .data_o (header)
  );

  wire                  entry_ready, entry_push;
  wire [ENTRY_BITS-1:0] entry_in, entry;
  list_decoder #(
      .MESH_X(MESH_X),
      .LANE  (LANE)
  ) u_decoder (
      .clk_i            (clk_i),
      .rst_ni           (rst_ni),
      .desc_i           (desc),
      .end_mark_i       (end_mark),
      .layer_start_i    (desc_start),
      .idle_o           (decoder_idle),
      .tap_o            (tap_index),
      .tap_i            (tap),
      .list_ready_o     (list_ready),
      .list_valid_i     (list_valid),
      .list_i           (list),
      .list_first_i     (list_first),
      .list_next_group_i(list_next_group),
      .list_end_i       (list_end),
      .list_empty_i     (list_empty),
      .entry_ready_i    (entry_ready),
      .entry_valid_o    (entry_push),
      .entry_o          (entry_in)
  );

  wire entry_valid, entry_next, entry_rewind, entry_done, entry_last_pass;
  list_ring #(
      .WIDTH(ENTRY_BITS),
      .WORDS(LIST_WORDS)
  ) u_ring (
      .clk_i      (clk_i),
      .rst_ni     (rst_ni),
      .push_i     (entry_push),
      .ready_o    (entry_ready),
      .entry_i    (entry_in),
      .valid_o    (entry_valid),
      .entry_o    (entry),
      .next_i     (entry_next),
      .rewind_i   (entry_rewind),
      .done_i     (entry_done),
      .last_pass_i(entry_last_pass)
  );

  wire                     replayer_idle, layer_done, drain_ready, lane_pixel_push, vector_pixel_push, vector_pixel_last;
  wire               [3:0] lane_pixel;
  wire                     valid, first, last;
  wire     [ADDR_BITS-1:0] addr;
  wire        [MESH_X-1:0] col_a, col_b;
  wire        [MESH_Y-1:0] row_a, row_b;
  wire  [WEIGHT_WIDTH-1:0] weight;
  wire                     lane_compute, lane_starved, lane_drain, vector_compute, vector_starved, vector_drain;
  wire                     is_compute = lane_compute || vector_compute;
  wire                     is_starved = lane_starved || vector_starved;
  wire                     is_drain = lane_drain || vector_drain;
  replayer #(
      .MESH_X   (MESH_X),
      .MESH_Y   (MESH_Y),
      .ADDR_BITS(ADDR_BITS),
      .LANE     (LANE),
      .SCALE    (SCALE)
  ) u_replayer (
      .clk_i            (clk_i),
      .rst_ni           (rst_ni),
      .desc_valid_i     (desc_valid),
      .desc_taken_o     (desc_taken),
      .desc_i           (desc),
      .layer_o          (layer),
      .idle_o           (replayer_idle),
      .layer_done_i     (layer_done),
      .entry_valid_i    (entry_valid),
      .entry_i          (entry),
      .entry_next_o     (entry_next),
      .entry_rewind_o   (entry_rewind),
      .entry_done_o     (entry_done),
      .entry_last_pass_o(entry_last_pass),
      .drain_ready_i    (drain_ready),
      .pixel_push_o     (lane_pixel_push),
      .pixel_o          (lane_pixel),
      .valid_o          (valid),
      .addr_o           (addr),
      .col_a_o          (col_a),
      .col_b_o          (col_b),
      .row_a_o          (row_a),
      .row_b_o          (row_b),
      .weight_o         (weight),
      .first_o          (first),
      .last_o           (last),
      .is_compute_o     (lane_compute),
      .is_starved_o     (lane_starved),
      .is_drain_o       (lane_drain)
  );

  wire                      captured, shift;
  wire [ACC_BITS*DRAIN-1:0] chain;
  wire                      drain_write, drain_idle;
  wire      [ADDR_BITS-1:0] drain_addr;
  wire               [15:0] drain_group;
  wire [ACT_BITS*DRAIN-1:0] drain_data, load_data;
  wire [7:0] pad_code = layer[`LAC_LAYER_ORDER] == 2'd2 ? 8'd0 : layer[`LAC_LAYER_PAD_CODE];
  lane_array #(
      .MESH_X   (MESH_X),
      .MESH_Y   (MESH_Y),
      .DRAIN    (DRAIN),
      .ACC_BITS (ACC_BITS),
      .ACT_WORDS(ACT_WORDS),
      .LANE     (LANE),
      .ACT_BITS (ACT_BITS),
      .SCALE    (SCALE)
  ) u_lanes (
      .clk_i        (clk_i),
      .rst_ni       (rst_ni),
      .act_signed_i (layer[`LAC_LAYER_ACT_SIGNED]),
      .pad_code_i   (pad_code[ACT_BITS-1:0]),
      .scale_i      (layer[`LAC_LAYER_SCALE]),
      .scale_each_i (layer[`LAC_LAYER_SCALE_EACH]),
      .scale_signed_i(layer[`LAC_LAYER_SCALE_SIGNED]),
      .scale_zero_i (layer[`LAC_LAYER_PAD_CODE]),
      .valid_i      (valid),
      .addr_i       (addr),
      .col_a_i      (col_a),
      .col_b_i      (col_b),
      .row_a_i      (row_a),
      .row_b_i      (row_b),
      .weight_i     (weight),
      .first_i      (first),
      .last_i       (last),
      .captured_o   (captured),
      .shift_i      (shift),
      .chain_o      (chain),
      .write_i      (drain_write || load_valid_i),
      .write_addr_i (drain_write ? drain_addr : load_addr_i[ADDR_BITS-1:0]),
      .write_group_i(drain_write ? drain_group : load_group_i),
      .write_data_i (drain_write ? drain_data : load_data)
  );

  wire        vector_sum_valid;
  wire [31:0] vector_sum;
  generate
    if (VECTOR != 0) begin : gen_vector
      vector_unit #(
          .VECTOR   (VECTOR),
          .ACC_BITS (ACC_BITS),
          .ACT_WORDS(ACT_WORDS),
          .ACT_BITS (ACT_BITS)
      ) u_vector (
          .clk_i        (clk_i),
          .rst_ni       (rst_ni),
          .start_i      (desc_taken && desc[`LAC_LAYER_ORDER] == 2'd3),
          .layer_i      (layer),
          .word_valid_i (vector_valid),
          .word_ready_o (vector_ready),
          .word_i       (word),
          .word_last_i  (vector_last),
          .drain_ready_i(drain_ready),
          .pixel_push_o (vector_pixel_push),
          .pixel_last_o (vector_pixel_last),
          .sum_valid_o  (vector_sum_valid),
          .sum_o        (vector_sum),
          .is_compute_o (vector_compute),
          .is_starved_o (vector_starved),
          .is_drain_o   (vector_drain),
          .write_i      (drain_write ? drain_group == 16'd0 : load_valid_i && load_group_i == 16'd0),
          .write_addr_i (drain_write ? drain_addr : load_addr_i[ADDR_BITS-1:0]),
          .write_code_i (drain_write ? drain_data[ACT_BITS-1:0] : load_data[ACT_BITS-1:0])
      );
    end else begin : gen_no_vector
      assign vector_ready = 1'b0;
      assign vector_pixel_push = 1'b0;
      assign vector_pixel_last = 1'b0;
      assign vector_sum_valid = 1'b0;
      assign vector_sum = 32'd0;
      assign vector_compute = 1'b0;
      assign vector_starved = 1'b0;
      assign vector_drain = 1'b0;
      wire unused_vector = &{1'b0, vector_valid, vector_last};
    end
  endgenerate

  drain #(
      .MESH_X   (MESH_X),
      .MESH_Y   (MESH_Y),
      .DRAIN    (DRAIN),
      .ACC_BITS (ACC_BITS),
      .ADDR_BITS(ADDR_BITS),
      .ACT_BITS (ACT_BITS),
      .TABLE    (TABLE)
  ) u_drain (
      .clk_i        (clk_i),
      .rst_ni       (rst_ni),
      .layer_i      (layer),
      .layer_start_i(desc_taken),
      .layer_next_i (desc),
      .layer_done_o (layer_done),
      .ready_o      (drain_ready),
      .pixel_push_i (lane_pixel_push || vector_pixel_push),
      .pixel_i      (vector_pixel_push ? {vector_pixel_last, 3'b111} : lane_pixel),
      .header_i     (header),
      .header_pop_o (header_pop),
      .captured_i   (captured),
      .shift_o      (shift),
      .chain_i      (chain),
      .vector_valid_i(vector_sum_valid),
      .vector_sum_i (vector_sum),
      .table_write_i(table_write),
      .table_addr_i (table_addr),
      .table_data_i (table_data),
      .write_o      (drain_write),
      .write_addr_o (drain_addr),
      .write_group_o(drain_group),
      .write_data_o (drain_data),
      .out_valid_o  (out_valid_o),
      .out_ready_i  (out_ready_i),
      .out_data_o   (out_data_o),
      .idle_o       (drain_idle)
  );

  // A program lasts from its first word to the last result.
  reg  busy_q, done_q;
  reg  [15:0] step_q;
  wire starts = prog_valid_i && prog_ready_o;
  assign drained = at_end && replayer_idle && !desc_valid && drain_idle && !done_q;
  always @(posedge clk_i) begin
    done_q <= drained;
    step_q <= layer[`LAC_LAYER_ID];
    if (starts) busy_q <= 1'b1;
    else if (drained) busy_q <= word_valid;
    if (!rst_ni) begin
      busy_q <= 1'b0;
      done_q <= 1'b0;
    end
  end
  assign busy_o = busy_q;
  assign done_o = done_q;
  assign contract_o = `LAC_CONTRACT_HASH;

  assign watch_write_o = drain_write;
  wire [16:0] watch_addr = {{(17 - ADDR_BITS) {1'b0}}, drain_addr};
  assign watch_addr_o = watch_addr[15:0];
  assign watch_group_o = drain_group;
  // Ports carry codes of 8 bits, signed ones sign-extended.
  genvar i;
  generate
    for (i = 0; i < DRAIN; i = i + 1) begin : gen_code
      assign load_data[ACT_BITS*i+:ACT_BITS] = load_data_i[8*i+:ACT_BITS];
      assign watch_data_o[8*i+:ACT_BITS] = drain_data[ACT_BITS*i+:ACT_BITS];
      if (ACT_BITS < 8) begin : gen_sign
        assign watch_data_o[8*i+ACT_BITS+:8-ACT_BITS] =
            {(8 - ACT_BITS) {layer[`LAC_LAYER_OUT_SIGNED] & drain_data[ACT_BITS*i+ACT_BITS-1]}};
      end
    end
  endgenerate
  assign watch_step_o = step_q;
  assign watch_cause_o = is_compute ? 2'd1 : is_starved ? 2'd2 : is_drain ? 2'd3 : 2'd0;
  step_counters u_counters (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni),
      .enable_i    (busy_q || starts),
      .restart_i   (done_q),
      .layer_done_i(layer_done),
      .is_compute_i(is_compute),
      .is_starved_i(is_starved),
      .is_drain_i  (is_drain),
      .done_o      (watch_step_done_o),
      .compute_o   (cycles_compute_o),
      .starved_o   (cycles_starved_o),
      .drain_o     (cycles_drain_o),
      .other_o     (cycles_other_o)
  );

  wire unused_ok = &{1'b0, load_addr_i, load_data_i, pad_code, header_valid, watch_addr[16]};
endmodule

`default_nettype wire
