#ifndef LAC_GRAPH_H
#define LAC_GRAPH_H

#include "arena.h"
#include "lac_status.h"

#include <stdbool.h>
#include <stdint.h>

/// The float graph: what training, pruning and quantization read and write, and what an ONNX file holds.
///
/// A graph is plain data in one arena: values (tensors by index) and nodes in topological order. Values that
/// are constants are the parameters. All floats are f32; activations are N x C x H x W or N x C with N =
/// dim[0] kept at 1 ("any batch").

enum { LAC_MAX_DIMS = 4, LAC_NO_VALUE = -1 };

typedef enum lac_op {
#define LAC_OP(id, name, onnx, domain, help) LAC_OP_##id,
#include "ops.def"
#undef LAC_OP
    LAC_N_OPS
} lac_op;

typedef struct lac_shape {
    int n_dims; ///< 0 is a scalar
    int64_t dim[LAC_MAX_DIMS];
} lac_shape;

int64_t lac_shape_count(lac_shape shape);
bool lac_shape_equal(lac_shape a, lac_shape b);
/// Can small be spread over large: as many dimensions, each the same or 1?
bool lac_shape_spreads(lac_shape small, lac_shape large);
/// "1x16x28x28" into text (at least 96 bytes); returns text.
const char *lac_shape_print(lac_shape shape, char text[96]);
#define LAC_SHAPE(...) ((lac_shape){sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), {__VA_ARGS__}})

/// A sliding window. pad is top, left, bottom, right, as in ONNX.
typedef struct lac_window {
    int kernel[2], stride[2], pad[4], dilation[2]; ///< y before x
    int groups;
} lac_window;

/// Output size of one axis (0 = y, 1 = x) for an input of `in` pixels; 0 or less when the window does not
/// fit.
int64_t lac_window_out(const lac_window *window, int axis, int64_t in);
/// The same of a transposed window, which has out_pad pixels more.
int64_t lac_window_transposed_out(const lac_window *window, int out_pad, int axis, int64_t in);

/// How a quantizer rounds and learns while a method trains it. Not part of a model: files hold uniform
/// quantizers, and methods bake into the weights what a rule made of them.
typedef struct lac_quant_rule {
    enum {
        LAC_SLOPE_LSQ,  ///< the scale learns from rounding and from clipping
        LAC_SLOPE_CLIP, ///< from clipping alone, as PACT's alpha does
        LAC_SLOPE_SIGN, ///< as LSQ; codes of 1 bit pass gradients by Bi-Real's triangle, 2 - 2 |2 v - 1|
    } slope;
    const int8_t *level; ///< [512]: the code of v in [i / 2 - 128, i / 2 - 127.5); NULL: the nearest
    float *threshold;    ///< per scale, weights alone: |w| above it is code +-1, else 0; NULL: none
    bool through_tanh;   ///< weights alone: tanh(w) / max|tanh(w)| fills the codes
    bool learns_offset;  ///< activations alone: the third input is not the zero point but the real value beta
                         ///< of code 0, and learns; the zero point is the code nearest to -beta / scale
    uint8_t (*pair)[2]; ///< per scale, with threshold: above it is code pair[0], below its negative -pair[1],
                        ///< of `step`; scale and third input are what both stand for, and learn. NULL: none
    float *step;        ///< per scale, with pair
    const struct lac_drop *drop; ///< activations alone, and no other member then counts: elements of this
                                 ///< share pass as they are (drop.h). NULL: none
} lac_quant_rule;

typedef struct lac_quant_attr {
    int bits;                   ///< 1..8; for codes of 1 bit see BIPOLAR_QUANT
    bool is_signed;             ///< codes are two's complement
    bool narrow;                ///< signed: -(2^(b-1)-1) .. 2^(b-1)-1, so that negation stays in range
    const lac_quant_rule *rule; ///< while a method trains; NULL: to the nearest, gradients after LSQ
} lac_quant_attr;

/// Where the elements of an op that only rearranges come from (rearrange.h).
typedef struct lac_rearrange_attr {
    int begin, end; ///< SLICE: channels begin .. end - 1
    int groups;     ///< CHANNEL_SHUFFLE
    int factor[2];  ///< UPSAMPLE; y before x
    int block;      ///< DEPTH_TO_SPACE
    bool by_column; ///< DEPTH_TO_SPACE: mode CRD, not DCR
    int pad[4];     ///< PAD: top, left, bottom, right
    bool circular;  ///< PAD: the other side's pixels, not zeros
} lac_rearrange_attr;

