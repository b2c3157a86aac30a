#ifndef LAC_EQUALIZE_H
#define LAC_EQUALIZE_H

#include "quantize.h"

/// Rewrites of a float graph before it is quantized; the function that it computes stays.

/// Merges every batch norm that follows a convolution or linear layer into its weights and bias.
///
///   w[o] *= gamma / sqrt(variance + epsilon);  b[o] = (b[o] - mean) * the same + beta
///
/// errors  E_SHAPE, E_RANGE, those of lac_graph_tidy
lac_status lac_fold_norms(lac_graph *graph, lac_error *err) LAC_MUST_CHECK;

/// Balances the ranges of weights between layers that follow each other through ReLUs and pools alone:
///
///   s[i] = sqrt(max|w1[i]| / max|w2[:, i]|);  w1[i] /= s[i];  b1[i] /= s[i];  w2[:, i] *= s[i]
///
/// until nothing changes. A value that somebody else reads, too, stays as it is, and so do pairs with a batch
/// norm between them: fold those first. Returns the number of pairs.
///
/// source  Nagel et al.: Data-free quantization through weight equalization and bias correction, ICCV
/// 2019, 4.1
int lac_equalize(lac_graph *graph);

/// Moves what every image has in common from a layer through its ReLU into the next layer's bias:
///
///   c[i] = max(0, smallest value of channel i before the ReLU);  b1[i] -= c[i];  b2 += sum_i w2[:, i] * c[i]
///
/// Only where the next layer has no padding: a padded pixel has no c. Smallest means over the calibration
/// images. Adds up into *n_channels what was moved.
///
/// source  Nagel et al., section 4.1.3 (there c comes from the batch norm's deviations)
lac_status lac_absorb_biases(lac_graph *graph, const lac_dataset *data, uint32_t images, int *n_channels,
                             lac_error *err) LAC_MUST_CHECK;

/// A layer and the one that alone reads what comes of it.
typedef struct lac_layer_pair {
    int first, second;
    bool relu; ///< between them
    bool pool;
} lac_layer_pair;

/// The pair that begins at node `first`; false when there is none.
bool lac_layer_pair_find(const lac_graph *graph, int first, lac_layer_pair *out);

/// Gives a layer with weights a bias of zeros where it has none; the bias's value.
int lac_layer_bias(lac_graph *graph, int node);

#endif
