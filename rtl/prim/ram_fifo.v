// First in, first out, in block memory: what is pushed can be seen at the head two cycles later.
//
// stream  one push and one pop a cycle; ready_o does not depend on pop_i, so no path runs through the queue
// units   WIDTH bits, 2**DEPTH_LOG2 words
`default_nettype none

module ram_fifo #(
    parameter WIDTH = 64,
    parameter DEPTH_LOG2 = 8
) (
    input  wire             clk_i,
    input  wire             rst_ni,
    input  wire             push_i,
    output wire             ready_o,  // there is room; a push without it is lost
    input  wire [WIDTH-1:0] data_i,
    output wire             valid_o,
    input  wire             pop_i,    // only while valid_o
    output wire [WIDTH-1:0] data_o
);
  // The upper bit counts rounds, so that full and empty differ.
  reg [DEPTH_LOG2:0] write_q, read_q;
  reg                valid_q;

  wire [DEPTH_LOG2:0] want = pop_i ? read_q + 1'b1 : read_q;
  wire                fetch = pop_i || !valid_q;
  wire                push = push_i && ready_o;

  assign ready_o = write_q != {~read_q[DEPTH_LOG2], read_q[DEPTH_LOG2-1:0]};
  assign valid_o = valid_q;

  // In slices of 32 bits: small block memories, the only ones that Yosys 0.23 can optimize around.
  genvar i;
  generate
    for (i = 0; i < WIDTH; i = i + 32) begin : gen_slice
      localparam BITS = WIDTH - i < 32 ? WIDTH - i : 32;
      ram_1r1w #(
          .WIDTH(BITS),
          .DEPTH(1 << DEPTH_LOG2)
      ) u_words (
          .clk_i  (clk_i),
          .ren_i  (fetch),
          .raddr_i(want[DEPTH_LOG2-1:0]),
          .rdata_o(data_o[i+:BITS]),
          .wen_i  (push),
          .waddr_i(write_q[DEPTH_LOG2-1:0]),
          .wdata_i(data_i[i+:BITS])
      );
    end
  endgenerate

  always @(posedge clk_i) begin
    if (push) write_q <= write_q + 1'b1;
    if (fetch) begin
      read_q <= want;
      valid_q <= want != write_q;
    end
    if (!rst_ni) begin
      write_q <= 0;
      read_q <= 0;
      valid_q <= 1'b0;
    end
  end
endmodule

`default_nettype wire
