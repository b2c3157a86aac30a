#include "ttq.h"
#include "lac_num.h"
#include "qat.h"

#include <math.h>

/// Weights in {-Wn, 0, +Wp}, both learned, per channel (the paper: per layer, as with per_tensor):
///
///   w is scaled to [-1, 1] once; t = 0.05 max|w| over the layer
///   y = p s where w > t, -n s where w < -t, else 0;  p s and n s stand for Wp and Wn
///   dy/dWp = 1 above t, dy/dWn = -1 below -t; dL/dw = dL/dy times Wp above, Wn below, 1 between
///
/// The engine has one scale a channel, so that two scales need two codes: p : n is the cheapest ratio within
/// 1/128 of Wp : Wn (lac_ternary_pair), and s fits both by least squares over the weights. The forward pass
/// computes with these codes at every step, so that the integers are those that were trained. Wp and Wn
/// start at the means of what is above and below, and learn with the factor 1 / sqrt(weights) of LSQ.
static const double threshold_share = 0.05, ratio_tolerance = 1.0 / 128;

enum { LARGEST = 127 };

void lac_ternary_pair(double positive, double negative, int64_t n_positive, int64_t n_negative,
                      uint8_t pair[2]) {
    double ratio = fmin(fmax(positive / negative, 1.0 / LARGEST), LARGEST), least = INFINITY, nearest = 0;
    for (int n = 1; n <= LARGEST; n++)
        for (int p = (int)rint(ratio * n) - 1; p <= (int)rint(ratio * n) + 1; p++) {
            if (p < 1 || p > LARGEST) continue;
            double off = fabs(p / (ratio * n) - 1);
            double cost = (double)n_positive * lac_digit_count(p) + (double)n_negative * lac_digit_count(n);
            if (off > ratio_tolerance || cost > least || (cost == least && off >= nearest)) continue;
            least = cost, nearest = off;
            pair[0] = (uint8_t)p, pair[1] = (uint8_t)n;
        }
}

static float largest_of(const lac_value *w) {
    float largest = 0;
    for (int64_t i = 0; i < lac_shape_count(w->shape); i++) largest = fmaxf(largest, fabsf(w->data[i]));
    return largest;
}

// Means of one side of a channel's weights; what has none keeps `otherwise`.
static float mean_beyond(const float *w, int64_t n, float threshold, float side, float otherwise) {
    double sum = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        if (w[i] * side > threshold) sum += (double)(w[i] * side), count++;
    return count ? (float)(sum / (double)count) : otherwise;
}

static void start(lac_graph *graph, int index, const lac_quant_config *config) {
    lac_node *node = &graph->nodes[index];
    (void)config;
    if (!lac_quantizes_weights(graph, index) || node->op != LAC_OP_QUANT || node->attr.quant.bits != 2)
        return;
    lac_value *w = &graph->values[node->in[0]];
    float largest = largest_of(w);
    if (!(largest > 0)) return;
    const char *name = lac_arena_printf(graph->arena, "%s_negative", w->name);
    node->in[2] =
        lac_graph_add_constant(graph, name, graph->values[node->in[1]].shape, NULL, true); // values may move
    w = &graph->values[node->in[0]];
    lac_value *up = &graph->values[node->in[1]], *down = &graph->values[node->in[2]];
    int64_t n_scales = lac_shape_count(up->shape), n = lac_shape_count(w->shape) / n_scales;
    float threshold = (float)threshold_share * largest;
    for (int64_t o = 0; o < n_scales; o++) {
        float scale = up->data[o];
        up->data[o] = mean_beyond(w->data + o * n, n, threshold, 1, scale);
        down->data[o] = mean_beyond(w->data + o * n, n, threshold, -1, scale);
    }
    for (int64_t i = 0; i < n_scales * n; i++) w->data[i] /= largest;
    lac_quant_rule *rule = LAC_NEW(graph->arena, lac_quant_rule);
    rule->threshold = LAC_NEW_ARRAY(graph->arena, float, n_scales);
    rule->step = LAC_NEW_ARRAY(graph->arena, float, n_scales);
    rule->pair = lac_arena_alloc(graph->arena, (size_t)n_scales * sizeof *rule->pair);
    node->attr.quant.rule = rule;
}

static void settle_channel(const lac_quant_rule *rule, int64_t o, const float *w, int64_t n, float *up,
                           float *down) {
    const float least = 1e-7f, t = rule->threshold[o];
    int64_t above = 0, below = 0;
    *up = fmaxf(*up, least);
    *down = fmaxf(*down, least);
    for (int64_t i = 0; i < n; i++) above += w[i] > t, below += w[i] < -t;
    lac_ternary_pair((double)*up, (double)*down, above, below, rule->pair[o]);
    double p = rule->pair[o][0], q = rule->pair[o][1], a = (double)above, b = (double)below;
    if (above + below == 0) a = b = 1;
    rule->step[o] = (float)((a * p * (double)*up + b * q * (double)*down) / (a * p * p + b * q * q));
}

static void settle(lac_graph *graph, int index, double decay) {
    const lac_node *node = &graph->nodes[index];
    const lac_quant_rule *rule = node->op == LAC_OP_QUANT ? node->attr.quant.rule : NULL;
    if (!rule) {
        lac_settle_scales(graph, index, decay);
        return;
    }
    const lac_value *w = &graph->values[node->in[0]];
    lac_value *up = &graph->values[node->in[1]], *down = &graph->values[node->in[2]];
    int64_t n_scales = lac_shape_count(up->shape), n = lac_shape_count(w->shape) / n_scales;
    float threshold = (float)threshold_share * largest_of(w);
    for (int64_t o = 0; o < n_scales; o++) {
        rule->threshold[o] = threshold;
        settle_channel(rule, o, w->data + o * n, n, &up->data[o], &down->data[o]);
    }
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    const lac_qat_method method = {.name = "ttq", .ternary = true, .start = start, .settle = settle};
    return lac_qat_run(graph, data, config, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_ttq = {
    .name = "ttq",
    .help =
        "training: ternary weights with two learned scales, as codes {-n, 0, p} of one; learned activation "
        "steps",
    .source = "Zhu et al., Trained Ternary Quantization, ICLR 2017, section 3, equations 6 to 8",
    .trains = true,
    .run = run,
};
