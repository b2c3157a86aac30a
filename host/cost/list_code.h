#ifndef LAC_LIST_CODE_H
#define LAC_LIST_CODE_H

#include <stdint.h>

/// What the coding of the engine's lists takes (docs/image-format.md, "Lists"): entries, skips, words.

typedef struct lac_list_format {
    int entry_bits, weight_bits, minor; ///< an item without weight is an entry of its own, see digits.h
} lac_list_format;

/// The furthest that one of them can go, in times the modulus of the minor position.
enum { LAC_LIST_TURNS = 3 };

/// Steps of the position: the furthest that one entry, and one skip, can go.
static inline int64_t lac_list_entry_advance(const lac_list_format *f) {
    int64_t most = (int64_t)1 << (f->entry_bits - f->weight_bits);
    return most < LAC_LIST_TURNS * f->minor ? most : LAC_LIST_TURNS * f->minor;
}
static inline int64_t lac_list_skip_advance(const lac_list_format *f) {
    int64_t most = ((int64_t)1 << (f->entry_bits - f->weight_bits)) - 1;
    return most < LAC_LIST_TURNS * f->minor ? most : LAC_LIST_TURNS * f->minor;
}

/// Skips needed before an entry that is `advance` positions on.
static inline uint64_t lac_list_skips(const lac_list_format *f, int64_t advance) {
    int64_t over = advance - lac_list_entry_advance(f), skip = lac_list_skip_advance(f);
    return over > 0 ? (uint64_t)((over + skip - 1) / skip) : 0;
}

/// 64-bit words of so many slots and the end.
static inline uint64_t lac_list_words(const lac_list_format *f, uint64_t n_slots) {
    uint64_t per_word = 64 / (uint64_t)f->entry_bits;
    return (n_slots + 1 + per_word - 1) / per_word;
}

/// What a step takes in one format.
typedef struct lac_list_price {
    uint64_t cycles, n_words;
} lac_list_price;

/// Of those that take the fewest cycles, or next to, the one with the fewest words; of equals the first.
static inline int lac_list_best(const lac_list_price *prices, int n) {
    enum { SLACK = 200 }; // one part in so many of the cycles is given up for a shorter stream
    uint64_t fewest = UINT64_MAX;
    int best = -1;
    for (int i = 0; i < n; i++)
        if (prices[i].cycles < fewest) fewest = prices[i].cycles;
    for (int i = 0; i < n; i++)
        if (prices[i].cycles <= fewest + fewest / SLACK &&
            (best < 0 || prices[i].n_words < prices[best].n_words))
            best = i;
    return best;
}

#endif
