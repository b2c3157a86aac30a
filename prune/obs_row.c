#include "obs_row.h"

#include <math.h>

static int cheapest(const double *w, const double *inverse, int n, const uint8_t *gone) {
    int best = -1;
    double least = INFINITY;
    for (int q = 0; q < n; q++) {
        double cost = w[q] * w[q] / inverse[q * n + q];
        if (gone[q] || cost >= least) continue;
        least = cost;
        best = q;
    }
    return best;
}

// Rows and columns of removed weights are zero from then on.
static void downdate(double *inverse, int n, int q) {
    const double *pivot_row = inverse + q * n;
    double pivot = pivot_row[q];
    for (int i = 0; i < n; i++) {
        double factor = inverse[i * n + q] / pivot;
        if (factor == 0 || i == q) continue;
        for (int j = 0; j < n; j++) inverse[i * n + j] -= factor * pivot_row[j];
    }
    for (int i = 0; i < n; i++) inverse[i * n + q] = inverse[q * n + i] = 0;
}

void lac_obs_row(double *w, double *inverse, int n, int n_remove, uint8_t *gone, double *cost) {
    for (int r = 0; r < n_remove; r++) {
        int q = cheapest(w, inverse, n, gone);
        if (q < 0) return;
        double pivot = inverse[q * n + q], amount = w[q] / pivot;
        if (cost) cost[r] = w[q] * w[q] / (2 * pivot);
        for (int i = 0; i < n; i++) w[i] -= amount * inverse[i * n + q];
        w[q] = 0;
        gone[q] = 1;
        downdate(inverse, n, q);
    }
}

// a = L L^T, then L inverted, then the product of the inverses.
bool lac_invert_symmetric(double *a, int n) {
    for (int j = 0; j < n; j++) {
        for (int k = 0; k < j; k++)
            for (int i = j; i < n; i++) a[i * n + j] -= a[i * n + k] * a[j * n + k];
        if (!(a[j * n + j] > 0)) return false;
        double root = sqrt(a[j * n + j]);
        for (int i = j; i < n; i++) a[i * n + j] /= root;
    }
    for (int j = 0; j < n; j++) {
        a[j * n + j] = 1 / a[j * n + j];
        for (int i = j + 1; i < n; i++) {
            double sum = 0;
            for (int k = j; k < i; k++) sum -= a[i * n + k] * a[k * n + j];
            a[i * n + j] = sum / a[i * n + i];
        }
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (int k = i; k < n; k++) sum += a[k * n + i] * a[k * n + j];
            a[j * n + i] = sum; // the upper triangle is free; the lower is still read
        }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) a[i * n + j] = a[j * n + i];
    return true;
}
