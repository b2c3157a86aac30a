#ifndef LAC_QUANTIZE_H
#define LAC_QUANTIZE_H

#include "int_graph.h"
#include "train.h"

/// Quantizers: a float graph in, a graph with QUANT / BIPOLAR_QUANT nodes out. One file a method, one row in
/// quant.def.

/// How the range of a tensor follows from what calibration saw of it: a row of range.def.
typedef enum lac_range_kind {
#define LAC_RANGE(id, name, help) LAC_RANGE_##id,
#include "range.def"
#undef LAC_RANGE
    LAC_N_RANGES
} lac_range_kind;

/// Widths of one layer that differ from the rest.
typedef struct lac_layer_widths {
    const char *layer; ///< name of the convolution or linear node
    int weights, acts; ///< bits of its weights, and of the activations that enter it; 0: as the rest
} lac_layer_widths;

/// Zero means the default everywhere; a method ignores what it does not use.
typedef struct lac_quant_config {
    int weight_bits, act_bits; ///< 1..8
    bool ternary;              ///< weights in {-1,0,+1} (weight_bits is then ignored)
    int first_bits, last_bits; ///< widths of weights of the first and last layer, and of the activations that
                               ///< enter the last; 0: as the rest
    const lac_layer_widths *layers; ///< count before first_bits and last_bits
    int n_layers;
    lac_range_kind act_range, weight_range;
    double percentile; ///< of LAC_RANGE_PERCENTILE, in percent; 0: 99.99
    uint32_t images; ///< to calibrate on, from the training part; 0: 512. Methods that do not train draw them
                     ///< by recipe.seed
    uint32_t iterations; ///< brecq, qdrop: steps a block; 0: 1000
    bool asymmetric;     ///< activations of both signs get a zero point
    bool per_tensor;     ///< one scale for all weights of a layer, not one a channel
    bool power_of_two;   ///< scales are powers of two
    bool equalize;       ///< post-training: cross-layer equalisation
    bool absorb_bias;    ///< post-training: high biases move into the next layer
    bool correct_bias;   ///< post-training: biases undo the mean error of their layer's output
    bool reestimate;     ///< post-training: batch norms stay and measure their statistics again
    double digits; ///< post-training: target for digits of weights, as a share of nearest rounding's; 0: none
    int most_digits;          ///< lsq: codes of more radix-4 digits are not used; 0: all are
    float digit_pull;         ///< lsq: weight of the penalty on digits (digit_pull.h); 0: none
    float digit_reach;        ///< of that penalty, in codes; 0: 4
    int acc_bits;             ///< guaranteed width of every accumulator; 0: as it comes
    lac_recipe recipe;        ///< of the fine-tuning, where the method trains
    float distill;            ///< share that a teacher has in the loss of the fine-tuning; 0: none
    float temperature;        ///< of the teacher's answers; 0: 4
    const lac_graph *teacher; ///< NULL: the graph before it is quantized
} lac_quant_config;

typedef struct lac_quantizer_desc {
    const char *name, *help, *source;
    bool trains;        ///< by the recipe; the others need calibration images alone
    bool limits_digits; ///< follows most_digits and digit_pull
    /// graph is changed in place; on error it is unusable.
    lac_status (*run)(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err);
} lac_quantizer_desc;

/// Name of a row of range.def and what it does; NULL past the end.
const char *lac_range_name(int i);
const char *lac_range_help(int i);

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
