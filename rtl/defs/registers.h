#ifndef LAC_REGISTERS_GEN_H
#define LAC_REGISTERS_GEN_H

#include <stdint.h>
#include <stdio.h>

/// The part of the contract generator that prints registers.def.

/// A sentence on stderr and 1 when two registers overlap, an argument is not where Vitis puts it, or a report
/// word is taken twice.
int lac_registers_check(void);

/// Folds names and numbers of all rows into the hash.
void lac_registers_hash(void (*text)(uint32_t *hash, const char *text), uint32_t *hash);

void lac_registers_print_c(FILE *out);        ///< lac_registers.h: macros only, also for OpenCL C
void lac_registers_print_verilog(FILE *out);  ///< lac_registers.vh
void lac_registers_print_xml(FILE *out);      ///< kernel.xml of the packaged RTL kernel
void lac_registers_print_tcl(FILE *out);      ///< registers.tcl: the memory map for the IP packager
void lac_registers_print_markdown(FILE *out); ///< a part of contract.md

#endif
