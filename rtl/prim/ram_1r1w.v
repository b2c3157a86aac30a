// Memory with one synchronous read port and one write port.
//
//   q = mem[raddr] one cycle after ren_i; without ren_i, rdata_o holds
//   a read of the word that is written in the same cycle gives the old or the new word: do not rely on either
//
// stream  one read and one write a cycle, latency 1
// units   WIDTH bits, DEPTH words
`default_nettype none

module ram_1r1w #(
    parameter WIDTH = 8,
    parameter DEPTH = 64,
    parameter ADDR_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  wire                 clk_i,
    input  wire                 ren_i,
    input  wire [ADDR_BITS-1:0] raddr_i,
    output wire [WIDTH-1:0]     rdata_o,
    input  wire                 wen_i,
    input  wire [ADDR_BITS-1:0] waddr_i,
    input  wire [WIDTH-1:0]     wdata_i
);
  (* ram_style = "block" *) reg [WIDTH-1:0] mem [0:DEPTH-1];
  reg [WIDTH-1:0] rdata_q;

  always @(posedge clk_i) begin
    if (wen_i) mem[waddr_i] <= wdata_i;
    if (ren_i) rdata_q <= mem[raddr_i];
  end

  assign rdata_o = rdata_q;
endmodule

`default_nettype wire
