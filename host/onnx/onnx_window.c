#include "onnx_reader.h"

#include <inttypes.h>
#include <string.h>

static int64_t reach_of(const lac_window *w, int axis) {
    return (int64_t)w->dilation[axis] * (w->kernel[axis] - 1) + 1;
}

// auto_pad as padding, by the standard's formulas: SAME keeps ceil(in / stride) pixels.
static lac_status resolve_auto_pad(const onnx_node *node, const char *mode, lac_shape x, bool has_pads,
                                   lac_window *w) {
    if (strcmp(mode, "NOTSET") == 0) return LAC_OK;
    bool upper = strcmp(mode, "SAME_UPPER") == 0, lower = strcmp(mode, "SAME_LOWER") == 0;
    if (!upper && !lower && strcmp(mode, "VALID") != 0)
        ONNX_FAIL(node, LAC_E_FORMAT,
                  "auto_pad is \"%.40s\"; the standard has NOTSET, SAME_UPPER, SAME_LOWER, VALID", mode);
    if (has_pads) ONNX_FAIL(node, LAC_E_FORMAT, "has both auto_pad \"%.40s\" and pads; keep one", mode);
    for (int a = 0; a < 2 && (upper || lower); a++) {
        int64_t in = x.dim[2 + a], out = (in + w->stride[a] - 1) / w->stride[a];
        int64_t total = (out - 1) * w->stride[a] + reach_of(w, a) - in;
        if (total < 0) total = 0;
        int64_t begin = upper ? total / 2 : total - total / 2;
        w->pad[a] = (int)begin;
        w->pad[a + 2] = (int)(total - begin);
    }
    return LAC_OK;
}

// Everything but kernel and groups, which the caller has set.
static lac_status read_window(onnx_node *node, lac_shape x, lac_window *w) {
    const char *auto_pad;
    bool has_pads;
    LAC_TRY(onnx_attr_ints(node, "strides", 2, w->stride, NULL));
    LAC_TRY(onnx_attr_ints(node, "dilations", 2, w->dilation, NULL));
    LAC_TRY(onnx_attr_ints(node, "pads", 4, w->pad, &has_pads));
    LAC_TRY(onnx_attr_string(node, "auto_pad", "NOTSET", &auto_pad));
    for (int a = 0; a < 2; a++) {
        if (w->kernel[a] < 1 || w->stride[a] < 1 || w->dilation[a] < 1)
            ONNX_FAIL(node, LAC_E_FORMAT,
                      "kernel %d, stride %d and dilation %d of axis %d must be at least 1", w->kernel[a],
                      w->stride[a], w->dilation[a], a);
        if (reach_of(w, a) > LAC_ONNX_MAX_SIDE)
            ONNX_FAIL(node, LAC_E_UNSUPPORTED, "kernel %d with dilation %d spans over %d pixels",
                      w->kernel[a], w->dilation[a], LAC_ONNX_MAX_SIDE);
    }
    return resolve_auto_pad(node, auto_pad, x, has_pads, w);
}

static lac_status image_input(const onnx_node *node, int *x, lac_shape *shape) {
    LAC_TRY(onnx_activation(node, 0, x));
    *shape = node->r->graph->values[*x].shape;
    char text[96];
    if (shape->n_dims != 4)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "input is %s; supported are images, N x C x H x W",
                  lac_shape_print(*shape, text));
    return LAC_OK;
}

