#ifndef LAC_QUANT_CODES_H
#define LAC_QUANT_CODES_H

#include "graph.h"

/// What a QUANT node does to one activation tensor: code = clamp(round(x / scale) + zero, lowest, highest).
typedef struct lac_quant_params {
    int bits;
    bool is_signed;
    int lowest, highest; ///< codes, narrow ranges considered
    int zero;
    double scale;
} lac_quant_params;

/// Weight codes of one convolution or linear layer.
typedef struct lac_weight_codes {
    int bits;
    int n_out, n_per_out;
    int8_t *code;  ///< [n_out][n_per_out]
    double *scale; ///< [n_out]
} lac_weight_codes;

/// The node of the quantizer whose codes a value holds, through nodes that pass codes on; -1 for none.
int lac_quantizer_of(const lac_graph *graph, int value);

/// Smallest and largest code of a quantizer's attributes.
int lac_quant_lowest(lac_quant_attr attr);
int lac_quant_highest(lac_quant_attr attr);

/// Reads the per-tensor quantizer in node `index`.
///
/// errors  E_UNSUPPORTED (bipolar, a scale per channel, a zero point that is no integer), E_RANGE (scale)
lac_status lac_quant_params_read(const lac_graph *graph, int index, lac_quant_params *out,
                                 lac_error *err) LAC_MUST_CHECK;

/// Reads the weights of CONV2D or LINEAR node `index` as codes, rounding exactly as the float op does.
///
/// memory  code and scale from arena
/// errors  E_UNSUPPORTED: no quantizer before the weights, a zero point, a code without a negative
lac_status lac_weight_codes_read(const lac_graph *graph, int index, lac_arena *arena, lac_weight_codes *out,
                                 lac_error *err) LAC_MUST_CHECK;

#endif
