#include "regrow.h"

#include <math.h>
#include <string.h>

double lac_regrow_share(uint64_t step, uint64_t n_steps) {
    uint64_t interval = n_steps >= 1000 ? 100 : n_steps >= 10 ? n_steps / 10 : 1;
    double end = 0.75 * (double)n_steps;
    if (step == 0 || step % interval != 0 || (double)step >= end) return 0;
    return 0.15 * (1 + cos(3.14159265358979323846 * (double)step / end));
}

lac_status lac_regrow_first_mask(lac_sparse *s, double density, lac_error *err) {
    lac_weights_magnitudes(&s->weights, s->score);
    return lac_sparse_mask_scores(s, density, err);
}

lac_status lac_regrow_layer(const lac_weights *w, int layer, const float *score, uint64_t n_swap,
                            lac_error *err) {
    lac_value *v = lac_weights_value(w, layer);
    size_t n = w->first[layer + 1] - w->first[layer];
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to exchange weights of '%s'", v->name);
    float *rank = LAC_NEW_ARRAY(scratch, float, n);
    uint64_t n_there = 0;
    for (size_t i = 0; i < n; i++) {
        rank[i] = v->mask[i] ? fabsf(v->data[i]) : -INFINITY;
        n_there += v->mask[i];
    }
    if (n_swap >= n_there) n_swap = n_there - 1;
    uint64_t n_free = (uint64_t)n - n_there;
    if (n_swap > n_free) n_swap = n_free;
    lac_status status = lac_mask_layer(w, layer, rank, n_there - n_swap, err); // the smallest close
    for (size_t i = 0; i < n; i++) rank[i] = v->mask[i] ? INFINITY : score[i];
    if (status == LAC_OK) status = lac_mask_layer(w, layer, rank, n_there, err);
    lac_arena_close(scratch);
    return status;
}

lac_status lac_regrow(lac_sparse *s, const lac_gradients *gradients, lac_growth *growth, uint64_t step,
                      uint64_t n_steps, lac_error *err) {
    double share = lac_regrow_share(step, n_steps);
    if (share <= 0) return LAC_OK;
    LAC_TRY(growth(s, gradients, step, s->score));
    for (int l = 0; l < s->weights.n_layers; l++) {
        const lac_value *v = lac_weights_value(&s->weights, l);
        uint64_t n_there = 0;
        for (size_t i = 0; i < s->weights.first[l + 1] - s->weights.first[l]; i++) n_there += v->mask[i];
        LAC_TRY(lac_regrow_layer(&s->weights, l, s->score + s->weights.first[l],
                                 (uint64_t)(share * (double)n_there), err));
    }
    return LAC_OK;
}
