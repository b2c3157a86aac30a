#include "qat.h"
#include "scale_search.h"

void lac_binary_start(lac_graph *graph, int index, const lac_quant_config *config) {
    const lac_node *node = &graph->nodes[index];
    (void)config;
    if (node->op == LAC_OP_BIPOLAR_QUANT) graph->values[node->in[1]].trainable = false;
}

// scale = mean|w| of a channel at every step; latent weights stay within reach of their sign.
void lac_binary_settle(lac_graph *graph, int index, double decay) {
    const lac_node *node = &graph->nodes[index];
    lac_settle_scales(graph, index, decay);
    if (node->op != LAC_OP_BIPOLAR_QUANT) return;
    lac_value *w = &graph->values[node->in[0]], *scale = &graph->values[node->in[1]];
    int64_t n_scales = lac_shape_count(scale->shape), n = lac_shape_count(w->shape) / n_scales;
    for (int64_t i = 0; i < n_scales * n; i++)
        w->data[i] = w->data[i] > 1 ? 1 : w->data[i] < -1 ? -1 : w->data[i];
    for (int64_t o = 0; o < n_scales; o++) {
        float mean = lac_scale_bipolar(w->data + o * n, (size_t)n);
        if (mean > 0) scale->data[o] = mean;
    }
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_qat_method method = {.name = "xnor", .start = lac_binary_start, .settle = lac_binary_settle};
    lac_quant_config binary = *config;
    binary.weight_bits = 1;
    return lac_qat_run(graph, data, &binary, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_xnor = {
    .name = "xnor",
    .help = "training: binary weights whose scale is the mean of a channel's sizes; learned activation steps",
    .source = "Rastegari et al., XNOR-Net, ECCV 2016, section 3.1",
    .trains = true,
    .run = run,
};
