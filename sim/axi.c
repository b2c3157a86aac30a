#include "axi.h"

#include "lac_registers.h"
#include "sim_model.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    AP_START = 1,
    AP_DONE = 2,
    AP_CONTINUE = 16,
    ANSWER_CYCLES = 10000,
    RESET_CYCLES = 4,
    POLL_CYCLES = 32, ///< a host looks at the control word now and then
    ALL_BYTES = 15
};

/// Not a round number, and more than 32 bits: buffers lie across a multiple of 4 GiB.
static const uint64_t memory_base = 0x23fffe000u;

struct lac_axi {
    void *library;
    const lac_axi_calls *calls;
    void *model;
    lac_axi_pins pins;
    lac_axi_memory memory;
    const lac_axi_watch *watch;
    uint64_t cycle, random; ///< cycle: since the job's start
    int host_stall_percent;
};

static lac_status load(lac_axi *axi, const lac_sim_config *config, const lac_talk *talk, lac_error *err) {
    LAC_TRY(lac_sim_library_open(config, talk, &axi->library, err));
    union {
        void *object;
        lac_axi_shim_entry *function;
    } entry = {dlsym(axi->library, LAC_AXI_SHIM_SYMBOL)};
    if (!entry.object || entry.function()->version != LAC_AXI_SHIM_VERSION)
        LAC_FAIL(err, LAC_E_DEVICE, "the library in the model cache is no model of the shell; delete it");
    axi->calls = entry.function();
    axi->model = axi->calls->open();
    return LAC_OK;
}

lac_status lac_axi_open(const lac_axi_config *config, const lac_talk *talk, lac_axi **out, lac_error *err) {
    lac_axi *axi = calloc(1, sizeof *axi);
    if (!axi) LAC_FAIL(err, LAC_E_MEMORY, "no memory for a simulator");
    lac_sim_config engine = config->engine;
    engine.shell_data_bits = config->data_bits ? config->data_bits : 64;
    axi->host_stall_percent = config->host_stall_percent;
    axi->random = config->weather.seed * 0x9E3779B97F4A7C15u + 7;
    axi->memory = (lac_axi_memory){.bytes = calloc(1, config->memory_bytes),
                                   .n_bytes = config->memory_bytes,
                                   .base = memory_base,
                                   .data_bytes = engine.shell_data_bits / 8,
                                   .weather = config->weather};
    lac_status status = LAC_OK;
    if (!axi->memory.bytes)
        status = lac_fail(err, LAC_E_MEMORY, "no memory for the %zu bytes of the simulated memory",
                          config->memory_bytes);
    if (status == LAC_OK) status = load(axi, &engine, talk, err);
    if (status != LAC_OK) {
        lac_axi_close(axi);
        return status;
    }
    lac_axi_reset(axi);
    *out = axi;
    return LAC_OK;
}

void lac_axi_close(lac_axi *axi) {
    if (!axi) return;
    if (axi->model) axi->calls->close(axi->model);
    if (axi->library) dlclose(axi->library);
    free(axi->memory.bytes);
    free(axi);
}

lac_axi_memory *lac_axi_ram(lac_axi *axi) {
    return &axi->memory;
}

bool lac_axi_interrupt(const lac_axi *axi) {
    return axi->pins.interrupt;
}

void lac_axi_trace(lac_axi *axi, const char *path) {
    axi->calls->trace(axi->model, path);
}

static void cycle(lac_axi *axi) {
    lac_axi_memory_drive(&axi->memory, &axi->pins);
    axi->calls->cycle(axi->model, &axi->pins);
    if (axi->pins.rst_n) lac_axi_memory_see(&axi->memory, &axi->pins);
    if (axi->watch) axi->watch->cycle(axi->watch->ctx, axi->cycle, &axi->pins);
    axi->cycle++;
}

void lac_axi_idle(lac_axi *axi, int cycles) {
    for (int i = 0; i < cycles; i++) cycle(axi);
}

void lac_axi_reset(lac_axi *axi) {
    axi->pins = (lac_axi_pins){.rst_n = 0};
    lac_axi_memory_reset(&axi->memory);
    lac_axi_idle(axi, RESET_CYCLES);
    lac_axi_memory_reset(&axi->memory);
    axi->pins.rst_n = 1;
    cycle(axi);
}

static bool hesitates(lac_axi *axi) {
    if (!axi->host_stall_percent) return false;
    axi->random = axi->random * 6364136223846793005u + 1442695040888963407u;
    return (axi->random >> 33) % 100 < (uint64_t)axi->host_stall_percent;
}

static lac_status check(const lac_axi *axi, bool answered, const char *what, uint32_t offset,
                        lac_error *err) {
    if (axi->memory.broken[0])
        LAC_FAIL(err, LAC_E_DEVICE, "the kernel breaks the AXI protocol: %s", axi->memory.broken);
    if (!answered)
        LAC_FAIL(err, LAC_E_DEVICE, "no answer to the %s of register 0x%02" PRIx32 " after %d cycles", what,
                 offset, ANSWER_CYCLES);
    return LAC_OK;
}

