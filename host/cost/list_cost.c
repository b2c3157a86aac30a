#include "list_cost.h"

#include "list_code.h"

enum { WIDEST_ENTRY = 16, LEAST_WEIGHT_BITS = 2 };

typedef struct layout {
    int64_t inputs, places;
    bool taps_inside; // the minor position is the tap, not the channel
    lac_list_format format;
} layout;

// One channel's list: entries of gap and weight, skips where gaps are too wide, and the end.
static void add_row(const layout *l, const float *row, lac_list_cost *cost) {
    int64_t at = -1;
    uint64_t slots = 0;
    for (int64_t p = 0; p < l->inputs * l->places; p++) {
        int64_t i = l->taps_inside ? p / l->places : p % l->inputs;
        int64_t k = l->taps_inside ? p % l->places : p / l->inputs;
        if (row[i * l->places + k] == 0) continue;
        slots += 1 + lac_list_skips(&l->format, p - at);
        at = p;
    }
    cost->slots += slots;
    cost->words += lac_list_words(&l->format, slots);
}

lac_list_cost lac_list_cost_of(const float *w, int64_t rows, int64_t inputs, int64_t places,
                               int weight_bits) {
    lac_list_cost best = {0, UINT64_MAX};
    if (weight_bits < LEAST_WEIGHT_BITS) weight_bits = LEAST_WEIGHT_BITS;
    for (int entry_bits = 4; entry_bits <= WIDEST_ENTRY; entry_bits *= 2)
        for (int taps = 0; taps < 2; taps++) {
            layout l = {inputs, places, taps, {entry_bits, weight_bits, (int)(taps ? places : inputs)}};
            lac_list_cost cost = {0, 0};
            if (entry_bits <= weight_bits) continue;
            for (int64_t r = 0; r < rows; r++) add_row(&l, w + r * inputs * places, &cost);
            if (cost.words < best.words) best = cost;
        }
    return best;
}
