#include "program_reader.h"

#include "digits.h"
#include "image.h"
#include "list_code.h"

#include <assert.h>
#include <string.h>

lac_program_reader lac_program_read(const lac_engine_config *engine, const uint64_t *words, size_t n_words) {
    return (lac_program_reader){.words = words,
                                .n_words = n_words,
                                .lane = engine->lane,
                                .vector = engine->vector,
                                .has_tables = engine->table,
                                .scale = engine->scale};
}

static lac_status next_word(lac_program_reader *reader, uint64_t *word, lac_error *err) {
    if (reader->at >= reader->n_words)
        LAC_FAIL(err, LAC_E_FORMAT, "the program ends after %zu words, inside a layer", reader->n_words);
    *word = reader->words[reader->at++];
    return LAC_OK;
}

/// One pixel to one pixel, in one image.
static bool vector_is_sound(const lac_layer_record *r, int vector) {
    return lac_entry_slots(r->ENTRY_BITS) <= vector && r->REDUCE && r->N_TAPS == 1 && r->SPLIT_Y == 0 &&
           r->SPLIT_X == 0 && r->IN_TILE_H == 1 && r->IN_TILE_W == 1 && r->OUT_TILE_H == 1 &&
           r->OUT_TILE_W == 1 && r->POOL_H == 1 && r->POOL_W == 1;
}

/// A map and its factors, one list position each.
static bool scale_is_sound(const lac_layer_record *r) {
    return r->N_TAPS == 2 && r->ORDER <= LAC_ORDER_TAPS && r->SPLIT_Y == 0 && r->SPLIT_X == 0 && !r->REDUCE;
}

static bool layer_is_sound(const lac_program_reader *reader) {
    const lac_layer_record *r = &reader->layer;
    int lane = reader->lane, vector = reader->vector;
    bool is_vector = r->ORDER == LAC_ORDER_VECTOR;
    if (r->TABLE && (!reader->has_tables || r->RAW)) return false;
    if (r->SCALE + r->SCALE_EACH > reader->scale || r->SCALE_EACH > r->SCALE) return false;
    if (r->SCALE && !scale_is_sound(r)) return false;
    if (lane == LAC_LANE_DIGIT && !is_vector && r->WEIGHT_BITS != LAC_DIGIT_BITS) return false;
    if (is_vector && (r->STREAMED || !vector_is_sound(r, vector))) return false;
    return r->KIND == LAC_KIND_LAYER && r->ORDER <= LAC_ORDER_VECTOR && r->ENTRY_BITS <= 2 &&
           r->WEIGHT_BITS >= 2 && r->WEIGHT_BITS <= 8 && r->WEIGHT_BITS < lac_entry_bits(r->ENTRY_BITS) &&
           r->N_TAPS >= 1 && r->N_TAPS <= LAC_MOST_TAPS && r->N_OUT >= 1 && r->MINOR >= 1 &&
           r->IN_TILE_H >= 1 && r->IN_TILE_W >= 1 && r->OUT_TILE_H >= 1 && r->OUT_TILE_W >= 1 &&
           r->STRIDE_Y >= 1 && r->STRIDE_X >= 1 && r->POOL_H >= 1 && r->POOL_W >= 1 &&
           r->POOL_STRIDE_Y >= 1 && r->POOL_STRIDE_X >= 1 && r->LO <= r->HI;
}

static lac_status read_taps(lac_program_reader *reader, lac_error *err) {
    uint64_t word = 0;
    for (int t = 0; t < reader->layer.N_TAPS; t++) {
        if (t % 2 == 0) LAC_TRY(next_word(reader, &word, err));
        lac_tap_unpack(t % 2 == 0 ? word & 0xFFFFFFFF : word >> 32, &reader->taps[t]);
    }
    return LAC_OK;
}

static lac_status read_table(lac_program_reader *reader, lac_error *err) {
    uint64_t word = 0;
    for (int i = 0; i < LAC_TABLE_CODES && reader->layer.TABLE; i++) {
        if (i % 8 == 0) LAC_TRY(next_word(reader, &word, err));
        reader->table[i] = (uint8_t)(word >> (8 * (i % 8)));
    }
    return LAC_OK;
}

