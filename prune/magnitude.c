#include "magnitude.h"

#include "sparse.h"

double lac_cubic_density(double progress, double begin, double end, double initial, double final) {
    double t = end > begin ? (progress - begin) / (end - begin) : progress >= end;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return final + (initial - final) * (1 - t) * (1 - t) * (1 - t);
}

static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    lac_weights_magnitudes(&s->weights, s->score);
    return lac_sparse_mask_scores(s, density, err);
}

static const lac_sparsifier method = {
    .name = "magnitude", .share = LAC_SHARE_GLOBAL, .gradual = true, .mask = mask};

LAC_SPARSE_PRUNER(magnitude, "magnitude", "global magnitude with a cubic schedule while training goes on",
                  "Zhu and Gupta, To prune, or not to prune, 2017");
