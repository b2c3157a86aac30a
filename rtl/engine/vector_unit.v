// Layers from one pixel to one pixel (fully connected ones), where every weight is used once: a word of the list
// brings a weight for each of several slots, and every slot has a multiplier.
//
// Slot k of S = 64 / entry bits has the inputs whose activation word is k modulo S, and a list of its own: its row
// (activation word / S) moves on by gap + 1, and from the last row of the input it goes on to the first, which
// begins the slot's next output channel. Slots do not wait for each other: a finished sum waits in a queue until
// every slot has its own. A weight of 0 adds nothing; with a gap of all ones the row stays, too.
//
// The unit has a copy of what is written for lane 0, in VECTOR banks that are read side by side.
//
// stream  one list word a cycle; 5 cycles from a word to the queues, 1 more to the drain
// units   ACT_WORDS codes of ACT_BITS; a slot may be 24 channels ahead of the slowest
`default_nettype none

`include "lac_contract.vh"

module vector_unit #(
    parameter VECTOR = 8,  // 4, 8 or 16
    parameter ACC_BITS = 24,
    parameter ACT_WORDS = 4096,
    parameter ACT_BITS = 8,
    parameter ADDR_BITS = $clog2(ACT_WORDS)
) (
    input  wire                 clk_i,
    input  wire                 rst_ni,
    // layer_i holds from the cycle after start_i on
    input  wire                 start_i,
    input  wire         [255:0] layer_i,
    // list words
    input  wire                 word_valid_i,
    output wire                 word_ready_o,
    input  wire          [63:0] word_i,
    input  wire                 word_last_i,   // of the layer
    // sums
    input  wire                 drain_ready_i,
    output wire                 pixel_push_o,  // a sum sets out
    output wire                 pixel_last_o,  // the layer's last
    output wire                 sum_valid_o,   // one cycle later
    output wire          [31:0] sum_o,
    // what this cycle was spent on
    output wire                 is_compute_o,
    output wire                 is_starved_o,
    output wire                 is_drain_o,
    // writes to lane 0
    input  wire                 write_i,
    input  wire [ADDR_BITS-1:0] write_addr_i,
    input  wire  [ACT_BITS-1:0] write_code_i
);
  localparam BANK_LOG2 = $clog2(VECTOR);
  localparam BANK_WORDS = (ACT_WORDS + VECTOR - 1) / VECTOR;
  localparam BANK_ADDR_BITS = $clog2(BANK_WORDS);
  localparam CODE_BITS = ACT_BITS + 1;
  localparam PRODUCT_BITS = CODE_BITS + 8 < ACC_BITS ? CODE_BITS + 8 : ACC_BITS;
`ifdef LAC_FAULT_QUEUE  // for the test of the test bench
  localparam QUEUE_LOG2 = 4;
`else
  localparam QUEUE_LOG2 = 5;
