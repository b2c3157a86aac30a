#ifndef LAC_STRUCTURED_H
#define LAC_STRUCTURED_H

#include "gate_select.h"
#include "prune.h"

/// What pruners of channels share: gates and budget before the choice, removal and training after it.
typedef struct lac_structured {
    lac_graph *graph;
    const lac_dataset *data;
    const lac_prune_config *config;
    const lac_talk *talk;
    lac_arena *arena; ///< of this run
    lac_gates *gates;
    lac_gate_cost cost;
    const lac_graph *teacher;   ///< the network before pruning, when it is to teach
    double cost_before, target; ///< in the budget's unit
    double began_s;
} lac_structured;

/// errors  E_USAGE (a budget out of range), E_UNSUPPORTED (no channel may go), E_SHAPE
lac_status lac_structured_open(lac_structured *s, lac_graph *graph, const lac_dataset *data,
                               const lac_prune_config *config, bool linears, const lac_talk *talk,
                               lac_error *err) LAC_MUST_CHECK;
void lac_structured_close(lac_structured *s);

/// lac_gates_select for the budget; in cycles, so that those of the graph that would be left meet it.
///
/// errors  E_RANGE: one channel a layer is over the target already
lac_status lac_structured_select(const lac_structured *s, const double *score, bool *open,
                                 lac_error *err) LAC_MUST_CHECK;

/// Replaces scores by their rank within their vector, 0..1: every vector then loses the same share.
void lac_gates_rank(const lac_gates *gates, double *score);

/// Divides scores by the mean of their vector, so that layers can be compared.
void lac_gates_normalize(const lac_gates *gates, double *score);

/// Removes what is closed, measures batch norms and accuracy, trains as the recipe says.
lac_status lac_structured_finish(lac_structured *s, const bool *open, const char *method,
                                 lac_error *err) LAC_MUST_CHECK;

/// A criterion fills in how much each gate is worth, with what it needs from s.
typedef struct lac_criterion {
    const char *name;
    lac_scope scope; ///< when the config leaves it to the method
    bool comparable; ///< scores of different layers are of one kind: no division by the layer's mean
    lac_status (*score)(const lac_structured *s, double *score, lac_error *err);
} lac_criterion;

/// Score, select, finish: a whole one-shot pruner.
lac_status lac_structured_run(const lac_criterion *criterion, lac_graph *graph, const lac_dataset *data,
                              const lac_prune_config *config, const lac_talk *talk,
                              lac_error *err) LAC_MUST_CHECK;

/// Calls visit for every layer's output channel that a gate switches, with the channel's weights.
typedef void lac_row_visitor(void *ctx, int gate, const lac_node *layer, const float *row, int64_t n);
void lac_gates_visit_rows(const lac_gates *gates, lac_row_visitor *visit, void *ctx);

/// Measures batch norm statistics anew on batches of training images, without augmentation.
///
/// errors  E_SHAPE, E_MEMORY
lac_status lac_norms_measure(lac_graph *graph, const lac_dataset *data, int n_batches, uint64_t seed,
                             lac_error *err) LAC_MUST_CHECK;

#endif
