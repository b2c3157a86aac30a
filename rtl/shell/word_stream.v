// Cuts beats into 64-bit words, lowest first; after the last word of a run, the rest of its beat is dropped.
//
// stream  one word a cycle
// units   beats of DATA_BITS
`default_nettype none

module word_stream #(
    parameter DATA_BITS = 64
) (
    input  wire                 clk_i,
    input  wire                 rst_ni,
    input  wire                 beat_valid_i,
    output wire                 beat_pop_o,
    input  wire [DATA_BITS-1:0] beat_i,
    output wire                 valid_o,
    input  wire                 take_i,      // only while valid_o
    input  wire                 last_i,      // with take_i: last word of a run
    output wire          [63:0] word_o
);
  assign valid_o = beat_valid_i;
  generate
    if (DATA_BITS == 64) begin : gen_narrow
      assign word_o = beat_i;
      assign beat_pop_o = take_i;
      wire unused_ok = &{1'b0, clk_i, rst_ni, last_i};
    end else begin : gen_wide
      localparam PLACE_BITS = $clog2(DATA_BITS / 64);
      reg [PLACE_BITS-1:0] place_q;
      assign word_o = beat_i[64*place_q+:64];
      assign beat_pop_o = take_i && (last_i || (&place_q));
      always @(posedge clk_i) begin
        if (take_i) place_q <= last_i ? {PLACE_BITS{1'b0}} : place_q + 1'b1;
        if (!rst_ni) place_q <= {PLACE_BITS{1'b0}};
      end
    end
  endgenerate
endmodule

`default_nettype wire
