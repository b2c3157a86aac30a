#include "eltwise.h"

lac_status lac_eltwise_forward(lac_plan *plan, const lac_node *node, dnnl_alg_kind_t kind, float alpha,
                               void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_eltwise_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_prop_kind_t prop = plan->config.train ? dnnl_forward_training : dnnl_forward_inference;
    LAC_DNNL(plan, dnnl_eltwise_forward_desc_init(&desc, prop, kind, &x->layout, alpha, 0.0f), err);
    LAC_TRY(lac_plan_describe(plan, &desc, NULL, &pd, err));
    LAC_TRY(lac_plan_set_out(plan, y, &x->layout, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, x->data}, {DNNL_ARG_DST, y->data}};
    *state = pd;
    return LAC_CALL(plan, &plan->forward, pd, args, err);
}

lac_status lac_eltwise_backward(lac_plan *plan, const lac_node *node, dnnl_alg_kind_t kind, float alpha,
                                void *state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_eltwise_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_memory_t dx = NULL;
    LAC_DNNL(plan, dnnl_eltwise_backward_desc_init(&desc, kind, &x->layout, &x->layout, alpha, 0.0f), err);
    LAC_TRY(lac_plan_describe(plan, &desc, state, &pd, err));
    LAC_TRY(lac_plan_grad(plan, x, NULL, &dx, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, x->data}, {DNNL_ARG_DIFF_DST, y->grad}, {DNNL_ARG_DIFF_SRC, dx}};
    LAC_TRY(LAC_CALL(plan, &plan->backward, pd, args, err));
    return lac_plan_grad_done(plan, x, dx, err);
}
