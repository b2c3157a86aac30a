#include "group_mask.h"

enum { SIDE = 4 };

// SIDE outputs by SIDE inputs at one place of the kernel.
static size_t group_of(int64_t o, int64_t i, int64_t k, int64_t n_in, int64_t n_k) {
    int64_t wide = (n_in + SIDE - 1) / SIDE;
    return (size_t)((o / SIDE * wide + i / SIDE) * n_k + k);
}

static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    return lac_mask_groups(s, density, group_of, err);
}

static const lac_sparsifier method = {
    .name = "block", .share = LAC_SHARE_UNIFORM, .gradual = true, .mask = mask};

LAC_SPARSE_PRUNER(block_mask, "block", "blocks of 4 outputs by 4 inputs, with a cubic schedule",
                  "Narang et al.: Block-sparse recurrent neural networks, 2017");
