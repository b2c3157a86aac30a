#include "float_plan.h"
#include "op.h"
#include "ptq.h"

enum { BATCH = 64 };

static lac_status run_batches(lac_graph *graph, lac_plan *plan, const lac_dataset *data, uint32_t n_batches,
                              const lac_talk *talk, lac_error *err) {
    size_t pixels = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    for (uint32_t b = 0; b < n_batches; b++) {
        lac_normalize(data, data->train.pixels + b * BATCH * pixels, BATCH, lac_plan_input(plan));
        LAC_TRY(lac_plan_forward(plan, err));
        lac_talk_step(talk, "batch norms", b + 1, n_batches, "%s", graph->name);
        if (lac_talk_stop(talk)) LAC_FAIL(err, LAC_E_INTERRUPTED, "stopped while measuring batch norms");
    }
    return LAC_OK;
}

lac_status lac_reestimate_norms(lac_graph *graph, const lac_dataset *data, uint32_t images,
                                const lac_talk *talk, lac_error *err) {
    enum { LEAST_BATCHES = 64 }; // 0.9^64: what is left of the old statistics
    const float past = 0.9f;
    uint32_t n_batches = images / BATCH > LEAST_BATCHES ? images / BATCH : LEAST_BATCHES;
    if (n_batches > data->train.n / BATCH) n_batches = data->train.n / BATCH;
    float *momentum = LAC_NEW_ARRAY(graph->arena, float, graph->n_nodes);
    for (int n = 0; n < graph->n_nodes; n++) {
        momentum[n] = graph->nodes[n].attr.momentum;
        if (graph->nodes[n].op == LAC_OP_BATCH_NORM) graph->nodes[n].attr.momentum = past;
    }
    lac_plan *plan = NULL;
    lac_status status = lac_graph_infer(graph, err);
    if (status == LAC_OK)
        status = lac_plan_open(graph, &(lac_plan_config){.batch = BATCH, .train = true}, &plan, err);
    if (status == LAC_OK) status = run_batches(graph, plan, data, n_batches, talk, err);
    lac_plan_close(plan);
    for (int n = 0; n < graph->n_nodes; n++) graph->nodes[n].attr.momentum = momentum[n];
    return status;
}
