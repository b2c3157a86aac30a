#include "onnx_reader.h"
#include "rearrange.h"

#include <inttypes.h>
#include <stdio.h>

// The reader needs shapes to turn auto_pad, ceil_mode and Reshape into what the graph can say, and the writer
// because the standard wants one on the output; both before the ops' own room, which is a sibling, could
// help.

typedef struct infer {
    const lac_graph *graph;
    const lac_node *node;
    lac_error *err;
} infer;

static void fail_in(const infer *f) {
    char where[256];
    snprintf(where, sizeof where, "%s '%s'", lac_op_name(f->node->op), f->node->name);
    lac_fail_in(f->err, LAC_E_SHAPE, where);
}

#define SHAPE_FAIL(f, ...)                                                                                   \
    do {                                                                                                     \
        lac_fail((f)->err, LAC_E_SHAPE, __VA_ARGS__);                                                        \
        fail_in(f);                                                                                          \
        return LAC_E_SHAPE;                                                                                  \
    } while (0)

static lac_shape in_shape(const infer *f, int i) {
    return f->graph->values[f->node->in[i]].shape;
}

static lac_status want_rank(const infer *f, int i, int n_dims) {
    lac_shape s = in_shape(f, i);
    char text[96];
    if (s.n_dims != n_dims)
        SHAPE_FAIL(f, "input %d is %s, expects %d dimensions", i, lac_shape_print(s, text), n_dims);
    return LAC_OK;
}

static lac_status infer_window(const infer *f, int64_t channels, lac_shape *out) {
    lac_shape x = in_shape(f, 0);
    *out = LAC_SHAPE(x.dim[0], channels, 1, 1);
    for (int a = 0; a < 2; a++) {
        out->dim[2 + a] = lac_window_out(&f->node->attr.window, a, x.dim[2 + a]);
        if (out->dim[2 + a] < 1)
            SHAPE_FAIL(f,
                       "a window of %d (dilation %d) does not fit %" PRId64 " pixels with padding %d and %d",
                       f->node->attr.window.kernel[a], f->node->attr.window.dilation[a], x.dim[2 + a],
                       f->node->attr.window.pad[a], f->node->attr.window.pad[a + 2]);
    }
    return LAC_OK;
}

static lac_status infer_conv2d(const infer *f, lac_shape *out) {
    LAC_TRY(want_rank(f, 0, 4));
    LAC_TRY(want_rank(f, 1, 4));
    lac_shape x = in_shape(f, 0), w = in_shape(f, 1);
    int groups = f->node->attr.window.groups;
    if (x.dim[1] != w.dim[1] * groups)
        SHAPE_FAIL(f, "input has %" PRId64 " channels, weights expect %" PRId64 " x %d groups", x.dim[1],
                   w.dim[1], groups);
    return infer_window(f, w.dim[0], out);
}

static lac_status infer_linear(const infer *f, lac_shape *out) {
    LAC_TRY(want_rank(f, 0, 2));
    LAC_TRY(want_rank(f, 1, 2));
    lac_shape x = in_shape(f, 0), w = in_shape(f, 1);
    if (x.dim[1] != w.dim[1])
        SHAPE_FAIL(f, "input has %" PRId64 " features, weights expect %" PRId64, x.dim[1], w.dim[1]);
    *out = LAC_SHAPE(x.dim[0], w.dim[0]);
    return LAC_OK;
}

static lac_status infer_concat(const infer *f, lac_shape *out) {
    *out = in_shape(f, 0);
    char text[96], first[96];
    lac_shape_print(*out, first);
    for (int i = 1; i < f->node->n_in; i++) {
        lac_shape s = in_shape(f, i);
        int64_t channels = s.n_dims > 1 ? s.dim[1] : 0;
        s.dim[1] = out->dim[1];
        if (s.n_dims < 2 || !lac_shape_equal(s, *out))
            SHAPE_FAIL(f, "input %d is %s, the first is %s: they may differ in channels alone", i,
                       lac_shape_print(in_shape(f, i), text), first);
        out->dim[1] += channels;
    }
    return LAC_OK;
}

static lac_status infer_add(const infer *f, lac_shape *out) {
    char a[96], b[96];
    *out = in_shape(f, 0);
    if (!lac_shape_equal(*out, in_shape(f, 1)))
        SHAPE_FAIL(f, "inputs are %s and %s, must be of one shape", lac_shape_print(*out, a),
                   lac_shape_print(in_shape(f, 1), b));
    return LAC_OK;
}

