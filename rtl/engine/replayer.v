// Executes a layer: replays every channel's entries once per pixel and turns them into commands for the mesh.
//
//   for each channel, for oy, ox of the output tile, for wy, wx of the pool window: all entries of the channel
//
// A single point decides whether an entry is issued; behind it nothing stalls. The last entry of a pixel waits
// until the drain will be free for it. The next layer starts when the drain has written the present one's last
// word (layer_done_i); its descriptor is copied in that very cycle. A layer for the vector unit is only waited for.
//
// The lists of a streamed layer come from the ring once for every pixel, and are not rewound.
//
// In a layer with factors the first entry of a pixel is the channel's factor: one word a channel, from where the
// entry of the first channel points to, and the same for every pixel. Or it is the pixel's factor, in the same words
// for every channel.
//
// stream  one entry a cycle; from issue to command 4 cycles
`default_nettype none

`include "lac_contract.vh"

module replayer #(
    parameter MESH_X = 7,
    parameter MESH_Y = 7,
    parameter ADDR_BITS = 12,
    parameter LANE = 0,
    parameter SCALE = 0,
    parameter WEIGHT_WIDTH = LANE == 1 ? 4 : 8  // {times 4, digit}, or the weight
) (
    input  wire                 clk_i,
    input  wire                 rst_ni,
    // descriptor
    input  wire                 desc_valid_i,
    output wire                 desc_taken_o,
    input  wire         [255:0] desc_i,
    output wire         [255:0] layer_o,        // of the layer being executed
    output wire                 idle_o,
    input  wire                 layer_done_i,
    // entries
    input  wire                 entry_valid_i,
    input  wire [WEIGHT_WIDTH+32:0] entry_i,
    output wire                 entry_next_o,
    output wire                 entry_rewind_o,
    output wire                 entry_done_o,
    output wire                 entry_last_pass_o,
    // drain
    input  wire                 drain_ready_i,
    output wire                 pixel_push_o,   // the last entry of a pixel is issued
    output wire           [3:0] pixel_o,        // {last of layer, last of channel, last, first of pool window}
    // command to the mesh
    output wire                 valid_o,
    output wire [ADDR_BITS-1:0] addr_o,
    output wire    [MESH_X-1:0] col_a_o,
    output wire    [MESH_X-1:0] col_b_o,
    output wire    [MESH_Y-1:0] row_a_o,
    output wire    [MESH_Y-1:0] row_b_o,
    output wire [WEIGHT_WIDTH-1:0] weight_o,
    output wire                 first_o,
    output wire                 last_o,
    // what this cycle was spent on; none of them: other
    output wire                 is_compute_o,
    output wire                 is_starved_o,
    output wire                 is_drain_o
);
  localparam [1:0] IDLE = 2'd0, RUN = 2'd1, FLUSH = 2'd2;

  reg   [1:0] state_q;
  reg [255:0] layer_q;
  wire        load = desc_valid_i && (state_q == IDLE || (state_q == FLUSH && layer_done_i));

  assign desc_taken_o = load;
  assign layer_o = layer_q;
  assign idle_o = state_q == IDLE;

  wire [3:0] stride_y = layer_q[`LAC_LAYER_STRIDE_Y];
  wire [3:0] stride_x = layer_q[`LAC_LAYER_STRIDE_X];
  wire [5:0] tile_h = layer_q[`LAC_LAYER_IN_TILE_H];
  wire [5:0] tile_w = layer_q[`LAC_LAYER_IN_TILE_W];
  wire       by_lane = layer_q[`LAC_LAYER_ORDER] == 2'd2;
  wire [1:0] split_y = layer_q[`LAC_LAYER_SPLIT_Y];
  wire [1:0] split_x = layer_q[`LAC_LAYER_SPLIT_X];

  // Mesh rows and columns of one image. A mesh is never split into less than a lane.
  localparam integer ROWS = MESH_Y, COLS = MESH_X;
  function [5:0] rows_of_image;
    input [1:0] split;
    rows_of_image = ROWS[5:0] >> split;
  endfunction
  function [5:0] cols_of_image;
    input [1:0] split;
    cols_of_image = COLS[5:0] >> split;
  endfunction

  // Products and masks of the descriptor, ready a cycle after it: the first command needs them two later.
  reg        [7:0] window_step_y_q, window_step_x_q;
  // Images that share the mesh have equal rectangles of it: a row counts from the first one of its image.
  reg [MESH_Y-1:0] full_rows_q, rest_row_q, top_rows_q, bottom_rows_q;
  reg [MESH_X-1:0] full_cols_q, rest_col_q, left_cols_q, right_cols_q;
  always @(posedge clk_i) begin : layer_constants
    integer i;
    // verilator lint_off UNUSEDSIGNAL
    integer place, place_1, place_2, place_3;  // "Bits of signal are not used": constants, once loops are unrolled
    // verilator lint_on UNUSEDSIGNAL
    reg [5:0] own, rows, cols;
    if (load) begin
      rows = rows_of_image(desc_i[`LAC_LAYER_SPLIT_Y]);
      cols = cols_of_image(desc_i[`LAC_LAYER_SPLIT_X]);
      layer_q <= desc_i;
      window_step_y_q <= desc_i[`LAC_LAYER_POOL_STRIDE_Y] * desc_i[`LAC_LAYER_STRIDE_Y];
      window_step_x_q <= desc_i[`LAC_LAYER_POOL_STRIDE_X] * desc_i[`LAC_LAYER_STRIDE_X];
      for (i = 0; i < MESH_Y; i = i + 1) begin
        place = i;
        place_1 = i % (ROWS < 2 ? 1 : ROWS / 2);
        place_2 = i % (ROWS < 4 ? 1 : ROWS / 4);
        place_3 = i % (ROWS < 8 ? 1 : ROWS / 8);
        case (desc_i[`LAC_LAYER_SPLIT_Y])
          2'd0: own = place[5:0];
          2'd1: own = place_1[5:0];
          2'd2: own = place_2[5:0];
          default: own = place_3[5:0];
        endcase
        full_rows_q[i] <= own < desc_i[`LAC_LAYER_FULL_ROWS];
        rest_row_q[i] <= own == desc_i[`LAC_LAYER_FULL_ROWS];
        top_rows_q[i] <= own == 6'd0;
        bottom_rows_q[i] <= own == rows - 6'd1;
      end
      for (i = 0; i < MESH_X; i = i + 1) begin
        place = i;
        place_1 = i % (COLS < 2 ? 1 : COLS / 2);
        place_2 = i % (COLS < 4 ? 1 : COLS / 4);
        place_3 = i % (COLS < 8 ? 1 : COLS / 8);
        case (desc_i[`LAC_LAYER_SPLIT_X])
          2'd0: own = place[5:0];
          2'd1: own = place_1[5:0];
          2'd2: own = place_2[5:0];
          default: own = place_3[5:0];
        endcase
        full_cols_q[i] <= own < desc_i[`LAC_LAYER_FULL_COLS];
        rest_col_q[i] <= own == desc_i[`LAC_LAYER_FULL_COLS];
        left_cols_q[i] <= own == 6'd0;
        right_cols_q[i] <= own == cols - 6'd1;
      end
    end
  end

  // The pixel: place in the pool window, in the tile, in the input; channels left.
  reg  [3:0] wy_q, wx_q;
  reg  [5:0] oy_q, ox_q;
  reg  [7:0] row_q, col_q, window_row_q, window_col_q;
  reg [15:0] channels_left_q;

  wire wx_last = wx_q + 4'd1 == layer_q[`LAC_LAYER_POOL_W];
  wire wy_last = wy_q + 4'd1 == layer_q[`LAC_LAYER_POOL_H];
  wire ox_last = ox_q + 6'd1 == layer_q[`LAC_LAYER_OUT_TILE_W];
  wire oy_last = oy_q + 6'd1 == layer_q[`LAC_LAYER_OUT_TILE_H];
  wire window_last = wx_last && wy_last;
  wire pixel_last = window_last && ox_last && oy_last;
  wire layer_last = pixel_last && channels_left_q == 16'd1;
  wire [7:0] window_row_next = window_row_q + window_step_y_q;
  wire [7:0] window_col_next = window_col_q + window_step_x_q;

  // The issue point.
  wire              entry_last;
  wire [WEIGHT_WIDTH-1:0] entry_weight;
  wire       [15:0] entry_address;
  wire        [7:0] entry_dy, entry_dx;
  assign {entry_last, entry_weight, entry_address, entry_dy, entry_dx} = entry_i;

  wire running = state_q == RUN;
  wire issue = running && entry_valid_i && (!entry_last || drain_ready_i);
  wire next_pixel = issue && entry_last;
  reg  first_q;

  wire loads_factor, is_of_channel;
  wire [15:0] factor_address;
  generate
    if (SCALE != 0) begin : gen_scale
      reg        first_channel_q;
      reg [15:0] address_q;
      wire       each = SCALE == 2 && layer_q[`LAC_LAYER_SCALE_EACH];
      assign loads_factor = layer_q[`LAC_LAYER_SCALE] && first_q;
      assign is_of_channel = loads_factor && !each;
      assign factor_address = first_channel_q ? entry_address : address_q;
      always @(posedge clk_i) begin
        if (issue && loads_factor && first_channel_q) address_q <= entry_address;
        if (next_pixel && pixel_last) begin
          if (!each) address_q <= address_q + 16'd1;
          first_channel_q <= 1'b0;
        end
        if (load) first_channel_q <= 1'b1;
      end
    end else begin : gen_no_scale
      assign loads_factor = 1'b0;
      assign is_of_channel = 1'b0;
      assign factor_address = entry_address;
    end
  endgenerate

  assign entry_next_o = issue;
  // A streamed list comes again by itself.
  wire once = pixel_last || layer_q[`LAC_LAYER_STREAMED];
  assign entry_rewind_o = entry_last && !once;
  assign entry_done_o = entry_last && once;
  assign entry_last_pass_o = running && once;
  assign pixel_push_o = next_pixel;
  assign pixel_o = {layer_last, pixel_last, window_last, wx_q == 4'd0 && wy_q == 4'd0};
  assign is_compute_o = issue && (LANE == 1 ? entry_weight[2:0] != 3'd0 : |entry_weight);
  assign is_starved_o = running ? !entry_valid_i : state_q == IDLE && !desc_valid_i;
  assign is_drain_o = running && entry_valid_i && entry_last && !drain_ready_i;

  always @(posedge clk_i) begin
    if (issue) first_q <= entry_last;
    if (next_pixel) begin
      wx_q <= wx_last ? 4'd0 : wx_q + 4'd1;
      if (!wx_last) begin
        col_q <= col_q + {4'd0, stride_x};
      end else if (!wy_last) begin
        wy_q <= wy_q + 4'd1;
        row_q <= row_q + {4'd0, stride_y};
        col_q <= window_col_q;
      end else begin
        wy_q <= 4'd0;
        if (!ox_last) begin
          ox_q <= ox_q + 6'd1;
          row_q <= window_row_q;
          col_q <= window_col_next;
          window_col_q <= window_col_next;
        end else begin
          ox_q <= 6'd0;
          col_q <= 8'd0;
          window_col_q <= 8'd0;
          oy_q <= oy_last ? 6'd0 : oy_q + 6'd1;
          row_q <= oy_last ? 8'd0 : window_row_next;
          window_row_q <= oy_last ? 8'd0 : window_row_next;
          if (oy_last) channels_left_q <= channels_left_q - 16'd1;
        end
      end
      if (layer_last) state_q <= FLUSH;
    end
    if (state_q == FLUSH && layer_done_i) state_q <= IDLE;
    if (load) begin
      state_q <= desc_i[`LAC_LAYER_ORDER] == 2'd3 ? FLUSH : RUN;
      channels_left_q <= desc_i[`LAC_LAYER_N_OUT];
    end
    if (!rst_ni) begin
      state_q <= IDLE;
      first_q <= 1'b1;
      wy_q <= 4'd0;
      wx_q <= 4'd0;
      oy_q <= 6'd0;
      ox_q <= 6'd0;
      row_q <= 8'd0;
      col_q <= 8'd0;
      window_row_q <= 8'd0;
      window_col_q <= 8'd0;
    end
  end

  // Step 1: tap to row and column of the tile, possibly outside of it by less than one tile.
  reg         [3:0] valid_q, first_pipe_q, last_pipe_q;
  reg [WEIGHT_WIDTH-1:0] weight_1_q, weight_2_q, weight_3_q, weight_4_q;
  reg        [15:0] address_1_q, address_2_q, address_3_q, address_4_q;
  reg signed  [8:0] row_1_q, col_1_q;
  reg         [4:0] lane_y_1_q, lane_x_1_q, lane_y_2_q, lane_x_2_q, lane_y_3_q, lane_x_3_q;

  // Step 2: neighbour and place inside its tile.
  wire              before_y = row_1_q[8];
  wire              before_x = col_1_q[8];
  wire              after_y = !before_y && row_1_q[7:0] >= {2'd0, tile_h};
  wire              after_x = !before_x && col_1_q[7:0] >= {2'd0, tile_w};
  reg               before_y_2_q, before_x_2_q, after_y_2_q, after_x_2_q;
  reg               before_y_3_q, before_x_3_q, after_y_3_q, after_x_3_q;
  reg         [5:0] row_2_q, col_2_q, col_3_q;

  // Step 3: word of the row; which lanes of a partial tile hold this pixel.
  reg        [11:0] row_words_q;
  reg               rest_y_q, rest_x_q;

  // Step 4: address and selects.
  reg  [MESH_X-1:0] col_a_q, col_b_q;
  reg  [MESH_Y-1:0] row_a_q, row_b_q;
  wire [MESH_Y-1:0] rows_held = full_rows_q | (rest_row_q & {MESH_Y{rest_y_q}});
  wire [MESH_X-1:0] cols_held = full_cols_q | (rest_col_q & {MESH_X{rest_x_q}});
  wire [MESH_Y-1:0] rows_read = before_y_3_q ? (rows_held << 1) & ~top_rows_q :
                                after_y_3_q ? (rows_held >> 1) & ~bottom_rows_q : rows_held;
  wire [MESH_X-1:0] cols_read = before_x_3_q ? (cols_held << 1) & ~left_cols_q :
                                after_x_3_q ? (cols_held >> 1) & ~right_cols_q : cols_held;
  wire [MESH_Y-1:0] rows_ok = by_lane ? lane_of_every_image_y(lane_y_3_q, split_y) : rows_read;
  wire [MESH_X-1:0] cols_ok = by_lane ? lane_of_every_image_x(lane_x_3_q, split_x) : cols_read;

  function [MESH_Y-1:0] lane_of_every_image_y;
    input [4:0] lane;
    input [1:0] split;
    begin
      lane_of_every_image_y = {{(MESH_Y - 1) {1'b0}}, 1'b1} << lane;
      if (split == 2'd3) lane_of_every_image_y = lane_of_every_image_y | (lane_of_every_image_y << (MESH_Y >> 3));
      if (split >= 2'd2) lane_of_every_image_y = lane_of_every_image_y | (lane_of_every_image_y << (MESH_Y >> 2));
      if (split >= 2'd1) lane_of_every_image_y = lane_of_every_image_y | (lane_of_every_image_y << (MESH_Y >> 1));
    end
  endfunction
  function [MESH_X-1:0] lane_of_every_image_x;
    input [4:0] lane;
    input [1:0] split;
    begin
      lane_of_every_image_x = {{(MESH_X - 1) {1'b0}}, 1'b1} << lane;
      if (split == 2'd3) lane_of_every_image_x = lane_of_every_image_x | (lane_of_every_image_x << (MESH_X >> 3));
      if (split >= 2'd2) lane_of_every_image_x = lane_of_every_image_x | (lane_of_every_image_x << (MESH_X >> 2));
      if (split >= 2'd1) lane_of_every_image_x = lane_of_every_image_x | (lane_of_every_image_x << (MESH_X >> 1));
    end
  endfunction

  always @(posedge clk_i) begin
    valid_q <= {valid_q[2:0], issue};
    first_pipe_q <= {first_pipe_q[2:0], first_q};
    last_pipe_q <= {last_pipe_q[2:0], entry_last};
    if (!rst_ni) valid_q <= 4'd0;
  end

  // Last step first: a simulator then needs no copies of what the steps before overwrite.
  always @(posedge clk_i) begin
    if (valid_q[2]) begin
      weight_4_q <= weight_3_q;
      address_4_q <= address_3_q + {4'd0, row_words_q} + {10'd0, col_3_q};
      row_a_q <= ~rows_ok | {MESH_Y{!by_lane && after_y_3_q}};
      row_b_q <= ~rows_ok | {MESH_Y{!by_lane && before_y_3_q}};
      col_a_q <= ~cols_ok | {MESH_X{!by_lane && after_x_3_q}};
      col_b_q <= ~cols_ok | {MESH_X{!by_lane && before_x_3_q}};
    end
    if (valid_q[1]) begin
      weight_3_q <= weight_2_q;
      address_3_q <= address_2_q;
      before_y_3_q <= before_y_2_q;
      before_x_3_q <= before_x_2_q;
      after_y_3_q <= after_y_2_q;
      after_x_3_q <= after_x_2_q;
      row_words_q <= row_2_q * tile_w;
      col_3_q <= col_2_q;
      rest_y_q <= row_2_q < layer_q[`LAC_LAYER_REM_ROWS];
      rest_x_q <= col_2_q < layer_q[`LAC_LAYER_REM_COLS];
      lane_y_3_q <= lane_y_2_q;
      lane_x_3_q <= lane_x_2_q;
    end
    if (valid_q[0]) begin
      weight_2_q <= weight_1_q;
      address_2_q <= address_1_q;
      before_y_2_q <= before_y;
      before_x_2_q <= before_x;
      after_y_2_q <= after_y;
      after_x_2_q <= after_x;
      row_2_q <= row_1_q[5:0] + (before_y ? tile_h : after_y ? ~tile_h + 6'd1 : 6'd0);
      col_2_q <= col_1_q[5:0] + (before_x ? tile_w : after_x ? ~tile_w + 6'd1 : 6'd0);
      lane_y_2_q <= lane_y_1_q;
      lane_x_2_q <= lane_x_1_q;
    end
    if (issue) begin
      weight_1_q <= entry_weight;
      address_1_q <= loads_factor ? factor_address : entry_address;
      row_1_q <= is_of_channel ? 9'd0 : {1'b0, row_q} + (by_lane ? 9'd0 : {entry_dy[7], entry_dy});
      col_1_q <= is_of_channel ? 9'd0 : {1'b0, col_q} + (by_lane ? 9'd0 : {entry_dx[7], entry_dx});
      lane_y_1_q <= entry_dy[4:0];
      lane_x_1_q <= entry_dx[4:0];
    end
  end

  assign valid_o = valid_q[3];
  assign first_o = first_pipe_q[3];
  assign last_o = last_pipe_q[3];
  assign weight_o = weight_4_q;
  assign addr_o = address_4_q[ADDR_BITS-1:0];
  assign col_a_o = col_a_q;
  assign col_b_o = col_b_q;
  assign row_a_o = row_a_q;
  assign row_b_o = row_b_q;

  wire unused_ok = &{1'b0, layer_q, address_4_q};
endmodule

`default_nettype wire
