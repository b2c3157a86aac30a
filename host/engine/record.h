#ifndef LAC_RECORD_H
#define LAC_RECORD_H

#include "lac_status.h"

#include <stdint.h>

/// The records of the program stream as C structs, one member a field of rtl/defs/program.def, under its
/// name.

#define LAC_FIELD(record, name, word, lsb, width, is_signed, doc) LAC_MEMBER_##record(name)
#define LAC_MEMBER_LAYER(name) int32_t name;
#define LAC_MEMBER_TAP(name)
#define LAC_MEMBER_CHANNEL(name)
typedef struct lac_layer_record {
#include "program.def"
} lac_layer_record;
#undef LAC_MEMBER_LAYER
#undef LAC_MEMBER_TAP
#define LAC_MEMBER_LAYER(name)
#define LAC_MEMBER_TAP(name) int32_t name;
typedef struct lac_tap_record {
#include "program.def"
} lac_tap_record;
#undef LAC_MEMBER_TAP
#undef LAC_MEMBER_CHANNEL
#define LAC_MEMBER_TAP(name)
#define LAC_MEMBER_CHANNEL(name) int32_t name;
typedef struct lac_channel_record {
#include "program.def"
} lac_channel_record;
#undef LAC_MEMBER_LAYER
#undef LAC_MEMBER_TAP
#undef LAC_MEMBER_CHANNEL
#undef LAC_FIELD

enum {
    LAC_KIND_LAYER = 1,
    LAC_KIND_END = 2,
    LAC_LAYER_RECORD_WORDS = 4,
    LAC_MOST_TAPS = 64,
};

/// What the minor position of a list counts: the values of LAYER.ORDER.
enum {
    LAC_ORDER_CHANNELS,
    LAC_ORDER_TAPS,
    LAC_ORDER_LANES,
    LAC_ORDER_VECTOR, ///< a list for each slot of the vector unit; MINOR is the rows of the input
};

/// The vector unit: list slots of a word, and how many channels a slot, or a header, may be ahead of the
/// slowest slot; words that a header counts.
enum { LAC_MOST_SLOTS = 16, LAC_VECTOR_AHEAD = 24, LAC_VECTOR_LONGEST_RUN = 511 };

/// Copies of a list that a channel's header counts, in a streamed layer.
enum { LAC_MOST_COPIES = 511 };

/// Pixels of the tile that a layer visits, pool windows included.
uint64_t lac_record_visits(const lac_layer_record *record);

/// Packs a record into 64-bit words; a tap takes the low 32 bits of one.
///
/// errors  E_CAPACITY: a value that its field cannot hold, with the name of the layer, the field and its
/// limits
lac_status lac_layer_pack(const lac_layer_record *record, const char *layer, uint64_t words[4],
                          lac_error *err) LAC_MUST_CHECK;
lac_status lac_tap_pack(const lac_tap_record *record, const char *layer, uint64_t *word,
                        lac_error *err) LAC_MUST_CHECK;
lac_status lac_channel_pack(const lac_channel_record *record, const char *layer, uint64_t *word,
                            lac_error *err) LAC_MUST_CHECK;

void lac_layer_unpack(const uint64_t words[4], lac_layer_record *record);
void lac_tap_unpack(uint64_t word, lac_tap_record *record);
void lac_channel_unpack(uint64_t word, lac_channel_record *record);

/// Name of the first field in which two layer records differ, with both values; NULL when they are equal.
const char *lac_layer_difference(const lac_layer_record *a, const lac_layer_record *b, int32_t *in_a,
                                 int32_t *in_b);

/// Words from one address to another as TAP.OFFSET says it: the engine counts addresses modulo 65536.
static inline int32_t lac_tap_offset(int32_t from, int32_t to) {
    return ((to - from + 0x8000) & 0xFFFF) - 0x8000;
}

/// Bits of an entry for a value of LAYER.ENTRY_BITS: 4, 8, 16.
static inline int lac_entry_bits(int32_t code) {
    return 4 << code;
}

/// Entries of a list word.
static inline int lac_entry_slots(int32_t code) {
    return LAC_MOST_SLOTS >> code;
}

/// Rows of the vector unit: words `slot` modulo n_slots are row word / n_slots of that slot.
static inline int lac_vector_rows(int base, int n_words, int n_slots) {
    return (base + n_words - 1) / n_slots - base / n_slots + 1;
}

#endif
