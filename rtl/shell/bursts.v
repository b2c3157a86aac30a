// Issues the kernel's bursts: program and input are read, results are written. One burst at a time is on its way to
// the address channels; many reads may be outstanding. A read is issued when its queue has room for all of it, a
// write when all its data are there, so neither data channel ever waits for the kernel.
//
// A burst has at most 16 beats and ends at a multiple of 16 beats at the latest: 16 beats are 128 .. 1024 bytes, so
// none crosses 4 KiB.
//
// One adder serves the addresses of all channels, which lie in a small memory, and one their counts of beats, which run
// up to all ones: what is left, inverted.
//
// stream  a burst every three cycles
// units   beats of DATA_BITS; addresses count beats
// proved  handshake and burst rules of AXI4, reservations never exceed the queues (tests/formal)
`default_nettype none

module bursts #(
    parameter DATA_BITS = 64,
    parameter PROGRAM_LOG2 = 8,  // beats of the queues that wait behind
    parameter INPUT_LOG2 = 5,
    parameter LEFT_BITS = 28,
    parameter ADDR_BITS = 64 - $clog2(DATA_BITS / 8)
) (
    input  wire                 clk_i,
    input  wire                 rst_ni,
    input  wire                 clear_i,        // forget everything that was not issued
    output wire                 quiet_o,        // nothing outstanding
    // addresses: channel 0 program, 1 input, 2 output; half by half, low half first
    input  wire           [2:0] set_low_i,
    input  wire           [2:0] set_high_i,
    input  wire          [31:0] set_data_i,
    // blocks to read; the program starts over with each, the input goes on
    input  wire                 program_arm_i,
    input  wire [LEFT_BITS-1:0] program_beats_i,
    output wire                 program_idle_o, // the last block is all issued
    input  wire                 program_pop_i,  // a beat left the queue
    input  wire                 input_arm_i,
    input  wire [LEFT_BITS-1:0] input_beats_i,
    output wire                 input_idle_o,
    input  wire                 input_pop_i,
    // results
    input  wire                 output_push_i,  // a beat entered the queue
    input  wire                 output_flush_i, // do not wait for a whole burst
    output wire                 output_empty_o, // everything is issued
    // where the beat on the read channel belongs
    output wire                 read_program_o,
    output wire                 read_input_o,
    // AXI4
    output wire                 arvalid_o,
    input  wire                 arready_i,
    output wire                 awvalid_o,
    input  wire                 awready_i,
    output wire          [63:0] addr_o,
    output wire           [7:0] len_o,
    output wire                 wvalid_o,
    input  wire                 wready_i,
    output wire                 wlast_o,
    input  wire                 bvalid_i,
    input  wire                 rvalid_i,
    input  wire                 rlast_i
);
  localparam BEAT_LOG2 = 64 - ADDR_BITS;
  localparam LOW_BITS = 32 - BEAT_LOG2;
  localparam [1:0] PROGRAM = 2'd0, INPUT = 2'd1, OUTPUT = 2'd2;
  localparam OUTPUT_LOG2 = 5;

  localparam [1:0] PROGRAM_BASE = 2'd3;
  reg  [LOW_BITS-1:0] addrs_low [0:3];
  reg          [31:0] addrs_high [0:3];
  reg                 program_starts_q;    // its next burst is the first of a block
  reg           [3:0] output_place_q;      // lower bits of the output's address
  reg [LEFT_BITS-1:0] program_count_q, input_count_q;
  reg  [PROGRAM_LOG2:0] program_taken_q;   // places of the queue that are filled or promised
  reg    [INPUT_LOG2:0] input_taken_q;
  reg   [OUTPUT_LOG2:0] output_level_q;    // beats that no burst has yet

  reg        arvalid_q, awvalid_q;
  reg [ADDR_BITS-1:0] addr_q;
  reg  [3:0] len_q;
  reg  [4:0] write_left_q;                 // beats of the present write
  reg  [2:0] writes_q;                     // writes without an answer

  // Who is next.
  wire owners_ready, owners_valid, owner;
  wire [4:0] output_room = 5'd16 - {1'b0, output_place_q};
  wire program_wants = !program_idle_o && program_taken_q <= (1 << PROGRAM_LOG2) - 16 && owners_ready;
  wire input_wants = !input_idle_o && input_taken_q <= (1 << INPUT_LOG2) - 16 && owners_ready;
  wire output_wants = (output_level_q >= {1'b0, output_room} || (output_flush_i && output_level_q != 0)) &&
                      write_left_q == 5'd0 && writes_q != 3'd7;
  reg        issue_q;
  reg  [1:0] channel_q;
  wire       free = !arvalid_q && !awvalid_q && !issue_q && !clear_i;

  // Its burst.
  wire           [1:0] place = channel_q == PROGRAM && program_starts_q ? PROGRAM_BASE : channel_q;
  wire [ADDR_BITS-1:0] addr = {addrs_high[place], addrs_low[place]};
  wire [LEFT_BITS-1:0] count = channel_q == OUTPUT ? ~{{(LEFT_BITS - OUTPUT_LOG2 - 1) {1'b0}}, output_level_q}
                             : channel_q == INPUT ? input_count_q : program_count_q;
  wire           [4:0] room = 5'd16 - {1'b0, addr[3:0]};
  wire           [4:0] beats = &count[LEFT_BITS-1:5] && ~count[4:0] < room ? ~count[4:0] : room;
  wire           [4:0] beats_less_1 = beats - 5'd1;
  wire [ADDR_BITS-1:0] addr_next = addr + {{(ADDR_BITS - 5) {1'b0}}, beats};
  wire [LEFT_BITS-1:0] count_next = count + {{(LEFT_BITS - 5) {1'b0}}, beats};
  wire       issue = issue_q && !clear_i;
  wire       issue_program = issue && channel_q == PROGRAM;
  wire       issue_input = issue && channel_q == INPUT;
  wire       issue_output = issue && channel_q == OUTPUT;

  fifo #(
      .WIDTH(1),
      .DEPTH_LOG2(3)
  ) u_owners (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .push_i (issue && !issue_output),
      .ready_o(owners_ready),
      .data_i (issue_input),
      .valid_o(owners_valid),
      .pop_i  (rvalid_i && rlast_i && owners_valid),
      .data_o (owner)
  );
  assign read_program_o = rvalid_i && owners_valid && !owner;
  assign read_input_o = rvalid_i && owners_valid && owner;

  assign arvalid_o = arvalid_q;
  assign awvalid_o = awvalid_q;
  assign addr_o = {addr_q, {BEAT_LOG2{1'b0}}};
  assign len_o = {4'd0, len_q};
  assign wvalid_o = write_left_q != 5'd0 && !awvalid_q;  // data behind their address
  assign wlast_o = write_left_q == 5'd1;
  assign program_idle_o = &program_count_q;
  assign input_idle_o = &input_count_q;
  assign output_empty_o = output_level_q == 0 && !issue_q;
  assign quiet_o = !owners_valid && !arvalid_q && !awvalid_q && write_left_q == 5'd0 && writes_q == 3'd0;

  wire answered = bvalid_i && writes_q != 3'd0;
  always @(posedge clk_i) begin
    if (free) begin
      issue_q <= output_wants || program_wants || input_wants;
      channel_q <= output_wants ? OUTPUT : input_wants && (!program_wants || channel_q == PROGRAM) ? INPUT : PROGRAM;
    end else begin
      issue_q <= 1'b0;
    end
    if (issue) begin
      addr_q <= addr;
      len_q <= beats_less_1[3:0];
    end
    if (issue && !issue_output) arvalid_q <= 1'b1;
    else if (arready_i) arvalid_q <= 1'b0;
    if (issue_output) awvalid_q <= 1'b1;
    else if (awready_i) awvalid_q <= 1'b0;
    if (issue_output) write_left_q <= beats;
    else if (wvalid_o && wready_i) write_left_q <= write_left_q - 5'd1;
    writes_q <= writes_q + {2'd0, issue_output} - {2'd0, answered};
    if (!rst_ni) begin
      issue_q <= 1'b0;
      arvalid_q <= 1'b0;
      awvalid_q <= 1'b0;
      write_left_q <= 5'd0;
      writes_q <= 3'd0;
      channel_q <= PROGRAM;
    end
  end

  // Addresses are set while nothing is issued.
  wire     [2:0] set = set_low_i | set_high_i;
  wire     [1:0] write_place = issue ? channel_q : set[0] ? PROGRAM_BASE : set[1] ? INPUT : OUTPUT;
  wire           write_low = issue || set_low_i != 3'd0;
  wire           write_high = issue || set_high_i != 3'd0;
  wire [ADDR_BITS-1:0] write_addr = issue ? addr_next : {set_data_i, set_data_i[31:BEAT_LOG2]};

  // A queue's places change by a burst and by a beat in one adder, the beat being its carry: of the queues that are read
  // into, one less and one more again unless a beat leaves; of the results, as many less as a burst takes, less one.
  wire    [PROGRAM_LOG2:0] program_more = issue_program ? {{(PROGRAM_LOG2 - 4) {1'b0}}, beats_less_1} : {(PROGRAM_LOG2 + 1) {1'b1}};
  wire      [INPUT_LOG2:0] input_more = issue_input ? {{(INPUT_LOG2 - 4) {1'b0}}, beats_less_1} : {(INPUT_LOG2 + 1) {1'b1}};
  wire     [OUTPUT_LOG2:0] output_less = issue_output ? ~{1'b0, beats_less_1} : {(OUTPUT_LOG2 + 1) {1'b0}};
  wire  [PROGRAM_LOG2+1:0] program_taken_next = {program_taken_q, 1'b1} + {program_more, !program_pop_i};
  wire    [INPUT_LOG2+1:0] input_taken_next = {input_taken_q, 1'b1} + {input_more, !input_pop_i};
  wire   [OUTPUT_LOG2+1:0] output_level_next = {output_level_q, 1'b1} + {output_less, output_push_i};
  always @(posedge clk_i) begin
    if (write_low) addrs_low[write_place] <= write_addr[LOW_BITS-1:0];
    if (write_high) addrs_high[write_place] <= write_addr[ADDR_BITS-1:LOW_BITS];
    if (set_low_i[2] || issue_output) output_place_q <= write_addr[3:0];
    if (program_arm_i) program_starts_q <= 1'b1;
    else if (issue_program) program_starts_q <= 1'b0;

    if (program_arm_i) program_count_q <= ~program_beats_i;
    else if (issue_program) program_count_q <= count_next;
    if (input_arm_i) input_count_q <= ~input_beats_i;
    else if (issue_input) input_count_q <= count_next;
    program_taken_q <= program_taken_next[PROGRAM_LOG2+1:1];
    input_taken_q <= input_taken_next[INPUT_LOG2+1:1];
    output_level_q <= output_level_next[OUTPUT_LOG2+1:1];
    if (!rst_ni || clear_i) begin
      program_count_q <= {LEFT_BITS{1'b1}};
      input_count_q <= {LEFT_BITS{1'b1}};
      program_taken_q <= 0;
      input_taken_q <= 0;
      output_level_q <= 0;
    end
  end

  wire unused_ok = &{1'b0, beats_less_1[4], set_data_i, set, program_taken_next[0], input_taken_next[0], output_level_next[0]};
endmodule

`default_nettype wire
