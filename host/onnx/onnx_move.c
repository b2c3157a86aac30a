#include "onnx_reader.h"

#include <inttypes.h>
#include <string.h>

// Ops that only rearrange.

static lac_shape shape_of(const onnx_node *node, int value) {
    return node->r->graph->values[value].shape;
}

static lac_status map_input(const onnx_node *node, int *x) {
    char text[96];
    LAC_TRY(onnx_activation(node, 0, x));
    if (shape_of(node, *x).n_dims != 4)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "input is %s; supported are images, N x C x H x W",
                  lac_shape_print(shape_of(node, *x), text));
    return LAC_OK;
}

// A constant vector of n integers.
static lac_status int_input(const onnx_node *node, size_t i, int64_t n, const int64_t **out) {
    onnx_tensor *t;
    LAC_TRY(onnx_const(node, i, &t));
    if (!t->i || t->n != n)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "input '%.100s' has %" PRId64 " %s, supported are %" PRId64 " integers", t->name, t->n,
                  t->i ? "integers" : "floats", n);
    *out = t->i;
    return LAC_OK;
}

// ---- Slice and Split --------------------------------------------------------------------------------------

// Attributes before opset 10, inputs since. One axis.
static lac_status slice_range(onnx_node *node, int64_t *begin, int64_t *end, int64_t *axis) {
    const int64_t *v, one = 1;
    if (node->r->opset >= 10) {
        LAC_TRY(onnx_n_inputs(node, 3, 5));
        LAC_TRY(int_input(node, 1, 1, &v));
        *begin = *v;
        LAC_TRY(int_input(node, 2, 1, &v));
        *end = *v;
        *axis = 0;
        if (onnx_input_name(node, 3)) {
            LAC_TRY(int_input(node, 3, 1, &v));
            *axis = *v;
        }
        v = &one;
        if (onnx_input_name(node, 4)) LAC_TRY(int_input(node, 4, 1, &v));
        if (*v != 1) ONNX_FAIL(node, LAC_E_UNSUPPORTED, "steps is %" PRId64 ", supported is 1", *v);
        return LAC_OK;
    }
    int64_t *const out[3] = {begin, end, axis};
    static const char *const names[3] = {"starts", "ends", "axes"};
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    for (int i = 0; i < 3; i++) {
        const Onnx__AttributeProto *a;
        LAC_TRY(onnx_attr_find(node, names[i], ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, &a));
        if (!a || a->n_ints != 1)
            ONNX_FAIL(node, LAC_E_UNSUPPORTED, "attribute '%s' has %zu numbers, supported is 1", names[i],
                      a ? a->n_ints : 0);
        *out[i] = a->ints[0];
    }
    return LAC_OK;
}

static int clipped(int64_t i, int64_t n) {
    if (i < 0) i += n;
    return (int)(i < 0 ? 0 : i > n ? n : i);
}

lac_status onnx_import_slice(onnx_node *node) {
    int x;
    int64_t begin, end, axis;
    LAC_TRY(onnx_activation(node, 0, &x));
    LAC_TRY(slice_range(node, &begin, &end, &axis));
    lac_shape shape = shape_of(node, x);
    if (axis < 0) axis += shape.n_dims;
    if (axis != 1)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "along axis %" PRId64 ", supported is 1 (channels)", axis);
    lac_attr attr = {.move = {.begin = clipped(begin, shape.dim[1]), .end = clipped(end, shape.dim[1])}};
    return onnx_emit(node, LAC_OP_SLICE, &x, 1, &attr);
}

// Sizes of the parts: an attribute before opset 13, an input since; equal ones when not given.
static lac_status part_sizes(onnx_node *node, int64_t channels, int64_t *sizes) {
    const Onnx__AttributeProto *a;
    const int64_t *given = NULL;
    int64_t n = (int64_t)node->proto->n_output, n_outputs, sum = 0;
    LAC_TRY(onnx_attr_find(node, "split", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, &a));
    LAC_TRY(onnx_attr_int(node, "num_outputs", n, &n_outputs));
    if (n_outputs != n)
        ONNX_FAIL(node, LAC_E_FORMAT, "num_outputs is %" PRId64 ", it has %" PRId64, n_outputs, n);
    if (a && (int64_t)a->n_ints != n)
        ONNX_FAIL(node, LAC_E_FORMAT, "split has %zu sizes, there are %" PRId64 " outputs", a->n_ints, n);
    if (a) given = a->ints;
    if (onnx_input_name(node, 1)) LAC_TRY(int_input(node, 1, n, &given));
    int64_t equal = (channels + n - 1) / n;
    for (int64_t i = 0; i < n; i++) {
        sizes[i] = given ? given[i] : i < n - 1 ? equal : channels - (n - 1) * equal;
        if (sizes[i] < 1 || sizes[i] > channels)
            ONNX_FAIL(node, LAC_E_SHAPE, "output %" PRId64 " would have %" PRId64 " of %" PRId64 " channels",
                      i, sizes[i], channels);
        sum += sizes[i];
    }
    if (sum != channels)
        ONNX_FAIL(node, LAC_E_SHAPE, "the parts have %" PRId64 " channels, the input %" PRId64, sum,
                  channels);
    return LAC_OK;
}

