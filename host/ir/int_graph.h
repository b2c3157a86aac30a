#ifndef LAC_INT_GRAPH_H
#define LAC_INT_GRAPH_H

#include "graph.h"

/// The integer graph: what the hardware computes, exactly. Made by lowering a quantized float graph, executed
/// by `ref`, compiled for the engine. The arithmetic is hls/include/lac_num.h.

/// Codes of an activation tensor: real = scale * (code - zero).
typedef struct lac_code_type {
    int bits; ///< 1..8; 32 marks raw accumulators
    bool is_signed;
    int zero;
    double scale; ///< per tensor; raw accumulators have a scale per channel in their layer
} lac_code_type;

enum { LAC_TABLE_CODES = 256 };

/// An activation tensor of one image, C x H x W; a vector is C x 1 x 1.
typedef struct lac_int_tensor {
    const char *name;
    int c, h, w;
    lac_code_type type;
} lac_int_tensor;

typedef enum lac_int_kind {
    LAC_INT_CONV2D,   ///< a fully connected layer is the convolution whose kernel is the whole map
    LAC_INT_ADD,      ///< acc = add_w[0] * q0 + add_w[1] * q1
    LAC_INT_MAX_POOL, ///< on codes; padding never wins
    LAC_INT_AVG_POOL, ///< acc = sum of codes; 1/n is in m. Padding counts as real zero. Global pooling:
                      ///< kernel = map
    LAC_INT_CONCAT,   ///< along channels; all inputs have the output's type
    LAC_INT_TABLE,    ///< y = table[q]: an activation, from codes to codes of another type
    LAC_INT_MUL, ///< acc = q0 * (q1 - zero of q1); q1 has one pixel and one code for each channel of q0, or
                 ///< one channel and the pixels of q0; q0 has zero point 0, and q1 - zero is in -128..127
    LAC_N_INT_KINDS
} lac_int_kind;

typedef struct lac_int_layer {
    lac_int_kind kind;
    const char *name;
    int n_in;
    int *in; ///< tensor indices
    int out; ///< tensor index

    lac_window window; ///< CONV2D, MAX_POOL, AVG_POOL
    int weight_bits;   ///< CONV2D: 1..8; 1 means {-1,+1}
    int8_t *w;         ///< CONV2D: [out c][in c / groups][kh][kw], symmetric codes
    int8_t add_w[2];   ///< ADD: 1..127
    uint8_t *table;    ///< TABLE: [LAC_TABLE_CODES] codes as bytes, by the low byte of the input's code

    /// CONV2D, ADD, AVG_POOL, MUL: one of each per output channel. With q the input codes as stored, bias[o]
    /// already holds the term -zero_in * sum(w) (padding contributes code zero_in, so the sum runs over all
    /// taps), and
    ///   y = requantize(acc, bias[o], m[o], s[o], lo, hi, zero of the output type)
    int32_t *bias;
    uint16_t *m;
    uint8_t *s;
    int lo, hi;        ///< before zero is added
    bool raw;          ///< y = acc + bias[o], no requantisation; the output type has bits 32
    double *raw_scale; ///< raw: real = raw_scale[o] * y, per output channel
} lac_int_layer;

typedef struct lac_int_graph {
    lac_arena *arena;
    const char *name;
    lac_int_tensor *tensors;
    int n_tensors;
    lac_int_layer *layers; ///< topological order
    int n_layers;
    int input, output; ///< tensor indices
    /// Input codes from pixels: normalised x = (pixel - mean[c]) / std[c] with pixel 0..255, then
    /// code = clamp(round_half_even(x / scale) + zero). When scale * std = 1 and zero = mean, code = pixel.
    float input_mean[4], input_std[4];
} lac_int_graph;

/// Has two operands and no window?
static inline bool lac_int_kind_is_binary(lac_int_kind kind) {
    return kind == LAC_INT_ADD || kind == LAC_INT_MUL;
}

/// Are the factors of a product one a pixel, not one a channel?
static inline bool lac_int_factors_are_of_pixels(const lac_int_graph *graph, const lac_int_layer *mul) {
    const lac_int_tensor *map = &graph->tensors[mul->in[0]], *factors = &graph->tensors[mul->in[1]];
    return factors->c != map->c || factors->h > 1 || factors->w > 1;
}

static inline bool lac_int_kind_has_window(lac_int_kind kind) {
    return kind == LAC_INT_CONV2D || kind == LAC_INT_MAX_POOL || kind == LAC_INT_AVG_POOL;
}

/// Only rearranges or renames codes: has neither biases nor multipliers.
static inline bool lac_int_kind_moves_codes(lac_int_kind kind) {
    return kind == LAC_INT_MAX_POOL || kind == LAC_INT_CONCAT || kind == LAC_INT_TABLE;
}

/// Name of a kind, "conv2d"; never NULL.
const char *lac_int_kind_name(lac_int_kind kind);

/// Smallest and largest value that acc + bias of a layer can take at any time while its terms are summed in
/// any order, from its actual weights and the range of its input codes.
///
/// exact   a proof, not an estimate: the bounds are reached by some input when inputs are independent
void lac_int_layer_bounds(const lac_int_graph *graph, const lac_int_layer *layer, int64_t *lowest,
                          int64_t *highest);

/// Bits of two's complement that hold the bounds.
int lac_int_layer_acc_bits(const lac_int_graph *graph, const lac_int_layer *layer);

/// Multiplier and shift with which y = acc.
enum { LAC_IDENTITY_M = 0x8000, LAC_IDENTITY_S = 15 };

/// Makes a layer pass codes of a type on: the sum of n_ones of them whose weight is one, its zero points
/// taken off, up to the clamp.
///
/// memory  bias, m and s of n_out channels from arena
void lac_int_layer_set_identity(lac_int_layer *layer, int n_out, int n_ones, const lac_code_type *type,
                                lac_arena *arena);

/// Multiply-accumulates of a layer with all weights counted / with non-zero weights only.
uint64_t lac_int_layer_macs(const lac_int_graph *graph, const lac_int_layer *layer, bool nonzero_only);

/// Number of weights of a layer, and of those that are not zero. 0 for layers without.
uint64_t lac_int_layer_weights(const lac_int_graph *graph, const lac_int_layer *layer, bool nonzero_only);

/// The invariants: shapes follow from windows, m has its top bit set or s is at its limit, codes in range,
/// one output.
///
/// errors  E_SHAPE, E_RANGE, E_FORMAT with the layer's name
lac_status lac_int_graph_check(const lac_int_graph *graph, lac_error *err) LAC_MUST_CHECK;

#endif
