#include "planner.h"

static lac_status relu_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_eltwise_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    LAC_DNNL(plan,
             dnnl_eltwise_forward_desc_init(
                 &desc, plan->config.train ? dnnl_forward_training : dnnl_forward_inference,
                 dnnl_eltwise_relu, &x->layout, 0.0f, 0.0f),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, NULL, &pd, err));
    LAC_TRY(lac_plan_set_out(plan, y, &x->layout, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, x->data}, {DNNL_ARG_DST, y->data}};
    *state = pd;
    return LAC_CALL(plan, &plan->forward, pd, args, err);
}

static lac_status relu_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_eltwise_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_memory_t dx = NULL;
    LAC_DNNL(plan,
             dnnl_eltwise_backward_desc_init(&desc, dnnl_eltwise_relu, &x->layout, &x->layout, 0.0f, 0.0f),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, state, &pd, err));
    LAC_TRY(lac_plan_grad(plan, x, NULL, &dx, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, x->data}, {DNNL_ARG_DIFF_DST, y->grad}, {DNNL_ARG_DIFF_SRC, dx}};
    LAC_TRY(LAC_CALL(plan, &plan->backward, pd, args, err));
    return lac_plan_grad_done(plan, x, dx, err);
}

const lac_op_desc lac_op_relu = {
    .op = LAC_OP_RELU,
    .law = "y = max(x, 0)",
    .infer = lac_infer_same,
    .plan_forward = relu_forward,
    .plan_backward = relu_backward,
};
