  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);
  // Digits are -2 .. 2; a plane never starts with the list's first entry.
  always @* begin
    assume (weight_i[2:0] == 3'd0 || weight_i[2:0] == 3'd1 || weight_i[2:0] == 3'd2 || weight_i[2:0] == 3'd7 ||
            weight_i[2:0] == 3'd6);
    if (valid_i) assume (!(first_i && weight_i[3]));
  end
  // One entry of the list is followed: it comes at most once a plane, always with the same code.
  (* anyseq *) wire f_mine;
  (* anyconst *) reg signed [2:0] f_code;
  (* anyconst *) reg f_signed;
  always @* assume (act_signed_i == f_signed);
  reg [3:0] f_mines;
  reg [3:0] f_weight_1, f_weight_2, f_weight_3, f_weight_4;
  reg [3:0] f_valid = 4'd0;
  reg [3:0] f_first;
  reg signed [2:0] f_now;  // the code of the product
  wire signed [2:0] f_read = {act_signed_i & y_row_q[0][1], y_row_q[0]};
  always @* if (f_valid[2] && f_mines[2]) assume (f_read == f_code);
  always @(posedge clk_i) begin
    f_mines <= {f_mines[2:0], f_mine};
    f_valid <= rst_ni ? {f_valid[2:0], valid_i} : 4'd0;
    f_first <= {f_first[2:0], first_i};
    f_weight_1 <= weight_i;
    f_weight_2 <= f_weight_1;
    f_weight_3 <= f_weight_2;
    f_weight_4 <= f_weight_3;
    f_now <= f_read;
  end
  // The sum of the others, and the weight of the followed entry as its digits tell.
  wire signed [2:0] f_digit = f_weight_4[2:0];
  reg signed [9:0] f_rest, f_mine_sum;
  reg signed [9:0] f_weight;
  reg f_begun = 1'b0;  // a list has begun
  function signed [9:0] f_step;
    input signed [9:0] sum;
    input first, times_4;
    f_step = first ? 10'sd0 : times_4 ? sum <<< 2 : sum;
  endfunction
  function signed [9:0] f_times;
    input signed [2:0] digit;
    input signed [2:0] code;
    f_times = digit * code;
  endfunction
  wire signed [9:0] f_weight_from = f_first[3] ? 10'sd0 : f_weight_4[3] ? f_weight <<< 2 : f_weight;
  always @(posedge clk_i) begin
    if (f_valid[3]) begin
      f_begun <= f_begun || f_first[3];
      f_rest <= f_step(f_rest, f_first[3], f_weight_4[3]) + (f_mines[3] ? 10'sd0 : f_times(f_digit, f_now));
      f_mine_sum <= f_step(f_mine_sum, f_first[3], f_weight_4[3]) + (f_mines[3] ? f_times(f_digit, f_code) : 10'sd0);
      f_weight <= f_weight_from + (f_mines[3] ? f_digit : 10'sd0);
    end
    if (!rst_ni) f_begun <= 1'b0;
  end
  wire signed [9:0] f_product = f_weight * f_code;
  always @* if (f_past && f_begun) begin
    the_accumulator_is_the_sum: assert (acc_q[0] == f_rest + f_mine_sum);
    the_digits_are_the_weight: assert (f_mine_sum == f_product);
    a_weight_of_minus_5: cover (f_weight == -10'sd5 && f_code == 3'sd3 && acc_q[0] == -10'sd17);
  end
