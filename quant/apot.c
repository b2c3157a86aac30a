#include "lac_num.h"
#include "qat.h"
#include "quant_codes.h"

/// Sums of two powers of two, one from {0, 2^0, 2^-2, 2^-4} and one from {0, 2^-1, 2^-3, 2^-5} of the
/// largest: the levels of 4 bits and a sign, as whole codes of 7 bits (times 2^5). For 2 and 3 bits and a
/// sign there are fewer.
enum { CODE_BITS = 7 };

static void levels_of(int bits, bool allowed[256]) {
    static const int even[] = {0, 32, 8, 2}, odd[] = {0, 16, 4, 1};
    int n_even = bits >= 4 ? 4 : 2, n_odd = bits >= 5 ? 4 : bits >= 3 ? 2 : 1;
    for (int i = 0; i < n_even; i++)
        for (int k = 0; k < n_odd; k++)
            allowed[even[i] + odd[k] + 128] = allowed[128 - even[i] - odd[k]] = true;
}

static void start(lac_graph *graph, int index, const lac_quant_config *config) {
    lac_node *node = &graph->nodes[index];
    bool allowed[256] = {false};
    if (!lac_quantizes_weights(graph, index) || node->op != LAC_OP_QUANT) return;
    lac_value *scale = &graph->values[node->in[1]];
    int bits = node->attr.quant.bits, n = (int)lac_shape_count(scale->shape);
    if (bits != config->weight_bits || bits < 2 || bits > 5)
        return; // the first and last layer, at their own widths
    lac_quant_rule *rule = LAC_NEW(graph->arena, lac_quant_rule);
    levels_of(bits, allowed);
    rule->level = lac_level_table(allowed, graph->arena);
    node->attr.quant.rule = rule;
    int most = 0;
    for (int c = 0; c < 64; c++)
        if (allowed[c + 128]) most = c;
    for (int i = 0; i < n; i++) scale->data[i] *= (float)lac_quant_highest(node->attr.quant) / (float)most;
    node->attr.quant.bits = CODE_BITS;
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_qat_method method = {.name = "apot", .start = start, .settle = lac_settle_scales};
    return lac_qat_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_apot = {
    .name = "apot",
    .help = "training: weights are sums of two powers of two, as codes of 7 bits; learned scales",
    .source = "Li et al., Additive Powers-of-Two Quantization, ICLR 2020",
    .trains = true,
    .run = run,
};
