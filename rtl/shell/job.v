// Runs a job: reads the arguments, and for each run loads the input, feeds the program and counts the results; writes
// the report. Whatever goes wrong ends here with a status, an engine in reset and nothing left to do.
//
// Program and input of the next run are asked for as soon as those of the present one are.
//
// stream  a run starts two cycles after the input is loaded
// units   counts of rtl/defs/registers.def
`default_nettype none

`include "lac_contract.vh"
`include "lac_registers.vh"

module job #(
    parameter [31:0] ENGINE_ID = 32'd0,
    parameter DATA_BITS = 64,
    parameter ACT_WORDS = 4096,
    parameter WORD_BYTES = 56,        // of an activation word in the input
    parameter BEATS_BITS = 28,
    parameter WORD_BITS = 17
) (
    input  wire                  clk_i,
    input  wire                  rst_ni,
    // control registers
    input  wire                  start_i,
    output wire                  idle_o,
    output wire                  done_o,
    output wire                  args_read_o,
    output wire            [4:0] args_addr_o,
    input  wire           [31:0] args_data_i,
    // bursts
    output wire                  active_o,       // arriving beats are wanted
    output wire                  clear_o,        // forget all queues
    output wire                  clear_output_o, // and results that were not written
    input  wire                  quiet_i,
    output wire            [2:0] set_low_o,
    output wire            [2:0] set_high_o,
    output wire           [31:0] set_data_o,
    output wire                  program_arm_o,
    output wire [BEATS_BITS-1:0] program_beats_o,
    input  wire                  program_idle_i,
    output wire                  input_arm_o,
    output wire [BEATS_BITS-1:0] input_beats_o,
    input  wire                  input_idle_i,
    output wire                  output_flush_o,
    input  wire                  output_empty_i,
    input  wire                  read_error_i,
    input  wire                  write_error_i,
    input  wire                  moves_i,        // something moved on an AXI channel
    // input loader
    output wire                  load_start_o,
    output wire           [15:0] load_base_o,
    output wire  [WORD_BITS-1:0] load_words_o,
    input  wire                  load_busy_i,
    input  wire                  load_valid_i,
    // program words
    input  wire                  word_valid_i,
    output wire                  word_take_o,
    output wire                  word_last_o,
    // engine
    output wire                  engine_rst_no,
    output wire                  prog_valid_o,
    input  wire                  prog_ready_i,
    input  wire                  engine_busy_i,
    input  wire                  engine_done_i,
    input  wire                  engine_error_i,
    input  wire            [1:0] engine_cause_i, // 1 compute, 2 starved, 3 drain
    input  wire                  out_valid_i,
    output wire                  out_ready_o,
    input  wire           [31:0] out_data_i,
    // packer
    output wire                  pack_valid_o,
    input  wire                  pack_ready_i,
    output wire           [31:0] pack_data_o,
    output wire                  pack_flush_o,
    input  wire                  pack_even_i,
    // report
    output wire                  report_clear_o,
    output wire                  report_count_o,
    output wire            [2:0] report_cause_o,
    output wire           [31:0] report_status_o,
    output wire           [31:0] report_runs_o,
    output wire                  report_read_o,
    output wire            [3:0] report_addr_o,
    input  wire                  report_done_i,
    input  wire           [31:0] report_data_i
);
  localparam COUNT_BITS = 24;           // results and runs
  localparam BYTES_LOG2 = $clog2(DATA_BITS / 8);
  localparam WORDS_LOG2 = BYTES_LOG2 - 3;
  localparam PROGRAM_BITS = 28;

  localparam [3:0] IDLE = 4'd0, SETTLE = 4'd1, ARGUMENTS = 4'd2, LOAD = 4'd3, RUN = 4'd4, END_RUN = 4'd5, FINISH = 4'd6,
                   FAIL = 4'd7, COLLECT = 4'd8, ADDRESS = 4'd9, REPORT = 4'd10, WRITTEN = 4'd11, DONE = 4'd12;
  localparam [2:0] COMPUTE = 3'd2, STARVED = 3'd3, DRAIN = 3'd4, LOADING = 3'd5, MEMORY = 3'd6, OTHER = 3'd7;

  reg              [3:0] state_q;
  reg              [4:0] step_q;         // within a state
  reg              [3:0] status_q;
  reg [PROGRAM_BITS-1:0] program_words_q, words_q;
  reg    [WORD_BITS-1:0] input_words_q;
  reg             [15:0] input_base_q;
  reg   [COUNT_BITS-1:0] outputs_q, results_q, runs_q, runs_done_q;
  reg              [4:0] patience_q;
  reg                    report_ok_q;    // there is an address for it
  reg              [1:0] programs_q, inputs_q;  // blocks asked for, of this run and the next

  // ---- arguments: words 4 .. 30 of the registers, one a cycle --------------------------------------------
  reg        arg_valid_q;
  reg  [4:0] arg_q;
  reg        too_large, misplaced;
  wire       zero = args_data_i == 32'd0;
  localparam [4:0] FIRST = `LAC_WORD_CONTRACT, LAST = `LAC_WORD_PATIENCE;
  localparam [4:0] CONTRACT = `LAC_WORD_CONTRACT, ENGINE = `LAC_WORD_ENGINE, PROGRAM = `LAC_WORD_PROGRAM,
                   INPUT = `LAC_WORD_INPUT, OUTPUT = `LAC_WORD_OUTPUT, ADDR_REPORT = `LAC_WORD_REPORT,
                   PROGRAM_WORDS = `LAC_WORD_PROGRAM_WORDS, INPUT_BASE = `LAC_WORD_INPUT_BASE,
                   INPUT_WORDS = `LAC_WORD_INPUT_WORDS, OUTPUT_WORDS = `LAC_WORD_OUTPUT_WORDS,
                   RUNS = `LAC_WORD_RUNS, PATIENCE = `LAC_WORD_PATIENCE;
  wire       reading = state_q == ARGUMENTS || state_q == ADDRESS;
  assign args_read_o = reading;
  assign args_addr_o = step_q;
  wire       is_input_words = arg_q == INPUT_WORDS;
  wire       is_words = arg_q == PROGRAM_WORDS || is_input_words || arg_q == OUTPUT_WORDS || arg_q == RUNS;
  wire       is_low = arg_q == PROGRAM || arg_q == INPUT || arg_q == OUTPUT || arg_q == ADDR_REPORT;
  localparam [31:0] MOST_INPUT_WORDS = ACT_WORDS;
  wire [17:0] input_end = {1'b0, args_data_i[16:0]} + {2'd0, input_base_q};
  always @* begin
    misplaced = (is_low && args_data_i[5:0] != 6'd0) || (is_words && zero);
    case (arg_q)
      PROGRAM_WORDS: too_large = args_data_i[31:PROGRAM_BITS] != 0;
      INPUT_BASE: too_large = args_data_i >= MOST_INPUT_WORDS;
      INPUT_WORDS: too_large = args_data_i[31:17] != 0 || input_end > MOST_INPUT_WORDS[17:0];
      OUTPUT_WORDS, RUNS: too_large = args_data_i[31:COUNT_BITS] != 0;
      PATIENCE: too_large = args_data_i[31:5] != 0;
      default: too_large = 1'b0;
    endcase
  end
  wire arg_now = arg_valid_q && state_q == ARGUMENTS;
  wire arg_wrong = arg_now && (misplaced || too_large);
  wire contract_wrong = arg_now && arg_q == CONTRACT && args_data_i != `LAC_CONTRACT_HASH;
  wire engine_wrong = arg_now && arg_q == ENGINE && args_data_i != ENGINE_ID;
  wire arg_last = arg_now && arg_q == LAST;
  reg  wrong_q;
  wire set_report = arg_valid_q && state_q == ADDRESS;
  assign set_data_o = args_data_i;
  assign set_low_o = {(arg_now && arg_q == OUTPUT) || (set_report && arg_q == ADDR_REPORT), arg_now && arg_q == INPUT,
                      arg_now && arg_q == PROGRAM};
  assign set_high_o = {(arg_now && arg_q == OUTPUT + 5'd1) || (set_report && arg_q == ADDR_REPORT + 5'd1),
                       arg_now && arg_q == INPUT + 5'd1, arg_now && arg_q == PROGRAM + 5'd1};

  // ---- blocks to read ------------------------------------------------------------------------------------
  wire last_run = (&runs_q[COUNT_BITS-1:1]) && !runs_q[0];
  wire running = state_q == LOAD || state_q == RUN || state_q == END_RUN;
  wire [1:0] wanted = last_run ? 2'd1 : 2'd2;
  wire run_ends = state_q == END_RUN && pack_even_i;
  assign program_arm_o = running && program_idle_i && programs_q < wanted && !run_ends;
  assign input_arm_o = running && input_idle_i && inputs_q < wanted && !run_ends;
  wire [PROGRAM_BITS-1:0] program_up = program_words_q + ((1 << WORDS_LOG2) - 1);
  assign program_beats_o = program_up >> WORDS_LOG2;
  wire [31:0] input_bytes = input_words_q * WORD_BYTES + 63;
  assign input_beats_o = {6'd0, input_bytes[BEATS_BITS-1:6]} << (6 - BYTES_LOG2);

  // ---- a run ---------------------------------------------------------------------------------------------
  // Words, results and runs are counted up, inverted, to all ones: an increment takes no LUT.
  wire words_are_left = !(&words_q);
  assign word_take_o = prog_valid_o && prog_ready_i;
  assign word_last_o = (&words_q[PROGRAM_BITS-1:1]) && !words_q[0];
  assign prog_valid_o = state_q == RUN && word_valid_i && words_are_left;
  assign load_start_o = state_q == LOAD && step_q == 5'd0;
  assign load_base_o = input_base_q;
  assign load_words_o = input_words_q;
  wire load_ends = state_q == LOAD && step_q != 5'd0 && !load_busy_i;
  wire result = state_q == RUN && out_valid_i && out_ready_o;
  assign out_ready_o = state_q == RUN && pack_ready_i;
  wire engine_ends = state_q == RUN && engine_done_i;
  wire results_are_left = !(&results_q);
  wire too_many = result && !results_are_left;
  wire left_over = engine_ends && (words_are_left || engine_busy_i);
  wire too_few = engine_ends && results_are_left;

  // ---- patience ------------------------------------------------------------------------------------------
  // A lane that computes shows that the engine is alive, but work without words and results must end, too: a damaged size may
  // mean hours of it.
  localparam WORK_LOG2 = 6;              // most work at a stretch, in patiences
  reg           [31:0] still_q;          // cycles without progress
  reg  [WORK_LOG2-1:0] stretches_q;      // patiences of nothing but work
  reg                  worked_q, report_misplaced_q;
  wire progress = moves_i || word_take_o || result || load_valid_i || report_done_i;
  wire works = state_q == RUN && engine_cause_i == 2'd1;
  wire impatient = still_q[patience_q];
  wire out_of_patience = impatient && (!worked_q || (&stretches_q));

  // ---- status --------------------------------------------------------------------------------------------
  wire busy_state = state_q != IDLE && state_q != DONE;
  reg  [3:0] failure;                    // OK: none
  always @* begin
    failure = `LAC_KERNEL_OK;
    if (contract_wrong) failure = `LAC_KERNEL_CONTRACT;
    else if (engine_wrong) failure = `LAC_KERNEL_ENGINE;
    else if (arg_wrong) failure = `LAC_KERNEL_ARGUMENT;
    else if (running || state_q == FINISH) begin
      if (read_error_i) failure = `LAC_KERNEL_READ_ERROR;
      else if (write_error_i) failure = `LAC_KERNEL_WRITE_ERROR;
      else if (state_q == RUN && engine_error_i) failure = `LAC_KERNEL_PROGRAM;
      else if (too_many) failure = `LAC_KERNEL_RESULTS;
      else if (left_over) failure = `LAC_KERNEL_LEFT_OVER;
      else if (too_few) failure = `LAC_KERNEL_RESULTS;
      else if (out_of_patience)
        failure = !quiet_i || state_q != RUN ? `LAC_KERNEL_TIMEOUT
                : words_are_left ? `LAC_KERNEL_STALLED : `LAC_KERNEL_TRUNCATED;
    end
  end
  wire fails = failure != `LAC_KERNEL_OK;
  wire still_busy = status_q == `LAC_KERNEL_BUSY;

  // ---- report --------------------------------------------------------------------------------------------
  assign report_clear_o = state_q == SETTLE;
  assign report_status_o = {28'd0, status_q};
  assign report_runs_o = {{(32 - COUNT_BITS) {1'b0}}, runs_done_q};
  assign report_read_o = state_q == REPORT && !step_q[4] && pack_ready_i;
  assign report_addr_o = step_q[3:0];
  assign pack_valid_o = state_q == REPORT ? report_read_o && report_done_i : result;
  assign pack_data_o = state_q == REPORT ? report_data_i : out_data_i;
  assign pack_flush_o = state_q == END_RUN;
  assign output_flush_o = state_q == LOAD || state_q == FINISH || state_q == WRITTEN;

  // ---- what this cycle is spent on -----------------------------------------------------------------------
  wire engine_computes = engine_cause_i == 2'd1;
  wire engine_starves = engine_cause_i == 2'd2;
  wire engine_drains = engine_cause_i == 2'd3;
  wire no_room = out_valid_i && !out_ready_o;
  reg  [2:0] cause;
  always @* begin
    cause = OTHER;
    case (state_q)
      LOAD: cause = load_valid_i ? LOADING : step_q == 5'd0 ? OTHER : MEMORY;
      RUN:
        if (engine_computes) cause = COMPUTE;
        else if (no_room) cause = MEMORY;
        else if (engine_drains) cause = DRAIN;
        else if (engine_starves) cause = !word_valid_i && words_are_left ? MEMORY : STARVED;
      FINISH: cause = MEMORY;
      default: cause = OTHER;
    endcase
  end
  assign report_cause_o = cause;
  assign report_count_o = state_q == ARGUMENTS || running || state_q == FINISH;

  // ---- the walk through a job ----------------------------------------------------------------------------
  assign idle_o = state_q == IDLE;
  assign done_o = state_q == DONE;
  assign active_o = running;
  assign clear_o = !(running || state_q == FINISH || state_q == REPORT || state_q == WRITTEN);
  assign clear_output_o = (state_q == SETTLE && quiet_i) || state_q == ADDRESS;
  assign engine_rst_no = rst_ni && state_q != FAIL && state_q != SETTLE;

  always @(posedge clk_i) begin
    arg_valid_q <= reading;
    arg_q <= step_q;
    still_q <= busy_state && !progress && !impatient ? still_q + 32'd1 : 32'd0;
    worked_q <= busy_state && !progress && (works || (worked_q && !impatient));
    if (!busy_state || progress) stretches_q <= 0;
    else if (impatient) stretches_q <= stretches_q + 1'b1;
    if (arg_now) begin
      case (arg_q)
        ADDR_REPORT: report_ok_q <= args_data_i[5:0] == 6'd0 && !zero;
        ADDR_REPORT + 5'd1: report_ok_q <= report_ok_q || (!misplaced && !zero && !report_misplaced_q);
        PROGRAM_WORDS: program_words_q <= args_data_i[PROGRAM_BITS-1:0];
        INPUT_BASE: input_base_q <= args_data_i[15:0];
        INPUT_WORDS: input_words_q <= args_data_i[WORD_BITS-1:0];
        OUTPUT_WORDS: outputs_q <= args_data_i[COUNT_BITS-1:0];
        RUNS: runs_q <= ~args_data_i[COUNT_BITS-1:0];
        PATIENCE: patience_q <= zero || too_large ? 5'd24 : args_data_i[4:0];
        default: ;
      endcase
    end
    if (word_take_o) words_q <= words_q + 1'b1;
    if (result) results_q <= results_q + 1'b1;
    programs_q <= programs_q + {1'b0, program_arm_o} - {1'b0, run_ends};
    inputs_q <= inputs_q + {1'b0, input_arm_o} - {1'b0, run_ends};
    step_q <= step_q + 5'd1;

    case (state_q)
      IDLE: begin
        step_q <= 5'd0;
        status_q <= start_i ? `LAC_KERNEL_BUSY : status_q;
        if (start_i) state_q <= SETTLE;
      end
      // A memory that did not answer the job before may do so now.
      SETTLE: begin
        runs_done_q <= 0;
        report_ok_q <= 1'b0;
        report_misplaced_q <= 1'b0;
        wrong_q <= 1'b0;
        programs_q <= 2'd0;
        inputs_q <= 2'd0;
        step_q <= FIRST;
        if (quiet_i) state_q <= ARGUMENTS;
        else if (out_of_patience) begin
          status_q <= `LAC_KERNEL_TIMEOUT;
          state_q <= DONE;
        end
      end
      // All are read, so that the report's address is known when one is wrong.
      ARGUMENTS: begin
        if (fails) wrong_q <= 1'b1;
        if (fails && still_busy) status_q <= failure;
        if (arg_now && arg_q == ADDR_REPORT && misplaced) report_misplaced_q <= 1'b1;
        if (arg_last) begin
          step_q <= 5'd0;
          state_q <= wrong_q || fails ? FAIL : LOAD;
        end
      end
      LOAD: begin
        words_q <= ~program_words_q;
        results_q <= ~outputs_q;
        step_q <= 5'd1;
        if (load_ends) state_q <= RUN;
      end
      RUN: if (engine_ends) state_q <= END_RUN;
      END_RUN: if (pack_even_i) begin
        step_q <= 5'd0;
        runs_q <= runs_q + 1'b1;
        runs_done_q <= runs_done_q + 1'b1;
        state_q <= last_run ? FINISH : LOAD;
      end
      FINISH: begin
        step_q <= 5'd0;
        if (output_empty_i && quiet_i) begin
          status_q <= `LAC_KERNEL_OK;
          state_q <= COLLECT;
        end
      end
      // The engine is reset; what is outstanding is waited for.
      FAIL: begin
        step_q <= 5'd0;
        if (quiet_i) state_q <= COLLECT;
        else if (out_of_patience) state_q <= DONE;
      end
      // The counters are collected.
      COLLECT: if (&step_q) begin
        step_q <= ADDR_REPORT;
        state_q <= report_ok_q ? ADDRESS : DONE;
      end
      ADDRESS: if (set_report && arg_q == ADDR_REPORT + 5'd1) begin
        step_q <= 5'd0;
        state_q <= REPORT;
      end
      REPORT: begin
        step_q <= step_q;
        if (report_read_o && report_done_i) step_q <= step_q + 5'd1;
        if (step_q[4]) state_q <= WRITTEN;
        if (out_of_patience) begin
          if (status_q == `LAC_KERNEL_OK) status_q <= `LAC_KERNEL_TIMEOUT;
          state_q <= DONE;
        end
      end
      WRITTEN: begin
        if (write_error_i && status_q == `LAC_KERNEL_OK) status_q <= `LAC_KERNEL_WRITE_ERROR;
        if (output_empty_i && quiet_i) state_q <= DONE;
        if (out_of_patience) begin
          if (status_q == `LAC_KERNEL_OK) status_q <= `LAC_KERNEL_TIMEOUT;
          state_q <= DONE;
        end
      end
      default: state_q <= IDLE;
    endcase
    if (fails && (running || state_q == FINISH)) begin
      status_q <= failure;
      step_q <= 5'd0;
      state_q <= FAIL;
    end

    if (!rst_ni) begin
      state_q <= IDLE;
      status_q <= `LAC_KERNEL_OK;
      patience_q <= 5'd24;
      arg_valid_q <= 1'b0;
      runs_done_q <= 0;
      programs_q <= 2'd0;
      inputs_q <= 2'd0;
    end
  end

  wire unused_ok = &{1'b0, program_up, input_bytes};
endmodule

`default_nettype wire
