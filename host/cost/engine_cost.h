#ifndef LAC_ENGINE_COST_H
#define LAC_ENGINE_COST_H

#include "graph.h"

/// Cycles of a float graph on an engine, before there is a quantized graph or a program: what pruners take as
/// their budget. Lists, formats and times are the compiler's (step_clock.h, list_code.h); what is not known
/// yet is which weights will round to zero, and the widths of single layers.

typedef struct lac_cost_engine {
    int mesh_x, mesh_y, drain; ///< zero means 7, 7, 7
    int weight_bits;           ///< of the codes in the lists; zero means 4
    int list_words;            ///< decoded entries that the engine holds; zero means 2048
} lac_cost_engine;

/// Cycles of one image by the weights that are not zero now; those of each node into by_node (NULL: only the
/// sum).
///
///   layer    a list of its weights a channel, replayed for every pixel of a lane's tile; add: 2 entries a
///            channel; average pool: its window; max pool: nothing where it rides in the drain
///
/// Nodes that the compiler folds (batch norms, ReLUs, quantizers, flatten, concat) take none. Every channel
/// counts, also one that the compiler will leave out because its codes are constant or nobody reads them:
/// which these are is known when biases are integers. The graph's shapes must be inferred.
uint64_t lac_engine_cycles(const lac_graph *graph, const lac_cost_engine *engine, uint64_t *by_node);

#endif