`endif
  // Words are held back at this length; six more sums may be on their way. Lists that keep to 24 never wait for it.
  localparam [QUEUE_LOG2:0] MOST_WAITING = 25;
  localparam PARTS = VECTOR / 4;

  // Constants of the layer. There are 16 >> entry_bits slots.
  wire  [1:0] entry_bits = layer_i[`LAC_LAYER_ENTRY_BITS];
  wire  [3:0] weight_bits = layer_i[`LAC_LAYER_WEIGHT_BITS];
  wire [15:0] n_rows = layer_i[`LAC_LAYER_MINOR];
  wire        act_signed = layer_i[`LAC_LAYER_ACT_SIGNED];
  wire [15:0] first_row = layer_i[`LAC_LAYER_IN_BASE] >> (3'd4 - {1'b0, entry_bits});
  wire [15:0] last_row = first_row + n_rows - 16'd1;
  wire  [7:0] weight_mask = ~(8'hFF << weight_bits);
  wire  [7:0] weight_sign = 8'd1 << (weight_bits - 4'd1);
  wire [15:0] widest_gap = (entry_bits == 2'd0 ? 16'h000F : entry_bits == 2'd1 ? 16'h00FF : 16'hFFFF) >> weight_bits;

  // All slots go in step: x_q[n] belongs to the word that was taken n + 1 cycles ago.
  reg        active_q, begin_q, over_q, room_q;
  reg [63:0] word_q;
  reg  [3:0] valid_q, last_q;
  reg        flush_q;
  wire       take = word_valid_i && word_ready_o;
  wire       busy = active_q && !begin_q && !over_q;
  assign word_ready_o = busy && room_q;
  assign is_compute_o = take;
  assign is_starved_o = busy && room_q && !word_valid_i;
  assign is_drain_o = busy && !room_q;

  reg [15:0] channels_left_q;
  always @(posedge clk_i) begin
    begin_q <= start_i;
    if (take) word_q <= word_i;
    valid_q <= {valid_q[2:0], take};
    last_q <= {last_q[2:0], take && word_last_i};
    flush_q <= last_q[3];
    if (start_i) over_q <= 1'b0;
    else if (take && word_last_i) over_q <= 1'b1;
    if (start_i) active_q <= 1'b1;
    else if (pixel_push_o && pixel_last_o) active_q <= 1'b0;
    if (begin_q) channels_left_q <= layer_i[`LAC_LAYER_N_OUT];
    else if (pixel_push_o) channels_left_q <= channels_left_q - 16'd1;
    if (!rst_ni) begin
      active_q <= 1'b0;
      begin_q <= 1'b0;
      valid_q <= 4'd0;
      last_q <= 4'd0;
      flush_q <= 1'b0;
    end
  end

  // Queues of finished sums: one place to write for each slot, one to read for all.
  reg  [QUEUE_LOG2:0] head_q;
  wire         [VECTOR-1:0] slot_is_ready, slot_is_far;
  wire [ACC_BITS*VECTOR-1:0] slot_sums;
  assign pixel_push_o = active_q && (&slot_is_ready) && drain_ready_i;
  assign pixel_last_o = channels_left_q == 16'd1;
  always @(posedge clk_i) begin
    room_q <= !(|slot_is_far);
    if (begin_q) head_q <= 0;
    else if (pixel_push_o) head_q <= head_q + 1'b1;
    if (!rst_ni) head_q <= 0;
  end

  wire       [16*VECTOR-1:0] slot_rows;
  wire [ACT_BITS*VECTOR-1:0] codes;
  genvar k;
  generate
    for (k = 0; k < VECTOR; k = k + 1) begin : gen_slot
      wire in_use = k < 4 || (k < 8 && entry_bits != 2'd2) || entry_bits == 2'd0;

      // Step 1: entry to weight and row.
      wire [15:0] slot = entry_bits == 2'd0 ? {12'd0, word_q[4*k+:4]} :
                         entry_bits == 2'd1 ? {8'd0, word_q[8*(k%8)+:8]} : word_q[16*(k%4)+:16];
      wire  [7:0] weight = ((slot[7:0] & weight_mask) ^ weight_sign) - weight_sign;
      wire [15:0] gap = slot >> weight_bits;
      wire        stays = weight == 8'd0 && gap == widest_gap;
      reg  [15:0] row_q;
      wire [15:0] row_sum = row_q + gap + 16'd1;
      wire        wraps = row_sum > last_row;
      reg   [7:0] weight_1_q, weight_2_q;
      reg         next_1_q, next_2_q, next_3_q;
      always @(posedge clk_i) begin
        if (begin_q) row_q <= first_row - 16'd1;
        else if (valid_q[0] && !stays) row_q <= wraps ? row_sum - n_rows : row_sum;
        if (valid_q[0]) begin
          weight_1_q <= weight;
          next_1_q <= wraps && !stays;
        end
      end
      assign slot_rows[16*k+:16] = row_q;

      // Step 2: the banks; where several serve the slot, the lowest bits of the row choose.
      reg  [1:0] choice_q;
      wire [ACT_BITS-1:0] code;
      if (VECTOR == 16) begin : gen_16
        assign code = entry_bits == 2'd0 ? codes[ACT_BITS*k+:ACT_BITS] :
                      entry_bits == 2'd1 ? (choice_q[0] ? codes[ACT_BITS*(k%8+8)+:ACT_BITS] : codes[ACT_BITS*(k%8)+:ACT_BITS]) :
                      choice_q == 2'd0 ? codes[ACT_BITS*(k%4)+:ACT_BITS] :
                      choice_q == 2'd1 ? codes[ACT_BITS*(k%4+4)+:ACT_BITS] :
                      choice_q == 2'd2 ? codes[ACT_BITS*(k%4+8)+:ACT_BITS] : codes[ACT_BITS*(k%4+12)+:ACT_BITS];
      end else if (VECTOR == 8) begin : gen_8
        assign code = entry_bits == 2'd1 ? codes[ACT_BITS*k+:ACT_BITS] :
                      choice_q[0] ? codes[ACT_BITS*(k%4+4)+:ACT_BITS] : codes[ACT_BITS*(k%4)+:ACT_BITS];
      end else begin : gen_4
        assign code = codes[ACT_BITS*k+:ACT_BITS];
      end
      always @(posedge clk_i) begin
        if (valid_q[1]) begin
          choice_q <= row_q[1:0];
          weight_2_q <= weight_1_q;
          next_2_q <= next_1_q;
        end
      end

      // Step 3: product. Step 4: sum; the first product of a channel sends the one before to the queue.
      reg signed [PRODUCT_BITS-1:0] product_q;
      reg signed     [ACC_BITS-1:0] acc_q;
      wire push = (valid_q[3] && next_3_q) || flush_q;
      always @(posedge clk_i) begin
        if (valid_q[2]) begin
          product_q <= $signed({act_signed & code[ACT_BITS-1], code}) * $signed(weight_2_q);
          next_3_q <= next_2_q;
        end
        if (begin_q) acc_q <= {ACC_BITS{1'b0}};
        else if (valid_q[3])
          acc_q <= (next_3_q ? {ACC_BITS{1'b0}} : acc_q) +
                   {{(ACC_BITS - PRODUCT_BITS) {product_q[PRODUCT_BITS-1]}}, product_q};
      end

      reg [ACC_BITS-1:0] queue [0:(1<<QUEUE_LOG2)-1];
      reg [QUEUE_LOG2:0] tail_q;
      wire [QUEUE_LOG2:0] n_waiting = tail_q - head_q;
      always @(posedge clk_i) begin
        if (push) queue[tail_q[QUEUE_LOG2-1:0]] <= acc_q;
        if (begin_q) tail_q <= 0;
        else if (push) tail_q <= tail_q + 1'b1;
        if (!rst_ni) tail_q <= 0;
      end
      assign slot_is_ready[k] = !in_use || n_waiting != 0;
      assign slot_is_far[k] = in_use && n_waiting > MOST_WAITING;
      assign slot_sums[ACC_BITS*k+:ACC_BITS] = queue[head_q[QUEUE_LOG2-1:0]] & {ACC_BITS{in_use}};

      // The bank of the words k modulo VECTOR.
      wire [15:0] row_of_bank = entry_bits == 2'd0 ? slot_rows[16*k+:16] :
                                entry_bits == 2'd1 ? slot_rows[16*(k%8)+:16] >> (VECTOR == 16 ? 1 : 0)
                                                   : slot_rows[16*(k%4)+:16] >> (BANK_LOG2 - 2);
      ram_1r1w #(
          .WIDTH(ACT_BITS),
          .DEPTH(BANK_WORDS)
      ) u_bank (
          .clk_i  (clk_i),
          .ren_i  (valid_q[1]),
          .raddr_i(row_of_bank[BANK_ADDR_BITS-1:0]),
          .rdata_o(codes[ACT_BITS*k+:ACT_BITS]),
          .wen_i  (write_i && write_addr_i[BANK_LOG2-1:0] == k),
          .waddr_i(write_addr_i[BANK_LOG2+:BANK_ADDR_BITS]),
          .wdata_i(write_code_i)
      );
      wire unused_slot = &{1'b0, choice_q, row_of_bank};
    end
  endgenerate

  // The sum over the slots: four at a time, then all.
  reg [32*PARTS-1:0] parts_q;
  reg                parts_valid_q;
  function [31:0] sum_four;
    input [4*ACC_BITS-1:0] slots;
    integer i;
    begin
      sum_four = 32'd0;
      for (i = 0; i < 4; i = i + 1)
        sum_four = sum_four + {{(33 - ACC_BITS) {slots[ACC_BITS*i+ACC_BITS-1]}}, slots[ACC_BITS*i+:ACC_BITS-1]};
    end
  endfunction
  function [31:0] sum_parts;
    input [32*PARTS-1:0] parts;
    integer i;
    begin
      sum_parts = 32'd0;
      for (i = 0; i < PARTS; i = i + 1) sum_parts = sum_parts + parts[32*i+:32];
    end
  endfunction
  always @(posedge clk_i) begin : sum_of_slots
    integer i;
    parts_valid_q <= pixel_push_o;
    for (i = 0; i < PARTS; i = i + 1) parts_q[32*i+:32] <= sum_four(slot_sums[4*ACC_BITS*i+:4*ACC_BITS]);
    if (!rst_ni) parts_valid_q <= 1'b0;
  end
  assign sum_valid_o = parts_valid_q;
  assign sum_o = sum_parts(parts_q);

  wire unused_ok = &{1'b0, layer_i, slot_rows, last_q};
endmodule

`default_nettype wire
