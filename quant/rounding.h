#ifndef LAC_ROUNDING_H
#define LAC_ROUNDING_H

#include "moments.h"

/// Choosing the codes of a layer's weights, scales being given, so that its output stays: one output channel
/// at a time, which is one row.
typedef struct lac_round_row {
    int n;
    const double *h, *c; ///< moments [n][n], [n]; see moments.h
    const float *w;      ///< float weights; a zero is pruned and keeps code 0
    double scale;
    int lowest, highest;
    double digit_price; ///< squared error that one non-zero radix-4 digit is worth
    const void *shared; ///< what the method made of h for all of its rows; NULL: nothing
} lac_round_row;

/// Fills in code [n]. memory: scratch.
typedef void lac_rounding(const lac_round_row *row, lac_arena *scratch, int8_t *code);

/// Fills in code [n_rows][n]; all rows have the same h and n. memory: scratch.
typedef void lac_block_rounding(const lac_round_row *rows, int n_rows, lac_arena *scratch, int8_t *code);

/// Nearest code.
lac_rounding lac_round_nearest;

/// Coordinate descent from nearest rounding: one code at a time goes where error + digit_price * digits is
/// least, until none moves. Never worse than nearest rounding.
///
/// source  Nair, Suggala: CDQuant, arXiv 2406.17542 (the greedy form without pairs)
lac_rounding lac_round_descent;

/// Adaptive rounding: up or down by a relaxed choice h(v) that a regulariser drives to 0 or 1.
///
///   minimise  error(s * clip(floor(w / s) + h(v)))  + lambda * sum 1 - |2 h(v) - 1|^beta,   beta 20 -> 2
///   h(v) = clip(1.2 sigmoid(v) - 0.1, 0, 1)
///
/// source  Nagel et al.: Up or down?, ICML 2020. The error is exact over the samples, by their second moments
lac_rounding lac_round_adaround;
/// The same for several rows of one h, whose products share the reading of it.
lac_block_rounding lac_round_adaround_block;

/// Column after column, each one's rounding error made good by those that follow.
///
///   w[j] -= (w[k] - q[k]) / U[k][k] * U[k][j],  j > k;  U the upper Cholesky factor of the damped H's
///   inverse
///
/// source  Frantar et al.: GPTQ, ICLR 2023, algorithm 1; rows start at their least-squares optimum
lac_rounding lac_round_gptq;
/// The factors that all rows of one h share; NULL when h is zero. Without them each row makes its own.
const void *lac_round_gptq_share(const double *h, int n, lac_arena *arena);

/// Error of codes, by the moments, without the constant term: q' H q s^2 - 2 s c' q.
double lac_round_error(const lac_round_row *row, const int8_t *code);

/// Non-zero radix-4 digits of so many codes.
int64_t lac_codes_digits(const int8_t *code, size_t n);

/// The scale at which given codes err least: c'q / q'Hq. 0 when the codes make nothing.
double lac_round_best_scale(const lac_round_row *row, const int8_t *code);

#endif