lac_status onnx_import_split(onnx_node *node) {
    int x, begin = 0;
    int64_t axis;
    LAC_TRY(onnx_n_inputs(node, 1, 2));
    LAC_TRY(onnx_activation(node, 0, &x));
    LAC_TRY(onnx_attr_int(node, "axis", 0, &axis));
    lac_shape shape = shape_of(node, x);
    if (axis != 1 && axis != 1 - shape.n_dims)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "along axis %" PRId64 ", supported is 1 (channels)", axis);
    int64_t *sizes = LAC_NEW_ARRAY(node->r->scratch, int64_t, node->proto->n_output);
    LAC_TRY(part_sizes(node, shape.dim[1], sizes));
    for (size_t i = 0; i < node->proto->n_output; i++) {
        lac_attr attr = {.move = {.begin = begin, .end = begin + (int)sizes[i]}};
        begin = attr.move.end;
        if (*node->proto->output[i]) LAC_TRY(onnx_emit_output(node, i, LAC_OP_SLICE, &x, 1, &attr));
    }
    return LAC_OK;
}

// ---- channel shuffle --------------------------------------------------------------------------------------

// Does a Reshape to `to` from a tensor of `from` give `wanted`? 0 keeps a dimension, -1 is the rest.
static bool reshapes_to(const onnx_node *node, const onnx_tensor *to, lac_shape from, const int64_t *wanted,
                        int n) {
    int n_rest = 0;
    if (!to->i || to->n != n) return false;
    for (int d = 0; d < n; d++) {
        int64_t v = to->i[d];
        bool kept = v == 0 && (d == 0 || (d < from.n_dims && from.dim[d] == wanted[d]));
        bool batch = d == 0 && node->r->batch && v == node->r->batch;
        n_rest += v == -1;
        if (!kept && !batch && v != -1 && (d == 0 || v != wanted[d])) return false;
    }
    return n_rest < 2;
}

lac_status onnx_import_channel_shuffle(onnx_node *node) {
    int x;
    onnx_tensor *apart, *back;
    LAC_TRY(onnx_activation(node, 0, &x));
    LAC_TRY(onnx_const(node, 1, &apart));
    LAC_TRY(onnx_const(node, 2, &back));
    lac_shape s = shape_of(node, x);
    int64_t channels = s.dim[1], groups = apart->i && apart->n > 2 ? apart->i[1] : 0;
    if (groups == -1 && apart->i[2] > 0) groups = channels / apart->i[2];
    if (groups > 0 && channels % groups == 0) {
        int64_t middle[5] = {1, groups, channels / groups, s.dim[2], s.dim[3]};
        lac_shape turned = {4, {1, channels / groups, groups, s.dim[2]}}; // dimension 3 is never kept by 0
        lac_attr attr = {.move = {.groups = (int)groups}};
        if (reshapes_to(node, apart, s, middle, s.n_dims + 1) &&
            reshapes_to(node, back, turned, s.dim, s.n_dims))
            return onnx_emit(node, LAC_OP_CHANNEL_SHUFFLE, &x, 1, &attr);
    }
    char text[96];
    ONNX_FAIL(node, LAC_E_UNSUPPORTED,
              "its Reshape, Transpose and Reshape turn %s into something else than shuffled channels",
              lac_shape_print(s, text));
}

// ---- Resize and Upsample ----------------------------------------------------------------------------------

// At whole factors these two ways to choose the nearest pixel are the same as rounding down.
static bool rounds_down(const char *where, const char *nearest) {
    if (strcmp(where, "asymmetric") == 0) return strcmp(nearest, "floor") == 0;
    bool half = strcmp(where, "half_pixel") == 0 || strcmp(where, "pytorch_half_pixel") == 0;
    return half && (strcmp(nearest, "round_prefer_floor") == 0 || strcmp(nearest, "round_prefer_ceil") == 0);
}

