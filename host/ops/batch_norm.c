#include "planner.h"

#include <assert.h>
#include <math.h>

// Batch statistics of the last forward, and where their running averages live.
typedef struct bn_state {
    dnnl_primitive_desc_t forward;
    dnnl_memory_t mean, variance, workspace;
    float *running_mean, *running_variance;
    const float *batch_mean, *batch_variance;
    int64_t n_channels;
    float momentum;
    unsigned flags;
} bn_state;

static lac_status bn_infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    static const char *const roles[] = {"x", "gamma", "beta", "mean", "variance"};
    lac_shape x = graph->values[node->in[0]].shape;
    char text[96];
    if (x.n_dims != 2 && x.n_dims != 4)
        LAC_FAIL(err, LAC_E_SHAPE, "batch_norm '%s': input is %s, expected 2 or 4 dimensions", node->name,
                 lac_shape_print(x, text));
    for (int i = 1; i < 5; i++) {
        int64_t n = lac_shape_count(graph->values[node->in[i]].shape);
        if (n != x.dim[1])
            LAC_FAIL(err, LAC_E_SHAPE, "batch_norm '%s': input has %lld channels, %s has %lld", node->name,
                     (long long)x.dim[1], roles[i], (long long)n);
    }
    *out = x;
    return LAC_OK;
}

static uint64_t bn_macs(const lac_graph *graph, const lac_node *node) {
    return 2 * (uint64_t)lac_shape_count(graph->values[node->out].shape);
}

static void update_running(void *ctx) {
    bn_state *s = ctx;
    for (int64_t c = 0; c < s->n_channels; c++) {
        s->running_mean[c] += (1.0f - s->momentum) * (s->batch_mean[c] - s->running_mean[c]);
        s->running_variance[c] += (1.0f - s->momentum) * (s->batch_variance[c] - s->running_variance[c]);
    }
}

static bool uses_running(const lac_plan *plan) {
    return !plan->config.train || plan->config.freeze_batch_norm;
}

static lac_status bn_statistics(lac_plan *plan, const lac_node *node, bn_state *s, lac_error *err) {
    lac_tensor *mean = lac_plan_in(plan, node, 3), *variance = lac_plan_in(plan, node, 4);
    s->mean = mean->data;
    s->variance = variance->data;
    if (uses_running(plan)) return LAC_OK;
    LAC_TRY(lac_plan_buffer(plan, &mean->layout, &s->mean, err));
    LAC_TRY(lac_plan_buffer(plan, &variance->layout, &s->variance, err));
    s->running_mean = lac_memory_data(mean->data);
    s->running_variance = lac_memory_data(variance->data);
    s->batch_mean = lac_memory_data(s->mean);
    s->batch_variance = lac_memory_data(s->variance);
    s->n_channels = lac_shape_count(mean->shape);
    s->momentum = node->attr.momentum;
    return LAC_OK;
}

// Blocked layouts round the channels up. In the channels too many variance and epsilon would both be zero,
// and a value that is no number there reaches the maps of the next layer. No float32 variance changes by so
// little.
static float padding_safe_epsilon(const lac_node *node) {
    return fmaxf(node->attr.epsilon, 1e-20f);
}

