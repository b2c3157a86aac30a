#ifndef LAC_GATE_RUN_H
#define LAC_GATE_RUN_H

#include "augment.h"
#include "float_plan.h"
#include "gates.h"
#include "train.h"

/// Batches through a gated graph, forward and back: what trainable gates and Taylor expansions need. The
/// network is frozen, batch norms use their running statistics, and no gradient of a weight is computed.
typedef struct lac_gate_run {
    const lac_dataset *data;
    lac_gated_graph gated;
    lac_plan *plan;
    lac_augment augment;
    int batch;
    float label_smoothing;
    uint64_t seed;
    uint32_t *order; ///< of the training images
    int64_t ordered; ///< epoch
    uint8_t *labels;
    struct lac_gate_noise *noise; ///< [site], NULL for none
} lac_gate_run;

/// recipe gives augmentation, label smoothing and seed.
lac_status lac_gate_run_open(lac_gate_run *run, const lac_gates *gates, const lac_dataset *data, int batch,
                             const lac_recipe *recipe, lac_arena *arena, lac_error *err) LAC_MUST_CHECK;
void lac_gate_run_close(lac_gate_run *run);

/// From now on a closing gate lets noise in, z = lambda * x + (1 - lambda) * e, with e drawn once a batch and
/// channel from N(mean, variance) of that channel over training images.
///
/// memory  from arena
lac_status lac_gate_run_add_noise(lac_gate_run *run, const lac_gates *gates, lac_arena *arena,
                                  lac_error *err) LAC_MUST_CHECK;

/// Batch number `step`: its mean loss, and d loss / d lambda of every gate.
lac_status lac_gate_run_step(lac_gate_run *run, uint64_t step, const double *lambda, double *loss,
                             double *gradient, lac_error *err) LAC_MUST_CHECK;

#endif
