#include "structured.h"

#include <math.h>

// The mean over the batch norms that a gate switches.
static lac_status score(const lac_structured *s, double *score, lac_error *err) {
    const lac_gates *g = s->gates;
    int *n_norms = LAC_NEW_ARRAY(s->arena, int, g->n);
    for (int n = 0; n < s->graph->n_nodes; n++) {
        const lac_node *node = &s->graph->nodes[n];
        if (node->op != LAC_OP_BATCH_NORM) continue;
        for (int c = 0; c < g->channels->n_of[node->out]; c++) {
            int gate = g->at[node->out][c];
            if (gate < 0) continue;
            score[gate] += fabs((double)s->graph->values[node->in[1]].data[c]);
            n_norms[gate]++;
        }
    }
    for (int i = 0; i < g->n; i++) {
        if (n_norms[i] == 0)
            LAC_FAIL(
                err, LAC_E_UNSUPPORTED,
                "graph '%s' has channels without batch norm, whose gamma slimming ranks by; use filter-l1",
                s->graph->name);
        score[i] /= n_norms[i];
    }
    return LAC_OK;
}

static const lac_criterion criterion = {
    .name = "slimming", .scope = LAC_SCOPE_GLOBAL, .comparable = true, .score = score};

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_structured_run(&criterion, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_slimming = {
    .name = "slimming",
    .help = "channels with the smallest batch norm gamma",
    .source = "Liu et al.: Learning efficient convolutional networks through network slimming, ICCV 2017",
    .run = run,
    .removes_channels = true,
};
