#include "account.h"

#include "list_cost.h"

enum { RUN_BITS = 4, WORD_BYTES = 8 };

static uint64_t bytes_of(uint64_t bits) {
    return (bits + 7) / 8;
}

static int bits_for(uint64_t most) {
    int bits = 1;
    while (most >> bits) bits++;
    return bits;
}

// Pairs of (distance in `width` bits, value) for one row; distances that do not fit pass over zeros by a
// value of 0.
static uint64_t row_pairs(const float *row, int64_t n, int width) {
    uint64_t most = (1u << width) - 1, run = 0, pairs = 0;
    for (int64_t i = 0; i < n; i++) {
        if (row[i] == 0) {
            run++;
            continue;
        }
        pairs += run / (most + 1) + 1;
        run = 0;
    }
    return pairs;
}

static uint64_t pair_bits(const float *w, int64_t rows, int64_t n, int width, int weight_bits) {
    uint64_t pairs = 0;
    for (int64_t r = 0; r < rows; r++) pairs += row_pairs(w + r * n, n, width);
    return pairs * (uint64_t)(width + weight_bits);
}

static uint64_t delta_bits(const float *w, int64_t rows, int64_t n, int weight_bits) {
    uint64_t best = UINT64_MAX;
    for (int width = 1; width <= 8; width++) {
        uint64_t bits = pair_bits(w, rows, n, width, weight_bits);
        if (bits < best) best = bits;
    }
    return best;
}

lac_coded_bytes lac_coded_bytes_of(const float *w, int64_t rows, int64_t inputs, int64_t places,
                                   int weight_bits) {
    int64_t n = inputs * places;
    uint64_t nonzero = 0, bits = (uint64_t)weight_bits;
    for (int64_t i = 0; i < rows * n; i++) nonzero += w[i] != 0;
    lac_coded_bytes b = {.dense = bytes_of((uint64_t)(rows * n) * bits)};
    b.bitmap = bytes_of((uint64_t)(rows * n) + nonzero * bits);
    b.run = bytes_of(pair_bits(w, rows, n, RUN_BITS, weight_bits));
    b.delta = bytes_of(delta_bits(w, rows, n, weight_bits));
    b.csr = bytes_of(nonzero * (bits + (uint64_t)bits_for((uint64_t)n - 1)) +
                     (uint64_t)(rows + 1) * (uint64_t)bits_for(nonzero));
    b.stream = lac_list_cost_of(w, rows, inputs, places, weight_bits).words * WORD_BYTES +
               (uint64_t)rows * WORD_BYTES;
    return b;
}
