// The engine with its system side: AXI4-Lite control, AXI4 memory, jobs of many runs. docs/system.md describes it.
// The watch ports are for verification; lac_kernel.v leaves them out.
//
// stream  a program word a cycle, an input group a cycle, a result every cycle, as the memory allows
// units   DATA_BITS of the memory port; other parameters as in lac_engine
`default_nettype none

`include "lac_contract.vh"
`include "lac_registers.vh"

module lac_shell #(
    `LAC_ENGINE_PARAMETERS,
    parameter DATA_BITS = 64,     // 64, 128, 256 or 512
    parameter PROGRAM_LOG2 = 8,   // beats read ahead of the program
    parameter INPUT_LOG2 = 5      // and of the input
) (
    input  wire                   clk_i,
    input  wire                   rst_ni,
    output wire                   interrupt_o,
    // AXI4-Lite slave
    input  wire                   s_awvalid,
    output wire                   s_awready,
    input  wire            [11:0] s_awaddr,
    input  wire                   s_wvalid,
    output wire                   s_wready,
    input  wire            [31:0] s_wdata,
    input  wire             [3:0] s_wstrb,
    output wire                   s_bvalid,
    input  wire                   s_bready,
    input  wire                   s_arvalid,
    output wire                   s_arready,
    input  wire            [11:0] s_araddr,
    output wire                   s_rvalid,
    input  wire                   s_rready,
    output wire            [31:0] s_rdata,
    // AXI4 master; both address channels have the same address
    output wire                   m_awvalid,
    input  wire                   m_awready,
    output wire                   m_arvalid,
    input  wire                   m_arready,
    output wire            [63:0] m_addr,
    output wire             [7:0] m_len,
    output wire                   m_wvalid,
    input  wire                   m_wready,
    output wire   [DATA_BITS-1:0] m_wdata,
    output wire                   m_wlast,
    input  wire                   m_bvalid,
    input  wire             [1:0] m_bresp,
    input  wire                   m_rvalid,
    input  wire   [DATA_BITS-1:0] m_rdata,
    input  wire             [1:0] m_rresp,
    input  wire                   m_rlast,
    // what happens inside
    output wire                   watch_write_o,
    output wire            [15:0] watch_addr_o,
    output wire            [15:0] watch_group_o,
    output wire     [8*DRAIN-1:0] watch_data_o,
    output wire            [15:0] watch_step_o,
    output wire                   watch_step_done_o,
    output wire                   watch_run_done_o,
    output wire            [31:0] cycles_compute_o,
    output wire            [31:0] cycles_starved_o,
    output wire            [31:0] cycles_drain_o,
    output wire            [31:0] cycles_other_o
);
  localparam GROUPS = MESH_X * MESH_Y / DRAIN;
  localparam GROUP_BYTES = DRAIN > 1 ? 1 << $clog2(DRAIN) : 1;
  localparam BEATS_BITS = 28;
  localparam WORD_BITS = $clog2(ACT_WORDS + 1);
  localparam [31:0] ENGINE_ID = `LAC_ENGINE_ID;

`ifdef __ICARUS__
`define LAC_REFUSE(sentence, name) name u_refused ();
`else
`define LAC_REFUSE(sentence, name) $error(sentence);
`endif
  generate
    if (DATA_BITS != 64 && DATA_BITS != 128 && DATA_BITS != 256 && DATA_BITS != 512) begin : gen_data_bits
      `LAC_REFUSE("DATA_BITS must be 64, 128, 256 or 512", data_bits_must_be_64_128_256_or_512)
    end
    if (PROGRAM_LOG2 < 5 || INPUT_LOG2 < 5) begin : gen_queues
      `LAC_REFUSE("PROGRAM_LOG2 and INPUT_LOG2 must be at least 5: two bursts", queues_must_hold_two_bursts)
    end
  endgenerate
