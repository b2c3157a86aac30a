#include "fake_quant.h"

enum { LANES = 16 };

// Adding and taking away 1.5 * 2^23 rounds |v| < 2^22 to the nearest integer, ties to even, and vectorises
// on every machine. Clamping first keeps v in range and gives the same code as clamping last.
static float round_clamped(float v, float lo, float hi) {
    const float magic = 12582912.0f;
    v = v > lo ? v : lo;
    v = v < hi ? v : hi;
    return (v + magic) - magic;
}

static void piece(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float *restrict x = q->x + first;
    float *restrict y = q->y + first;
    const float scale = q->scale[channel], zero = q->zero[q->n_zeros > 1 ? channel : 0], lo = q->lo,
                hi = q->hi;
    for (size_t i = 0; i < n; i++) y[i] = (round_clamped(x[i] / scale + zero, lo, hi) - zero) * scale;
}

// One element: dx, and what it adds to the scale's gradient.
static inline float back(float x, float g, float scale, float zero, float lo, float hi, float *dx) {
    float v = x / scale + zero;
    float code = round_clamped(v, lo, hi) - zero;
    float inside = v >= lo && v <= hi ? 1.0f : 0.0f;
    *dx = g * inside;
    return g * (code - inside * (v - zero));
}

static double piece_back(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float *restrict x = q->x + first, *restrict dy = q->dy + first;
    float *restrict dx = q->dx + first;
    const float scale = q->scale[channel], zero = q->zero[q->n_zeros > 1 ? channel : 0], lo = q->lo,
                hi = q->hi;
    float lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += back(x[i + l], dy[i + l], scale, zero, lo, hi, &dx[i + l]);
    double sum = 0;
    for (; i < n; i++) sum += (double)back(x[i], dy[i], scale, zero, lo, hi, &dx[i]);
    for (size_t l = 0; l < LANES; l++) sum += (double)lanes[l];
    return sum;
}

static void run(void *ctx) {
    lac_fake_quant_forward(ctx, piece);
}

static void run_back(void *ctx) {
    lac_fake_quant_backward(ctx, piece_back);
}

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_quant_attr a = node->attr.quant;
    lac_fake_quant *q = NULL;
    LAC_TRY(lac_fake_quant_plan(plan, node, false, run, &q, err));
    int span = a.is_signed ? 1 << (a.bits - 1) : 1 << a.bits;
    q->lo = a.is_signed ? (float)(a.narrow ? 1 - span : -span) : 0.0f;
    q->hi = (float)(span - 1 - (!a.is_signed && a.narrow));
    q->zero = lac_memory_data(lac_plan_in(plan, node, 2)->data);
    q->n_zeros = (int)lac_shape_count(lac_plan_in(plan, node, 2)->shape);
    *state = q;
    return LAC_OK;
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_fake_quant *q = state;
    return lac_fake_quant_plan_back(plan, node, q, q->hi - q->zero[0], run_back, err);
}

const lac_op_desc lac_op_quant = {
    .op = LAC_OP_QUANT,
    .law = "y = (clamp(round_half_even(x / scale + zero), lo, hi) - zero) * scale; gradients after LSQ",
    .infer = lac_fake_quant_infer,
    .plan_forward = forward,
    .plan_backward = backward,
};
