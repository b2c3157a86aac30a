#ifndef LAC_AXI_H
#define LAC_AXI_H

#include "axi_memory.h"
#include "sim.h"

/// The engine with its shell in Verilator, driven through its AXI pins: registers by AXI4-Lite as a host's
/// driver writes and polls them, memory by axi_memory.h.

typedef struct lac_axi lac_axi;

typedef struct lac_axi_config {
    lac_sim_config engine;
    int data_bits; ///< of the memory port: 64, 128, 256 or 512; 0: 64
    size_t memory_bytes;
    lac_axi_weather weather;
    int host_stall_percent; ///< chance that the host lets a cycle pass before it goes on; random by
                            ///< weather.seed
} lac_axi_config;

/// What one start of the kernel needs: the arguments of rtl/defs/registers.def. Addresses are those of the
/// memory.
typedef struct lac_axi_job {
    uint32_t contract, engine;
    uint64_t program, input, output, report;
    uint32_t program_words, input_base, input_words, output_words, runs, patience;
} lac_axi_job;

typedef struct lac_axi_watch {
    void (*cycle)(void *ctx, uint64_t cycle, const lac_axi_pins *pins); ///< every cycle of a job
    void *ctx;
} lac_axi_watch;

/// errors  as lac_sim_open
lac_status lac_axi_open(const lac_axi_config *config, const lac_talk *talk, lac_axi **out,
                        lac_error *err) LAC_MUST_CHECK;
void lac_axi_close(lac_axi *axi);

/// The memory, for what is in it and for changing the weather.
lac_axi_memory *lac_axi_ram(lac_axi *axi);

void lac_axi_reset(lac_axi *axi);
void lac_axi_idle(lac_axi *axi, int cycles);
/// Register access, one after the other. strobe: bytes that are written.
///
/// errors  E_DEVICE (no answer within 10,000 cycles, or the master broke the protocol)
lac_status lac_axi_write(lac_axi *axi, uint32_t offset, uint32_t value, int strobe,
                         lac_error *err) LAC_MUST_CHECK;
lac_status lac_axi_read(lac_axi *axi, uint32_t offset, uint32_t *value, lac_error *err) LAC_MUST_CHECK;
bool lac_axi_interrupt(const lac_axi *axi);

/// What XRT does for a kernel of ap_ctrl_chain: writes the arguments in ascending order and ap_start, polls
/// the control word until ap_done, writes ap_continue. Then reads the status. watch may be NULL.
///
/// errors  E_DEVICE (not done after limit cycles, or the master broke the protocol)
lac_status lac_axi_run(lac_axi *axi, const lac_axi_job *job, const lac_axi_watch *watch, uint64_t limit,
                       uint32_t *kernel_status, uint64_t *cycles, lac_error *err) LAC_MUST_CHECK;
/// Its halves: arguments and ap_start; poll, ap_continue and status.
lac_status lac_axi_start(lac_axi *axi, const lac_axi_job *job, lac_error *err) LAC_MUST_CHECK;
lac_status lac_axi_wait(lac_axi *axi, const lac_axi_watch *watch, uint64_t limit, uint32_t *kernel_status,
                        uint64_t *cycles, lac_error *err) LAC_MUST_CHECK;

/// Records a waveform from now on; NULL: no more.
void lac_axi_trace(lac_axi *axi, const char *path);

/// Name of a status code of the kernel.
const char *lac_axi_status_name(uint32_t kernel_status);

#endif
