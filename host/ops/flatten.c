#include "planner.h"

static lac_status infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    lac_shape x = graph->values[node->in[0]].shape;
    (void)err;
    *out = (lac_shape){2, {x.dim[0], lac_shape_count(x) / x.dim[0]}};
    return LAC_OK;
}

// The output seen with the input's shape: the same bytes, row-major.
static lac_status unflattened(lac_plan *plan, const lac_node *node, dnnl_memory_t flat, dnnl_memory_t *out,
                              lac_error *err) {
    dnnl_memory_desc_t plain = lac_layout_plain(lac_plan_in(plan, node, 0)->shape);
    return lac_plan_view(plan, &plain, lac_memory_data(flat), out, err);
}

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t plain = lac_layout_plain(y->shape);
    dnnl_memory_t view = NULL;
    (void)state;
    LAC_TRY(lac_plan_set_out(plan, y, &plain, err));
    LAC_TRY(unflattened(plan, node, y->data, &view, err));
    return lac_plan_copy(plan, &plan->forward, x->data, view, err);
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    dnnl_memory_t view = NULL;
    (void)state;
    LAC_TRY(unflattened(plan, node, lac_plan_out(plan, node)->grad, &view, err));
    return lac_plan_grad_done(plan, lac_plan_in(plan, node, 0), view, err);
}

const lac_op_desc lac_op_flatten = {
    .op = LAC_OP_FLATTEN,
    .law = "y[c * H * W + p] = x[c][p]",
    .infer = infer,
    .any_type = true,
    .plan_forward = forward,
    .plan_backward = backward,
};
