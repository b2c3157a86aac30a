#include "pattern.h"

#include <math.h>
#include <string.h>

enum { PLACES = 9, CENTRE = 4, KEPT = 4, CODES = 1 << PLACES };

int lac_pattern_of(const float kernel[9]) {
    int code = 1 << CENTRE;
    for (int n = 1; n < KEPT; n++) {
        int best = -1;
        for (int k = 0; k < PLACES; k++)
            if (!(code >> k & 1) && (best < 0 || fabsf(kernel[k]) > fabsf(kernel[best]))) best = k;
        code |= 1 << best;
    }
    return code;
}

int lac_pattern_dictionary(const float *w, size_t n_kernels, int dictionary[LAC_PATTERNS]) {
    size_t count[CODES] = {0};
    int n = 0;
    for (size_t i = 0; i < n_kernels; i++) count[lac_pattern_of(w + PLACES * i)]++;
    for (; n < LAC_PATTERNS; n++) {
        int best = 0;
        for (int c = 0; c < CODES; c++)
            if (count[c] > count[best]) best = c;
        if (count[best] == 0) break;
        dictionary[n] = best;
        count[best] = 0;
    }
    return n;
}

static double energy(const float kernel[9], int code) {
    double sum = 0;
    for (int k = 0; k < PLACES; k++)
        if (code >> k & 1) sum += (double)kernel[k] * (double)kernel[k];
    return sum;
}

int lac_pattern_best(const float kernel[9], const int *dictionary, int n) {
    int best = 0;
    for (int p = 1; p < n; p++)
        if (energy(kernel, dictionary[p]) > energy(kernel, dictionary[best])) best = p;
    return dictionary[best];
}

// Weights outside their kernel's pattern are worth nothing; within, they are worth their kernel's energy, so
// that what the density takes besides are whole kernels.
static void score_kernels(const lac_sparse *s, int layer) {
    const float *w = lac_weights_value(&s->weights, layer)->data;
    size_t first = s->weights.first[layer], n = (s->weights.first[layer + 1] - first) / PLACES;
    int dictionary[LAC_PATTERNS], n_patterns = lac_pattern_dictionary(w, n, dictionary);
    for (size_t i = 0; i < n; i++) {
        int code = lac_pattern_best(w + PLACES * i, dictionary, n_patterns);
        float worth = (float)energy(w + PLACES * i, code) + 1e-20f;
        for (int k = 0; k < PLACES; k++)
            s->score[first + PLACES * i + (size_t)k] = code >> k & 1 ? worth : 0.0f;
    }
}

// Layers of other kernels are pruned by magnitude to the same share.
static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    lac_weights_magnitudes(&s->weights, s->score);
    const uint64_t *budget =
        lac_layer_budgets(&s->weights, lac_sparse_keep(s, density), LAC_SHARE_UNIFORM, s->arena);
    for (int l = 0; l < s->weights.n_layers; l++) {
        lac_shape shape = lac_weights_value(&s->weights, l)->shape;
        uint64_t keep = budget[l], most = (uint64_t)lac_shape_count(shape) / PLACES * KEPT;
        if (shape.n_dims == 4 && shape.dim[2] == 3 && shape.dim[3] == 3) {
            score_kernels(s, l);
            keep = keep > most ? most : keep / KEPT * KEPT;
            if (keep == 0) keep = KEPT;
        }
        LAC_TRY(lac_mask_layer(&s->weights, l, s->score + s->weights.first[l], keep, err));
    }
    return LAC_OK;
}

static const lac_sparsifier method = {.name = "pattern", .mask = mask};

LAC_SPARSE_PRUNER(pattern, "pattern", "3x3 kernels keep 4 places by one of 8 patterns, or go whole, at once",
                  "Niu et al.: PatDNN, ASPLOS 2020");
