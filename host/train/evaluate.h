#ifndef LAC_EVALUATE_H
#define LAC_EVALUATE_H

#include "augment.h"
#include "float_plan.h"
#include "train.h"

/// An inference plan kept open, for the validation after each epoch. The batch is fixed: the last one of a
/// split is filled up with images whose results are not counted.
typedef struct lac_evaluator {
    lac_plan *plan;
    int batch, n_classes;
    lac_augment pixels;
} lac_evaluator;

/// The graph's shapes must be inferred and fit the data.
lac_status lac_evaluator_open(const lac_graph *graph, const lac_dataset *data, int batch, lac_evaluator *out,
                              lac_error *err) LAC_MUST_CHECK;
void lac_evaluator_close(lac_evaluator *evaluator);
lac_status lac_evaluator_run(lac_evaluator *evaluator, const lac_split *split, uint32_t limit,
                             const lac_talk *talk, const char *stage, lac_eval_result *result,
                             lac_error *err) LAC_MUST_CHECK;

/// errors  E_SHAPE when the graph's input or output does not fit the data's images and classes
lac_status lac_graph_fits(const lac_graph *graph, const lac_dataset *data, lac_error *err) LAC_MUST_CHECK;

#endif
