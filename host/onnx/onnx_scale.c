#include "onnx_reader.h"

#include <inttypes.h>
#include <string.h>

// ---- products and activations -----------------------------------------------------------------------------

// x * sigmoid(x) and x * hard_sigmoid(x) are ops of their own when nobody else reads the gate.
static lac_status gated(const onnx_node *node, int x, int gate, lac_op *out) {
    const lac_graph *graph = node->r->graph;
    int p = lac_graph_producer(graph, gate);
    const lac_node *maker = p < 0 ? NULL : &graph->nodes[p];
    onnx_binding *b;
    *out = LAC_OP_MUL;
    if (!maker || maker->n_in != 1 || maker->in[0] != x) return LAC_OK;
    for (size_t i = 0; i < 2; i++) {
        LAC_TRY(onnx_input_binding(node, i, &b));
        if (b->value == gate && b->n_uses != 1) return LAC_OK;
    }
    if (maker->op == LAC_OP_SIGMOID) *out = LAC_OP_SILU;
    bool swish =
        maker->op == LAC_OP_HARD_SIGMOID && maker->attr.alpha == 1.0f / 6 && maker->attr.beta == 0.5f;
    if (swish) *out = LAC_OP_HARD_SWISH;
    return LAC_OK;
}

lac_status onnx_import_mul(onnx_node *node) {
    int in[2];
    LAC_TRY(onnx_n_inputs(node, 2, 2));
    for (size_t i = 0; i < 2; i++) LAC_TRY(onnx_activation(node, i, &in[i]));
    for (int i = 0; i < 2; i++) {
        lac_op op;
        LAC_TRY(gated(node, in[i], in[1 - i], &op));
        if (op != LAC_OP_MUL) return onnx_emit(node, op, &in[i], 1, NULL);
    }
    lac_shape a = node->r->graph->values[in[0]].shape, b = node->r->graph->values[in[1]].shape;
    if (!lac_shape_spreads(b, a) && lac_shape_spreads(a, b)) { // the larger one first
        int larger = in[1];
        in[1] = in[0];
        in[0] = larger;
    }
    return onnx_emit(node, LAC_OP_MUL, in, 2, NULL);
}

lac_status onnx_import_hard_sigmoid(onnx_node *node) {
    int x;
    lac_attr attr = {0};
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    LAC_TRY(onnx_activation(node, 0, &x));
    LAC_TRY(onnx_attr_float(node, "alpha", 0.2f, &attr.alpha));
    LAC_TRY(onnx_attr_float(node, "beta", 0.5f, &attr.beta));
    return onnx_emit(node, LAC_OP_HARD_SIGMOID, &x, 1, &attr);
}

lac_status onnx_import_hard_swish(onnx_node *node) {
    int x;
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    LAC_TRY(onnx_activation(node, 0, &x));
    return onnx_emit(node, LAC_OP_HARD_SWISH, &x, 1, NULL);
}

lac_status onnx_import_gelu(onnx_node *node) {
    int x;
    const char *approximate;
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    LAC_TRY(onnx_activation(node, 0, &x));
    LAC_TRY(onnx_attr_string(node, "approximate", "none", &approximate));
    if (strcmp(approximate, "none") != 0)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "approximate is \"%.40s\", supported is \"none\"", approximate);
    return onnx_emit(node, LAC_OP_GELU, &x, 1, NULL);
}

// ---- means and maxima -------------------------------------------------------------------------------------

enum { CHANNELS = 1 << 1, PIXELS = 1 << 2 | 1 << 3 };

static lac_status add_axis(const onnx_node *node, int64_t axis, int n_dims, unsigned *set) {
    if (axis < -n_dims || axis >= n_dims)
        ONNX_FAIL(node, LAC_E_FORMAT, "axis %" PRId64 " of an input of %d dimensions", axis, n_dims);
    *set |= 1u << (axis < 0 ? axis + n_dims : axis);
    return LAC_OK;
}

// The axes as bits, from the attribute (before opset 18, for ReduceMean) or the input.
static lac_status reduced_axes(onnx_node *node, int n_dims, unsigned *set) {
    const Onnx__AttributeProto *a;
    *set = 0;
    LAC_TRY(onnx_attr_find(node, "axes", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, &a));
    for (size_t i = 0; a && i < a->n_ints; i++) LAC_TRY(add_axis(node, a->ints[i], n_dims, set));
    if (!onnx_input_name(node, 1)) return LAC_OK;
    onnx_tensor *t;
    LAC_TRY(onnx_const(node, 1, &t));
    if (!t->i) ONNX_FAIL(node, LAC_E_FORMAT, "axes '%.100s' are no integers", t->name);
    for (int64_t i = 0; i < t->n; i++) LAC_TRY(add_axis(node, t->i[i], n_dims, set));
    return LAC_OK;
}

static lac_status import_reduce(onnx_node *node, lac_op over_channels, lac_op over_pixels) {
    int x;
    int64_t keep_dims, no_axes;
    unsigned axes;
    LAC_TRY(onnx_n_inputs(node, 1, 2));
    LAC_TRY(onnx_activation(node, 0, &x));
    LAC_TRY(onnx_attr_int(node, "keepdims", 1, &keep_dims));
    LAC_TRY(onnx_attr_int(node, "noop_with_empty_axes", 0, &no_axes));
    int n_dims = node->r->graph->values[x].shape.n_dims;
    LAC_TRY(reduced_axes(node, n_dims, &axes));
    if (n_dims != 4 || keep_dims != 1 || (axes != CHANNELS && axes != PIXELS))
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "over axes %s%s%s%sof %d dimensions with keepdims %" PRId64
                  "; supported are axis 1, or 2 and 3, of N x C x H x W with keepdims 1",
                  axes & 1 ? "0 " : "", axes & 2 ? "1 " : "", axes & 4 ? "2 " : "", axes & 8 ? "3 " : "",
                  n_dims, keep_dims);
    return onnx_emit(node, axes == CHANNELS ? over_channels : over_pixels, &x, 1, NULL);
}

lac_status onnx_import_reduce_mean(onnx_node *node) {
    return import_reduce(node, LAC_OP_CHANNEL_MEAN, LAC_OP_GLOBAL_AVG_POOL);
}

lac_status onnx_import_reduce_max(onnx_node *node) {
    return import_reduce(node, LAC_OP_CHANNEL_MAX, LAC_OP_GLOBAL_MAX_POOL);
}
