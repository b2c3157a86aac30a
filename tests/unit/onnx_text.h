#ifndef LAC_TEST_ONNX_TEXT_H
#define LAC_TEST_ONNX_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "onnx.pb-c.h"

/// ONNX models written as text, one item a line, for tests of the reader:
///
///   opset 13                        the default; 0 is none
///   domain NAME VERSION             one more opset
///   input x N 2 4 4                 N is symbolic
///   init w 3 2 3 3                  floats that go up and down by quarters
///   init s 1 = 0.5                  floats as given
///   ints shape 2 = 0 -1             64-bit integers as given
///   node Conv y x,w group=1 pads=[1,1,1,1] auto_pad=VALID epsilon=1.0
///                                   op (domain::op), outputs, inputs (- for an absent one), attributes
///   output y
///
/// The node that makes y is called node_y. Everything comes from arena.
typedef struct onnx_text {
    lac_arena *arena;
    Onnx__ModelProto *model;
} onnx_text;

enum { ONNX_TEXT_MOST = 64 };

#define ONNX_TEXT_NEW(t, type, init)                                                                         \
    __extension__({                                                                                          \
        type *made = LAC_NEW((t)->arena, type);                                                              \
        init(made);                                                                                          \
        made;                                                                                                \
    })

static inline size_t onnx_text_split(const onnx_text *t, const char *text, const char *separators,
                                     char **out) {
    size_t n = 0;
    char *rest = lac_arena_strdup(t->arena, text), *save = NULL;
    for (char *word = strtok_r(rest, separators, &save); word && n < ONNX_TEXT_MOST;
         word = strtok_r(NULL, separators, &save))
        out[n++] = word;
    return n;
}

static inline Onnx__ValueInfoProto *onnx_text_info(const onnx_text *t, char **words, size_t n) {
    Onnx__ValueInfoProto *info = ONNX_TEXT_NEW(t, Onnx__ValueInfoProto, onnx__value_info_proto__init);
    info->name = words[0];
    info->type = ONNX_TEXT_NEW(t, Onnx__TypeProto, onnx__type_proto__init);
    info->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    Onnx__TypeProto__Tensor *tensor =
        ONNX_TEXT_NEW(t, Onnx__TypeProto__Tensor, onnx__type_proto__tensor__init);
    info->type->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    if (n < 2) return info;
    tensor->shape = ONNX_TEXT_NEW(t, Onnx__TensorShapeProto, onnx__tensor_shape_proto__init);
    tensor->shape->dim = LAC_NEW_ARRAY(t->arena, Onnx__TensorShapeProto__Dimension *, n);
    for (size_t i = 1; i < n; i++) {
        Onnx__TensorShapeProto__Dimension *dim =
            ONNX_TEXT_NEW(t, Onnx__TensorShapeProto__Dimension, onnx__tensor_shape_proto__dimension__init);
        bool symbolic = words[i][0] >= 'A';
        dim->value_case = symbolic ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                   : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (symbolic)
            dim->dim_param = words[i];
        else
            dim->dim_value = atoll(words[i]);
        tensor->shape->dim[tensor->shape->n_dim++] = dim;
    }
    return info;
}

static inline Onnx__TensorProto *onnx_text_tensor(const onnx_text *t, char **words, size_t n, bool floats) {
    Onnx__TensorProto *tensor = ONNX_TEXT_NEW(t, Onnx__TensorProto, onnx__tensor_proto__init);
    tensor->name = words[0];
    tensor->dims = LAC_NEW_ARRAY(t->arena, int64_t, n);
    size_t i = 1, count = 1, given;
    for (; i < n && strcmp(words[i], "=") != 0; i++) {
        tensor->dims[tensor->n_dims++] = atoll(words[i]);
        count *= (size_t)atoll(words[i]);
    }
    given = i < n ? n - i - 1 : 0;
    if (i < n) count = given;
    tensor->has_data_type = 1;
    tensor->data_type = floats ? ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT : ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    tensor->float_data = LAC_NEW_ARRAY(t->arena, float, count);
    tensor->int64_data = LAC_NEW_ARRAY(t->arena, int64_t, count);
    for (size_t k = 0; k < count; k++) {
        tensor->float_data[k] = given ? strtof(words[i + 1 + k], NULL) : 0.25f * (float)((int)(k % 7) - 3);
        tensor->int64_data[k] = given ? atoll(words[i + 1 + k]) : 0;
    }
    *(floats ? &tensor->n_float_data : &tensor->n_int64_data) = count;
    return tensor;
}

static inline Onnx__AttributeProto *onnx_text_attribute(const onnx_text *t, char *name, char *value) {
    Onnx__AttributeProto *a = ONNX_TEXT_NEW(t, Onnx__AttributeProto, onnx__attribute_proto__init);
    a->name = name;
    a->has_type = 1;
    if (value[0] == '[') {
        char *words[ONNX_TEXT_MOST];
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        a->n_ints = onnx_text_split(t, value, "[],", words);
        a->ints = LAC_NEW_ARRAY(t->arena, int64_t, a->n_ints);
        for (size_t i = 0; i < a->n_ints; i++) a->ints[i] = atoll(words[i]);
    } else if (strchr("-0123456789", value[0]) && strchr(value, '.')) {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        a->has_f = 1;
        a->f = strtof(value, NULL);
    } else if (strchr("-0123456789", value[0])) {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        a->has_i = 1;
        a->i = atoll(value);
    } else {
        a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
        a->has_s = 1;
        a->s = (ProtobufCBinaryData){strlen(value), (uint8_t *)value};
    }
    return a;
}

