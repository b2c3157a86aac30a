#include "qat.h"

// Weights by DoReFa's rule; activations learn their clipping point from what it cuts off, and it decays.
static const lac_quant_rule clip = {.slope = LAC_SLOPE_CLIP}, tanh_weights = {.through_tanh = true};

static void start(lac_graph *graph, int index, const lac_quant_config *config) {
    lac_node *node = &graph->nodes[index];
    (void)config;
    if (node->op != LAC_OP_QUANT) return;
    bool weights = lac_quantizes_weights(graph, index);
    node->attr.quant.rule = weights ? &tanh_weights : &clip;
    if (weights) graph->values[node->in[1]].trainable = false;
}

static void settle(lac_graph *graph, int index, double decay) {
    const lac_node *node = &graph->nodes[index];
    if (node->attr.quant.rule == &tanh_weights) return; // a fixed range, which tanh fills
    lac_settle_scales(graph, index, decay);
    lac_value *scale = &graph->values[node->in[1]];
    if (!lac_quantizes_weights(graph, index) && scale->trainable) scale->data[0] *= (float)(1 - decay);
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_qat_method method = {.name = "pact", .start = start, .settle = settle};
    return lac_qat_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_pact = {
    .name = "pact",
    .help = "training: activations learn where they clip, weights pass tanh as in dorefa",
    .source = "Choi et al., PACT, arXiv 1805.06085",
    .trains = true,
    .run = run,
};
