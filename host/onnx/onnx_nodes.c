#include "onnx_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// ---- simple ops -----------------------------------------------------------------------------------------

static lac_status import_unary(onnx_node *node, lac_op op) {
    int x;
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    LAC_TRY(onnx_activation(node, 0, &x));
    return onnx_emit(node, op, &x, 1, NULL);
}

static lac_status import_relu(onnx_node *node) {
    return import_unary(node, LAC_OP_RELU);
}

static lac_status import_global_avg_pool(onnx_node *node) {
    return import_unary(node, LAC_OP_GLOBAL_AVG_POOL);
}

static lac_status import_global_max_pool(onnx_node *node) {
    return import_unary(node, LAC_OP_GLOBAL_MAX_POOL);
}

static lac_status import_sigmoid(onnx_node *node) {
    return import_unary(node, LAC_OP_SIGMOID);
}

static lac_status import_tanh(onnx_node *node) {
    return import_unary(node, LAC_OP_TANH);
}

static lac_status import_batch_norm(onnx_node *node) {
    int in[5];
    int64_t training, spatial;
    lac_attr attr = {0};
    LAC_TRY(onnx_n_inputs(node, 5, 5));
    LAC_TRY(onnx_attr_float(node, "epsilon", 1e-5f, &attr.epsilon));
    LAC_TRY(onnx_attr_float(node, "momentum", 0.9f, &attr.momentum));
    LAC_TRY(onnx_attr_int(node, "training_mode", 0, &training));
    LAC_TRY(onnx_attr_int(node, "spatial", 1, &spatial));
    if (training != 0 || spatial != 1)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "training_mode is %" PRId64 " and spatial %" PRId64
                  ", supported are 0 and 1; export the model "
                  "for inference",
                  training, spatial);
    LAC_TRY(onnx_activation(node, 0, &in[0]));
    int64_t channels = node->r->graph->values[in[0]].shape.dim[1];
    for (size_t i = 1; i < 5; i++) {
        onnx_tensor *t;
        LAC_TRY(onnx_const(node, i, &t));
        if (t->shape.n_dims != 1 || t->n != channels)
            ONNX_FAIL(node, LAC_E_SHAPE,
                      "'%.100s' has %" PRId64 " elements in %d dimensions, the input has %" PRId64
                      " channels",
                      t->name, t->n, t->shape.n_dims, channels);
        for (int64_t c = 0; i == 4 && t->f && c < t->n; c++)
            if (!(t->f[c] + attr.epsilon > 0))
                ONNX_FAIL(node, LAC_E_RANGE, "variance of channel %" PRId64 " is %g, must be above -epsilon",
                          c, (double)t->f[c]);
        LAC_TRY(onnx_tensor_use(node->r, t, i <= 2, &in[i]));
    }
    return onnx_emit(node, LAC_OP_BATCH_NORM, in, 5, &attr);
}

// The axis counted from the front.
static lac_status axis_of(onnx_node *node, int64_t fallback, int n_dims, int64_t *axis) {
    LAC_TRY(onnx_attr_int(node, "axis", fallback, axis));
    if (*axis < 0) *axis += n_dims;
    return LAC_OK;
}

static lac_status import_concat(onnx_node *node) {
    size_t n = node->proto->n_input;
    LAC_TRY(onnx_n_inputs(node, n ? n : 1, n));
    int *in = LAC_NEW_ARRAY(node->r->scratch, int, n);
    for (size_t i = 0; i < n; i++) LAC_TRY(onnx_activation(node, i, &in[i]));
    int64_t axis, given;
    LAC_TRY(onnx_attr_int(node, "axis", 0, &given));
    LAC_TRY(axis_of(node, 0, node->r->graph->values[in[0]].shape.n_dims, &axis));
    if (axis != 1)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "axis is %" PRId64 ", supported is 1 (channels)", given);
    return onnx_emit(node, LAC_OP_CONCAT, in, (int)n, NULL);
}

