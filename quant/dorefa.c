#include "qat.h"

// The paper's activations are clipped to [0, 1]; here to the calibrated range, which stays as it is.
static const lac_quant_rule tanh_weights = {.through_tanh = true};

static void start(lac_graph *graph, int index, const lac_quant_config *config) {
    lac_node *node = &graph->nodes[index];
    (void)config;
    graph->values[node->in[1]].trainable = false;
    if (node->op == LAC_OP_QUANT && lac_quantizes_weights(graph, index))
        node->attr.quant.rule = &tanh_weights;
}

static void settle(lac_graph *graph, int index, double decay) {
    (void)graph, (void)index, (void)decay;
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_qat_method method = {.name = "dorefa", .start = start, .settle = settle};
    return lac_qat_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_dorefa = {
    .name = "dorefa",
    .help = "training: weights through tanh onto a grid with a zero, fixed ranges",
    .source = "Zhou et al., DoReFa-Net, arXiv 1606.06160 (there without code 0)",
    .trains = true,
    .run = run,
};
