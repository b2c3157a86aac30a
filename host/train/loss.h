#ifndef LAC_LOSS_H
#define LAC_LOSS_H

#include <stdint.h>

typedef struct lac_loss {
    double sum;       ///< over the images
    uint32_t n_right; ///< images whose label has the largest logit (the first one of equals)
} lac_loss;

/// What the logits of a batch should be. Zero members are none, except where noted.
typedef struct lac_targets {
    const uint8_t *labels;             ///< [n]
    const uint8_t *partners;           ///< [n] labels of the images mixed in
    float partner_share;               ///< of them in the mixture, 0..1
    float smoothing;                   ///< share of the target spread over all classes
    const float *teacher;              ///< [n][classes] logits to learn from
    float teacher_weight, temperature; ///< temperature > 0 where there is a teacher
    uint32_t n;
    int n_classes;
} lac_targets;

/// Loss against targets; gradient of its mean over the batch into `gradient` (NULL: not wanted).
///
///   CE   = - sum_k t_k log softmax(x)_k,  t = smoothing / K + (1 - smoothing) ((1 - s) onehot(label) + s
///   onehot(partner)) loss = (1 - w) CE + w T^2 sum_k p_k log(p_k / softmax(x / T)_k),  p = softmax(teacher /
///   T)
///
/// shape   logits, gradient [n][n_classes]
/// memory  allocates nothing; gradient must not overlap logits
lac_loss lac_softmax_loss(const float *logits, const lac_targets *targets, float *gradient);

/// The same without partners and teacher.
lac_loss lac_softmax_cross_entropy(const float *logits, const uint8_t *labels, uint32_t n, int n_classes,
                                   float smoothing, float *gradient);

/// weight * mean of (x - teacher)^2 over n elements; its gradient into `gradient`.
double lac_hint_loss(const float *x, const float *teacher, int64_t n, float weight, float *gradient);

#endif
