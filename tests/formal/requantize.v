  reg f_past = 1'b0;
  reg [5:0] f_inside = 6'd0;  // values in the pipeline: no stage shows anything of the time before
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);
  // lo, hi and zero hold while any value is inside, and fit the code.
  (* anyconst *) reg signed [8:0] f_lo;
  (* anyconst *) reg signed [8:0] f_hi;
  (* anyconst *) reg signed [8:0] f_zero;
  always @* begin
    assume (lo_i == f_lo && hi_i == f_hi && zero_i == f_zero && f_lo <= f_hi);
    assume (s_i >= 6'd1 && s_i <= 6'd46);
    assume ((acc_i[31] != bias_i[31]) || (acc_i + bias_i) >> 31 == {31'd0, acc_i[31]});
  end
  // The law, on the product and the shift that belong to it.
  reg signed [31:0] f_sum;
  reg        [15:0] f_m;
  reg         [5:0] f_s_1, f_s_2, f_s_3, f_s_4, f_s_5;
  reg signed [48:0] f_p_3, f_p_4, f_p_5;
  reg         [5:0] f_valid = 6'd0;
  always @(posedge clk_i) begin
    f_valid <= rst_ni ? {f_valid[4:0], valid_i} : 6'd0;
    f_s_5 <= f_s_4;
    f_s_4 <= f_s_3;
    f_s_3 <= f_s_2;
    f_s_2 <= f_s_1;
    f_s_1 <= s_i;
    f_p_5 <= f_p_4;
    f_p_4 <= f_p_3;
    f_p_3 <= product_2_q;
    f_sum <= acc_i + bias_i;
    f_m <= m_i;
  end
  wire signed [63:0] f_wide = f_p_5;
  wire signed [63:0] f_rounded = (f_wide + (64'sd1 <<< (f_s_out - 6'd1))) >>> f_s_out;
  reg [5:0] f_s_out;
  always @(posedge clk_i) f_s_out <= f_s_5;
  wire signed [63:0] f_clamped = f_rounded < f_lo ? f_lo : f_rounded > f_hi ? f_hi : f_rounded;
  wire        [63:0] f_code = f_clamped + f_zero;
  reg signed [48:0] f_product_of_last;
  always @(posedge clk_i) f_product_of_last <= sum_q * $signed({1'b0, m_q});
  always @* if (f_past) begin
    valid_travels_along: assert (valid_q == f_valid);
    if (f_valid[0]) begin
      the_sum_is_of_the_last_cycle: assert (sum_q == f_sum && m_q == f_m && shift_1_q == f_s_1 - 6'd1);
    end
    if (f_valid[1]) the_product_is_of_the_last_cycle: assert (product_q == f_product_of_last && shift_2_q == f_s_2 - 6'd1);
    if (f_valid[2]) the_shift_goes_along: assert (shift_3_q == f_s_3 - 6'd1);
    if (f_valid[5]) the_code_is_the_law_of_the_product: assert (code_o == f_code[7:0]);
    a_code: cover (f_valid[5] && code_o == 8'd77 && f_s_out == 6'd17);
  end