lac_status lac_axi_write(lac_axi *axi, uint32_t offset, uint32_t value, int strobe, lac_error *err) {
    lac_axi_pins *pins = &axi->pins;
    pins->s_awaddr = (uint16_t)offset;
    pins->s_wdata = value;
    pins->s_wstrb = (uint8_t)strobe;
    bool addressed = false, sent = false, answered = false;
    for (int i = 0; i < ANSWER_CYCLES && !answered; i++) {
        // Offers hold; the answer is taken when the host gets around to it.
        if (!addressed && !hesitates(axi)) pins->s_awvalid = 1;
        if (!sent && !hesitates(axi)) pins->s_wvalid = 1;
        pins->s_bready = addressed && sent && !hesitates(axi);
        cycle(axi);
        if (pins->s_awvalid && pins->s_awready) {
            addressed = true;
            pins->s_awvalid = 0;
        }
        if (pins->s_wvalid && pins->s_wready) {
            sent = true;
            pins->s_wvalid = 0;
        }
        answered = pins->s_bvalid && pins->s_bready;
    }
    pins->s_bready = 0;
    return check(axi, answered, "write", offset, err);
}

lac_status lac_axi_read(lac_axi *axi, uint32_t offset, uint32_t *value, lac_error *err) {
    lac_axi_pins *pins = &axi->pins;
    pins->s_araddr = (uint16_t)offset;
    bool addressed = false, answered = false;
    for (int i = 0; i < ANSWER_CYCLES && !answered; i++) {
        if (!addressed && !hesitates(axi)) pins->s_arvalid = 1;
        pins->s_rready = addressed && !hesitates(axi);
        cycle(axi);
        if (pins->s_arvalid && pins->s_arready) {
            addressed = true;
            pins->s_arvalid = 0;
        }
        answered = pins->s_rvalid && pins->s_rready;
        if (answered) *value = pins->s_rdata;
    }
    pins->s_rready = 0;
    return check(axi, answered, "read", offset, err);
}

lac_status lac_axi_start(lac_axi *axi, const lac_axi_job *job, lac_error *err) {
    const uint64_t values[LAC_N_ARGUMENTS] = {
        [LAC_ARG_CONTRACT] = job->contract,
        [LAC_ARG_ENGINE] = job->engine,
        [LAC_ARG_PROGRAM] = job->program,
        [LAC_ARG_INPUT] = job->input,
        [LAC_ARG_OUTPUT] = job->output,
        [LAC_ARG_REPORT] = job->report,
        [LAC_ARG_PROGRAM_WORDS] = job->program_words,
        [LAC_ARG_INPUT_BASE] = job->input_base,
        [LAC_ARG_INPUT_WORDS] = job->input_words,
        [LAC_ARG_OUTPUT_WORDS] = job->output_words,
        [LAC_ARG_RUNS] = job->runs,
        [LAC_ARG_PATIENCE] = job->patience,
    };
    static const struct {
        uint32_t offset;
        bool is_pointer;
    } rows[LAC_N_ARGUMENTS] = {
#define LAC_ARGUMENT(name, c_name, at, is_pointer, type, doc) {at, is_pointer},
#include "registers.def"
    };
    for (int i = 0; i < LAC_N_ARGUMENTS; i++) {
        LAC_TRY(lac_axi_write(axi, rows[i].offset, (uint32_t)values[i], ALL_BYTES, err));
        if (rows[i].is_pointer)
            LAC_TRY(lac_axi_write(axi, rows[i].offset + 4, (uint32_t)(values[i] >> 32), ALL_BYTES, err));
    }
    axi->cycle = 0;
    return lac_axi_write(axi, LAC_REG_CTRL, AP_START, ALL_BYTES, err);
}

static lac_status poll(lac_axi *axi, uint64_t limit, lac_error *err) {
    for (uint32_t control = 0;;) {
        LAC_TRY(lac_axi_read(axi, LAC_REG_CTRL, &control, err));
        if (control & AP_DONE) return LAC_OK;
        if (axi->cycle > limit)
            LAC_FAIL(err, LAC_E_DEVICE,
                     "the kernel is not done after %" PRIu64 " cycles; its control word is %" PRIx32,
                     axi->cycle, control);
        lac_axi_idle(axi, POLL_CYCLES);
    }
}

lac_status lac_axi_wait(lac_axi *axi, const lac_axi_watch *watch, uint64_t limit, uint32_t *kernel_status,
                        uint64_t *cycles, lac_error *err) {
    axi->watch = watch;
    lac_status status = poll(axi, limit, err);
    axi->watch = NULL;
    if (cycles) *cycles = axi->cycle;
    LAC_TRY(status);
    LAC_TRY(lac_axi_write(axi, LAC_REG_CTRL, AP_CONTINUE, ALL_BYTES, err));
    return lac_axi_read(axi, LAC_REG_WINDOW + LAC_REPORT_STATUS, kernel_status, err);
}

lac_status lac_axi_run(lac_axi *axi, const lac_axi_job *job, const lac_axi_watch *watch, uint64_t limit,
                       uint32_t *kernel_status, uint64_t *cycles, lac_error *err) {
    LAC_TRY(lac_axi_start(axi, job, err));
    return lac_axi_wait(axi, watch, limit, kernel_status, cycles, err);
}

const char *lac_axi_status_name(uint32_t kernel_status) {
    static const char *const names[] = {
#define LAC_KERNEL_STATUS(name, value, doc) [value] = #name,
#include "registers.def"
    };
    return kernel_status < sizeof names / sizeof names[0] ? names[kernel_status] : "?";
}
