#ifndef LAC_SCALE_SEARCH_H
#define LAC_SCALE_SEARCH_H

#include <stddef.h>

/// Scale that minimises the squared error of rounding x to codes lowest..highest times it.
///
///   argmin_s sum_i (x[i] - s * clamp(round(x[i] / s), lowest, highest))^2      over a fixed grid of s
///
/// range   0 when no x is representable other than by code 0 (all zero, or all of the sign without codes)
/// exact   deterministic; the grid is 1/128 .. 1 of the scale that clips nothing
float lac_scale_search(const float *x, size_t n, int lowest, int highest);

/// Mean of |x|: the scale of codes {-1,+1} with the least squared error.
float lac_scale_bipolar(const float *x, size_t n);

#endif
