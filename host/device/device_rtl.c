#include "device_rows.h"
#include "layout.h"
#include "ref.h"
#include "sim.h"

#include <inttypes.h>
#include <string.h>

// The RTL engine in Verilator. What it writes is mirrored here, with the cycle of every write.

typedef struct rtl_state {
    lac_arena *arena;
    const lac_image *image;
    lac_sim *sim;
    lac_device_config config;
    bool traced;
    uint8_t *memory;   ///< mirror of the activation memory, [act_words][lanes]
    uint64_t **stamps; ///< [step][word of its tensor][group]: cycle of the write
    uint64_t *done_at; ///< [step]: cycle of its end
    lac_raw_order order;
    int32_t *sent, *tensor;
    // of the run in progress
    int step;
    const lac_device_watch *watch;
    lac_step_cycles *cycles;
} rtl_state;

static size_t n_groups(const lac_image *image) {
    return (size_t)(lac_engine_lanes(&image->engine) / image->engine.drain);
}

static size_t step_words(const lac_image *image, int step) {
    int t = image->steps[step].out_tensor;
    if (image->layouts[t].base == LAC_NOT_IN_MEMORY) return 0;
    return (size_t)image->graph->tensors[t].c * (size_t)lac_layout_channel_words(&image->layouts[t]);
}

static void make_room(rtl_state *state) {
    const lac_image *image = state->image;
    size_t most = 0, lanes = (size_t)lac_engine_lanes(&image->engine);
    for (int t = 0; t < image->graph->n_tensors; t++) {
        size_t n = lac_int_tensor_count(&image->graph->tensors[t]);
        if (n > most) most = n;
    }
    state->order = lac_image_raw_order(image);
    state->sent = LAC_NEW_ARRAY(state->arena, int32_t, state->order.n);
    state->tensor = LAC_NEW_ARRAY(state->arena, int32_t, most);
    state->memory = LAC_NEW_ARRAY(state->arena, uint8_t, (size_t)image->engine.act_words * lanes);
    state->done_at = LAC_NEW_ARRAY(state->arena, uint64_t, image->n_steps);
    state->stamps = LAC_NEW_ARRAY(state->arena, uint64_t *, image->n_steps);
    for (int s = 0; s < image->n_steps; s++)
        state->stamps[s] = LAC_NEW_ARRAY(state->arena, uint64_t, step_words(image, s) * n_groups(image) + 1);
}

static lac_status start(rtl_state *state, const lac_talk *talk, lac_error *err) {
    lac_sim_config config = {.cache_dir = NULL};
    memcpy(&config, &state->image->engine, sizeof state->image->engine);
    LAC_TRY(lac_sim_open(&config, talk, &state->sim, err));
    uint32_t contract = lac_sim_contract(state->sim);
    if (contract != state->image->contract_hash)
        LAC_FAIL(err, LAC_E_CONTRACT,
                 "image is for contract %08" PRIx32 ", the RTL engine has %08" PRIx32
                 "; compile the model again",
                 state->image->contract_hash, contract);
    return LAC_OK;
}

static void rtl_close(void *opaque) {
    rtl_state *state = opaque;
    if (!state) return;
    lac_sim_close(state->sim);
    lac_arena_close(state->arena);
}

static lac_status rtl_open(const lac_image *image, const lac_device_config *config, const lac_talk *talk,
                           void **out, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "device rtl: out of memory");
    rtl_state *state = LAC_NEW(arena, rtl_state);
    state->arena = arena;
    state->image = image;
    if (config) state->config = *config;
    make_room(state);
    lac_status status = start(state, talk, err);
    if (status != LAC_OK) {
        rtl_close(state);
        return status;
    }
    *out = state;
    return LAC_OK;
}

static void load_input(rtl_state *state, const int32_t *input) {
    const lac_image *image = state->image;
    int t = image->graph->input;
    const lac_int_tensor *tensor = &image->graph->tensors[t];
    const lac_layout *layout = &image->layouts[t];
    size_t lanes = (size_t)lac_engine_lanes(&image->engine), drain = (size_t)image->engine.drain;
    for (int k = 0; k < lac_image_batch(image); k++)
        lac_layout_load(&image->engine, layout, tensor, input + (size_t)k * lac_int_tensor_count(tensor),
                        state->memory + lac_image_lane(image, k));
    size_t first = (size_t)layout->base;
    size_t end = first + (size_t)tensor->c * (size_t)lac_layout_channel_words(layout);
    for (size_t word = first; word < end; word++)
        for (size_t group = 0; group < lanes / drain; group++)
            lac_sim_load(state->sim, (uint32_t)word, (uint32_t)group,
                         state->memory + word * lanes + group * drain);
}

