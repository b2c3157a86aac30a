#include "sparse.h"

#include <math.h>

enum { BATCH = 128, BATCHES = 10 };

static lac_status take(void *ctx, const lac_gradients *gradients, lac_error *err) {
    lac_sparse *s = ctx;
    (void)err;
    for (int l = 0; l < s->weights.n_layers; l++) {
        const float *g = lac_gradient_of(gradients, s->weights.value[l]);
        size_t first = s->weights.first[l], n = s->weights.first[l + 1] - first;
        for (size_t i = 0; g && i < n; i++) s->score[first + i] += g[i] / BATCHES;
    }
    return LAC_OK;
}

// |g * w| of the mean gradient.
static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    int batch = s->data->train.n < BATCH ? (int)s->data->train.n : BATCH;
    LAC_TRY(lac_gradient_batches(s->graph, s->data, batch, BATCHES, s->config->recipe.seed, take, s, err));
    for (int l = 0; l < s->weights.n_layers; l++) {
        const float *w = lac_weights_value(&s->weights, l)->data;
        size_t first = s->weights.first[l], n = s->weights.first[l + 1] - first;
        for (size_t i = 0; i < n; i++) s->score[first + i] = fabsf(s->score[first + i] * w[i]);
    }
    return lac_sparse_mask_scores(s, density, err);
}

static const lac_sparsifier method = {.name = "snip", .share = LAC_SHARE_GLOBAL, .mask = mask};

LAC_SPARSE_PRUNER(snip, "snip", "weights whose removal changes the loss least, at once",
                  "Lee et al.: SNIP: single-shot network pruning based on connection sensitivity, ICLR 2019");
