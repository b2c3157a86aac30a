#include "pool.h"

typedef struct pool_state {
    dnnl_primitive_desc_t forward;
    dnnl_memory_t workspace; // where each maximum came from
} pool_state;

typedef struct pool_geometry {
    dnnl_dims_t kernel, stride, dilate, pad_l, pad_r;
} pool_geometry;

static pool_geometry geometry(const lac_window *w, lac_shape in, lac_shape out) {
    pool_geometry g = {0};
    for (int a = 0; a < 2; a++) {
        g.kernel[a] = w->kernel[a];
        g.stride[a] = w->stride[a];
        g.dilate[a] = w->dilation[a] - 1;
        g.pad_l[a] = w->pad[a];
        // oneDNN wants windows to end exactly; what the last window does not reach counts as negative padding
        int64_t reach =
            (out.dim[2 + a] - 1) * w->stride[a] + (int64_t)w->dilation[a] * (w->kernel[a] - 1) + 1;
        g.pad_r[a] = reach - in.dim[2 + a] - w->pad[a];
    }
    return g;
}

lac_status lac_pool_infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    LAC_TRY(lac_need_dims(graph, node, 4, err));
    return lac_infer_window(graph, node, graph->values[node->in[0]].shape.dim[1], out, err);
}

lac_status lac_pool_forward(lac_plan *plan, const lac_node *node, dnnl_alg_kind_t kind,
                            const lac_window *window, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    pool_geometry g = geometry(window, x->shape, y->shape);
    pool_state *s = *state = LAC_NEW(plan->arena, pool_state);
    dnnl_memory_desc_t any = lac_layout_any(y->shape), dst = lac_layout_typed(&any, x->layout.data_type);
    dnnl_pooling_v2_desc_t desc;
    LAC_DNNL(plan,
             dnnl_pooling_v2_forward_desc_init(
                 &desc, plan->config.train ? dnnl_forward_training : dnnl_forward_inference, kind, &x->layout,
                 &dst, g.stride, g.kernel, g.dilate, g.pad_l, g.pad_r),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, NULL, &s->forward, err));
    LAC_TRY(lac_plan_set_out(plan, y, lac_plan_chosen(s->forward, dnnl_query_dst_md), err));
    const dnnl_memory_desc_t *workspace = lac_plan_chosen(s->forward, dnnl_query_workspace_md);
    if (workspace && dnnl_memory_desc_get_size(workspace) > 0)
        LAC_TRY(lac_plan_buffer(plan, workspace, &s->workspace, err));
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, x->data}, {DNNL_ARG_DST, y->data}, {DNNL_ARG_WORKSPACE, s->workspace}};
    return lac_plan_call(plan, &plan->forward, s->forward, args, s->workspace ? 3 : 2, err);
}

lac_status lac_pool_backward(lac_plan *plan, const lac_node *node, dnnl_alg_kind_t kind,
                             const lac_window *window, void *state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    pool_geometry g = geometry(window, x->shape, y->shape);
    const pool_state *s = state;
    dnnl_pooling_v2_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_memory_t dx = NULL;
    LAC_DNNL(plan,
             dnnl_pooling_v2_backward_desc_init(&desc, kind, &x->layout, &y->layout, g.stride, g.kernel,
                                                g.dilate, g.pad_l, g.pad_r),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, s->forward, &pd, err));
    LAC_TRY(lac_plan_grad(plan, x, NULL, &dx, err));
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_DIFF_DST, y->grad}, {DNNL_ARG_DIFF_SRC, dx}, {DNNL_ARG_WORKSPACE, s->workspace}};
    LAC_TRY(lac_plan_call(plan, &plan->backward, pd, args, s->workspace ? 3 : 2, err));
    return lac_plan_grad_done(plan, x, dx, err);
}

// ---- of whole maps --------------------------------------------------------------------------------------

lac_status lac_global_pool_infer(const lac_graph *graph, const lac_node *node, lac_shape *out,
                                 lac_error *err) {
    LAC_TRY(lac_need_dims(graph, node, 4, err));
    lac_shape x = graph->values[node->in[0]].shape;
    *out = (lac_shape){4, {x.dim[0], x.dim[1], 1, 1}};
    return LAC_OK;
}

static lac_window whole_map(lac_plan *plan, const lac_node *node) {
    lac_shape x = lac_plan_in(plan, node, 0)->shape;
    return (lac_window){.kernel = {(int)x.dim[2], (int)x.dim[3]}, .stride = {1, 1}, .dilation = {1, 1}};
}

static dnnl_alg_kind_t kind_of(const lac_node *node) {
    return node->op == LAC_OP_GLOBAL_MAX_POOL ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding;
}

lac_status lac_global_pool_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_window window = whole_map(plan, node);
    return lac_pool_forward(plan, node, kind_of(node), &window, state, err);
}

lac_status lac_global_pool_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_window window = whole_map(plan, node);
    return lac_pool_backward(plan, node, kind_of(node), &window, state, err);
}
