#ifndef LAC_CHAIN_H
#define LAC_CHAIN_H

#include "graph.h"

/// A chain of float nodes that becomes one integer layer, and the max pools that commute with its quantizer:
///
///   conv2d | conv_transpose | linear | add | mul | avg_pool | global_avg_pool | channel_mean | batch_norm,
///   then any of {batch_norm, relu, max_pool, flatten}, then quant, or the graph's output
enum { LAC_CHAIN_MAX_POOLS = 4 };

typedef struct lac_chain {
    int node;       ///< the node that computes
    int batch_norm; ///< node, -1 for none
    bool relu;
    int pool[LAC_CHAIN_MAX_POOLS]; ///< max pools before the quantizer, in order
    int n_pools;
    int quant; ///< the node that ends the chain; -1: it makes the graph's output, raw
    int end;   ///< value that the chain makes
} lac_chain;

/// Does this op start a chain? A batch norm does where no chain before it takes it: it is then its own
/// `batch_norm`.
bool lac_chain_starts(lac_op op);

/// Is this op a function of one number, which becomes a table from codes to codes?
bool lac_is_activation(lac_op op);

/// Does this op give codes of its only input, as they are?
bool lac_passes_codes(lac_op op);

/// Follows the readers of node `index` to the quantizer that ends its chain.
///
/// errors  E_UNSUPPORTED: names the node in the way and what to do
lac_status lac_chain_match(const lac_graph *graph, int index, lac_chain *out, lac_error *err) LAC_MUST_CHECK;

#endif
