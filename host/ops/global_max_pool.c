#include "pool.h"

static lac_status infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    LAC_TRY(lac_need_dims(graph, node, 4, err));
    lac_shape x = graph->values[node->in[0]].shape;
    *out = (lac_shape){4, {x.dim[0], x.dim[1], 1, 1}};
    return LAC_OK;
}

static lac_window whole_map(lac_plan *plan, const lac_node *node) {
    lac_shape x = lac_plan_in(plan, node, 0)->shape;
    return (lac_window){.kernel = {(int)x.dim[2], (int)x.dim[3]}, .stride = {1, 1}, .dilation = {1, 1}};
}

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_window window = whole_map(plan, node);
    return lac_pool_forward(plan, node, dnnl_pooling_max, &window, state, err);
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_window window = whole_map(plan, node);
    return lac_pool_backward(plan, node, dnnl_pooling_max, &window, state, err);
}

const lac_op_desc lac_op_global_max_pool = {
    .op = LAC_OP_GLOBAL_MAX_POOL,
    .law = "y[c] = max over all pixels of x[c]",
    .infer = infer,
    .plan_forward = forward,
    .plan_backward = backward,
};
