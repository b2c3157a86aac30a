#include "cpu.h"
#include "device.h"
#include "device_rows.h"
#include "ref.h"

#include <string.h>

// The integer graph of the image by the fast executor.

typedef struct cpu_state {
    lac_arena *arena;
    const lac_image *image;
    const lac_cpu *cpu;
    int32_t *scratch;
    int32_t **values; ///< [tensor]
} cpu_state;

static lac_status cpu_open(const lac_image *image, const lac_device_config *config, const lac_talk *talk,
                           void **out, lac_error *err) {
    (void)config;
    (void)talk;
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "device cpu: out of memory");
    cpu_state *state = LAC_NEW(arena, cpu_state);
    *state = (cpu_state){.arena = arena, .image = image, .cpu = lac_cpu_prepare(image->graph, arena)};
    state->scratch = LAC_NEW_ARRAY(arena, int32_t, lac_cpu_scratch_count(state->cpu));
    state->values = LAC_NEW_ARRAY(arena, int32_t *, image->graph->n_tensors);
    for (int t = 0; t < image->graph->n_tensors; t++)
        state->values[t] = LAC_NEW_ARRAY(arena, int32_t, lac_int_tensor_count(&image->graph->tensors[t]));
    *out = state;
    return LAC_OK;
}

static lac_status cpu_run(void *opaque, const int32_t *input, int32_t *output, const lac_device_watch *watch,
                          lac_step_cycles *cycles, lac_error *err) {
    (void)err;
    cpu_state *state = opaque;
    const lac_image *image = state->image;
    const lac_int_graph *graph = image->graph;
    size_t n_in = lac_int_tensor_count(&graph->tensors[graph->input]);
    size_t n_out = lac_int_tensor_count(&graph->tensors[graph->output]);
    for (int k = 0; k < lac_image_batch(image); k++) {
        memcpy(state->values[graph->input], input + (size_t)k * n_in, n_in * sizeof *input);
        lac_cpu_run(state->cpu, state->scratch, state->values);
        for (int s = 0; watch && s < image->n_steps; s++)
            watch->tensor(watch->ctx, s, k, state->values[image->steps[s].out_tensor]);
        memcpy(output + (size_t)k * n_out, state->values[graph->output], n_out * sizeof *output);
    }
    if (cycles) memset(cycles, 0, (size_t)image->n_steps * sizeof *cycles);
    return LAC_OK;
}

static void cpu_close(void *opaque) {
    cpu_state *state = opaque;
    if (state) lac_arena_close(state->arena);
}

const lac_device_desc lac_device_cpu = {.name = "cpu",
                                        .help = "the same integers in vector registers, for long runs",
                                        .open = cpu_open,
                                        .run = cpu_run,
                                        .close = cpu_close};
