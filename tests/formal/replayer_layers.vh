  // What the proofs of the replayer share.
  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);

  // What a program may say (docs/engine.md): extents of at least one, partial tiles behind the full ones, a split that leaves
  // lanes. The compiler keeps to it.
  wire [5:0] f_rows = 6'd4 >> desc_i[`LAC_LAYER_SPLIT_Y], f_cols = 6'd4 >> desc_i[`LAC_LAYER_SPLIT_X];
  always @* if (desc_valid_i) begin
    assume (desc_i[`LAC_LAYER_POOL_H] != 0 && desc_i[`LAC_LAYER_POOL_W] != 0);
    assume (desc_i[`LAC_LAYER_OUT_TILE_H] != 0 && desc_i[`LAC_LAYER_OUT_TILE_W] != 0);
    assume (desc_i[`LAC_LAYER_IN_TILE_H] != 0 && desc_i[`LAC_LAYER_IN_TILE_W] != 0);
    assume (desc_i[`LAC_LAYER_N_OUT] != 0);
    assume (!desc_i[`LAC_LAYER_SCALE] || desc_i[`LAC_LAYER_ORDER] < 2);
    assume (desc_i[`LAC_LAYER_SPLIT_Y] != 2'd3 && desc_i[`LAC_LAYER_SPLIT_X] != 2'd3);
    assume (desc_i[`LAC_LAYER_FULL_ROWS] + (desc_i[`LAC_LAYER_REM_ROWS] != 0) <= f_rows);
    assume (desc_i[`LAC_LAYER_FULL_COLS] + (desc_i[`LAC_LAYER_REM_COLS] != 0) <= f_cols);
  end
  // The drain says that a layer is done when the last command has long left, and is ready for a pixel again after it.
  always @* if (|valid_q || state_q == RUN) assume (!layer_done_i);

  // A layer was loaded; it stays until the next one.
  reg f_loaded = 1'b0;
  always @(posedge clk_i) f_loaded <= rst_ni && (load || f_loaded);

  wire f_last_pixel = wy_q + 4'd1 == layer_q[`LAC_LAYER_POOL_H] && wx_q + 4'd1 == layer_q[`LAC_LAYER_POOL_W] &&
                      oy_q + 6'd1 == layer_q[`LAC_LAYER_OUT_TILE_H] && ox_q + 6'd1 == layer_q[`LAC_LAYER_OUT_TILE_W];
  wire [15:0] f_n_out = layer_q[`LAC_LAYER_N_OUT];
  reg  [15:0] f_channels = 16'd0;  // finished in this layer
  reg         f_begins = 1'b1;     // the next entry is a pixel's first
  always @(posedge clk_i) begin
    if (entry_next_o) f_begins <= entry_last;
    if (entry_next_o && entry_last && f_last_pixel) f_channels <= f_channels + 16'd1;
    if (load || !rst_ni) f_channels <= 16'd0;
    if (!rst_ni) f_begins <= 1'b1;
  end
  always @* if (f_past && rst_ni) begin
    loads_only_between_layers: assert (f_loaded || state_q == IDLE);
    first_is_the_first: assert (first_q == f_begins);
    layers_begin_with_a_pixel: assert (state_q == RUN || f_begins);
    if (f_loaded) layer_makes_channels: assert (f_n_out != 0);
    if (state_q == RUN) channels_are_counted: assert (channels_left_q == f_n_out - f_channels && f_channels < f_n_out);
  end
