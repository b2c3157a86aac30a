#ifndef LAC_LOWERING_H
#define LAC_LOWERING_H

#include "chain.h"
#include "int_graph.h"
#include "quant_codes.h"

typedef struct lac_view lac_view; ///< lower_view.h

/// Lowering under way: the integer graph so far, and where it holds a float value's codes.
typedef struct lac_lowering {
    const lac_graph *graph;
    lac_int_graph *out;
    lac_view *view_of; ///< per float value
    bool *taken;       ///< per float node: is part of a chain that is lowered
    lac_arena *arena;  ///< of the integer graph
    lac_arena *scratch;
} lac_lowering;

/// The real value of one channel before requantisation, in accumulator terms:
///
///   real = factor * (acc - zero_term) + offset;  acc is between lowest and highest; factor of 0 or more
typedef struct lac_channel_law {
    double factor, offset;
    int64_t zero_term; ///< what acc is when all inputs are real zero
    int64_t lowest, highest;
} lac_channel_law;

/// What a channel becomes in integers.
typedef struct lac_channel_result {
    int32_t bias;
    uint16_t m;
    uint8_t s;
    double raw_scale;
    bool constant; ///< the code does not depend on acc: weights may be dropped. bias is right for acc = 0
} lac_channel_result;

/// Turns the law of a channel into (bias, m, s) for an output quantizer and its clamp range before zero.
///
/// errors  E_RANGE when the bias does not fit 32 bits
lac_status lac_channel_requantize(const lac_channel_law *law, double scale, int lo, int hi, bool droppable,
                                  lac_channel_result *out, lac_error *err) LAC_MUST_CHECK;

/// Turns the law of a channel into (bias, raw_scale) for raw output.
lac_status lac_channel_raw(const lac_channel_law *law, bool droppable, lac_channel_result *out,
                           lac_error *err) LAC_MUST_CHECK;

/// Tensor that holds a float value as it is, copied if need be, or an error that names the reader.
lac_status lac_lowering_tensor(lac_lowering *l, const lac_node *reader, int value, int *out,
                               lac_error *err) LAC_MUST_CHECK;

/// Adds a tensor / a layer; the layer's out and name are filled in by the caller.
int lac_lowering_add_tensor(lac_lowering *l, const char *name, int c, int h, int w, lac_code_type type);
lac_int_layer *lac_lowering_add_layer(lac_lowering *l, lac_int_kind kind, const char *name, const int *in,
                                      int n_in);

/// Makes unsigned codes of 8 bits signed ones where a sum needs it; what is computed stays the same.
///
/// errors  E_RANGE: a bias that 32 bits cannot hold; E_UNSUPPORTED: a factor that would get a zero point
lac_status lac_lower_signs(lac_int_graph *graph, lac_arena *scratch, lac_error *err) LAC_MUST_CHECK;

/// Lowers the chain that starts at a node to a layer, and its max pools to further layers.
lac_status lac_lower_chain(lac_lowering *l, int node, lac_error *err) LAC_MUST_CHECK;

/// Lowers an activation (lac_is_activation) together with the quantizer behind it, to a table.
lac_status lac_lower_table(lac_lowering *l, const lac_node *node, lac_error *err) LAC_MUST_CHECK;

/// Lanes of an axis for which lowering chooses how far a layer reaches: on larger meshes its layers are as
/// right, in tiles that could be smaller.
enum { LAC_LOWERING_TILES = 8 };

/// Lowers GLOBAL_MAX_POOL to max pools, CHANNEL_MAX to convolutions. The codes keep their type.
///
/// exact   the maximum of the input's codes
lac_status lac_lower_global_max(lac_lowering *l, const lac_node *node, lac_error *err) LAC_MUST_CHECK;
lac_status lac_lower_channel_max(lac_lowering *l, const lac_node *node, lac_error *err) LAC_MUST_CHECK;

/// Most layers that one of these two makes; 0 for other nodes.
int lac_lowering_most_of_maximum(const lac_node *node);

/// Takes a convolution of few channels whose kernel reaches far in a small map apart, into copies of the map
/// that are moved and a kernel over them that reaches less. Others stay as they are.
///
/// exact   the sums are the same; taps that never meet the map are left out
void lac_lower_reach(lac_lowering *l, const char *name, int *tensor, lac_weight_codes *codes,
                     lac_window *window);

/// Most layers that it adds for a node.
int lac_lowering_most_of_reach(const lac_node *node);

#endif
