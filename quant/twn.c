#include "qat.h"

#include <math.h>

static void start(lac_graph *graph, int index, const lac_quant_config *config) {
    lac_node *node = &graph->nodes[index];
    (void)config;
    if (!lac_quantizes_weights(graph, index) || node->op != LAC_OP_QUANT || node->attr.quant.bits != 2)
        return;
    lac_value *scale = &graph->values[node->in[1]];
    lac_quant_rule *rule = LAC_NEW(graph->arena, lac_quant_rule);
    rule->threshold = LAC_NEW_ARRAY(graph->arena, float, lac_shape_count(scale->shape));
    node->attr.quant.rule = rule;
    scale->trainable = false;
}

// threshold = 0.7 mean|w|; scale = mean of the |w| above it. A channel without weights keeps what it has.
static void settle(lac_graph *graph, int index, double decay) {
    const lac_node *node = &graph->nodes[index];
    const lac_quant_rule *rule = node->op == LAC_OP_QUANT ? node->attr.quant.rule : NULL;
    if (!rule) {
        lac_settle_scales(graph, index, decay);
        return;
    }
    const lac_value *w = &graph->values[node->in[0]];
    lac_value *scale = &graph->values[node->in[1]];
    int64_t n_scales = lac_shape_count(scale->shape), n = lac_shape_count(w->shape) / n_scales;
    for (int64_t o = 0; o < n_scales; o++) {
        double all = 0, above = 0;
        int64_t count = 0;
        for (int64_t i = o * n; i < (o + 1) * n; i++) all += fabs((double)w->data[i]);
        rule->threshold[o] = (float)(0.7 * all / (double)n);
        for (int64_t i = o * n; i < (o + 1) * n; i++) {
            if (!(fabsf(w->data[i]) > rule->threshold[o])) continue;
            above += fabs((double)w->data[i]);
            count++;
        }
        if (count > 0) scale->data[o] = (float)(above / (double)count);
    }
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_qat_method method = {.name = "twn", .ternary = true, .start = start, .settle = settle};
    return lac_qat_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_twn = {
    .name = "twn",
    .help = "training: ternary weights, threshold 0.7 of the mean, scale the mean of what is above; learned "
            "activation steps",
    .source = "Li et al., Ternary Weight Networks, arXiv 1605.04711",
    .trains = true,
    .run = run,
};
