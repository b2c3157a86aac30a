#ifndef LAC_OP_H
#define LAC_OP_H

#include "graph.h"

/// What the house knows about each op of ops.def: its law, its shapes, its cost and its float arithmetic.
///
/// A new op is one row in ops.def and one file here with its descriptor `lac_op_<name>`.

typedef struct lac_plan lac_plan;

typedef struct lac_op_desc {
    lac_op op;
    const char *law; ///< one line, the mathematics

    /// Output shape for one image from the input shapes, which are known.
    /// errors E_SHAPE naming the node and both numbers
    lac_status (*infer)(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err);

    /// Multiply-accumulates of one image as the counter "thop" counts them; NULL is none.
    uint64_t (*macs)(const lac_graph *graph, const lac_node *node);

    bool any_type; ///< takes activations of any type; others are given float32 copies (lac_precision)

    /// Appends the node's forward and backward computation to a plan (planner.h). state is where the forward
    /// leaves what the backward needs. Backward is called only when an input wants a gradient.
    lac_status (*plan_forward)(lac_plan *plan, const lac_node *node, void **state, lac_error *err);
    lac_status (*plan_backward)(lac_plan *plan, const lac_node *node, void *state, lac_error *err);
} lac_op_desc;

#define LAC_OP(id, name, onnx, domain, help) extern const lac_op_desc lac_op_##name;
#include "ops.def"
#undef LAC_OP

/// Codes of weights by a QUANT's attributes, its rule included, with zero point 0.
///
/// shape   x, code [n]; scale [n_scales], each for n / n_scales elements in order
void lac_quant_codes(lac_quant_attr attr, const float *x, size_t n, const float *scale, int n_scales,
                     float *code);

/// Descriptor of an op; never NULL.
const lac_op_desc *lac_op_row(lac_op op);

/// Fills in the shape of every activation, for one image (batch 1), from the input's shape and the constants.
///
/// errors  E_SHAPE naming the node, both numbers and the remedy; shapes of earlier nodes are then filled in
lac_status lac_graph_infer(lac_graph *graph, lac_error *err) LAC_MUST_CHECK;

/// Multiply-accumulates of one image, shapes being known, as the counter "thop" counts them: biases ignored,
/// batch norm 2 an element, global average pool kernel area + 1 an output, ReLU and max pool 0.
uint64_t lac_graph_macs(const lac_graph *graph);

/// The share of lac_graph_macs that is convolutions and linear layers: what an accelerator counts.
uint64_t lac_graph_conv_macs(const lac_graph *graph);

#endif
