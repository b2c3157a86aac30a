#ifndef LAC_QUANT_REPORT_H
#define LAC_QUANT_REPORT_H

#include "quantize.h"

/// What quantization did to one layer with weights.
typedef struct lac_quant_row {
    const char *name;
    int weight_bits, in_bits, out_bits; ///< out_bits 32: raw sums
    uint64_t n_weights, n_zeros;
    int64_t digits; ///< non-zero radix-4 digits of all weights
    int acc_bits;
    double low, high;      ///< of the float layer's output, after its ReLU
    double weight_sqnr_db; ///< of the weights against the float ones
    double sqnr_db;        ///< of the output after its quantizer against the float graph's
} lac_quant_row;

/// One row a layer with weights, in the order of the graph. float_graph computes what quantized approximates,
/// in the same scales: after equalisation, if there was any.
///
///   sqnr = 10 log10(sum y^2 / sum (y - y')^2) over the first `images` images of the validation part
///
/// memory  rows from arena
lac_status lac_quant_report(const lac_graph *float_graph, const lac_graph *quantized,
                            const lac_int_graph *integers, const lac_dataset *data, uint32_t images,
                            lac_arena *arena, lac_quant_row **rows, int *n_rows,
                            lac_error *err) LAC_MUST_CHECK;

#endif