static lac_status import_flatten(onnx_node *node) {
    int x;
    int64_t axis, given;
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    LAC_TRY(onnx_activation(node, 0, &x));
    LAC_TRY(onnx_attr_int(node, "axis", 1, &given));
    LAC_TRY(axis_of(node, 1, node->r->graph->values[x].shape.n_dims, &axis));
    if (axis != 1)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "axis is %" PRId64 ", supported is 1 (all but the batch)", given);
    return onnx_emit(node, LAC_OP_FLATTEN, &x, 1, NULL);
}

// Reshape to [batch, everything else]: by 0 (keep), -1 (the rest), or the numbers themselves.
static lac_status import_reshape(onnx_node *node) {
    int x;
    onnx_tensor *to;
    int64_t allow_zero;
    LAC_TRY(onnx_n_inputs(node, 2, 2));
    LAC_TRY(onnx_activation(node, 0, &x));
    LAC_TRY(onnx_const(node, 1, &to));
    LAC_TRY(onnx_attr_int(node, "allowzero", 0, &allow_zero));
    lac_shape shape = node->r->graph->values[x].shape;
    int64_t features = lac_shape_count(shape), batch = node->r->batch;
    if (to->i && to->shape.n_dims == 1 && to->n == 2) {
        int64_t rows = to->i[0], columns = to->i[1];
        bool keeps_batch = (rows == 0 && !allow_zero) || (batch && rows == batch) || rows == -1;
        bool rest = columns == features || (columns == -1 && rows != -1) ||
                    (columns == 0 && !allow_zero && shape.n_dims == 2);
        if (keeps_batch && rest) return onnx_emit(node, LAC_OP_FLATTEN, &x, 1, NULL);
    }
    ONNX_FAIL(node, LAC_E_UNSUPPORTED,
              "reshapes to %s, supported is a batch of any size by %" PRId64
              "; use Flatten or the shape [0, -1]",
              to->i && to->n == 2
                  ? lac_arena_printf(node->r->scratch, "[%" PRId64 ", %" PRId64 "]", to->i[0], to->i[1])
                  : lac_arena_printf(node->r->scratch, "%" PRId64 " dimensions", to->n),
              features);
}

// ---- ops that leave nothing behind ----------------------------------------------------------------------

static lac_status pass_on(onnx_node *node) {
    onnx_binding *from, *to = onnx_names_get(&node->r->names, node->proto->output[0]);
    LAC_TRY(onnx_input_binding(node, 0, &from));
    to->tensor = from->tensor;
    to->value = from->value;
    to->n_uses += from->n_uses - 1; // whoever wants to be the only reader must count both names
    return LAC_OK;
}

static lac_status import_identity(onnx_node *node) {
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    return pass_on(node);
}

static lac_status import_dropout(onnx_node *node) {
    LAC_TRY(onnx_n_inputs(node, 1, 3));
    float ratio; // attribute before opset 12; says nothing at inference
    int64_t seed;
    LAC_TRY(onnx_attr_float(node, "ratio", 0.5f, &ratio));
    LAC_TRY(onnx_attr_int(node, "seed", 0, &seed));
    if (onnx_input_name(node, 2)) {
        onnx_tensor *training;
        LAC_TRY(onnx_const(node, 2, &training));
        if (!training->i || training->n != 1 || training->i[0] != 0)
            ONNX_FAIL(node, LAC_E_UNSUPPORTED, "training_mode is on; export the model for inference");
    }
    return pass_on(node);
}

lac_status onnx_leave_out(onnx_node *node, const char *what) {
    lac_graph_set_meta(node->r->graph, "lacuna.import.note",
                       lac_arena_printf(node->r->scratch,
                                        "the final %s '%s' was left out: outputs are logits", what,
                                        onnx_node_name(node->proto)));
    return pass_on(node);
}

static bool is_last(const onnx_node *node) {
    const char *name = node->proto->output[0];
    return strcmp(name, node->r->file->output[0]->name) == 0 &&
           onnx_names_find(&node->r->names, name)->n_uses == 1;
}

