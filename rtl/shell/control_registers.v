// The kernel's registers behind s_axi_control: block protocol ap_ctrl_chain, interrupt, arguments, report window.
//
// Arguments lie in a small memory that the job reads as well; the job goes first. CONTRACT and ENGINE read as the
// kernel's own, everything unknown as 0. ap_done holds until ap_continue; ap_ready is cleared by reading.
//
// stream  a register read takes three cycles, more while the job reads its arguments
// units   offsets of rtl/defs/registers.def
`default_nettype none

`include "lac_contract.vh"
`include "lac_registers.vh"

module control_registers #(
    parameter [31:0] ENGINE_ID = 32'd0,
    parameter [511:0] PARAMETERS = 512'd0
) (
    input  wire        clk_i,
    input  wire        rst_ni,
    // register bus
    input  wire        write_i,
    input  wire [11:0] write_addr_i,
    input  wire [31:0] write_data_i,
    input  wire  [3:0] write_strobe_i,
    input  wire        read_i,
    input  wire [11:0] read_addr_i,
    output wire        read_done_o,
    output wire [31:0] read_data_o,
    output wire        interrupt_o,
    // job
    output wire        start_o,       // start, and the one before has been acknowledged
    input  wire        idle_i,
    input  wire        done_i,        // one cycle
    input  wire        args_read_i,   // the word comes a cycle later
    input  wire  [4:0] args_addr_i,
    output wire [31:0] args_data_o,
    // report window
    output wire        window_read_o,
    output wire  [3:0] window_addr_o, // holds until window_done_i
    input  wire        window_done_i,
    input  wire [31:0] window_data_i
);
  localparam [4:0] CTRL = 5'd0, GIE = 5'd1, IER = 5'd2, ISR = 5'd3;

  reg       start_q, done_q, ready_q, auto_restart_q, gie_q;
  reg [1:0] ier_q, isr_q;
  wire      interrupt = gie_q && isr_q != 2'd0;
  assign interrupt_o = interrupt;
  assign start_o = start_q && !done_q;

  wire       write_low = write_i && write_addr_i[11:7] == 5'd0;  // control and arguments
  wire [4:0] write_word = write_addr_i[6:2];
  wire       write_byte_0 = write_low && write_strobe_i[0];
  wire       write_ctrl = write_byte_0 && write_word == CTRL;

  // Arguments: 32 words, of which those that are no argument cannot be written.
  localparam [31:0] IS_ARGUMENT = `LAC_ARGUMENT_WORDS;
  wire        write_argument = write_low && IS_ARGUMENT[write_word];
  reg   [7:0] args_0 [0:31], args_1 [0:31], args_2 [0:31], args_3 [0:31];
  reg  [31:0] args_q;
  reg         args_for_host_q;
  wire        host_turn = read_i && !args_read_i;
  wire  [4:0] args_word = args_read_i ? args_addr_i : read_addr_i[6:2];
  integer k;
  initial begin
    for (k = 0; k < 32; k = k + 1) begin
      args_0[k] = 8'd0;
      args_1[k] = 8'd0;
      args_2[k] = 8'd0;
      args_3[k] = 8'd0;
    end
  end
  always @(posedge clk_i) begin
    if (write_argument && write_strobe_i[0]) args_0[write_word] <= write_data_i[7:0];
    if (write_argument && write_strobe_i[1]) args_1[write_word] <= write_data_i[15:8];
    if (write_argument && write_strobe_i[2]) args_2[write_word] <= write_data_i[23:16];
    if (write_argument && write_strobe_i[3]) args_3[write_word] <= write_data_i[31:24];
    args_q <= {args_3[args_word], args_2[args_word], args_1[args_word], args_0[args_word]};
    args_for_host_q <= host_turn && !args_for_host_q;
    if (!rst_ni) args_for_host_q <= 1'b0;
  end
  assign args_data_o = args_q;

  // Reads: the window in its own time, all else a cycle after the arguments were the host's turn.
  wire       read_low = read_addr_i[11:7] == 5'd0;
  wire       read_window = read_addr_i[11:6] == 6'd2;
  wire       read_parameter = read_addr_i[11:6] == 6'd3;
  wire [4:0] read_word = read_addr_i[6:2];
  assign window_read_o = read_i && read_window;
  assign window_addr_o = read_addr_i[5:2];
  assign read_done_o = read_window ? window_done_i : args_for_host_q;

  reg [31:0] control_word;
  always @* begin
    case (read_word)
      CTRL: control_word = {22'd0, interrupt, 1'b0, auto_restart_q, 3'd0, ready_q, idle_i && !start_q, done_q, start_q};
      GIE: control_word = {31'd0, gie_q};
      IER: control_word = {30'd0, ier_q};
      ISR: control_word = {30'd0, isr_q};
      5'd4: control_word = `LAC_CONTRACT_HASH;
      5'd6: control_word = ENGINE_ID;
      default: control_word = args_q;
    endcase
  end
  assign read_data_o = read_window ? window_data_i : read_low ? control_word
                     : read_parameter ? PARAMETERS[32*read_addr_i[5:2]+:32] : 32'd0;
  wire read_ctrl = read_i && read_done_o && read_low && read_word == CTRL;

  always @(posedge clk_i) begin
    if (done_i) start_q <= auto_restart_q;
    else if (write_ctrl && write_data_i[0]) start_q <= 1'b1;
    if (write_ctrl) auto_restart_q <= write_data_i[7];
    if (done_i) done_q <= 1'b1;
    else if (write_ctrl && write_data_i[4]) done_q <= 1'b0;
    if (done_i) ready_q <= 1'b1;
    else if (read_ctrl) ready_q <= 1'b0;
    if (write_byte_0 && write_word == GIE) gie_q <= write_data_i[0];
    if (write_byte_0 && write_word == IER) ier_q <= write_data_i[1:0];
    isr_q <= (isr_q ^ (write_byte_0 && write_word == ISR ? write_data_i[1:0] : 2'd0)) | ({2{done_i}} & ier_q);
    if (!rst_ni) begin
      start_q <= 1'b0;
      done_q <= 1'b0;
      ready_q <= 1'b0;
      auto_restart_q <= 1'b0;
      gie_q <= 1'b0;
      ier_q <= 2'd0;
      isr_q <= 2'd0;
    end
  end

  wire unused_ok = &{1'b0, write_addr_i, read_addr_i};
endmodule

`default_nettype wire
