#ifndef LAC_BYTE_STREAM_H
#define LAC_BYTE_STREAM_H

#include "arena.h"
#include "lac_status.h"

#include <stdint.h>

/// Little-endian fields to bytes and back, for program images.

typedef struct lac_byte_writer {
    lac_arena *arena;
    uint8_t *data;
    size_t n, capacity;
} lac_byte_writer;

void lac_put_bytes(lac_byte_writer *w, const void *bytes, size_t n);
void lac_put_u32(lac_byte_writer *w, uint32_t value);
void lac_put_i32(lac_byte_writer *w, int32_t value);
void lac_put_u64(lac_byte_writer *w, uint64_t value);
void lac_put_f64(lac_byte_writer *w, double value);
void lac_put_text(lac_byte_writer *w, const char *text); ///< length, then the bytes

/// A section being read; every read is checked against its end.
typedef struct lac_byte_reader {
    const uint8_t *data;
    size_t n, at;
    const char *section; ///< for messages
} lac_byte_reader;

/// errors  E_FORMAT: the section ends too early
lac_status lac_get_bytes(lac_byte_reader *r, size_t n, const uint8_t **bytes, lac_error *err) LAC_MUST_CHECK;
lac_status lac_get_u32(lac_byte_reader *r, uint32_t *value, lac_error *err) LAC_MUST_CHECK;
lac_status lac_get_u64(lac_byte_reader *r, uint64_t *value, lac_error *err) LAC_MUST_CHECK;
lac_status lac_get_f64(lac_byte_reader *r, double *value, lac_error *err) LAC_MUST_CHECK;
lac_status lac_get_text(lac_byte_reader *r, lac_arena *arena, const char **text,
                        lac_error *err) LAC_MUST_CHECK;

/// An integer in [low, high].
///
/// errors  E_FORMAT: names the section, the field, its value and limits
lac_status lac_get_int(lac_byte_reader *r, const char *field, int64_t low, int64_t high, int *value,
                       lac_error *err) LAC_MUST_CHECK;

#endif
