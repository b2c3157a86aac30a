#ifndef LAC_DROP_H
#define LAC_DROP_H

#include <stdbool.h>
#include <stdint.h>

/// A random share of the elements of an array, drawn from a counter: the same (draw, element) falls the same
/// way whatever the number of threads or the order.
typedef struct lac_drop {
    float share;   ///< 0: none .. 1: all
    uint64_t draw; ///< another number draws anew
} lac_drop;

/// Share in units of 2^-24, for lac_drop_takes.
static inline uint32_t lac_drop_limit(const lac_drop *drop) {
    return (uint32_t)(drop->share * 16777216.0f);
}

/// Is element i in the share? The hash is the finaliser "lowbias32" between the halves of draw.
///
/// source  Wellons: Prospecting for hash functions, 2018
static inline bool lac_drop_takes(const lac_drop *drop, uint32_t limit, uint32_t i) {
    uint32_t h = i * 0x9e3779b9u + (uint32_t)drop->draw;
    h = (h ^ h >> 16) * 0x7feb352du;
    h = (h ^ h >> 15) * 0x846ca68bu;
    h ^= h >> 16 ^ (uint32_t)(drop->draw >> 32);
    h = (h ^ h >> 16) * 0x7feb352du;
    return (h ^ h >> 15) >> 8 < limit;
}

#endif
