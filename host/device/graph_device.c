#include "graph_device.h"

#include "cpu.h"
#include "ref.h"

#include <string.h>

typedef struct graph_state {
    lac_arena *arena;
    const lac_image *image;
    const lac_cpu *cpu; ///< NULL: the reference
    int32_t *scratch;
    int32_t **values; ///< [tensor]
} graph_state;

lac_status lac_graph_device_open(const lac_image *image, bool fast, void **out, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    const lac_int_graph *graph = image->graph;
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory for the %d tensors of the image", graph->n_tensors);
    graph_state *state = LAC_NEW(arena, graph_state);
    *state = (graph_state){.arena = arena, .image = image};
    if (fast) {
        state->cpu = lac_cpu_prepare(graph, arena);
        state->scratch = LAC_NEW_ARRAY(arena, int32_t, lac_cpu_scratch_count(state->cpu));
    }
    state->values = LAC_NEW_ARRAY(arena, int32_t *, graph->n_tensors);
    for (int t = 0; t < graph->n_tensors; t++)
        state->values[t] = LAC_NEW_ARRAY(arena, int32_t, lac_int_tensor_count(&graph->tensors[t]));
    *out = state;
    return LAC_OK;
}

static void execute(const graph_state *state) {
    if (state->cpu)
        lac_cpu_run(state->cpu, state->scratch, state->values);
    else
        lac_ref_run(state->image->graph, state->values);
}

lac_status lac_graph_device_run(void *opaque, const int32_t *input, int32_t *output,
                                const lac_device_watch *watch, lac_step_cycles *cycles, lac_error *err) {
    (void)err;
    const graph_state *state = opaque;
    const lac_image *image = state->image;
    const lac_int_graph *graph = image->graph;
    size_t n_in = lac_int_tensor_count(&graph->tensors[graph->input]);
    size_t n_out = lac_int_tensor_count(&graph->tensors[graph->output]);
    for (int k = 0; k < lac_image_batch(image); k++) {
        memcpy(state->values[graph->input], input + (size_t)k * n_in, n_in * sizeof *input);
        execute(state);
        for (int s = 0; watch && s < image->n_steps; s++)
            watch->tensor(watch->ctx, s, k, state->values[image->steps[s].out_tensor]);
        memcpy(output + (size_t)k * n_out, state->values[graph->output], n_out * sizeof *output);
    }
    if (cycles) memset(cycles, 0, (size_t)image->n_steps * sizeof *cycles);
    return LAC_OK;
}

void lac_graph_device_close(void *opaque) {
    graph_state *state = opaque;
    if (state) lac_arena_close(state->arena);
}
