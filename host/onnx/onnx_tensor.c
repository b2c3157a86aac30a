#include "onnx_reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "raw_data of ONNX is little-endian and copied as it is");

#define TENSOR_FAIL(status, ...)                                                                             \
    do {                                                                                                     \
        lac_fail(err, (status), __VA_ARGS__);                                                                \
        return fail_in(err, (status), name);                                                                 \
    } while (0)

static lac_status fail_in(lac_error *err, lac_status status, const char *name) {
    char where[200];
    snprintf(where, sizeof where, "tensor '%.180s'", name);
    return lac_fail_in(err, status, where);
}

static const char *type_name(int type) {
    static const char *const names[] = {"UNDEFINED", "FLOAT",  "UINT8",     "INT8",       "UINT16",  "INT16",
                                        "INT32",     "INT64",  "STRING",    "BOOL",       "FLOAT16", "DOUBLE",
                                        "UINT32",    "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16"};
    return type >= 0 && type < (int)(sizeof names / sizeof names[0]) ? names[type] : "unknown";
}

static lac_status decode_shape(const Onnx__TensorProto *proto, const char *name, onnx_tensor *t,
                               lac_error *err) {
    if (proto->n_dims > LAC_MAX_DIMS)
        TENSOR_FAIL(LAC_E_UNSUPPORTED, "has %zu dimensions, at most %d are supported", proto->n_dims,
                    LAC_MAX_DIMS);
    t->shape.n_dims = (int)proto->n_dims;
    t->n = 1;
    for (size_t i = 0; i < proto->n_dims; i++) {
        int64_t dim = proto->dims[i];
        if (dim < 1) TENSOR_FAIL(LAC_E_SHAPE, "dimension %zu is %" PRId64 ", must be at least 1", i, dim);
        if (__builtin_mul_overflow(t->n, dim, &t->n) || t->n > INT32_MAX)
            TENSOR_FAIL(LAC_E_SHAPE, "has over %d elements, more than an ONNX file holds", INT32_MAX);
        t->shape.dim[i] = dim;
    }
    return LAC_OK;
}

// The elements are in raw_data or in the one field of their type; count is how many that field has.
static lac_status check_count(const Onnx__TensorProto *proto, const char *name, size_t size, size_t count,
                              int64_t n, lac_error *err) {
    size_t others = proto->n_float_data + proto->n_int32_data + proto->n_int64_data + proto->n_double_data +
                    proto->n_uint64_data + proto->n_string_data - count;
    if (others || (proto->has_raw_data && count))
        TENSOR_FAIL(LAC_E_FORMAT, "has data in more than one field, or in the field of another type");
    if (proto->has_raw_data && proto->raw_data.len != (size_t)n * size)
        TENSOR_FAIL(LAC_E_FORMAT, "has %zu bytes of data, its shape asks for %zu; export the model again",
                    proto->raw_data.len, (size_t)n * size);
    if (!proto->has_raw_data && count != (size_t)n)
        TENSOR_FAIL(LAC_E_FORMAT, "has %zu elements, its shape asks for %" PRId64 "; export the model again",
                    count, n);
    return LAC_OK;
}

static lac_status decode_floats(const Onnx__TensorProto *proto, const char *name, lac_arena *arena,
                                onnx_tensor *t, lac_error *err) {
    LAC_TRY(check_count(proto, name, sizeof(float), proto->n_float_data, t->n, err));
    const void *from = proto->has_raw_data ? (const void *)proto->raw_data.data : proto->float_data;
    t->f = lac_arena_copy(arena, from, (size_t)t->n * sizeof(float));
    return LAC_OK;
}

static lac_status decode_ints(const Onnx__TensorProto *proto, const char *name, lac_arena *arena,
                              onnx_tensor *t, lac_error *err) {
    bool wide = proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    bool boolean = proto->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL;
    size_t size = wide ? sizeof(int64_t) : boolean ? 1 : sizeof(int32_t);
    LAC_TRY(check_count(proto, name, size, wide ? proto->n_int64_data : proto->n_int32_data, t->n, err));
    t->i = LAC_NEW_ARRAY(arena, int64_t, t->n);
    for (size_t i = 0; i < (size_t)t->n; i++) {
        if (!proto->has_raw_data) {
            t->i[i] = wide ? proto->int64_data[i] : proto->int32_data[i];
        } else if (size == 4) {
            int32_t x;
            memcpy(&x, proto->raw_data.data + i * size, size);
            t->i[i] = x;
        } else {
            memcpy(&t->i[i], proto->raw_data.data + i * size, size);
        }
    }
    return LAC_OK;
}

lac_status onnx_tensor_decode(const Onnx__TensorProto *proto, const char *name, lac_arena *arena,
                              onnx_tensor **out, lac_error *err) {
    if (proto->n_external_data || proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        TENSOR_FAIL(LAC_E_UNSUPPORTED, "its data is in another file; save the model with all data inside "
                                       "(onnx.save without save_as_external_data)");
    if (proto->segment) TENSOR_FAIL(LAC_E_UNSUPPORTED, "is stored in segments; export the model again");
    onnx_tensor *t = LAC_NEW(arena, onnx_tensor);
    *t = (onnx_tensor){.name = name, .value = LAC_NO_VALUE};
    LAC_TRY(decode_shape(proto, name, t, err));
    switch (proto->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        LAC_TRY(decode_floats(proto, name, arena, t, err));
        break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
    case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL:
        LAC_TRY(decode_ints(proto, name, arena, t, err));
        break;
    default:
        TENSOR_FAIL(LAC_E_UNSUPPORTED, "is of type %s (%d); export the model in 32-bit floats",
                    type_name(proto->data_type), proto->data_type);
    }
    *out = t;
    return LAC_OK;
}

lac_status onnx_tensor_use(onnx_reader *r, onnx_tensor *t, bool trainable, int *value) {
    lac_error *err = r->err;
    const char *name = t->name;
    if (!t->f)
        TENSOR_FAIL(LAC_E_UNSUPPORTED,
                    "holds integers where floats are expected; export the model in floats");
    for (int64_t i = 0; t->value == LAC_NO_VALUE && i < t->n; i++)
        if (!isfinite(t->f[i]))
            TENSOR_FAIL(LAC_E_RANGE, "element %" PRId64 " is %g; train again with a smaller learning rate", i,
                        (double)t->f[i]);
    if (t->value == LAC_NO_VALUE)
        t->value = lac_graph_add_constant(r->graph, t->name, t->shape, t->f, trainable);
    r->graph->values[t->value].trainable |= trainable;
    *value = t->value;
    return LAC_OK;
}
