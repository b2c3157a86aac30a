#ifndef LAC_REGROW_H
#define LAC_REGROW_H

#include "sparse.h"

/// Sparse training with a fixed number of weights a layer: every so often some are dropped and as many grown.

/// How much every masked weight deserves to grow; larger is better.
typedef lac_status lac_growth(lac_sparse *s, const lac_gradients *gradients, uint64_t step, float *score);

/// Share of a layer's weights that is exchanged at a step; 0 between exchanges and after three quarters of
/// the training.
///
///   f = 0.15 * (1 + cos(pi * step / end)) every 100 steps (or ten times a short training), end = 0.75 *
///   n_steps
///
/// source  Evci et al., ICML 2020, section 3
double lac_regrow_share(uint64_t step, uint64_t n_steps);

/// The mask at the start: the largest weights.
lac_status lac_regrow_first_mask(lac_sparse *s, double density, lac_error *err) LAC_MUST_CHECK;

/// After a backward pass: drops the smallest of what is there and grows the best of what is not, at zero.
lac_status lac_regrow(lac_sparse *s, const lac_gradients *gradients, lac_growth *growth, uint64_t step,
                      uint64_t n_steps, lac_error *err) LAC_MUST_CHECK;

/// One exchange in one layer: n_swap weights of smallest magnitude close, and as many masked ones of largest
/// score open with the value 0 (one that just closed may open again).
lac_status lac_regrow_layer(const lac_weights *w, int layer, const float *score, uint64_t n_swap,
                            lac_error *err) LAC_MUST_CHECK;

#endif