lac_status onnx_import_conv(onnx_node *node) {
    int in[3], n_in = 2;
    lac_shape x;
    lac_attr attr = {.window = {.stride = {1, 1}, .dilation = {1, 1}, .groups = 1}};
    lac_window *w = &attr.window;
    LAC_TRY(onnx_n_inputs(node, 2, 3));
    LAC_TRY(image_input(node, &in[0], &x));
    onnx_tensor *weights, *bias;
    LAC_TRY(onnx_parameter(node, 1, &in[1], &weights));
    lac_shape shape = weights ? weights->shape : node->r->graph->values[in[1]].shape;
    if (shape.n_dims != 4 || shape.dim[2] > LAC_ONNX_MAX_SIDE || shape.dim[3] > LAC_ONNX_MAX_SIDE)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "weights have %d dimensions; supported are 2-D kernels, 4 dimensions", shape.n_dims);
    for (int a = 0; a < 2; a++) w->kernel[a] = (int)shape.dim[2 + a];
    int kernel[2] = {w->kernel[0], w->kernel[1]};
    LAC_TRY(onnx_attr_ints(node, "kernel_shape", 2, kernel, NULL));
    if (kernel[0] != w->kernel[0] || kernel[1] != w->kernel[1])
        ONNX_FAIL(node, LAC_E_SHAPE, "kernel_shape is %dx%d, the weights are %dx%d", kernel[0], kernel[1],
                  w->kernel[0], w->kernel[1]);
    int64_t groups;
    LAC_TRY(onnx_attr_int(node, "group", 1, &groups));
    if (groups < 1 || groups > LAC_ONNX_MAX_SIDE || shape.dim[0] % groups != 0)
        ONNX_FAIL(node, LAC_E_SHAPE, "group is %" PRId64 ", it must divide the %" PRId64 " outputs", groups,
                  shape.dim[0]);
    w->groups = (int)groups;
    LAC_TRY(read_window(node, x, w));
    if (weights) LAC_TRY(onnx_tensor_use(node->r, weights, true, &in[1]));
    if (onnx_input_name(node, 2)) {
        LAC_TRY(onnx_parameter(node, 2, &in[2], &bias));
        if (bias) LAC_TRY(onnx_tensor_use(node->r, bias, true, &in[2]));
        n_in = 3;
    }
    return onnx_emit(node, LAC_OP_CONV2D, in, n_in, &attr);
}

// ceil_mode 1 lets a last window hang over the end; extra padding that never counts says the same.
static lac_status resolve_ceil_mode(const onnx_node *node, int64_t ceil_mode, lac_shape x,
                                    bool counts_padding, lac_window *w) {
    if (ceil_mode == 0) return LAC_OK;
    if (ceil_mode != 1) ONNX_FAIL(node, LAC_E_FORMAT, "ceil_mode is %" PRId64 ", must be 0 or 1", ceil_mode);
    for (int a = 0; a < 2; a++) {
        int64_t padded = x.dim[2 + a] + w->pad[a] + w->pad[a + 2], rest = padded - reach_of(w, a);
        if (rest < 0 || rest % w->stride[a] == 0) continue;
        int64_t extra = w->stride[a] - rest % w->stride[a];
        int64_t last_start = rest + extra - w->pad[a];
        if (counts_padding || last_start >= x.dim[2 + a] || w->pad[a + 2] + extra >= reach_of(w, a))
            ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                      "ceil_mode is 1 and on axis %d a window hangs over the end by %" PRId64
                      " pixels; export with ceil_mode 0 and pads",
                      a, extra);
        w->pad[a + 2] += (int)extra;
    }
    return LAC_OK;
}

static lac_status read_pool(onnx_node *node, int *x, lac_attr *attr) {
    bool has_kernel;
    lac_shape shape;
    int64_t ceil_mode;
    lac_window *w = &attr->window;
    *w = (lac_window){.stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    LAC_TRY(image_input(node, x, &shape));
    LAC_TRY(onnx_attr_ints(node, "kernel_shape", 2, w->kernel, &has_kernel));
    if (!has_kernel) ONNX_FAIL(node, LAC_E_FORMAT, "attribute 'kernel_shape' is missing");
    LAC_TRY(read_window(node, shape, w));
    LAC_TRY(onnx_attr_int(node, "ceil_mode", 0, &ceil_mode));
    LAC_TRY(resolve_ceil_mode(node, ceil_mode, shape, attr->count_include_pad, w));
    for (int a = 0; a < 2; a++)
        if (w->pad[a] >= reach_of(w, a) || w->pad[a + 2] >= reach_of(w, a))
            ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                      "padding %d and %d of axis %d must be below the window's %" PRId64 " pixels", w->pad[a],
                      w->pad[a + 2], a, reach_of(w, a));
    return LAC_OK;
}

