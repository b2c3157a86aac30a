#ifndef LAC_SNAP_H
#define LAC_SNAP_H

#include "graph.h"

/// Moves the parameters of a quantized graph to values that integers hold exactly, so that the float graph
/// and its lowering agree but for ties:
///   - scales of two operands of an addition to a ratio of integers 1..127;
///   - weight scales so that their requantisation is m * 2^-s, weights to codes times scale;
///   - gammas of a batch norm that reads codes likewise;
///   - offsets (beta, or the bias where there is no batch norm) to whole accumulator units.
/// Every step is at most half a unit of what it rounds to; no weight code changes.
///
/// errors  those of lac_chain_match, lac_quant_params_read, lac_weight_codes_read
lac_status lac_snap(lac_graph *graph, lac_error *err) LAC_MUST_CHECK;

#endif
