#ifndef LAC_AGREE_H
#define LAC_AGREE_H

#include "quantize.h"

/// How a fake-quantized graph and its integers compare, layer by layer, each layer given the float graph's
/// own input codes. A code that differs is a tie when it differs by one and the real value before the
/// quantizer is as near to a half as rounding errors of float sums reach; anything else is beyond.
typedef struct lac_agreement {
    uint32_t images;
    uint64_t codes;        ///< compared
    uint64_t ties, beyond; ///< that differ
    double furthest;       ///< of the ties: distance from a half, in codes
    uint32_t different;    ///< images whose class differs between the graphs as wholes
    uint32_t
        different_without_tie; ///< of those: images in which no code differs, and no two logits are equal
    char where[96];            ///< layer of the first code that is beyond
} lac_agreement;

/// Compares on the first `limit` images of a split, 0: all.
///
/// exact   a layer's tolerance is 2^-24 times its number of terms, plus 8, times the largest accumulator in
/// codes errors  those of lac_infer_visit; E_INTERRUPTED
lac_status lac_agreement_measure(const lac_graph *graph, const lac_int_graph *integers,
                                 const lac_dataset *data, const lac_split *split, uint32_t limit,
                                 const lac_talk *talk, lac_agreement *out, lac_error *err) LAC_MUST_CHECK;

#endif
