#ifndef LAC_LIST_H
#define LAC_LIST_H

#include "plan.h"

/// The coding of one list (docs/image-format.md, "Lists").
typedef struct lac_list_format {
    int entry_bits, weight_bits, minor; ///< an item without weight is an entry of its own, see digits.h
} lac_list_format;

/// What a list takes in a format.
typedef struct lac_list_size {
    uint64_t n_entries, n_nulls, n_skips, n_words; ///< marks are skips; words without the channel header
} lac_list_size;

/// Steps of the position: the furthest that one entry, and one skip, can go.
static inline int64_t lac_list_entry_advance(const lac_list_format *f) {
    int64_t most = (int64_t)1 << (f->entry_bits - f->weight_bits);
    return most < f->minor ? most : f->minor;
}
static inline int64_t lac_list_skip_advance(const lac_list_format *f) {
    int64_t most = ((int64_t)1 << (f->entry_bits - f->weight_bits)) - 1;
    return most < f->minor ? most : f->minor;
}

lac_list_size lac_list_measure(const lac_list_format *format, const lac_list_item *items, int n);

/// Writes the entries, skips and the end of a list; words has room for lac_list_measure's n_words, zeroed.
void lac_list_write(const lac_list_format *format, const lac_list_item *items, int n, uint64_t *words);

#endif
