#include "sparse.h"

enum { BATCH = 16, BATCHES = 100 };

// The diagonal of the Hessian by squared gradients of small batches.
static lac_status take(void *ctx, const lac_gradients *gradients, lac_error *err) {
    lac_sparse *s = ctx;
    (void)err;
    for (int l = 0; l < s->weights.n_layers; l++) {
        const float *g = lac_gradient_of(gradients, s->weights.value[l]);
        size_t first = s->weights.first[l], n = s->weights.first[l + 1] - first;
        for (size_t i = 0; g && i < n; i++) s->score[first + i] += g[i] * g[i] / BATCHES;
    }
    return LAC_OK;
}

// w^2 h / 2.
static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    int batch = s->data->train.n < BATCH ? (int)s->data->train.n : BATCH;
    LAC_TRY(lac_gradient_batches(s->graph, s->data, batch, BATCHES, s->config->recipe.seed, take, s, err));
    for (int l = 0; l < s->weights.n_layers; l++) {
        const float *w = lac_weights_value(&s->weights, l)->data;
        size_t first = s->weights.first[l], n = s->weights.first[l + 1] - first;
        for (size_t i = 0; i < n; i++) s->score[first + i] *= w[i] * w[i] / 2;
    }
    return lac_sparse_mask_scores(s, density, err);
}

static const lac_sparsifier method = {.name = "obd", .share = LAC_SHARE_GLOBAL, .mask = mask};

LAC_SPARSE_PRUNER(obd, "obd", "smallest change of the loss by a diagonal Hessian, at once",
                  "LeCun et al.: Optimal brain damage, NeurIPS 1990; squared gradients for the Hessian");
