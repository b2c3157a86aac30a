#include "dense.h"
#include "rounding.h"

#include <math.h>

/// The damped moments as R R', R upper triangular: what is left to the later weights when the first k are
/// fixed follows from its columns, and no inverse is needed.
typedef struct factor {
    size_t n;
    double *r; ///< [n][n]
} factor;

static bool factorize(double *a, size_t n) {
    for (size_t j = n; j-- > 0;) {
        double *row_j = a + j * n, rest = row_j[j] - lac_dot(row_j + j + 1, row_j + j + 1, n - j - 1);
        if (!(rest > 0)) return false;
        row_j[j] = sqrt(rest);
        for (size_t i = 0; i < j; i++) {
            double *row_i = a + i * n;
            row_i[j] = (row_i[j] - lac_dot(row_i + j + 1, row_j + j + 1, n - j - 1)) / row_j[j];
        }
    }
    return true;
}

const void *lac_round_gptq_share(const double *h, int n_inputs, lac_arena *arena) {
    size_t n = (size_t)n_inputs;
    double trace = 0;
    factor *f = LAC_NEW(arena, factor);
    *f = (factor){n, lac_arena_copy(arena, h, n * n * sizeof *h)};
    for (size_t i = 0; i < n; i++) trace += h[i * n + i];
    for (size_t i = 0; i < n; i++) f->r[i * n + i] += 0.01 * trace / (double)n;
    return factorize(f->r, n) ? f : NULL;
}

// x becomes the solution of R R' x = x.
static void solve(const factor *f, double *x) {
    size_t n = f->n;
    for (size_t i = n; i-- > 0;)
        x[i] = (x[i] - lac_dot(f->r + i * n + i + 1, x + i + 1, n - i - 1)) / f->r[i * n + i];
    for (size_t i = 0; i < n; i++) {
        x[i] /= f->r[i * n + i];
        lac_axpy(x + i + 1, f->r + i * n + i + 1, -x[i], n - i - 1);
    }
}

// The row that errs least when nothing is rounded, near the float weights: w + (H + d)^-1 (c - H w).
static void optimum(const lac_round_row *r, const factor *f, double *best, double *w) {
    size_t n = f->n;
    for (size_t i = 0; i < n; i++) w[i] = (double)r->w[i];
    for (size_t i = 0; i < n; i++) best[i] = r->c[i] - lac_dot(r->h + i * n, w, n);
    solve(f, best);
    for (size_t i = 0; i < n; i++) best[i] += w[i];
}

void lac_round_gptq(const lac_round_row *r, lac_arena *scratch, int8_t *code) {
    lac_round_nearest(r, scratch, code);
    const factor *f = r->shared ? r->shared : lac_round_gptq_share(r->h, r->n, scratch);
    if (!f) return; // inputs are always zero
    size_t n = f->n;
    double *wanted = LAC_NEW_ARRAY(scratch, double, n), *debt = LAC_NEW_ARRAY(scratch, double, n);
    optimum(r, f, wanted, debt);
    for (size_t k = 0; k < n; k++) debt[k] = 0;
    for (size_t k = 0; k < n; k++) {
        double target = wanted[k] - debt[k] / f->r[k * n + k];
        double q = r->w[k] == 0 ? 0 : fmin(fmax(rint(target / r->scale), r->lowest), r->highest);
        code[k] = (int8_t)q;
        lac_axpy(debt + k + 1, f->r + k * n + k + 1, q * r->scale - wanted[k], n - k - 1);
    }
}
