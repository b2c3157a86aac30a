#include "structured.h"

#include <math.h>

static void add_row(void *ctx, int gate, const lac_node *layer, const float *row, int64_t n) {
    double *score = ctx;
    (void)layer;
    for (int64_t i = 0; i < n; i++) score[gate] += fabs((double)row[i]);
}

static lac_status score(const lac_structured *s, double *score, lac_error *err) {
    (void)err;
    lac_gates_visit_rows(s->gates, add_row, score);
    return LAC_OK;
}

static const lac_criterion criterion = {
    .name = "filter-l1", .scope = LAC_SCOPE_LAYER, .comparable = false, .score = score};

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_structured_run(&criterion, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_filter_l1 = {
    .name = "filter-l1",
    .help = "channels whose filters have the smallest sum of magnitudes",
    .source = "Li et al.: Pruning filters for efficient ConvNets, ICLR 2017",
    .run = run,
    .removes_channels = true,
};
