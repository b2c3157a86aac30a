#ifndef LAC_QUANTIZE_H
#define LAC_QUANTIZE_H

#include "int_graph.h"
#include "train.h"

/// Quantizers: a float graph in, a graph with QUANT / BIPOLAR_QUANT nodes out. One file a method, one row in
/// quant.def.

typedef struct lac_quant_config {
    int weight_bits, act_bits; ///< 1..8
    bool ternary;              ///< weights in {-1,0,+1} (weight_bits is then ignored)
    int first_bits, last_bits; ///< widths of weights of the first and last layer, and of the activations that
                               ///< enter the last; 0: as the rest
    lac_recipe recipe;         ///< of the fine-tuning, where the method trains
} lac_quant_config;

typedef struct lac_quantizer_desc {
    const char *name, *help, *source;
    /// graph is changed in place; on error it is unusable.
    lac_status (*run)(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err);
} lac_quantizer_desc;

int lac_n_quantizers(void);
const lac_quantizer_desc *lac_quantizer_row(int i);

/// Lowers a quantized graph to integers under the law of numbers: batch norms folded exactly, scales into (m,
/// s), zero points into biases, chains conv/add/pool - batch norm - relu - quant into one layer each.
///
/// memory  from arena
/// errors  E_UNSUPPORTED (names the node that has no quantizer or no integer form, and the remedy), E_RANGE
lac_status lac_lower(const lac_graph *graph, const lac_dataset *normalization, lac_arena *arena,
                     lac_int_graph **out, lac_error *err) LAC_MUST_CHECK;

#endif
