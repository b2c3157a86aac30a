#ifndef LAC_PATCHES_H
#define LAC_PATCHES_H

#include "train.h"

/// What layers see: sums of products of a layer's inputs over sampled output pixels, by group of channels.
/// Rows of many inputs are cut in blocks that do not know each other.
typedef struct lac_patches {
    const lac_node *node;
    int groups, n_in, n_blocks, block; ///< inputs a row, and their blocks of `block`
    double *sum;                       ///< [groups][n_blocks][block][block], lower triangles
    uint64_t n_samples;
    float *patch; ///< [n_in]
} lac_patches;

/// memory  from arena
lac_patches lac_patches_of(const lac_graph *graph, const lac_node *node, lac_arena *arena);

/// Runs training images through the graph and samples what n layers see.
lac_status lac_patches_collect(const lac_graph *graph, const lac_dataset *data, uint64_t seed,
                               lac_patches *patches, int n, lac_arena *arena, lac_error *err) LAC_MUST_CHECK;

/// H = 2 / n * sum + a hundredth of its mean on the diagonal; the last block is filled up with ones there.
///
/// shape   out [block][block]
void lac_patches_hessian(const lac_patches *patches, int group, int block, double *out);

#endif
