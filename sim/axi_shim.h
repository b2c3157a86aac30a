#ifndef LAC_AXI_SHIM_H
#define LAC_AXI_SHIM_H

#include <stdint.h>

/// Between axi.c and the shared library that axi_shim.cpp and the Verilated shell become: pins, cycle by
/// cycle.

#ifdef __cplusplus
extern "C" {
#endif

/// Raised when this file changes: a library of another version is not used.
enum { LAC_AXI_SHIM_VERSION = 1, LAC_AXI_DATA_BYTES = 64, LAC_AXI_WATCH_BYTES = 64 };

/// Names as in rtl/shell/lac_shell.v.
typedef struct lac_axi_pins {
    // driven
    uint8_t rst_n;
    uint8_t s_awvalid, s_wvalid, s_bready, s_arvalid, s_rready, s_wstrb;
    uint16_t s_awaddr, s_araddr;
    uint32_t s_wdata;
    uint8_t m_awready, m_arready, m_wready;
    uint8_t m_bvalid, m_bresp, m_rvalid, m_rresp, m_rlast;
    uint8_t m_rdata[LAC_AXI_DATA_BYTES];
    // seen in the same cycle, before its clock edge
    uint8_t s_awready, s_wready, s_bvalid, s_arready, s_rvalid;
    uint32_t s_rdata;
    uint8_t m_awvalid, m_arvalid, m_wvalid, m_wlast, m_len;
    uint64_t m_addr;
    uint8_t m_wdata[LAC_AXI_DATA_BYTES];
    uint8_t interrupt;
    uint8_t watch_write, watch_step_done, watch_run_done;
    uint32_t watch_addr, watch_group, watch_step;
    uint8_t watch_data[LAC_AXI_WATCH_BYTES];
    uint32_t compute, starved, drain, other;
} lac_axi_pins;

typedef struct lac_axi_calls {
    int version;
    void *(*open)(void);
    void (*close)(void *model);
    /// One clock cycle.
    void (*cycle)(void *model, lac_axi_pins *pins);
    /// Records every cycle from now on; NULL closes the file.
    void (*trace)(void *model, const char *path);
} lac_axi_calls;

/// The one symbol that the library exports.
#define LAC_AXI_SHIM_SYMBOL "lac_axi_shim"
typedef const lac_axi_calls *lac_axi_shim_entry(void);

#ifdef __cplusplus
}
#endif

#endif
