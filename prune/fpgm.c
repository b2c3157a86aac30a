#include "structured.h"

#include <math.h>

static double distance(const float *a, const float *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(sum);
}

// Sum of the distances to all filters of the layer: smallest at the median.
static void add_row(void *ctx, int gate, const lac_node *layer, const float *row, int64_t n) {
    const lac_structured *s = ((void **)ctx)[0];
    double *score = ((void **)ctx)[1];
    const lac_value *w = &s->graph->values[lac_constant_of(s->graph, layer, 1)];
    for (int64_t o = 0; o < w->shape.dim[0]; o++) score[gate] += distance(row, w->data + o * n, n);
}

static lac_status score(const lac_structured *s, double *score, lac_error *err) {
    const void *ctx[2] = {s, score};
    (void)err;
    lac_gates_visit_rows(s->gates, add_row, ctx);
    return LAC_OK;
}

static const lac_criterion criterion = {
    .name = "fpgm", .scope = LAC_SCOPE_LAYER, .comparable = false, .score = score};

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_structured_run(&criterion, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_fpgm = {
    .name = "fpgm",
    .help = "channels whose filters lie nearest to the geometric median of their layer",
    .source = "He et al.: Filter pruning via geometric median, CVPR 2019",
    .run = run,
    .removes_channels = true,
};
