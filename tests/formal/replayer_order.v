  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);

  // What a program may say (docs/engine.md): extents of at least one, partial tiles behind the full ones, a split that leaves
  // lanes. The compiler keeps to it.
  // Products of all widths take z3 hours, so tiles have at most 7 rows and columns here, and strides are at most 3.
  function f_small;
    input [255:0] desc;
    f_small = desc[`LAC_LAYER_IN_TILE_H] <= 7 && desc[`LAC_LAYER_IN_TILE_W] <= 7 && desc[`LAC_LAYER_OUT_TILE_H] <= 7 &&
              desc[`LAC_LAYER_OUT_TILE_W] <= 7 && desc[`LAC_LAYER_STRIDE_Y] <= 3 && desc[`LAC_LAYER_STRIDE_X] <= 3 &&
              desc[`LAC_LAYER_POOL_STRIDE_Y] <= 3 && desc[`LAC_LAYER_POOL_STRIDE_X] <= 3 && desc[`LAC_LAYER_POOL_H] <= 3 &&
              desc[`LAC_LAYER_POOL_W] <= 3;
  endfunction
  wire [5:0] f_rows = 6'd4 >> desc_i[`LAC_LAYER_SPLIT_Y], f_cols = 6'd4 >> desc_i[`LAC_LAYER_SPLIT_X];
  always @* if (desc_valid_i) begin
    assume (desc_i[`LAC_LAYER_POOL_H] != 0 && desc_i[`LAC_LAYER_POOL_W] != 0);
    assume (desc_i[`LAC_LAYER_OUT_TILE_H] != 0 && desc_i[`LAC_LAYER_OUT_TILE_W] != 0);
    assume (desc_i[`LAC_LAYER_IN_TILE_H] != 0 && desc_i[`LAC_LAYER_IN_TILE_W] != 0);
    assume (desc_i[`LAC_LAYER_N_OUT] != 0);
    assume (desc_i[`LAC_LAYER_SPLIT_Y] != 2'd3 && desc_i[`LAC_LAYER_SPLIT_X] != 2'd3);
    assume (f_small(desc_i));
    assume (desc_i[`LAC_LAYER_FULL_ROWS] + (desc_i[`LAC_LAYER_REM_ROWS] != 0) <= f_rows);
    assume (desc_i[`LAC_LAYER_FULL_COLS] + (desc_i[`LAC_LAYER_REM_COLS] != 0) <= f_cols);
  end
  // The drain says that a layer is done when the last command has long left, and is ready for a pixel again after it.
  always @* if (|valid_q || state_q == RUN) assume (!layer_done_i);

  // A layer was loaded; it stays until the next one.
  reg f_loaded = 1'b0;
  always @(posedge clk_i) f_loaded <= rst_ni && (load || f_loaded);

  // ---- the order of pixels ----

  wire [3:0] f_pool_h = layer_q[`LAC_LAYER_POOL_H], f_pool_w = layer_q[`LAC_LAYER_POOL_W];
  wire [5:0] f_out_h = layer_q[`LAC_LAYER_OUT_TILE_H], f_out_w = layer_q[`LAC_LAYER_OUT_TILE_W];
  wire [15:0] f_n_out = layer_q[`LAC_LAYER_N_OUT];
  reg [15:0] f_channels = 16'd0;  // finished in this layer
  reg f_begins = 1'b1;            // the next entry is a pixel's first
  always @(posedge clk_i) begin
    if (entry_next_o) f_begins <= entry_last;
    if (entry_next_o && entry_done_o) f_channels <= f_channels + 16'd1;
    if (load || !rst_ni) f_channels <= 16'd0;
    if (!rst_ni) f_begins <= 1'b1;
  end
  always @* if (f_past && rst_ni) begin
    loads_only_between_layers: assert (f_loaded || state_q == IDLE);
    if (f_loaded) begin
      layer_is_legal: assert (f_pool_h != 0 && f_pool_w != 0 && f_out_h != 0 && f_out_w != 0 && tile_h != 0 && tile_w != 0);
      layer_is_small: assert (f_small(layer_q));
      layer_makes_channels: assert (f_n_out != 0);
      steps_are_products: assert (window_step_y_q == layer_q[`LAC_LAYER_POOL_STRIDE_Y] * layer_q[`LAC_LAYER_STRIDE_Y] &&
                                  window_step_x_q == layer_q[`LAC_LAYER_POOL_STRIDE_X] * layer_q[`LAC_LAYER_STRIDE_X]);
    end
    if (state_q == RUN) begin
      pixel_is_inside: assert (wy_q < f_pool_h && wx_q < f_pool_w && oy_q < f_out_h && ox_q < f_out_w);
      channels_are_counted: assert (channels_left_q == f_n_out - f_channels && f_channels < f_n_out);
      row_of_pixel: assert (window_row_q == (oy_q * window_step_y_q & 8'hff) &&
                            row_q == (window_row_q + wy_q * stride_y & 8'hff));
      col_of_pixel: assert (window_col_q == (ox_q * window_step_x_q & 8'hff) &&
                            col_q == (window_col_q + wx_q * stride_x & 8'hff));
    end else begin
      starts_at_the_first_pixel: assert ({wy_q, wx_q, oy_q, ox_q, row_q, col_q, window_row_q, window_col_q} == 0);
    end
    if (state_q == FLUSH && layer_q[`LAC_LAYER_ORDER] != 2'd3) ends_after_all_channels: assert (f_channels == f_n_out);
    first_is_the_first: assert (first_q == f_begins);
    takes_what_is_there: assert (!entry_next_o || entry_valid_i && state_q == RUN);
    waits_for_the_drain: assert (!pixel_push_o || drain_ready_i && entry_last);
    goes_on_when_it_can: assert (!(state_q == RUN && entry_valid_i && (!entry_last || drain_ready_i)) || entry_next_o);
    pushes_each_pixel_once: assert (pixel_push_o == (entry_next_o && entry_last));
    again_or_done: assert (!entry_next_o || !entry_last || entry_rewind_o != entry_done_o);
    done_in_the_last_pixel: assert (!entry_next_o || entry_done_o == (entry_last && wy_q + 1 == f_pool_h && wx_q + 1 == f_pool_w &&
                                                                      oy_q + 1 == f_out_h && ox_q + 1 == f_out_w));
  end

  // The next pixel: one counter goes on by one, those inside of it start again, those outside stay.
  reg f_moved = 1'b0, f_was_wx_last, f_was_wy_last, f_was_ox_last, f_was_oy_last;
  reg [3:0] f_wy, f_wx;
  reg [5:0] f_oy, f_ox;
  always @(posedge clk_i) begin
    f_moved <= rst_ni && pixel_push_o;
    {f_wy, f_wx, f_oy, f_ox} <= {wy_q, wx_q, oy_q, ox_q};
    {f_was_wy_last, f_was_wx_last} <= {wy_q + 4'd1 == f_pool_h, wx_q + 4'd1 == f_pool_w};
    {f_was_oy_last, f_was_ox_last} <= {oy_q + 6'd1 == f_out_h, ox_q + 6'd1 == f_out_w};
  end
  always @* if (f_moved) begin
    wx_goes_on: assert (wx_q == (f_was_wx_last ? 4'd0 : f_wx + 4'd1));
    wy_goes_on: assert (wy_q == (!f_was_wx_last ? f_wy : f_was_wy_last ? 4'd0 : f_wy + 4'd1));
    ox_goes_on: assert (ox_q == (!f_was_wx_last || !f_was_wy_last ? f_ox : f_was_ox_last ? 6'd0 : f_ox + 6'd1));
    oy_goes_on: assert (oy_q == (!f_was_wx_last || !f_was_wy_last || !f_was_ox_last ? f_oy :
                                 f_was_oy_last ? 6'd0 : f_oy + 6'd1));
  end

