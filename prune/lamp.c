#include "lamp.h"

#include "sparse.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b) {
    const lac_lamp_weight *x = a, *y = b;
    if (x->square != y->square) return x->square < y->square ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

void lac_lamp_scores(lac_lamp_weight *weights, size_t n, float *score) {
    double rest = 0;
    qsort(weights, n, sizeof *weights, by_size);
    for (size_t i = n; i-- > 0;) {
        rest += weights[i].square;
        score[weights[i].place] = rest > 0 ? (float)(weights[i].square / rest) : 0.0f;
    }
}

static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to score '%s'", s->graph->name);
    lac_lamp_weight *weights = LAC_NEW_ARRAY(scratch, lac_lamp_weight, s->weights.n);
    for (int l = 0; l < s->weights.n_layers; l++) {
        const float *w = lac_weights_value(&s->weights, l)->data;
        size_t first = s->weights.first[l], n = s->weights.first[l + 1] - first;
        for (size_t i = 0; i < n; i++) weights[i] = (lac_lamp_weight){(double)w[i] * (double)w[i], i};
        lac_lamp_scores(weights, n, s->score + first);
    }
    lac_arena_close(scratch);
    return lac_sparse_mask_scores(s, density, err);
}

static const lac_sparsifier method = {
    .name = "lamp", .share = LAC_SHARE_GLOBAL, .gradual = true, .mask = mask};

LAC_SPARSE_PRUNER(lamp, "lamp", "magnitude relative to what is larger in the layer, with a cubic schedule",
                  "Lee et al.: Layer-adaptive sparsity for the magnitude-based pruning, ICLR 2021");
