#include "onnx_reader.h"

#include <inttypes.h>
#include <string.h>

static lac_status vector_input(const onnx_node *node, size_t i, int *x) {
    LAC_TRY(onnx_activation(node, i, x));
    lac_shape shape = node->r->graph->values[*x].shape;
    char text[96];
    if (shape.n_dims != 2)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "input is %s; supported is N x features, so flatten it first",
                  lac_shape_print(shape, text));
    return LAC_OK;
}

// Weights [I][O] of a model, or [O][I] already, times alpha, as the graph's [O][I].
static lac_status linear_weights(const onnx_node *node, size_t i, bool transposed, float alpha, int *value,
                                 int64_t *n_out) {
    onnx_tensor *t;
    LAC_TRY(onnx_parameter(node, i, value, &t));
    lac_shape shape = t ? t->shape : node->r->graph->values[*value].shape;
    char text[96];
    if (shape.n_dims != 2)
        ONNX_FAIL(node, LAC_E_SHAPE, "weights are %s, expected are 2 dimensions",
                  lac_shape_print(shape, text));
    *n_out = transposed ? shape.dim[0] : shape.dim[1];
    if (transposed && alpha == 1.0f) return t ? onnx_tensor_use(node->r, t, true, value) : LAC_OK;
    if (!t)
        ONNX_FAIL(
            node, LAC_E_UNSUPPORTED,
            "quantized weights need transB 1 and alpha 1 (they are %d and %g); export them as [out][in]",
            transposed, (double)alpha);
    int64_t n_in = transposed ? shape.dim[1] : shape.dim[0];
    onnx_tensor copy = *t;
    copy.value = LAC_NO_VALUE;
    copy.shape = LAC_SHAPE(*n_out, n_in);
    copy.f = LAC_NEW_ARRAY(node->r->scratch, float, t->n);
    for (int64_t o = 0; o < *n_out; o++)
        for (int64_t k = 0; k < n_in; k++)
            copy.f[o * n_in + k] = alpha * t->f[transposed ? o * n_in + k : k * *n_out + o];
    return onnx_tensor_use(node->r, &copy, true, value);
}

// A constant of one element, [O], or O with only ones around it, times beta, as [O].
static lac_status bias_of(const onnx_node *node, onnx_tensor *t, int64_t n_out, float beta, int *value) {
    if (t->shape.n_dims == 1 && t->n == n_out && beta == 1.0f)
        return onnx_tensor_use(node->r, t, true, value);
    onnx_tensor copy = *t;
    copy.value = LAC_NO_VALUE;
    copy.n = n_out;
    copy.shape = LAC_SHAPE(n_out);
    copy.f = LAC_NEW_ARRAY(node->r->scratch, float, n_out);
    for (int64_t o = 0; o < n_out; o++) copy.f[o] = beta * t->f[t->n == 1 ? 0 : o];
    return onnx_tensor_use(node->r, &copy, true, value);
}

// Does a constant, broadcast over x, differ along channels alone? Dimension 1 of x is counted from its end.
static bool is_along_channels(const onnx_tensor *t, lac_shape x) {
    if (!t->f) return false;
    if (t->n == 1) return t->shape.n_dims <= x.n_dims;
    int offset = x.n_dims - t->shape.n_dims;
    if (offset < 0) return false;
    for (int d = 0; d < t->shape.n_dims; d++)
        if (t->shape.dim[d] != (d + offset == 1 ? x.dim[1] : 1)) return false;
    return true;
}

lac_status onnx_import_gemm(onnx_node *node) {
    int in[3], n_in = 2;
    float alpha, beta;
    int64_t trans_a, trans_b, n_out;
    LAC_TRY(onnx_n_inputs(node, 2, 3));
    LAC_TRY(onnx_attr_float(node, "alpha", 1.0f, &alpha));
    LAC_TRY(onnx_attr_float(node, "beta", 1.0f, &beta));
    LAC_TRY(onnx_attr_int(node, "transA", 0, &trans_a));
    LAC_TRY(onnx_attr_int(node, "transB", 0, &trans_b));
    if (trans_a != 0)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "transA is %" PRId64 ", supported is 0: the batch comes first",
                  trans_a);
    LAC_TRY(vector_input(node, 0, &in[0]));
    LAC_TRY(linear_weights(node, 1, trans_b != 0, alpha, &in[1], &n_out));
    if (onnx_input_name(node, 2)) {
        onnx_tensor *c;
        LAC_TRY(onnx_parameter(node, 2, &in[2], &c));
        char text[96];
        if (c && !is_along_channels(c, LAC_SHAPE(1, n_out)))
            ONNX_FAIL(node, LAC_E_UNSUPPORTED, "C is %s, supported is a bias of %" PRId64,
                      lac_shape_print(c->shape, text), n_out);
        if (!c && beta != 1.0f)
            ONNX_FAIL(node, LAC_E_UNSUPPORTED, "beta is %g with a quantized bias, supported is 1",
                      (double)beta);
        if (c) LAC_TRY(bias_of(node, c, n_out, beta, &in[2]));
        n_in = 3;
    }
    return onnx_emit(node, LAC_OP_LINEAR, in, n_in, NULL);
}

lac_status onnx_import_matmul(onnx_node *node) {
    int in[2];
    int64_t n_out;
    LAC_TRY(onnx_n_inputs(node, 2, 2));
    LAC_TRY(vector_input(node, 0, &in[0]));
    LAC_TRY(linear_weights(node, 1, false, 1.0f, &in[1], &n_out));
    return onnx_emit(node, LAC_OP_LINEAR, in, 2, NULL);
}

// x + constant: the bias of the layer that made x, when nobody else reads x.
static lac_status add_bias(onnx_node *node, const onnx_binding *x, onnx_tensor *t) {
    lac_graph *graph = node->r->graph;
    int p = lac_graph_producer(graph, x->value);
    lac_node *layer = p < 0 ? NULL : &graph->nodes[p];
    lac_shape shape = graph->values[x->value].shape;
    char text[96], x_text[96];
    bool takes_bias = layer && (layer->op == LAC_OP_LINEAR || layer->op == LAC_OP_CONV2D) && layer->n_in == 2;
    if (!takes_bias || x->n_uses != 1 || !is_along_channels(t, shape))
        ONNX_FAIL(
            node, LAC_E_UNSUPPORTED,
            "adds the constant '%.100s' (%s) to '%.100s' (%s); supported is a bias along channels right "
            "after a MatMul, Gemm or Conv without one",
            t->name, lac_shape_print(t->shape, text), x->name, lac_shape_print(shape, x_text));
    int in[3] = {layer->in[0], layer->in[1], 0};
    LAC_TRY(bias_of(node, t, shape.dim[1], 1.0f, &in[2]));
    layer->in = lac_arena_copy(graph->arena, in, sizeof in);
    layer->n_in = 3;
    return onnx_bind_output(node, x->value);
}

lac_status onnx_import_add(onnx_node *node) {
    onnx_binding *a, *b;
    LAC_TRY(onnx_n_inputs(node, 2, 2));
    LAC_TRY(onnx_input_binding(node, 0, &a));
    LAC_TRY(onnx_input_binding(node, 1, &b));
    if (b->tensor && !a->tensor) return add_bias(node, a, b->tensor);
    if (a->tensor && !b->tensor) return add_bias(node, b, a->tensor);
    int in[2];
    LAC_TRY(onnx_activation(node, 0, &in[0]));
    LAC_TRY(onnx_activation(node, 1, &in[1]));
    return onnx_emit(node, LAC_OP_ADD, in, 2, NULL);
}