lac_status lac_program_next_layer(lac_program_reader *reader, bool *end, lac_error *err) {
    uint64_t words[LAC_LAYER_RECORD_WORDS] = {0};
    LAC_TRY(next_word(reader, &words[0], err));
    lac_layer_unpack(words, &reader->layer);
    *end = reader->layer.KIND == LAC_KIND_END;
    if (*end) {
        if (reader->at != reader->n_words)
            LAC_FAIL(err, LAC_E_FORMAT, "the program has %zu words, but ends after %zu", reader->n_words,
                     reader->at);
        return LAC_OK;
    }
    for (int i = 1; i < LAC_LAYER_RECORD_WORDS; i++) LAC_TRY(next_word(reader, &words[i], err));
    lac_layer_unpack(words, &reader->layer);
    reader->n_headers = reader->run_left = 0;
    for (int k = 0; k < LAC_MOST_SLOTS; k++) reader->slot_position[k] = -1;
    if (!layer_is_sound(reader))
        LAC_FAIL(err, LAC_E_FORMAT, "the layer record before program word %zu makes no sense to an engine",
                 reader->at);
    LAC_TRY(read_taps(reader, err));
    return read_table(reader, err);
}

lac_status lac_program_next_channel(lac_program_reader *reader, lac_channel_record *channel, lac_error *err) {
    uint64_t word;
    LAC_TRY(next_word(reader, &word, err));
    lac_channel_unpack(word, channel);
    uint64_t copies = reader->layer.STREAMED ? lac_record_visits(&reader->layer) - 1 : 0;
    if ((uint64_t)channel->RUN != copies)
        LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: a header announces %d copies of its list, not %llu",
                 reader->at - 1, channel->RUN, (unsigned long long)copies);
    reader->list_at = reader->at;
    reader->n_copies = channel->RUN;
    reader->n_bits = 64; // the list begins in the next word
    reader->position = -1;
    reader->times_4 = false;
    return LAC_OK;
}

typedef struct list_slot {
    int gap, weight;
    bool gap_is_last;
} list_slot;

static lac_status next_slot(lac_program_reader *reader, list_slot *slot, lac_error *err) {
    const lac_layer_record *r = &reader->layer;
    if (reader->n_bits == 64) {
        uint64_t word;
        LAC_TRY(next_word(reader, &word, err));
        reader->n_bits = 0;
    }
    size_t entry_bits = (size_t)lac_entry_bits(r->ENTRY_BITS), weight_bits = (size_t)r->WEIGHT_BITS;
    assert(entry_bits <= 16); // the record is sound
    uint64_t entry = reader->words[reader->at - 1] >> reader->n_bits & (((uint64_t)1 << entry_bits) - 1);
    reader->n_bits += entry_bits;
    slot->gap = (int)(entry >> weight_bits);
    slot->gap_is_last = slot->gap == (1 << (entry_bits - weight_bits)) - 1;
    slot->weight = (int)(entry & (((uint64_t)1 << weight_bits) - 1));
    if (slot->weight >> (weight_bits - 1)) slot->weight -= 1 << weight_bits;
    return LAC_OK;
}

/// A mark begins the next plane: with the next entry, or (gap 1) with an entry of its own.
static lac_status read_mark(lac_program_reader *reader, const list_slot *slot, lac_program_item *item,
                            lac_error *err) {
    if (reader->times_4 || slot->gap > 1)
        LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: a mark of gap %d, after %s", reader->at - 1, slot->gap,
                 reader->times_4 ? "another mark" : "an entry");
    reader->position = -1;
    reader->times_4 = slot->gap == 0;
    *item = (lac_program_item){.kind = slot->gap ? LAC_ITEM_NULL : LAC_ITEM_SKIP, .times_4 = slot->gap == 1};
    return LAC_OK;
}

static lac_status pass_copies(lac_program_reader *reader, lac_error *err) {
    const uint64_t *list = reader->words + reader->list_at;
    size_t n = reader->at - reader->list_at;
    for (int i = 0; i < reader->n_copies; i++) {
        if (reader->n_words - reader->at < n ||
            memcmp(list, reader->words + reader->at, n * sizeof *list) != 0)
            LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: copy %d of %d differs from the list at word %zu",
                     reader->at, i + 1, reader->n_copies, reader->list_at);
        reader->at += n;
    }
    return LAC_OK;
}

lac_status lac_program_next_item(lac_program_reader *reader, lac_program_item *item, lac_error *err) {
    list_slot slot;
    LAC_TRY(next_slot(reader, &slot, err));
    if (slot.weight == 0 && slot.gap_is_last) {
        if (reader->times_4)
            LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: a list ends after a mark", reader->at - 1);
        *item = (lac_program_item){.kind = LAC_ITEM_END};
        return pass_copies(reader, err);
    }
    if (reader->lane == LAC_LANE_DIGIT) {
        if (slot.weight == LAC_DIGIT_MARK) return read_mark(reader, &slot, item, err);
        if (slot.weight < -2 || slot.weight > 2)
            LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: digit %d, not one of -2 to 2", reader->at - 1,
                     slot.weight);
    }
    if (slot.gap + 1 > LAC_LIST_TURNS * reader->layer.MINOR)
        LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: an entry advances by %d, over %d times the modulus %d",
                 reader->at - 1, slot.gap + 1, LAC_LIST_TURNS, reader->layer.MINOR);
    reader->position += slot.gap + 1;
    *item = (lac_program_item){.kind = slot.weight ? LAC_ITEM_ENTRY : LAC_ITEM_SKIP,
                               .position = reader->position,
                               .weight = slot.weight,
                               .times_4 = slot.weight && reader->times_4};
    if (slot.weight) reader->times_4 = false;
    return LAC_OK;
}

