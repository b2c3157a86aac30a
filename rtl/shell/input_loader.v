// Writes the input of a run into the activation memory: cuts beats into groups of DRAIN codes, one byte each.
//
// A group takes the next power of two of DRAIN bytes; the beats of a run are padded to 64 bytes, and what is behind the
// last group is dropped.
//
// stream  one group a cycle, as long as beats come
// units   activation words of GROUPS groups
`default_nettype none

module input_loader #(
    parameter DATA_BITS = 64,
    parameter DRAIN = 7,
    parameter GROUPS = 7,
    parameter WORD_BITS = 17
) (
    input  wire                 clk_i,
    input  wire                 rst_ni,
    input  wire                 start_i,
    output wire                 busy_o,
    input  wire          [15:0] base_i,
    input  wire [WORD_BITS-1:0] words_i,       // at least 1
    input  wire                 beat_valid_i,
    output wire                 beat_pop_o,
    input  wire [DATA_BITS-1:0] beat_i,
    output wire                 load_valid_o,
    output wire          [15:0] load_addr_o,
    output wire          [15:0] load_group_o,
    output wire [8*DRAIN-1:0]   load_data_o
);
  localparam GROUP_LOG2 = DRAIN > 1 ? $clog2(DRAIN) : 0;
  localparam GROUP_BITS = 8 << GROUP_LOG2;
  localparam BEATS_OF_64 = 512 / DATA_BITS;
  localparam PAD_BITS = BEATS_OF_64 > 1 ? $clog2(BEATS_OF_64) : 1;
  localparam integer LAST_BEAT_OF_64 = BEATS_OF_64 - 1;
  localparam COUNT_BITS = GROUPS > 1 ? $clog2(GROUPS) : 1;
  localparam integer GROUPS_LESS_1 = GROUPS - 1;

  reg                  loading_q, padding_q;
  reg           [15:0] addr_q;
  reg  [WORD_BITS-1:0] left_q;
  reg [COUNT_BITS-1:0] group_q;
  reg   [PAD_BITS-1:0] pad_q;
  wire                 group_there, beat_spent;
  wire                 load = loading_q && group_there;
  wire                 word_ends = group_q == GROUPS_LESS_1[COUNT_BITS-1:0];
  wire                 run_ends = load && word_ends && left_q == 1;
  wire                 pad_ends = pad_q == LAST_BEAT_OF_64[PAD_BITS-1:0];

  generate
    if (GROUP_BITS < DATA_BITS) begin : gen_many_a_beat
      localparam PLACE_BITS = $clog2(DATA_BITS / GROUP_BITS);
      reg [PLACE_BITS-1:0] place_q;
      assign load_data_o = beat_i[GROUP_BITS*place_q+:8*DRAIN];
      assign group_there = beat_valid_i;
      assign beat_spent = load && (&place_q || run_ends);
      always @(posedge clk_i) begin
        if (load) place_q <= run_ends ? {PLACE_BITS{1'b0}} : place_q + 1'b1;
        if (!rst_ni) place_q <= {PLACE_BITS{1'b0}};
      end
    end else if (GROUP_BITS == DATA_BITS) begin : gen_one_a_beat
      assign load_data_o = beat_i[8*DRAIN-1:0];
      assign group_there = beat_valid_i;
      assign beat_spent = load;
    end else begin : gen_many_beats
      localparam PARTS = GROUP_BITS / DATA_BITS;
      localparam PLACE_BITS = $clog2(PARTS);
      reg           [PLACE_BITS-1:0] place_q;
      reg [GROUP_BITS-DATA_BITS-1:0] earlier_q;
      wire          [GROUP_BITS-1:0] group = {beat_i, earlier_q};
      assign load_data_o = group[8*DRAIN-1:0];
      assign group_there = beat_valid_i && (&place_q);
      assign beat_spent = loading_q && beat_valid_i;
      always @(posedge clk_i) begin
        if (beat_spent) begin
          place_q <= place_q + 1'b1;
          earlier_q <= group[GROUP_BITS-1:DATA_BITS];
        end
        if (!rst_ni) place_q <= {PLACE_BITS{1'b0}};
      end
    end
  endgenerate

  assign beat_pop_o = beat_spent || (padding_q && beat_valid_i);
  assign busy_o = loading_q || padding_q;
  assign load_valid_o = load;
  assign load_addr_o = addr_q;
  assign load_group_o = {{(16 - COUNT_BITS) {1'b0}}, group_q};

  wire unused_ok = &{1'b0, beat_i};  // a group may be wider than its codes

  always @(posedge clk_i) begin
    if (start_i) begin
      loading_q <= 1'b1;
      addr_q <= base_i;
      left_q <= words_i;
    end else if (load) begin
      group_q <= word_ends ? {COUNT_BITS{1'b0}} : group_q + 1'b1;
      if (word_ends) begin
        addr_q <= addr_q + 16'd1;
        left_q <= left_q - 1'b1;
      end
      if (run_ends) loading_q <= 1'b0;
    end
    if (beat_pop_o) pad_q <= pad_ends ? {PAD_BITS{1'b0}} : pad_q + 1'b1;
    if (run_ends && !pad_ends) padding_q <= 1'b1;
    else if (padding_q && beat_pop_o && pad_ends) padding_q <= 1'b0;
    if (!rst_ni) begin
      loading_q <= 1'b0;
      padding_q <= 1'b0;
      group_q <= 0;
      pad_q <= 0;
    end
  end
endmodule

`default_nettype wire
