#ifndef LAC_AUGMENT_H
#define LAC_AUGMENT_H

#include "dataset.h"

#include <stdbool.h>

/// Bytes to normalised floats, with random crops and mirrors. What happens to an image depends on (seed,
/// epoch, image) alone.
typedef struct lac_augment {
    int c, h, w;
    int crop_pad;
    bool flip;
    uint64_t seed;
    float table[4][256]; ///< normalised value of each byte, per channel
} lac_augment;

lac_augment lac_augment_make(const lac_dataset *data, int crop_pad, bool flip, uint64_t seed);

/// Fills out [n][c][h][w] with images items[0..n-1] of a split (NULL: the first n) as they appear in an
/// epoch; epoch -1 means untouched.
///
/// memory  allocates nothing; runs on all threads
void lac_augment_batch(const lac_augment *a, const uint8_t *pixels, const uint32_t *items, uint32_t n,
                       int64_t epoch, float *out);

#endif
