#include "prepare.h"
#include "quant_codes.h"
#include "quantize.h"
#include "sites.h"
#include "snap.h"

#include <math.h>

// A step that overshoots must not turn a scale around: the codes would change sign at once.
static void keep_positive(lac_value *scale) {
    const float least = 1e-7f;
    int64_t count = lac_shape_count(scale->shape);
    for (int64_t i = 0; i < count; i++)
        if (scale->data[i] < least) scale->data[i] = least;
}

// Scale of a wide weight quantizer: its largest weight gets the largest code. An empty channel keeps its
// scale.
static void track_range(const lac_value *w, lac_value *scale, int highest) {
    int64_t n_out = lac_shape_count(scale->shape), n = lac_shape_count(w->shape) / n_out;
    for (int64_t o = 0; o < n_out; o++) {
        float largest = 0;
        for (int64_t i = 0; i < n; i++) largest = fmaxf(largest, fabsf(w->data[o * n + i]));
        if (largest > 0) scale->data[o] = largest / (float)highest;
    }
}

static lac_status settle_scales(void *ctx, lac_graph *graph, uint64_t step, uint64_t n_steps,
                                lac_error *err) {
    (void)ctx, (void)step, (void)n_steps, (void)err;
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        if (node->op != LAC_OP_QUANT && node->op != LAC_OP_BIPOLAR_QUANT) continue;
        lac_value *scale = &graph->values[node->in[1]];
        const lac_value *x = &graph->values[node->in[0]];
        if (x->data && node->op == LAC_OP_QUANT && node->attr.quant.bits >= LAC_TRACKED_WEIGHT_BITS)
            track_range(x, scale, lac_quant_highest(node->attr.quant));
        keep_positive(scale);
    }
    return LAC_OK;
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    LAC_TRY(lac_quant_prepare(graph, data, config, err));
    const lac_train_hook hook = {.before_step = settle_scales};
    lac_train_result result;
    LAC_TRY(lac_train(graph, data, &config->recipe, &hook, talk, &result, err));
    LAC_TRY(settle_scales(NULL, graph, 0, 0, err));
    LAC_TRY(lac_snap(graph, err));
    lac_quant_note(graph, "lsq", config);
    return LAC_OK;
}

const lac_quantizer_desc lac_quantizer_lsq = {
    .name = "lsq",
    .help =
        "quantization-aware training with learned step sizes: weights per channel, activations per tensor",
    .source = "Esser et al., Learned Step Size Quantization, ICLR 2020",
    .trains = true,
    .run = run,
};