/// Attributes of a node; which member counts follows from the op.
typedef struct lac_attr {
    lac_window window;       ///< CONV2D, CONV_TRANSPOSE, MAX_POOL, AVG_POOL
    int out_pad[2];          ///< CONV_TRANSPOSE: rows and columns more at the end of the output
    lac_rearrange_attr move; ///< SLICE, CHANNEL_SHUFFLE, UPSAMPLE, DEPTH_TO_SPACE, PAD
    float alpha, beta;       ///< HARD_SIGMOID: clamp(alpha * x + beta, 0, 1)
    float epsilon, momentum; ///< BATCH_NORM; momentum is the weight of the old running value, as in ONNX
    bool count_include_pad;  ///< AVG_POOL
    lac_quant_attr quant;    ///< QUANT
} lac_attr;

/// Inputs by op, in ONNX order:
///   CONV2D x, w [O][C/groups][kh][kw], optional b [O] | LINEAR x, w [O][I], optional b [O]
///   CONV_TRANSPOSE x, w [C][O/groups][kh][kw], optional b [O] | MUL x, y: y's dimensions are x's or 1
///   BATCH_NORM x, gamma, beta, mean, variance (all [C]) | QUANT x, scale, zero_point (bits is an attribute
///   here and the 4th input in QONNX) | BIPOLAR_QUANT x, scale | the rest: activations
/// scale is a scalar (n_dims 0) for per-tensor, [O][1][1][1] or [O][1] for per-channel; zero_point likewise,
/// usually scalar.
typedef struct lac_node {
    lac_op op;
    const char *name;
    int n_in;
    int *in; ///< value indices; an absent optional input is simply not listed
    int out; ///< value index: every op has one output
    lac_attr attr;
} lac_node;

typedef struct lac_value {
    const char *name;
    lac_shape shape;
    float *data;    ///< constants: shape's elements, row-major; NULL for activations
    bool trainable; ///< constants: the optimiser may change it
    uint8_t *mask;  ///< trainable constants, NULL or one byte an element: 0 keeps that element at zero
} lac_value;

typedef struct lac_meta {
    const char *key, *text; ///< ONNX metadata_props; ours are "lacuna.*"
} lac_meta;

typedef struct lac_graph {
    lac_arena *arena; ///< owns all below; not owned by the graph
    const char *name;
    lac_value *values;
    int n_values, values_capacity;
    lac_node *nodes; ///< topological order
    int n_nodes, nodes_capacity;
    int input, output; ///< value indices: one image in, logits out
    lac_meta *meta;
    int n_meta, meta_capacity;
} lac_graph;

/// Name of an op as it stands in ops.def; never NULL.
const char *lac_op_name(lac_op op);

/// memory  the graph and all that is added to it come from arena
lac_graph *lac_graph_new(lac_arena *arena, const char *name);

/// Adds an activation value; its shape may be filled in later by lac_graph_infer. Names are made unique.
int lac_graph_add_value(lac_graph *graph, const char *name, lac_shape shape);

/// Adds a constant, copying data (NULL: zeros).
int lac_graph_add_constant(lac_graph *graph, const char *name, lac_shape shape, const float *data,
                           bool trainable);

/// Appends a node with one new output value (named after the node) and returns that value's index.
int lac_graph_add_node(lac_graph *graph, lac_op op, const char *name, const int *in, int n_in,
                       const lac_attr *attr);

/// Deep copy into another arena.
lac_graph *lac_graph_copy(const lac_graph *graph, lac_arena *arena);

/// Index of the node that makes a value; -1 for the input and for constants.
int lac_graph_producer(const lac_graph *graph, int value);

/// Number of nodes that read a value (a node that reads it twice counts twice).
int lac_graph_n_readers(const lac_graph *graph, int value);

/// Indices of the readers into out (room for n_max); returns how many there are.
int lac_graph_readers(const lac_graph *graph, int value, int *out, int n_max);

/// Removes nodes and values that do not lead to the output and renumbers; sorts nodes topologically.
///
/// errors  E_FORMAT on a cycle
lac_status lac_graph_tidy(lac_graph *graph, lac_error *err) LAC_MUST_CHECK;

/// The invariants: indices in range, topological order, one producer a value, inputs by op as above,
/// constants with data, masks only on trainables, masked elements zero, names unique.
///
/// errors  E_FORMAT with the node's name
lac_status lac_graph_check(const lac_graph *graph, lac_error *err) LAC_MUST_CHECK;

void lac_graph_set_meta(lac_graph *graph, const char *key, const char *text);
const char *lac_graph_meta(const lac_graph *graph, const char *key); ///< NULL when absent

#endif
