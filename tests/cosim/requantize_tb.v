// Feeds requantize.v from a file of vectors, with and without bubbles, and counts the codes that differ.
//
// A vector is acc, bias, m, s, lo, hi, zero and the code that lac_requantize gives, in hex, 144 bits wide.
// lo, hi and zero may change between vectors only while none is inside, so the bench waits when they do.
`default_nettype none
`timescale 1ns / 1ns

module requantize_tb;
  parameter N = 1;
  reg [143:0] vectors [0:N-1];
  reg [8*256-1:0] path;
  reg         clk = 1'b0;
  reg         rst_n = 1'b0;
  reg         valid = 1'b0;
  reg [143:0] now;
  reg   [7:0] expected [0:15];
  reg   [3:0] put = 4'd0, get = 4'd0;
  reg  [31:0] noise = 32'h2545f491;
  integer     n = 0, wrong = 0, checked = 0;
  wire        out_valid;
  wire  [7:0] code;

  always #1 clk = !clk;

  requantize dut (
      .clk_i  (clk),
      .rst_ni (rst_n),
      .valid_i(valid),
      .acc_i  (now[31:0]),
      .bias_i (now[63:32]),
      .m_i    (now[79:64]),
      .s_i    (now[85:80]),
      .lo_i   (now[96:88]),
      .hi_i   (now[112:104]),
      .zero_i (now[128:120]),
      .valid_o(out_valid),
      .code_o (code)
  );

  task wait_for_edge;
    begin
      @(posedge clk);
      if (out_valid) begin
        if (code !== expected[get]) wrong = wrong + 1;
        checked = checked + 1;
        get = get + 4'd1;
      end
      #1;
    end
  endtask

  task drain;
    begin
      valid = 1'b0;
      repeat (8) wait_for_edge;
    end
  endtask

  initial begin
    if (!$value$plusargs("vectors=%s", path)) $finish;
    $readmemh(path, vectors);
    now = vectors[0];
    repeat (4) @(posedge clk);
    #1 rst_n = 1'b1;
    for (n = 0; n < N; n = n + 1) begin
      if (now[135:88] !== vectors[n][135:88]) drain;
      noise = {noise[30:0], noise[31] ^ noise[21] ^ noise[1] ^ noise[0]};
      if (noise[1:0] == 2'd0) begin
        valid = 1'b0;
        wait_for_edge;
      end
      now = vectors[n];
      valid = 1'b1;
      expected[put] = now[143:136];
      put = put + 4'd1;
      wait_for_edge;
    end
    drain;
    $display("%0d checked, %0d wrong", checked, wrong);
    $finish;
  end
endmodule
