#include "onnx_reader.h"

#include <math.h>
#include <string.h>

// Ops that the standard lacks, or had late, reach us spelled out. Patterns are looked for in the file, before
// nodes are read, because their parts alone mean nothing to the graph. What is almost a pattern stays as it
// is, and the reader refuses it by name.

static bool is_a(const Onnx__NodeProto *node, const char *type) {
    return node && node->op_type && strcmp(node->op_type, type) == 0 && (!node->domain || !*node->domain);
}

static const Onnx__NodeProto *producer(const onnx_reader *r, const char *name) {
    const onnx_binding *b = onnx_names_find(&r->names, name);
    return b && b->producer >= 0 ? r->file->node[b->producer] : NULL;
}

// Index of the one node that reads a value; -1 when there are more readers, or the model's end is one.
static int only_reader(const onnx_reader *r, const char *name) {
    const onnx_binding *b = onnx_names_find(&r->names, name);
    if (!b || b->n_uses != 1) return -1;
    for (size_t n = 0; n < r->file->n_node; n++)
        for (size_t i = 0; i < r->file->node[n]->n_input; i++)
            if (strcmp(r->file->node[n]->input[i], name) == 0) return (int)n;
    return -1;
}

// A constant of the file: an initializer, or a Constant's value.
static const onnx_tensor *constant(const onnx_reader *r, const char *name) {
    const onnx_binding *b = onnx_names_find(&r->names, name);
    const Onnx__TensorProto *proto = b ? b->initializer : NULL;
    const Onnx__NodeProto *node = proto ? NULL : producer(r, name);
    if (is_a(node, "Constant") && node->n_attribute == 1) proto = node->attribute[0]->t;
    onnx_tensor *t = NULL;
    return proto && onnx_tensor_decode(proto, name, r->scratch, &t, NULL) == LAC_OK ? t : NULL;
}

static bool is_number(const onnx_reader *r, const char *name, double wanted) {
    const onnx_tensor *t = constant(r, name);
    return t && t->f && t->n == 1 && fabs((double)t->f[0] - wanted) <= 1e-6 * wanted;
}

// Input i of a node of two inputs whose other is the number; -1 when it is not.
static int beside_number(const onnx_reader *r, const Onnx__NodeProto *node, double number) {
    if (!node || node->n_input != 2 || node->n_attribute) return -1;
    for (int i = 0; i < 2; i++)
        if (is_number(r, node->input[1 - i], number)) return i;
    return -1;
}

static bool reads(const Onnx__NodeProto *node, const char *name) {
    for (size_t i = 0; i < node->n_input; i++)
        if (strcmp(node->input[i], name) == 0) return true;
    return false;
}

static void replace(onnx_reader *r, int last, const char *type, const char *domain, const char *const *in,
                    size_t n_in) {
    Onnx__NodeProto *node = LAC_NEW(r->scratch, Onnx__NodeProto);
    *node = *r->file->node[last];
    node->op_type = lac_arena_strdup(r->scratch, type);
    node->domain = lac_arena_strdup(r->scratch, domain);
    node->n_attribute = 0;
    node->input = LAC_NEW_ARRAY(r->scratch, char *, n_in);
    node->n_input = n_in;
    for (size_t i = 0; i < n_in; i++) node->input[i] = lac_arena_strdup(r->scratch, in[i]);
    r->nodes[last] = node;
}

// ---- x / 2 * (1 + erf(x / sqrt(2))) -----------------------------------------------------------------------

// The x of Div(x, sqrt(2)) or Mul(x, 1 / sqrt(2)); NULL when it is neither.
static const char *scaled_by_root(const onnx_reader *r, const Onnx__NodeProto *node) {
    int i = is_a(node, "Mul") ? beside_number(r, node, sqrt(0.5)) : -1;
    if (is_a(node, "Div") && beside_number(r, node, sqrt(2.0)) == 0) i = 0;
    return i < 0 ? NULL : node->input[i];
}

