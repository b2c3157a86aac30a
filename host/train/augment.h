#ifndef LAC_AUGMENT_H
#define LAC_AUGMENT_H

#include "dataset.h"

#include <stdbool.h>

/// Bytes to normalised floats, with random crops, mirrors, squares cut out and rectangles erased. What
/// happens to an image depends on (seed, epoch, image) alone.
typedef struct lac_augment {
    int c, h, w;
    int crop_pad;
    bool flip;
    int cutout;  ///< side of a square, centred anywhere on the image, that is set to 0 (the mean); 0 is none
    float erase; ///< probability that a rectangle is filled with random bytes, normalised
    uint64_t seed;
    float table[4][256]; ///< normalised value of each byte, per channel
} lac_augment;

/// cutout and erase are left at none.
///
/// source  DeVries, Taylor: Improved regularization of CNNs with cutout, arXiv 1708.04552;
///         Zhong et al.: Random erasing data augmentation, AAAI 2020 (area 2 % to a third, aspect 0.3 to 3.3)
lac_augment lac_augment_make(const lac_dataset *data, int crop_pad, bool flip, uint64_t seed);

/// Fills out [n][c][h][w] with images items[0..n-1] of a split (NULL: the first n) as they appear in an
/// epoch; epoch -1 means untouched.
///
/// memory  allocates nothing; lac_augment_batch runs on all threads, lac_augment_image on the caller's
void lac_augment_batch(const lac_augment *a, const uint8_t *pixels, const uint32_t *items, uint32_t n,
                       int64_t epoch, float *out);
void lac_augment_image(const lac_augment *augment, const uint8_t *pixels, uint32_t item, int64_t epoch,
                       float *out);

#endif
