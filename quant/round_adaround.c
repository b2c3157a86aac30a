#include "rounding.h"
#include "soft_weights.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { STEPS = 400, WARM = STEPS / 5 };

static const float rate = 0.05f, lambda = 0.05f;

// Products of rows with the moments are where the time goes: a tile of ROWS x LANES sums stays in registers.
enum { ROWS = 8, LANES = 16 };
typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/// The relaxed choices of some rows: up in [0, 1] a weight, 0 is down and 1 is up. Arrays are
/// [padded rows][stride], zero where there is no weight.
typedef struct relaxed {
    const lac_round_row *rows;
    int n_rows, n, stride;
    float *h; ///< [n][stride]
    float *v, *up, *down, *q, *gradient, *m1, *m2;
    float *unit; ///< of a row: error of a whole code in one average weight, to which all is relative; 0: its
                 ///< inputs are always zero, and its nearest codes stay
} relaxed;

static size_t place(const relaxed *x, int row, int i) {
    return (size_t)row * (size_t)x->stride + (size_t)i;
}

static void allocate(relaxed *x, lac_arena *scratch) {
    int padded = (x->n_rows + ROWS - 1) / ROWS * ROWS;
    x->stride = (x->n + LANES - 1) / LANES * LANES;
    float **arrays[] = {&x->v, &x->up, &x->down, &x->q, &x->gradient, &x->m1, &x->m2};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = LAC_NEW_ARRAY(scratch, float, padded * x->stride);
    x->unit = LAC_NEW_ARRAY(scratch, float, padded);
    x->h = LAC_NEW_ARRAY(scratch, float, (size_t)x->n *(size_t)x->stride);
    for (int i = 0; i < x->n; i++)
        for (int j = 0; j < x->n; j++)
            x->h[place(x, i, j)] = (float)x->rows[0].h[(size_t)i * (size_t)x->n + (size_t)j];
}

// The v whose choice is the fraction that rounding cuts off: the relaxed weights start where the float ones
// are.
static void start(relaxed *x) {
    float trace = 0;
    for (int i = 0; i < x->n; i++) trace += x->h[place(x, i, i)];
    for (int o = 0; o < x->n_rows; o++) {
        const lac_round_row *r = &x->rows[o];
        x->unit[o] = trace / (float)x->n * (float)(r->scale * r->scale);
        for (int i = 0; i < x->n && x->unit[o] > 0; i++) {
            float real = (float)((double)r->w[i] / r->scale);
            float down = fminf(fmaxf(floorf(real), (float)r->lowest), (float)r->highest);
            x->down[place(x, o, i)] = down;
            x->v[place(x, o, i)] = lac_soft_start(real - down);
        }
    }
}

static void relax(relaxed *x) {
    for (int o = 0; o < x->n_rows; o++) {
        const lac_round_row *r = &x->rows[o];
        const float highest = (float)r->highest;
        for (int i = 0; i < x->n; i++) {
            size_t at = place(x, o, i);
            x->up[at] = lac_soft_choice(x->v[at]);
            x->q[at] = r->w[i] == 0 ? 0 : fminf(x->down[at] + x->up[at], highest);
        }
    }
}

/// gradient = q h.
static void multiply(const relaxed *x) {
    size_t stride = (size_t)x->stride;
    for (size_t j = 0; j < stride; j += LANES)
        for (int o = 0; o < x->n_rows; o += ROWS) {
            const float *q = x->q + (size_t)o * stride;
            lanes sum[ROWS] = {{0}};
            for (size_t i = 0; i < (size_t)x->n; i++) {
                const lanes h = *(const lanes *)(x->h + i * stride + j);
                for (int r = 0; r < ROWS; r++) sum[r] += q[(size_t)r * stride + i] * h;
            }
            for (int r = 0; r < ROWS; r++)
                memcpy(x->gradient + (size_t)(o + r) * stride + j, &sum[r], sizeof sum[r]);
        }
}

static void slopes(relaxed *x, float beta, float weight) {
    multiply(x);
    for (int o = 0; o < x->n_rows; o++) {
        const lac_round_row *r = &x->rows[o];
        const float scale = (float)r->scale, unit = x->unit[o] > 0 ? x->unit[o] : 1;
        for (int i = 0; i < x->n; i++) {
            size_t at = place(x, o, i);
            float slope = 2 * scale * (scale * x->gradient[at] - (float)r->c[i]) / unit;
            if (weight > 0) slope += weight * lac_soft_pull(x->up[at], beta);
            x->gradient[at] = slope * lac_soft_slope(x->v[at]);
        }
    }
}

static void adam(relaxed *x, int step) {
    float c1 = 1 / (1 - powf(0.9f, (float)step + 1)), c2 = 1 / (1 - powf(0.999f, (float)step + 1));
    size_t n = (size_t)x->n_rows * (size_t)x->stride;
    for (size_t i = 0; i < n; i++) {
        x->m1[i] = 0.9f * x->m1[i] + 0.1f * x->gradient[i];
        x->m2[i] = 0.999f * x->m2[i] + 0.001f * x->gradient[i] * x->gradient[i];
        x->v[i] -= rate * x->m1[i] * c1 / (sqrtf(x->m2[i] * c2) + 1e-8f);
    }
}

void lac_round_adaround_block(const lac_round_row *rows, int n_rows, lac_arena *scratch, int8_t *code) {
    relaxed x = {.rows = rows, .n_rows = n_rows, .n = rows[0].n};
    for (int o = 0; o < n_rows; o++) lac_round_nearest(&rows[o], scratch, code + (size_t)o * (size_t)x.n);
    for (int o = 0; o < n_rows; o++) assert(rows[o].h == rows[0].h);
    allocate(&x, scratch);
    start(&x);
    for (int step = 0; step < STEPS; step++) {
        float t = (float)(step - WARM) / (STEPS - WARM);
        relax(&x);
        slopes(&x, 2 + 18 * (1 - t), step < WARM ? 0 : lambda);
        adam(&x, step);
    }
    relax(&x);
    for (int o = 0; o < n_rows; o++)
        for (int i = 0; i < x.n && x.unit[o] > 0; i++) {
            size_t at = place(&x, o, i);
            float chosen = fminf(x.down[at] + (x.up[at] >= 0.5f ? 1.0f : 0.0f), (float)rows[o].highest);
            code[(size_t)o * (size_t)x.n + (size_t)i] = (int8_t)(rows[o].w[i] == 0 ? 0 : chosen);
        }
}

void lac_round_adaround(const lac_round_row *r, lac_arena *scratch, int8_t *code) {
    lac_round_adaround_block(r, 1, scratch, code);
}
