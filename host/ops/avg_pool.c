#include "pool.h"

static dnnl_alg_kind_t kind(const lac_node *node) {
    return node->attr.count_include_pad ? dnnl_pooling_avg_include_padding : dnnl_pooling_avg_exclude_padding;
}

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    return lac_pool_forward(plan, node, kind(node), &node->attr.window, state, err);
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    return lac_pool_backward(plan, node, kind(node), &node->attr.window, state, err);
}

static uint64_t macs(const lac_graph *graph, const lac_node *node) {
    return (uint64_t)lac_shape_count(graph->values[node->out].shape);
}

const lac_op_desc lac_op_avg_pool = {
    .op = LAC_OP_AVG_POOL,
    .law = "y[p] = mean over k of x[p * stride + k - pad]; count_include_pad counts padding as zeros",
    .infer = lac_pool_infer,
    .macs = macs,
    .any_type = true,
    .plan_forward = forward,
    .plan_backward = backward,
};
