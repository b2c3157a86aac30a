#include "depthwise.h"
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
    dnnl_memory_desc_t any;     // for the kernels that read weights
    dnnl_memory_desc_t any_f32; // for their gradient
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
    g.any_f32 = g.any;
    if (plan->config.precision == LAC_BF16) g.any = lac_layout_typed(&g.any, dnnl_bf16);
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
    const lac_node *relu = lac_plan_fusible_relu(plan, node);
    lac_tensor *x = lac_plan_in(plan, node, 0), *w = lac_plan_in(plan, node, 1),
               *y = lac_plan_final_out(plan, node, relu);
    conv_geometry g = geometry(plan, node);
    conv_state *s = *state = LAC_NEW(plan->arena, conv_state);
    dnnl_memory_desc_t src = lac_layout_activation(plan, x->shape),
                       dst = lac_layout_activation(plan, y->shape);
    dnnl_convolution_desc_t desc;
    dnnl_primitive_attr_t attr = NULL;
    LAC_DNNL(plan,
             dnnl_dilated_convolution_forward_desc_init(
                 &desc, plan->config.train ? dnnl_forward_training : dnnl_forward_inference,
                 dnnl_convolution_direct, &src, &g.any, g.bias ? &g.bias_layout : NULL, &dst, g.stride,
                 g.dilate, g.pad_l, g.pad_r),
             err);
    LAC_TRY(lac_plan_relu_attr(plan, relu, &attr, err));
    lac_status status = lac_plan_describe_with(plan, &desc, attr, NULL, &s->forward, err);
    dnnl_primitive_attr_destroy(attr);
    LAC_TRY(status);
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

// What the backward of one node works on.
typedef struct conv_back {
    const lac_node *node;
    const conv_state *s;
    conv_geometry g;
    lac_tensor *x, *w, *b; // b NULL: no bias whose gradient is wanted
    dnnl_memory_t grad;    // of the convolution's output
} conv_back;

static lac_status backward_data(lac_plan *plan, const conv_back *c, lac_error *err) {
    dnnl_memory_desc_t diff_src = lac_layout_activation(plan, c->x->shape);
    const conv_geometry *g = &c->g;
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    LAC_DNNL(plan,
             dnnl_dilated_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, &diff_src,
                                                              &g->any, lac_memory_layout(c->grad), g->stride,
                                                              g->dilate, g->pad_l, g->pad_r),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, c->s->forward, &pd, err));
    dnnl_memory_t weights = c->s->weights, part = NULL;
    if (!dnnl_memory_desc_equal(lac_memory_layout(weights), lac_plan_chosen(pd, dnnl_query_weights_md)))
        LAC_TRY(conv_weights(plan, c->w, g, lac_plan_chosen(pd, dnnl_query_weights_md), &plan->backward,
                             &weights, err));
    LAC_TRY(lac_plan_grad(plan, c->x, lac_plan_chosen(pd, dnnl_query_diff_src_md), &part, err));
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_DIFF_DST, c->grad}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_SRC, part}};
    LAC_TRY(LAC_CALL(plan, &plan->backward, pd, args, err));
    return lac_plan_grad_done(plan, c->x, part, err);
}

static lac_status describe_weights(lac_plan *plan, const conv_back *c, const dnnl_memory_desc_t *src,
                                   const dnnl_memory_desc_t *weights, const dnnl_memory_desc_t *grad,
                                   dnnl_primitive_desc_t *out, lac_error *err) {
    const conv_geometry *g = &c->g;
    dnnl_convolution_desc_t desc;
    LAC_DNNL(plan,
             dnnl_dilated_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, src, weights,
                                                                 c->b ? &c->b->layout : NULL, grad, g->stride,
                                                                 g->dilate, g->pad_l, g->pad_r),
             err);
    return lac_plan_describe(plan, &desc, c->s->forward, out, err);
}

// Where the blocked kernels refuse, those for row-major tensors are still a hundred times as fast as the
// reference.
static lac_status choose_weights(lac_plan *plan, const conv_back *c, dnnl_primitive_desc_t *out,
                                 lac_error *err) {
    dnnl_memory_desc_t src = lac_layout_activation(plan, c->x->shape), grad = *lac_memory_layout(c->grad);
    LAC_TRY(describe_weights(plan, c, &src, &c->g.any_f32, &grad, out, err));
    if (!lac_plan_is_slow(*out)) return LAC_OK;
    lac_shape shape = {4, {grad.dims[0], grad.dims[1], grad.dims[2], grad.dims[3]}};
    dnnl_memory_desc_t plain = lac_layout_plain(shape);
    src = lac_layout_plain(c->x->shape);
    return describe_weights(plan, c, &src, &c->g.weights, &plain, out, err);
}

static lac_status backward_weights(lac_plan *plan, const conv_back *c, lac_error *err) {
    const conv_geometry *g = &c->g;
    lac_tensor *w = c->w;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_memory_t part = NULL;
    if (!c->b && lac_depthwise_fits(c->node, lac_memory_layout(c->s->src), lac_memory_layout(c->grad)))
        return lac_depthwise_backward_weights(plan, c->node, w, c->s->src, c->grad, err);
    LAC_TRY(choose_weights(plan, c, &pd, err));
    LAC_TRY(lac_plan_weights_grad(plan, pd, c->s->src, c->grad, c->b, &part, err));
    if (!w->wants_grad) return LAC_OK;
    if (g->weights.ndims == 5) { // drops the group dimension
        LAC_TRY(lac_plan_as(plan, &plan->backward, part, &g->weights, &part, err));
        LAC_TRY(lac_plan_view(plan, &w->layout, lac_memory_data(part), &part, err));
    }
    return lac_plan_grad_done(plan, w, part, err);
}

static lac_status conv_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    const lac_node *relu = lac_plan_fusible_relu(plan, node);
    lac_tensor *y = lac_plan_final_out(plan, node, relu);
    conv_back c = {.node = node,
                   .s = state,
                   .g = geometry(plan, node),
                   .x = lac_plan_in(plan, node, 0),
                   .w = lac_plan_in(plan, node, 1),
                   .grad = y->grad};
    if (relu) LAC_TRY(lac_plan_relu_back(plan, y, &c.grad, err));
    if (c.g.bias && lac_plan_in(plan, node, 2)->wants_grad) c.b = lac_plan_in(plan, node, 2);
    if (c.w->wants_grad || c.b) LAC_TRY(backward_weights(plan, &c, err));
    return c.x->wants_grad ? backward_data(plan, &c, err) : LAC_OK;
}

const lac_op_desc lac_op_conv2d = {
    .op = LAC_OP_CONV2D,
    .law = "y[o][p] = b[o] + sum over i, k of w[o][i][k] * x[i][p * stride + k * dilation - pad]",
    .infer = conv_infer,
    .macs = conv_macs,
    .any_type = true,
    .plan_forward = conv_forward,
    .plan_backward = conv_backward,
};
