// Requantises one accumulator a cycle to an activation code, by the law of numbers (hls/include/lac_num.h):
//
//   y = clamp(((acc + bias) * m + (1 << (s - 1))) >> s, lo, hi) + zero        >> is floor: a half rounds up
//
// Made small by two identities. floor((p + 2^(s-1)) / 2^s) = (floor(p / 2^(s-1)) + 1) >> 1, so rounding is one
// narrow increment after the shift; and the shift by s-1 = 16a + 4b + c goes coarse to fine, keeping at each
// step only the bits that can still reach the 9-bit clamp, with one sticky flag for "too big": what does not fit
// 10 bits before the increment is at or beyond the bounds after it.
//
// stream  one value a cycle, latency 6; valid_i travels along as valid_o
// range   acc + bias fits SUM_BITS, which acc and bias alone need not: they count modulo 2^SUM_BITS; s in [1, 46]; lo, hi, zero hold while any value is inside
// proved  equal to lac_requantize on directed corners and random values (tests/cosim)
`default_nettype none

module requantize #(
    parameter SUM_BITS = 32
) (
    input  wire               clk_i,
    input  wire               rst_ni,
    input  wire               valid_i,
    input  wire signed [SUM_BITS-1:0] acc_i,
    input  wire signed [SUM_BITS-1:0] bias_i,
    input  wire        [15:0] m_i,
    input  wire         [5:0] s_i,
    input  wire signed  [8:0] lo_i,
    input  wire signed  [8:0] hi_i,
    input  wire signed  [8:0] zero_i,
    output wire               valid_o,
    output wire         [7:0] code_o
);
  reg [5:0] valid_q;

  localparam PRODUCT_BITS = SUM_BITS + 17;
  reg signed [SUM_BITS-1:0] sum_q;
  reg        [15:0] m_q;
  reg         [5:0] shift_1_q, shift_2_q, shift_3_q;
  reg signed [PRODUCT_BITS-1:0] product_q, product_2_q;
  reg        [26:0] coarse_q;   // {too big, value}
  reg         [3:0] shift_4_q;
  reg               sign_q, sign_2_q;
  reg        [10:0] rounded_q;  // {too big, value}
  reg         [7:0] code_q;

  // The steps are functions, called where their valid bit is set: a simulator then skips them in idle cycles.

  // Shift by 16a: 26 bits are the 11 that matter and 15 that the finer steps may still drop.
  function [26:0] coarse;
    input [48:0] product;
    input [1:0] a;
    case (a)
      2'd0: coarse = {product[48:25] != {24{product[48]}}, product[25:0]};
      2'd1: coarse = {product[48:41] != {8{product[48]}}, product[41:16]};
      default: coarse = {1'b0, {9{product[48]}}, product[48:32]};
    endcase
  endfunction

  // Shift by 4b, of which 13 bits are kept and 10 wanted, then by c; round. What a shift would bring down beyond the
  // wanted bits must equal the sign.
  function [10:0] round;
    input [26:0] value;
    input [3:0] shift;
    reg [24:9] differs;
    // "Bits of signal are not used": those of the sign, and what the last shift drops.
    // verilator lint_off UNUSEDSIGNAL
    reg [25:0] by_fours;
    reg signed [12:0] fine;
    reg [10:0] halves;
    // verilator lint_on UNUSEDSIGNAL
    reg big_4, big_1;
    begin
      differs[24:13] = value[24:13] ^ {12{value[25]}};
      big_4 = (shift[3:2] == 2'd0 && differs[16:13] != 4'd0) || (!shift[3] && differs[20:17] != 4'd0) ||
              (shift[3:2] != 2'd3 && differs[24:21] != 4'd0);
      by_fours = $signed(value[25:0]) >>> {shift[3:2], 2'b00};
      differs[12:9] = by_fours[12:9] ^ {4{value[25]}};
      big_1 = differs[12] || (shift[1:0] != 2'd3 && differs[11]) || (!shift[1] && differs[10]) ||
              (shift[1:0] == 2'd0 && differs[9]);
      fine = $signed(by_fours[12:0]) >>> shift[1:0];
`ifdef LAC_FAULT_ROUNDING
      halves = {fine[9], fine[9:0]};  // a deliberate fault, for the tests that must notice it
`else
      halves = {fine[9], fine[9:0]} + 11'd1;
`endif
      round = {value[26] || big_4 || big_1, halves[10:1]};
    end
  endfunction

  function [7:0] clamp;
    input [10:0] value;
    input sign;
    input signed [8:0] lo, hi;
    input [7:0] zero;
    reg signed [9:0] y;
    reg low, high;
    reg [7:0] bounded;
    begin
      y = value[9:0];
      low = value[10] ? sign : y < $signed({lo[8], lo});
      high = value[10] ? !sign : y > $signed({hi[8], hi});
      bounded = low ? lo[7:0] : high ? hi[7:0] : y[7:0];
      clamp = zero + bounded;
    end
  endfunction

  // Last step first: a simulator then needs no copies of what the steps before overwrite.
  always @(posedge clk_i) begin
    if (valid_q[4]) code_q <= clamp(rounded_q, sign_2_q, lo_i, hi_i, zero_i[7:0]);
    if (valid_q[3]) begin
      rounded_q <= round(coarse_q, shift_4_q);
      sign_2_q <= sign_q;
    end
    if (valid_q[2]) begin
      coarse_q <= coarse({{(50 - PRODUCT_BITS) {product_2_q[PRODUCT_BITS-1]}}, product_2_q[PRODUCT_BITS-2:0]}, shift_3_q[5:4]);
      shift_4_q <= shift_3_q[3:0];
      sign_q <= product_2_q[PRODUCT_BITS-1];
    end
    if (valid_q[1]) begin
      product_2_q <= product_q;
      shift_3_q <= shift_2_q;
    end
    if (valid_q[0]) begin
      product_q <= sum_q * $signed({1'b0, m_q});
      shift_2_q <= shift_1_q;
    end
    if (valid_i) begin
      sum_q <= acc_i + bias_i;
      m_q <= m_i;
      shift_1_q <= s_i - 6'd1;
    end
    valid_q <= {valid_q[4:0], valid_i};
    if (!rst_ni) valid_q <= 6'd0;
  end

  assign valid_o = valid_q[5];
  assign code_o = code_q;

  wire unused_ok = &{1'b0, zero_i[8]};  // lo + zero and hi + zero fit the code
endmodule

`default_nettype wire
