// Runs one program on a netlist of lac_engine: words, codes to load and expected results come from files.
//
//   +program=FILE (64-bit words)  +load=FILE ({address, group, codes} of 8*DRAIN + 32 bits)  +expected=FILE (32-bit words)
//
// Prints "N results, W wrong" at the end of the program.
`timescale 1ns / 1ns
`default_nettype none

module engine_tb;
  parameter DRAIN = 1;
  parameter N_WORDS = 1;
  parameter N_LOADS = 1;
  parameter N_RESULTS = 1;
  localparam LOAD_BITS = 8 * DRAIN + 32;

  reg                clk = 1'b0, rst_n = 1'b0;
  reg         [63:0] program_words [0:N_WORDS-1];
  reg [LOAD_BITS-1:0] loads [0:N_LOADS-1];
  reg         [31:0] expected [0:N_RESULTS-1];
  reg [8*256-1:0]    path;
  integer            word, load, results, wrong, cycles;
  reg                prog_valid = 1'b0, load_valid = 1'b0;
  reg         [63:0] prog_data = 64'd0;
  reg [LOAD_BITS-1:0] load_now = 0;
  wire               prog_ready, out_valid, busy, done, error;
  wire        [31:0] out_data;

  lac_engine u_engine (
      .clk_i(clk), .rst_ni(rst_n), .prog_valid_i(prog_valid), .prog_ready_o(prog_ready), .prog_data_i(prog_data),
      .load_valid_i(load_valid), .load_addr_i(load_now[LOAD_BITS-1-:16]), .load_group_i(load_now[LOAD_BITS-17-:16]),
      .load_data_i(load_now[8*DRAIN-1:0]), .out_valid_o(out_valid), .out_ready_i(cycles[1:0] != 2'd0), .out_data_o(out_data),
      .busy_o(busy), .done_o(done), .error_o(error));

  always #5 clk = !clk;

  initial begin
    if ($value$plusargs("program=%s", path)) $readmemh(path, program_words);
    if ($value$plusargs("load=%s", path)) $readmemh(path, loads);
    if ($value$plusargs("expected=%s", path)) $readmemh(path, expected);
    word = 0;
    results = 0;
    wrong = 0;
    cycles = 0;
    // Cell models start with a global reset of their own.
    #200;
    repeat (4) @(negedge clk);
    rst_n = 1'b1;
    @(negedge clk);
    for (load = 0; load < N_LOADS; load = load + 1) begin
      load_valid = 1'b1;
      load_now = loads[load];
      @(negedge clk);
    end
    load_valid = 1'b0;
    while (cycles < 20000) begin
      prog_valid = word < N_WORDS;
      if (word < N_WORDS) prog_data = program_words[word];
      #1;
      if (prog_valid && prog_ready) word = word + 1;
      if (out_valid && cycles[1:0] != 2'd0) begin
        if (results >= N_RESULTS || out_data !== expected[results]) wrong = wrong + 1;
        results = results + 1;
      end
      if (error === 1'b1) begin
        $display("error");
        $finish;
      end
      if (done === 1'b1) begin
        $display("%0d results, %0d wrong", results, wrong);
        $finish;
      end
      @(negedge clk);
      cycles = cycles + 1;
    end
    $display("timeout after %0d words, %0d results", word, results);
    $finish;
  end
endmodule

`default_nettype wire
