// Counts what the cycles of a step were spent on. The four counts add up to the cycles of the step.
//
// A step lasts until layer_done_i; done_o follows one cycle later with the counts of that step, its last cycle
// included. The first step of a program begins with the first program word.
`default_nettype none

module step_counters (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        enable_i,      // a program is in progress
    input  wire        restart_i,     // the one before has ended
    input  wire        layer_done_i,
    input  wire        is_compute_i,
    input  wire        is_starved_i,
    input  wire        is_drain_i,
    output wire        done_o,
    output wire [31:0] compute_o,
    output wire [31:0] starved_o,
    output wire [31:0] drain_o,
    output wire [31:0] other_o
);
  reg        done_q, enable_q;
  reg [31:0] compute_q, starved_q, drain_q, other_q;
  wire       clear = done_q || !enable_q || restart_i;
  wire       is_other = !is_compute_i && !is_starved_i && !is_drain_i;

  always @(posedge clk_i) begin
    enable_q <= enable_i;
    done_q <= layer_done_i;
    compute_q <= (clear ? 32'd0 : compute_q) + {31'd0, enable_i && is_compute_i};
    starved_q <= (clear ? 32'd0 : starved_q) + {31'd0, enable_i && is_starved_i};
    drain_q <= (clear ? 32'd0 : drain_q) + {31'd0, enable_i && is_drain_i};
    other_q <= (clear ? 32'd0 : other_q) + {31'd0, enable_i && is_other};
    if (!rst_ni) begin
      enable_q <= 1'b0;
      done_q <= 1'b0;
    end
  end

  assign done_o = done_q;
  assign compute_o = compute_q;
  assign starved_o = starved_q;
  assign drain_o = drain_q;
  assign other_o = other_q;
endmodule

`default_nettype wire
