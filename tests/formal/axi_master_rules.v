// Rules of AXI4 for a master whose data and answer channels are always ready, and for its memory, which answers in
// order. What the master must do is asserted, what the memory must do is assumed; with ASSUME_MASTER the other way
// round. At most 2**COUNT_BITS - 1 reads and writes may be outstanding.
module axi_master_rules #(
    parameter DATA_BITS = 64,
    parameter COUNT_BITS = 4,
    parameter ASSUME_MASTER = 0
) (
    input wire        clk_i,
    input wire        rst_ni,
    input wire        arvalid,
    input wire        arready,
    input wire        awvalid,
    input wire        awready,
    input wire [63:0] addr,
    input wire  [7:0] len,
    input wire        wvalid,
    input wire        wready,
    input wire        wlast,
    input wire        bvalid,
    input wire        rvalid,
    input wire        rlast,
    output wire [COUNT_BITS-1:0] reads_o,     // bursts without their last beat
    output wire [COUNT_BITS-1:0] writes_o,    // bursts without their answer
    output wire            [8:0] beats_left_o // of the write whose data are on their way
);
  localparam SIZE = $clog2(DATA_BITS / 8);
  reg f_past = 1'b0;
  always @(posedge clk_i) f_past <= 1'b1;

  reg [COUNT_BITS-1:0] reads_q = 0, writes_q = 0;
  reg [8:0] beats_q = 0;
  wire [8:0] beats = {1'b0, len} + 9'd1;
  always @(posedge clk_i) begin
    reads_q <= reads_q + (arvalid && arready) - (rvalid && rlast);
    writes_q <= writes_q + (awvalid && awready) - bvalid;
    beats_q <= awvalid && awready ? beats : beats_q - (wvalid && wready);
    if (!rst_ni) begin
      reads_q <= 0;
      writes_q <= 0;
      beats_q <= 0;
    end
  end
  assign reads_o = reads_q;
  assign writes_o = writes_q;
  assign beats_left_o = beats_q;

  reg held_ar = 0, held_aw = 0, held_w = 0, last_wlast;
  reg [63:0] last_addr;
  reg [7:0] last_len;
  always @(posedge clk_i) begin
    held_ar <= rst_ni && arvalid && !arready;
    held_aw <= rst_ni && awvalid && !awready;
    held_w <= rst_ni && wvalid && !wready;
    last_addr <= addr;
    last_len <= len;
    last_wlast <= wlast;
  end
  wire same = addr == last_addr && len == last_len;
  wire offers_hold = (!held_ar || (arvalid && same)) && (!held_aw || (awvalid && same)) &&
                     (!held_w || (wvalid && wlast == last_wlast));
  wire [12:0] first = {1'b0, addr[11:0]};
  wire [12:0] end_of_burst = first + ({4'd0, beats} << SIZE);
  wire aligned = addr[SIZE-1:0] == 0;
  wire inside_4_kib = end_of_burst <= 13'd4096;
  wire offers = arvalid || awvalid;
  wire data_belong_to_a_write = !wvalid || (beats_q != 0 && wlast == (beats_q == 1));
  wire no_write_before_the_data_of_the_last = !(awvalid && awready && beats_q != 0);
  wire answers_are_owed = (!bvalid || writes_q > (beats_q != 0)) && (!rvalid || reads_q != 0);
  wire counted = !(&reads_q && arvalid && arready) && !(&writes_q && awvalid && awready);
  generate
    if (ASSUME_MASTER) begin : gen_memory
      always @* if (f_past && rst_ni) begin
        assume (offers_hold && (!offers || (aligned && inside_4_kib)) && data_belong_to_a_write);
        assume (no_write_before_the_data_of_the_last && counted);
        assert (answers_are_owed);
      end
    end else begin : gen_master
      always @* if (f_past && rst_ni) begin
        assume (answers_are_owed);
        assert (offers_hold);
        assert (!offers || aligned);
        assert (!offers || inside_4_kib);
        assert (data_belong_to_a_write);
        assert (no_write_before_the_data_of_the_last);
        assert (counted);
      end
    end
  endgenerate
endmodule
