#ifndef LAC_PROGRAM_READER_H
#define LAC_PROGRAM_READER_H

#include "image.h"
#include "record.h"

#include <stdbool.h>
#include <stddef.h>

/// Takes a program stream apart, record by record: layer, its channels, their entries, the next layer.
typedef struct lac_program_reader {
    const uint64_t *words;
    size_t n_words, at;
    lac_layer_record layer;
    lac_tap_record taps[LAC_MOST_TAPS];
    uint8_t table[LAC_TABLE_CODES]; ///< of the layer, where it has one
    size_t n_bits;                  ///< of the list word in hand, consumed
    int lane, vector;               ///< of the engine that the program is for, like the next two
    bool has_tables;
    int scale;        ///< as of the engine
    int64_t position; ///< in the list
    bool times_4;     ///< a mark waits for the entry that it belongs to
    size_t list_at;   ///< first word of the list
    int n_copies;     ///< of it that follow, in a streamed layer
    // A layer for the vector unit:
    int64_t slot_position[LAC_MOST_SLOTS]; ///< -1 before the first entry, then channel * MINOR + row
    int n_headers, run_left;
} lac_program_reader;

/// A reader at the beginning of a program.
lac_program_reader lac_program_read(const lac_engine_config *engine, const uint64_t *words, size_t n_words);

typedef enum lac_item_kind {
    LAC_ITEM_ENTRY,
    LAC_ITEM_NULL, ///< an entry without a digit: it only multiplies the accumulators by 4
    LAC_ITEM_SKIP, ///< no entry: it moves the position on, or marks a new plane
    LAC_ITEM_END
} lac_item_kind;

typedef struct lac_program_item {
    lac_item_kind kind;
    int64_t position; ///< of an entry in the list
    int weight;       ///< or digit
    bool times_4;     ///< the accumulators are multiplied by 4 first
} lac_program_item;

/// Reads the next layer and its taps into the reader; *end is true after the last one.
///
/// errors  E_FORMAT: the program ends too early, has words after its end, or a record that no engine takes
lac_status lac_program_next_layer(lac_program_reader *reader, bool *end, lac_error *err) LAC_MUST_CHECK;

/// Reads a channel header; its list follows.
///
/// errors  E_FORMAT: the program ends too early, or a header has not a copy of the list for every pixel
lac_status lac_program_next_channel(lac_program_reader *reader, lac_channel_record *channel,
                                    lac_error *err) LAC_MUST_CHECK;

/// Reads one entry of the channel's list; after LAC_ITEM_END comes the next channel or layer. Copies of the
/// list, in a streamed layer, are passed over.
///
/// errors  E_FORMAT: an entry that no engine takes, or a copy that differs from the list
lac_status lac_program_next_item(lac_program_reader *reader, lac_program_item *item,
                                 lac_error *err) LAC_MUST_CHECK;

/// A layer for the vector unit (ORDER is LAC_ORDER_VECTOR) is read piece by piece.
typedef enum lac_piece_kind {
    LAC_PIECE_HEADER, ///< of the next channel
    LAC_PIECE_RUN,    ///< a header that only counts words
    LAC_PIECE_WORD,
    LAC_PIECE_END
} lac_piece_kind;

typedef struct lac_vector_entry {
    int64_t position; ///< of its slot: channel * MINOR + row; -1 before the first
    int weight;       ///< 0: the entry only moves its slot on, or not even that
    bool stays;
} lac_vector_entry;

typedef struct lac_vector_piece {
    lac_piece_kind kind;
    lac_channel_record header;
    lac_vector_entry entries[LAC_MOST_SLOTS];
} lac_vector_piece;

/// errors  E_FORMAT: a slot leaves the channels, or is too far ahead of the others; a header comes after the
/// word that completes its channel, or too early
lac_status lac_program_next_piece(lac_program_reader *reader, lac_vector_piece *piece,
                                  lac_error *err) LAC_MUST_CHECK;

/// Channels that every slot has completed.
int lac_program_channels_done(const lac_program_reader *reader);

#endif
