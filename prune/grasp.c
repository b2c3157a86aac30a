#include "sparse.h"

#include <math.h>

enum { BATCH = 128, BATCHES = 10 };

static lac_status add(lac_sparse *s, const lac_gradients *gradients, float *sum) {
    for (int l = 0; l < s->weights.n_layers; l++) {
        const float *g = lac_gradient_of(gradients, s->weights.value[l]);
        size_t first = s->weights.first[l], n = s->weights.first[l + 1] - first;
        for (size_t i = 0; g && i < n; i++) sum[first + i] += g[i] / BATCHES;
    }
    return LAC_OK;
}

typedef struct taker {
    lac_sparse *s;
    float *sum;
} taker;

static lac_status take(void *ctx, const lac_gradients *gradients, lac_error *err) {
    const taker *t = ctx;
    (void)err;
    return add(t->s, gradients, t->sum);
}

static lac_status mean_gradient(lac_sparse *s, float *sum, lac_error *err) {
    taker t = {s, sum};
    int batch = s->data->train.n < BATCH ? (int)s->data->train.n : BATCH;
    return lac_gradient_batches(s->graph, s->data, batch, BATCHES, s->config->recipe.seed, take, &t, err);
}

static void shift(lac_sparse *s, const float *direction, float by) {
    for (int l = 0; l < s->weights.n_layers; l++) {
        float *w = lac_weights_value(&s->weights, l)->data;
        size_t first = s->weights.first[l], n = s->weights.first[l + 1] - first;
        for (size_t i = 0; i < n; i++) w[i] += by * direction[first + i];
    }
}

// Hg by a finite difference along g on the same batches; what stays has the largest w * Hg: its removal would
// cost gradient flow.
static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    float *g = LAC_NEW_ARRAY(s->arena, float, s->weights.n),
          *up = LAC_NEW_ARRAY(s->arena, float, s->weights.n);
    float *saved = LAC_NEW_ARRAY(s->arena, float, s->weights.n);
    double norm = 0, size = 0;
    LAC_TRY(mean_gradient(s, g, err));
    for (int l = 0; l < s->weights.n_layers; l++)
        for (size_t i = s->weights.first[l]; i < s->weights.first[l + 1]; i++) {
            saved[i] = lac_weights_value(&s->weights, l)->data[i - s->weights.first[l]];
            norm += (double)g[i] * (double)g[i];
            size += (double)saved[i] * (double)saved[i];
        }
    float step = norm > 0 ? (float)(1e-3 * sqrt(size / norm)) : 1e-3f;
    shift(s, g, step);
    lac_status status = mean_gradient(s, up, err);
    for (int l = 0; l < s->weights.n_layers; l++)
        for (size_t i = s->weights.first[l]; i < s->weights.first[l + 1]; i++) {
            lac_weights_value(&s->weights, l)->data[i - s->weights.first[l]] = saved[i];
            s->score[i] = saved[i] * (up[i] - g[i]) / step;
        }
    return status == LAC_OK ? lac_sparse_mask_scores(s, density, err) : status;
}

static const lac_sparsifier method = {.name = "grasp", .share = LAC_SHARE_GLOBAL, .mask = mask};

LAC_SPARSE_PRUNER(
    grasp, "grasp", "weights that the flow of gradients needs least, at once; for untrained networks",
    "Wang et al.: Picking winning tickets before training by preserving gradient flow, ICLR 2020");
