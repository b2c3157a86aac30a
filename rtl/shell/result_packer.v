// Packs 32-bit results into beats, lowest first. After flush_i it adds words until 64 bytes are full.
//
// stream  one result a cycle while the queue behind has room
// units   beats of DATA_BITS
`default_nettype none

module result_packer #(
    parameter DATA_BITS = 64
) (
    input  wire                 clk_i,
    input  wire                 rst_ni,
    input  wire                 valid_i,
    output wire                 ready_o,
    input  wire          [31:0] data_i,
    input  wire                 flush_i,   // held until even_o
    output wire                 even_o,    // a multiple of 64 bytes was packed
    output wire                 push_o,
    input  wire                 room_i,
    output wire [DATA_BITS-1:0] beat_o
);
  localparam PLACE_BITS = $clog2(DATA_BITS / 32);

  reg           [3:0] place_q;
  reg [DATA_BITS-33:0] earlier_q;
  wire [DATA_BITS-1:0] beat = {data_i, earlier_q};
  wire                 take = room_i && (valid_i || (flush_i && !even_o));

  assign ready_o = room_i;
  assign even_o = place_q == 4'd0;
  assign push_o = take && (&place_q[PLACE_BITS-1:0]);
  assign beat_o = beat;

  always @(posedge clk_i) begin
    if (take) begin
      place_q <= place_q + 4'd1;
      earlier_q <= beat[DATA_BITS-1:32];
    end
    if (!rst_ni) place_q <= 4'd0;
  end
endmodule

`default_nettype wire
