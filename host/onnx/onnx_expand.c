#include "onnx_writer.h"

#include "onnx_build.h"

#include <string.h>

// ---- steps ----------------------------------------------------------------------------------------------

static char *value_name(const onnx_writer *w, int value) {
    return lac_arena_strdup(w->arena, w->graph->values[value].name);
}

// One node of several: the last, whose suffix is empty, has the name and the output of the graph's node.
static Onnx__NodeProto *step(onnx_writer *w, const lac_node *node, const char *type, const char *suffix,
                             const char *const *in, size_t n_in) {
    lac_node named = *node;
    if (*suffix) named.name = onnx_side_name(w, node, suffix);
    Onnx__NodeProto *to = onnx_new_node(w->arena, &named, type, "", LAC_ONNX_ATTRIBUTES_MOST);
    to->input = LAC_NEW_ARRAY(w->arena, char *, n_in);
    for (size_t i = 0; i < n_in; i++) to->input[to->n_input++] = lac_arena_strdup(w->arena, in[i]);
    to->output = LAC_NEW_ARRAY(w->arena, char *, 1);
    to->output[to->n_output++] = *suffix ? lac_arena_strdup(w->arena, named.name) : value_name(w, node->out);
    w->file->node[w->file->n_node++] = to;
    return to;
}

#define STEP(w, node, type, suffix, ...)                                                                     \
    step((w), (node), (type), (suffix), (const char *const[]){__VA_ARGS__},                                  \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static char *add_ints(onnx_writer *w, const lac_node *node, const char *suffix, const int64_t *data,
                      size_t n) {
    char *name = onnx_side_name(w, node, suffix);
    w->file->initializer[w->file->n_initializer++] = onnx_new_int_tensor(w->arena, name, data, n);
    return name;
}

static char *add_floats(onnx_writer *w, const lac_node *node, const char *suffix, lac_shape shape,
                        const float *data) {
    char *name = onnx_side_name(w, node, suffix);
    w->file->initializer[w->file->n_initializer++] = onnx_new_tensor(w->arena, name, shape, data);
    return name;
}

// ---- ops ------------------------------------------------------------------------------------------------

static void silu(onnx_writer *w, const lac_node *node, const char *x) {
    const char *gate = STEP(w, node, "Sigmoid", "_gate", x)->output[0];
    STEP(w, node, "Mul", "", x, gate);
}

static void hard_swish(onnx_writer *w, const lac_node *node, const char *x) {
    Onnx__NodeProto *gate = STEP(w, node, "HardSigmoid", "_gate", x);
    onnx_add_float(w->arena, gate, "alpha", 1.0f / 6);
    onnx_add_float(w->arena, gate, "beta", 0.5f);
    STEP(w, node, "Mul", "", x, gate->output[0]);
}

static void gelu(onnx_writer *w, const lac_node *node, const char *x) {
    const float root = 1.41421356f, one = 1, half = 0.5f;
    const char *two = add_floats(w, node, "_root_two", (lac_shape){0}, &root);
    const char *unit = add_floats(w, node, "_one", (lac_shape){0}, &one);
    const char *part = add_floats(w, node, "_half", (lac_shape){0}, &half);
    const char *scaled = STEP(w, node, "Div", "_scaled", x, two)->output[0];
    const char *erf = STEP(w, node, "Erf", "_erf", scaled)->output[0];
    const char *gate = STEP(w, node, "Add", "_gate", erf, unit)->output[0];
    const char *twice = STEP(w, node, "Mul", "_twice", x, gate)->output[0];
    STEP(w, node, "Mul", "", twice, part);
}

static void channel_shuffle(onnx_writer *w, const lac_node *node, const char *x) {
    lac_shape s = w->graph->values[node->out].shape;
    int64_t groups = node->attr.move.groups;
    int64_t apart[5] = {0, groups, s.dim[1] / groups, s.dim[2], s.dim[3]};
    int64_t back[4] = {0, s.dim[1], s.dim[2], s.dim[3]};
    const int turn[5] = {0, 2, 1, 3, 4};
    size_t n = (size_t)s.n_dims;
    const char *from = add_ints(w, node, "_apart_shape", apart, n + 1);
    const char *to = add_ints(w, node, "_shape", back, n);
    const char *split = STEP(w, node, "Reshape", "_apart", x, from)->output[0];
    Onnx__NodeProto *transpose = STEP(w, node, "Transpose", "_turned", split);
    onnx_add_ints(w->arena, transpose, "perm", turn, n + 1);
    STEP(w, node, "Reshape", "", transpose->output[0], to);
}

static void slice(onnx_writer *w, const lac_node *node, const char *x) {
    int64_t begin = node->attr.move.begin, end = node->attr.move.end, axis = 1;
    const char *starts = add_ints(w, node, "_starts", &begin, 1);
    const char *ends = add_ints(w, node, "_ends", &end, 1);
    const char *axes = add_ints(w, node, "_axes", &axis, 1);
    STEP(w, node, "Slice", "", x, starts, ends, axes);
}

static void upsample(onnx_writer *w, const lac_node *node, const char *x) {
    const int *factor = node->attr.move.factor;
    const float scales[4] = {1, 1, (float)factor[0], (float)factor[1]};
    const char *name = add_floats(w, node, "_scales", LAC_SHAPE(4), scales);
    Onnx__NodeProto *to = STEP(w, node, "Resize", "", x, "", name);
    onnx_add_string(w->arena, to, "mode", "nearest");
    onnx_add_string(w->arena, to, "coordinate_transformation_mode", "asymmetric");
    onnx_add_string(w->arena, to, "nearest_mode", "floor");
}

static void pad(onnx_writer *w, const lac_node *node, const char *x) {
    const int *p = node->attr.move.pad;
    int64_t pads[8] = {0, 0, p[0], p[1], 0, 0, p[2], p[3]};
    const char *name = add_ints(w, node, "_pads", pads, 8);
    Onnx__NodeProto *to = STEP(w, node, "Pad", "", x, name);
    onnx_add_string(w->arena, to, "mode", node->attr.move.circular ? "wrap" : "constant");
}

// From opset 18 on the axes are an input.
static void reduce(onnx_writer *w, const lac_node *node, const char *x) {
    const char *type = node->op == LAC_OP_CHANNEL_MEAN ? "ReduceMean" : "ReduceMax";
    const int axis = 1;
    const int64_t axes = 1;
    Onnx__NodeProto *to = w->opset < 18 ? STEP(w, node, type, "", x)
                                        : STEP(w, node, type, "", x, add_ints(w, node, "_axes", &axes, 1));
    if (w->opset < 18) onnx_add_ints(w->arena, to, "axes", &axis, 1);
    onnx_add_int(w->arena, to, "keepdims", 1);
}

bool onnx_expand(onnx_writer *w, const lac_node *node) {
    static void (*const rows[LAC_N_OPS])(onnx_writer *, const lac_node *, const char *) = {
        [LAC_OP_SILU] = silu,
        [LAC_OP_HARD_SWISH] = hard_swish,
        [LAC_OP_GELU] = gelu,
        [LAC_OP_CHANNEL_SHUFFLE] = channel_shuffle,
        [LAC_OP_SLICE] = slice,
        [LAC_OP_UPSAMPLE] = upsample,
        [LAC_OP_PAD] = pad,
        [LAC_OP_CHANNEL_MEAN] = reduce,
        [LAC_OP_CHANNEL_MAX] = reduce,
    };
    if (!rows[node->op]) return false;
    rows[node->op](w, node, w->graph->values[node->in[0]].name);
    return true;
}
