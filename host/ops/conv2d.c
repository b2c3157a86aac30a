#include "planner.h"

// What the forward leaves to the backward.
typedef struct conv_state {
    dnnl_primitive_desc_t forward;
    dnnl_memory_t src, weights; // in the layouts of the forward
} conv_state;

// The node in oneDNN's terms: weights get a leading group dimension, dilation 0 means none.
typedef struct conv_geometry {
    dnnl_dims_t stride, dilate, pad_l, pad_r;
    lac_shape shape;            // of the weights without groups
    dnnl_memory_desc_t weights; // row-major, with groups where there are any
    dnnl_memory_desc_t any;
    bool bias;
    dnnl_memory_desc_t bias_layout;
} conv_geometry;

static conv_geometry geometry(lac_plan *plan, const lac_node *node) {
    const lac_window *w = &node->attr.window;
    conv_geometry g = {.shape = lac_plan_in(plan, node, 1)->shape, .bias = node->n_in > 2};
    for (int a = 0; a < 2; a++) {
        g.stride[a] = w->stride[a];
        g.dilate[a] = w->dilation[a] - 1;
        g.pad_l[a] = w->pad[a];
        g.pad_r[a] = w->pad[2 + a];
    }
    g.weights = lac_layout_plain(g.shape);
    g.any = lac_layout_any(g.shape);
    if (w->groups > 1) {
        const int64_t *d = g.shape.dim;
        dnnl_dims_t dims = {w->groups, d[0] / w->groups, d[1], d[2], d[3]};
        dnnl_memory_desc_init_by_tag(&g.weights, 5, dims, dnnl_f32, dnnl_abcde);
        dnnl_memory_desc_init_by_tag(&g.any, 5, dims, dnnl_f32, dnnl_format_tag_any);
    }
    if (g.bias) g.bias_layout = lac_plan_in(plan, node, 2)->layout;
    return g;
}

static lac_status conv_infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    LAC_TRY(lac_need_dims(graph, node, 4, err));
    lac_shape x = graph->values[node->in[0]].shape, w = graph->values[node->in[1]].shape;
    const lac_window *win = &node->attr.window;
    char text[96];
    if (w.n_dims != 4)
        LAC_FAIL(err, LAC_E_SHAPE, "conv2d '%s': weights are %s, expected 4 dimensions", node->name,
                 lac_shape_print(w, text));
    if (win->groups < 1 || w.dim[0] % win->groups)
        LAC_FAIL(err, LAC_E_SHAPE, "conv2d '%s': %lld output channels do not divide into %d groups",
                 node->name, (long long)w.dim[0], win->groups);
    if (x.dim[1] != w.dim[1] * win->groups)
        LAC_FAIL(err, LAC_E_SHAPE, "conv2d '%s': input has %lld channels, weights expect %lld in %d groups",
                 node->name, (long long)x.dim[1], (long long)w.dim[1] * win->groups, win->groups);
    if (w.dim[2] != win->kernel[0] || w.dim[3] != win->kernel[1])
        LAC_FAIL(err, LAC_E_SHAPE, "conv2d '%s': weights are %s, the kernel attribute says %dx%d", node->name,
                 lac_shape_print(w, text), win->kernel[0], win->kernel[1]);
    if (node->n_in > 2 && lac_shape_count(graph->values[node->in[2]].shape) != w.dim[0])
        LAC_FAIL(err, LAC_E_SHAPE, "conv2d '%s': bias has %lld elements, weights have %lld outputs",
                 node->name, (long long)lac_shape_count(graph->values[node->in[2]].shape),
                 (long long)w.dim[0]);
    return lac_infer_window(graph, node, w.dim[0], out, err);
}

static uint64_t conv_macs(const lac_graph *graph, const lac_node *node) {
    lac_shape y = graph->values[node->out].shape;
    int64_t weights = lac_shape_count(graph->values[node->in[1]].shape);
    return (uint64_t)(weights * y.dim[2] * y.dim[3]);
}

// Weights arrive row-major without groups; the kernel wants its own layout.
static lac_status conv_weights(lac_plan *plan, lac_tensor *w, const conv_geometry *g,
                               const dnnl_memory_desc_t *wanted, lac_call_list *list, dnnl_memory_t *out,
                               lac_error *err) {
    dnnl_memory_t grouped = NULL;
    LAC_TRY(lac_plan_view(plan, &g->weights, lac_memory_data(w->data), &grouped, err));
    return lac_plan_as(plan, list, grouped, wanted, out, err);
}

