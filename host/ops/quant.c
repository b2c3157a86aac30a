#include "drop.h"
#include "fake_quant.h"

#include <math.h>

enum { LANES = 16 };

// Adding and taking away 1.5 * 2^23 rounds |v| < 2^22 to the nearest integer, ties to even, and vectorises
// on every machine. Clamping first keeps v in range and gives the same code as clamping last.
static float round_clamped(float v, float lo, float hi) {
    const float magic = 12582912.0f;
    v = v > lo ? v : lo;
    v = v < hi ? v : hi;
    return (v + magic) - magic;
}

static float zero_of(const lac_fake_quant *q, int channel) {
    float zero = q->zero[q->n_zeros > 1 ? channel : 0];
    bool is_offset = q->rule && q->rule->learns_offset;
    return is_offset ? round_clamped(-zero / q->scale[channel], q->lo, q->hi) : zero;
}

static void piece(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float *restrict x = q->x + first;
    float *restrict y = q->y + first;
    const float scale = q->scale[channel], zero = zero_of(q, channel), lo = q->lo, hi = q->hi;
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

static lac_quant_sums piece_back(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float *restrict x = q->x + first, *restrict dy = q->dy + first;
    float *restrict dx = q->dx + first;
    const float scale = q->scale[channel], zero = zero_of(q, channel), lo = q->lo, hi = q->hi;
    float lanes[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += back(x[i + l], dy[i + l], scale, zero, lo, hi, &dx[i + l]);
    double sum = 0;
    for (; i < n; i++) sum += (double)back(x[i], dy[i], scale, zero, lo, hi, &dx[i]);
    for (size_t l = 0; l < LANES; l++) sum += (double)lanes[l];
    return (lac_quant_sums){.scale = sum};
}

// ---- with an offset that learns ---------------------------------------------------------------------------

// With z = -beta / scale + d the zero point, y = scale * (code - d) + beta. Rounding offsets held, an element
// that is not clipped gives the scale code - v and beta nothing; one that is gives code - d and 1.
static inline void back_offset(const lac_fake_quant *q, size_t i, float scale, float zero, float d,
                               float *to_scale, float *to_offset) {
    float v = q->x[i] / scale + zero, g = q->dy[i];
    float inside = v >= q->lo && v <= q->hi ? 1.0f : 0.0f, outside = 1.0f - inside;
    q->dx[i] = g * inside;
    *to_scale += g * (round_clamped(v, q->lo, q->hi) - inside * v - outside * d);
    *to_offset += g * outside;
}

static lac_quant_sums offset_piece_back(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float scale = q->scale[channel], zero = zero_of(q, channel),
                d = zero + q->zero[q->n_zeros > 1 ? channel : 0] / scale;
    float to_scale[LANES] = {0}, to_offset[LANES] = {0};
    lac_quant_sums sums = {0, 0};
    for (size_t i = 0; i < n; i++)
        back_offset(q, first + i, scale, zero, d, &to_scale[i % LANES], &to_offset[i % LANES]);
    for (size_t l = 0; l < LANES; l++) sums.scale += (double)to_scale[l], sums.zero += (double)to_offset[l];
    return sums;
}

// ---- by a rule --------------------------------------------------------------------------------------------

/// What a rule makes of one element: v in codes before rounding, the code, and d v / d x times the scale.
typedef struct ruled {
    float v, code, slope;
} ruled;

static ruled by_rule(const lac_quant_rule *rule, float x, float scale, float zero, float lo, float hi,
                     float largest, int channel) {
    ruled r = {x / scale + zero, 0, 1};
    if (rule->through_tanh && largest > 0) {
        float t = tanhf(x);
        r.v = t / largest * hi + zero;
        r.slope = (1 - t * t) / largest * hi * scale;
    }
    if (rule->threshold) {
        float t = rule->threshold[channel];
        int up = rule->pair ? rule->pair[channel][0] : 1, down = rule->pair ? rule->pair[channel][1] : 1;
        r.code = (float)(x > t ? up : x < -t ? -down : 0);
        r.v = r.code; // never clipped: the gradient passes
    } else if (rule->level) {
        float v = r.v < lo ? lo : r.v > hi ? hi : r.v;
        int i = (int)floorf(2 * v) + 256;
        r.code = rule->level[i < 0 ? 0 : i > 511 ? 511 : i];
    } else {
        r.code = round_clamped(r.v, lo, hi);
    }
    if (rule->slope == LAC_SLOPE_SIGN) r.slope *= 2 - 2 * fabsf(2 * r.v - 1);
    return r;
}

static float largest_tanh(const lac_fake_quant *q) {
    float most = 0;
    for (size_t i = 0; i < q->n_per_scale * (size_t)q->n_scales; i++)
        most = fmaxf(most, fabsf(tanhf(q->x[i])));
    return most;
}

static void ruled_piece(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float scale = q->scale[channel], zero = zero_of(q, channel);
    for (size_t i = first; i < first + n; i++)
        q->y[i] =
            (by_rule(q->rule, q->x[i], scale, zero, q->lo, q->hi, q->largest, channel).code - zero) * scale;
}

static lac_quant_sums ruled_piece_back(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float scale = q->scale[channel], zero = zero_of(q, channel);
    double sum = 0;
    for (size_t i = first; i < first + n; i++) {
        ruled r = by_rule(q->rule, q->x[i], scale, zero, q->lo, q->hi, q->largest, channel);
        bool inside = r.v >= q->lo && r.v <= q->hi;
        q->dx[i] = inside ? q->dy[i] * r.slope : 0;
        if (!inside)
            sum += (double)(q->dy[i] * (r.code - zero));
        else if (q->rule->slope != LAC_SLOPE_CLIP)
            sum += (double)(q->dy[i] * (r.code - r.v));
    }
    return (lac_quant_sums){.scale = sum};
}

// ---- by two scales ----------------------------------------------------------------------------------------

static void pair_piece(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float t = q->rule->threshold[channel], step = q->rule->step[channel];
    const float up = (float)q->rule->pair[channel][0], down = (float)q->rule->pair[channel][1];
    for (size_t i = first; i < first + n; i++) q->y[i] = (q->x[i] > t ? up : q->x[i] < -t ? -down : 0) * step;
}

// As if the codes stood for the two learned scales exactly; weights get theirs as a factor, zeros 1.
static lac_quant_sums pair_piece_back(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const float t = q->rule->threshold[channel], up = q->scale[channel],
                down = q->zero[q->n_zeros > 1 ? channel : 0];
    lac_quant_sums sums = {0, 0};
    for (size_t i = first; i < first + n; i++) {
        bool above = q->x[i] > t, below = q->x[i] < -t;
        q->dx[i] = q->dy[i] * (above ? up : below ? down : 1);
        if (above) sums.scale += (double)q->dy[i];
        if (below) sums.zero -= (double)q->dy[i];
    }
    return sums;
}

// ---- with elements that pass as they are ------------------------------------------------------------------

static void dropped_piece(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const lac_drop drop = *q->rule->drop;
    const uint32_t limit = lac_drop_limit(&drop);
    const float *restrict x = q->x + first;
    float *restrict y = q->y + first;
    const float scale = q->scale[channel], zero = zero_of(q, channel), lo = q->lo, hi = q->hi;
    for (size_t i = 0; i < n; i++) {
        float code = (round_clamped(x[i] / scale + zero, lo, hi) - zero) * scale;
        y[i] = lac_drop_takes(&drop, limit, (uint32_t)(first + i)) ? x[i] : code;
    }
}

static lac_quant_sums dropped_piece_back(const lac_fake_quant *q, size_t first, size_t n, int channel) {
    const lac_drop drop = *q->rule->drop;
    const uint32_t limit = lac_drop_limit(&drop);
    const float *restrict x = q->x + first, *restrict dy = q->dy + first;
    float *restrict dx = q->dx + first;
    const float scale = q->scale[channel], zero = zero_of(q, channel), lo = q->lo, hi = q->hi;
    float lanes[LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        bool passes = lac_drop_takes(&drop, limit, (uint32_t)(first + i));
        float slope = back(x[i], dy[i], scale, zero, lo, hi, &dx[i]);
        lanes[i % LANES] += passes ? 0 : slope;
        if (passes) dx[i] = dy[i];
    }
    double sum = 0;
    for (size_t l = 0; l < LANES; l++) sum += (double)lanes[l];
    return (lac_quant_sums){.scale = sum};
}

// ---- the op -----------------------------------------------------------------------------------------------

static void run(void *ctx) {
    lac_fake_quant *q = ctx;
    if (q->rule && q->rule->through_tanh) q->largest = largest_tanh(q);
    lac_quant_piece *walk = ruled_piece;
    if (!q->rule || q->rule->learns_offset) walk = piece;
    if (q->rule && q->rule->pair) walk = pair_piece;
    if (q->rule && q->rule->drop) walk = q->rule->drop->share > 0 ? dropped_piece : piece;
    lac_fake_quant_forward(q, walk);
}

static void run_back(void *ctx) {
    lac_fake_quant *q = ctx;
    lac_quant_piece_back *walk = q->rule ? ruled_piece_back : piece_back;
    if (q->rule && q->rule->learns_offset) walk = offset_piece_back;
    if (q->rule && q->rule->pair) walk = pair_piece_back;
    if (q->rule && q->rule->drop) walk = q->rule->drop->share > 0 ? dropped_piece_back : piece_back;
    lac_fake_quant_backward(q, walk);
}

static void set_limits(lac_quant_attr a, float *lo, float *hi) {
    int span = a.is_signed ? 1 << (a.bits - 1) : 1 << a.bits;
    *lo = a.is_signed ? (float)(a.narrow ? 1 - span : -span) : 0.0f;
    *hi = (float)(span - 1 - (!a.is_signed && a.narrow));
}

void lac_quant_codes(lac_quant_attr attr, const float *x, size_t n, const float *scale, int n_scales,
                     float *code) {
    const float zero = 0;
    lac_fake_quant q = {.x = x, .n_per_scale = n / (size_t)n_scales, .n_scales = n_scales, .rule = attr.rule};
    set_limits(attr, &q.lo, &q.hi);
    if (q.rule && q.rule->through_tanh) q.largest = largest_tanh(&q);
    for (size_t i = 0; i < n; i++) {
        int channel = (int)(i / q.n_per_scale);
        code[i] = q.rule ? by_rule(q.rule, x[i], scale[channel], zero, q.lo, q.hi, q.largest, channel).code
                         : round_clamped(x[i] / scale[channel], q.lo, q.hi);
    }
}

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_quant_attr a = node->attr.quant;
    lac_fake_quant *q = NULL;
    LAC_TRY(lac_fake_quant_plan(plan, node, false, run, &q, err));
    set_limits(a, &q->lo, &q->hi);
    q->rule = a.rule;
    q->zero = lac_memory_data(lac_plan_in(plan, node, 2)->data);
    q->n_zeros = (int)lac_shape_count(lac_plan_in(plan, node, 2)->shape);
    *state = q;
    return LAC_OK;
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_fake_quant *q = state;
    float zero = lac_rule_learns_third(q->rule) ? 0 : q->zero[0];
    return lac_fake_quant_plan_back(plan, node, q, q->hi - zero, run_back, err);
}

const lac_op_desc lac_op_quant = {
    .op = LAC_OP_QUANT,
    .law = "y = (clamp(round_half_even(x / scale + zero), lo, hi) - zero) * scale; gradients after LSQ",
    .infer = lac_fake_quant_infer,
    .plan_forward = forward,
    .plan_backward = backward,
};
