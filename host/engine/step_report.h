#ifndef LAC_STEP_REPORT_H
#define LAC_STEP_REPORT_H

#include "image.h"
#include "step_clock.h"

/// What a program step costs, before it runs: for `compile --report` and for budgets.

/// Predicts the cycles of every step at full stream rate.
///
/// shape   costs [image->n_steps]
/// exact   within 2 % of the RTL (tested)
void lac_image_costs(const lac_image *image, lac_step_cost *costs);

typedef struct lac_step_row {
    const char *name, *kind;                    ///< kind: "conv2d", "conv2d + max_pool", ...
    char in_shape[32], out_shape[32], tile[32]; ///< "16x28x28"; tile of the input, "4x4"
    uint64_t n_weights, n_nonzero;              ///< 0 for steps without weights
    uint64_t n_entries, n_skips;
    uint64_t list_bytes;     ///< of the stream: headers, entries, padding
    double bits_per_nonzero; ///< list_bytes * 8 / entries
    const char *format;      ///< "4+4 by channel": gap + weight bits, what the minor position counts
    int acc_bits;            ///< that the bounds need
    uint64_t n_macs;         ///< multiply-accumulates with non-zero weights
    uint64_t ideal_cycles;   ///< entries * pixels visited of the tile
    lac_step_cost cost;
    double utilization; ///< n_macs / (cycles * lanes)
    const char *reason; ///< what keeps cycles above ideal, or lanes below 1; a short sentence
} lac_step_row;

/// One row a step.
///
/// memory  rows from arena
void lac_step_report(const lac_image *image, lac_arena *arena, lac_step_row **rows);

#endif
