#ifndef LAC_CHECKPOINT_H
#define LAC_CHECKPOINT_H

#include "optimizer.h"
#include "snapshot.h"

/// What a run must remember to go on as if it had never stopped, besides weights and optimiser.
typedef struct lac_progress {
    uint64_t step;     ///< next step
    double epoch_loss; ///< sums over the images of the current epoch
    uint64_t epoch_right, epoch_images;
    double train_loss; ///< of the last whole epoch
    double validation_loss, validation_accuracy, best_validation_accuracy, best_epoch;
    uint64_t bad_epochs;   ///< since the best validation accuracy
    double seconds;        ///< spent so far, over all sittings
    int64_t metrics_bytes; ///< length of the metrics file
} lac_progress;

/// What a run changes as it goes.
typedef struct lac_run_state {
    lac_graph *graph;
    lac_optimizer_state *optimizer;
    lac_snapshot *ema, *best; ///< NULL: none
    void *memory;             ///< the hook's
    size_t n_memory;
} lac_run_state;

/// Hash of all that must be equal for a checkpoint to be continued: graph with its weights, recipe, data, and
/// the teacher if there is one.
uint64_t lac_run_hash(const lac_graph *graph, const lac_recipe *recipe, const lac_dataset *data,
                      const lac_distillation *distillation);

/// errors  E_IO; an earlier checkpoint then stays
lac_status lac_checkpoint_save(const char *path, uint64_t hash, const lac_run_state *run,
                               const lac_progress *progress, lac_error *err) LAC_MUST_CHECK;

/// Restores a run; *found is false, and nothing changes, when there is no file.
///
/// errors  E_FORMAT (damaged), E_USAGE (of another run)
lac_status lac_checkpoint_load(const char *path, uint64_t hash, const lac_run_state *run,
                               lac_progress *progress, bool *found, lac_error *err) LAC_MUST_CHECK;

#endif
