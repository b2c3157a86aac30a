`include "replayer_layers.vh"

  // ---- the order of pixels ----

  // Products of all widths take z3 hours, so tiles have at most 7 rows and columns here, and strides are at most 3.
  function f_small;
    input [255:0] desc;
    f_small = desc[`LAC_LAYER_IN_TILE_H] <= 7 && desc[`LAC_LAYER_IN_TILE_W] <= 7 && desc[`LAC_LAYER_OUT_TILE_H] <= 7 &&
              desc[`LAC_LAYER_OUT_TILE_W] <= 7 && desc[`LAC_LAYER_STRIDE_Y] <= 3 && desc[`LAC_LAYER_STRIDE_X] <= 3 &&
              desc[`LAC_LAYER_POOL_STRIDE_Y] <= 3 && desc[`LAC_LAYER_POOL_STRIDE_X] <= 3 && desc[`LAC_LAYER_POOL_H] <= 3 &&
              desc[`LAC_LAYER_POOL_W] <= 3;
  endfunction
  always @* if (desc_valid_i) assume (f_small(desc_i));

  wire       f_streamed = layer_q[`LAC_LAYER_STREAMED];
  wire [3:0] f_pool_h = layer_q[`LAC_LAYER_POOL_H], f_pool_w = layer_q[`LAC_LAYER_POOL_W];
  wire [5:0] f_out_h = layer_q[`LAC_LAYER_OUT_TILE_H], f_out_w = layer_q[`LAC_LAYER_OUT_TILE_W];
  always @* if (f_past && rst_ni) begin
    if (f_loaded) begin
      layer_is_legal: assert (f_pool_h != 0 && f_pool_w != 0 && f_out_h != 0 && f_out_w != 0 && tile_h != 0 && tile_w != 0);
      layer_is_small: assert (f_small(layer_q));
      steps_are_products: assert (window_step_y_q == layer_q[`LAC_LAYER_POOL_STRIDE_Y] * layer_q[`LAC_LAYER_STRIDE_Y] &&
                                  window_step_x_q == layer_q[`LAC_LAYER_POOL_STRIDE_X] * layer_q[`LAC_LAYER_STRIDE_X]);
    end
    if (state_q == RUN) begin
      pixel_is_inside: assert (wy_q < f_pool_h && wx_q < f_pool_w && oy_q < f_out_h && ox_q < f_out_w);
      row_of_pixel: assert (window_row_q == (oy_q * window_step_y_q & 8'hff) &&
                            row_q == (window_row_q + wy_q * stride_y & 8'hff));
      col_of_pixel: assert (window_col_q == (ox_q * window_step_x_q & 8'hff) &&
                            col_q == (window_col_q + wx_q * stride_x & 8'hff));
    end else begin
      starts_at_the_first_pixel: assert ({wy_q, wx_q, oy_q, ox_q, row_q, col_q, window_row_q, window_col_q} == 0);
    end
    if (state_q == FLUSH && layer_q[`LAC_LAYER_ORDER] != 2'd3) ends_after_all_channels: assert (f_channels == f_n_out);
    takes_what_is_there: assert (!entry_next_o || entry_valid_i && state_q == RUN);
    waits_for_the_drain: assert (!pixel_push_o || drain_ready_i && entry_last);
    goes_on_when_it_can: assert (!(state_q == RUN && entry_valid_i && (!entry_last || drain_ready_i)) || entry_next_o);
    pushes_each_pixel_once: assert (pixel_push_o == (entry_next_o && entry_last));
    again_or_done: assert (!entry_next_o || !entry_last || entry_rewind_o != entry_done_o);
    done_in_the_last_pixel: assert (!entry_next_o || entry_done_o == (entry_last && (f_streamed || f_last_pixel)));
    frees_what_is_read_once: assert (entry_last_pass_o == (state_q == RUN && (f_streamed || f_last_pixel)));
    says_where_the_channel_ends: assert (!pixel_push_o || pixel_o[2] == f_last_pixel);
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

