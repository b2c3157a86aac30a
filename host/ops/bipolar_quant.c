#include "fake_quant.h"

#include <math.h>

static void piece(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float *restrict x = q->x + first;
    float *restrict y = q->y + first;
    const float scale = q->scale[channel];
    for (size_t i = 0; i < n; i++) y[i] = x[i] >= 0.0f ? scale : -scale;
}

// The straight-through gradient stops where |x| > 1: such an element is far from changing its sign.
static lac_quant_sums piece_back(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float *restrict x = q->x + first, *restrict dy = q->dy + first;
    float *restrict dx = q->dx + first;
    double sum = 0;
    (void)channel;
    for (size_t i = 0; i < n; i++) {
        dx[i] = fabsf(x[i]) <= 1.0f ? dy[i] : 0.0f;
        sum += x[i] >= 0.0f ? (double)dy[i] : -(double)dy[i];
    }
    return (lac_quant_sums){.scale = sum};
}

static void run(void *ctx) {
    lac_fake_quant_forward(ctx, piece);
}

static void run_back(void *ctx) {
    lac_fake_quant_backward(ctx, piece_back);
}

// Zero becomes +scale, so channel padding of a blocked layout would not stay zero: work row-major then.
static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_fake_quant *q = NULL;
    bool plain = lac_layout_padded(&lac_plan_in(plan, node, 0)->layout);
    LAC_TRY(lac_fake_quant_plan(plan, node, plain, run, &q, err));
    *state = q;
    return LAC_OK;
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    return lac_fake_quant_plan_back(plan, node, state, 1.0f, run_back, err);
}

const lac_op_desc lac_op_bipolar_quant = {
    .op = LAC_OP_BIPOLAR_QUANT,
    .law = "y = scale where x >= 0, else -scale; straight-through gradient where |x| <= 1",
    .infer = lac_fake_quant_infer,
    .plan_forward = forward,
    .plan_backward = backward,
};
