#include "planner.h"

// The input may be overwritten when only this node reads it and its producer does not need it again.
static bool in_place(const lac_plan *plan, const lac_node *node) {
    const lac_graph *graph = plan->graph;
    int producer = lac_graph_producer(graph, node->in[0]);
    if (plan->config.keep_all || producer < 0 || node->in[0] == graph->output ||
        lac_graph_n_readers(graph, node->in[0]) != 1)
        return false;
    lac_op op = graph->nodes[producer].op;
    if (lac_plan_is_tap(plan, node->in[0])) return false;
    return op == LAC_OP_CONV2D || op == LAC_OP_LINEAR || op == LAC_OP_BATCH_NORM || op == LAC_OP_ADD;
}

static lac_status relu_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_eltwise_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    (void)state;
    LAC_DNNL(plan,
             dnnl_eltwise_forward_desc_init(
                 &desc, plan->config.train ? dnnl_forward_training : dnnl_forward_inference,
                 dnnl_eltwise_relu_use_dst_for_bwd, &x->layout, 0.0f, 0.0f),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, NULL, &pd, err));
    y->layout = x->layout;
    y->data = x->data;
    if (!in_place(plan, node)) LAC_TRY(lac_plan_set_out(plan, y, &x->layout, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, x->data}, {DNNL_ARG_DST, y->data}};
    return LAC_CALL(plan, &plan->forward, pd, args, err);
}

static lac_status relu_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    dnnl_memory_t grad = NULL;
    (void)state;
    LAC_TRY(lac_plan_relu_back(plan, lac_plan_out(plan, node), &grad, err));
    return lac_plan_grad_pass(plan, lac_plan_in(plan, node, 0), grad, err);
}

const lac_op_desc lac_op_relu = {
    .op = LAC_OP_RELU,
    .law = "y = max(x, 0)",
    .infer = lac_infer_same,
    .any_type = true,
    .plan_forward = relu_forward,
    .plan_backward = relu_backward,
};
