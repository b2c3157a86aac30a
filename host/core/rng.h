#ifndef LAC_RNG_H
#define LAC_RNG_H

#include <stdint.h>

/// A counter-based random stream: the same (seed, stream) gives the same numbers whatever the thread count or
/// order.
///
///   n-th number = mix(key + n * golden), mix being SplitMix64's finaliser
///
/// source  Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014
typedef struct lac_rng {
    uint64_t state;
} lac_rng;

lac_rng lac_rng_make(uint64_t seed, uint64_t stream);
uint64_t lac_rng_u64(lac_rng *rng);
/// Uniform in [0, n); n > 0. Unbiased.
uint32_t lac_rng_below(lac_rng *rng, uint32_t n);
/// Uniform in [0, 1).
float lac_rng_uniform(lac_rng *rng);
/// Normal, mean 0, deviation 1 (Box-Muller).
float lac_rng_normal(lac_rng *rng);
/// Fisher-Yates shuffle.
void lac_rng_shuffle(lac_rng *rng, uint32_t *items, uint32_t n);

#endif
