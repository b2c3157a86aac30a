#include "structured.h"

#include <math.h>

static void add_row(void *ctx, int gate, const lac_node *layer, const float *row, int64_t n) {
    double *score = ctx;
    (void)layer;
    for (int64_t i = 0; i < n; i++) score[gate] += (double)row[i] * (double)row[i];
}

static lac_status score(const lac_structured *s, double *score, lac_error *err) {
    (void)err;
    lac_gates_visit_rows(s->gates, add_row, score);
    for (int i = 0; i < s->gates->n; i++) score[i] = sqrt(score[i]);
    return LAC_OK;
}

static const lac_criterion criterion = {
    .name = "filter-l2", .scope = LAC_SCOPE_LAYER, .comparable = false, .score = score};

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_structured_run(&criterion, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_filter_l2 = {
    .name = "filter-l2",
    .help = "channels whose filters have the smallest Euclidean norm",
    .source = "Li et al.: Pruning filters for efficient ConvNets, ICLR 2017; norm of He et al., IJCAI 2018",
    .run = run,
    .removes_channels = true,
};
