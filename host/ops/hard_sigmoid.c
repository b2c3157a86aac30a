#include "planner.h"

// oneDNN has no hard sigmoid: a line of ours, in any layout. Padding of a layout stays zero.
typedef struct line {
    const float *x, *dy;
    float *y, *dx;
    size_t n;
    float alpha, beta;
} line;

static void run(void *ctx) {
    const line *l = ctx;
    const float *restrict x = l->x;
    float *restrict y = l->y;
    for (size_t i = 0; i < l->n; i++) {
        float v = l->alpha * x[i] + l->beta;
        v = v > 0.0f ? v : 0.0f;
        y[i] = v < 1.0f ? v : 1.0f;
    }
}

static void run_back(void *ctx) {
    const line *l = ctx;
    const float *restrict x = l->x, *restrict dy = l->dy;
    float *restrict dx = l->dx;
    for (size_t i = 0; i < l->n; i++) {
        float v = l->alpha * x[i] + l->beta;
        dx[i] = v > 0.0f && v < 1.0f ? dy[i] * l->alpha : 0.0f;
    }
}

// Row-major, so that no padding of a block of channels becomes beta.
static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t plain = lac_layout_plain(x->shape);
    dnnl_memory_t from = NULL;
    LAC_TRY(lac_plan_as(plan, &plan->forward, x->data, &plain, &from, err));
    LAC_TRY(lac_plan_set_out(plan, y, &plain, err));
    line *l = *state = LAC_NEW(plan->arena, line);
    *l = (line){.x = lac_memory_data(from),
                .y = lac_memory_data(y->data),
                .n = lac_layout_count(&plain),
                .alpha = node->attr.alpha,
                .beta = node->attr.beta};
    lac_plan_run(plan, &plan->forward, run, l);
    return LAC_OK;
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_memory_t dx = NULL;
    line *l = state;
    LAC_TRY(lac_plan_grad(plan, x, &y->layout, &dx, err));
    l->dy = lac_memory_data(y->grad);
    l->dx = lac_memory_data(dx);
    lac_plan_run(plan, &plan->backward, run_back, l);
    return lac_plan_grad_done(plan, x, dx, err);
}

const lac_op_desc lac_op_hard_sigmoid = {
    .op = LAC_OP_HARD_SIGMOID,
    .law = "y = clamp(alpha * x + beta, 0, 1)",
    .infer = lac_infer_same,
    .plan_forward = forward,
    .plan_backward = backward,
};
