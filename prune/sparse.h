#ifndef LAC_SPARSE_H
#define LAC_SPARSE_H

#include "weights.h"

/// What pruners of weights share: a density to come down to, at once or along the training.
typedef struct lac_sparse {
    lac_graph *graph;
    const lac_dataset *data;
    const lac_prune_config *config;
    const lac_talk *talk;
    lac_arena *arena; ///< of this run
    lac_weights weights;
    lac_share share; ///< the config's, or the method's
    double initial;  ///< density before
    double began_s;
    float *score; ///< [weights.n] for methods that keep one
    void *state;  ///< the method's own
    void *memory; ///< what the method remembers from step to step, plain data: kept in checkpoints
    size_t n_memory;
} lac_sparse;

/// A method: how a mask for a density is made of what there is, and what happens along the way.
typedef struct lac_sparsifier {
    const char *name;
    lac_share share; ///< when the config leaves it to the method
    bool gradual;    ///< density follows the cubic schedule in the training; else one cut before it
    bool regrows;    ///< masks may open again: what is masked now does not stay so
    lac_status (*open)(lac_sparse *s, lac_error *err); ///< NULL allowed
    lac_status (*mask)(lac_sparse *s, double density, lac_error *err);
    /// After the backward pass of every step; NULL allowed.
    lac_status (*watch)(lac_sparse *s, const lac_gradients *gradients, uint64_t step, uint64_t n_steps,
                        lac_error *err);
    /// Before every step, after the schedule; NULL allowed.
    lac_status (*tick)(lac_sparse *s, uint64_t step, uint64_t n_steps, lac_error *err);
} lac_sparsifier;

/// A whole pruner of weights: checks the config, masks, trains, and ends at the density exactly.
///
/// errors  E_USAGE, E_UNSUPPORTED (no weights), and the training's
lac_status lac_sparse_run(const lac_sparsifier *method, lac_graph *graph, const lac_dataset *data,
                          const lac_prune_config *config, const lac_talk *talk,
                          lac_error *err) LAC_MUST_CHECK;

/// Number of weights that a density keeps.
uint64_t lac_sparse_keep(const lac_sparse *s, double density);

/// Masks by s->score with s->share.
lac_status lac_sparse_mask_scores(lac_sparse *s, double density, lac_error *err) LAC_MUST_CHECK;

/// Sums of products over batches of training images, batch norms as in inference, for scores made of
/// gradients: calls take(ctx, gradients) after each of n_batches backward passes.
typedef lac_status lac_batch_taker(void *ctx, const lac_gradients *gradients, lac_error *err);
lac_status lac_gradient_batches(lac_graph *graph, const lac_dataset *data, int batch, int n_batches,
                                uint64_t seed, lac_batch_taker *take, void *ctx,
                                lac_error *err) LAC_MUST_CHECK;

#define LAC_SPARSE_PRUNER(id, the_name, the_help, the_source)                                                \
    static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,         \
                          const lac_talk *talk, lac_error *err) {                                            \
        return lac_sparse_run(&method, graph, data, config, talk, err);                                      \
    }                                                                                                        \
    const lac_pruner_desc lac_pruner_##id = {                                                                \
        .name = the_name, .help = the_help, .source = the_source, .run = run}

#endif
