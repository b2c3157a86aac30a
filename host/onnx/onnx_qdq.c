#include "onnx_qdq.h"
#include "onnx_reader.h"

#include <math.h>
#include <string.h>

static bool is_quantizer(lac_op op) {
    return op == LAC_OP_QUANT || op == LAC_OP_BIPOLAR_QUANT;
}

bool onnx_is_of_quantizers(const lac_graph *graph, int value) {
    bool read = false;
    for (int n = 0; n < graph->n_nodes; n++)
        for (int i = 0; i < graph->nodes[n].n_in; i++) {
            if (graph->nodes[n].in[i] != value) continue;
            if (!is_quantizer(graph->nodes[n].op)) return false;
            read = true;
        }
    return read;
}

static char *free_name(const onnx_qdq *q, const lac_node *node, const char *suffix) {
    char *name = lac_arena_printf(q->arena, "%s_%s", node->name, suffix);
    while (!onnx_name_is_free(q->graph, name)) name = lac_arena_printf(q->arena, "%s_", name);
    return name;
}

static char *add_floats(const onnx_qdq *q, const lac_node *node, const char *suffix, lac_shape shape,
                        const float *data) {
    char *name = free_name(q, node, suffix);
    q->file->initializer[q->file->n_initializer++] = onnx_new_tensor(q->arena, name, shape, data);
    return name;
}

static char *add_codes(const onnx_qdq *q, const lac_node *node, const char *suffix, lac_shape shape,
                       const void *data, bool is_signed) {
    static const float nothing[1] = {0};
    size_t n = (size_t)lac_shape_count(shape);
    char *name = free_name(q, node, suffix);
    Onnx__TensorProto *t = onnx_new_tensor(q->arena, name, (lac_shape){0}, nothing);
    t->n_dims = (size_t)shape.n_dims;
    t->dims = lac_arena_copy(q->arena, shape.dim, t->n_dims * sizeof shape.dim[0]);
    t->data_type = is_signed ? ONNX__TENSOR_PROTO__DATA_TYPE__INT8 : ONNX__TENSOR_PROTO__DATA_TYPE__UINT8;
    t->raw_data.len = n;
    t->raw_data.data = lac_arena_copy(q->arena, data, n);
    q->file->initializer[q->file->n_initializer++] = t;
    return name;
}

static Onnx__NodeProto *add_node(const onnx_qdq *q, const lac_node *node, const char *type, char *const *in,
                                 int n_in, const char *out) {
    lac_node named = *node;
    named.name = lac_arena_printf(q->arena, "%s_%s", node->name, type);
    Onnx__NodeProto *to = onnx_new_node(q->arena, &named, type, "", 1);
    to->n_input = (size_t)n_in;
    to->input = lac_arena_copy(q->arena, in, (size_t)n_in * sizeof *in);
    to->output = LAC_NEW_ARRAY(q->arena, char *, 1);
    to->output[to->n_output++] = lac_arena_strdup(q->arena, out);
    q->file->node[q->file->n_node++] = to;
    return to;
}

typedef struct limits {
    float lowest, highest;
} limits;

static limits limits_of(const lac_node *node) {
    lac_quant_attr a = node->attr.quant;
    if (node->op == LAC_OP_BIPOLAR_QUANT) return (limits){-1, 1};
    int span = a.is_signed ? 1 << (a.bits - 1) : 1 << a.bits;
    return (limits){(float)(a.is_signed ? a.narrow - span : 0),
                    (float)(span - 1 - (!a.is_signed && a.narrow))};
}

static int8_t code_of(const lac_node *node, float w, float scale, limits l) {
    if (node->op == LAC_OP_BIPOLAR_QUANT) return w >= 0 ? 1 : -1;
    return (int8_t)fminf(fmaxf(rintf(w / scale), l.lowest), l.highest);
}

// One scale, or one per output channel as a vector along axis 0.
static char *add_scale(const onnx_qdq *q, const lac_node *node) {
    const lac_value *s = &q->graph->values[node->in[1]];
    int64_t n = lac_shape_count(s->shape);
    return add_floats(q, node, "qscale", s->shape.n_dims ? LAC_SHAPE(n) : (lac_shape){0}, s->data);
}

static void add_weights(const onnx_qdq *q, const lac_node *node) {
    const lac_value *w = &q->graph->values[node->in[0]], *s = &q->graph->values[node->in[1]];
    int64_t n_scales = lac_shape_count(s->shape), n = lac_shape_count(w->shape) / n_scales;
    int8_t *code = LAC_NEW_ARRAY(q->arena, int8_t, n_scales * n);
    limits l = limits_of(node);
    for (int64_t i = 0; i < n_scales * n; i++) code[i] = code_of(node, w->data[i], s->data[i / n], l);
    char *in[2] = {add_codes(q, node, "codes", w->shape, code, true), add_scale(q, node)};
    const char *out = q->graph->values[node->out].name;
    Onnx__NodeProto *to = add_node(q, node, "DequantizeLinear", in, 2, out);
    if (s->shape.n_dims) onnx_add_int(q->arena, to, "axis", 0);
}

static void add_activation(const onnx_qdq *q, const lac_node *node) {
    lac_quant_attr a = node->attr.quant;
    const lac_shape scalar = {0};
    const float scale = q->graph->values[node->in[1]].data[0], zero = q->graph->values[node->in[2]].data[0];
    limits l = limits_of(node);
    int8_t code = (int8_t)(int)zero;
    uint8_t unsigned_code = (uint8_t)(int)zero;
    char *x = lac_arena_strdup(q->arena, q->graph->values[node->in[0]].name);
    if (a.bits < 8 || a.narrow) {
        const float low = (l.lowest - zero) * scale, high = (l.highest - zero) * scale;
        char *in[3] = {x, add_floats(q, node, "low", scalar, &low),
                       add_floats(q, node, "high", scalar, &high)};
        x = free_name(q, node, "clipped");
        (void)add_node(q, node, "Clip", in, 3, x);
    }
    char *in[3] = {
        x, add_scale(q, node),
        add_codes(q, node, "qzero", scalar, a.is_signed ? (const void *)&code : &unsigned_code, a.is_signed)};
    char *codes = free_name(q, node, "codes");
    (void)add_node(q, node, "QuantizeLinear", in, 3, codes);
    in[0] = codes;
    (void)add_node(q, node, "DequantizeLinear", in, 3, q->graph->values[node->out].name);
}

void onnx_add_qdq(const onnx_qdq *q, const lac_node *node) {
    if (q->graph->values[node->in[0]].data)
        add_weights(q, node);
    else
        add_activation(q, node);
}
