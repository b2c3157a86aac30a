#include "byte_stream.h"

#include <inttypes.h>
#include <string.h>

void lac_put_bytes(lac_byte_writer *w, const void *bytes, size_t n) {
    if (w->n + n > w->capacity) {
        size_t capacity = 2 * w->capacity + n + 256;
        uint8_t *larger = LAC_NEW_ARRAY(w->arena, uint8_t, capacity);
        if (w->n) memcpy(larger, w->data, w->n);
        w->data = larger;
        w->capacity = capacity;
    }
    if (n) memcpy(w->data + w->n, bytes, n);
    w->n += n;
}

static void put_little_endian(lac_byte_writer *w, uint64_t value, size_t n_bytes) {
    uint8_t bytes[8];
    for (size_t i = 0; i < n_bytes; i++) bytes[i] = (uint8_t)(value >> 8 * i);
    lac_put_bytes(w, bytes, n_bytes);
}

void lac_put_u32(lac_byte_writer *w, uint32_t value) {
    put_little_endian(w, value, 4);
}

void lac_put_i32(lac_byte_writer *w, int32_t value) {
    put_little_endian(w, (uint32_t)value, 4);
}

void lac_put_u64(lac_byte_writer *w, uint64_t value) {
    put_little_endian(w, value, 8);
}

void lac_put_f64(lac_byte_writer *w, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_little_endian(w, bits, 8);
}

void lac_put_text(lac_byte_writer *w, const char *text) {
    size_t n = strlen(text);
    lac_put_u32(w, (uint32_t)n);
    lac_put_bytes(w, text, n);
}

lac_status lac_get_bytes(lac_byte_reader *r, size_t n, const uint8_t **bytes, lac_error *err) {
    if (n > r->n - r->at)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s has %zu bytes, %zu more are wanted after byte %zu",
                 r->section, r->n, n, r->at);
    *bytes = r->data + r->at;
    r->at += n;
    return LAC_OK;
}

static lac_status get_little_endian(lac_byte_reader *r, size_t n_bytes, uint64_t *value, lac_error *err) {
    const uint8_t *bytes;
    LAC_TRY(lac_get_bytes(r, n_bytes, &bytes, err));
    *value = 0;
    for (size_t i = 0; i < n_bytes; i++) *value |= (uint64_t)bytes[i] << 8 * i;
    return LAC_OK;
}

lac_status lac_get_u32(lac_byte_reader *r, uint32_t *value, lac_error *err) {
    uint64_t wide;
    LAC_TRY(get_little_endian(r, 4, &wide, err));
    *value = (uint32_t)wide;
    return LAC_OK;
}

lac_status lac_get_u64(lac_byte_reader *r, uint64_t *value, lac_error *err) {
    return get_little_endian(r, 8, value, err);
}

lac_status lac_get_f64(lac_byte_reader *r, double *value, lac_error *err) {
    uint64_t bits;
    LAC_TRY(get_little_endian(r, 8, &bits, err));
    memcpy(value, &bits, sizeof *value);
    return LAC_OK;
}

lac_status lac_get_text(lac_byte_reader *r, lac_arena *arena, const char **text, lac_error *err) {
    uint32_t n;
    const uint8_t *bytes;
    LAC_TRY(lac_get_u32(r, &n, err));
    LAC_TRY(lac_get_bytes(r, n, &bytes, err));
    char *copy = LAC_NEW_ARRAY(arena, char, (size_t)n + 1);
    if (n) memcpy(copy, bytes, n);
    *text = copy;
    return LAC_OK;
}

lac_status lac_get_int(lac_byte_reader *r, const char *field, int64_t low, int64_t high, int *value,
                       lac_error *err) {
    uint32_t bits;
    LAC_TRY(lac_get_u32(r, &bits, err));
    int32_t got = (int32_t)bits;
    if (got < low || got > high)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s: %s is %" PRId32 ", outside %" PRId64 "..%" PRId64,
                 r->section, field, got, low, high);
    *value = got;
    return LAC_OK;
}
