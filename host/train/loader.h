#ifndef LAC_LOADER_H
#define LAC_LOADER_H

#include "augment.h"
#include "dataset.h"
#include "lac_status.h"
#include "rng.h"

/// Makes the batches of a training on a thread of its own, ahead of the steps that use them.
///
/// What a batch holds depends on (seed, step) alone: each epoch is a new order of all images, less those that
/// do not fill a batch; with mixup, image i of a batch is mixed with another of the same batch.
typedef struct lac_loader lac_loader;

typedef struct lac_loader_config {
    lac_augment augment;
    const lac_split *split;
    uint32_t batch;
    uint64_t steps_per_epoch, first_step, n_steps; ///< batches first_step .. n_steps - 1
    uint64_t seed;
    float mixup; ///< parameter of the Beta distribution; 0 is none
} lac_loader_config;

typedef struct lac_batch {
    float *x;            ///< [batch][c][h][w]
    uint8_t *labels;     ///< [batch]
    uint8_t *partners;   ///< [batch], with mixup
    float partner_share; ///< of them in x
} lac_batch;

/// errors  E_MEMORY
lac_status lac_loader_open(const lac_loader_config *config, lac_loader **out, lac_error *err) LAC_MUST_CHECK;
/// The next batch, which is good until the next call.
const lac_batch *lac_loader_next(lac_loader *loader);
void lac_loader_close(lac_loader *loader);

/// One number from Beta(alpha, alpha).
///
/// source  Marsaglia, Tsang: A simple method for generating gamma variables, ACM TOMS 2000
float lac_beta(lac_rng *rng, float alpha);

#endif
