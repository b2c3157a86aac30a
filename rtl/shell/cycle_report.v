// Counts what the cycles of a job were spent on, and shows the report word by word.
//
// Every counted cycle has one cause, the place of its counter in the report. Small counters count, and one adder
// goes round and collects them in a memory, so 7 counters of 48 bits cost little more than one. What is
// shown lags behind by up to 32 cycles.
//
// stream  one cycle counted a cycle; a report word is read in 2 or 3 cycles
// units   clock cycles; 32-bit words of the report
`default_nettype none

module cycle_report (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        clear_i,
    input  wire        count_i,
    input  wire  [2:0] cause_i,     // 2..7
    input  wire [31:0] status_i,    // report words 0 and 1
    input  wire [31:0] runs_done_i,
    input  wire        job_read_i,  // held with its address until done; goes first
    input  wire  [3:0] job_addr_i,
    output wire        job_done_o,
    input  wire        host_read_i,
    input  wire  [3:0] host_addr_i,
    output wire        host_done_o,
    output wire [31:0] data_o
);
  localparam COUNT_BITS = 48;
  localparam SMALL_BITS = 5;        // counts 16 cycles from one collection to the next

  reg                  [3:0] phase_q;
  reg                  [7:0] zero_q;
  (* mem2reg *) reg [SMALL_BITS-1:0] small_q [0:7];
  reg [COUNT_BITS-1:0] counts [0:7];
  reg [COUNT_BITS-1:0] count_q;
  reg                  job_done_q, host_done_q;
  reg                  [3:0] addr_q;

  // Even phases read for the collection, odd ones write what is collected and read for others.
  wire       collect = phase_q[0];
  wire [2:0] place = phase_q[3:1];
  wire [3:0] addr = job_read_i ? job_addr_i : host_addr_i;
  wire [2:0] read_place = collect ? addr[3:1] : place;
  wire [COUNT_BITS-1:0] collected = count_q + {{(COUNT_BITS - SMALL_BITS) {1'b0}}, small_q[place]};

  always @(posedge clk_i) begin
    if (collect) counts[place] <= collected;
    count_q <= clear_i || zero_q[read_place] ? {COUNT_BITS{1'b0}} : counts[read_place];
  end

  always @(posedge clk_i) begin : small_counters
    integer i;
    for (i = 1; i < 8; i = i + 1) begin
      small_q[i] <= (collect && place == i[2:0] ? {SMALL_BITS{1'b0}} : small_q[i]) +
                    {{(SMALL_BITS - 1) {1'b0}}, count_i && (i == 1 || cause_i == i[2:0])};
      if (clear_i) small_q[i] <= {SMALL_BITS{1'b0}};
    end
    small_q[0] <= {SMALL_BITS{1'b0}};
  end

  always @(posedge clk_i) begin
    phase_q <= phase_q + 4'd1;
    if (collect) zero_q[place] <= 1'b0;
    if (clear_i) zero_q <= 8'hFF;
    addr_q <= addr;
    job_done_q <= job_read_i && collect;
    host_done_q <= host_read_i && !job_read_i && collect;
    if (!rst_ni) begin
      phase_q <= 4'd0;
      zero_q <= 8'hFF;
      job_done_q <= 1'b0;
      host_done_q <= 1'b0;
    end
  end

  assign job_done_o = job_done_q;
  assign host_done_o = host_done_q;
  assign data_o = addr_q[3:1] == 3'd0 ? (addr_q[0] ? runs_done_i : status_i)
                : addr_q[0] ? {16'd0, count_q[47:32]} : count_q[31:0];
endmodule

`default_nettype wire
