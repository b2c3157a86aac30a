#include "device_rows.h"
#include "layout.h"
#include "ref.h"
#include "stream_model.h"

#include <string.h>

// The engine as a C program: needs no simulator, and knows only the program stream.

typedef struct model_state {
    lac_arena *arena;
    const lac_image *image;
    lac_stream_model *model;
    lac_raw_order order;
    int32_t *sent, *tensor;        ///< raw results in the engine's order; a tensor being shown
    const lac_device_watch *watch; ///< of the run in progress
} model_state;

static size_t largest_tensor(const lac_int_graph *graph) {
    size_t most = 0;
    for (int t = 0; t < graph->n_tensors; t++) {
        size_t n = lac_int_tensor_count(&graph->tensors[t]);
        if (n > most) most = n;
    }
    return most;
}

static lac_status model_open(const lac_image *image, const lac_device_config *config, const lac_talk *talk,
                             void **out, lac_error *err) {
    (void)config;
    (void)talk;
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "device model: out of memory");
    model_state *state = LAC_NEW(arena, model_state);
    *state = (model_state){.arena = arena, .image = image, .order = lac_image_raw_order(image)};
    state->model = lac_stream_model_new(&image->engine, arena);
    state->sent = LAC_NEW_ARRAY(arena, int32_t, state->order.n);
    state->tensor = LAC_NEW_ARRAY(arena, int32_t, largest_tensor(image->graph));
    *out = state;
    return LAC_OK;
}

static void show_tensor(void *ctx, int step) {
    model_state *state = ctx;
    const lac_image *image = state->image;
    int t = image->steps[step].out_tensor;
    if (!state->watch || step == state->order.step) return;
    for (int k = 0; k < lac_image_batch(image); k++) {
        lac_layout_extract(&image->engine, &image->layouts[t], &image->graph->tensors[t],
                           state->model->memory + lac_image_lane(image, k), state->tensor);
        state->watch->tensor(state->watch->ctx, step, k, state->tensor);
    }
}

static lac_status model_run(void *opaque, const int32_t *input, int32_t *output,
                            const lac_device_watch *watch, lac_step_cycles *cycles, lac_error *err) {
    model_state *state = opaque;
    const lac_image *image = state->image;
    const lac_int_graph *graph = image->graph;
    lac_stream_watch stream_watch = {.step_done = show_tensor, .ctx = state};
    state->watch = watch;
    const lac_int_tensor *in = &graph->tensors[graph->input];
    size_t n_in = lac_int_tensor_count(in), n_out = lac_int_tensor_count(&graph->tensors[graph->output]);
    for (int k = 0; k < lac_image_batch(image); k++)
        lac_layout_load(&image->engine, &image->layouts[graph->input], in, input + (size_t)k * n_in,
                        state->model->memory + lac_image_lane(image, k));
    LAC_TRY(lac_stream_model_run(state->model, image->program, image->n_program, state->sent, state->order.n,
                                 &stream_watch, err));
    for (int k = 0; k < lac_image_batch(image); k++) {
        lac_raw_extract(image, &state->order, state->sent, k, output + (size_t)k * n_out);
        if (watch) watch->tensor(watch->ctx, state->order.step, k, output + (size_t)k * n_out);
    }
    if (cycles) memset(cycles, 0, (size_t)image->n_steps * sizeof *cycles);
    return LAC_OK;
}

static void model_close(void *opaque) {
    model_state *state = opaque;
    if (state) lac_arena_close(state->arena);
}

const lac_device_desc lac_device_model = {.name = "model",
                                          .help = "the engine as a C program, lane by lane, without a clock",
                                          .open = model_open,
                                          .run = model_run,
                                          .close = model_close};
