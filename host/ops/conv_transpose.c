#include "planner.h"

typedef struct deconv_state {
    dnnl_primitive_desc_t forward;
    dnnl_memory_t src, weights; // in the layouts of the forward
} deconv_state;

// The node in oneDNN's terms: output channels before input channels, and a leading group dimension.
typedef struct deconv_geometry {
    dnnl_dims_t stride, dilate, pad_l, pad_r;
    dnnl_memory_desc_t weights; // as they lie in the graph
    dnnl_memory_desc_t any;
    bool bias;
    dnnl_memory_desc_t bias_layout;
} deconv_geometry;

static deconv_geometry geometry(lac_plan *plan, const lac_node *node) {
    const lac_window *w = &node->attr.window;
    const int64_t *d = lac_plan_in(plan, node, 1)->shape.dim;
    deconv_geometry g = {.bias = node->n_in > 2};
    for (int a = 0; a < 2; a++) {
        g.stride[a] = w->stride[a];
        g.dilate[a] = w->dilation[a] - 1;
        g.pad_l[a] = w->pad[a];
        g.pad_r[a] = w->pad[2 + a] - node->attr.out_pad[a];
    }
    dnnl_dims_t grouped = {w->groups, d[1], d[0] / w->groups, d[2], d[3]};
    int64_t *dims = w->groups > 1 ? grouped : grouped + 1;
    int n_dims = w->groups > 1 ? 5 : 4;
    dnnl_memory_desc_init_by_tag(&g.weights, n_dims, dims, dnnl_f32, n_dims == 5 ? dnnl_acbde : dnnl_bacd);
    dnnl_memory_desc_init_by_tag(&g.any, n_dims, dims, dnnl_f32, dnnl_format_tag_any);
    if (g.bias) g.bias_layout = lac_plan_in(plan, node, 2)->layout;
    return g;
}

static lac_status infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    LAC_TRY(lac_need_dims(graph, node, 4, err));
    lac_shape x = graph->values[node->in[0]].shape, w = graph->values[node->in[1]].shape;
    const lac_window *win = &node->attr.window;
    char text[96];
    if (w.n_dims != 4 || win->groups < 1 || w.dim[0] % win->groups || w.dim[0] != x.dim[1])
        LAC_FAIL(err, LAC_E_SHAPE,
                 "conv_transpose '%s': weights are %s in %d groups, the input has %lld channels; their first "
                 "dimension must be those",
                 node->name, lac_shape_print(w, text), win->groups, (long long)x.dim[1]);
    if (w.dim[2] != win->kernel[0] || w.dim[3] != win->kernel[1])
        LAC_FAIL(err, LAC_E_SHAPE, "conv_transpose '%s': weights are %s, the kernel attribute says %dx%d",
                 node->name, lac_shape_print(w, text), win->kernel[0], win->kernel[1]);
    if (node->n_in > 2 && lac_shape_count(graph->values[node->in[2]].shape) != w.dim[1] * win->groups)
        LAC_FAIL(err, LAC_E_SHAPE, "conv_transpose '%s': bias has %lld elements, there are %lld outputs",
                 node->name, (long long)lac_shape_count(graph->values[node->in[2]].shape),
                 (long long)w.dim[1] * win->groups);
    *out = (lac_shape){4, {x.dim[0], w.dim[1] * win->groups, 0, 0}};
    for (int a = 0; a < 2; a++) {
        out->dim[2 + a] = lac_window_transposed_out(win, node->attr.out_pad[a], a, x.dim[2 + a]);
        if (out->dim[2 + a] < 1)
            LAC_FAIL(
                err, LAC_E_SHAPE,
                "conv_transpose '%s': padding %d and %d of axis %d leave nothing of the output; pad less",
                node->name, win->pad[a], win->pad[a + 2], a);
    }
    return LAC_OK;
}

static uint64_t macs(const lac_graph *graph, const lac_node *node) {
    lac_shape x = graph->values[node->in[0]].shape;
    return (uint64_t)(lac_shape_count(graph->values[node->in[1]].shape) * x.dim[2] * x.dim[3]);
}

