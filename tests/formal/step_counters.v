  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  always @* if (!f_past) assume (!rst_ni);
  always @* assume (is_compute_i + is_starved_i + is_drain_i <= 1);
  // Cycles of the present step that were counted, and those with each cause: compute, starved, drain.
  reg [5:0] f_cycles = 0, f_compute = 0, f_starved = 0, f_drain = 0;
  reg        f_ended = 1'b0;
  wire       f_begins = f_ended || restart_i || !f_enabled;
  reg        f_enabled = 1'b0;
  always @(posedge clk_i) begin
    f_enabled <= rst_ni && enable_i;
    f_ended <= rst_ni && layer_done_i;
    f_cycles <= (f_begins ? 0 : f_cycles) + enable_i;
    f_compute <= (f_begins ? 0 : f_compute) + (enable_i && is_compute_i);
    f_starved <= (f_begins ? 0 : f_starved) + (enable_i && is_starved_i);
    f_drain <= (f_begins ? 0 : f_drain) + (enable_i && is_drain_i);
  end
  reg f_counts = 1'b0;  // something was counted since reset
  always @(posedge clk_i) f_counts <= rst_ni;
  always @* if (f_past && f_counts) begin
    counts_follow_a_step: assert (done_o == f_ended);
    counts_add_up: assert (compute_o + starved_o + drain_o + other_o == f_cycles);
    compute_is_compute: assert (compute_o == f_compute);
    starved_is_starved: assert (starved_o == f_starved);
    drain_is_drain: assert (drain_o == f_drain);
    a_step: cover (done_o && compute_o == 2 && drain_o == 1 && other_o == 1);
  end
