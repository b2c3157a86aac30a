#ifndef LAC_BLOCK_LOSS_H
#define LAC_BLOCK_LOSS_H

#include "graph.h"

/// Error of a block's output: sum of weight * (y - wanted)^2 over n elements; factor times its gradient into
/// `gradient` (NULL: not wanted).
double lac_block_loss(const float *y, const float *wanted, const float *weight, size_t n, double factor,
                      float *gradient);

/// A vector whose outer product is, in the mean over draws, the Hessian of the cross-entropy by the logits,
/// whatever the label. Sent backwards and squared, it gives the diagonal of the Gauss-Newton matrix (which is
/// Fisher's) by any value before them.
///
///   v = sqrt(p) * e - p (sqrt(p) . e),  p = softmax(logits), e = +-1:   E[v v'] = diag(p) - p p'
void lac_fisher_draw(const float *logits, int n_classes, uint64_t seed, uint64_t draw, float *v);

/// How much every element of a block's output matters: half one, half the squared gradient there relative to
/// its mean.
///
///   weight = 1/2 + 1/2 g^2 / mean g^2
///
/// shape   y [n][elements of `value` in one image], as graph, a float graph, makes it; weight likewise
/// errors  those of lac_shards_open
/// source  Li et al.: BRECQ, ICLR 2021, equation 10 (there without the half, and from labels)
lac_status lac_fisher_weights(const lac_graph *graph, int value, const float *y, uint32_t n, uint64_t seed,
                              lac_arena *scratch, float *weight, lac_error *err) LAC_MUST_CHECK;

#endif
