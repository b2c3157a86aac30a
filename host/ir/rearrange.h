#ifndef LAC_REARRANGE_H
#define LAC_REARRANGE_H

#include "graph.h"

/// Ops that compute nothing: every element of the output is one of the input, or zero. What they do is told
/// here once, for float arithmetic, files and lowering alike.

bool lac_op_rearranges(lac_op op);

/// Shape of the output of SLICE, CHANNEL_SHUFFLE, UPSAMPLE, DEPTH_TO_SPACE or PAD.
///
/// errors  E_SHAPE naming the node, both numbers and the remedy
lac_status lac_rearrange_shape(const lac_node *node, lac_shape x, lac_shape *out,
                               lac_error *err) LAC_MUST_CHECK;

/// A place in a map; channel -1 is a zero of padding.
typedef struct lac_place {
    int channel, row, column;
} lac_place;

/// Where in x (C x H x W are dimensions 1 to 3) the element of the output at `to` comes from.
lac_place lac_rearrange_source(const lac_node *node, lac_shape x, lac_place to);

#endif
