#ifndef LAC_FOLD_H
#define LAC_FOLD_H

#include "chain.h"

/// What a chain does to the real sum of its node, per output channel, batch norm and bias folded exactly:
///
///   real = factor[o] * sum[o] + offset[o]          sum: the convolution without bias, the addition, the mean
typedef struct lac_fold {
    int n;
    double *factor, *offset;
} lac_fold;

/// shape   n_out channels
/// memory  from arena
/// errors  E_UNSUPPORTED when the bias is no plain constant; E_RANGE when a value is not finite
lac_status lac_fold_chain(const lac_graph *graph, const lac_chain *chain, int n_out, lac_arena *arena,
                          lac_fold *out, lac_error *err) LAC_MUST_CHECK;

/// Weight code of a batch norm that starts a chain. Its biases are whole accumulator units, and one of those
/// is this fraction of a step of the input's codes: fine enough for an offset, and a lane that adds digits
/// needs two cycles for it.
enum { LAC_NORM_WEIGHT = 8, LAC_NORM_WEIGHT_BITS = 5 };

#endif
