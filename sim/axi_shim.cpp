// The Verilated shell behind the C calls of axi_shim.h; compiled together with the model at run time, like
// shim.cpp.

#include "axi_shim.h"

#include "Vlac_shell.h"
#include "verilated.h"
#include "verilated_fst_c.h"

#include <cstring>

double sc_time_stamp() {
    return 0;
}

namespace {

struct Shell {
    VerilatedContext context;
    Vlac_shell *top;
    VerilatedFstC *waves = nullptr;
    uint64_t now = 0;

    Shell() {
        context.traceEverOn(true);
        top = new Vlac_shell(&context);
        top->clk_i = 0;
        top->eval();
    }
    ~Shell() {
        trace(nullptr);
        delete top;
    }
    void trace(const char *path) {
        if (waves) {
            waves->close();
            delete waves;
            waves = nullptr;
        }
        if (!path) return;
        waves = new VerilatedFstC;
        top->trace(waves, 99);
        waves->open(path);
    }
};

void drive(Vlac_shell *top, const lac_axi_pins *pins) {
    top->rst_ni = pins->rst_n;
    top->s_awvalid = pins->s_awvalid;
    top->s_awaddr = pins->s_awaddr;
    top->s_wvalid = pins->s_wvalid;
    top->s_wdata = pins->s_wdata;
    top->s_wstrb = pins->s_wstrb;
    top->s_bready = pins->s_bready;
    top->s_arvalid = pins->s_arvalid;
    top->s_araddr = pins->s_araddr;
    top->s_rready = pins->s_rready;
    top->m_awready = pins->m_awready;
    top->m_arready = pins->m_arready;
    top->m_wready = pins->m_wready;
    top->m_bvalid = pins->m_bvalid;
    top->m_bresp = pins->m_bresp;
    top->m_rvalid = pins->m_rvalid;
    top->m_rresp = pins->m_rresp;
    top->m_rlast = pins->m_rlast;
    // Ports of any width are little-endian words, on the machines that Verilator's own code assumes.
    std::memcpy(&top->m_rdata, pins->m_rdata, LAC_SHIM_DATA_BYTES);
}

void see(const Vlac_shell *top, lac_axi_pins *pins) {
    pins->s_awready = top->s_awready;
    pins->s_wready = top->s_wready;
    pins->s_bvalid = top->s_bvalid;
    pins->s_arready = top->s_arready;
    pins->s_rvalid = top->s_rvalid;
    pins->s_rdata = top->s_rdata;
    pins->m_awvalid = top->m_awvalid;
    pins->m_arvalid = top->m_arvalid;
    pins->m_addr = top->m_addr;
    pins->m_len = top->m_len;
    pins->m_wvalid = top->m_wvalid;
    pins->m_wlast = top->m_wlast;
    std::memcpy(pins->m_wdata, &top->m_wdata, LAC_SHIM_DATA_BYTES);
    pins->interrupt = top->interrupt_o;
    pins->watch_run_done = top->watch_run_done_o;
    pins->watch_write = top->watch_write_o;
    if (pins->watch_write) {
        pins->watch_addr = top->watch_addr_o;
        pins->watch_group = top->watch_group_o;
        std::memcpy(pins->watch_data, &top->watch_data_o, LAC_SHIM_DRAIN);
    }
    pins->watch_step_done = top->watch_step_done_o;
    if (pins->watch_step_done) {
        pins->watch_step = top->watch_step_o;
        pins->compute = top->cycles_compute_o;
        pins->starved = top->cycles_starved_o;
        pins->drain = top->cycles_drain_o;
        pins->other = top->cycles_other_o;
    }
}

void *shell_open() {
    return new Shell;
}
void shell_close(void *model) {
    delete static_cast<Shell *>(model);
}
void shell_trace(void *model, const char *path) {
    static_cast<Shell *>(model)->trace(path);
}

void shell_cycle(void *model, lac_axi_pins *pins) {
    Shell *shell = static_cast<Shell *>(model);
    Vlac_shell *top = shell->top;
    drive(top, pins);
    top->clk_i = 0;
    top->eval();
    see(top, pins);
    if (shell->waves) shell->waves->dump(2 * shell->now);
    top->clk_i = 1;
    top->eval();
    if (shell->waves) shell->waves->dump(2 * shell->now + 1);
    shell->now++;
}

const lac_axi_calls calls = {LAC_AXI_SHIM_VERSION, shell_open, shell_close, shell_cycle, shell_trace};

} // namespace

extern "C" __attribute__((visibility("default"))) const lac_axi_calls *lac_axi_shim(void) {
    return &calls;
}
