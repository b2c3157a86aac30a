#ifndef LAC_LIVENESS_H
#define LAC_LIVENESS_H

#include "channels.h"

/// What each channel of each activation is to the network, by the weights that are not zero.
typedef struct lac_liveness {
    const lac_channels *channels;
    bool **reached; ///< [value][channel] something of the image arrives; else the channel is constant
    bool **counts;  ///< [value][channel] the logits depend on it
} lac_liveness;

/// source  Vysogorets, Kempe, 2021: a weight is effective when it joins a channel that is reached to one that
///         counts
/// memory  from arena
lac_liveness lac_liveness_of(const lac_graph *graph, lac_arena *arena);

/// Input channel that weight [o][i] of a layer reads.
int64_t lac_layer_input(const lac_graph *graph, const lac_node *node, int64_t o, int64_t i);

#endif