static lac_status import_arg_max(onnx_node *node) {
    int x;
    int64_t axis, keep_dims, last_index;
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    LAC_TRY(onnx_activation(node, 0, &x));
    int n_dims = node->r->graph->values[x].shape.n_dims;
    LAC_TRY(axis_of(node, 0, n_dims, &axis));
    LAC_TRY(onnx_attr_int(node, "keepdims", 1, &keep_dims));
    LAC_TRY(onnx_attr_int(node, "select_last_index", 0, &last_index));
    if (!is_last(node) || n_dims != 2 || axis != 1 || last_index != 0)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "axis %" PRId64 " of %d dimensions, select_last_index %" PRId64
                  "; supported is axis 1 of N x classes, the first of equals, as the model's last node",
                  axis, n_dims, last_index);
    return onnx_leave_out(node, "ArgMax");
}

static lac_status import_softmax(onnx_node *node) {
    int x;
    int64_t axis, given;
    LAC_TRY(onnx_n_inputs(node, 1, 1));
    LAC_TRY(onnx_activation(node, 0, &x));
    int n_dims = node->r->graph->values[x].shape.n_dims;
    int64_t fallback = node->r->opset >= 13 ? -1 : 1;
    LAC_TRY(onnx_attr_int(node, "axis", fallback, &given));
    LAC_TRY(axis_of(node, fallback, n_dims, &axis));
    if (!is_last(node) || n_dims != 2 || axis != 1)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "axis %" PRId64
                  " of %d dimensions; supported is axis 1 of N x classes as the model's last node, "
                  "where it is left out because it changes no decision",
                  given, n_dims);
    return onnx_leave_out(node, "Softmax");
}

// ---- constants ------------------------------------------------------------------------------------------

// One of the short forms value_float, value_floats, value_int, value_ints.
static lac_status constant_of_numbers(onnx_node *node, const char *name, onnx_tensor **out) {
    static const struct {
        const char *attr;
        int type;
    } forms[] = {{"value_float", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT},
                 {"value_floats", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS},
                 {"value_int", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT},
                 {"value_ints", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS}};
    lac_arena *arena = node->r->scratch;
    for (int i = 0; i < 4; i++) {
        const Onnx__AttributeProto *a;
        LAC_TRY(onnx_attr_find(node, forms[i].attr, forms[i].type, &a));
        if (!a) continue;
        bool list = i % 2, floats = i < 2;
        size_t n = !list ? 1 : floats ? a->n_floats : a->n_ints;
        if (n == 0) ONNX_FAIL(node, LAC_E_SHAPE, "attribute '%s' has 0 elements", forms[i].attr);
        onnx_tensor *t = LAC_NEW(arena, onnx_tensor);
        *t = (onnx_tensor){.name = name, .n = (int64_t)n, .value = LAC_NO_VALUE};
        if (list) t->shape = LAC_SHAPE((int64_t)n);
        if (floats) t->f = lac_arena_copy(arena, list ? a->floats : &a->f, n * sizeof(float));
        if (!floats) t->i = lac_arena_copy(arena, list ? a->ints : &a->i, n * sizeof(int64_t));
        *out = t;
        return LAC_OK;
    }
    ONNX_FAIL(node, LAC_E_UNSUPPORTED, "has no value that is supported; make it an initializer");
}

static lac_status import_constant(onnx_node *node) {
    LAC_TRY(onnx_n_inputs(node, 0, 0));
    const char *name = node->proto->output[0];
    onnx_binding *out = onnx_names_get(&node->r->names, name);
    const Onnx__AttributeProto *a;
    LAC_TRY(onnx_attr_find(node, "value", ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR, &a));
    if (!a) return constant_of_numbers(node, name, &out->tensor);
    if (!a->t) ONNX_FAIL(node, LAC_E_FORMAT, "attribute 'value' holds no tensor");
    return onnx_tensor_decode(a->t, name, node->r->scratch, &out->tensor, node->r->err);
}

// ---- the table ------------------------------------------------------------------------------------------

