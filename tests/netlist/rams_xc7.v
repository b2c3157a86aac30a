// Block memories of the 7 series as far as Yosys uses them for RTL with one read and one write port: the models that come
// with Yosys have pins and timing but no contents. RAMB18E1 has 16 data and 2 parity bits a port, RAMB36E1 twice as many;
// in mode SDP port A reads and port B writes, and both halves together are one port of twice the width.
//
// A read of the word that the other port writes in the same cycle is undefined unless the writing port is READ_FIRST, and
// rtl/prim/ram_1r1w.v promises nothing: it gives the complement of the old word here, so that nobody relies on either.
// source  AMD/Xilinx UG473, 7 Series FPGAs Memory Resources, chapter 1
`timescale 1ns / 1ns
`default_nettype none

module block_ram #(
    parameter HALF = 16,            // data bits of a port
    parameter ADDR_BITS = 14,       // of a bit of data
    parameter SDP = 0,
    parameter READ_A = 0, READ_B = 0, WRITE_A = 0, WRITE_B = 0,  // widths with parity; 0: not used
    parameter PLAIN = 1             // no output register, no cascade, no pin inverted
) (
    input  wire                  clk_a, clk_b, en_a, en_b, reset,
    input  wire  [ADDR_BITS-1:0] addr_a, addr_b,
    input  wire     [2*HALF-1:0] data_a, data_b,
    input  wire   [HALF/4-1:0]   parity_a, parity_b,
    input  wire   [HALF/4-1:0]   we_a, we_b,
    output reg      [2*HALF-1:0] out_a, out_b,
    output reg    [HALF/4-1:0]   out_parity_a, out_parity_b
);
  reg [(1<<ADDR_BITS)-1:0]     mem;
  reg [(1<<(ADDR_BITS-3))-1:0] mem_parity;
  initial begin
    mem = 0;
    mem_parity = 0;
    out_a = 0;
    out_b = 0;
    out_parity_a = 0;
    out_parity_b = 0;
  end

  // Data bits of a width with parity.
  function integer bits_of;
    input integer width;
    bits_of = width >= 9 ? width / 9 * 8 : width;
  endfunction
  // First bit of the word: the address without the bits inside of it.
  function [ADDR_BITS-1:0] begin_of;
    input [ADDR_BITS-1:0] addr;
    input integer width;
    begin_of = addr & ~(bits_of(width) - 1);
  endfunction

  reg writes_a, writes_b;
  always @* begin
    writes_a = WRITE_A != 0 && en_a && |we_a;
    writes_b = WRITE_B != 0 && en_b && |we_b;
  end

  // Whether the words share a bit.
  function meets;
    input [ADDR_BITS-1:0] read, write;
    input integer read_width, write_width;
    integer wide;
    begin
      wide = read_width > write_width ? read_width : write_width;
      meets = begin_of(read, wide) == begin_of(write, wide);
    end
  endfunction

  integer i;
  reg     hit;
  // Reads first, then writes: the clocks are one (a design with two is not simulated).
  always @(posedge clk_a) begin
    if (en_a && READ_A != 0) begin
      hit = writes_b && meets(addr_a, addr_b, READ_A, WRITE_B);
      for (i = 0; i < bits_of(READ_A); i = i + 1) out_a[i] <= mem[begin_of(addr_a, READ_A)+i] ^ hit;
      for (i = 0; i < READ_A / 9; i = i + 1) out_parity_a[i] <= mem_parity[begin_of(addr_a, READ_A)/8+i] ^ hit;
    end
    if (en_b && READ_B != 0) begin
      hit = writes_a && meets(addr_b, addr_a, READ_B, WRITE_A);
      for (i = 0; i < bits_of(READ_B); i = i + 1) out_b[i] <= mem[begin_of(addr_b, READ_B)+i] ^ hit;
      for (i = 0; i < READ_B / 9; i = i + 1) out_parity_b[i] <= mem_parity[begin_of(addr_b, READ_B)/8+i] ^ hit;
    end
    if (writes_a) begin
      for (i = 0; i < bits_of(WRITE_A); i = i + 1) if (we_a[i/8]) mem[begin_of(addr_a, WRITE_A)+i] <= data_a[i];
      for (i = 0; i < WRITE_A / 9; i = i + 1) if (we_a[i]) mem_parity[begin_of(addr_a, WRITE_A)/8+i] <= parity_a[i];
    end
    if (writes_b) begin
      for (i = 0; i < bits_of(WRITE_B); i = i + 1) if (we_b[i/8]) mem[begin_of(addr_b, WRITE_B)+i] <= data_b[i];
      for (i = 0; i < WRITE_B / 9; i = i + 1) if (we_b[i]) mem_parity[begin_of(addr_b, WRITE_B)/8+i] <= parity_b[i];
    end
  end

  // What the devices or this model cannot do ends the simulation.
  reg clocks_differ = 1'b0;
  always @(posedge clk_a) begin
    #1;
    if (clk_b !== 1'b1) clocks_differ = 1'b1;
    if (clocks_differ || PLAIN == 0 || reset !== 1'b0 || (SDP != 0 && (READ_B != 0 || WRITE_A != 0)) ||
        (SDP == 0 && (READ_A / 9 * 8 > HALF || READ_B / 9 * 8 > HALF || WRITE_A / 9 * 8 > HALF || WRITE_B / 9 * 8 > HALF))) begin
      $display("error: a block memory of an unknown mode");
      $finish;
    end
  end
endmodule

module RAMB18E1 #(
    parameter RAM_MODE = "TDP", WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST",
    parameter integer READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0, DOA_REG = 0, DOB_REG = 0,
    parameter INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0
) (
    input  wire CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB, RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input  wire [13:0] ADDRARDADDR, ADDRBWRADDR,
    input  wire [15:0] DIADI, DIBDI,
    input  wire [1:0] DIPADIP, DIPBDIP,
    input  wire [1:0] WEA,
    input  wire [3:0] WEBWE,
    output wire [15:0] DOADO, DOBDO,
    output wire [1:0] DOPADOP, DOPBDOP
);
  localparam SDP = RAM_MODE == "SDP";
  wire [31:0] out_a, out_b;
  wire [3:0] out_parity_a, out_parity_b;
  block_ram #(
      .HALF(16), .ADDR_BITS(14), .SDP(SDP), .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A),
      .WRITE_B(WRITE_WIDTH_B), .PLAIN(DOA_REG == 0 && DOB_REG == 0)
  ) u_ram (
      .clk_a(CLKARDCLK), .clk_b(CLKBWRCLK), .en_a(ENARDEN), .en_b(ENBWREN), .reset(RSTRAMARSTRAM | RSTRAMB),
      .addr_a(ADDRARDADDR[13:0]), .addr_b(ADDRBWRADDR[13:0]), .data_a({DIBDI, DIADI}),
      .data_b(SDP ? {DIBDI, DIADI} : {16'd0, DIBDI}), .parity_a({DIPBDIP, DIPADIP}),
      .parity_b(SDP ? {DIPBDIP, DIPADIP} : {2'd0, DIPBDIP}), .we_a({2'd0, WEA}), .we_b(WEBWE), .out_a(out_a),
      .out_b(out_b), .out_parity_a(out_parity_a), .out_parity_b(out_parity_b));
  assign DOADO = out_a[15:0];
  assign DOBDO = SDP ? out_a[31:16] : out_b[15:0];
  assign DOPADOP = out_parity_a[1:0];
  assign DOPBDOP = SDP ? out_parity_a[3:2] : out_parity_b[1:0];
endmodule

module RAMB36E1 #(
    parameter RAM_MODE = "TDP", WRITE_MODE_A = "WRITE_FIRST", WRITE_MODE_B = "WRITE_FIRST",
    parameter RAM_EXTENSION_A = "NONE", RAM_EXTENSION_B = "NONE",
    parameter integer READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0, DOA_REG = 0, DOB_REG = 0,
    parameter INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0
) (
    output wire CASCADEOUTA, CASCADEOUTB, SBITERR, DBITERR,
    output wire [7:0] ECCPARITY,
    output wire [8:0] RDADDRECC,
    input  wire CASCADEINA, CASCADEINB, INJECTDBITERR, INJECTSBITERR,
    input  wire CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB, RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input  wire [15:0] ADDRARDADDR, ADDRBWRADDR,
    input  wire [31:0] DIADI, DIBDI,
    input  wire [3:0] DIPADIP, DIPBDIP,
    input  wire [3:0] WEA,
    input  wire [7:0] WEBWE,
    output wire [31:0] DOADO, DOBDO,
    output wire [3:0] DOPADOP, DOPBDOP
);
  localparam SDP = RAM_MODE == "SDP";
  wire [63:0] out_a, out_b;
  wire [7:0] out_parity_a, out_parity_b;
  block_ram #(
      .HALF(32), .ADDR_BITS(15), .SDP(SDP), .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A),
      .WRITE_B(WRITE_WIDTH_B), .PLAIN(DOA_REG == 0 && DOB_REG == 0 && RAM_EXTENSION_A == "NONE" && RAM_EXTENSION_B == "NONE")
  ) u_ram (
      .clk_a(CLKARDCLK), .clk_b(CLKBWRCLK), .en_a(ENARDEN), .en_b(ENBWREN), .reset(RSTRAMARSTRAM | RSTRAMB),
      .addr_a(ADDRARDADDR[14:0]), .addr_b(ADDRBWRADDR[14:0]), .data_a({DIBDI, DIADI}),
      .data_b(SDP ? {DIBDI, DIADI} : {32'd0, DIBDI}), .parity_a({DIPBDIP, DIPADIP}),
      .parity_b(SDP ? {DIPBDIP, DIPADIP} : {4'd0, DIPBDIP}), .we_a({4'd0, WEA}), .we_b(WEBWE), .out_a(out_a),
      .out_b(out_b), .out_parity_a(out_parity_a), .out_parity_b(out_parity_b));
  assign DOADO = out_a[31:0];
  assign DOBDO = SDP ? out_a[63:32] : out_b[31:0];
  assign DOPADOP = out_parity_a[3:0];
  assign DOPBDOP = SDP ? out_parity_a[7:4] : out_parity_b[3:0];
  assign {CASCADEOUTA, CASCADEOUTB, SBITERR, DBITERR, ECCPARITY, RDADDRECC} = 0;
endmodule

`default_nettype wire