// The three factors x, 1/2 and the gate come in any order. The last of the two products; -1 when they are
// not.
static int gelu_end(const onnx_reader *r, const char *x, const char *gate) {
    int first = only_reader(r, gate);
    const Onnx__NodeProto *product = first < 0 ? NULL : r->file->node[first];
    if (!is_a(product, "Mul") || product->n_input != 2) return -1;
    const char *other = product->input[strcmp(product->input[0], gate) == 0];
    const Onnx__NodeProto *half = producer(r, other);
    int i = is_a(half, "Mul") ? beside_number(r, half, 0.5) : -1;
    if (i >= 0 && strcmp(half->input[i], x) == 0) return first;
    int second = only_reader(r, product->output[0]);
    const Onnx__NodeProto *last = second < 0 ? NULL : r->file->node[second];
    if (!is_a(last, "Mul") || last->n_input != 2) return -1;
    if (strcmp(other, x) == 0) return beside_number(r, last, 0.5) >= 0 ? second : -1;
    return is_number(r, other, 0.5) && reads(last, x) ? second : -1;
}

static void find_gelu(onnx_reader *r, const Onnx__NodeProto *erf) {
    const char *x = erf->n_input == 1 ? scaled_by_root(r, producer(r, erf->input[0])) : NULL;
    int add = x ? only_reader(r, erf->output[0]) : -1;
    const Onnx__NodeProto *gate = add < 0 ? NULL : r->file->node[add];
    if (!is_a(gate, "Add") || beside_number(r, gate, 1.0) < 0) return;
    int last = gelu_end(r, x, gate->output[0]);
    if (last >= 0) replace(r, last, "Gelu", "", &x, 1);
}

// ---- Reshape, Transpose, Reshape --------------------------------------------------------------------------

static bool turns_channels(const Onnx__NodeProto *node) {
    static const int64_t turn[5] = {0, 2, 1, 3, 4};
    if (node->n_attribute != 1 || !node->attribute[0]->name) return false;
    const Onnx__AttributeProto *a = node->attribute[0];
    return strcmp(a->name, "perm") == 0 && (a->n_ints == 3 || a->n_ints == 5) &&
           memcmp(a->ints, turn, a->n_ints * sizeof *turn) == 0;
}

static bool is_plain_reshape(const Onnx__NodeProto *node) {
    bool keeps_zero = node && node->n_attribute == 1 && node->attribute[0]->name &&
                      strcmp(node->attribute[0]->name, "allowzero") == 0 && node->attribute[0]->i == 0;
    return is_a(node, "Reshape") && node->n_input == 2 && (node->n_attribute == 0 || keeps_zero);
}

static void find_shuffle(onnx_reader *r, const Onnx__NodeProto *transpose) {
    if (transpose->n_input != 1 || !turns_channels(transpose)) return;
    const Onnx__NodeProto *apart = producer(r, transpose->input[0]);
    int last = only_reader(r, transpose->output[0]);
    if (!is_plain_reshape(apart) || last < 0 || !is_plain_reshape(r->file->node[last])) return;
    if (only_reader(r, apart->output[0]) < 0) return;
    const char *in[3] = {apart->input[0], apart->input[1], r->file->node[last]->input[1]};
    replace(r, last, "ChannelShuffle", onnx_pattern_domain, in, 3);
}

lac_status onnx_find_patterns(onnx_reader *r) {
    size_t n = r->file->n_node;
    r->nodes = LAC_NEW_ARRAY(r->scratch, const Onnx__NodeProto *, n);
    for (size_t i = 0; i < n; i++) r->nodes[i] = r->file->node[i];
    for (size_t i = 0; i < n; i++) {
        if (is_a(r->file->node[i], "Erf")) find_gelu(r, r->file->node[i]);
        if (is_a(r->file->node[i], "Transpose")) find_shuffle(r, r->file->node[i]);
    }
    return LAC_OK;
}
