#include "onnx_reader.h"

#include <string.h>

// protobuf-c unpacks nested messages by recursion without a limit, and merges a message that occurs twice
// where one is allowed. Files of other people get neither: this walk over the wire format comes first.
enum { MAX_DEPTH = 32, TAG_BYTES_MOST = 10 };

typedef struct cursor {
    const uint8_t *at, *end;
} cursor;

static bool read_varint(cursor *c, uint64_t *out) {
    *out = 0;
    for (int i = 0; i < TAG_BYTES_MOST && c->at < c->end; i++) {
        uint8_t byte = *c->at++;
        *out |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (!(byte & 0x80)) return true;
    }
    return false;
}

static bool skip_bytes(cursor *c, uint64_t n) {
    if (n > (uint64_t)(c->end - c->at)) return false;
    c->at += n;
    return true;
}

// One field; for a length-delimited one, its body.
static bool read_field(cursor *c, uint64_t *id, int *wire_type, cursor *body) {
    uint64_t tag, n;
    if (!read_varint(c, &tag)) return false;
    *id = tag >> 3;
    *wire_type = (int)(tag & 7);
    switch (*wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        return read_varint(c, &n);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        return skip_bytes(c, 8);
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        return skip_bytes(c, 4);
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        if (!read_varint(c, &n)) return false;
        *body = (cursor){c->at, c->at};
        if (!skip_bytes(c, n)) return false;
        body->end = c->at;
        return true;
    default:
        return false; // groups and reserved types
    }
}

static const char *check_message(const ProtobufCMessageDescriptor *type, cursor c, int depth);

static const char *check_body(const ProtobufCFieldDescriptor *field, cursor body, int depth, uint64_t *seen,
                              unsigned index) {
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return memchr(body.at, 0, (size_t)(body.end - body.at)) ? "has text with a zero byte" : NULL;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE) return NULL;
    if (field->label != PROTOBUF_C_LABEL_REPEATED && index < 64) {
        if (*seen >> index & 1) return "gives a part twice that may be given once";
        *seen |= (uint64_t)1 << index;
    }
    return check_message(field->descriptor, body, depth + 1);
}

// NULL, or what is wrong.
static const char *check_message(const ProtobufCMessageDescriptor *type, cursor c, int depth) {
    if (depth > MAX_DEPTH) return "is nested too deep";
    uint64_t seen = 0;
    while (c.at < c.end) {
        uint64_t id;
        int wire_type;
        cursor body;
        if (!read_field(&c, &id, &wire_type, &body)) return "is truncated or damaged";
        if (id == 0 || id > UINT32_MAX >> 3) return "is truncated or damaged";
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(type, (unsigned)id);
        if (!field || wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) continue;
        const char *wrong = check_body(field, body, depth, &seen, (unsigned)(field - type->fields));
        if (wrong) return wrong;
    }
    return NULL;
}

lac_status onnx_unpack(const uint8_t *data, size_t n, Onnx__ModelProto **out, lac_error *err) {
    if (n == 0) LAC_FAIL(err, LAC_E_FORMAT, "the file is empty; an ONNX model was expected");
    if (n > INT32_MAX)
        LAC_FAIL(err, LAC_E_FORMAT, "the file has %zu bytes, ONNX models have at most %d", n, INT32_MAX);
    const char *wrong = check_message(&onnx__model_proto__descriptor, (cursor){data, data + n}, 0);
    if (wrong)
        LAC_FAIL(err, LAC_E_FORMAT, "not an ONNX model: its %zu bytes are a message that %s; export it again",
                 n, wrong);
    *out = onnx__model_proto__unpack(NULL, n, data);
    if (!*out)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "not an ONNX model: its %zu bytes do not follow onnx.proto; export it again", n);
    return LAC_OK;
}
