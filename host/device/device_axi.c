#include "axi.h"
#include "device_rows.h"
#include "kernel_job.h"
#include "ref.h"

#include <inttypes.h>
#include <string.h>

// The kernel in Verilator, as a host sees it: buffers in a simulated memory, registers written and polled.
// What the engine writes on chip is mirrored, so that every step can be compared.

enum { PROGRAM_AT = 0, BLOCK_BYTES = 4096, STALL_PERCENT = 30, LATENCY_CYCLES = 24 };

typedef struct axi_state {
    lac_arena *arena;
    const lac_image *image;
    lac_axi *axi;
    lac_kernel_job facts;
    lac_axi_job job;
    lac_raw_order order;
    uint8_t *memory, *scratch; ///< mirror of the activation memory, [act_words][lanes]; one to lay out inputs
    int32_t *sent, *tensor;
    uint64_t limit; ///< cycles after which a job is given up
    // of the run in progress
    int step;
    const lac_device_watch *watch;
    lac_step_cycles *cycles;
} axi_state;

static size_t whole_blocks(size_t bytes) {
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
}

static void axi_close(void *opaque) {
    axi_state *state = opaque;
    if (!state) return;
    lac_axi_close(state->axi);
    lac_arena_close(state->arena);
}

static void make_room(axi_state *state) {
    const lac_image *image = state->image;
    size_t most = 0, lanes = (size_t)lac_engine_lanes(&image->engine);
    for (int t = 0; t < image->graph->n_tensors; t++) {
        size_t n = lac_int_tensor_count(&image->graph->tensors[t]);
        if (n > most) most = n;
    }
    state->order = lac_image_raw_order(image);
    state->facts = lac_kernel_job_of(image);
    state->sent = LAC_NEW_ARRAY(state->arena, int32_t, state->order.n);
    state->tensor = LAC_NEW_ARRAY(state->arena, int32_t, most);
    state->memory = LAC_NEW_ARRAY(state->arena, uint8_t, (size_t)image->engine.act_words * lanes);
    state->scratch = LAC_NEW_ARRAY(state->arena, uint8_t, (size_t)image->engine.act_words * lanes);
}

/// Opens the kernel with a memory that holds program, input, output and report.
static lac_status start(axi_state *state, uint64_t seed, const lac_talk *talk, lac_error *err) {
    const lac_image *image = state->image;
    size_t program = whole_blocks(8 * image->n_program), input = whole_blocks(state->facts.input_bytes);
    size_t output = whole_blocks(state->facts.output_bytes);
    lac_axi_config config = {.memory_bytes = program + input + output + BLOCK_BYTES,
                             .weather = {.seed = seed,
                                         .stall_percent = seed ? STALL_PERCENT : 0,
                                         .latency_low = LATENCY_CYCLES,
                                         .latency_high = seed ? 4 * LATENCY_CYCLES : LATENCY_CYCLES},
                             .host_stall_percent = seed ? STALL_PERCENT : 0};
    memcpy(&config.engine, &image->engine, sizeof image->engine);
    LAC_TRY(lac_axi_open(&config, talk, &state->axi, err));
    lac_axi_memory *ram = lac_axi_ram(state->axi);
    memcpy(ram->bytes + PROGRAM_AT, image->program, 8 * image->n_program);
    state->job = (lac_axi_job){.contract = state->facts.contract,
                               .engine = state->facts.engine,
                               .program = ram->base + PROGRAM_AT,
                               .input = ram->base + program,
                               .output = ram->base + program + input,
                               .report = ram->base + program + input + output,
                               .program_words = state->facts.program_words,
                               .input_base = state->facts.input_base,
                               .input_words = state->facts.input_words,
                               .output_words = state->facts.output_words,
                               .runs = 1};
    state->limit = 1000000;
    for (int s = 0; s < image->n_steps; s++)
        state->limit += 100 * (image->steps[s].ideal_cycles + image->steps[s].stream_words * 16);
    return LAC_OK;
}