static lac_status conv_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *w = lac_plan_in(plan, node, 1),
               *y = lac_plan_out(plan, node);
    conv_geometry g = geometry(plan, node);
    conv_state *s = *state = LAC_NEW(plan->arena, conv_state);
    dnnl_memory_desc_t src = lac_layout_any(x->shape), dst = lac_layout_any(y->shape);
    dnnl_convolution_desc_t desc;
    LAC_DNNL(plan,
             dnnl_dilated_convolution_forward_desc_init(
                 &desc, plan->config.train ? dnnl_forward_training : dnnl_forward_inference,
                 dnnl_convolution_direct, &src, &g.any, g.bias ? &g.bias_layout : NULL, &dst, g.stride,
                 g.dilate, g.pad_l, g.pad_r),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, NULL, &s->forward, err));
    LAC_TRY(lac_plan_as(plan, &plan->forward, x->data, lac_plan_chosen(s->forward, dnnl_query_src_md),
                        &s->src, err));
    LAC_TRY(conv_weights(plan, w, &g, lac_plan_chosen(s->forward, dnnl_query_weights_md),
                         lac_plan_list(plan, w), &s->weights, err));
    LAC_TRY(lac_plan_set_out(plan, y, lac_plan_chosen(s->forward, dnnl_query_dst_md), err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, s->src},
                              {DNNL_ARG_WEIGHTS, s->weights},
                              {DNNL_ARG_DST, y->data},
                              {DNNL_ARG_BIAS, g.bias ? lac_plan_in(plan, node, 2)->data : NULL}};
    return lac_plan_call(plan, &plan->forward, s->forward, args, g.bias ? 4 : 3, err);
}

static lac_status backward_data(lac_plan *plan, const lac_node *node, const conv_state *s,
                                const conv_geometry *g, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *w = lac_plan_in(plan, node, 1),
               *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t diff_src = lac_layout_any(x->shape);
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    LAC_DNNL(plan,
             dnnl_dilated_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, &diff_src,
                                                              &g->any, &y->layout, g->stride, g->dilate,
                                                              g->pad_l, g->pad_r),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, s->forward, &pd, err));
    dnnl_memory_t weights = s->weights, part = NULL;
    if (!dnnl_memory_desc_equal(lac_memory_layout(weights), lac_plan_chosen(pd, dnnl_query_weights_md)))
        LAC_TRY(conv_weights(plan, w, g, lac_plan_chosen(pd, dnnl_query_weights_md), &plan->backward,
                             &weights, err));
    LAC_TRY(lac_plan_grad(plan, x, lac_plan_chosen(pd, dnnl_query_diff_src_md), &part, err));
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_DIFF_DST, y->grad}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_SRC, part}};
    LAC_TRY(LAC_CALL(plan, &plan->backward, pd, args, err));
    return lac_plan_grad_done(plan, x, part, err);
}

static lac_status backward_weights(lac_plan *plan, const lac_node *node, const conv_state *s,
                                   const conv_geometry *g, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *w = lac_plan_in(plan, node, 1),
               *y = lac_plan_out(plan, node);
    lac_tensor *b = g->bias && lac_plan_in(plan, node, 2)->wants_grad ? lac_plan_in(plan, node, 2) : NULL;
    dnnl_memory_desc_t src = lac_layout_any(x->shape);
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    LAC_DNNL(plan,
             dnnl_dilated_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, &src,
                                                                 &g->any, b ? &b->layout : NULL, &y->layout,
                                                                 g->stride, g->dilate, g->pad_l, g->pad_r),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, s->forward, &pd, err));
    dnnl_memory_t from = s->src, part = NULL, b_part = NULL;
    LAC_TRY(lac_plan_as(plan, &plan->backward, from, lac_plan_chosen(pd, dnnl_query_src_md), &from, err));
    LAC_TRY(lac_plan_buffer(plan, lac_plan_chosen(pd, dnnl_query_diff_weights_md), &part, err));
    if (b) LAC_TRY(lac_plan_grad(plan, b, NULL, &b_part, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, from},
                              {DNNL_ARG_DIFF_DST, y->grad},
                              {DNNL_ARG_DIFF_WEIGHTS, part},
                              {DNNL_ARG_DIFF_BIAS, b_part}};
    LAC_TRY(lac_plan_call(plan, &plan->backward, pd, args, b ? 4 : 3, err));
    if (b) LAC_TRY(lac_plan_grad_done(plan, b, b_part, err));
    if (!w->wants_grad) return LAC_OK;
    if (g->weights.ndims == 5) { // drops the group dimension
        LAC_TRY(lac_plan_as(plan, &plan->backward, part, &g->weights, &part, err));
        LAC_TRY(lac_plan_view(plan, &w->layout, lac_memory_data(part), &part, err));
    }
    return lac_plan_grad_done(plan, w, part, err);
}

static lac_status conv_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    conv_geometry g = geometry(plan, node);
    bool bias = g.bias && lac_plan_in(plan, node, 2)->wants_grad;
    if (lac_plan_in(plan, node, 1)->wants_grad || bias) LAC_TRY(backward_weights(plan, node, state, &g, err));
    return lac_plan_in(plan, node, 0)->wants_grad ? backward_data(plan, node, state, &g, err) : LAC_OK;
}

const lac_op_desc lac_op_conv2d = {
    .op = LAC_OP_CONV2D,
    .law = "y[o][p] = b[o] + sum over i, k of w[o][i][k] * x[i][p * stride + k * dilation - pad]",
    .infer = conv_infer,
    .macs = conv_macs,
    .plan_forward = conv_forward,
    .plan_backward = conv_backward,
};
