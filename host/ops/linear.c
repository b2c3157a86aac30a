#include "planner.h"

typedef struct linear_state {
    dnnl_primitive_desc_t forward;
} linear_state;

static lac_status linear_infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    LAC_TRY(lac_need_dims(graph, node, 2, err));
    lac_shape x = graph->values[node->in[0]].shape, w = graph->values[node->in[1]].shape;
    char text[96];
    if (w.n_dims != 2)
        LAC_FAIL(err, LAC_E_SHAPE, "linear '%s': weights are %s, expected 2 dimensions", node->name,
                 lac_shape_print(w, text));
    if (x.dim[1] != w.dim[1])
        LAC_FAIL(err, LAC_E_SHAPE, "linear '%s': input has %lld features, weights expect %lld", node->name,
                 (long long)x.dim[1], (long long)w.dim[1]);
    if (node->n_in > 2 && lac_shape_count(graph->values[node->in[2]].shape) != w.dim[0])
        LAC_FAIL(err, LAC_E_SHAPE, "linear '%s': bias has %lld elements, weights have %lld outputs",
                 node->name, (long long)lac_shape_count(graph->values[node->in[2]].shape),
                 (long long)w.dim[0]);
    *out = (lac_shape){2, {x.dim[0], w.dim[0]}};
    return LAC_OK;
}

static uint64_t linear_macs(const lac_graph *graph, const lac_node *node) {
    return (uint64_t)lac_shape_count(graph->values[node->in[1]].shape);
}

static lac_status linear_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *w = lac_plan_in(plan, node, 1),
               *y = lac_plan_out(plan, node);
    lac_tensor *b = node->n_in > 2 ? lac_plan_in(plan, node, 2) : NULL;
    linear_state *s = *state = LAC_NEW(plan->arena, linear_state);
    dnnl_memory_desc_t src = lac_layout_any(x->shape), weights = lac_layout_any(w->shape),
                       dst = lac_layout_plain(y->shape);
    dnnl_inner_product_desc_t desc;
    LAC_DNNL(plan,
             dnnl_inner_product_forward_desc_init(
                 &desc, plan->config.train ? dnnl_forward_training : dnnl_forward_inference, &src, &weights,
                 b ? &b->layout : NULL, &dst),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, NULL, &s->forward, err));
    dnnl_memory_t from = NULL, w_from = NULL;
    LAC_TRY(lac_plan_as(plan, &plan->forward, x->data, lac_plan_chosen(s->forward, dnnl_query_src_md), &from,
                        err));
    LAC_TRY(lac_plan_as(plan, lac_plan_list(plan, w), w->data,
                        lac_plan_chosen(s->forward, dnnl_query_weights_md), &w_from, err));
    LAC_TRY(lac_plan_set_out(plan, y, &dst, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, from},
                              {DNNL_ARG_WEIGHTS, w_from},
                              {DNNL_ARG_DST, y->data},
                              {DNNL_ARG_BIAS, b ? b->data : NULL}};
    return lac_plan_call(plan, &plan->forward, s->forward, args, b ? 4 : 3, err);
}

static lac_status backward_data(lac_plan *plan, const lac_node *node, const linear_state *s, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *w = lac_plan_in(plan, node, 1),
               *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t weights = lac_layout_any(w->shape), diff_src = lac_layout_any(x->shape);
    dnnl_inner_product_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    LAC_DNNL(plan, dnnl_inner_product_backward_data_desc_init(&desc, &diff_src, &weights, &y->layout), err);
    LAC_TRY(lac_plan_describe(plan, &desc, s->forward, &pd, err));
    dnnl_memory_t w_from = NULL, part = NULL;
    LAC_TRY(lac_plan_as(plan, &plan->backward, w->data, lac_plan_chosen(pd, dnnl_query_weights_md), &w_from,
                        err));
    LAC_TRY(lac_plan_grad(plan, x, lac_plan_chosen(pd, dnnl_query_diff_src_md), &part, err));
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_DIFF_DST, y->grad}, {DNNL_ARG_WEIGHTS, w_from}, {DNNL_ARG_DIFF_SRC, part}};
    LAC_TRY(LAC_CALL(plan, &plan->backward, pd, args, err));
    return lac_plan_grad_done(plan, x, part, err);
}

static lac_status backward_weights(lac_plan *plan, const lac_node *node, const linear_state *s, lac_tensor *b,
                                   lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *w = lac_plan_in(plan, node, 1),
               *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t src = lac_layout_any(x->shape), diff_weights = lac_layout_any(w->shape);
    dnnl_inner_product_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    LAC_DNNL(plan,
             dnnl_inner_product_backward_weights_desc_init(&desc, &src, &diff_weights, b ? &b->layout : NULL,
                                                           &y->layout),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, s->forward, &pd, err));
    dnnl_memory_t part = NULL;
    LAC_TRY(lac_plan_weights_grad(plan, pd, x->data, y->grad, b, &part, err));
    return w->wants_grad ? lac_plan_grad_done(plan, w, part, err) : LAC_OK;
}

static lac_status linear_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_tensor *b =
        node->n_in > 2 && lac_plan_in(plan, node, 2)->wants_grad ? lac_plan_in(plan, node, 2) : NULL;
    if (lac_plan_in(plan, node, 1)->wants_grad || b) LAC_TRY(backward_weights(plan, node, state, b, err));
    return lac_plan_in(plan, node, 0)->wants_grad ? backward_data(plan, node, state, err) : LAC_OK;
}

const lac_op_desc lac_op_linear = {
    .op = LAC_OP_LINEAR,
    .law = "y[o] = b[o] + sum over i of w[o][i] * x[i]",
    .infer = linear_infer,
    .macs = linear_macs,
    .any_type = true,
    .plan_forward = linear_forward,
    .plan_backward = linear_backward,
};
