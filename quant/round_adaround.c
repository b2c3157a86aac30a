#include "dense.h"
#include "rounding.h"

#include <math.h>

enum { STEPS = 400, WARM = STEPS / 5 };

static const double stretch_low = -0.1, stretch_high = 1.1, rate = 0.05, lambda = 0.05;

/// The relaxed choice of one row: h in [0, 1] a weight, 0 is down and 1 is up.
typedef struct relaxed {
    const lac_round_row *row;
    double *v, *h, *down, *q, *gradient, *m1, *m2;
    double unit; ///< error of a whole code in one average weight, to which all is relative
} relaxed;

static double sigmoid(double v) {
    return 1 / (1 + exp(-v));
}

// The v whose h is the fraction that rounding cuts off: the relaxed weights start where the float ones are.
static void start(relaxed *x) {
    const lac_round_row *r = x->row;
    double trace = 0;
    for (int i = 0; i < r->n; i++) {
        double real = (double)r->w[i] / r->scale, p;
        x->down[i] = fmin(fmax(floor(real), r->lowest), r->highest);
        p = (fmin(fmax(real - x->down[i], 0.01), 0.99) - stretch_low) / (stretch_high - stretch_low);
        x->v[i] = -log(1 / p - 1);
        trace += r->h[(size_t)i * (size_t)r->n + (size_t)i];
    }
    x->unit = trace / r->n * r->scale * r->scale;
}

static void relax(relaxed *x) {
    const lac_round_row *r = x->row;
    for (int i = 0; i < r->n; i++) {
        x->h[i] = fmin(fmax(sigmoid(x->v[i]) * (stretch_high - stretch_low) + stretch_low, 0), 1);
        x->q[i] = r->w[i] == 0 ? 0 : fmin(x->down[i] + x->h[i], r->highest);
    }
}

static void slopes(relaxed *x, double beta, double weight) {
    const lac_round_row *r = x->row;
    for (int i = 0; i < r->n; i++) {
        double sum = lac_dot(r->h + (size_t)i * (size_t)r->n, x->q, (size_t)r->n);
        double slope = 2 * r->scale * (r->scale * sum - r->c[i]) / x->unit;
        double off = 2 * x->h[i] - 1, p = sigmoid(x->v[i]);
        slope -= weight * 2 * beta * copysign(pow(fabs(off), beta - 1), off);
        x->gradient[i] = slope * p * (1 - p) * (stretch_high - stretch_low);
    }
}

static void adam(relaxed *x, int step) {
    double c1 = 1 / (1 - pow(0.9, step + 1)), c2 = 1 / (1 - pow(0.999, step + 1));
    for (int i = 0; i < x->row->n; i++) {
        x->m1[i] = 0.9 * x->m1[i] + 0.1 * x->gradient[i];
        x->m2[i] = 0.999 * x->m2[i] + 0.001 * x->gradient[i] * x->gradient[i];
        x->v[i] -= rate * x->m1[i] * c1 / (sqrt(x->m2[i] * c2) + 1e-8);
    }
}

void lac_round_adaround(const lac_round_row *r, lac_arena *scratch, int8_t *code) {
    lac_round_nearest(r, scratch, code);
    relaxed x = {.row = r};
    double **arrays[] = {&x.v, &x.h, &x.down, &x.q, &x.gradient, &x.m1, &x.m2};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = LAC_NEW_ARRAY(scratch, double, r->n);
    start(&x);
    if (!(x.unit > 0)) return; // inputs are always zero
    for (int step = 0; step < STEPS; step++) {
        double t = (double)(step - WARM) / (STEPS - WARM);
        relax(&x);
        slopes(&x, 2 + 18 * (1 - t), step < WARM ? 0 : lambda);
        adam(&x, step);
    }
    relax(&x);
    for (int i = 0; i < r->n; i++)
        code[i] = (int8_t)(r->w[i] == 0 ? 0 : fmin(x.down[i] + (x.h[i] >= 0.5), r->highest));
}
