#ifndef LAC_RANGE_H
#define LAC_RANGE_H

#include "quantize.h"

/// What calibration saw of one activation tensor.
typedef struct lac_range_samples {
    const float *x; ///< values at a stride
    size_t n;
    const float *low, *high; ///< extremes of each batch, over all of its values; n_batches 0: those of x
    int n_batches;
} lac_range_samples;

/// The codes that a range is mapped to.
typedef struct lac_code_grid {
    int lowest, highest;
    bool asymmetric;   ///< with a zero point; else zero is code 0
    bool power_of_two; ///< scale is 2^k
} lac_code_grid;

/// Scale and zero point of a tensor by one of the rules.
///
///   real = scale * (code - zero);  symmetric: zero = 0;  asymmetric: real zero is a code
///
/// range   scale 0 when nothing is representable other than by code 0 (all zero, or all of the sign without
///         codes)
/// memory  scratch for histograms and sorting
/// source  Jacob et al., CVPR 2018 (min-max, moving average); McKinstry et al., 2018 (percentile); Migacz,
/// GTC
///         2017 (KL); Sung et al., 2015 (squared error)
void lac_range_fit(lac_range_kind kind, double percentile, const lac_range_samples *samples,
                   lac_code_grid grid, lac_arena *scratch, float *scale, int *zero);

/// Clipping point T over a histogram of |x|: the T whose histogram, clipped and then merged to n_levels, has
/// the least divergence from the clipped one. Returns the number of bins kept.
int lac_range_kl_bins(const double *bins, int n_bins, int n_levels);

/// The power of two, next below or above scale, with the less squared error over x.
float lac_scale_power_of_two(const float *x, size_t n, float scale, int lowest, int highest);

#endif
