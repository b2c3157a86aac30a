#include "group_mask.h"

// The whole kernel between two channels.
static size_t group_of(int64_t o, int64_t i, int64_t k, int64_t n_in, int64_t n_k) {
    (void)k;
    (void)n_k;
    return (size_t)(o * n_in + i);
}

static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    return lac_mask_groups(s, density, group_of, err);
}

static const lac_sparsifier method = {
    .name = "kernel", .share = LAC_SHARE_UNIFORM, .gradual = true, .mask = mask};

LAC_SPARSE_PRUNER(kernel_mask, "kernel", "whole kernels between two channels, with a cubic schedule",
                  "Mao et al.: Exploring the granularity of sparsity, CVPR workshops 2017");