static lac_status resize_mode(onnx_node *node) {
    const char *mode, *where, *nearest;
    bool old = node->r->opset < 11; // one way only, which rounds down
    LAC_TRY(onnx_attr_string(node, "mode", "nearest", &mode));
    LAC_TRY(
        onnx_attr_string(node, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel", &where));
    LAC_TRY(onnx_attr_string(node, "nearest_mode", old ? "floor" : "round_prefer_floor", &nearest));
    if (strcmp(mode, "nearest") != 0 || !rounds_down(where, nearest))
        ONNX_FAIL(
            node, LAC_E_UNSUPPORTED,
            "mode \"%.40s\", coordinate_transformation_mode \"%.40s\", nearest_mode \"%.40s\"; supported "
            "is \"nearest\" with \"asymmetric\" and \"floor\", or \"half_pixel\" and "
            "\"round_prefer_floor\"",
            mode, where, nearest);
    float ignored; // these concern other modes
    int64_t excluded;
    LAC_TRY(onnx_attr_float(node, "cubic_coeff_a", -0.75f, &ignored));
    LAC_TRY(onnx_attr_float(node, "extrapolation_value", 0, &ignored));
    return onnx_attr_int(node, "exclude_outside", 0, &excluded);
}

// Four scales, or four sizes.
static lac_status resize_factors(onnx_node *node, lac_shape x, double factor[4]) {
    size_t at = node->r->opset < 11 ? 1 : 2;
    onnx_tensor *t = NULL;
    bool sizes = false;
    if (onnx_input_name(node, at)) LAC_TRY(onnx_const(node, at, &t));
    if (at == 2 && (!t || t->n == 0)) {
        LAC_TRY(onnx_const(node, 3, &t));
        sizes = true;
    }
    if (!t || t->n != 4 || (sizes ? !t->i : !t->f))
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "has no four scales or sizes that are constants");
    for (int d = 0; d < 4; d++)
        factor[d] = sizes ? (double)t->i[d] / (double)(d                ? x.dim[d]
                                                       : node->r->batch ? node->r->batch
                                                                        : 1)
                          : (double)t->f[d];
    return LAC_OK;
}

lac_status onnx_import_resize(onnx_node *node) {
    int x;
    double factor[4];
    lac_attr attr = {0};
    LAC_TRY(onnx_n_inputs(node, 1, 4));
    LAC_TRY(map_input(node, &x));
    LAC_TRY(resize_mode(node));
    LAC_TRY(resize_factors(node, shape_of(node, x), factor));
    for (int d = 0; d < 4; d++) {
        bool whole = factor[d] >= 1 && factor[d] <= LAC_ONNX_MAX_SIDE && factor[d] == (double)(int)factor[d];
        if (!whole || (d < 2 && factor[d] != 1))
            ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                      "scales dimension %d by %g; supported are 1 for images and channels, whole factors for "
                      "pixels",
                      d, factor[d]);
        if (d >= 2) attr.move.factor[d - 2] = (int)factor[d];
    }
    return onnx_emit(node, LAC_OP_UPSAMPLE, &x, 1, &attr);
}

// ---- DepthToSpace and Pad ---------------------------------------------------------------------------------

lac_status onnx_import_depth_to_space(onnx_node *node) {
    int x;
    int64_t block;
    const char *mode;
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    LAC_TRY(map_input(node, &x));
    LAC_TRY(onnx_attr_int(node, "blocksize", 0, &block));
    LAC_TRY(onnx_attr_string(node, "mode", "DCR", &mode));
    bool by_column = strcmp(mode, "CRD") == 0;
    if (block < 1 || block > 1024 || (!by_column && strcmp(mode, "DCR") != 0))
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "blocksize %" PRId64 ", mode \"%.40s\"; supported are 1 to 1024 and \"DCR\" or \"CRD\"",
                  block, mode);
    lac_attr attr = {.move = {.block = (int)block, .by_column = by_column}};
    return onnx_emit(node, LAC_OP_DEPTH_TO_SPACE, &x, 1, &attr);
}

static lac_status pad_value(onnx_node *node) {
    float value;
    LAC_TRY(onnx_attr_float(node, "value", 0, &value));
    if (onnx_input_name(node, 2)) {
        onnx_tensor *t;
        LAC_TRY(onnx_const(node, 2, &t));
        value = t->f && t->n == 1 ? t->f[0] : 1;
    }
    if (value != 0) ONNX_FAIL(node, LAC_E_UNSUPPORTED, "pads with %g, supported is 0", (double)value);
    return LAC_OK;
}

lac_status onnx_import_pad(onnx_node *node) {
    int x;
    const char *mode;
    const int64_t *pads;
    const Onnx__AttributeProto *a;
    LAC_TRY(onnx_n_inputs(node, 1, 3));
    LAC_TRY(map_input(node, &x));
    LAC_TRY(onnx_attr_string(node, "mode", "constant", &mode));
    LAC_TRY(onnx_attr_find(node, "pads", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, &a));
    bool circular = strcmp(mode, "wrap") == 0;
    if (!circular && strcmp(mode, "constant") != 0)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "mode is \"%.40s\", supported are \"constant\" and \"wrap\"",
                  mode);
    if (!circular) LAC_TRY(pad_value(node));
    if (a && a->n_ints != 8)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "pads has %zu numbers, supported are 8", a->n_ints);
    if (a) pads = a->ints;
    if (!a) LAC_TRY(int_input(node, 1, 8, &pads));
    lac_attr attr = {.move = {.circular = circular}};
    for (int i = 0; i < 8; i++) {
        bool pixels = i % 4 >= 2;
        if (pads[i] < 0 || pads[i] > LAC_ONNX_MAX_SIDE || (!pixels && pads[i]))
            ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                      "pads[%d] is %" PRId64
                      "; supported are 0 for images and channels, 0 or more for pixels",
                      i, pads[i]);
        if (pixels) attr.move.pad[i % 4 - 2 + i / 4 * 2] = (int)pads[i];
    }
    return onnx_emit(node, LAC_OP_PAD, &x, 1, &attr);
}
