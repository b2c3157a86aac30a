#include "list.h"

#include <assert.h>

/// Skips needed before an entry that is `advance` positions on.
static uint64_t skips_before(const lac_list_format *f, int64_t advance) {
    int64_t over = advance - lac_list_entry_advance(f);
    if (over <= 0) return 0;
    int64_t skip = lac_list_skip_advance(f);
    return (uint64_t)((over + skip - 1) / skip);
}

lac_list_size lac_list_measure(const lac_list_format *f, const lac_list_item *items, int n) {
    lac_list_size size = {.n_entries = (uint64_t)n};
    int64_t at = -1;
    for (int i = 0; i < n; i++) {
        size.n_skips += skips_before(f, items[i].position - at);
        at = items[i].position;
    }
    uint64_t per_word = 64 / (uint64_t)f->entry_bits;
    size.n_words = (size.n_entries + size.n_skips + 1 + per_word - 1) / per_word;
    return size;
}

typedef struct writer {
    uint64_t *words;
    size_t n_bits;
} writer;

static void put(writer *w, const lac_list_format *f, int weight, int64_t gap) {
    uint64_t mask = ((uint64_t)1 << f->weight_bits) - 1;
    uint64_t entry = ((uint64_t)weight & mask) | (uint64_t)gap << f->weight_bits;
    w->words[w->n_bits / 64] |= entry << w->n_bits % 64;
    w->n_bits += (size_t)f->entry_bits;
}

void lac_list_write(const lac_list_format *f, const lac_list_item *items, int n, uint64_t *words) {
    assert(f->entry_bits > f->weight_bits);
    writer w = {words, 0};
    int64_t at = -1, end = ((int64_t)1 << (f->entry_bits - f->weight_bits)) - 1;
    for (int i = 0; i < n; i++) {
        int64_t advance = items[i].position - at;
        for (uint64_t left = skips_before(f, advance); left > 0; left--) {
            int64_t step = lac_list_skip_advance(f);
            if (step > advance - 1) step = advance - 1;
            put(&w, f, 0, step - 1);
            advance -= step;
        }
        put(&w, f, items[i].weight, advance - 1);
        at = items[i].position;
    }
    put(&w, f, 0, end);
}
