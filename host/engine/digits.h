#ifndef LAC_DIGITS_H
#define LAC_DIGITS_H

#include <stdint.h>

/// Weights as signed radix-4 digits, for DIGIT lanes.

enum {
    LAC_MOST_PLANES = 4, ///< digits of a weight of 8 bits
    LAC_DIGIT_BITS = 3,  ///< WEIGHT_BITS of a list of digits
    LAC_DIGIT_MARK = -4, ///< in place of a digit: the next plane begins
};

/// Recodes a weight into digits of {-2, -1, 0, 1, 2} of which as few as possible are not zero, and of those
/// recodings one with the fewest planes.
///
///   weight = sum_p digits[p] * 4^p
///
/// range   weight in [-128, 127]
/// returns number of planes: digits from there on are zero; 0 for weight 0
int lac_digits_of(int weight, int8_t digits[LAC_MOST_PLANES]);

#endif
