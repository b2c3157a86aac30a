#ifndef LAC_FAKE_QUANT_H
#define LAC_FAKE_QUANT_H

#include "planner.h"

/// The quantizers share one walk: pieces of elements that have one scale, on all threads.
typedef struct lac_fake_quant {
    const float *x, *scale, *zero;
    float *y;
    const float *dy;
    float *dx, *dscale, *dzero; ///< of what does not learn: NULL
    size_t n_per_scale;         ///< elements that share a scale, in memory order
    int n_scales, n_zeros;
    float lo, hi;
    const lac_quant_rule *rule;     ///< NULL: none
    float largest;                  ///< of |tanh(x)|, for rules that go through it
    float scale_gradient;           ///< factor of LSQ: 1 / sqrt(elements * largest code)
    struct lac_quant_sums *partial; ///< one a piece
} lac_fake_quant;

/// A part of d loss / d scale and d loss / d third input.
typedef struct lac_quant_sums {
    double scale, zero;
} lac_quant_sums;

/// Has the rule a gradient for the third input?
static inline bool lac_rule_learns_third(const lac_quant_rule *rule) {
    return rule && (rule->learns_offset || rule->pair);
}

/// One piece: n elements from `first`, of scale number `channel`; backward returns its part of the sums.
typedef void lac_quant_piece(const lac_fake_quant *q, size_t first, size_t n, int channel);
typedef lac_quant_sums lac_quant_piece_back(const lac_fake_quant *q, size_t first, size_t n, int channel);

void lac_fake_quant_forward(const lac_fake_quant *q, lac_quant_piece *piece);
void lac_fake_quant_backward(const lac_fake_quant *q, lac_quant_piece_back *piece);

/// Shape rule: scale (and zero point) scalar, or one per first dimension of a constant.
lac_status lac_fake_quant_infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err);

/// Fills in all but lo, hi, zero, rule; the output takes over the input's layout, or is row-major if plain.
lac_status lac_fake_quant_plan(lac_plan *plan, const lac_node *node, bool plain, void (*run)(void *),
                               lac_fake_quant **out, lac_error *err);
lac_status lac_fake_quant_plan_back(lac_plan *plan, const lac_node *node, lac_fake_quant *q,
                                    float largest_code, void (*run)(void *), lac_error *err);

#endif
