#include "fold.h"
#include "lac_num.h"
#include "prepare.h"
#include "ptq.h"
#include "quant_codes.h"

#include <math.h>

/// A layer with weights in the terms of its accumulator.
typedef struct bounding {
    lac_graph *graph;
    const lac_node *node, *quant;
    lac_quant_params in;
    lac_weight_codes codes;
    lac_fold fold;
    double limit; ///< 2^(acc_bits - 1) - 1
} bounding;

// The furthest that terms and bias can reach in any order, the bias being that of snapping and lowering.
static double reach(const bounding *x, const int8_t *code, double scale, int o) {
    int lowest = lac_code_min(x->in.bits, x->in.is_signed),
        highest = lac_code_max(x->in.bits, x->in.is_signed);
    double up = 0, down = 0, zero_term = 0;
    for (int i = 0; i < x->codes.n_per_out; i++) {
        double a = code[i] * (double)lowest, b = code[i] * (double)highest;
        up += fmax(fmax(a, b), 0);
        down += fmin(fmin(a, b), 0);
        zero_term += code[i] * (double)x->in.zero;
    }
    double unit = scale * x->in.scale * x->fold.factor[o];
    double bias = unit != 0 ? x->fold.offset[o] / unit - zero_term : 0;
    // Snapping moves the scale by 2^-17 of itself, and rounds.
    double slack = 1 + fabs(bias) * 0x1p-15;
    up += fmax(bias, 0) + slack;
    down += fmin(bias, 0) - slack;
    return fmax(up, -down);
}

static bool is_empty(const int8_t *code, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (code[i]) return false;
    return true;
}

static lac_status shrink_channel(bounding *x, int o, float *scale, lac_error *err) {
    const double growth = 1.02;
    size_t n = (size_t)x->codes.n_per_out;
    int8_t *code = x->codes.code + (size_t)o * n;
    float *w = x->graph->values[x->quant->in[0]].data + (size_t)o * n;
    double s = x->codes.scale[o];
    while (reach(x, code, s, o) > x->limit) {
        s *= growth;
        for (size_t i = 0; i < n; i++) code[i] = (int8_t)trunc(code[i] == 0 ? 0 : (double)w[i] / s);
        if (is_empty(code, n))
            LAC_FAIL(
                err, LAC_E_RANGE,
                "%s '%s': nothing is left of channel %d when its sums must stay within %.0f; allow wider "
                "accumulators, or fewer bits for the activations",
                lac_op_name(x->node->op), x->node->name, o, x->limit);
    }
    *scale = (float)s;
    for (size_t i = 0; i < n; i++) w[i] = (float)(code[i] * (double)*scale);
    return LAC_OK;
}

static lac_status bound_layer(lac_graph *graph, int index, int acc_bits, lac_arena *scratch, int *n_changed,
                              lac_error *err) {
    bounding x = {.graph = graph, .node = &graph->nodes[index], .limit = exp2(acc_bits - 1) - 1};
    lac_chain chain;
    LAC_TRY(lac_chain_match(graph, index, &chain, err));
    LAC_TRY(lac_weight_codes_read(graph, index, scratch, &x.codes, err));
    LAC_TRY(lac_fold_chain(graph, &chain, x.codes.n_out, scratch, &x.fold, err));
    int in = lac_quantizer_of(graph, x.node->in[0]);
    if (in < 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "%s '%s': its input has no quantizer before it",
                 lac_op_name(x.node->op), x.node->name);
    LAC_TRY(lac_quant_params_read(graph, in, &x.in, err));
    x.quant = &graph->nodes[lac_graph_producer(graph, x.node->in[1])];
    lac_value *scale = &graph->values[x.quant->in[1]];
    bool shared = lac_shape_count(scale->shape) != x.codes.n_out;
    for (int o = 0; o < x.codes.n_out; o++) {
        if (is_empty(x.codes.code + (size_t)o * (size_t)x.codes.n_per_out, (size_t)x.codes.n_per_out))
            continue;
        if (reach(&x, x.codes.code + (size_t)o * (size_t)x.codes.n_per_out, x.codes.scale[o], o) <= x.limit)
            continue;
        if (shared || x.codes.bits == 1)
            LAC_FAIL(err, LAC_E_UNSUPPORTED,
                     "%s '%s': channel %d reaches beyond %d bits, and its scale cannot grow alone (%s); "
                     "quantize per "
                     "channel, with 2 bits or more",
                     lac_op_name(x.node->op), x.node->name, o, acc_bits,
                     shared ? "per-tensor weights" : "1 bit");
        LAC_TRY(shrink_channel(&x, o, &scale->data[o], err));
        ++*n_changed;
    }
    return LAC_OK;
}

lac_status lac_bound_accumulators(lac_graph *graph, int acc_bits, int *n_changed, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch)
        LAC_FAIL(err, LAC_E_MEMORY, "no memory to bound the accumulators of graph '%s'", graph->name);
    lac_status status = LAC_OK;
    for (int n = 0; n < graph->n_nodes && status == LAC_OK; n++)
        if (lac_has_weights(&graph->nodes[n]))
            status = bound_layer(graph, n, acc_bits, scratch, n_changed, err);
    lac_arena_close(scratch);
    return status;
}
