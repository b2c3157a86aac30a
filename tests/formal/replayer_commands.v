`include "replayer_layers.vh"

  // ---- the command of an entry ----

  always @* if (f_past && rst_ni) begin
    idle_is_empty: assert (state_q != IDLE || valid_q == 0);
    if (f_loaded) layer_is_legal: assert (tile_h != 0 && tile_w != 0 && (!layer_q[`LAC_LAYER_SCALE] || !by_lane));
  end

  // In a layer with factors the first of at least two entries of a pixel reads the channel's factor: one word a channel, from the
  // word that this entry of the first channel names, in whatever pixel. Or it reads the pixel's factor, as any entry reads a pixel, but
  // from the first channel's word in every channel.
  wire f_factor = layer_q[`LAC_LAYER_SCALE] && f_begins;
  wire f_each = layer_q[`LAC_LAYER_SCALE_EACH];
  wire [15:0] f_factors = f_each ? 16'd0 : f_channels;  // words that they have moved on
  reg [15:0] f_first;
  reg f_first_known = 1'b0;
  always @(posedge clk_i) begin
    if (entry_next_o && f_factor && f_channels == 0) {f_first_known, f_first} <= {1'b1, entry_address};
    if (load || !rst_ni) f_first_known <= 1'b0;
  end
  always @* if (entry_valid_i && state_q == RUN && f_factor) begin
    assume (!entry_last);
    if (f_channels == 0 && f_first_known) assume (entry_address == f_first);
  end
  wire [15:0] f_base = !f_factor ? entry_address : f_channels == 0 ? entry_address : f_first + f_factors;
  always @* if (f_past && rst_ni && state_q == RUN && layer_q[`LAC_LAYER_SCALE]) begin
    first_channel_is_the_first: assert (f_first_channel == (f_channels == 0));
    first_is_known: assert (f_first_known || f_begins && f_channels == 0);
    place_of_factors: assert (!f_first_known || f_address == f_first + f_factors);
  end

  // A tap leaves the tile by less than a tile, and names a lane of the image in a layer by lanes.
  wire signed [9:0] f_row = f_factor && !f_each ? 10'sd0 : $signed({2'b0, row_q}) + $signed(entry_dy);
  wire signed [9:0] f_col = f_factor && !f_each ? 10'sd0 : $signed({2'b0, col_q}) + $signed(entry_dx);
  wire signed [9:0] f_th = {4'd0, tile_h}, f_tw = {4'd0, tile_w};
  always @* if (entry_valid_i && state_q == RUN) begin
    assume (by_lane || f_row >= -f_th && f_row < 2 * f_th && f_col >= -f_tw && f_col < 2 * f_tw);
    assume (!by_lane || entry_dy < (6'd4 >> split_y) && entry_dx < (6'd4 >> split_x) && row_q == 0 && col_q == 0);
  end

  // What was issued, step by step: the hop of the law, and the place in that tile.
  reg signed [1:0] f_hop_y_1, f_hop_y_2, f_hop_y_3, f_hop_y_4, f_hop_x_1, f_hop_x_2, f_hop_x_3, f_hop_x_4;
  reg [5:0] f_y_1, f_y_2, f_y_3, f_y_4, f_x_1, f_x_2, f_x_3, f_x_4;
  reg [15:0] f_base_1, f_base_2, f_base_3, f_base_4;
  reg [4:0] f_lane_y_1, f_lane_y_2, f_lane_y_3, f_lane_y_4, f_lane_x_1, f_lane_x_2, f_lane_x_3, f_lane_x_4;
  reg [WEIGHT_WIDTH+1:0] f_rest_1, f_rest_2, f_rest_3, f_rest_4;  // first, last, weight
  wire signed [1:0] f_hop_y = by_lane ? 2'sd0 : f_row < 0 ? -2'sd1 : f_row >= f_th ? 2'sd1 : 2'sd0;
  wire signed [1:0] f_hop_x = by_lane ? 2'sd0 : f_col < 0 ? -2'sd1 : f_col >= f_tw ? 2'sd1 : 2'sd0;
  wire signed [9:0] f_y = by_lane ? 10'sd0 : f_row - f_hop_y * f_th, f_x = by_lane ? 10'sd0 : f_col - f_hop_x * f_tw;
  always @(posedge clk_i) begin
    {f_hop_y_4, f_hop_y_3, f_hop_y_2, f_hop_y_1} <= {f_hop_y_3, f_hop_y_2, f_hop_y_1, f_hop_y};
    {f_hop_x_4, f_hop_x_3, f_hop_x_2, f_hop_x_1} <= {f_hop_x_3, f_hop_x_2, f_hop_x_1, f_hop_x};
    {f_y_4, f_y_3, f_y_2, f_y_1} <= {f_y_3, f_y_2, f_y_1, f_y[5:0]};
    {f_x_4, f_x_3, f_x_2, f_x_1} <= {f_x_3, f_x_2, f_x_1, f_x[5:0]};
    {f_base_4, f_base_3, f_base_2, f_base_1} <= {f_base_3, f_base_2, f_base_1, f_base};
    {f_lane_y_4, f_lane_y_3, f_lane_y_2, f_lane_y_1} <= {f_lane_y_3, f_lane_y_2, f_lane_y_1, entry_dy[4:0]};
    {f_lane_x_4, f_lane_x_3, f_lane_x_2, f_lane_x_1} <= {f_lane_x_3, f_lane_x_2, f_lane_x_1, entry_dx[4:0]};
    {f_rest_4, f_rest_3, f_rest_2, f_rest_1} <= {f_rest_3, f_rest_2, f_rest_1, f_begins, entry_last, entry_weight};
  end
  // The steps on the way, for the induction.
  always @* if (f_past && rst_ni) begin
    nothing_is_in_flight_before_a_layer: assert (f_loaded || valid_q == 0);
    if (valid_q[0]) begin
      step_1: assert (f_y_1 < tile_h && f_x_1 < tile_w && f_base_1 == address_1_q && f_rest_1 == {first_pipe_q[0], last_pipe_q[0], weight_1_q});
      step_1_row: assert ($signed(row_1_q) == $signed({4'd0, f_y_1}) + f_hop_y_1 * f_th);
      step_1_col: assert ($signed(col_1_q) == $signed({4'd0, f_x_1}) + f_hop_x_1 * f_tw);
      step_1_lane: assert (f_lane_y_1 == lane_y_1_q && f_lane_x_1 == lane_x_1_q);
      step_1_hop: assert (f_hop_y_1 != -2 && f_hop_x_1 != -2 && (!by_lane || f_hop_y_1 == 0 && f_hop_x_1 == 0));
      step_1_by_lane: assert (!by_lane || f_lane_y_1 < (6'd4 >> split_y) && f_lane_x_1 < (6'd4 >> split_x));
    end
    if (valid_q[1]) begin
      step_2: assert (f_y_2 < tile_h && f_x_2 < tile_w && f_base_2 == address_2_q && f_rest_2 == {first_pipe_q[1], last_pipe_q[1], weight_2_q});
      step_2_place: assert (f_y_2 == row_2_q && f_x_2 == col_2_q && f_lane_y_2 == lane_y_2_q && f_lane_x_2 == lane_x_2_q);
      step_2_hop: assert (before_y_2_q == (f_hop_y_2 == -1) && after_y_2_q == (f_hop_y_2 == 1) &&
                          before_x_2_q == (f_hop_x_2 == -1) && after_x_2_q == (f_hop_x_2 == 1));
      step_2_legal: assert (f_hop_y_2 != -2 && f_hop_x_2 != -2 && (!by_lane || f_hop_y_2 == 0 && f_hop_x_2 == 0));
      step_2_by_lane: assert (!by_lane || f_lane_y_2 < (6'd4 >> split_y) && f_lane_x_2 < (6'd4 >> split_x));
    end
    if (valid_q[2]) begin
      step_3: assert (f_y_3 < tile_h && f_x_3 < tile_w && f_base_3 == address_3_q && f_rest_3 == {first_pipe_q[2], last_pipe_q[2], weight_3_q});
      step_3_place: assert (row_words_q == f_y_3 * tile_w && f_x_3 == col_3_q && f_lane_y_3 == lane_y_3_q && f_lane_x_3 == lane_x_3_q);
      step_3_hop: assert (before_y_3_q == (f_hop_y_3 == -1) && after_y_3_q == (f_hop_y_3 == 1) &&
                          before_x_3_q == (f_hop_x_3 == -1) && after_x_3_q == (f_hop_x_3 == 1));
      step_3_rest: assert (rest_y_q == (f_y_3 < layer_q[`LAC_LAYER_REM_ROWS]) && rest_x_q == (f_x_3 < layer_q[`LAC_LAYER_REM_COLS]));
      step_3_legal: assert (f_hop_y_3 != -2 && f_hop_x_3 != -2 && (!by_lane || f_hop_y_3 == 0 && f_hop_x_3 == 0));
      step_3_by_lane: assert (!by_lane || f_lane_y_3 < (6'd4 >> split_y) && f_lane_x_3 < (6'd4 >> split_x));
    end
    if (valid_o) begin
      address_is_inside_the_tile: assert (f_y_4 < tile_h && f_x_4 < tile_w);
      address_follows_the_law: assert (address_4_q == (f_base_4 + f_y_4 * tile_w + f_x_4 & 16'hffff) &&
                                       addr_o == address_4_q[ADDR_BITS-1:0]);
      command_is_of_the_entry: assert ({first_o, last_o, weight_o} == f_rest_4);
      hop_is_one: assert (f_hop_y_4 != -2 && f_hop_x_4 != -2);
    end
  end

  // Every row and column of lanes reads the neighbour's pixel if the image has it there, and pads otherwise. {a, b}: 00 its own, 10 the one
  // behind, 01 the one before, 11 padding.
  genvar f_i;
  generate
    for (f_i = 0; f_i < 4; f_i = f_i + 1) begin : f_lanes
      wire [5:0] own_y = f_i & ((4 >> split_y) - 1), own_x = f_i & ((4 >> split_x) - 1);
      wire signed [6:0] from_y = $signed({1'b0, own_y}) + f_hop_y_4, from_x = $signed({1'b0, own_x}) + f_hop_x_4;
      wire has_y = from_y >= 0 && from_y < $signed({1'b0, 6'd4 >> split_y}) &&
                   (from_y[5:0] < layer_q[`LAC_LAYER_FULL_ROWS] ||
                    from_y[5:0] == layer_q[`LAC_LAYER_FULL_ROWS] && f_y_4 < layer_q[`LAC_LAYER_REM_ROWS]);
      wire has_x = from_x >= 0 && from_x < $signed({1'b0, 6'd4 >> split_x}) &&
                   (from_x[5:0] < layer_q[`LAC_LAYER_FULL_COLS] ||
                    from_x[5:0] == layer_q[`LAC_LAYER_FULL_COLS] && f_x_4 < layer_q[`LAC_LAYER_REM_COLS]);
      wire ok_y = by_lane ? own_y == f_lane_y_4 : has_y, ok_x = by_lane ? own_x == f_lane_x_4 : has_x;
      always @* if (f_past && rst_ni) begin
        if (f_loaded) begin
          assert (full_rows_q[f_i] == (own_y < layer_q[`LAC_LAYER_FULL_ROWS]) &&
                                     rest_row_q[f_i] == (own_y == layer_q[`LAC_LAYER_FULL_ROWS]) &&
                                     top_rows_q[f_i] == (own_y == 0) && bottom_rows_q[f_i] == (own_y + 1 == 6'd4 >> split_y));
          assert (full_cols_q[f_i] == (own_x < layer_q[`LAC_LAYER_FULL_COLS]) &&
                                     rest_col_q[f_i] == (own_x == layer_q[`LAC_LAYER_FULL_COLS]) &&
                                     left_cols_q[f_i] == (own_x == 0) && right_cols_q[f_i] == (own_x + 1 == 6'd4 >> split_x));
          assert (split_y != 2'd3 && split_x != 2'd3);
        end
        if (valid_o) begin
          assert ({row_a_o[f_i], row_b_o[f_i]} == (ok_y ? {f_hop_y_4 == 1, f_hop_y_4 == -1} : 2'b11));
          assert ({col_a_o[f_i], col_b_o[f_i]} == (ok_x ? {f_hop_x_4 == 1, f_hop_x_4 == -1} : 2'b11));
        end
      end
    end
  endgenerate
