#include "pool.h"

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    return lac_pool_forward(plan, node, dnnl_pooling_max, &node->attr.window, state, err);
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    return lac_pool_backward(plan, node, dnnl_pooling_max, &node->attr.window, state, err);
}

const lac_op_desc lac_op_max_pool = {
    .op = LAC_OP_MAX_POOL,
    .law = "y[p] = max over k of x[p * stride + k * dilation - pad]; padding never wins",
    .infer = lac_pool_infer,
    .plan_forward = forward,
    .plan_backward = backward,
};