static lac_status axi_open(const lac_image *image, const lac_device_config *config, const lac_talk *talk,
                           void **out, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "device axi: out of memory");
    axi_state *state = LAC_NEW(arena, axi_state);
    *state = (axi_state){.arena = arena, .image = image};
    make_room(state);
    lac_status status = start(state, config ? config->stall_seed : 0, talk, err);
    if (status != LAC_OK) {
        axi_close(state);
        return status;
    }
    *out = state;
    return LAC_OK;
}

static void on_write(axi_state *state, const lac_axi_pins *pins) {
    const lac_engine_config *engine = &state->image->engine;
    size_t lanes = (size_t)lac_engine_lanes(engine), drain = (size_t)engine->drain;
    if (pins->watch_addr >= (uint32_t)engine->act_words || pins->watch_group >= lanes / drain) return;
    memcpy(state->memory + (size_t)pins->watch_addr * lanes + pins->watch_group * drain, pins->watch_data,
           drain);
}

static void on_step_done(axi_state *state, const lac_axi_pins *pins) {
    const lac_image *image = state->image;
    if (pins->watch_step >= (uint32_t)image->n_steps) return;
    int step = (int)pins->watch_step, t = image->steps[step].out_tensor;
    state->step = step + 1;
    if (state->cycles)
        state->cycles[step] =
            (lac_step_cycles){.total = (uint64_t)pins->compute + pins->starved + pins->drain + pins->other,
                              .compute = pins->compute,
                              .starved = pins->starved,
                              .drain = pins->drain,
                              .other = pins->other};
    if (!state->watch || step == state->order.step) return;
    for (int k = 0; k < lac_image_batch(image); k++) {
        lac_layout_extract(&image->engine, &image->layouts[t], &image->graph->tensors[t],
                           state->memory + lac_image_lane(image, k), state->tensor);
        state->watch->tensor(state->watch->ctx, step, k, state->tensor);
    }
}

static void on_cycle(void *ctx, uint64_t cycle, const lac_axi_pins *pins) {
    (void)cycle;
    if (pins->watch_write) on_write(ctx, pins);
    if (pins->watch_step_done) on_step_done(ctx, pins);
}

static lac_status axi_run(void *opaque, const int32_t *input, int32_t *output, const lac_device_watch *watch,
                          lac_step_cycles *cycles, lac_error *err) {
    axi_state *state = opaque;
    const lac_image *image = state->image;
    const lac_axi_watch pins_watch = {.cycle = on_cycle, .ctx = state};
    uint8_t *bytes = lac_axi_ram(state->axi)->bytes;
    uint64_t base = lac_axi_ram(state->axi)->base;
    state->step = 0;
    state->watch = watch;
    state->cycles = cycles;
    if (cycles) memset(cycles, 0, (size_t)image->n_steps * sizeof *cycles);
    lac_kernel_pack_input(image, input, state->scratch, bytes + (state->job.input - base));
    memset(bytes + (state->job.output - base), 0, state->facts.output_bytes);
    uint32_t kernel_status;
    LAC_TRY(lac_axi_run(state->axi, &state->job, &pins_watch, state->limit, &kernel_status, NULL, err));
    if (kernel_status != 0)
        LAC_FAIL(err, LAC_E_DEVICE, "the kernel ends with status %" PRIu32 ", %s, after %d of %d steps",
                 kernel_status, lac_axi_status_name(kernel_status), state->step, image->n_steps);
    if (state->step != image->n_steps)
        LAC_FAIL(err, LAC_E_DEVICE, "device axi reported the end of %d steps of %d", state->step,
                 image->n_steps);
    memcpy(state->sent, bytes + (state->job.output - base), 4 * (size_t)state->facts.output_words);
    lac_kernel_unpack_output(image, state->sent, output);
    size_t n = lac_int_tensor_count(&image->graph->tensors[image->graph->output]);
    for (int k = 0; watch && k < lac_image_batch(image); k++)
        watch->tensor(watch->ctx, state->order.step, k, output + (size_t)k * n);
    return LAC_OK;
}

const lac_device_desc lac_device_axi = {.name = "axi",
                                        .help = "the Verilog kernel behind its AXI pins, in Verilator",
                                        .has_cycles = true,
                                        .open = axi_open,
                                        .run = axi_run,
                                        .close = axi_close};
