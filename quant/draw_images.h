#ifndef LAC_DRAW_IMAGES_H
#define LAC_DRAW_IMAGES_H

#include "dataset.h"

/// The data set with n images of its training part in the place of all, drawn by seed without replacement, in
/// the order drawn: whoever takes the first of them takes a draw, too. All images, shuffled, where there are
/// no more.
///
/// memory  pixels and labels from arena
lac_dataset lac_draw_images(const lac_dataset *data, uint32_t n, uint64_t seed, lac_arena *arena);

#endif
