#ifndef LAC_CLEAN_H
#define LAC_CLEAN_H

#include "graph.h"

typedef struct lac_clean_result {
    uint64_t n_folded;   ///< weights that read a constant channel, whose part is now in a bias
    uint64_t n_dead;     ///< weights that led nowhere, now zero
    int n_channels;      ///< that nothing reads, removed
    uint64_t n_constant; ///< weights that read a constant behind padding, which no bias can hold: left alone
} lac_clean_result;

/// Takes away what pruned weights have left without effect; the logits stay.
///
///   1. A channel whose weights are all zero still gives a constant behind its batch norm. Layers that read
///   it
///      without padding get it in their bias, and lose the weights.
///   2. Weights into channels that the logits do not depend on become zero, and are masked.
///   3. Channels that nobody reads any more are removed from the graph, as far as every layer keeps one.
///
/// exact   the logits are equal but for the order of sums
/// memory  from graph->arena
/// errors  E_MEMORY, E_SHAPE
lac_status lac_clean(lac_graph *graph, lac_clean_result *result, lac_error *err) LAC_MUST_CHECK;

#endif
