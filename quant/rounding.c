#include "rounding.h"
#include "dense.h"
#include "lac_num.h"

#include <math.h>

static int clamped(double code, const lac_round_row *r) {
    return (int)(code < r->lowest ? r->lowest : code > r->highest ? r->highest : code);
}

void lac_round_nearest(const lac_round_row *r, lac_arena *scratch, int8_t *code) {
    (void)scratch;
    for (int i = 0; i < r->n; i++) code[i] = (int8_t)clamped(rint((double)r->w[i] / r->scale), r);
}

int64_t lac_codes_digits(const int8_t *code, size_t n) {
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += lac_digit_count(code[i]);
    return sum;
}

static double product(const lac_round_row *r, const int8_t *code, int i) {
    double sum = 0;
    for (int j = 0; j < r->n; j++) sum += r->h[(size_t)i * (size_t)r->n + (size_t)j] * code[j];
    return sum;
}

double lac_round_error(const lac_round_row *r, const int8_t *code) {
    double quadratic = 0, linear = 0;
    for (int i = 0; i < r->n; i++) {
        if (code[i] == 0) continue;
        quadratic += code[i] * product(r, code, i);
        linear += code[i] * r->c[i];
    }
    return r->scale * (r->scale * quadratic - 2 * linear);
}

double lac_round_best_scale(const lac_round_row *r, const int8_t *code) {
    double quadratic = 0, linear = 0;
    for (int i = 0; i < r->n; i++) {
        quadratic += code[i] * product(r, code, i);
        linear += code[i] * r->c[i];
    }
    return quadratic > 0 && linear > 0 ? linear / quadratic : 0;
}

// ---- coordinate descent -----------------------------------------------------------------------------------

/// slope[i] = s (H q)[i] - c[i]: half the derivative of the error by w[i].
typedef struct descent {
    const lac_round_row *row;
    double *slope;
    int8_t *code;
} descent;

// What moving code i by `step` adds to the error.
static double change(const descent *d, int i, int step) {
    const lac_round_row *r = d->row;
    double by = step * r->scale;
    return by * (2 * d->slope[i] + by * r->h[(size_t)i * (size_t)r->n + (size_t)i]);
}

static int best_code(const descent *d, int i) {
    const lac_round_row *r = d->row;
    double diagonal = r->h[(size_t)i * (size_t)r->n + (size_t)i];
    if (!(diagonal > 0)) return r->digit_price > 0 ? 0 : d->code[i]; // an input that is always zero
    int free = clamped(rint(d->code[i] - d->slope[i] / (r->scale * diagonal)), r), best = free;
    if (!(r->digit_price > 0)) return free;
    double least = INFINITY;
    // A code further off than the digits it can save is worth is no candidate.
    int reach = 1 + (int)fmin(255, sqrt(4 * r->digit_price / diagonal) / r->scale);
    for (int code = free - reach; code <= free + reach; code++) {
        if (code < r->lowest || code > r->highest) continue;
        double cost = change(d, i, code - d->code[i]) + r->digit_price * lac_digit_count(code);
        if (cost < least) least = cost, best = code;
    }
    return best;
}

static void move(descent *d, int i, int code) {
    const lac_round_row *r = d->row;
    double by = (code - d->code[i]) * r->scale;
    lac_axpy(d->slope, r->h + (size_t)i * (size_t)r->n, by, (size_t)r->n);
    d->code[i] = (int8_t)code;
}

void lac_round_descent(const lac_round_row *r, lac_arena *scratch, int8_t *code) {
    enum { SWEEPS = 30 };
    descent d = {r, LAC_NEW_ARRAY(scratch, double, r->n), code};
    lac_round_nearest(r, scratch, code);
    for (int i = 0; i < r->n; i++) d.slope[i] = r->scale * product(r, code, i) - r->c[i];
    for (int sweep = 0, moved = 1; moved && sweep < SWEEPS; sweep++) {
        moved = 0;
        for (int i = 0; i < r->n; i++) {
            if (r->w[i] == 0) continue;
            int best = best_code(&d, i);
            if (best == code[i]) continue;
            double gain = change(&d, i, best - code[i]) +
                          r->digit_price * (lac_digit_count(best) - lac_digit_count(code[i]));
            if (!(gain < -1e-12 * fabs(r->c[i] * r->scale)))
                continue; // rounding of sums must not make it run for ever
            move(&d, i, best);
            moved = 1;
        }
    }
}
