#include "list.h"

#include "digits.h"

#include <assert.h>

static bool begins_plane(const lac_list_item *items, int i) {
    return items[i].plane != (i ? items[i - 1].plane : 0);
}

lac_list_size lac_list_measure(const lac_list_format *f, const lac_list_item *items, int n) {
    lac_list_size size = {.n_entries = 0};
    int64_t at = -1;
    for (int i = 0; i < n; i++) {
        if (begins_plane(items, i)) at = -1;
        if (items[i].weight == 0) {
            size.n_nulls++;
            continue;
        }
        size.n_entries++;
        size.n_skips += begins_plane(items, i) + lac_list_skips(f, items[i].position - at);
        at = items[i].position;
    }
    size.n_words = lac_list_words(f, size.n_entries + size.n_nulls + size.n_skips);
    return size;
}

typedef struct writer {
    const lac_list_format *format;
    uint64_t *words;
    size_t n_bits;
    int64_t at; ///< position
} writer;

static void put(writer *w, int weight, int64_t gap) {
    const lac_list_format *f = w->format;
    uint64_t mask = ((uint64_t)1 << f->weight_bits) - 1;
    uint64_t entry = ((uint64_t)weight & mask) | (uint64_t)gap << f->weight_bits;
    w->words[w->n_bits / 64] |= entry << w->n_bits % 64;
    w->n_bits += (size_t)f->entry_bits;
}

static void put_mark(writer *w, bool is_null) {
    put(w, LAC_DIGIT_MARK, is_null);
    w->at = -1;
}

static void put_item(writer *w, const lac_list_item *item) {
    int64_t advance = item->position - w->at;
    for (uint64_t left = lac_list_skips(w->format, advance); left > 0; left--) {
        int64_t step = lac_list_skip_advance(w->format);
        if (step > advance - 1) step = advance - 1;
        put(w, 0, step - 1);
        advance -= step;
    }
    put(w, item->weight, advance - 1);
    w->at = item->position;
}

void lac_list_write(const lac_list_format *f, const lac_list_item *items, int n, uint64_t *words) {
    assert(f->entry_bits > f->weight_bits);
    writer w = {f, words, 0, -1};
    for (int i = 0; i < n; i++) {
        if (begins_plane(items, i)) put_mark(&w, items[i].weight == 0);
        if (items[i].weight != 0) put_item(&w, &items[i]);
    }
    put(&w, 0, ((int64_t)1 << (f->entry_bits - f->weight_bits)) - 1);
}
