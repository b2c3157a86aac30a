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

  // Coarse: 26 bits are 11 that matter and 15 that the finer steps may still drop.
  reg signed [25:0] coarse;
  reg               coarse_over;
  reg signed [25:0] coarse_q;
  reg         [3:0] shift_4_q;
  reg               over_q, sign_q;

  // Fine: 14 bits hold the 11 that matter after the last step of at most 3.
  wire signed [25:0] by_fours  = coarse_q >>> {shift_4_q[3:2], 2'b00};
  wire               fine_over = by_fours[25:13] != {13{by_fours[13]}};
  wire signed [13:0] fine      = $signed(by_fours[13:0]) >>> shift_4_q[1:0];
`ifdef LAC_FAULT_ROUNDING
  wire signed [14:0] rounded   = $signed({fine[13], fine}) >>> 1;  // a deliberate fault, for the test that must catch it
`else
  wire signed [14:0] rounded   = ($signed({fine[13], fine}) + 15'sd1) >>> 1;
`endif
  reg  signed [14:0] rounded_q;
  reg                fine_over_q, fine_sign_q;

  wire low_clamp  = fine_over_q ? fine_sign_q : rounded_q < $signed({{6{lo_i[8]}}, lo_i});
  wire high_clamp = fine_over_q ? !fine_sign_q : rounded_q > $signed({{6{hi_i[8]}}, hi_i});
  wire [8:0] clamped = low_clamp ? lo_i : high_clamp ? hi_i : rounded_q[8:0];
  wire [8:0] shifted = clamped + zero_i;
  reg  [7:0] code_q;

  always @* begin
    case (shift_3_q[5:4])
      2'd0: begin
        coarse = product_2_q[25:0];
        coarse_over = product_2_q[48:25] != {24{product_2_q[48]}};
      end
      2'd1: begin
        coarse = product_2_q[41:16];
        coarse_over = product_2_q[48:41] != {8{product_2_q[48]}};
      end
      default: begin
        coarse = {{9{product_2_q[48]}}, product_2_q[48:32]};
        coarse_over = 1'b0;
      end
    endcase
  end

  always @(posedge clk_i) begin
    valid_q <= {valid_q[4:0], valid_i};
    if (valid_i) begin
      sum_q <= acc_i + bias_i;
      m_q <= m_i;
      shift_1_q <= s_i - 6'd1;
    end
    if (valid_q[0]) begin
      product_q <= sum_q * $signed({1'b0, m_q});
      shift_2_q <= shift_1_q;
    end
    if (valid_q[1]) begin
      product_2_q <= product_q;
      shift_3_q <= shift_2_q;
    end
    if (valid_q[2]) begin
      coarse_q <= coarse;
      over_q <= coarse_over;
      sign_q <= product_2_q[48];
      shift_4_q <= shift_3_q[3:0];
    end
    if (valid_q[3]) begin
      rounded_q <= rounded;
      fine_over_q <= over_q || fine_over;
      fine_sign_q <= sign_q;
    end
    if (valid_q[4]) code_q <= shifted[7:0];
    if (!rst_ni) valid_q <= 6'd0;
  end

  assign valid_o = valid_q[5];
  assign code_o = code_q;

  wire unused_ok = &{1'b0, shifted[8]};
endmodule

`default_nettype wire
