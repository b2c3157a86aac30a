#ifndef LAC_TEACHER_H
#define LAC_TEACHER_H

#include "loss.h"
#include "train.h"

/// The other network of a distillation, ready to run on the student's batches.
typedef struct lac_teacher {
    lac_distillation config; ///< defaults filled in
    lac_arena *arena;
    lac_graph *graph; ///< a copy
    lac_plan *plan;
    int *taps; ///< of the teacher / of the student, one a hint
    int *student_taps;
    int64_t *n_elements; ///< of each hint, with the batch
} lac_teacher;

/// Gives each hint whose values differ in their channels alone a regressor: a 1 x 1 convolution (or a linear
/// layer) behind the student's value, which the teacher's value is then compared with. Regressors stand at
/// the end of the student's nodes and values, so that whoever keeps the counts from before can take them off
/// again.
///
/// memory  out's hints and the regressors from the student's arena
/// errors  E_SHAPE when maps differ in more than their channels
/// source  Romero et al.: FitNets, ICLR 2015, section 2.2
lac_status lac_teacher_regressors(const lac_distillation *distillation, lac_graph *student, uint64_t seed,
                                  lac_distillation *out, lac_error *err) LAC_MUST_CHECK;

/// distillation NULL: nothing to do, and the others then do nothing. Hints are of one shape.
///
/// errors  E_SHAPE when teacher and student differ in input or classes; E_RANGE
lac_status lac_teacher_open(const lac_distillation *distillation, const lac_graph *student, int batch,
                            lac_teacher *out, lac_error *err) LAC_MUST_CHECK;
void lac_teacher_close(lac_teacher *teacher);

/// Runs the teacher on the student's input and completes the targets.
lac_status lac_teacher_run(lac_teacher *teacher, const float *x, size_t n_x, lac_targets *targets,
                           lac_error *err) LAC_MUST_CHECK;

/// After the student's forward: the hints' loss, and their gradients into the student's taps.
double lac_teacher_hints(const lac_teacher *teacher, lac_plan *student);

#endif
