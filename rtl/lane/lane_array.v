// The mesh: activation memory, neighbour multiplexers, multiply, accumulate, and the drain chain of all lanes.
//
//   MUL    acc[p] = (first ? 0 : acc[p]) + weight * code(lane p + hop, address)     for every lane p at once
//   DIGIT  acc[p] = (first ? 0 : times 4 ? 4 * acc[p] : acc[p]) + digit * code      digit in {-2, -1, 0, 1, 2}
//
// Lane p = ly * MESH_X + lx. A command selects, for each mesh column and row, where the code comes from:
// {a, b} = 00 own lane, 01 the lane before (left, above), 10 the lane after (right, below), 11 the pad code.
// After a command with last_i, all accumulators are copied to the chain (captured_o is high in the first cycle
// in which chain_o shows lanes 0 .. DRAIN-1); shift_i then moves the next DRAIN lanes to chain_o.
//
// stream  one command a cycle, no stall; from command to captured_o 6 cycles
// units   addresses in words of MESH_X * MESH_Y codes; writes in groups of DRAIN lanes
`default_nettype none

module lane_array #(
    parameter MESH_X = 7,
    parameter MESH_Y = 7,
    parameter DRAIN = 7,
    parameter ACC_BITS = 24,
    parameter ACT_WORDS = 4096,
    parameter LANE = 0,                          // 0 MUL in a DSP block, 1 DIGIT, 2 MUL in logic
    parameter ACT_BITS = 8,
    parameter SCALE = 0,                         // 1: weights may be factors from the activation memory; 2: one a lane
    parameter WEIGHT_WIDTH = LANE == 1 ? 4 : 8,  // {times 4, digit}, or the weight
    parameter ADDR_BITS = $clog2(ACT_WORDS)
) (
    input  wire                      clk_i,
    input  wire                      rst_ni,
    // layer constants
    input  wire                      act_signed_i,
    input  wire       [ACT_BITS-1:0] pad_code_i,
    input  wire                      scale_i,         // the first command of a sum loads a factor
    input  wire                      scale_each_i,    // every lane has its own, else all have lane 0's
    input  wire                      scale_signed_i,
    input  wire                [7:0] scale_zero_i,
    // command
    input  wire                      valid_i,
    input  wire      [ADDR_BITS-1:0] addr_i,
    input  wire         [MESH_X-1:0] col_a_i,
    input  wire         [MESH_X-1:0] col_b_i,
    input  wire         [MESH_Y-1:0] row_a_i,
    input  wire         [MESH_Y-1:0] row_b_i,
    input  wire   [WEIGHT_WIDTH-1:0] weight_i,
    input  wire                      first_i,
    input  wire                      last_i,
    // drain chain
    output wire                      captured_o,
    input  wire                      shift_i,
    output wire [ACC_BITS*DRAIN-1:0] chain_o,
    // write port of the activation memory
    input  wire                      write_i,
    input  wire      [ADDR_BITS-1:0] write_addr_i,
    input  wire               [15:0] write_group_i,
    input  wire [ACT_BITS*DRAIN-1:0] write_data_i
);
  localparam LANES = MESH_X * MESH_Y;
  localparam GROUPS = LANES / DRAIN;
  localparam ROW_BITS = ACT_BITS * MESH_X;

  // Commands travel beside the data: *_q[k] belongs to the value that the k-th stage holds.
  reg        [4:0] valid_q, first_q, last_q;
  reg              captured_q;
  reg [WEIGHT_WIDTH-1:0] weight_1_q, weight_2_q;
  reg [ROW_BITS-1:0] mask_a_q, mask_b_q;
  reg [MESH_Y-1:0] row_a_1_q, row_b_1_q, row_a_2_q, row_b_2_q;

  wire [ROW_BITS-1:0] pad_row = {MESH_X{pad_code_i}};

  (* mem2reg *) reg [ROW_BITS-1:0]         x_row_q [0:MESH_Y-1];
  (* mem2reg *) reg [ROW_BITS-1:0]         y_row_q [0:MESH_Y-1];
  (* mem2reg *) reg [ROW_BITS-1:0]         sign_row_q [0:MESH_Y-1];  // the same where codes are signed, else 0
  (* mem2reg *) reg signed [ACC_BITS-1:0]  acc_q [0:LANES-1];
  (* mem2reg *) reg signed [ACC_BITS-1:0]  held_q [0:LANES-1];
  (* mem2reg *) reg signed [ACC_BITS-1:0]  chain_q [0:DRAIN-1];

  always @(posedge clk_i) begin
    valid_q <= {valid_q[3:0], valid_i};
    first_q <= {first_q[3:0], first_i};
    last_q <= {last_q[3:0], last_i && valid_i};
    captured_q <= last_q[4];
    if (!rst_ni) begin
      valid_q <= 5'd0;
      last_q <= 5'd0;
      captured_q <= 1'b0;
    end
  end

  always @(posedge clk_i) begin : controls
    integer x;
    if (valid_i) begin
      for (x = 0; x < MESH_X; x = x + 1) begin
        mask_a_q[ACT_BITS*x+:ACT_BITS] <= {ACT_BITS{col_a_i[x]}};
        mask_b_q[ACT_BITS*x+:ACT_BITS] <= {ACT_BITS{col_b_i[x]}};
      end
      row_a_1_q <= row_a_i;
      row_b_1_q <= row_b_i;
      weight_1_q <= weight_i;
    end
    row_a_2_q <= row_a_1_q;
    row_b_2_q <= row_b_1_q;
    weight_2_q <= weight_1_q;
  end

  // Stage 1: the memory, cut in groups of DRAIN lanes because that is what the drain writes.
  genvar g, x, y;
  generate
    for (g = 0; g < GROUPS; g = g + 1) begin : gen_group
      wire [ACT_BITS*DRAIN-1:0] word;
      ram_1r1w #(
          .WIDTH(ACT_BITS * DRAIN),
          .DEPTH(ACT_WORDS)
      ) u_activations (
          .clk_i  (clk_i),
          .ren_i  (valid_i),
          .raddr_i(addr_i),
          .rdata_o(word),
          .wen_i  (write_i && write_group_i == g),
          .waddr_i(write_addr_i),
          .wdata_i(write_data_i)
      );
    end

    // Stage 2: the neighbour in x. Masks rather than selects, so that a row is a few wide bit operations.
    for (y = 0; y < MESH_Y; y = y + 1) begin : gen_row
      wire [ROW_BITS-1:0] row;
      if (DRAIN == MESH_X) begin : gen_direct
        assign row = gen_group[y].word;
      end else begin : gen_pick
        for (x = 0; x < MESH_X; x = x + 1) begin : gen_lane
          localparam INDEX = y * MESH_X + x;
          assign row[ACT_BITS*x+:ACT_BITS] =
              gen_group[INDEX/DRAIN < GROUPS ? INDEX/DRAIN : 0].word[ACT_BITS*(INDEX%DRAIN)+:ACT_BITS];
        end
      end
      always @(posedge clk_i) begin
        if (valid_q[0]) begin
          x_row_q[y] <= (~mask_a_q & ~mask_b_q & row) | (~mask_a_q & mask_b_q & (row << ACT_BITS)) |
                        (mask_a_q & ~mask_b_q & (row >> ACT_BITS)) | (mask_a_q & mask_b_q & pad_row);
        end
      end
    end
  endgenerate

  // Stage 3: the neighbour in y. A row outside the mesh is never selected, any row may stand in for it.
  // A sign bit has a flip-flop of its own, whose reset takes the place of a LUT.
  always @(posedge clk_i) begin : neighbor_y
    integer r;
    reg [ROW_BITS-1:0] row;
    for (r = 0; r < MESH_Y; r = r + 1) begin
      case ({row_a_2_q[r], row_b_2_q[r]})
        2'b00: row = x_row_q[r];
        2'b01: row = x_row_q[r > 0 ? r - 1 : 0];
        2'b10: row = x_row_q[r < MESH_Y - 1 ? r + 1 : r];
        default: row = pad_row;
      endcase
      if (valid_q[1]) begin
        y_row_q[r] <= row;
        sign_row_q[r] <= row;
      end
      if (!act_signed_i) sign_row_q[r] <= {ROW_BITS{1'b0}};
    end
  end

  // The weight of the command in stage 3, or in its place the factor: what the first command of a sum has read in
  // lane 0, less its zero point; that command itself adds nothing. DIGIT lanes take a signed radix-4 digit of it at a
  // time, the most significant one first.
  // Where lanes may have factors of their own, `each` has the weights of all lanes, a stage later.
  wire [WEIGHT_WIDTH-1:0] weight;
  wire [WEIGHT_WIDTH*LANES-1:0] each;
  wire uses = valid_q[1] && !first_q[1];

  function [8:0] factor_of;  // with a zero below it
    input [ACT_BITS-1:0] code;
    // "Bits of signal are not used": an 8-bit code has no upper one.
    // verilator lint_off UNUSEDSIGNAL
    reg [8:0] wide;
    // verilator lint_on UNUSEDSIGNAL
    begin
      wide = {{(9 - ACT_BITS) {scale_signed_i & code[ACT_BITS-1]}}, code};
`ifdef LAC_FAULT_FACTOR
      factor_of = {wide[7:0], 1'b0};  // a deliberate fault, for the tests that must notice it
`else
      factor_of = {wide[7:0] - scale_zero_i, 1'b0};
`endif
    end
  endfunction

  // What stands in the weight's place for the command in stage 3, and what is left of the factor after it.
  function [WEIGHT_WIDTH-1:0] weight_of;
    // "Bits of signal are not used": the zero below a factor, and what DIGIT lanes take later.
    // verilator lint_off UNUSEDSIGNAL
    input [8:0] factor;
    // verilator lint_on UNUSEDSIGNAL
    input first;
    input [WEIGHT_WIDTH-1:0] stored;
    reg [2:0] digit;
    begin
      digit = {2'd0, factor[7]} + {2'd0, factor[6]} - {1'b0, factor[8], 1'b0};
      weight_of = stored;
      if (LANE == 1) weight_of[2:0] = first ? 3'd0 : digit;
      else weight_of = first ? {WEIGHT_WIDTH{1'b0}} : factor[8-:WEIGHT_WIDTH];
    end
  endfunction

  function [8:0] factor_after;
    input [8:0] factor;
    input used;
    factor_after = LANE == 1 && used ? {factor[6:0], 2'b00} : factor;
  endfunction

  generate
    if (SCALE == 1) begin : gen_scale
      reg  [8:0] factor_q;
      wire [8:0] factor = valid_q[2] && first_q[2] ? factor_of(y_row_q[0][ACT_BITS-1:0]) : factor_q;
      always @(posedge clk_i) factor_q <= factor_after(factor, uses);
      assign weight = scale_i ? weight_of(factor, first_q[1], weight_2_q) : weight_2_q;
    end else begin : gen_no_scale
      assign weight = weight_2_q;
    end
    if (SCALE == 2) begin : gen_each
      (* mem2reg *) reg [8:0] factor_q [0:LANES-1];
      reg [WEIGHT_WIDTH*LANES-1:0] each_q;
      always @(posedge clk_i) begin : factors
        integer p;
        reg [8:0] factor;
        for (p = 0; p < LANES; p = p + 1) begin
          factor = factor_q[p];
`ifdef LAC_FAULT_EACH
          if (valid_q[2] && first_q[2]) factor = factor_of(y_row_q[0][ACT_BITS-1:0]);  // a deliberate fault: lane 0's
`else
          if (valid_q[2] && first_q[2])
            factor = factor_of(scale_each_i ? y_row_q[p/MESH_X][ACT_BITS*(p%MESH_X)+:ACT_BITS] : y_row_q[0][ACT_BITS-1:0]);
`endif
          factor_q[p] <= factor_after(factor, uses);
          each_q[WEIGHT_WIDTH*p+:WEIGHT_WIDTH] <= scale_i ? weight_of(factor, first_q[1], weight_2_q) : weight_2_q;
        end
      end
      assign each = each_q;
    end else begin : gen_alike
      assign each = {WEIGHT_WIDTH * LANES{1'b0}};
    end
  endgenerate

  generate
    if (LANE != 1) begin : gen_mul
      // Stages 4 and 5: product and accumulator, which share one DSP block.
      localparam CODE_BITS = ACT_BITS + 1;
      localparam PRODUCT_BITS = CODE_BITS + 8 < ACC_BITS ? CODE_BITS + 8 : ACC_BITS;
      (* mem2reg *) reg signed [PRODUCT_BITS-1:0] product_q [0:LANES-1];
      if (LANE == 0) begin : gen_block
        reg signed [7:0] weight_3_q;
        always @(posedge clk_i) begin : multiply
          integer p;
          reg signed [7:0] own;
          weight_3_q <= weight;
          if (valid_q[2]) begin
            for (p = 0; p < LANES; p = p + 1) begin
              own = SCALE == 2 ? each[WEIGHT_WIDTH*p+:WEIGHT_WIDTH] : weight_3_q;
              product_q[p] <= $signed({sign_row_q[p/MESH_X][ACT_BITS*(p%MESH_X)+ACT_BITS-1],
                                       y_row_q[p/MESH_X][ACT_BITS*(p%MESH_X)+:ACT_BITS]}) * own;
            end
          end
        end
      end else begin : gen_logic
        // Every two bits of a code choose 0, 1, 2 or 3 times the weight, multiples that all lanes share; the upper
        // two of a signed code choose 0, 1, -2 or -1 times, a single upper one 0 or -1 times.
        localparam PAIRS = (ACT_BITS + 1) / 2;
        localparam UPPER_BITS = ACT_BITS - 2 * (PAIRS - 1);
        wire signed [9:0] once = {{2{weight[WEIGHT_WIDTH-1]}}, weight};
        reg  signed [9:0] lower_1_q, lower_2_q, lower_3_q, upper_1_q, upper_2_q, upper_3_q;
        always @(posedge clk_i) begin
          lower_1_q <= once;
          lower_2_q <= once <<< 1;
          lower_3_q <= once + (once <<< 1);
          upper_1_q <= upper(2'd1, once);
          upper_2_q <= upper(2'd2, once);
          upper_3_q <= upper(2'd3, once);
        end

        function signed [9:0] upper;
          input [1:0] bits;
          input signed [9:0] times_1;
          case (bits)
            2'd1: upper = act_signed_i && UPPER_BITS == 1 ? -times_1 : times_1;
            2'd2: upper = act_signed_i ? -(times_1 <<< 1) : times_1 <<< 1;
            default: upper = act_signed_i ? -times_1 : times_1 + (times_1 <<< 1);
          endcase
        endfunction

        function signed [PRODUCT_BITS-1:0] multiple;
          input [1:0] factor;
          input signed [9:0] times_1, times_2, times_3;
          reg signed [9:0] chosen;
          begin
            chosen = factor[1] ? (factor[0] ? times_3 : times_2) : factor[0] ? times_1 : 10'sd0;
            multiple = {{(PRODUCT_BITS - 9) {chosen[9]}}, chosen[8:0]};
          end
        endfunction

        function signed [PRODUCT_BITS-1:0] times;
          input [ACT_BITS-1:0] code;
          input signed [9:0] lower_1, lower_2, lower_3, upper_1, upper_2, upper_3;
          reg [2*PAIRS-1:0] pairs;
          integer i;
          begin
            pairs = 0;
            pairs[ACT_BITS-1:0] = code;
            times = multiple(pairs[2*PAIRS-2+:2], upper_1, upper_2, upper_3) <<< (2 * PAIRS - 2);
            for (i = 0; i < PAIRS - 1; i = i + 1)
              times = times + (multiple(pairs[2*i+:2], lower_1, lower_2, lower_3) <<< (2 * i));
          end
        endfunction

        always @(posedge clk_i) begin : multiply
          integer p;
          reg signed [9:0] own;
          if (valid_q[2]) begin
            for (p = 0; p < LANES; p = p + 1) begin
              own = {{2{each[WEIGHT_WIDTH*p+WEIGHT_WIDTH-1]}}, each[WEIGHT_WIDTH*p+:WEIGHT_WIDTH]};
              if (SCALE == 2)
                product_q[p] <= times(y_row_q[p/MESH_X][ACT_BITS*(p%MESH_X)+:ACT_BITS], own, own <<< 1, own + (own <<< 1),
                                      upper(2'd1, own), upper(2'd2, own), upper(2'd3, own));
              else
                product_q[p] <= times(y_row_q[p/MESH_X][ACT_BITS*(p%MESH_X)+:ACT_BITS], lower_1_q, lower_2_q,
                                      lower_3_q, upper_1_q, upper_2_q, upper_3_q);
            end
          end
        end
      end

      always @(posedge clk_i) begin : accumulate
        integer p;
        if (valid_q[3]) begin
          for (p = 0; p < LANES; p = p + 1) begin
            acc_q[p] <= (first_q[3] ? {ACC_BITS{1'b0}} : acc_q[p]) +
                        {{(ACC_BITS - PRODUCT_BITS) {product_q[p][PRODUCT_BITS-1]}}, product_q[p]};
          end
        end
      end
    end else begin : gen_digit
      // Stage 4: code times 0, 1 or 2, its bits inverted for a negative digit; stage 5 adds the missing one as
      // the carry of a bit below the lowest.
      reg [2:0] digit_q;
      reg times_4_q, times_4_2_q;
      reg [LANES-1:0] negative_q;  // of all lanes; alike where no lane has a factor of its own
      (* mem2reg *) reg signed [ACT_BITS+1:0] product_q [0:LANES-1];

      function [ACT_BITS+1:0] digit_times;
        input [ACT_BITS:0] code;
        input [2:0] digit;
        digit_times = ({(ACT_BITS + 2) {digit != 3'd0}} & (!digit[0] ? {code, 1'b0} : {code[ACT_BITS], code})) ^
                      {(ACT_BITS + 2) {digit[2]}};
      endfunction

      always @(posedge clk_i) begin : multiply
        integer p;
        reg [2:0] digit;
        digit_q <= weight[2:0];
        times_4_q <= weight[3];
        if (valid_q[2]) begin
          times_4_2_q <= times_4_q;
          for (p = 0; p < LANES; p = p + 1) begin
            digit = SCALE == 2 ? each[WEIGHT_WIDTH*p+:3] : digit_q;
            negative_q[p] <= digit[2];
            product_q[p] <= digit_times({sign_row_q[p/MESH_X][ACT_BITS*(p%MESH_X)+ACT_BITS-1],
                                         y_row_q[p/MESH_X][ACT_BITS*(p%MESH_X)+:ACT_BITS]}, digit);
          end
        end
      end

      function [ACC_BITS-1:0] add_product;
        input [ACT_BITS+1:0] product;
        input negative;
        input [ACC_BITS-1:0] acc;
        input zero, times_4;
        // "Bits of signal are not used: 'sum'[0]": that bit only makes the carry.
        // verilator lint_off UNUSEDSIGNAL
        reg [ACC_BITS:0] sum;
        // verilator lint_on UNUSEDSIGNAL
        begin
          sum = {{(ACC_BITS - ACT_BITS - 2) {product[ACT_BITS+1]}}, product, negative} +
                {zero ? {ACC_BITS{1'b0}} : times_4 ? {acc[ACC_BITS-3:0], 2'b00} : acc, 1'b1};
          add_product = sum[ACC_BITS:1];
        end
      endfunction

      always @(posedge clk_i) begin : accumulate
        integer p;
        if (valid_q[3]) begin
          for (p = 0; p < LANES; p = p + 1)
            acc_q[p] <= add_product(product_q[p], negative_q[p], acc_q[p], first_q[3], times_4_2_q);
        end
      end
    end
  endgenerate

  // Stage 6: all accumulators are copied at once, those of the first group to chain_q, the others to held_q, from where
  // chain_q takes one group after another: flip-flops alone and a multiplexer of GROUPS for every DRAIN lanes, in
  // LUTs a third of what a shift register of all lanes would take. group_q is 0 again when the next copy comes.
  localparam GROUP_BITS = GROUPS > 1 ? $clog2(GROUPS) : 1;
  localparam integer LAST_GROUP = GROUPS - 1;
  reg [GROUP_BITS-1:0] group_q;  // that chain_q takes next
  always @(posedge clk_i) begin : drain_chain
    integer p, k, level;
    reg [(ACC_BITS<<GROUP_BITS)-1:0] choice;
    if (last_q[4]) begin
      for (p = DRAIN; p < LANES; p = p + 1) held_q[p] <= acc_q[p];
    end
    if (last_q[4] || shift_i) begin
      for (p = 0; p < DRAIN; p = p + 1) begin
        for (k = 0; k < (1 << GROUP_BITS); k = k + 1)
          choice[ACC_BITS*k+:ACC_BITS] = k == 0 ? acc_q[p] : held_q[(k < GROUPS ? k : LAST_GROUP)*DRAIN+p];
        for (level = 0; level < GROUP_BITS; level = level + 1) begin
          for (k = 0; k < (1 << (GROUP_BITS - 1 - level)); k = k + 1)
            choice[ACC_BITS*k+:ACC_BITS] = group_q[level] ? choice[ACC_BITS*(2*k+1)+:ACC_BITS]
                                                          : choice[ACC_BITS*2*k+:ACC_BITS];
        end
        chain_q[p] <= choice[ACC_BITS-1:0];
      end
      group_q <= GROUPS > 1 && (last_q[4] || (group_q != 0 && group_q != LAST_GROUP[GROUP_BITS-1:0])) ? group_q + 1'b1
                                                                                                       : {GROUP_BITS{1'b0}};
    end
    if (!rst_ni) group_q <= {GROUP_BITS{1'b0}};
  end

  generate
    for (g = 0; g < DRAIN; g = g + 1) begin : gen_chain_out
      assign chain_o[ACC_BITS*g+:ACC_BITS] = chain_q[g];
    end
  endgenerate

  assign captured_o = captured_q;

  wire unused_ok = &{1'b0, valid_q[4], first_q[4], scale_i, scale_each_i, scale_signed_i, scale_zero_i, uses, each, sign_row_q[0]};
endmodule

`default_nettype wire