const char onnx_pattern_domain[] = "a pattern of several nodes";
static const char qonnx[] = "qonnx.custom_op.general";

static const struct row {
    const char *type, *domain;
    lac_status (*import)(onnx_node *node);
} rows[] = {
    {"Conv", "", onnx_import_conv},
    {"Gemm", "", onnx_import_gemm},
    {"MatMul", "", onnx_import_matmul},
    {"BatchNormalization", "", import_batch_norm},
    {"Relu", "", import_relu},
    {"MaxPool", "", onnx_import_max_pool},
    {"AveragePool", "", onnx_import_avg_pool},
    {"GlobalAveragePool", "", import_global_avg_pool},
    {"GlobalMaxPool", "", import_global_max_pool},
    {"ReduceMean", "", onnx_import_reduce_mean},
    {"ReduceMax", "", onnx_import_reduce_max},
    {"ConvTranspose", "", onnx_import_conv_transpose},
    {"Sigmoid", "", import_sigmoid},
    {"Tanh", "", import_tanh},
    {"HardSigmoid", "", onnx_import_hard_sigmoid},
    {"HardSwish", "", onnx_import_hard_swish},
    {"Gelu", "", onnx_import_gelu},
    {"Mul", "", onnx_import_mul},
    {"Slice", "", onnx_import_slice},
    {"Split", "", onnx_import_split},
    {"ChannelShuffle", onnx_pattern_domain, onnx_import_channel_shuffle},
    {"Resize", "", onnx_import_resize},
    {"Upsample", "", onnx_import_resize},
    {"DepthToSpace", "", onnx_import_depth_to_space},
    {"Pad", "", onnx_import_pad},
    {"Add", "", onnx_import_add},
    {"Concat", "", import_concat},
    {"Flatten", "", import_flatten},
    {"Reshape", "", import_reshape},
    {"Identity", "", import_identity},
    {"Dropout", "", import_dropout},
    {"Softmax", "", import_softmax},
    {"ArgMax", "", import_arg_max},
    {"Constant", "", import_constant},
    {"Quant", qonnx, onnx_import_quant},
    {"BipolarQuant", qonnx, onnx_import_bipolar_quant},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static const struct row *find_row(const Onnx__NodeProto *proto) {
    const char *domain = proto->domain ? proto->domain : "";
    if (strcmp(domain, "ai.onnx") == 0) domain = "";
    for (size_t i = 0; proto->op_type && i < N_ROWS; i++)
        if (strcmp(rows[i].type, proto->op_type) == 0 && strcmp(rows[i].domain, domain) == 0) return &rows[i];
    return NULL;
}

static lac_status refuse(const onnx_node *node) {
    char known[800] = "";
    size_t used = 0;
    for (size_t i = 0; i < N_ROWS && used < sizeof known; i++)
        if (rows[i].domain != onnx_pattern_domain)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", rows[i].type);
    const char *domain = node->proto->domain ? node->proto->domain : "";
    ONNX_FAIL(node, LAC_E_UNSUPPORTED, "this op%s%.60s is not supported; replace it by what is: %s",
              *domain ? " of domain " : "", domain, known);
}

lac_status onnx_import(onnx_reader *r, const Onnx__NodeProto *proto) {
    onnx_node node = {r, proto, 0};
    if (proto->n_attribute > 64)
        ONNX_FAIL(&node, LAC_E_FORMAT, "has %zu attributes, no op has over 64", proto->n_attribute);
    const struct row *row = find_row(proto);
    if (!row) return refuse(&node);
    for (size_t i = 1; i < proto->n_output && row->import != onnx_import_split; i++)
        if (*proto->output[i] && onnx_names_find(&r->names, proto->output[i])->n_uses > 0)
            ONNX_FAIL(&node, LAC_E_UNSUPPORTED,
                      "its output %zu, '%.100s', is used; supported is the first alone", i, proto->output[i]);
    LAC_TRY(row->import(&node));
    return onnx_attr_done(&node);
}
