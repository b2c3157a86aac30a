// The drain: takes the accumulators of a pixel from the chain, DRAIN lanes a cycle, and writes codes or sends
// raw sums.
//
//   code: requantize, running max over the pool window, write at its last position
//   TABLE: the code is the place of a table that the code then comes from, before the pool
//   REDUCE: the accumulators of all lanes of an image are summed first; the one result goes to the first of them
//   RAW: acc + bias to the output stream, lane 0 first (REDUCE: the sums alone, image after image)
//
// Pixel flags and channel headers wait in two queues whose heads belong to the pixel that is in the drain.
// ready_o tells the replayer that the drain will be free for one more pixel when its accumulators arrive.
//
// stream  a pixel takes LANES/DRAIN cycles, of raw lanes at least LANES
`default_nettype none

`include "lac_contract.vh"

module drain #(
    parameter MESH_X = 7,
    parameter MESH_Y = 7,
    parameter DRAIN = 7,
    parameter ACC_BITS = 24,
    parameter ADDR_BITS = 12,
    parameter ACT_BITS = 8,
    parameter TABLE = 0
) (
    input  wire                      clk_i,
    input  wire                      rst_ni,
    input  wire              [255:0] layer_i,
    input  wire                      layer_start_i,  // the next layer_i comes with the next cycle
    input  wire              [255:0] layer_next_i,
    output wire                      layer_done_o,
    // pixels on their way
    output wire                      ready_o,
    input  wire                      pixel_push_i,
    input  wire                [3:0] pixel_i,
    input  wire               [53:0] header_i,       // head of the channel queue {S, M, BIAS}
    output wire                      header_pop_o,
    // chain
    input  wire                      captured_i,
    output wire                      shift_o,
    input  wire [ACC_BITS*DRAIN-1:0] chain_i,
    // sums of the vector unit, in place of the lanes'
    input  wire                      vector_valid_i,
    input  wire               [31:0] vector_sum_i,
    // tables, four codes at a place
    input  wire                      table_write_i,
    input  wire                [6:0] table_addr_i,   // {bank, place}
    input  wire               [31:0] table_data_i,
    // writes to the activation memory
    output wire                      write_o,
    output wire      [ADDR_BITS-1:0] write_addr_o,
    output wire               [15:0] write_group_o,
    output wire [ACT_BITS*DRAIN-1:0] write_data_o,
    // raw results
    output wire                      out_valid_o,
    input  wire                      out_ready_i,
    output wire               [31:0] out_data_o,
    output wire                      idle_o
);
  localparam LANES = MESH_X * MESH_Y;
  localparam GROUPS = LANES / DRAIN;
  localparam GROUP_BITS = GROUPS > 1 ? $clog2(GROUPS) : 1;
  localparam integer GROUPS_LESS_1 = GROUPS - 1;
  localparam [GROUP_BITS-1:0] LAST_GROUP = GROUPS_LESS_1[GROUP_BITS-1:0];
  localparam LANE_BITS = DRAIN > 1 ? $clog2(DRAIN) : 1;
  localparam integer DRAIN_LESS_1 = DRAIN - 1;
  localparam [LANE_BITS-1:0] LAST_LANE = DRAIN_LESS_1[LANE_BITS-1:0];
  localparam PARTS = (DRAIN + 3) / 4;
  localparam OUT_LOG2 = 4;

  // Images that share the mesh are summed apart; the lanes of a group then belong to one image.
  localparam integer ROWS = MESH_Y, COLS = MESH_X % DRAIN == 0 ? MESH_X / DRAIN : 1;
  wire [1:0] split_y = layer_i[`LAC_LAYER_SPLIT_Y];
  wire [1:0] split_x = layer_i[`LAC_LAYER_SPLIT_X];
  wire       split = split_y != 2'd0 || split_x != 2'd0;
  wire [3:0] n_images = 4'd1 << ({1'b0, split_y} + {1'b0, split_x});
  // Images along y alone are runs of groups, whatever their width.
  localparam integer RUN = GROUPS;
  localparam PLACE_BITS = $clog2((GROUPS > MESH_Y ? GROUPS : MESH_Y) + 1);
  wire [PLACE_BITS-1:0] image_rows = split_x == 2'd0 ? {{(PLACE_BITS - 1) {1'b0}}, 1'b1} : ROWS[PLACE_BITS-1:0] >> split_y;
  wire [PLACE_BITS-1:0] image_cols = split_x == 2'd0 ? RUN[PLACE_BITS-1:0] >> split_y : COLS[PLACE_BITS-1:0] >> split_x;

  wire reduce = layer_i[`LAC_LAYER_REDUCE];
  wire raw = layer_i[`LAC_LAYER_RAW];
  wire out_signed = layer_i[`LAC_LAYER_OUT_SIGNED];
  wire signed [8:0] lo = layer_i[`LAC_LAYER_LO];
  wire signed [8:0] hi = layer_i[`LAC_LAYER_HI];
  wire signed [8:0] zero = layer_i[`LAC_LAYER_ZERO];
  wire signed [31:0] bias = header_i[31:0];
  wire [15:0] m = header_i[47:32];
  wire [5:0] s = header_i[53:48];

  // Queue of pixels: {last of layer, last of channel, last, first of pool window}.
  wire [3:0] pixel;
  wire       pixel_end;
  wire       pixels_ready, pixels_valid;
  wire       pool_first = pixel[0];
  wire       pool_last = pixel[1];
  wire       channel_last = pixel[2];
  wire       layer_last = pixel[3];
  fifo #(
      .WIDTH(4),
      .DEPTH_LOG2(4)
  ) u_pixels (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .push_i (pixel_push_i),
      .ready_o(pixels_ready),
      .data_i (pixel_i),
      .valid_o(pixels_valid),
      .pop_i  (pixel_end),
      .data_o (pixel)
  );
  assign header_pop_o = pixel_end && channel_last;

  // Walk over the chain.
  reg                   active_q;
  reg  [GROUP_BITS-1:0] group_q;
  reg   [LANE_BITS-1:0] lane_q;
  wire                  out_room;
  wire                  working = captured_i || active_q;
  wire                  raw_lanes = raw && !reduce;
  wire                  raw_step = working && raw_lanes && out_room;
  wire                  group_done = working && (raw_lanes ? raw_step && lane_q == LAST_LANE : 1'b1);
  wire                  chain_done = group_done && group_q == LAST_GROUP;
  assign shift_o = group_done;

  always @(posedge clk_i) begin
    active_q <= working && !chain_done;
    if (raw_step) lane_q <= lane_q == LAST_LANE ? {LANE_BITS{1'b0}} : lane_q + 1'b1;
    if (group_done) group_q <= chain_done ? {GROUP_BITS{1'b0}} : group_q + 1'b1;
    if (!rst_ni) begin
      active_q <= 1'b0;
      lane_q <= 0;
      group_q <= 0;
    end
  end

  // The group's place in its image, and the image's place in x.
  reg [PLACE_BITS-1:0] row_q, col_q;
  reg [2:0] image_q;
  wire      col_last = col_q == image_cols - 1'b1;
  wire      row_last = row_q == image_rows - 1'b1;
  wire      row_done = image_q == (3'd1 << split_x) - 3'd1;
  wire      image_first = split ? row_q == 0 && col_q == 0 : group_q == 0;
  wire      image_last = split ? row_last && col_last : chain_done;
  always @(posedge clk_i) begin
    if (group_done) begin
      col_q <= col_last ? {PLACE_BITS{1'b0}} : col_q + 1'b1;
      if (col_last) begin
        image_q <= row_done ? 3'd0 : image_q + 3'd1;
        if (row_done) row_q <= row_last ? {PLACE_BITS{1'b0}} : row_q + 1'b1;
      end
      if (chain_done) begin
        col_q <= 0;
        row_q <= 0;
        image_q <= 3'd0;
      end
    end
    if (!rst_ni) begin
      col_q <= 0;
      row_q <= 0;
      image_q <= 3'd0;
    end
  end

  // Sum over the lanes: four at a time, then all of a group, then all groups of an image. Each sum is one bit wider than
  // its terms, which keeps Yosys from making one adder of many terms in several LUTs a bit of them.
  localparam PART_BITS = ACC_BITS + 2;
  localparam GROUP_SUM_BITS = PART_BITS + 4;
  wire [4*PARTS*ACC_BITS:0] chain_padded = {{((4 * PARTS - DRAIN) * ACC_BITS + 1) {1'b0}}, chain_i};
  reg  [PART_BITS*PARTS-1:0] parts_q;
  reg                 parts_valid_q, parts_first_q, parts_last_q, parts_end_q, sum_valid_q, sum_end_q;
  reg           [2:0] parts_image_q;
  reg [GROUP_BITS-1:0] parts_group_q, sum_group_q;  // where the result goes: the first group of the image
  reg [31:0] sums [0:7];
  reg [GROUP_BITS-1:0] first_groups [0:7];
  reg  signed  [31:0] sum_q;
  wire         [31:0] sum_next = (parts_first_q ? 32'd0 : sums[parts_image_q]) + sum_parts(parts_q);
  wire          [2:0] image = split ? image_q : 3'd0;

  function [PART_BITS-1:0] sum_four;
    input [4*ACC_BITS-1:0] lanes;
    reg [ACC_BITS:0] lower, upper;
    begin
      lower = {lanes[ACC_BITS-1], lanes[ACC_BITS-1:0]} + {lanes[2*ACC_BITS-1], lanes[ACC_BITS+:ACC_BITS]};
      upper = {lanes[3*ACC_BITS-1], lanes[2*ACC_BITS+:ACC_BITS]} + {lanes[4*ACC_BITS-1], lanes[3*ACC_BITS+:ACC_BITS]};
      sum_four = {lower[ACC_BITS], lower} + {upper[ACC_BITS], upper};
    end
  endfunction
  function [GROUP_SUM_BITS-1:0] sum_two;
    input [GROUP_SUM_BITS-1:0] a, b;
    // "Bits of signal are not used": no sum of a group needs the upper bit.
    // verilator lint_off UNUSEDSIGNAL
    reg [GROUP_SUM_BITS:0] sum;
    // verilator lint_on UNUSEDSIGNAL
    begin
      sum = {a[GROUP_SUM_BITS-1], a} + {b[GROUP_SUM_BITS-1], b};
      sum_two = sum[GROUP_SUM_BITS-1:0];
    end
  endfunction
  function [31:0] sum_parts;
    input [PART_BITS*PARTS-1:0] parts;
    integer i, step;
    // "Bits of signal are not used": sums of 32 bits wrap.
    // verilator lint_off UNUSEDSIGNAL
    reg [GROUP_SUM_BITS+31:0] wide;
    // verilator lint_on UNUSEDSIGNAL
    reg [GROUP_SUM_BITS*16-1:0] tree;
    begin
      tree = 0;
      for (i = 0; i < PARTS; i = i + 1)
        tree[GROUP_SUM_BITS*i+:GROUP_SUM_BITS] = {{4{parts[PART_BITS*i+PART_BITS-1]}}, parts[PART_BITS*i+:PART_BITS]};
      for (step = 1; step < PARTS; step = 2 * step) begin
        for (i = 0; i < PARTS; i = i + 2 * step)
          tree[GROUP_SUM_BITS*i+:GROUP_SUM_BITS] =
              sum_two(tree[GROUP_SUM_BITS*i+:GROUP_SUM_BITS], tree[GROUP_SUM_BITS*(i+step)+:GROUP_SUM_BITS]);
      end
      wide = {{32{tree[GROUP_SUM_BITS-1]}}, tree[GROUP_SUM_BITS-1:0]};
      sum_parts = wide[31:0];
    end
  endfunction

  always @(posedge clk_i) begin : sum_of_lanes
    integer i;
    parts_valid_q <= working && reduce;
    parts_first_q <= image_first;
    parts_last_q <= image_last;
    parts_end_q <= chain_done;
    parts_image_q <= image;
    parts_group_q <= image_first ? group_q : first_groups[image];
    if (image_first) first_groups[image] <= group_q;
    sum_valid_q <= (parts_valid_q && parts_last_q) || vector_valid_i;
    sum_end_q <= parts_end_q || vector_valid_i;
    sum_group_q <= vector_valid_i ? {GROUP_BITS{1'b0}} : parts_group_q;
    if (working && reduce) begin
      for (i = 0; i < PARTS; i = i + 1)
        parts_q[PART_BITS*i+:PART_BITS] <= sum_four(chain_padded[4*ACC_BITS*i+:4*ACC_BITS]);
    end
    if (parts_valid_q) sums[parts_image_q] <= sum_next;
    if (parts_valid_q || vector_valid_i) sum_q <= vector_valid_i ? vector_sum_i : sum_next;
    if (!rst_ni) begin
      parts_valid_q <= 1'b0;
      sum_valid_q <= 1'b0;
    end
  end

  assign pixel_end = reduce ? sum_valid_q && sum_end_q : chain_done;

  // Where the pixel goes: consecutive words of the channel.
  reg [ADDR_BITS-1:0] channel_addr_q, out_addr_q;
  wire [15:0] channel_words = {4'd0, layer_i[`LAC_LAYER_OUT_CHANNEL_WORDS]};
  wire [15:0] out_base = layer_next_i[`LAC_LAYER_OUT_BASE];
  wire [ADDR_BITS-1:0] channel_addr_next = channel_addr_q + channel_words[ADDR_BITS-1:0];
  always @(posedge clk_i) begin
    if (pixel_end && channel_last) begin
      channel_addr_q <= channel_addr_next;
      out_addr_q <= channel_addr_next;
    end else if (pixel_end && pool_last) begin
      out_addr_q <= out_addr_q + 1'b1;
    end
    if (layer_start_i) begin
      channel_addr_q <= out_base[ADDR_BITS-1:0];
      out_addr_q <= out_base[ADDR_BITS-1:0];
    end
  end

  // Requantize. Lane 0 also serves the sum.
  wire               lanes_valid = working && !raw && !reduce;
  wire               token_push = reduce ? sum_valid_q && !raw : lanes_valid;
  wire   [DRAIN-1:0] codes_valid;
  wire [ACT_BITS*DRAIN-1:0] codes;
  reg                table_bank_q;  // of the layer in execution, when it has a table
  always @(posedge clk_i) begin
    if (layer_start_i && layer_next_i[`LAC_LAYER_TABLE]) table_bank_q <= !table_bank_q;
    if (!rst_ni) table_bank_q <= 1'b1;
  end
  // A sum with its bias fits ACC_BITS, so the bias and the sum of lanes are known by one bit more.
  localparam SUM_BITS = ACC_BITS < 32 ? ACC_BITS + 1 : 32;
  genvar i, e;
  generate
    for (i = 0; i < DRAIN; i = i + 1) begin : gen_lane
      wire         [7:0] code;
      wire               code_valid;
      if (TABLE != 0) begin : gen_table
        // One stage more, for all codes: from the table, or past it.
        wire [4*ACT_BITS-1:0] place, entries;
        reg            [1:0]  which_q;
        reg    [ACT_BITS-1:0] code_q;
        reg                   valid_q;
        for (e = 0; e < 4; e = e + 1) begin : gen_entry
          assign entries[ACT_BITS*e+:ACT_BITS] = table_data_i[8*e+:ACT_BITS];
        end
        ram_1r1w #(
            .WIDTH(4 * ACT_BITS),
            .DEPTH(128)
        ) u_table (
            .clk_i  (clk_i),
            .ren_i  (code_valid),
            .raddr_i({table_bank_q, code[7:2]}),
            .rdata_o(place),
            .wen_i  (table_write_i),
            .waddr_i(table_addr_i),
            .wdata_i(entries)
        );
        always @(posedge clk_i) begin
          valid_q <= code_valid;
          if (code_valid) begin
            which_q <= code[1:0];
            code_q <= code[ACT_BITS-1:0];
          end
          if (!rst_ni) valid_q <= 1'b0;
        end
`ifdef LAC_FAULT_TABLE
        wire [1:0] which = which_q | 2'd1;  // a deliberate fault, for the tests that must notice it
`else
        wire [1:0] which = which_q;
`endif
        assign codes_valid[i] = valid_q;
        assign codes[ACT_BITS*i+:ACT_BITS] = layer_i[`LAC_LAYER_TABLE] ? place[ACT_BITS*which+:ACT_BITS] : code_q;
      end else begin : gen_no_table
        assign codes_valid[i] = code_valid;
        assign codes[ACT_BITS*i+:ACT_BITS] = code[ACT_BITS-1:0];
        if (ACT_BITS < 8) begin : gen_upper_bits
          wire unused_upper = &{1'b0, code[7:ACT_BITS]};
        end
      end
      wire signed [SUM_BITS-1:0] lane =
          {{(SUM_BITS - ACC_BITS + 1) {chain_i[ACC_BITS*i+ACC_BITS-1]}}, chain_i[ACC_BITS*i+:ACC_BITS-1]};
      wire signed [SUM_BITS-1:0] acc = i == 0 && reduce ? sum_q[SUM_BITS-1:0] : lane;
      requantize #(
          .SUM_BITS(SUM_BITS)
      ) u_requantize (
          .clk_i  (clk_i),
          .rst_ni (rst_ni),
          .valid_i(i == 0 ? token_push : lanes_valid),
          .acc_i  (acc),
          .bias_i (bias[SUM_BITS-1:0]),
          .m_i    (m),
          .s_i    (s),
          .lo_i   (lo),
          .hi_i   (hi),
          .zero_i (zero),
          .valid_o(code_valid),
          .code_o (code)
      );
    end
  endgenerate

  // What must be known when the codes come out.
  localparam TOKEN_BITS = 3 + GROUP_BITS + ADDR_BITS;
  wire [TOKEN_BITS-1:0] token_in = {layer_last && pixel_end, pool_last, pool_first,
                                    reduce ? sum_group_q : group_q, out_addr_q};
  wire [TOKEN_BITS-1:0] token;
  wire                  tokens_ready, tokens_valid;
  fifo #(
      .WIDTH(TOKEN_BITS),
      .DEPTH_LOG2(TABLE != 0 ? 4 : 3)
  ) u_tokens (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .push_i (token_push),
      .ready_o(tokens_ready),
      .data_i (token_in),
      .valid_o(tokens_valid),
      .pop_i  (codes_valid[0]),
      .data_o (token)
  );
  wire                  token_final = token[TOKEN_BITS-1];
  wire                  token_pool_last = token[TOKEN_BITS-2];
  wire                  token_pool_first = token[TOKEN_BITS-3];
  wire [GROUP_BITS-1:0] token_group = token[ADDR_BITS+:GROUP_BITS];

  // Running max over the pool window, one word a group.
  reg [ACT_BITS*DRAIN-1:0] pool [0:(1<<GROUP_BITS)-1];
  function [ACT_BITS*DRAIN-1:0] pool_max;
    input [ACT_BITS*DRAIN-1:0] code, old;
    input is_first, is_signed;
    reg [ACT_BITS-1:0] flip;
    integer k;
    begin
      flip = 0;
      flip[ACT_BITS-1] = is_signed;
      for (k = 0; k < DRAIN; k = k + 1) begin
        if (is_first || (code[ACT_BITS*k+:ACT_BITS] ^ flip) > (old[ACT_BITS*k+:ACT_BITS] ^ flip))
          pool_max[ACT_BITS*k+:ACT_BITS] = code[ACT_BITS*k+:ACT_BITS];
        else pool_max[ACT_BITS*k+:ACT_BITS] = old[ACT_BITS*k+:ACT_BITS];
      end
    end
  endfunction

  reg                  write_q, final_q;
  reg  [ADDR_BITS-1:0] write_addr_q;
  reg [GROUP_BITS-1:0] write_group_q;
  reg [ACT_BITS*DRAIN-1:0] write_data_q;
  always @(posedge clk_i) begin
    write_q <= codes_valid[0] && token_pool_last;
    final_q <= (codes_valid[0] && token_final) || (raw && pixel_end && layer_last);
    if (codes_valid[0]) begin
      pool[token_group] <= pool_max(codes, pool[token_group], token_pool_first, out_signed);
      write_addr_q <= token[ADDR_BITS-1:0];
      write_group_q <= token_group;
      write_data_q <= pool_max(codes, pool[token_group], token_pool_first, out_signed);
    end
    if (!rst_ni) begin
      write_q <= 1'b0;
      final_q <= 1'b0;
    end
  end
  assign write_o = write_q;
  assign write_addr_o = write_addr_q;
  assign write_group_o = {{(16 - GROUP_BITS) {1'b0}}, write_group_q};
  assign write_data_o = write_data_q;
  assign layer_done_o = final_q;

  // Raw results. Sums cannot wait, so each takes its place in the queue when its pixel is issued; lanes can.
  wire [31:0] raw_lane;
  generate
    if (DRAIN == 1) begin : gen_one_lane
      assign raw_lane = {{(33 - ACC_BITS) {chain_i[ACC_BITS-1]}}, chain_i[ACC_BITS-2:0]};
    end else begin : gen_lane_of_group
      wire [ACC_BITS-1:0] lane = chain_i[ACC_BITS*lane_q+:ACC_BITS];
      assign raw_lane = {{(33 - ACC_BITS) {lane[ACC_BITS-1]}}, lane[ACC_BITS-2:0]};
    end
  endgenerate
  wire [31:0] raw_word = (reduce ? sum_q : raw_lane) + bias;
  wire        raw_push = raw && (reduce ? sum_valid_q : raw_step);
  wire        out_pop = out_valid_o && out_ready_i;
  fifo #(
      .WIDTH(32),
      .DEPTH_LOG2(OUT_LOG2)
  ) u_out (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .push_i (raw_push),
      .ready_o(out_room),
      .data_i (raw_word),
      .valid_o(out_valid_o),
      .pop_i  (out_pop),
      .data_o (out_data_o)
  );

  // Whether one more pixel may come: GROUPS cycles after the one before, which a vector layer's need not wait for;
  // sums also need their place.
  localparam integer GAP = GROUPS - 1;
  localparam GAP_BITS = GROUPS > 1 ? $clog2(GROUPS) : 1;
  reg [GAP_BITS-1:0] gap_q;
  reg [OUT_LOG2:0] places_q;     // of the output queue: taken, or promised to sums on their way
  reg              raw_lanes_q;  // a pixel of raw lanes is on its way
  wire [OUT_LOG2:0] take_places = !raw ? 5'd0 : reduce ? (pixel_push_i ? {1'b0, n_images} : 5'd0) : {4'd0, raw_step};
  wire [OUT_LOG2:0] places_then = places_q + {1'b0, n_images};
  assign ready_o = gap_q == 0 && !raw_lanes_q && !(raw && reduce && places_then > 5'd16);

  always @(posedge clk_i) begin
    if (pixel_push_i && layer_i[`LAC_LAYER_ORDER] != 2'd3) gap_q <= GAP[GAP_BITS-1:0];
    else if (gap_q != 0) gap_q <= gap_q - 1'b1;
    if (pixel_push_i && raw_lanes) raw_lanes_q <= 1'b1;
    else if (pixel_end) raw_lanes_q <= 1'b0;
    places_q <= places_q + take_places - {4'd0, out_pop};
    if (!rst_ni) begin
      gap_q <= 0;
      raw_lanes_q <= 1'b0;
      places_q <= 0;
    end
  end

  assign idle_o = !out_valid_o;

  wire unused_ok = &{1'b0, table_write_i, table_addr_i, table_data_i, table_bank_q, layer_i, layer_next_i, channel_words, out_base, codes_valid, chain_padded[4*PARTS*ACC_BITS], pixels_ready, pixels_valid, tokens_ready,
                     tokens_valid};
endmodule

`default_nettype wire
