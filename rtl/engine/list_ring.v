// Decoded entries in a ring: one channel is read again and again while the next ones are written behind it.
//
// next_i consumes the entry that entry_o shows; with rewind_i the channel starts over; with done_i it is
// finished and the next begins. During the last pass over a channel (last_pass_i) its entries are freed one by
// one, so that a channel read only once, and every list of a streamed layer, may be longer than the ring.
//
// stream  one entry in and one out a cycle; an entry can be consumed two cycles after it was pushed
// units   WORDS entries of WIDTH bits
`default_nettype none

module list_ring #(
    parameter WIDTH = 41,
    parameter WORDS = 2048
) (
    input  wire             clk_i,
    input  wire             rst_ni,
    input  wire             push_i,
    output wire             ready_o,
    input  wire [WIDTH-1:0] entry_i,
    output wire             valid_o,
    output wire [WIDTH-1:0] entry_o,
    input  wire             next_i,       // only while valid_o
    input  wire             rewind_i,     // with next_i
    input  wire             done_i,       // with next_i
    input  wire             last_pass_i
);
  localparam ADDR_BITS = $clog2(WORDS);
  localparam integer LAST_WORD = WORDS - 1;
  localparam [ADDR_BITS-1:0] LAST = LAST_WORD[ADDR_BITS-1:0];

  // The upper bit counts rounds, so that full and empty differ.
  reg [ADDR_BITS:0] write_q, read_q, start_q;
  reg               valid_q;

  localparam WRAPS = (1 << ADDR_BITS) == WORDS;  // by itself
  wire [ADDR_BITS:0] write_next =
      !WRAPS && write_q[ADDR_BITS-1:0] == LAST ? {~write_q[ADDR_BITS], {ADDR_BITS{1'b0}}} : write_q + 1'b1;
  wire [ADDR_BITS:0] read_next =
      !WRAPS && read_q[ADDR_BITS-1:0] == LAST ? {~read_q[ADDR_BITS], {ADDR_BITS{1'b0}}} : read_q + 1'b1;
  wire [ADDR_BITS:0] want = !next_i ? read_q : rewind_i ? start_q : read_next;
  wire [ADDR_BITS:0] oldest = last_pass_i ? read_q : start_q;
  wire               fetch = next_i || !valid_q;
  wire               push = push_i && ready_o;

  assign ready_o = write_q != {~oldest[ADDR_BITS], oldest[ADDR_BITS-1:0]};
  assign valid_o = valid_q;

  ram_1r1w #(
      .WIDTH(WIDTH),
      .DEPTH(WORDS)
  ) u_entries (
      .clk_i  (clk_i),
      .ren_i  (fetch),
      .raddr_i(want[ADDR_BITS-1:0]),
      .rdata_o(entry_o),
      .wen_i  (push),
      .waddr_i(write_q[ADDR_BITS-1:0]),
      .wdata_i(entry_i)
  );

  always @(posedge clk_i) begin
    if (push) write_q <= write_next;
    if (fetch) begin
      read_q <= want;
      valid_q <= want != write_q;
    end
    if (next_i && done_i) start_q <= read_next;
    if (!rst_ni) begin
      write_q <= 0;
      read_q <= 0;
      start_q <= 0;
      valid_q <= 1'b0;
    end
  end
endmodule

`default_nettype wire
