#ifndef LAC_CHECKPOINT_H
#define LAC_CHECKPOINT_H

#include "optimizer.h"

/// What a run must remember to go on as if it had never stopped, besides weights and optimiser.
typedef struct lac_progress {
    uint64_t step;     ///< next step
    double epoch_loss; ///< sums over the images of the current epoch
    uint64_t epoch_right, epoch_images;
    double train_loss; ///< of the last whole epoch
    double validation_loss, validation_accuracy, best_validation_accuracy;
    double seconds;        ///< spent so far, over all sittings
    int64_t metrics_bytes; ///< length of the metrics file
} lac_progress;

/// Hash of all that must be equal for a checkpoint to be continued: graph with its weights, recipe, data.
uint64_t lac_run_hash(const lac_graph *graph, const lac_recipe *recipe, const lac_dataset *data);

/// errors  E_IO; an earlier checkpoint then stays
lac_status lac_checkpoint_save(const char *path, uint64_t hash, const lac_graph *graph,
                               const lac_optimizer_state *o, const lac_progress *progress,
                               lac_error *err) LAC_MUST_CHECK;

/// Restores a run; *found is false, and nothing changes, when there is no file.
///
/// errors  E_FORMAT (damaged), E_USAGE (of another run)
lac_status lac_checkpoint_load(const char *path, uint64_t hash, lac_graph *graph, lac_optimizer_state *o,
                               lac_progress *progress, bool *found, lac_error *err) LAC_MUST_CHECK;

#endif