`undef LAC_REFUSE

  // Control.
  wire        reg_write, reg_read, reg_read_done;
  wire [11:0] reg_write_addr, reg_read_addr;
  wire [31:0] reg_write_data, reg_read_data;
  wire  [3:0] reg_write_strobe;
  axi_lite_slave u_slave (
      .clk_i         (clk_i),
      .rst_ni        (rst_ni),
      .awvalid_i     (s_awvalid),
      .awready_o     (s_awready),
      .awaddr_i      (s_awaddr),
      .wvalid_i      (s_wvalid),
      .wready_o      (s_wready),
      .wdata_i       (s_wdata),
      .wstrb_i       (s_wstrb),
      .bvalid_o      (s_bvalid),
      .bready_i      (s_bready),
      .arvalid_i     (s_arvalid),
      .arready_o     (s_arready),
      .araddr_i      (s_araddr),
      .rvalid_o      (s_rvalid),
      .rready_i      (s_rready),
      .rdata_o       (s_rdata),
      .write_o       (reg_write),
      .write_addr_o  (reg_write_addr),
      .write_data_o  (reg_write_data),
      .write_strobe_o(reg_write_strobe),
      .read_o        (reg_read),
      .read_addr_o   (reg_read_addr),
      .read_done_i   (reg_read_done),
      .read_data_i   (reg_read_data)
  );

  wire        start, job_idle, job_done, args_read, window_read, window_done;
  wire  [4:0] args_addr;
  wire [31:0] args_data, report_data;
  wire  [3:0] window_addr;
  control_registers #(
      .ENGINE_ID (ENGINE_ID),
      .PARAMETERS(`LAC_PARAMETERS)
  ) u_control (
      .clk_i         (clk_i),
      .rst_ni        (rst_ni),
      .write_i       (reg_write),
      .write_addr_i  (reg_write_addr),
      .write_data_i  (reg_write_data),
      .write_strobe_i(reg_write_strobe),
      .read_i        (reg_read),
      .read_addr_i   (reg_read_addr),
      .read_done_o   (reg_read_done),
      .read_data_o   (reg_read_data),
      .interrupt_o   (interrupt_o),
      .start_o       (start),
      .idle_i        (job_idle),
      .done_i        (job_done),
      .args_read_i   (args_read),
      .args_addr_i   (args_addr),
      .args_data_o   (args_data),
      .window_read_o (window_read),
      .window_addr_o (window_addr),
      .window_done_i (window_done),
      .window_data_i (report_data)
  );

  // Memory.
  wire                  active, clear, clear_output, quiet;
  wire            [2:0] set_low, set_high;
  wire           [31:0] set_data;
  wire                  program_arm, program_idle, program_pop, input_arm, input_idle, input_pop;
  wire [BEATS_BITS-1:0] program_beats, input_beats;
  wire                  output_push, output_flush, output_empty, output_room;
  wire                  read_program, read_input;
  bursts #(
      .DATA_BITS   (DATA_BITS),
      .PROGRAM_LOG2(PROGRAM_LOG2),
      .INPUT_LOG2  (INPUT_LOG2),
      .LEFT_BITS   (BEATS_BITS)
  ) u_bursts (
      .clk_i          (clk_i),
      .rst_ni         (rst_ni),
      .clear_i        (clear),
      .quiet_o        (quiet),
      .set_low_i      (set_low),
      .set_high_i     (set_high),
      .set_data_i     (set_data),
      .program_arm_i  (program_arm),
      .program_beats_i(program_beats),
      .program_idle_o (program_idle),
      .program_pop_i  (program_pop),
      .input_arm_i    (input_arm),
      .input_beats_i  (input_beats),
      .input_idle_o   (input_idle),
      .input_pop_i    (input_pop),
      .output_push_i  (output_push),
      .output_flush_i (output_flush),
      .output_empty_o (output_empty),
      .read_program_o (read_program),
      .read_input_o   (read_input),
      .arvalid_o      (m_arvalid),
      .arready_i      (m_arready),
      .awvalid_o      (m_awvalid),
      .awready_i      (m_awready),
      .addr_o         (m_addr),
      .len_o          (m_len),
      .wvalid_o       (m_wvalid),
      .wready_i       (m_wready),
      .wlast_o        (m_wlast),
      .bvalid_i       (m_bvalid),
      .rvalid_i       (m_rvalid),
      .rlast_i        (m_rlast)
  );
  wire moves = (m_arvalid && m_arready) || (m_awvalid && m_awready) || (m_wvalid && m_wready) || m_bvalid || m_rvalid;

  wire                 program_ready, program_valid, input_ready, input_valid, output_valid;
  wire [DATA_BITS-1:0] program_beat, input_beat, output_beat;
  ram_fifo #(
      .WIDTH     (DATA_BITS),
      .DEPTH_LOG2(PROGRAM_LOG2)
  ) u_program (
      .clk_i  (clk_i),
      .rst_ni (rst_ni && !clear),
      .push_i (read_program && active),
      .ready_o(program_ready),
      .data_i (m_rdata),
      .valid_o(program_valid),
      .pop_i  (program_pop),
      .data_o (program_beat)
  );
  fifo #(
      .WIDTH     (DATA_BITS),
      .DEPTH_LOG2(INPUT_LOG2)
  ) u_input (
      .clk_i  (clk_i),
      .rst_ni (rst_ni && !clear),
      .push_i (read_input && active),
      .ready_o(input_ready),
      .data_i (m_rdata),
      .valid_o(input_valid),
      .pop_i  (input_pop),
      .data_o (input_beat)
  );
  fifo #(
      .WIDTH     (DATA_BITS),
      .DEPTH_LOG2(5)
  ) u_output (
      .clk_i  (clk_i),
      .rst_ni (rst_ni && !clear_output),
      .push_i (output_push),
      .ready_o(output_room),
      .data_i (output_beat),
      .valid_o(output_valid),
      .pop_i  (m_wvalid && m_wready),
      .data_o (m_wdata)
  );

  // From beats to what the engine takes, and back.
  wire        word_valid, word_take, word_last;
  wire [63:0] word;
  word_stream #(
      .DATA_BITS(DATA_BITS)
  ) u_words (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni && !clear),
      .beat_valid_i(program_valid),
      .beat_pop_o  (program_pop),
      .beat_i      (program_beat),
      .valid_o     (word_valid),
      .take_i      (word_take),
      .last_i      (word_last),
      .word_o      (word)
  );

  wire                 load_start, load_busy, load_valid;
  wire          [15:0] load_base, load_addr, load_group;
  wire [WORD_BITS-1:0] load_words;
  wire   [8*DRAIN-1:0] load_data;
  input_loader #(
      .DATA_BITS(DATA_BITS),
      .DRAIN    (DRAIN),
      .GROUPS   (GROUPS),
      .WORD_BITS(WORD_BITS)
  ) u_loader (
      .clk_i       (clk_i),
      .rst_ni      (rst_ni && !clear),
      .start_i     (load_start),
      .busy_o      (load_busy),
      .base_i      (load_base),
      .words_i     (load_words),
      .beat_valid_i(input_valid),
      .beat_pop_o  (input_pop),
      .beat_i      (input_beat),
      .load_valid_o(load_valid),
      .load_addr_o (load_addr),
      .load_group_o(load_group),
      .load_data_o (load_data)
  );

  wire        pack_valid, pack_ready, pack_flush, pack_even;
  wire [31:0] pack_data;
  result_packer #(
      .DATA_BITS(DATA_BITS)
  ) u_packer (
      .clk_i  (clk_i),
      .rst_ni (rst_ni && !clear_output),
      .valid_i(pack_valid),
      .ready_o(pack_ready),
      .data_i (pack_data),
      .flush_i(pack_flush),
      .even_o (pack_even),
      .push_o (output_push),
      .room_i (output_room),
      .beat_o (output_beat)
  );

  // Job and report.
  wire        engine_rst_n, prog_valid, prog_ready, engine_busy, engine_done, engine_error, out_valid, out_ready;
  wire  [1:0] engine_cause;
  wire [31:0] out_data, report_status, report_runs, contract;
  wire        report_clear, report_count, report_read, report_done;
  wire  [2:0] report_cause;
  wire  [3:0] report_addr;
  job #(
      .ENGINE_ID (ENGINE_ID),
      .DATA_BITS (DATA_BITS),
      .ACT_WORDS (ACT_WORDS),
      .WORD_BYTES(GROUPS * GROUP_BYTES),
      .BEATS_BITS(BEATS_BITS),
      .WORD_BITS (WORD_BITS)
  ) u_job (
      .clk_i          (clk_i),
      .rst_ni         (rst_ni),
      .start_i        (start),
      .idle_o         (job_idle),
      .done_o         (job_done),
      .args_read_o    (args_read),
      .args_addr_o    (args_addr),
      .args_data_i    (args_data),
      .active_o       (active),
      .clear_o        (clear),
      .clear_output_o (clear_output),
      .quiet_i        (quiet),
      .set_low_o      (set_low),
      .set_high_o     (set_high),
      .set_data_o     (set_data),
      .program_arm_o  (program_arm),
      .program_beats_o(program_beats),
      .program_idle_i (program_idle),
      .input_arm_o    (input_arm),
      .input_beats_o  (input_beats),
      .input_idle_i   (input_idle),
      .output_flush_o (output_flush),
      .output_empty_i (output_empty),
      .read_error_i   ((read_program || read_input) && m_rresp[1]),
      .write_error_i  (m_bvalid && m_bresp[1]),
      .moves_i        (moves),
      .load_start_o   (load_start),
      .load_base_o    (load_base),
      .load_words_o   (load_words),
      .load_busy_i    (load_busy),
      .load_valid_i   (load_valid),
      .word_valid_i   (word_valid),
      .word_take_o    (word_take),
      .word_last_o    (word_last),
      .engine_rst_no  (engine_rst_n),
      .prog_valid_o   (prog_valid),
      .prog_ready_i   (prog_ready),
      .engine_busy_i  (engine_busy),
      .engine_done_i  (engine_done),
      .engine_error_i (engine_error),
      .engine_cause_i (engine_cause),
      .out_valid_i    (out_valid),
      .out_ready_o    (out_ready),
      .out_data_i     (out_data),
      .pack_valid_o   (pack_valid),
      .pack_ready_i   (pack_ready),
      .pack_data_o    (pack_data),
      .pack_flush_o   (pack_flush),
      .pack_even_i    (pack_even),
      .report_clear_o (report_clear),
      .report_count_o (report_count),
      .report_cause_o (report_cause),
      .report_status_o(report_status),
      .report_runs_o  (report_runs),
      .report_read_o  (report_read),
      .report_addr_o  (report_addr),
      .report_done_i  (report_done),
      .report_data_i  (report_data)
  );

  cycle_report u_report (
      .clk_i      (clk_i),
      .rst_ni     (rst_ni),
      .clear_i    (report_clear),
      .count_i    (report_count),
      .cause_i    (report_cause),
      .status_i   (report_status),
      .runs_done_i(report_runs),
      .job_read_i (report_read),
      .job_addr_i (report_addr),
      .job_done_o (report_done),
      .host_read_i(window_read),
      .host_addr_i(window_addr),
      .host_done_o(window_done),
      .data_o     (report_data)
  );

  lac_engine #(
      `LAC_ENGINE_CONNECT
  ) u_engine (
      .clk_i            (clk_i),
      .rst_ni           (engine_rst_n),
      .prog_valid_i     (prog_valid),
      .prog_ready_o     (prog_ready),
      .prog_data_i      (word),
      .load_valid_i     (load_valid),
      .load_addr_i      (load_addr),
      .load_group_i     (load_group),
      .load_data_i      (load_data),
      .out_valid_o      (out_valid),
      .out_ready_i      (out_ready),
      .out_data_o       (out_data),
      .busy_o           (engine_busy),
      .done_o           (engine_done),
      .error_o          (engine_error),
      .contract_o       (contract),
      .watch_write_o    (watch_write_o),
      .watch_addr_o     (watch_addr_o),
      .watch_group_o    (watch_group_o),
      .watch_data_o     (watch_data_o),
      .watch_step_o     (watch_step_o),
      .watch_step_done_o(watch_step_done_o),
      .watch_cause_o    (engine_cause),
      .cycles_compute_o (cycles_compute_o),
      .cycles_starved_o (cycles_starved_o),
      .cycles_drain_o   (cycles_drain_o),
      .cycles_other_o   (cycles_other_o)
  );
  assign watch_run_done_o = engine_done;

  wire unused_ok = &{1'b0, m_bresp[0], m_rresp[0], program_ready, input_ready, output_valid, contract};
endmodule

`default_nettype wire
