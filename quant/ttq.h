#ifndef LAC_TTQ_H
#define LAC_TTQ_H

#include "quantize.h"

/// The codes p and n, 1..127, that stand for two learned scales in one layer of integers.
///
///   of all pairs with |(p / n) / (positive / negative) - 1| <= 1/128, the one with the fewest radix-4 digits
///   over so many weights of each; of those, the nearest ratio; of those, the smallest n
///
/// range   scales above 0; a ratio beyond 1/127..127 counts as that
void lac_ternary_pair(double positive, double negative, int64_t n_positive, int64_t n_negative,
                      uint8_t pair[2]);

#endif
