#ifndef LAC_LIST_COST_H
#define LAC_LIST_COST_H

#include <stdbool.h>
#include <stdint.h>

/// What the engine's lists of a layer take (docs/image-format.md, "Lists"), from weights alone.
typedef struct lac_list_cost {
    uint64_t slots; ///< entries and skips of all channels, which the decoder works through one a cycle
    uint64_t words; ///< 64-bit words without headers
} lac_list_cost;

/// Of the orders and entry widths, the one with the fewest words.
///
/// shape   w [rows][inputs][places]
/// range   weight_bits 2..8; 1 counts as 2
lac_list_cost lac_list_cost_of(const float *w, int64_t rows, int64_t inputs, int64_t places, int weight_bits);

#endif
