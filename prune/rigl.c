#include "regrow.h"

static lac_status growth(lac_sparse *s, const lac_gradients *gradients, uint64_t step, float *score) {
    (void)step;
    for (int l = 0; l < s->weights.n_layers; l++) {
        const float *g = lac_gradient_of(gradients, s->weights.value[l]);
        size_t first = s->weights.first[l], n = s->weights.first[l + 1] - first;
        for (size_t i = 0; i < n; i++) score[first + i] = g ? (g[i] < 0 ? -g[i] : g[i]) : 0.0f;
    }
    return LAC_OK;
}

static lac_status watch(lac_sparse *s, const lac_gradients *gradients, uint64_t step, uint64_t n_steps,
                        lac_error *err) {
    return lac_regrow(s, gradients, growth, step, n_steps, err);
}

static const lac_sparsifier method = {
    .name = "rigl", .share = LAC_SHARE_ERK, .regrows = true, .mask = lac_regrow_first_mask, .watch = watch};

LAC_SPARSE_PRUNER(rigl, "rigl", "drops the smallest weights and grows where gradients are largest",
                  "Evci et al.: Rigging the lottery, ICML 2020");
