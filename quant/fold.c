#include "fold.h"

#include <math.h>

static lac_status bias_of(const lac_graph *graph, const lac_node *node, const float **out, lac_error *err) {
    *out = NULL;
    bool takes_bias =
        node->op == LAC_OP_CONV2D || node->op == LAC_OP_CONV_TRANSPOSE || node->op == LAC_OP_LINEAR;
    if (!takes_bias || node->n_in < 3) return LAC_OK;
    const lac_value *bias = &graph->values[node->in[2]];
    if (!bias->data)
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "%s '%s': bias '%s' passes a quantizer; leave it float, lowering rounds it to the accumulator",
            lac_op_name(node->op), node->name, bias->name);
    *out = bias->data;
    return LAC_OK;
}

lac_status lac_fold_chain(const lac_graph *graph, const lac_chain *chain, int n_out, lac_arena *arena,
                          lac_fold *out, lac_error *err) {
    const lac_node *node = &graph->nodes[chain->node];
    const lac_node *norm = chain->batch_norm >= 0 ? &graph->nodes[chain->batch_norm] : NULL;
    const float *bias, *p[4] = {NULL};
    LAC_TRY(bias_of(graph, node, &bias, err));
    for (int i = 0; norm && i < 4; i++) {
        const lac_value *value = &graph->values[norm->in[1 + i]];
        if (lac_shape_count(value->shape) != n_out)
            LAC_FAIL(err, LAC_E_SHAPE, "batch_norm '%s': %lld channels, %s '%s' makes %d", norm->name,
                     (long long)lac_shape_count(value->shape), lac_op_name(node->op), node->name, n_out);
        p[i] = value->data;
    }
    lac_fold fold = {n_out, LAC_NEW_ARRAY(arena, double, n_out), LAC_NEW_ARRAY(arena, double, n_out)};
    for (int o = 0; o < n_out; o++) {
        double b = bias ? (double)bias[o] : 0;
        fold.factor[o] = norm ? (double)p[0][o] / sqrt((double)p[3][o] + (double)norm->attr.epsilon) : 1;
        fold.offset[o] = norm ? fold.factor[o] * (b - (double)p[2][o]) + (double)p[1][o] : b;
        if (!isfinite(fold.factor[o]) || !isfinite(fold.offset[o]))
            LAC_FAIL(err, LAC_E_RANGE,
                     "%s '%s': batch norm and bias of channel %d fold to %g * sum + %g; train again with a "
                     "smaller learning rate",
                     lac_op_name(node->op), node->name, o, fold.factor[o], fold.offset[o]);
    }
    *out = fold;
    return LAC_OK;
}