static void on_write(void *ctx, uint64_t cycle, uint32_t address, uint32_t group, const uint8_t *codes) {
    rtl_state *state = ctx;
    const lac_image *image = state->image;
    size_t lanes = (size_t)lac_engine_lanes(&image->engine), drain = (size_t)image->engine.drain;
    if (address >= (uint32_t)image->engine.act_words || group >= lanes / drain) return;
    memcpy(state->memory + (size_t)address * lanes + group * drain, codes, drain);
    if (state->step >= image->n_steps) return;
    int64_t word = (int64_t)address - image->layouts[image->steps[state->step].out_tensor].base;
    if (word >= 0 && (size_t)word < step_words(image, state->step))
        state->stamps[state->step][(size_t)word * n_groups(image) + group] = cycle;
}

static void on_step_done(void *ctx, uint64_t cycle, uint32_t step, uint32_t compute, uint32_t starved,
                         uint32_t drain, uint32_t other) {
    rtl_state *state = ctx;
    const lac_image *image = state->image;
    if (step >= (uint32_t)image->n_steps) return;
    state->done_at[step] = cycle;
    state->step = (int)step + 1;
    if (state->cycles)
        state->cycles[step] = (lac_step_cycles){.total = (uint64_t)compute + starved + drain + other,
                                                .compute = compute,
                                                .starved = starved,
                                                .drain = drain,
                                                .other = other};
    int t = image->steps[step].out_tensor;
    if (!state->watch || (int)step == state->order.step) return;
    for (int k = 0; k < lac_image_batch(image); k++) {
        lac_layout_extract(&image->engine, &image->layouts[t], &image->graph->tensors[t],
                           state->memory + lac_image_lane(image, k), state->tensor);
        state->watch->tensor(state->watch->ctx, (int)step, k, state->tensor);
    }
}

static lac_status rtl_run(void *opaque, const int32_t *input, int32_t *output, const lac_device_watch *watch,
                          lac_step_cycles *cycles, lac_error *err) {
    rtl_state *state = opaque;
    const lac_image *image = state->image;
    const lac_sim_watch sim_watch = {.write = on_write, .step_done = on_step_done, .ctx = state};
    const lac_sim_stalls stalls = {
        .seed = state->config.stall_seed, .program_percent = 30, .output_percent = 30};
    state->step = 0;
    state->watch = watch;
    state->cycles = cycles;
    if (cycles) memset(cycles, 0, (size_t)image->n_steps * sizeof *cycles);
    load_input(state, input);
    if (state->config.trace_path && !state->traced) {
        LAC_TRY(lac_sim_trace(state->sim, state->config.trace_path, state->config.trace_begin,
                              state->config.trace_end, err));
        state->traced = true;
    }
    uint64_t n_cycles;
    LAC_TRY(lac_sim_run(state->sim, image->program, image->n_program, state->sent, state->order.n, &sim_watch,
                        stalls.seed ? &stalls : NULL, &n_cycles, err));
    if (state->step != image->n_steps)
        LAC_FAIL(err, LAC_E_DEVICE, "device rtl reported the end of %d steps of %d", state->step,
                 image->n_steps);
    size_t n_out = lac_int_tensor_count(&image->graph->tensors[image->graph->output]);
    for (int k = 0; k < lac_image_batch(image); k++) {
        lac_raw_extract(image, &state->order, state->sent, k, output + (size_t)k * n_out);
        if (watch) watch->tensor(watch->ctx, state->order.step, k, output + (size_t)k * n_out);
    }
    return LAC_OK;
}

static bool rtl_explain(void *opaque, int step, int k, int c, int y, int x, uint64_t *cycle, int *lane) {
    const rtl_state *state = opaque;
    const lac_image *image = state->image;
    const lac_layout *layout = &image->layouts[image->steps[step].out_tensor];
    *lane = step == state->order.step && state->order.one_a_pixel
                ? 0
                : lac_layout_lane(&image->engine, layout, y, x);
    *lane += lac_image_lane(image, k);
    size_t word = (size_t)lac_layout_offset(layout, c, y, x);
    size_t group = (size_t)(*lane / image->engine.drain);
    // Raw results leave by a stream without addresses: the end of their step is what is known.
    *cycle = step == state->order.step ? state->done_at[step]
                                       : state->stamps[step][word * n_groups(image) + group];
    return true;
}

const lac_device_desc lac_device_rtl = {.name = "rtl",
                                        .help = "the Verilog engine in Verilator, cycle by cycle",
                                        .has_cycles = true,
                                        .open = rtl_open,
                                        .run = rtl_run,
                                        .explain = rtl_explain,
                                        .close = rtl_close};
