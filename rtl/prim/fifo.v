// First in, first out, in memory that is read without a clock: what is pushed can be seen at the head one cycle later.
//
// stream  one push and one pop a cycle; ready_o does not depend on pop_i, so no path runs through the queue
// units   WIDTH bits, 2**DEPTH_LOG2 words
`default_nettype none

module fifo #(
    parameter WIDTH = 32,
    parameter DEPTH_LOG2 = 4
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
  reg [WIDTH-1:0] mem [0:(1 << DEPTH_LOG2)-1];
  reg [DEPTH_LOG2:0] head_q, tail_q;

  assign valid_o = head_q != tail_q;
  assign ready_o = head_q != {~tail_q[DEPTH_LOG2], tail_q[DEPTH_LOG2-1:0]};
  assign data_o  = mem[head_q[DEPTH_LOG2-1:0]];

  always @(posedge clk_i) begin
    if (push_i && ready_o) begin
      mem[tail_q[DEPTH_LOG2-1:0]] <= data_i;
      tail_q <= tail_q + 1'b1;
    end
    if (pop_i) head_q <= head_q + 1'b1;
    if (!rst_ni) begin
      head_q <= 0;
      tail_q <= 0;
    end
  end
endmodule

`default_nettype wire