static lac_status infer_mul(const infer *f, lac_shape *out) {
    char a[96], b[96];
    *out = in_shape(f, 0);
    if (!lac_shape_spreads(in_shape(f, 1), *out))
        SHAPE_FAIL(f, "inputs are %s and %s; each dimension of the second must be the first's or 1",
                   lac_shape_print(*out, a), lac_shape_print(in_shape(f, 1), b));
    return LAC_OK;
}

static lac_status infer_conv_transpose(const infer *f, lac_shape *out) {
    LAC_TRY(want_rank(f, 0, 4));
    LAC_TRY(want_rank(f, 1, 4));
    lac_shape x = in_shape(f, 0), w = in_shape(f, 1);
    const lac_attr *attr = &f->node->attr;
    if (x.dim[1] != w.dim[0])
        SHAPE_FAIL(f, "input has %" PRId64 " channels, weights expect %" PRId64, x.dim[1], w.dim[0]);
    *out = LAC_SHAPE(x.dim[0], w.dim[1] * attr->window.groups, 1, 1);
    for (int a = 0; a < 2; a++) {
        out->dim[2 + a] = lac_window_transposed_out(&attr->window, attr->out_pad[a], a, x.dim[2 + a]);
        if (out->dim[2 + a] < 1 || out->dim[2 + a] > LAC_ONNX_MAX_SIDE)
            SHAPE_FAIL(f, "the output has %" PRId64 " pixels on axis %d, supported are 1 to %d",
                       out->dim[2 + a], a, LAC_ONNX_MAX_SIDE);
    }
    return LAC_OK;
}

static lac_status infer_by_op(const infer *f, lac_shape *out) {
    lac_shape x = in_shape(f, 0);
    switch (f->node->op) {
    case LAC_OP_CONV2D:
        return infer_conv2d(f, out);
    case LAC_OP_LINEAR:
        return infer_linear(f, out);
    case LAC_OP_MAX_POOL:
    case LAC_OP_AVG_POOL:
        LAC_TRY(want_rank(f, 0, 4));
        return infer_window(f, x.dim[1], out);
    case LAC_OP_CONV_TRANSPOSE:
        return infer_conv_transpose(f, out);
    case LAC_OP_MUL:
        return infer_mul(f, out);
    case LAC_OP_SLICE:
    case LAC_OP_CHANNEL_SHUFFLE:
    case LAC_OP_UPSAMPLE:
    case LAC_OP_DEPTH_TO_SPACE:
    case LAC_OP_PAD:
        return lac_rearrange_shape(f->node, x, out, f->err);
    case LAC_OP_CHANNEL_MEAN:
    case LAC_OP_CHANNEL_MAX:
        LAC_TRY(want_rank(f, 0, 4));
        *out = LAC_SHAPE(x.dim[0], 1, x.dim[2], x.dim[3]);
        return LAC_OK;
    case LAC_OP_GLOBAL_AVG_POOL:
    case LAC_OP_GLOBAL_MAX_POOL:
        LAC_TRY(want_rank(f, 0, 4));
        *out = LAC_SHAPE(x.dim[0], x.dim[1], 1, 1);
        return LAC_OK;
    case LAC_OP_CONCAT:
        return infer_concat(f, out);
    case LAC_OP_ADD:
        return infer_add(f, out);
    case LAC_OP_FLATTEN:
        if (x.n_dims < 2) SHAPE_FAIL(f, "input has %d dimensions, expects 2 to 4", x.n_dims);
        *out = LAC_SHAPE(x.dim[0], lac_shape_count(x) / x.dim[0]);
        return LAC_OK;
    case LAC_OP_BATCH_NORM:
    case LAC_OP_RELU:
    case LAC_OP_SIGMOID:
    case LAC_OP_TANH:
    case LAC_OP_HARD_SIGMOID:
    case LAC_OP_HARD_SWISH:
    case LAC_OP_SILU:
    case LAC_OP_GELU:
    case LAC_OP_QUANT:
    case LAC_OP_BIPOLAR_QUANT:
    case LAC_N_OPS:
        break;
    }
    *out = x;
    return LAC_OK;
}

lac_status onnx_infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    infer f = {graph, node, err};
    lac_shape shape;
    LAC_TRY(infer_by_op(&f, &shape));
    int64_t n = 1;
    char text[96];
    for (int i = 0; i < shape.n_dims; i++)
        if (__builtin_mul_overflow(n, shape.dim[i], &n) || n > INT32_MAX)
            SHAPE_FAIL(&f, "output is %s, over %d elements", lac_shape_print(shape, text), INT32_MAX);
    *out = shape;
    return LAC_OK;
}
