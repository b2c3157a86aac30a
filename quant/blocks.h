#ifndef LAC_BLOCKS_H
#define LAC_BLOCKS_H

#include "graph.h"

/// A stretch of a quantized graph through which all ways lead: nothing that is made before `in` is read after
/// it, but `in` itself, and likewise `out`.
typedef struct lac_block {
    int in, out;      ///< values; in is the graph's input, or the out of the block before
    int n_layers;     ///< with weights
    const char *name; ///< of the last of them
} lac_block;

/// Cuts a tidy quantized graph into blocks, in order, from its input to its output. They end behind
/// quantizers of activations that all ways lead through, as soon as there is a layer with weights: a residual
/// or inception block is one, layers in a row are one each, but that a depthwise layer goes with what follows
/// it.
///
/// memory  from arena
/// errors  E_UNSUPPORTED when no layer has weights
lac_status lac_blocks_find(const lac_graph *graph, lac_arena *arena, lac_block **out, int *n,
                           lac_error *err) LAC_MUST_CHECK;

/// The nodes that lead from one value to another, as a graph of its own with the same numbers of values and
/// the same constants in place: it holds no copy of data. Nothing in it learns.
///
/// memory  from arena
lac_graph *lac_graph_part(const lac_graph *graph, int from, int to, lac_arena *arena);

#endif