static lac_status bn_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    const lac_node *relu = lac_plan_fusible_relu(plan, node);
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_final_out(plan, node, relu);
    bn_state *s = *state = LAC_NEW(plan->arena, bn_state);
    s->flags = dnnl_use_scale | dnnl_use_shift;
    if (uses_running(plan)) s->flags |= dnnl_use_global_stats;
    if (relu) s->flags |= dnnl_fuse_norm_relu;
    dnnl_batch_normalization_desc_t desc;
    LAC_DNNL(plan,
             dnnl_batch_normalization_forward_desc_init(
                 &desc, plan->config.train ? dnnl_forward_training : dnnl_forward_inference, &x->layout,
                 padding_safe_epsilon(node), s->flags),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, NULL, &s->forward, err));
    LAC_TRY(bn_statistics(plan, node, s, err));
    LAC_TRY(lac_plan_set_out(plan, y, &x->layout, err));
    const dnnl_memory_desc_t *workspace = lac_plan_chosen(s->forward, dnnl_query_workspace_md);
    bool needs_workspace = workspace && dnnl_memory_desc_get_size(workspace) > 0;
    if (needs_workspace) LAC_TRY(lac_plan_buffer(plan, workspace, &s->workspace, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, x->data},
                              {DNNL_ARG_DST, y->data},
                              {DNNL_ARG_SCALE, lac_plan_in(plan, node, 1)->data},
                              {DNNL_ARG_SHIFT, lac_plan_in(plan, node, 2)->data},
                              {DNNL_ARG_MEAN, s->mean},
                              {DNNL_ARG_VARIANCE, s->variance},
                              {DNNL_ARG_WORKSPACE, s->workspace}};
    LAC_TRY(lac_plan_call(plan, &plan->forward, s->forward, args, needs_workspace ? 7 : 6, err));
    if (!uses_running(plan)) lac_plan_run(plan, &plan->forward, update_running, s);
    return LAC_OK;
}

// Gradients of gamma and beta come in any case; a constant that wants none gets a buffer nobody reads.
static lac_status parameter_grad(lac_plan *plan, lac_tensor *t, dnnl_memory_t *out, lac_error *err) {
    return t->wants_grad ? lac_plan_grad(plan, t, NULL, out, err)
                         : lac_plan_buffer(plan, &t->layout, out, err);
}

static lac_status bn_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    const lac_node *relu = lac_plan_fusible_relu(plan, node);
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_final_out(plan, node, relu);
    lac_tensor *gamma = lac_plan_in(plan, node, 1), *beta = lac_plan_in(plan, node, 2);
    bn_state *s = state;
    dnnl_batch_normalization_desc_t desc;
    dnnl_primitive_desc_t pd = NULL;
    LAC_DNNL(plan,
             dnnl_batch_normalization_backward_desc_init(&desc, dnnl_backward, &y->layout, &x->layout,
                                                         padding_safe_epsilon(node), s->flags),
             err);
    LAC_TRY(lac_plan_describe(plan, &desc, s->forward, &pd, err));
    dnnl_memory_t dx = NULL, dgamma = NULL, dbeta = NULL;
    if (x->wants_grad)
        LAC_TRY(lac_plan_grad(plan, x, NULL, &dx, err));
    else
        LAC_TRY(lac_plan_buffer(plan, &x->layout, &dx, err));
    LAC_TRY(parameter_grad(plan, gamma, &dgamma, err));
    LAC_TRY(parameter_grad(plan, beta, &dbeta, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, x->data},       {DNNL_ARG_DIFF_DST, y->grad},
                              {DNNL_ARG_MEAN, s->mean},      {DNNL_ARG_VARIANCE, s->variance},
                              {DNNL_ARG_SCALE, gamma->data}, {DNNL_ARG_DIFF_SRC, dx},
                              {DNNL_ARG_SHIFT, beta->data},  {DNNL_ARG_DIFF_SCALE, dgamma},
                              {DNNL_ARG_DIFF_SHIFT, dbeta},  {DNNL_ARG_WORKSPACE, s->workspace}};
    LAC_TRY(lac_plan_call(plan, &plan->backward, pd, args, s->workspace ? 10 : 9, err));
    if (gamma->wants_grad) LAC_TRY(lac_plan_grad_done(plan, gamma, dgamma, err));
    if (beta->wants_grad) LAC_TRY(lac_plan_grad_done(plan, beta, dbeta, err));
    return x->wants_grad ? lac_plan_grad_done(plan, x, dx, err) : LAC_OK;
}

const lac_op_desc lac_op_batch_norm = {
    .op = LAC_OP_BATCH_NORM,
    .law = "y[c] = gamma[c] * (x[c] - mean[c]) / sqrt(variance[c] + epsilon) + beta[c]",
    .infer = bn_infer,
    .macs = bn_macs,
    .any_type = true,
    .plan_forward = bn_forward,
    .plan_backward = bn_backward,
};
