#include "qat.h"
#include "quant_codes.h"

#include <math.h>

/// Activations of both signs learn a scale s and the real value beta of code 0; z is the zero point:
///
///   z = clamp(round(-beta / s));  y = (clamp(round(x / s + z)) - z) * s
///   dy/ds = code - v where nothing clips, code - (z + beta / s) where it does;  dy/dbeta = 0 and 1
///
/// The paper's y = code * s + beta with real zero on a code, which padding needs: the rounding of z is passed
/// straight through, and where z is whole already these are its gradients. beta starts at the least squared
/// error (the calibration's), a weight scale at max(|mean - 3 std|, |mean + 3 std|) / 2^(bits - 1).
static const lac_quant_rule offset = {.learns_offset = true};

static void start_weights(const lac_graph *graph, const lac_node *node) {
    const lac_value *w = &graph->values[node->in[0]], *scale = &graph->values[node->in[1]];
    int64_t n_scales = lac_shape_count(scale->shape), n = lac_shape_count(w->shape) / n_scales;
    for (int64_t o = 0; scale->trainable && o < n_scales; o++) {
        double sum = 0, squares = 0;
        for (int64_t i = o * n; i < (o + 1) * n; i++) sum += (double)w->data[i];
        double mean = sum / (double)n;
        for (int64_t i = o * n; i < (o + 1) * n; i++) squares += pow((double)w->data[i] - mean, 2);
        double reach = fabs(mean) + 3 * sqrt(squares / (double)n);
        if (reach > 0) scale->data[o] = (float)(reach / (1 << (node->attr.quant.bits - 1)));
    }
}

// Asymmetric quantizers are those with a zero point; the input's range is that of its pixels and stays.
// Several quantizers may share a zero point: all learn it, and it is turned into beta once.
static void start(lac_graph *graph, int index, const lac_quant_config *config) {
    lac_node *node = &graph->nodes[index];
    (void)config;
    if (node->op != LAC_OP_QUANT) return;
    if (lac_quantizes_weights(graph, index)) {
        start_weights(graph, node);
        return;
    }
    const lac_value *scale = &graph->values[node->in[1]];
    lac_value *zero = &graph->values[node->in[2]];
    if (!scale->trainable || (zero->data[0] == 0 && !zero->trainable)) return;
    if (!zero->trainable) zero->data[0] *= -scale->data[0];
    zero->trainable = true;
    node->attr.quant.rule = &offset;
}

// Real zero stays among the values of the codes.
static void settle(lac_graph *graph, int index, double decay) {
    const lac_node *node = &graph->nodes[index];
    lac_settle_scales(graph, index, decay);
    if (node->op != LAC_OP_QUANT || node->attr.quant.rule != &offset) return;
    float s = graph->values[node->in[1]].data[0], *beta = &graph->values[node->in[2]].data[0];
    *beta = fminf(fmaxf(*beta, -s * (float)lac_quant_highest(node->attr.quant)),
                  -s * (float)lac_quant_lowest(node->attr.quant));
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_qat_method method = {.name = "lsqplus", .asymmetric = true, .start = start, .settle = settle};
    return lac_qat_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_lsqplus = {
    .name = "lsqplus",
    .help = "training: lsq, and activations of both signs learn an offset, which becomes their zero point",
    .source = "Bhalgat et al., LSQ+, CVPR Workshops 2020, sections 3.1 and 3.2",
    .trains = true,
    .run = run,
};
