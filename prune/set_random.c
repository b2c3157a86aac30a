#include "regrow.h"

#include "rng.h"

static lac_status growth(lac_sparse *s, const lac_gradients *gradients, uint64_t step, float *score) {
    lac_rng rng = lac_rng_make(s->config->recipe.seed ^ 0x5E7, step);
    (void)gradients;
    for (size_t i = 0; i < s->weights.n; i++) score[i] = lac_rng_uniform(&rng);
    return LAC_OK;
}

static lac_status watch(lac_sparse *s, const lac_gradients *gradients, uint64_t step, uint64_t n_steps,
                        lac_error *err) {
    return lac_regrow(s, gradients, growth, step, n_steps, err);
}

static const lac_sparsifier method = {
    .name = "set", .share = LAC_SHARE_ERK, .regrows = true, .mask = lac_regrow_first_mask, .watch = watch};

LAC_SPARSE_PRUNER(
    set_random, "set", "drops the smallest weights and grows others at random",
    "Mocanu et al.: Scalable training of artificial neural networks with adaptive sparse connectivity, 2018");