static inline char **onnx_text_names(const onnx_text *t, const char *text, size_t *n) {
    char **names = LAC_NEW_ARRAY(t->arena, char *, ONNX_TEXT_MOST);
    *n = onnx_text_split(t, text, ",", names);
    for (size_t i = 0; i < *n; i++)
        if (strcmp(names[i], "-") == 0) names[i] = lac_arena_strdup(t->arena, "");
    return names;
}

static inline Onnx__NodeProto *onnx_text_node(const onnx_text *t, char **words, size_t n) {
    Onnx__NodeProto *node = ONNX_TEXT_NEW(t, Onnx__NodeProto, onnx__node_proto__init);
    char *colons = strstr(words[0], "::");
    node->op_type = colons ? colons + 2 : words[0];
    if (colons) node->domain = words[0], *colons = 0;
    node->output = onnx_text_names(t, words[1], &node->n_output);
    if (n > 2 && strcmp(words[2], "-") != 0) node->input = onnx_text_names(t, words[2], &node->n_input);
    node->name = lac_arena_printf(t->arena, "node_%s", node->output[0]);
    node->attribute = LAC_NEW_ARRAY(t->arena, Onnx__AttributeProto *, n);
    for (size_t i = 3; i < n; i++) {
        char *equal = strchr(words[i], '=');
        *equal = 0;
        node->attribute[node->n_attribute++] = onnx_text_attribute(t, words[i], equal + 1);
    }
    return node;
}

static inline void onnx_text_opset(onnx_text *t, const char *domain, int64_t version) {
    Onnx__OperatorSetIdProto *set =
        ONNX_TEXT_NEW(t, Onnx__OperatorSetIdProto, onnx__operator_set_id_proto__init);
    set->domain = lac_arena_strdup(t->arena, domain);
    set->has_version = 1;
    set->version = version;
    t->model->opset_import[t->model->n_opset_import++] = set;
}

static inline void onnx_text_line(onnx_text *t, char **words, size_t n) {
    Onnx__GraphProto *g = t->model->graph;
    const char *what = words[0];
    if (strcmp(what, "opset") == 0) t->model->opset_import[0]->version = atoll(words[1]);
    if (strcmp(what, "domain") == 0) onnx_text_opset(t, words[1], atoll(words[2]));
    if (strcmp(what, "input") == 0) g->input[g->n_input++] = onnx_text_info(t, words + 1, n - 1);
    if (strcmp(what, "output") == 0) g->output[g->n_output++] = onnx_text_info(t, words + 1, n - 1);
    if (strcmp(what, "node") == 0) g->node[g->n_node++] = onnx_text_node(t, words + 1, n - 1);
    if (strcmp(what, "init") == 0 || strcmp(what, "ints") == 0)
        g->initializer[g->n_initializer++] = onnx_text_tensor(t, words + 1, n - 1, strcmp(what, "init") == 0);
}

/// The model of a text, for a test to change further.
static inline Onnx__ModelProto *onnx_text_model(const char *text, lac_arena *arena) {
    onnx_text t = {arena, LAC_NEW(arena, Onnx__ModelProto)};
    onnx__model_proto__init(t.model);
    t.model->has_ir_version = 1;
    t.model->ir_version = 7;
    Onnx__GraphProto *g = t.model->graph = ONNX_TEXT_NEW(&t, Onnx__GraphProto, onnx__graph_proto__init);
    g->name = lac_arena_strdup(arena, "text");
    g->node = LAC_NEW_ARRAY(arena, Onnx__NodeProto *, ONNX_TEXT_MOST);
    g->initializer = LAC_NEW_ARRAY(arena, Onnx__TensorProto *, ONNX_TEXT_MOST);
    g->input = LAC_NEW_ARRAY(arena, Onnx__ValueInfoProto *, ONNX_TEXT_MOST);
    g->output = LAC_NEW_ARRAY(arena, Onnx__ValueInfoProto *, ONNX_TEXT_MOST);
    t.model->opset_import = LAC_NEW_ARRAY(arena, Onnx__OperatorSetIdProto *, ONNX_TEXT_MOST);
    onnx_text_opset(&t, "", 13);
    char *lines[ONNX_TEXT_MOST], *words[ONNX_TEXT_MOST];
    size_t n_lines = onnx_text_split(&t, text, "\n", lines);
    for (size_t i = 0; i < n_lines; i++) onnx_text_line(&t, words, onnx_text_split(&t, lines[i], " ", words));
    return t.model;
}

static inline lac_bytes onnx_text_pack(const Onnx__ModelProto *model, lac_arena *arena) {
    lac_bytes bytes = {.n = onnx__model_proto__get_packed_size(model)};
    bytes.data = lac_arena_alloc(arena, bytes.n);
    onnx__model_proto__pack(model, bytes.data);
    return bytes;
}

#endif
