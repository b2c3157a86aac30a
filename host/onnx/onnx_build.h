#ifndef LAC_ONNX_BUILD_H
#define LAC_ONNX_BUILD_H

#include "graph.h"
#include "onnx.pb-c.h"

/// Messages of the schema, made in an arena; nobody outside this room includes it.

Onnx__ValueInfoProto *onnx_new_value_info(lac_arena *arena, const char *name, lac_shape shape, bool batched);
/// Floats, copied.
Onnx__TensorProto *onnx_new_tensor(lac_arena *arena, const char *name, lac_shape shape, const float *data);
/// 64-bit integers, copied: a vector of n.
Onnx__TensorProto *onnx_new_int_tensor(lac_arena *arena, const char *name, const int64_t *data, size_t n);
/// With room for n_attributes_most attributes.
Onnx__NodeProto *onnx_new_node(lac_arena *arena, const lac_node *node, const char *type, const char *domain,
                               size_t n_attributes_most);
void onnx_add_int(lac_arena *arena, Onnx__NodeProto *node, const char *name, int64_t value);
void onnx_add_float(lac_arena *arena, Onnx__NodeProto *node, const char *name, float value);
void onnx_add_string(lac_arena *arena, Onnx__NodeProto *node, const char *name, const char *value);
void onnx_add_ints(lac_arena *arena, Onnx__NodeProto *node, const char *name, const int *values, size_t n);

#endif
