  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);
  always @* if (count_i) assume (cause_i >= 3'd2);
  // After a reset nothing was counted before the first clear.
  reg f_cleared = 1'b0;
  always @(posedge clk_i) f_cleared <= rst_ni && (f_cleared || clear_i);
  always @* if (!f_cleared) assume (!count_i);

  // What was counted since the last clear: 1 all, 2..7 by cause.
  reg [COUNT_BITS-1:0] f_count [1:7];
  wire [COUNT_BITS-1:0] f_sum = f_count[2] + f_count[3] + f_count[4] + f_count[5] + f_count[6] + f_count[7];
  wire [COUNT_BITS-1:0] f_kept [1:7];  // the same, of the counters
  always @* if (f_past && rst_ni && f_cleared) begin
    causes_add_up_to_the_total: assert (f_count[1] == f_sum);
    counters_add_up_to_the_total: assert (f_kept[1] == f_kept[2] + f_kept[3] + f_kept[4] + f_kept[5] + f_kept[6] + f_kept[7]);
    all_causes: cover (phase_q == 4'd9 && counts[3] == 2 && f_count[2] == 1 && f_count[7] == 1);
  end
  genvar f_i;
  generate
    for (f_i = 1; f_i < 8; f_i = f_i + 1) begin : f_counter
      wire [3:0] since = phase_q - 2 * f_i - 2;  // its last collection
      wire [COUNT_BITS-1:0] late = f_count[f_i] - counts[f_i];
      assign f_kept[f_i] = (zero_q[f_i] ? {COUNT_BITS{1'b0}} : counts[f_i]) + small_q[f_i];
      always @(posedge clk_i) f_count[f_i] <= clear_i ? {COUNT_BITS{1'b0}} : f_count[f_i] + (count_i && (f_i == 1 || cause_i == f_i));
      always @* if (f_past && rst_ni && f_cleared) begin
        assert (f_kept[f_i] == f_count[f_i]);
        assert (small_q[f_i] <= since + 5'd1);
        if (collect && place == f_i) assert (count_q == (zero_q[f_i] ? {COUNT_BITS{1'b0}} : counts[f_i]));
        assert (zero_q[f_i] || late <= 16);
      end
    end
  endgenerate

  // A read: the job's goes first; both are answered after an odd phase, with the counter as it was in that.
  reg f_job = 1'b0, f_host = 1'b0;
  reg [3:0] f_addr;
  reg f_collected;
  wire [3:0] f_asked = job_read_i ? job_addr_i : host_addr_i;
  always @(posedge clk_i) begin
    f_job <= rst_ni && job_read_i && collect;
    f_host <= rst_ni && host_read_i && !job_read_i && collect;
    f_addr <= f_asked;
    f_collected <= !zero_q[f_asked[3:1]] && !clear_i;
  end
  wire [COUNT_BITS-1:0] f_late = f_count[f_addr[3:1]] - count_q;
  always @* if (f_past && rst_ni) begin
    answers_job: assert (job_done_o == f_job);
    answers_host: assert (host_done_o == f_host);
    if (f_job || f_host) begin
      shows_the_word_asked_for: assert (addr_q == f_addr);
      if (f_addr == 4'd0) shows_status: assert (data_o == status_i);
      if (f_addr == 4'd1) shows_runs: assert (data_o == runs_done_i);
      if (f_addr > 4'd1) shows_its_half: assert (data_o == (f_addr[0] ? count_q[11:6] : count_q[5:0]));
      if (f_addr > 4'd1 && f_cleared && f_collected) shows_its_counter_at_most_17_late: assert (f_late <= 17);
    end
  end
  // Held reads are answered.
  reg [1:0] f_waits = 2'd0;
  always @(posedge clk_i) f_waits <= rst_ni && job_read_i && !job_done_o ? f_waits + 2'd1 : 2'd0;
  always @* waits_at_most_2_cycles: assert (f_waits <= 2'd2);