static lac_status weights_as(lac_plan *plan, lac_tensor *w, const deconv_geometry *g,
                             const dnnl_memory_desc_t *wanted, lac_call_list *list, dnnl_memory_t *out,
                             lac_error *err) {
    dnnl_memory_t view = NULL;
    dnnl_memory_desc_t plain = w->layout;
    dnnl_memory_t data = NULL;
    LAC_TRY(lac_plan_as(plan, list, w->data, &plain, &data, err));
    LAC_TRY(lac_plan_view(plan, &g->weights, lac_memory_data(data), &view, err));
    return lac_plan_as(plan, list, view, wanted, out, err);
}

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *w = lac_plan_in(plan, node, 1),
               *y = lac_plan_out(plan, node);
    deconv_geometry g = geometry(plan, node);
    deconv_state *s = *state = LAC_NEW(plan->arena, deconv_state);
    dnnl_memory_desc_t src = lac_layout_any(x->shape), dst = lac_layout_any(y->shape);
    dnnl_deconvolution_desc_t desc;
    LAC_DNNL(plan,
             dnnl_dilated_deconvolution_forward_desc_init(
                 &desc, plan->config.train ? dnnl_forward_training : dnnl_forward_inference,
                 dnnl_deconvolution_direct, &src, &g.any, g.bias ? &g.bias_layout : NULL, &dst, g.stride,
                 g.dilate, g.pad_l, g.pad_r),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, NULL, &s->forward, err));
    LAC_TRY(lac_plan_as(plan, &plan->forward, x->data, lac_plan_chosen(s->forward, dnnl_query_src_md),
                        &s->src, err));
    LAC_TRY(weights_as(plan, w, &g, lac_plan_chosen(s->forward, dnnl_query_weights_md),
                       lac_plan_list(plan, w), &s->weights, err));
    LAC_TRY(lac_plan_set_out(plan, y, lac_plan_chosen(s->forward, dnnl_query_dst_md), err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, s->src},
                              {DNNL_ARG_WEIGHTS, s->weights},
                              {DNNL_ARG_DST, y->data},
                              {DNNL_ARG_BIAS, g.bias ? lac_plan_in(plan, node, 2)->data : NULL}};
    return lac_plan_call(plan, &plan->forward, s->forward, args, g.bias ? 4 : 3, err);
}

static lac_status backward_data(lac_plan *plan, const lac_node *node, const deconv_state *s,
                                const deconv_geometry *g, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *w = lac_plan_in(plan, node, 1),
               *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t diff_src = lac_layout_any(x->shape);
    dnnl_deconvolution_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    LAC_DNNL(plan,
             dnnl_dilated_deconvolution_backward_data_desc_init(&desc, dnnl_deconvolution_direct, &diff_src,
                                                                &g->any, &y->layout, g->stride, g->dilate,
                                                                g->pad_l, g->pad_r),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, s->forward, &pd, err));
    dnnl_memory_t weights = s->weights, part = NULL;
    if (!dnnl_memory_desc_equal(lac_memory_layout(weights), lac_plan_chosen(pd, dnnl_query_weights_md)))
        LAC_TRY(weights_as(plan, w, g, lac_plan_chosen(pd, dnnl_query_weights_md), &plan->backward, &weights,
                           err));
    LAC_TRY(lac_plan_grad(plan, x, lac_plan_chosen(pd, dnnl_query_diff_src_md), &part, err));
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_DIFF_DST, y->grad}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_SRC, part}};
    LAC_TRY(LAC_CALL(plan, &plan->backward, pd, args, err));
    return lac_plan_grad_done(plan, x, part, err);
}

static lac_status backward_weights(lac_plan *plan, const lac_node *node, const deconv_state *s,
                                   const deconv_geometry *g, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *w = lac_plan_in(plan, node, 1),
               *y = lac_plan_out(plan, node);
    lac_tensor *b = g->bias && lac_plan_in(plan, node, 2)->wants_grad ? lac_plan_in(plan, node, 2) : NULL;
    dnnl_memory_desc_t src = lac_layout_any(x->shape);
    dnnl_deconvolution_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    LAC_DNNL(plan,
             dnnl_dilated_deconvolution_backward_weights_desc_init(&desc, dnnl_deconvolution_direct, &src,
                                                                   &g->any, b ? &b->layout : NULL, &y->layout,
                                                                   g->stride, g->dilate, g->pad_l, g->pad_r),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, s->forward, &pd, err));
    dnnl_memory_t part = NULL;
    LAC_TRY(lac_plan_weights_grad(plan, pd, s->src, y->grad, b, &part, err));
    if (!w->wants_grad) return LAC_OK;
    LAC_TRY(lac_plan_as(plan, &plan->backward, part, &g->weights, &part, err));
    LAC_TRY(lac_plan_view(plan, &w->layout, lac_memory_data(part), &part, err));
    return lac_plan_grad_done(plan, w, part, err);
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    deconv_geometry g = geometry(plan, node);
    bool bias = g.bias && lac_plan_in(plan, node, 2)->wants_grad;
    if (lac_plan_in(plan, node, 1)->wants_grad || bias) LAC_TRY(backward_weights(plan, node, state, &g, err));
    return lac_plan_in(plan, node, 0)->wants_grad ? backward_data(plan, node, state, &g, err) : LAC_OK;
}

const lac_op_desc lac_op_conv_transpose = {
    .op = LAC_OP_CONV_TRANSPOSE,
    .law = "y[o][p * stride + k * dilation - pad] += w[i][o][k] * x[i][p], from y[o] = b[o]",
    .infer = infer,
    .macs = macs,
    .plan_forward = forward,
    .plan_backward = backward,
};
