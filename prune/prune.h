#ifndef LAC_PRUNE_H
#define LAC_PRUNE_H

#include "gate_cost.h"
#include "train.h"

/// Pruners: a float graph in, a smaller or sparser graph out. One file a method, one row in prune.def.

/// What pruners of weights and pruners of channels must come down to.
typedef struct lac_budget {
    lac_cost_unit unit; ///< pruners of channels
    double amount;      ///< up to 1: a share of what the graph costs now; above: so much; 0: see density
} lac_budget;

/// Over what weights or channels compete.
typedef enum lac_scope { LAC_SCOPE_METHOD, LAC_SCOPE_LAYER, LAC_SCOPE_GLOBAL, LAC_N_SCOPES } lac_scope;

/// How a density is shared among layers, for pruners of weights.
typedef enum lac_share {
    LAC_SHARE_METHOD,  ///< as the method's authors have it
    LAC_SHARE_GLOBAL,  ///< all weights compete
    LAC_SHARE_UNIFORM, ///< the same share of every layer
    LAC_SHARE_ERK,     ///< Erdos-Renyi kernels: small layers keep more
    LAC_N_SHARES
} lac_share;

/// How trainable gates are trained. Zero means the default in brackets, which is the paper's.
typedef struct lac_gate_recipe {
    int batches;       ///< [200]
    int batch;         ///< [64]
    float lr;          ///< [0.6] of Adam, constant
    float beta, gamma; ///< [6] of the budget, [0.4] of the binarisation
    bool noise;        ///< closing gates let noise in
} lac_gate_recipe;

/// What a pruner has to say besides the graph.
typedef struct lac_prune_result {
    double cost_before, cost_after, target; ///< in the budget's unit; pruners of channels
    double pruned_accuracy; ///< validation accuracy before any weight is trained again; -1: not measured
    double prune_seconds;   ///< until then
    int n_gates, n_closed;
} lac_prune_result;

typedef struct lac_prune_config {
    double density;    ///< share of the prunable weights (convolutions and linear layers) that stays, 0..1;
                       ///< pruners of channels without a budget take it as the share of multiply-accumulates
    double begin, end; ///< the schedule runs over this part of the training steps; zeros mean 0 and 0.6
    lac_budget budget;
    lac_scope scope;
    lac_share share;
    lac_cost_engine engine; ///< for budgets in cycles
    lac_gate_recipe gates;
    bool reconstruct;         ///< what reads pruned channels makes up for them by least squares
    int reestimate_batches;   ///< batch norm statistics are measured anew on so many batches after pruning
    float distill;            ///< weight of the dense network's word in the training around or after; 0: none
    bool no_training;         ///< leave the weights as they are
    lac_recipe recipe;        ///< of the training around or after it
    lac_prune_result *result; ///< filled in unless NULL
} lac_prune_config;

typedef struct lac_pruner_desc {
    const char *name, *help, *source;
    /// graph is changed in place: pruned weights are zero and masked, pruned channels are gone.
    lac_status (*run)(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err);
    bool removes_channels; ///< its budget is a cost, not a density
} lac_pruner_desc;

int lac_n_pruners(void);
const lac_pruner_desc *lac_pruner_row(int i);
const lac_pruner_desc *lac_pruner_find(const char *name); ///< NULL when there is none

#endif
