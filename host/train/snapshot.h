#ifndef LAC_SNAPSHOT_H
#define LAC_SNAPSHOT_H

#include "graph.h"

/// The constants of a graph at some time, parameters and batch norms' statistics.
typedef struct lac_snapshot {
    float **data; ///< one a value of the graph; NULL for activations
} lac_snapshot;

/// memory  from arena
lac_snapshot *lac_snapshot_new(const lac_graph *graph, lac_arena *arena);
void lac_snapshot_take(lac_snapshot *snapshot, const lac_graph *graph);
/// Into a graph of the same structure.
void lac_snapshot_give(const lac_snapshot *snapshot, lac_graph *graph);
void lac_snapshot_swap(lac_snapshot *snapshot, lac_graph *graph);
/// snapshot = decay * snapshot + (1 - decay) * graph
void lac_snapshot_average(lac_snapshot *snapshot, const lac_graph *graph, float decay);

#endif