// ---- the vector unit -----------------------------------------------------------------------------------

static int channel_of(const lac_program_reader *reader, int slot) {
    int64_t position = reader->slot_position[slot];
    return position < 0 ? 0 : (int)(position / reader->layer.MINOR);
}

int lac_program_channels_done(const lac_program_reader *reader) {
    int least = reader->layer.N_OUT, n_slots = lac_entry_slots(reader->layer.ENTRY_BITS);
    for (int k = 0; k < n_slots; k++)
        if (channel_of(reader, k) < least) least = channel_of(reader, k);
    return least;
}

static lac_status move_slot(lac_program_reader *reader, int k, int gap, int n_done, lac_error *err) {
    const lac_layer_record *r = &reader->layer;
    if (gap + 1 > r->MINOR)
        LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: an entry advances by %d, over the %d rows",
                 reader->at - 1, gap + 1, r->MINOR);
    reader->slot_position[k] += gap + 1;
    if (reader->slot_position[k] / r->MINOR >= r->N_OUT)
        LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: slot %d leaves the last of %d channels",
                 reader->at - 1, k, r->N_OUT);
    if (channel_of(reader, k) > n_done + LAC_VECTOR_AHEAD)
        LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: slot %d is %d channels ahead, over %d", reader->at - 1,
                 k, channel_of(reader, k) - n_done, LAC_VECTOR_AHEAD);
    return LAC_OK;
}

static lac_status read_slots(lac_program_reader *reader, lac_vector_piece *piece, lac_error *err) {
    int n_slots = lac_entry_slots(reader->layer.ENTRY_BITS), n_done = lac_program_channels_done(reader);
    reader->n_bits = 64;
    for (int k = 0; k < n_slots; k++) {
        list_slot slot;
        LAC_TRY(next_slot(reader, &slot, err));
        bool stays = slot.weight == 0 && slot.gap_is_last;
        if (!stays) LAC_TRY(move_slot(reader, k, slot.gap, n_done, err));
        piece->entries[k] = (lac_vector_entry){reader->slot_position[k], slot.weight, stays};
    }
    if (lac_program_channels_done(reader) > reader->n_headers)
        LAC_FAIL(err, LAC_E_FORMAT, "program word %zu completes channel %d, whose header comes later",
                 reader->at - 1, reader->n_headers);
    return LAC_OK;
}

static lac_status read_vector_header(lac_program_reader *reader, lac_vector_piece *piece, lac_error *err) {
    uint64_t word;
    LAC_TRY(next_word(reader, &word, err));
    lac_channel_unpack(word, &piece->header);
    piece->kind = piece->header.S ? LAC_PIECE_HEADER : LAC_PIECE_RUN;
    reader->run_left = piece->header.RUN;
    reader->n_headers += piece->kind == LAC_PIECE_HEADER;
    bool is_last = reader->n_headers == reader->layer.N_OUT;
    if (reader->run_left == 0 && (is_last || piece->kind == LAC_PIECE_RUN))
        LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: a header counts no words", reader->at - 1);
    if (reader->n_headers > lac_program_channels_done(reader) + LAC_VECTOR_AHEAD)
        LAC_FAIL(err, LAC_E_FORMAT, "program word %zu: %d headers before channel %d is complete",
                 reader->at - 1, reader->n_headers, lac_program_channels_done(reader));
    return LAC_OK;
}

lac_status lac_program_next_piece(lac_program_reader *reader, lac_vector_piece *piece, lac_error *err) {
    int n_out = reader->layer.N_OUT;
    if (reader->run_left) {
        piece->kind = LAC_PIECE_WORD;
        reader->run_left--;
        return read_slots(reader, piece, err);
    }
    if (reader->n_headers < n_out) return read_vector_header(reader, piece, err);
    piece->kind = LAC_PIECE_END;
    if (lac_program_channels_done(reader) < n_out - 1)
        LAC_FAIL(err, LAC_E_FORMAT, "before program word %zu: a layer ends with slots in channel %d of %d",
                 reader->at, lac_program_channels_done(reader), n_out);
    return LAC_OK;
}
