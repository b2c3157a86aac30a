// Handshake rules of AXI4-Lite for a slave that answers one request of a kind at a time. What the slave must do is
// asserted, what its master must do is assumed; with ASSUME_SLAVE the other way round.
module axi_lite_rules #(
    parameter ASSUME_SLAVE = 0
) (
    input wire        clk_i,
    input wire        rst_ni,
    input wire        awvalid,
    input wire        awready,
    input wire [11:0] awaddr,
    input wire        wvalid,
    input wire        wready,
    input wire [31:0] wdata,
    input wire  [3:0] wstrb,
    input wire        bvalid,
    input wire        bready,
    input wire        arvalid,
    input wire        arready,
    input wire [11:0] araddr,
    input wire        rvalid,
    input wire        rready,
    input wire [31:0] rdata,
    output wire [1:0] writes_o,  // addresses, data without an answer
    output wire       reads_o
);
  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;
  reg aw_q = 0, w_q = 0, ar_q = 0;
  always @(posedge clk_i) begin
    aw_q <= (aw_q || (awvalid && awready)) && !(bvalid && bready);
    w_q <= (w_q || (wvalid && wready)) && !(bvalid && bready);
    ar_q <= (ar_q || (arvalid && arready)) && !(rvalid && rready);
    if (!rst_ni) begin
      aw_q <= 1'b0;
      w_q <= 1'b0;
      ar_q <= 1'b0;
    end
  end
  assign writes_o = {aw_q, w_q};
  assign reads_o = ar_q;
  reg held_b = 0, held_r = 0, held_aw = 0, held_w = 0, held_ar = 0;
  reg [31:0] last_rdata, last_wdata;
  reg [11:0] last_awaddr, last_araddr;
  reg  [3:0] last_wstrb;
  always @(posedge clk_i) begin
    held_b <= rst_ni && bvalid && !bready;
    held_r <= rst_ni && rvalid && !rready;
    held_aw <= rst_ni && awvalid && !awready;
    held_w <= rst_ni && wvalid && !wready;
    held_ar <= rst_ni && arvalid && !arready;
    last_rdata <= rdata;
    last_wdata <= wdata;
    last_awaddr <= awaddr;
    last_araddr <= araddr;
    last_wstrb <= wstrb;
  end
  wire slave_holds = (!held_b || bvalid) && (!held_r || (rvalid && rdata == last_rdata));
  wire slave_answers_requests_only = (!bvalid || (aw_q && w_q)) && (!rvalid || ar_q);
  wire slave_takes_one_at_a_time = !(aw_q && awready) && !(w_q && wready) && !(ar_q && arready);
  wire master_holds = (!held_aw || (awvalid && awaddr == last_awaddr)) &&
                      (!held_w || (wvalid && wdata == last_wdata && wstrb == last_wstrb)) &&
                      (!held_ar || (arvalid && araddr == last_araddr));
  generate
    if (ASSUME_SLAVE) begin : gen_master
      always @* if (f_past && rst_ni) begin
        assume (slave_holds && slave_answers_requests_only && slave_takes_one_at_a_time);
        assert (master_holds);
      end
    end else begin : gen_slave
      always @* if (f_past && rst_ni) begin
        assume (master_holds);
        assert (slave_holds);
        assert (slave_answers_requests_only);
        assert (slave_takes_one_at_a_time);
      end
    end
  endgenerate
endmodule
