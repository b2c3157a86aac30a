#ifndef LAC_DIGIT_PULL_H
#define LAC_DIGIT_PULL_H

#include "quantize.h"

/// A penalty on the digits of weights while they train: the envelope of the digit count over all codes, so
/// that a weight that no code with fewer digits is near is left alone.
///
///   R = pull * sum over weights of min over codes c of (w - c s)^2 / 2 + s^2 reach^2 / 2 * digits(c)
///   dR/dw = pull * (w - c* s), c* the code of that minimum
///
/// Saving a digit is worth moving by `reach` codes. The same c* is the code that the forward pass computes
/// with, so that the pull only has to bring a weight home.
///
/// source  Moreau's envelope and its gradient (Parikh, Boyd: Proximal algorithms, 2014, section 3.1)

/// c* of v = w / s as the table that lac_quant_rule reads, v rounded to the middle of its half. A code with
/// more than most_digits digits is none (0: all are).
///
/// memory  from arena
const int8_t *lac_digit_levels(int lowest, int highest, int most_digits, double reach, lac_arena *arena);

/// R over n weights of n_scales channels; adds dR/dw to gradient (NULL: does not).
double lac_digit_pull(const int8_t *level, double pull, double reach, const float *w, size_t n,
                      const float *scale, int n_scales, float *gradient);

#endif
