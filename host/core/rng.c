#include "rng.h"

#include <math.h>

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

lac_rng lac_rng_make(uint64_t seed, uint64_t stream) {
    return (lac_rng){mix(mix(seed + 0x632BE59BD9B4E019u) ^ (stream * 0x9E3779B97F4A7C15u))};
}

uint64_t lac_rng_u64(lac_rng *rng) {
    rng->state += 0x9E3779B97F4A7C15u;
    return mix(rng->state);
}

uint32_t lac_rng_below(lac_rng *rng, uint32_t n) {
    uint32_t threshold = -n % n; // rejects the short first lap of 2^32 mod n
    for (;;) {
        uint64_t product = (uint64_t)(uint32_t)(lac_rng_u64(rng) >> 32) * n;
        if ((uint32_t)product >= threshold) return (uint32_t)(product >> 32);
    }
}

float lac_rng_uniform(lac_rng *rng) {
    return (float)(lac_rng_u64(rng) >> 40) * 0x1p-24f;
}

float lac_rng_normal(lac_rng *rng) {
    const double two_pi = 6.283185307179586;
    double u = 1.0 - (double)lac_rng_uniform(rng), v = (double)lac_rng_uniform(rng);
    return (float)(sqrt(-2.0 * log(u)) * cos(two_pi * v));
}

void lac_rng_shuffle(lac_rng *rng, uint32_t *items, uint32_t n) {
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = lac_rng_below(rng, i);
        uint32_t swap = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swap;
    }
}
