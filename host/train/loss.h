#ifndef LAC_LOSS_H
#define LAC_LOSS_H

#include <stdint.h>

typedef struct lac_loss {
    double sum; ///< of the images' losses
    uint32_t n_right;
} lac_loss;

/// Softmax cross-entropy of a batch, with label smoothing e.
///
///   target[k] = (1 - e) * [k = label] + e / classes;  loss = -sum_k target[k] * log softmax(logits)[k]
///   gradient = (softmax(logits) - target) / n, of the batch's mean loss
///
/// shape   logits, gradient [n][n_classes]; gradient may be NULL
/// memory  allocates nothing
/// source  Szegedy et al.: Rethinking the inception architecture, CVPR 2016, section 7
lac_loss lac_softmax_cross_entropy(const float *logits, const uint8_t *labels, uint32_t n, int n_classes,
                                   float smoothing, float *gradient);

#endif
