#include "onnx_build.h"

#include <string.h>

static Onnx__TensorShapeProto *new_shape(lac_arena *arena, lac_shape shape, bool batched) {
    Onnx__TensorShapeProto *s = LAC_NEW(arena, Onnx__TensorShapeProto);
    onnx__tensor_shape_proto__init(s);
    s->n_dim = (size_t)shape.n_dims;
    s->dim = LAC_NEW_ARRAY(arena, Onnx__TensorShapeProto__Dimension *, s->n_dim);
    for (size_t i = 0; i < s->n_dim; i++) {
        Onnx__TensorShapeProto__Dimension *dim = LAC_NEW(arena, Onnx__TensorShapeProto__Dimension);
        onnx__tensor_shape_proto__dimension__init(dim);
        if (batched && i == 0) {
            dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            dim->dim_param = lac_arena_strdup(arena, "N");
        } else {
            dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            dim->dim_value = shape.dim[i];
        }
        s->dim[i] = dim;
    }
    return s;
}

Onnx__ValueInfoProto *onnx_new_value_info(lac_arena *arena, const char *name, lac_shape shape, bool batched) {
    Onnx__ValueInfoProto *info = LAC_NEW(arena, Onnx__ValueInfoProto);
    onnx__value_info_proto__init(info);
    info->name = lac_arena_strdup(arena, name);
    info->type = LAC_NEW(arena, Onnx__TypeProto);
    onnx__type_proto__init(info->type);
    info->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    Onnx__TypeProto__Tensor *tensor = LAC_NEW(arena, Onnx__TypeProto__Tensor);
    onnx__type_proto__tensor__init(tensor);
    info->type->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = new_shape(arena, shape, batched);
    return info;
}

Onnx__TensorProto *onnx_new_tensor(lac_arena *arena, const char *name, lac_shape shape, const float *data) {
    size_t n = (size_t)lac_shape_count(shape);
    Onnx__TensorProto *t = LAC_NEW(arena, Onnx__TensorProto);
    onnx__tensor_proto__init(t);
    t->name = lac_arena_strdup(arena, name);
    t->n_dims = (size_t)shape.n_dims;
    t->dims = lac_arena_copy(arena, shape.dim, t->n_dims * sizeof shape.dim[0]);
    t->has_data_type = 1;
    t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    t->has_raw_data = 1;
    t->raw_data.len = n * sizeof *data;
    t->raw_data.data = lac_arena_copy(arena, data, n * sizeof *data);
    return t;
}

Onnx__TensorProto *onnx_new_int_tensor(lac_arena *arena, const char *name, const int64_t *data, size_t n) {
    Onnx__TensorProto *t = LAC_NEW(arena, Onnx__TensorProto);
    int64_t count = (int64_t)n;
    onnx__tensor_proto__init(t);
    t->name = lac_arena_strdup(arena, name);
    t->n_dims = 1;
    t->dims = lac_arena_copy(arena, &count, sizeof count);
    t->has_data_type = 1;
    t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    t->has_raw_data = 1;
    t->raw_data.len = n * sizeof *data;
    t->raw_data.data = lac_arena_copy(arena, data, n * sizeof *data);
    return t;
}

Onnx__NodeProto *onnx_new_node(lac_arena *arena, const lac_node *node, const char *type, const char *domain,
                               size_t n_attributes_most) {
    Onnx__NodeProto *n = LAC_NEW(arena, Onnx__NodeProto);
    onnx__node_proto__init(n);
    n->name = lac_arena_strdup(arena, node->name);
    n->op_type = lac_arena_strdup(arena, type);
    if (*domain) n->domain = lac_arena_strdup(arena, domain);
    n->attribute = LAC_NEW_ARRAY(arena, Onnx__AttributeProto *, n_attributes_most);
    return n;
}

static Onnx__AttributeProto *add_attr(lac_arena *arena, Onnx__NodeProto *node, const char *name, int type) {
    Onnx__AttributeProto *a = LAC_NEW(arena, Onnx__AttributeProto);
    onnx__attribute_proto__init(a);
    a->name = lac_arena_strdup(arena, name);
    a->has_type = 1;
    a->type = (Onnx__AttributeProto__AttributeType)type;
    node->attribute[node->n_attribute++] = a;
    return a;
}

void onnx_add_int(lac_arena *arena, Onnx__NodeProto *node, const char *name, int64_t value) {
    Onnx__AttributeProto *a = add_attr(arena, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = 1;
    a->i = value;
}

void onnx_add_float(lac_arena *arena, Onnx__NodeProto *node, const char *name, float value) {
    Onnx__AttributeProto *a = add_attr(arena, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = 1;
    a->f = value;
}

void onnx_add_string(lac_arena *arena, Onnx__NodeProto *node, const char *name, const char *value) {
    Onnx__AttributeProto *a = add_attr(arena, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    a->has_s = 1;
    a->s.len = strlen(value);
    a->s.data = lac_arena_copy(arena, value, a->s.len);
}

void onnx_add_ints(lac_arena *arena, Onnx__NodeProto *node, const char *name, const int *values, size_t n) {
    Onnx__AttributeProto *a = add_attr(arena, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->n_ints = n;
    a->ints = LAC_NEW_ARRAY(arena, int64_t, n);
    for (size_t i = 0; i < n; i++) a->ints[i] = values[i];
}
