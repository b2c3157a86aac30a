#ifndef LAC_LIST_H
#define LAC_LIST_H

#include "list_code.h"
#include "plan.h"

/// What a list takes in a format.
typedef struct lac_list_size {
    uint64_t n_entries, n_nulls, n_skips, n_words; ///< marks are skips; words without the channel header
} lac_list_size;

lac_list_size lac_list_measure(const lac_list_format *format, const lac_list_item *items, int n);

/// Writes the entries, skips and the end of a list; words has room for lac_list_measure's n_words, zeroed.
void lac_list_write(const lac_list_format *format, const lac_list_item *items, int n, uint64_t *words);

#endif
