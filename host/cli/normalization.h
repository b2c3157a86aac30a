#ifndef LAC_NORMALIZATION_H
#define LAC_NORMALIZATION_H

#include "dataset.h"
#include "graph.h"

/// How pixels become the network's input, kept in the model file so that later stages need no data set:
/// lacuna.input.mean and lacuna.input.std, one number a channel, in pixel units.

void lac_normalization_store(lac_graph *graph, const lac_dataset *data);

/// A data set without images that has the stored mean and std.
///
/// errors  E_NOT_FOUND when the graph stores none, E_FORMAT when it is not numbers
lac_status lac_normalization_load(const lac_graph *graph, lac_dataset *out, lac_error *err) LAC_MUST_CHECK;

#endif
