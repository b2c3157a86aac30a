#ifndef LAC_PLACEMENT_H
#define LAC_PLACEMENT_H

#include "engine_cost.h"

/// Where a graph's pixels are on an engine's mesh: the tile of every value that a lane holds, by axis (0 = y,
/// 1 = x).
typedef struct lac_placement {
    const lac_graph *graph;
    int mesh[2];
    int *tile[2]; ///< [value]
} lac_placement;

/// The smallest tiles that the mesh holds and that all strides divide.
///
/// memory  from arena
lac_placement lac_placement_of(const lac_graph *graph, int mesh_x, int mesh_y, lac_arena *arena);

/// Rows (axis 0) or columns of a value, 1 where it has none.
int64_t lac_pixels_of(const lac_graph *graph, int value, int axis);

#endif
