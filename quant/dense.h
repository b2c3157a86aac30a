#ifndef LAC_DENSE_H
#define LAC_DENSE_H

#include <stddef.h>

/// Sum of a[i] * b[i]. Eight partial sums, so that the compiler may use vectors; the order is fixed.
static inline double lac_dot(const double *restrict a, const double *restrict b, size_t n) {
    enum { LANES = 8 };
    double lane[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) lane[l] += a[i + l] * b[i + l];
    for (; i < n; i++) sum += a[i] * b[i];
    for (size_t l = 0; l < LANES; l++) sum += lane[l];
    return sum;
}

/// to[i] += factor * from[i].
static inline void lac_axpy(double *restrict to, const double *restrict from, double factor, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] += factor * from[i];
}

#endif
