#include "sparse.h"

static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    lac_weights_magnitudes(&s->weights, s->score);
    return lac_sparse_mask_scores(s, density, err);
}

static const lac_sparsifier method = {.name = "oneshot", .share = LAC_SHARE_GLOBAL, .mask = mask};

LAC_SPARSE_PRUNER(oneshot, "oneshot", "magnitude, all at once before the training",
                  "Han et al.: Learning both weights and connections, NeurIPS 2015");
