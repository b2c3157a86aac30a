#ifndef LAC_GEOMETRY_H
#define LAC_GEOMETRY_H

#include "plan.h"

/// How a step walks over its input along one axis: pixel `out * pool_stride + w` of the step, w in
/// [0, pool), reads input rows `that * stride + first .. that * stride + last`.
typedef struct lac_geometry {
    int in_size, out_size; ///< of the map
    int stride, pool, pool_stride;
    int first, last;
} lac_geometry;

/// errors  E_UNSUPPORTED: a dilated max pool whose stride is not a multiple of the dilation
lac_status lac_step_geometry(const lac_int_graph *graph, const lac_plan_step *step, int axis,
                             lac_geometry *out, lac_error *err) LAC_MUST_CHECK;

/// Tile of the output for a tile of the input; 0 when it does not divide.
int lac_geometry_out_tile(const lac_geometry *geometry, int in_tile);

/// How many tiles a step reads past its own: rows of the tile [-reach_before, tile + reach_after).
void lac_geometry_reach(const lac_geometry *geometry, int out_tile, int in_tile, int *before, int *after);

/// How the step is shared among lanes, as far as shapes decide: LAC_MAP_TILES, or one of the others (which is
/// for lac_pass_map to say).
lac_mapping lac_step_shape_mapping(const lac_int_graph *graph, int layer);

#endif
