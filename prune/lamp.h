#ifndef LAC_LAMP_H
#define LAC_LAMP_H

#include <stddef.h>

typedef struct lac_lamp_weight {
    double square; ///< of the weight
    size_t place;  ///< where its score goes
} lac_lamp_weight;

/// score = w^2 / sum of the squares of all weights of the layer that are not smaller.
///
/// memory  weights are sorted in place
/// source  Lee et al., ICLR 2021, equation 5
void lac_lamp_scores(lac_lamp_weight *weights, size_t n, float *score);

#endif
