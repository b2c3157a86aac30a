#ifndef LAC_ENGINE_COST_H
#define LAC_ENGINE_COST_H

#include "graph.h"

/// Cycles of a float graph on an engine, before there is a quantized graph or a program: what pruners take as
/// their budget. The compiler's own prediction (host/engine) knows lists and formats and is finer.

typedef struct lac_cost_engine {
    int mesh_x, mesh_y, drain; ///< zero means 7, 7, 7
    int weight_bits;           ///< of the codes in the lists; zero means 4
} lac_cost_engine;

/// Cycles of one image by the weights that are not zero now; those of each node into by_node (NULL: only the
/// sum).
///
///   layer    sum over output channels of visits * max(weights that are not zero, pace), or the slots of its
///            lists where the decoder takes longer; and the pipeline
///   add      2 entries a channel; average pool: its window; max pool: nothing where it rides in the drain
///   visits   pixels of a lane's tile that are computed; pace: lanes / drain
///
/// Nodes that the compiler folds (batch norms, ReLUs, quantizers, flatten, concat) take none. The graph's
/// shapes must be inferred.
uint64_t lac_engine_cycles(const lac_graph *graph, const lac_cost_engine *engine, uint64_t *by_node);

#endif
