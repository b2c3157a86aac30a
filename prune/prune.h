#ifndef LAC_PRUNE_H
#define LAC_PRUNE_H

#include "train.h"

/// Pruners: a float graph in, a sparser graph out. One file a method, one row in prune.def.

typedef struct lac_prune_config {
    double density;    ///< share of the prunable weights (convolutions and linear layers) that stays, 0..1
    double begin, end; ///< the schedule runs over this part of the training steps; zeros mean 0 and 0.6
    lac_recipe recipe; ///< of the training around it
} lac_prune_config;

typedef struct lac_pruner_desc {
    const char *name, *help, *source;
    /// graph is changed in place: pruned weights are zero and masked.
    lac_status (*run)(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err);
} lac_pruner_desc;

int lac_n_pruners(void);
const lac_pruner_desc *lac_pruner_row(int i);

#endif
