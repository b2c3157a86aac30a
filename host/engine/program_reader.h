#ifndef LAC_PROGRAM_READER_H
#define LAC_PROGRAM_READER_H

#include "record.h"

#include <stdbool.h>
#include <stddef.h>

/// Takes a program stream apart, record by record: layer, its channels, their entries, the next layer.
typedef struct lac_program_reader {
    const uint64_t *words;
    size_t n_words, at;
    lac_layer_record layer;
    lac_tap_record taps[LAC_MOST_TAPS];
    size_t n_bits; ///< of the list word in hand, consumed
} lac_program_reader;

typedef enum lac_item_kind { LAC_ITEM_ENTRY, LAC_ITEM_SKIP, LAC_ITEM_END } lac_item_kind;

typedef struct lac_program_item {
    lac_item_kind kind;
    int advance; ///< of the list position; 0 at the end
    int weight;
} lac_program_item;

/// Reads the next layer and its taps into the reader; *end is true after the last one.
///
/// errors  E_FORMAT: the program ends too early, has words after its end, or a record that no engine takes
lac_status lac_program_next_layer(lac_program_reader *reader, bool *end, lac_error *err) LAC_MUST_CHECK;

/// Reads a channel header; its list follows.
lac_status lac_program_next_channel(lac_program_reader *reader, lac_channel_record *channel,
                                    lac_error *err) LAC_MUST_CHECK;

/// Reads one entry of the channel's list; after LAC_ITEM_END comes the next channel or layer.
lac_status lac_program_next_item(lac_program_reader *reader, lac_program_item *item,
                                 lac_error *err) LAC_MUST_CHECK;

#endif
