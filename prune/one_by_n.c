#include "group_mask.h"

enum { N = 4 };

// The kernels of N outputs in a row for one input.
static size_t group_of(int64_t o, int64_t i, int64_t k, int64_t n_in, int64_t n_k) {
    (void)k;
    (void)n_k;
    return (size_t)(o / N * n_in + i);
}

static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    return lac_mask_groups(s, density, group_of, err);
}

static const lac_sparsifier method = {
    .name = "1xn", .share = LAC_SHARE_UNIFORM, .gradual = true, .mask = mask};

LAC_SPARSE_PRUNER(one_by_n, "1xn", "kernels of 4 outputs in a row for one input, with a cubic schedule",
                  "Lin et al.: 1xN pattern for pruning convolutional neural networks, TPAMI 2022");
