#include "structured.h"

#include "augment.h"
#include "float_plan.h"
#include "rng.h"

enum { BATCH = 128 };

static lac_status run_batches(lac_plan *plan, const lac_dataset *data, int batch, int n_batches,
                              uint64_t seed, lac_error *err) {
    lac_augment pixels = lac_augment_make(data, 0, false, seed);
    lac_rng rng = lac_rng_make(seed, 0xB4);
    uint32_t items[BATCH];
    for (int b = 0; b < n_batches; b++) {
        for (int i = 0; i < batch; i++) items[i] = lac_rng_below(&rng, data->train.n);
        lac_augment_batch(&pixels, data->train.pixels, items, (uint32_t)batch, -1, lac_plan_input(plan));
        LAC_TRY(lac_plan_forward(plan, err));
    }
    return LAC_OK;
}

// Only running statistics are written: without trainable constants there is nothing to go back for. The copy
// has its own nodes and values, but its data are the graph's.
lac_status lac_norms_measure(lac_graph *graph, const lac_dataset *data, int n_batches, uint64_t seed,
                             lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to measure batch norms of '%s'", graph->name);
    lac_graph *copy = lac_graph_copy(graph, arena);
    for (int v = 0; v < graph->n_values; v++) {
        copy->values[v].data = graph->values[v].data;
        copy->values[v].trainable = false;
    }
    int batch = data->train.n < BATCH ? (int)data->train.n : BATCH;
    lac_plan *plan = NULL;
    lac_status status = lac_plan_open(copy, &(lac_plan_config){.batch = batch, .train = true}, &plan, err);
    if (status == LAC_OK) status = run_batches(plan, data, batch, n_batches, seed, err);
    lac_plan_close(plan);
    lac_arena_close(arena);
    return status;
}
