// AXI4-Lite slave: turns transfers into one write strobe and one read strobe of a register bus.
//
// Address and data of a write are taken together. The data of a read is asked for with read_o and comes when
// read_done_i is high, at the earliest a cycle later. Every answer is OKAY.
//
// stream  a write every two cycles, a read every three or more
// units   byte addresses
// proved  handshake rules of AXI4-Lite, one answer for each request (tests/formal)
`default_nettype none

module axi_lite_slave #(
    parameter ADDR_BITS = 12
) (
    input  wire                 clk_i,
    input  wire                 rst_ni,
    input  wire                 awvalid_i,
    output wire                 awready_o,
    input  wire [ADDR_BITS-1:0] awaddr_i,
    input  wire                 wvalid_i,
    output wire                 wready_o,
    input  wire          [31:0] wdata_i,
    input  wire           [3:0] wstrb_i,
    output wire                 bvalid_o,
    input  wire                 bready_i,
    input  wire                 arvalid_i,
    output wire                 arready_o,
    input  wire [ADDR_BITS-1:0] araddr_i,
    output wire                 rvalid_o,
    input  wire                 rready_i,
    output wire          [31:0] rdata_o,
    // register bus
    output wire                 write_o,
    output wire [ADDR_BITS-1:0] write_addr_o,
    output wire          [31:0] write_data_o,
    output wire           [3:0] write_strobe_o,
    output wire                 read_o,
    output wire [ADDR_BITS-1:0] read_addr_o,   // holds until read_done_i
    input  wire                 read_done_i,
    input  wire          [31:0] read_data_i
);
  reg                 bvalid_q;
  reg                 reading_q, rvalid_q;
  reg [ADDR_BITS-1:0] read_addr_q;
  reg          [31:0] rdata_q;

  assign write_o = awvalid_i && wvalid_i && !bvalid_q && rst_ni;
  assign awready_o = write_o;
  assign wready_o = write_o;
  assign bvalid_o = bvalid_q;
  assign write_addr_o = awaddr_i;
  assign write_data_o = wdata_i;
  assign write_strobe_o = wstrb_i;

  assign arready_o = !reading_q && !rvalid_q && rst_ni;
  assign read_o = reading_q;
  assign read_addr_o = read_addr_q;
  assign rvalid_o = rvalid_q;
  assign rdata_o = rdata_q;

  always @(posedge clk_i) begin
    if (write_o) bvalid_q <= 1'b1;
    else if (bready_i) bvalid_q <= 1'b0;

    if (arvalid_i && arready_o) begin
      reading_q <= 1'b1;
      read_addr_q <= araddr_i;
    end
    if (reading_q && read_done_i) begin
      reading_q <= 1'b0;
      rvalid_q <= 1'b1;
      rdata_q <= read_data_i;
    end
    if (rvalid_q && rready_i) rvalid_q <= 1'b0;

    if (!rst_ni) begin
      bvalid_q <= 1'b0;
      reading_q <= 1'b0;
      rvalid_q <= 1'b0;
    end
  end
endmodule

`default_nettype wire
