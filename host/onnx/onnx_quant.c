#include "onnx_reader.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static lac_status bit_width(const onnx_node *node, int *bits) {
    onnx_tensor *t;
    LAC_TRY(onnx_const(node, 3, &t));
    double x = t->f ? (double)t->f[0] : (double)t->i[0];
    if (t->n != 1 || !(x >= 1 && x <= 8) || x != floor(x))
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "bitwidth is %g (%" PRId64 " elements), supported is one number of 1 to 8", x, t->n);
    *bits = (int)x;
    return LAC_OK;
}

// x of a quantizer: an activation, or weights to be quantized.
static lac_status quantized_input(const onnx_node *node, int *x) {
    onnx_binding *b;
    LAC_TRY(onnx_input_binding(node, 0, &b));
    if (b->tensor) return onnx_tensor_use(node->r, b->tensor, true, x);
    *x = b->value;
    return LAC_OK;
}

// Scale or zero point: one number, or one per output channel of weights. One number becomes a scalar.
static lac_status quantizer_tensor(const onnx_node *node, size_t i, int x, bool trainable, int *value) {
    static const char *const names[] = {"x", "scale", "zero point"};
    onnx_tensor *t;
    LAC_TRY(onnx_const(node, i, &t));
    bool weights = onnx_is_parameter(node->r->graph, x);
    lac_shape shape = node->r->graph->values[x].shape;
    bool per_channel = weights && t->shape.n_dims == shape.n_dims;
    for (int d = 0; per_channel && d < shape.n_dims; d++)
        per_channel = t->shape.dim[d] == (d == 0 ? shape.dim[0] : 1);
    char text[96], x_text[96];
    if (t->n != 1 && !per_channel)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "%s is %s for an input of %s; supported are one number%s",
                  names[i], lac_shape_print(t->shape, text), lac_shape_print(shape, x_text),
                  weights ? " or one per output channel" : "");
    for (int64_t c = 0; i == 1 && t->f && c < t->n; c++)
        if (!(t->f[c] > 0))
            ONNX_FAIL(node, LAC_E_RANGE, "scale %" PRId64 " is %g, must be above 0", c, (double)t->f[c]);
    for (int64_t c = 0; i == 2 && t->f && c < t->n; c++)
        if (!(t->f[c] >= -128 && t->f[c] <= 255) || t->f[c] != floorf(t->f[c]))
            ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                      "zero point is %g, supported are the whole numbers -128 to 255", (double)t->f[c]);
    if (!per_channel && t->value == LAC_NO_VALUE) t->shape = (lac_shape){0};
    return onnx_tensor_use(node->r, t, trainable, value);
}

static lac_status quantizer_domain(const onnx_node *node) {
    if (node->r->qonnx_opset == 1) return LAC_OK;
    ONNX_FAIL(node, LAC_E_UNSUPPORTED,
              "the model imports version %" PRId64 " of qonnx.custom_op.general (0: none), supported is 1",
              node->r->qonnx_opset);
}

lac_status onnx_import_quant(onnx_node *node) {
    int in[3];
    int64_t is_signed, narrow;
    const char *rounding;
    lac_attr attr = {0};
    LAC_TRY(quantizer_domain(node));
    LAC_TRY(onnx_n_inputs(node, 4, 4));
    LAC_TRY(onnx_attr_int(node, "signed", -1, &is_signed));
    LAC_TRY(onnx_attr_int(node, "narrow", 0, &narrow));
    LAC_TRY(onnx_attr_string(node, "rounding_mode", "ROUND", &rounding));
    if (strcmp(rounding, "ROUND") != 0)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "rounding_mode is \"%.40s\", supported is \"ROUND\"", rounding);
    if (is_signed < 0 || is_signed > 1 || narrow < 0 || narrow > is_signed)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "signed is %" PRId64 " (-1: absent) and narrow %" PRId64
                  ", supported are signed 0 or 1, and narrow 1 with signed 1 alone",
                  is_signed, narrow);
    LAC_TRY(bit_width(node, &attr.quant.bits));
    if (attr.quant.bits == 1 && narrow)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "1 bit, signed and narrow leaves the code 0 alone; use BipolarQuant");
    attr.quant.is_signed = is_signed;
    attr.quant.narrow = narrow;
    LAC_TRY(quantized_input(node, &in[0]));
    LAC_TRY(quantizer_tensor(node, 1, in[0], true, &in[1]));
    LAC_TRY(quantizer_tensor(node, 2, in[0], false, &in[2]));
    return onnx_emit(node, LAC_OP_QUANT, in, 3, &attr);
}

lac_status onnx_import_bipolar_quant(onnx_node *node) {
    int in[2];
    LAC_TRY(quantizer_domain(node));
    LAC_TRY(onnx_n_inputs(node, 2, 2));
    LAC_TRY(quantized_input(node, &in[0]));
    LAC_TRY(quantizer_tensor(node, 1, in[0], true, &in[1]));
    return onnx_emit(node, LAC_OP_BIPOLAR_QUANT, in, 2, NULL);
}
