#ifndef LAC_MASKS_H
#define LAC_MASKS_H

#include "graph.h"

/// Which weights stay, by a score per weight.

/// The constants that pruners may thin out: weights of convolutions and linear layers, each once.
///
/// shape   values: room for graph->n_values indices; returns how many there are
int lac_prunable(const lac_graph *graph, int *values);

/// Number of prunable weights, and of those that are not masked and not zero.
uint64_t lac_prunable_count(const lac_graph *graph, bool nonzero_only);

/// Keeps the `keep` weights with the largest magnitude over the whole graph; masks and zeroes the others.
///
/// Every layer keeps its own largest min_per_layer weights first (fewer where it has fewer), so that no layer
/// is emptied; the rest goes to the largest of all. Ties are kept in order of layer and index.
///
/// memory  masks from graph->arena, once
/// range   keep is raised to what min_per_layer needs and lowered to the number of weights
/// errors  E_MEMORY
lac_status lac_mask_largest(lac_graph *graph, uint64_t keep, uint64_t min_per_layer,
                            lac_error *err) LAC_MUST_CHECK;

#endif
