#include "list_cost.h"

enum { WORD_BITS = 64, WIDEST_ENTRY = 16, LEAST_WEIGHT_BITS = 2 };

typedef struct list_format {
    int64_t inputs, places;
    bool taps_inside; // the minor position is the tap, not the channel
    int entry_bits, weight_bits;
} list_format;

// One channel's list: entries of gap and weight, skips where gaps are too wide, and the end.
static void add_row(const list_format *f, const float *row, lac_list_cost *cost) {
    int64_t minor = f->taps_inside ? f->places : f->inputs, at = -1, slots = 0;
    int64_t most = (int64_t)1 << (f->entry_bits - f->weight_bits), reach = most < minor ? most : minor;
    int64_t skip = most - 1 < minor ? most - 1 : minor;
    for (int64_t p = 0; p < f->inputs * f->places; p++) {
        int64_t i = f->taps_inside ? p / f->places : p % f->inputs;
        int64_t k = f->taps_inside ? p % f->places : p / f->inputs;
        if (row[i * f->places + k] == 0) continue;
        int64_t over = p - at - reach;
        slots += 1 + (over > 0 ? (over + skip - 1) / skip : 0);
        at = p;
    }
    int64_t per_word = WORD_BITS / f->entry_bits;
    cost->slots += (uint64_t)slots;
    cost->words += (uint64_t)((slots + 1 + per_word - 1) / per_word);
}

lac_list_cost lac_list_cost_of(const float *w, int64_t rows, int64_t inputs, int64_t places,
                               int weight_bits) {
    lac_list_cost best = {0, UINT64_MAX, UINT64_MAX};
    uint64_t least_cycles = UINT64_MAX;
    if (weight_bits < LEAST_WEIGHT_BITS) weight_bits = LEAST_WEIGHT_BITS;
    for (int entry_bits = 4; entry_bits <= WIDEST_ENTRY; entry_bits *= 2)
        for (int taps = 0; taps < 2; taps++) {
            list_format f = {inputs, places, taps, entry_bits, weight_bits};
            lac_list_cost cost = {0, 0, 0};
            if (entry_bits <= weight_bits) continue;
            for (int64_t r = 0; r < rows; r++) add_row(&f, w + r * inputs * places, &cost);
            uint64_t words = cost.words + (uint64_t)rows, cycles = cost.slots > words ? cost.slots : words;
            if (cycles < least_cycles) least_cycles = cycles;
            if (cost.words < best.words) best = cost;
        }
    best.least_cycles = least_cycles;
    return best;
}
