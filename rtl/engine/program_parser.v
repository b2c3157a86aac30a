// Cuts the program stream into its records: layer descriptor, taps, table, channel headers, list words.
//
// The descriptor of the next layer is read while the present one is executed: desc_valid_o says that desc_o
// waits for the replayer, desc_taken_i that it has been copied. Taps and desc_o also serve the list decoder,
// so a new descriptor is read only when both have done with the old one.
//
// A list word is held until it is known whether the channel ends with it (the end mark may be the first entry
// of the next word), so that the decoder never spends a cycle on an end mark of its own.
//
// List words of a layer for the vector unit are counted by the headers before them, and pass by. In a streamed layer
// the header counts the copies of the list that follow the first one.
//
// A table goes to the drain four codes a cycle, to the other bank than that of the layer in execution.
//
// stream  one word a cycle in, of a table one in two; one list word a cycle out while the decoder or the vector
//         unit takes them
`default_nettype none

`include "lac_contract.vh"

module program_parser #(
    parameter TABLE = 0
) (
    input  wire         clk_i,
    input  wire         rst_ni,
    // program words
    input  wire         word_valid_i,
    output wire         word_pop_o,
    input  wire  [63:0] word_i,
    // descriptor
    output wire         desc_valid_o,
    input  wire         desc_taken_i,
    output wire [255:0] desc_o,
    output wire         desc_start_o,   // desc_o begins to change: a new layer
    output wire  [15:0] end_mark_o,     // the control entry that ends a channel
    // tap table, read by the decoder without delay
    input  wire   [5:0] tap_i,
    output wire  [31:0] tap_o,
    // table for the drain, four codes at a place
    output wire         table_write_o,
    output wire   [6:0] table_addr_o,   // {bank, place}
    output wire  [31:0] table_data_o,
    // channel header
    input  wire         header_ready_i,
    output wire         header_push_o,
    output wire  [53:0] header_o,       // {S, M, BIAS}
    // list words
    input  wire         decoder_idle_i,
    input  wire         list_ready_i,
    output wire         list_valid_o,
    output wire  [63:0] list_o,
    output wire         list_first_o,   // first word of a channel
    output wire         list_next_group_o,
    output wire         list_end_o,     // the channel ends in or right after this word
    output wire         list_empty_o,   // there is no entry in it
    // list words for the vector unit
    output wire         vector_valid_o,
    input  wire         vector_ready_i,
    output wire         vector_last_o,  // of the layer
    // end of program
    output wire         at_end_o,
    input  wire         drained_i,
    output wire         error_o
);
  localparam [2:0] DESCRIPTOR = 3'd0, TAPS = 3'd1, HEADER = 3'd2, LIST = 3'd3, END = 3'd4, ERROR = 3'd5,
                   VECTOR = 3'd6, LOAD = 3'd7;
  localparam [1:0] KIND_LAYER = 2'd1, KIND_END = 2'd2;

  reg  [2:0] state_q;
  reg  [1:0] desc_word_q;
  reg [63:0] desc_q [0:3];
  reg        desc_valid_q;
  reg  [4:0] tap_word_q;
  reg [15:0] channels_left_q;
  reg [15:0] end_mark_q;
  reg  [8:0] words_left_q;

  assign desc_o = {desc_q[3], desc_q[2], desc_q[1], desc_q[0]};
  assign desc_valid_o = desc_valid_q;
  assign end_mark_o = end_mark_q;

  wire [1:0] entry_bits = desc_o[`LAC_LAYER_ENTRY_BITS];
  wire [6:0] n_taps = desc_o[`LAC_LAYER_N_TAPS];
  wire       is_vector = desc_o[`LAC_LAYER_ORDER] == 2'd3;
  wire       is_streamed = desc_o[`LAC_LAYER_STREAMED];

  // Taps, two a word.
  reg [31:0] tap_even [0:31];
  reg [31:0] tap_odd [0:31];
  assign tap_o = tap_i[0] ? tap_odd[tap_i[5:1]] : tap_even[tap_i[5:1]];

  // Where a list word holds the end mark: a slot whose bits all equal the mark.
  wire [63:0] differs = word_i ^ {4{end_mark_q}};
  wire [63:0] pairs = differs | (differs >> 1);
  wire [63:0] nibbles = pairs | (pairs >> 2);
  wire [63:0] bytes = nibbles | (nibbles >> 4);
  wire [63:0] halves = bytes | (bytes >> 8);
  wire [15:0] slot_differs_4;
  wire  [7:0] slot_differs_8;
  wire  [3:0] slot_differs_16;
  genvar i;
  generate
    for (i = 0; i < 16; i = i + 1) begin : gen_slot_4
      assign slot_differs_4[i] = nibbles[4*i];
    end
    for (i = 0; i < 8; i = i + 1) begin : gen_slot_8
      assign slot_differs_8[i] = bytes[8*i];
    end
    for (i = 0; i < 4; i = i + 1) begin : gen_slot_16
      assign slot_differs_16[i] = halves[16*i];
    end
  endgenerate
  wire word_ends = entry_bits == 2'd0 ? !(&slot_differs_4) : entry_bits == 2'd1 ? !(&slot_differs_8)
                                                                                : !(&slot_differs_16);
  wire word_starts_with_end = entry_bits == 2'd0 ? !slot_differs_4[0] : entry_bits == 2'd1
                                                 ? !slot_differs_8[0] : !slot_differs_16[0];

  // The held list word.
  reg        held_valid_q, held_end_q, held_empty_q, held_first_q, held_next_group_q;
  reg [63:0] held_q;
  reg        first_q, next_group_q;

  wire in_list = state_q == LIST && word_valid_i;
  assign list_valid_o = held_valid_q && (held_end_q || in_list);
  assign list_o = held_q;
  assign list_first_o = held_first_q;
  assign list_next_group_o = held_next_group_q;
  assign list_end_o = held_end_q || word_starts_with_end;
  assign list_empty_o = held_empty_q;
  wire held_goes = list_valid_o && list_ready_i;

  reg table_half_q, table_bank_q;
  assign table_write_o = TABLE != 0 && state_q == LOAD && word_valid_i;
  assign table_addr_o = {table_bank_q, tap_word_q, table_half_q};
  assign table_data_o = table_half_q ? word_i[63:32] : word_i[31:0];

  // What is taken from the stream in this cycle.
  wire [1:0] kind = word_i[`LAC_LAYER_KIND];
  wire desc_free = !desc_valid_q && decoder_idle_i && !held_valid_q;
  wire take_desc = state_q == DESCRIPTOR && word_valid_i &&
                   (desc_word_q != 2'd0 || desc_free);
  wire take_tap = state_q == TAPS && word_valid_i;
  wire take_header = state_q == HEADER && word_valid_i && header_ready_i;
  wire take_list = in_list && (!held_valid_q || list_ready_i);
  wire take_table = TABLE != 0 && state_q == LOAD && word_valid_i && table_half_q;
  wire take_vector = vector_valid_o && vector_ready_i;
  wire list_ends = take_list && word_ends;
  wire channel_ends = list_ends && !(is_streamed && words_left_q != 9'd0);

  assign desc_start_o = take_desc && desc_word_q == 2'd0;
  assign word_pop_o = take_desc || take_tap || take_table || take_header || take_list || take_vector;
  // Of a vector layer, a header without a shift only counts list words.
  wire [8:0] header_words = word_i[`LAC_CHANNEL_RUN];
  wire       counts_only = is_vector && word_i[`LAC_CHANNEL_S] == 6'd0;
  assign vector_valid_o = state_q == VECTOR && word_valid_i;
  assign vector_last_o = words_left_q == 9'd1 && channels_left_q == 16'd0;
  assign header_push_o = take_header && !counts_only;
  assign header_o = {word_i[`LAC_CHANNEL_S], word_i[`LAC_CHANNEL_M], word_i[`LAC_CHANNEL_BIAS]};
  assign at_end_o = state_q == END;
  assign error_o = state_q == ERROR;

  always @(posedge clk_i) begin
    if (take_desc) desc_q[desc_word_q] <= word_i;
    if (take_tap) begin
      tap_even[tap_word_q] <= word_i[31:0];
      tap_odd[tap_word_q] <= word_i[63:32];
      // Entries of 4 and 8 bits repeat the mark, so that every slot is compared with its own copy.
      case (entry_bits)
        2'd0: end_mark_q <= {4{4'hF << desc_o[`LAC_LAYER_WEIGHT_BITS]}};
        2'd1: end_mark_q <= {2{8'hFF << desc_o[`LAC_LAYER_WEIGHT_BITS]}};
        default: end_mark_q <= 16'hFFFF << desc_o[`LAC_LAYER_WEIGHT_BITS];
      endcase
    end
    if (take_header) begin
      first_q <= 1'b1;
      next_group_q <= word_i[`LAC_CHANNEL_NEXT_GROUP];
    end
    if (take_list) begin
      first_q <= 1'b0;
      held_q <= word_i;
      held_end_q <= word_ends;
      held_empty_q <= word_starts_with_end;
      held_first_q <= first_q;
      held_next_group_q <= next_group_q;
    end
    if (list_ends) begin  // a copy is a list of its own, of the same group
      first_q <= 1'b1;
      next_group_q <= 1'b0;
    end
  end

  always @(posedge clk_i) begin
    // An end mark that starts a word belongs to the held word, which leaves with it.
    if (take_list) held_valid_q <= !(word_starts_with_end && !first_q);
    else if (held_goes) held_valid_q <= 1'b0;

    // Words of a run, or copies of a list.
    if (take_header) words_left_q <= header_words;
    else if (take_vector || list_ends) words_left_q <= words_left_q - 9'd1;

    if (desc_taken_i) desc_valid_q <= 1'b0;
    case (state_q)
      DESCRIPTOR: if (take_desc) begin
        desc_word_q <= desc_word_q + 2'd1;
        if (desc_word_q == 2'd0 && kind != KIND_LAYER) begin
          desc_word_q <= 2'd0;
          state_q <= kind == KIND_END ? END : ERROR;
        end
        if (desc_word_q == 2'd3) begin
          desc_valid_q <= 1'b1;
          tap_word_q <= 5'd0;
          channels_left_q <= desc_o[`LAC_LAYER_N_OUT];
          state_q <= TAPS;
        end
      end
      TAPS: if (take_tap) begin
        tap_word_q <= tap_word_q + 5'd1;
        if ({tap_word_q, 1'b0} + 7'd2 >= n_taps) begin
          state_q <= HEADER;
          if (TABLE != 0 && desc_o[`LAC_LAYER_TABLE]) begin
            state_q <= LOAD;
            tap_word_q <= 5'd0;
          end
        end
      end
      LOAD: if (TABLE == 0) begin
        state_q <= ERROR;
      end else if (word_valid_i) begin
        table_half_q <= !table_half_q;
        if (table_half_q) tap_word_q <= tap_word_q + 5'd1;
        if (table_half_q && tap_word_q == 5'd31) begin
          state_q <= HEADER;
          table_bank_q <= !table_bank_q;
        end
      end
      HEADER: if (take_header) begin
        state_q <= !is_vector ? LIST : header_words != 9'd0 ? VECTOR : HEADER;
        if (is_vector && !counts_only) channels_left_q <= channels_left_q - 16'd1;
      end
      VECTOR: if (take_vector) begin
        if (words_left_q == 9'd1) state_q <= channels_left_q == 16'd0 ? DESCRIPTOR : HEADER;
      end
      LIST: if (channel_ends) begin
        channels_left_q <= channels_left_q - 16'd1;
        state_q <= channels_left_q == 16'd1 ? DESCRIPTOR : HEADER;
      end
      END: if (drained_i) state_q <= DESCRIPTOR;
      default: state_q <= ERROR;
    endcase

    if (!rst_ni) begin
      state_q <= DESCRIPTOR;
      desc_word_q <= 2'd0;
      desc_valid_q <= 1'b0;
      held_valid_q <= 1'b0;
      table_half_q <= 1'b0;
      table_bank_q <= 1'b0;
    end
  end

  wire unused_ok = &{1'b0, desc_o, pairs, nibbles, bytes, halves};
endmodule

`default_nettype wire
