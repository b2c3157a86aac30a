#include "record.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

typedef struct field {
    const char *name;
    size_t offset; ///< in the C record
    int word, lsb, width, is_signed;
} field;

#define LAC_FIELD(record, name, word, lsb, width, is_signed, doc)                                            \
    LAC_ROW_##record(name, word, lsb, width, is_signed)
#define LAC_ROW_TAP(name, word, lsb, width, is_signed)
#define LAC_ROW_CHANNEL(name, word, lsb, width, is_signed)
#define LAC_ROW_LAYER(name, word, lsb, width, is_signed)                                                     \
    {#name, offsetof(lac_layer_record, name), word, lsb, width, is_signed},
static const field layer_fields[] = {
#include "program.def"
};
#undef LAC_ROW_LAYER
#undef LAC_ROW_TAP
#define LAC_ROW_LAYER(name, word, lsb, width, is_signed)
#define LAC_ROW_TAP(name, word, lsb, width, is_signed)                                                       \
    {#name, offsetof(lac_tap_record, name), word, lsb, width, is_signed},
static const field tap_fields[] = {
#include "program.def"
};
#undef LAC_ROW_TAP
#undef LAC_ROW_CHANNEL
#define LAC_ROW_TAP(name, word, lsb, width, is_signed)
#define LAC_ROW_CHANNEL(name, word, lsb, width, is_signed)                                                   \
    {#name, offsetof(lac_channel_record, name), word, lsb, width, is_signed},
static const field channel_fields[] = {
#include "program.def"
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int32_t get(const void *record, const field *f) {
    int32_t value;
    memcpy(&value, (const char *)record + f->offset, sizeof value);
    return value;
}

static lac_status pack(const field *fields, size_t n, const void *record, const char *layer, uint64_t *words,
                       lac_error *err) {
    for (size_t i = 0; i < n; i++) {
        const field *f = &fields[i];
        int64_t value = get(record, f);
        int64_t low = f->is_signed ? -((int64_t)1 << (f->width - 1)) : 0;
        int64_t high = ((int64_t)1 << (f->width - f->is_signed)) - 1;
        if (value < low || value > high)
            LAC_FAIL(err, LAC_E_CAPACITY,
                     "layer '%s' needs %s = %" PRId64 "; the engine's program holds %" PRId64 "..%" PRId64,
                     layer, f->name, value, low, high);
        words[f->word] |= ((uint64_t)value & (((uint64_t)1 << f->width) - 1)) << f->lsb;
    }
    return LAC_OK;
}

static void unpack(const field *fields, size_t n, const uint64_t *words, void *record) {
    for (size_t i = 0; i < n; i++) {
        const field *f = &fields[i];
        uint64_t bits = words[f->word] >> f->lsb & (((uint64_t)1 << f->width) - 1);
        int64_t value = (int64_t)bits;
        if (f->is_signed && bits >> (f->width - 1)) value -= (int64_t)1 << f->width;
        int32_t narrow = (int32_t)value;
        memcpy((char *)record + f->offset, &narrow, sizeof narrow);
    }
}

lac_status lac_layer_pack(const lac_layer_record *record, const char *layer, uint64_t words[4],
                          lac_error *err) {
    memset(words, 0, LAC_LAYER_RECORD_WORDS * sizeof *words);
    return pack(layer_fields, COUNT(layer_fields), record, layer, words, err);
}

lac_status lac_tap_pack(const lac_tap_record *record, const char *layer, uint64_t *word, lac_error *err) {
    *word = 0;
    return pack(tap_fields, COUNT(tap_fields), record, layer, word, err);
}

lac_status lac_channel_pack(const lac_channel_record *record, const char *layer, uint64_t *word,
                            lac_error *err) {
    *word = 0;
    return pack(channel_fields, COUNT(channel_fields), record, layer, word, err);
}

void lac_layer_unpack(const uint64_t words[4], lac_layer_record *record) {
    unpack(layer_fields, COUNT(layer_fields), words, record);
}

void lac_tap_unpack(uint64_t word, lac_tap_record *record) {
    unpack(tap_fields, COUNT(tap_fields), &word, record);
}

void lac_channel_unpack(uint64_t word, lac_channel_record *record) {
    unpack(channel_fields, COUNT(channel_fields), &word, record);
}

const char *lac_layer_difference(const lac_layer_record *a, const lac_layer_record *b, int32_t *in_a,
                                 int32_t *in_b) {
    for (size_t i = 0; i < COUNT(layer_fields); i++) {
        *in_a = get(a, &layer_fields[i]);
        *in_b = get(b, &layer_fields[i]);
        if (*in_a != *in_b) return layer_fields[i].name;
    }
    return NULL;
}

uint64_t lac_record_visits(const lac_layer_record *r) {
    return (uint64_t)r->OUT_TILE_H * (uint64_t)r->OUT_TILE_W * (uint64_t)r->POOL_H * (uint64_t)r->POOL_W;
}