lac_status onnx_import_max_pool(onnx_node *node) {
    int x;
    int64_t storage_order;
    lac_attr attr = {0};
    LAC_TRY(read_pool(node, &x, &attr));
    LAC_TRY(onnx_attr_int(node, "storage_order", 0, &storage_order));
    if (storage_order != 0)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "storage_order is %" PRId64 ", supported is 0 (row-major)",
                  storage_order);
    return onnx_emit(node, LAC_OP_MAX_POOL, &x, 1, &attr);
}

lac_status onnx_import_avg_pool(onnx_node *node) {
    int x;
    int64_t count;
    lac_attr attr = {0};
    LAC_TRY(onnx_attr_int(node, "count_include_pad", 0, &count));
    if (count != 0 && count != 1)
        ONNX_FAIL(node, LAC_E_FORMAT, "count_include_pad is %" PRId64 ", must be 0 or 1", count);
    attr.count_include_pad = count;
    LAC_TRY(read_pool(node, &x, &attr));
    const int *dilation = attr.window.dilation;
    if (dilation[0] != 1 || dilation[1] != 1)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "dilations are [%d, %d], supported is 1", dilation[0],
                  dilation[1]);
    return onnx_emit(node, LAC_OP_AVG_POOL, &x, 1, &attr);
}

// auto_pad and output_shape leave the padding to a formula; files with them are refused.
lac_status onnx_import_conv_transpose(onnx_node *node) {
    int in[3], n_in = 2;
    lac_shape x;
    lac_attr attr = {.window = {.stride = {1, 1}, .dilation = {1, 1}, .groups = 1}};
    lac_window *w = &attr.window;
    onnx_tensor *weights, *bias;
    const char *auto_pad;
    LAC_TRY(onnx_n_inputs(node, 2, 3));
    LAC_TRY(image_input(node, &in[0], &x));
    LAC_TRY(onnx_parameter(node, 1, &in[1], &weights));
    lac_shape shape = weights ? weights->shape : node->r->graph->values[in[1]].shape;
    if (shape.n_dims != 4 || shape.dim[2] > LAC_ONNX_MAX_SIDE || shape.dim[3] > LAC_ONNX_MAX_SIDE)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "weights have %d dimensions; supported are 2-D kernels, 4 dimensions", shape.n_dims);
    for (int a = 0; a < 2; a++) w->kernel[a] = (int)shape.dim[2 + a];
    int kernel[2] = {w->kernel[0], w->kernel[1]};
    int64_t groups;
    LAC_TRY(onnx_attr_ints(node, "kernel_shape", 2, kernel, NULL));
    LAC_TRY(onnx_attr_int(node, "group", 1, &groups));
    LAC_TRY(onnx_attr_ints(node, "output_padding", 2, attr.out_pad, NULL));
    LAC_TRY(onnx_attr_string(node, "auto_pad", "NOTSET", &auto_pad));
    if (kernel[0] != w->kernel[0] || kernel[1] != w->kernel[1])
        ONNX_FAIL(node, LAC_E_SHAPE, "kernel_shape is %dx%d, the weights are %dx%d", kernel[0], kernel[1],
                  w->kernel[0], w->kernel[1]);
    if (groups < 1 || groups > LAC_ONNX_MAX_SIDE || shape.dim[0] % groups != 0)
        ONNX_FAIL(node, LAC_E_SHAPE, "group is %" PRId64 ", it must divide the %" PRId64 " input channels",
                  groups, shape.dim[0]);
    if (strcmp(auto_pad, "NOTSET") != 0 && strcmp(auto_pad, "VALID") != 0)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "auto_pad is \"%.40s\"; export with pads instead", auto_pad);
    w->groups = (int)groups;
    LAC_TRY(read_window(node, x, w));
    if (weights) LAC_TRY(onnx_tensor_use(node->r, weights, true, &in[1]));
    if (onnx_input_name(node, 2)) {
        LAC_TRY(onnx_parameter(node, 2, &in[2], &bias));
        if (bias) LAC_TRY(onnx_tensor_use(node->r, bias, true, &in[2]));
        n_in = 3;
    }
    return onnx_emit(node, LAC_OP_CONV_TRANSPOSE, in, n_in, &attr);
}
