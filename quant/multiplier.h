#ifndef LAC_MULTIPLIER_H
#define LAC_MULTIPLIER_H

#include <stdint.h>

/// Nearest m * 2^-s to a scale of 0 or more: m of 16 bits with its top bit set where s allows.
///
/// range   s in [1, 46]; a scale of 2^15 or more becomes 65535 / 2: every sum but 0 is then beyond any code
/// exact   |m * 2^-s - scale| <= 2^-16 * scale for scales in [2^-31, 2^15)
void lac_multiplier(double scale, uint16_t *m, uint8_t *s);

/// m * 2^-s.
double lac_multiplier_value(uint16_t m, uint8_t s);

/// Integers 1..127 whose ratio is nearest to that of two scales; the smallest such pair that is within float
/// rounding of it, where there is one.
void lac_add_ratio(double scale0, double scale1, int8_t w[2]);

#endif
