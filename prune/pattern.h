#ifndef LAC_PATTERN_H
#define LAC_PATTERN_H

#include "sparse.h"

/// Patterns of 3x3 kernels are 9 bits, bit k for place k. A kernel's own pattern is its centre and the three
/// largest of the other weights, the first of equals.
enum { LAC_PATTERNS = 8 };
int lac_pattern_of(const float kernel[9]);

/// The patterns that most kernels have, the smaller number of equals first; returns how many there are.
int lac_pattern_dictionary(const float *w, size_t n_kernels, int dictionary[LAC_PATTERNS]);

/// The pattern of the dictionary that keeps most of a kernel's energy.
int lac_pattern_best(const float kernel[9], const int *dictionary, int n);

#endif
