// Requantises one accumulator a cycle to an activation code, by the law of numbers (hls/include/lac_num.h):
//
//   y = clamp(((acc + bias) * m + (1 << (s - 1))) >> s, lo, hi) + zero        >> is floor: a half rounds up
//
// Made small by two identities. floor((p + 2^(s-1)) / 2^s) = (floor(p / 2^(s-1)) + 1) >> 1, so rounding is one
// narrow increment after the shift; and the shift by s-1 = 16a + 4b + c goes coarse to fine, keeping at each
// step only the bits that can still reach the 9-bit clamp, with one sticky flag for "too big".
//
// stream  one value a cycle, latency 6; valid_i travels along as valid_o
// range   |acc + bias| < 2^31; s in [1, 46]; lo, hi, zero hold while any value is inside
// proved  equal to lac_requantize on directed corners and random values (tests/cosim)
`default_nettype none

module requantize (
    input  wire               clk_i,
    input  wire               rst_ni,
    input  wire               valid_i,
    input  wire signed [31:0] acc_i,
    input  wire signed [31:0] bias_i,
    input  wire        [15:0] m_i,
    input  wire         [5:0] s_i,
    input  wire signed  [8:0] lo_i,
    input  wire signed  [8:0] hi_i,
    input  wire signed  [8:0] zero_i,
    output wire               valid_o,
    output wire         [7:0] code_o
);
  reg [5:0] valid_q;

  reg signed [31:0] sum_q;
  reg        [15:0] m_q;
  reg         [5:0] shift_1_q, shift_2_q, shift_3_q;
  reg signed [48:0] product_q, product_2_q;
  reg        [26:0] coarse_q;   // {too big, value}
  reg         [3:0] shift_4_q;
  reg               sign_q, sign_2_q;
  reg        [15:0] rounded_q;  // {too big, value}
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

  // Shift by 4b, of which 14 bits are kept, then by c; round.
  function [15:0] round;
    input [26:0] value;
    input [3:0] shift;
    reg signed [25:0] by_fours;
    reg signed [13:0] fine;
    reg signed [14:0] halves;
    begin
      by_fours = $signed(value[25:0]) >>> {shift[3:2], 2'b00};
      fine = $signed(by_fours[13:0]) >>> shift[1:0];
`ifdef LAC_FAULT_ROUNDING
      halves = {fine[13], fine};  // a deliberate fault, for the tests that must notice it
`else
      halves = $signed({fine[13], fine}) + 15'sd1;
`endif
      round = {value[26] || by_fours[25:13] != {13{by_fours[13]}}, halves >>> 1};
    end
  endfunction

  function [7:0] clamp;
    input [15:0] value;
    input sign;
    input signed [8:0] lo, hi;
    input [7:0] zero;
    reg signed [14:0] y;
    reg low, high;
    reg [7:0] bounded;
    begin
      y = value[14:0];
      low = value[15] ? sign : y < $signed({{6{lo[8]}}, lo});
      high = value[15] ? !sign : y > $signed({{6{hi[8]}}, hi});
      bounded = low ? lo[7:0] : high ? hi[7:0] : y[7:0];
      clamp = bounded + zero;
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
      coarse_q <= coarse(product_2_q, shift_3_q[5:4]);
      shift_4_q <= shift_3_q[3:0];
      sign_q <= product_2_q[48];
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
