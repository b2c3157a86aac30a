#include "sparse.h"

#include <math.h>

static lac_status open(lac_sparse *s, lac_error *err) {
    (void)err;
    s->memory = s->score;
    s->n_memory = s->weights.n * sizeof *s->score;
    return LAC_OK;
}

// Weights that gradient descent moves away from zero gather positive scores.
static lac_status watch(lac_sparse *s, const lac_gradients *gradients, uint64_t step, uint64_t n_steps,
                        lac_error *err) {
    (void)step;
    (void)n_steps;
    (void)err;
    for (int l = 0; l < s->weights.n_layers; l++) {
        const float *g = lac_gradient_of(gradients, s->weights.value[l]);
        const float *w = lac_weights_value(&s->weights, l)->data;
        size_t first = s->weights.first[l], n = s->weights.first[l + 1] - first;
        for (size_t i = 0; g && i < n; i++) s->score[first + i] -= w[i] * g[i];
    }
    return LAC_OK;
}

// What is gone stays so: its score would be that of the moment it went.
static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    for (int l = 0; l < s->weights.n_layers; l++) {
        const lac_value *v = lac_weights_value(&s->weights, l);
        size_t first = s->weights.first[l], n = s->weights.first[l + 1] - first;
        for (size_t i = 0; v->mask && i < n; i++)
            if (!v->mask[i]) s->score[first + i] = -INFINITY;
    }
    return lac_sparse_mask_scores(s, density, err);
}

static const lac_sparsifier method = {.name = "movement",
                                      .share = LAC_SHARE_GLOBAL,
                                      .gradual = true,
                                      .open = open,
                                      .mask = mask,
                                      .watch = watch};

LAC_SPARSE_PRUNER(movement, "movement", "weights that training moves towards zero, with a cubic schedule",
                  "Sanh et al.: Movement pruning, NeurIPS 2020");
