/// The engine as one HLS C kernel: the same program stream, the same integers as rtl/engine/lac_engine.v.
///
/// Parameters are macros with the names of rtl/defs/engine.def (LAC_MESH_X, ...); the contract's defaults
/// hold where one is not given. Weights are fetched and decoded into one list while the mesh works through
/// the other (lac_overlap); activations stay in `memory` from layer to layer; every lane has its own slice of
/// it and its own accumulator, and one entry is broadcast to all lanes a cycle (lac_mac). The vector unit
/// takes a word of entries a cycle, one for each of its slots (lac_slots). Arguments: lac_registers.h.
///
/// The host of OpenCL hands these headers to the compiler together with this file, in this order, and defines
/// LAC_BUNDLED.
#ifndef LAC_BUNDLED
#include "lac_hls.h"

#include "lac_contract.h"
#include "lac_num.h"
#include "lac_registers.h"
#include "lac_trace.h"
#endif

#ifndef LAC_KERNEL_NAME
#define LAC_KERNEL_NAME lac_kernel
#endif

#define LAC_LANES (LAC_MESH_X * LAC_MESH_Y)
#define LAC_GROUPS (LAC_LANES / LAC_DRAIN)
// Bytes of a group of DRAIN lanes in the input: the next power of two.
#define LAC_GROUP_BYTES                                                                                      \
    (LAC_DRAIN > 32   ? 64                                                                                   \
     : LAC_DRAIN > 16 ? 32                                                                                   \
     : LAC_DRAIN > 8  ? 16                                                                                   \
     : LAC_DRAIN > 4  ? 8                                                                                    \
     : LAC_DRAIN > 2  ? 4                                                                                    \
                      : LAC_DRAIN)

// Bytes of such a group in the activation memory, which holds ACT_BITS of every code.
#define LAC_GROUP_CELLS ((LAC_DRAIN * LAC_ACT_BITS + 7) / 8)
#define LAC_WORD_CELLS (LAC_GROUPS * LAC_GROUP_CELLS)
// Rows or columns of the mesh that one of 2^split images has along an axis of n lanes.
#define LAC_PART(n, split) ((n) >> (split) < 1 ? 1 : (n) >> (split))

// Multipliers of the vector unit, and banks of its copy of lane 0. Where VECTOR is 0 one stays idle.
#define LAC_BANKS (LAC_VECTOR ? LAC_VECTOR : 1)
#define LAC_BANKS_LOG2 (LAC_VECTOR == 16 ? 4 : LAC_VECTOR == 8 ? 3 : LAC_VECTOR == 4 ? 2 : 0)
#define LAC_BANK_WORDS (LAC_VECTOR ? (LAC_ACT_WORDS + LAC_BANKS - 1) / LAC_BANKS : 1)

#if LAC_LANES % LAC_DRAIN != 0
#error "DRAIN must divide MESH_X * MESH_Y"
#endif
#if LAC_ACT_BITS < 1 || LAC_ACT_BITS > 8
#error "ACT_BITS must be 1 to 8"
#endif
#if LAC_VECTOR != 0 && LAC_VECTOR != 4 && LAC_VECTOR != 8 && LAC_VECTOR != 16
#error "VECTOR must be 0, 4, 8 or 16"
#endif
#if LAC_TABLE < 0 || LAC_TABLE > 1 || LAC_SCALE < 0 || LAC_SCALE > 2
#error "TABLE must be 0 or 1, SCALE 0, 1 or 2"
#endif

enum {
    LAC_MOST_TAPS = 64,
    LAC_CHUNK_WORDS = 64, // program words fetched in one burst
    LAC_MOST_CHUNKS = LAC_ACT_WORDS * LAC_GROUPS * LAC_GROUP_BYTES / 8 / LAC_CHUNK_WORDS + 1,
    LAC_MOST_STEPS = 65536, // bounds of loops, not limits
    LAC_MOST_PIECES = 1 << 28,
    LAC_MOST_BURSTS = 1 << 24,
    LAC_CHUNK_SLOTS = LAC_CHUNK_WORDS * 16,
    LAC_MOST_IMAGES = 8, // that share the mesh
    LAC_TABLE_CODES = 256,
    LAC_LANE_DIGIT = 1, // a value of LANE
    LAC_LIST_TURNS = 3, // how many times the modulus an entry can go
    LAC_DIGIT_BITS = 3,
    LAC_DIGIT_MARK = -4,    // in place of a digit: the next plane
    LAC_ALL_LANES = 0xFFFF, // of an entry
    LAC_CODE_MASK = (1 << LAC_ACT_BITS) - 1,
    LAC_CODE_SIGN = 1 << (LAC_ACT_BITS - 1),
    LAC_CLASSES = 6,     // a tap's row is one hop up, here or one hop down; valid in a partial tile or not
    LAC_ORDER_SLOTS = 3, // a value of ORDER: the layer is for the vector unit
    LAC_AHEAD = 24,      // channels that a slot or a header may be ahead of the slowest slot
    LAC_QUEUE = 128      // more sums of a slot than LAC_AHEAD and those of LAC_CHUNK_WORDS words
};

typedef struct lac_layer {
    int32_t act_signed, reduce, raw, order, entry_bits, weight_bits, pad_code, n_taps, id, in_base, out_base,
        n_out, minor, in_h, in_w, full_rows, rem_rows, full_cols, rem_cols, stride_y, stride_x,
        in_channel_words, out_h, out_w, pool_h, pool_w, pool_stride_y, pool_stride_x, out_channel_words, lo,
        hi, zero, split_y, split_x, out_signed, table, scale, scale_signed, scale_each, streamed;
    int32_t rows, cols, n_images; // of the mesh that one image has; images at once
    int32_t visits;               // pixels of its tile that a lane visits, pool windows included
    int32_t once;                 // a list in the program is for one of them only
} lac_layer;

// A part of the program, fetched in bursts.
typedef struct lac_reader {
    uint64_t chunk[LAC_CHUNK_WORDS];
    uint32_t at, end, first; // next word, end of the program, word of chunk[0]
    int32_t code;            // LAC_KERNEL_OK while all is well
} lac_reader;

typedef struct lac_taps {
    int32_t dy[LAC_MOST_TAPS], dx[LAC_MOST_TAPS], offset[LAC_MOST_TAPS];
} lac_taps;

// A pixel of the tile, and a place in the pool window.
typedef struct lac_visit {
    int32_t oy, ox, wy, wx;
} lac_visit;

// Where the reading of a layer's lists stands.
typedef struct lac_cursor {
    int32_t channel;      // the next one to begin
    int32_t copies;       // of its list that are still to come, in a streamed layer
    lac_visit visit;      // what the list is for there
    int32_t group_base;   // activation words
    int32_t begun;        // its header was read
    int32_t inside;       // a list has begun and goes on in the next piece
    int32_t slot;         // of the word in hand, in bits
    int32_t major, minor; // position in the list
    int32_t times_4;      // DIGIT lanes: the next entry multiplies the sums by 4 first
    uint64_t word, header;
} lac_cursor;

// The decoded list of a channel, or a piece of it.
typedef struct lac_list {
    // weight 0..7, times 4 at 8, word of activation memory 16..31, DY 32..39, DX 40..47, lane 48..63
    uint64_t entry[LAC_LIST_WORDS];
    int32_t n, present, first, last, channel;
    int32_t bias, m, s;
    lac_visit visit; // in a streamed layer
} lac_list;

// Which lanes find a real pixel, by class of the tap's row and column: 0xFF or 0. And whose lanes they are:
// the image, and the lane's number among those of its image.
typedef struct lac_masks {
    uint8_t rows[LAC_CLASSES][LAC_LANES], cols[LAC_CLASSES][LAC_LANES], has_first[LAC_GROUPS];
    int32_t own[LAC_LANES], image[LAC_LANES];
    int32_t first_groups; // up to and with the last group that has the first lane of an image
} lac_masks;

typedef struct lac_mesh {
    int32_t acc[LAC_LANES], best[LAC_LANES]; // sums of the pixel in hand, maxima of the pool window
    uint8_t bank[LAC_BANKS][LAC_BANK_WORDS]; // a copy of lane 0: word w is in bank w % VECTOR
    uint32_t sent, room;                     // results of this run, and how many there may be
    uint32_t lowest, highest;                // words written by this step
    int32_t code;
    // Of the channel in hand, or of each lane's pixel, with a zero below it; digits leave at the top.
    uint32_t factor[LAC_SCALE == 2 ? LAC_LANES : 1];
    uint8_t table[LAC_TABLE_CODES]; // of the layer in hand, where it has one
} lac_mesh;

// Where the reading of a layer for the vector unit stands.
typedef struct lac_run {
    int32_t words_left; // list words up to the next header
    int32_t n_headers;  // of channels, so far
    int32_t over;
} lac_run;

// A part of such a layer: list words, and the headers that stand before and between them.
typedef struct lac_burst {
    uint64_t word[LAC_CHUNK_WORDS], header[LAC_CHUNK_WORDS];
    int32_t headers_before[LAC_CHUNK_WORDS]; // a word: of channels, from the layer's beginning on
    int32_t n_words, n_headers, present, last;
} lac_burst;

typedef struct lac_unit {
    // Of every slot: its row, counted from the input's first; its channel; the channel's sum.
    int32_t row[LAC_BANKS], channel[LAC_BANKS], acc[LAC_BANKS];
    int32_t sums[LAC_BANKS][LAC_QUEUE]; // of finished channels, at channel % LAC_QUEUE
    uint64_t header[LAC_QUEUE];         // likewise
    int32_t n_headers, headers_before, n_done, bad;
} lac_unit;

// ---- the program ------------------------------------------------------------------------------------------

LAC_FN void lac_stop(int32_t *code, int32_t why) {
    if (*code == LAC_KERNEL_OK) *code = why;
}

// 64-bit words of an input of so many activation words.
LAC_FN uint32_t lac_input_words64(uint32_t words) {
    return (words * (LAC_GROUPS * LAC_GROUP_BYTES) + 7) / 8;
}

LAC_FN void lac_refill(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader) {
    reader->first = reader->at;
    for (uint32_t i = 0; i < LAC_CHUNK_WORDS; i++) {
        LAC_HLS(PIPELINE II = 1)
        uint32_t at = reader->first + i;
        reader->chunk[i] = at < reader->end ? program[at] : 0;
    }
}

LAC_FN uint64_t lac_next_word(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader) {
    if (reader->at >= reader->end) {
        lac_stop(&reader->code, LAC_KERNEL_TRUNCATED);
        return 0;
    }
    if (reader->at - reader->first >= LAC_CHUNK_WORDS) lac_refill(program, reader);
    uint64_t word = reader->chunk[reader->at - reader->first];
    reader->at++;
    return word;
}

// Images have equal rectangles of the mesh, and the lanes of a group belong to one image.
LAC_FN int32_t lac_split_is_sound(const lac_layer *r) {
    int32_t run = r->split_x ? r->cols : r->rows * r->cols;
    return r->n_images <= LAC_MOST_IMAGES && r->rows << r->split_y == LAC_MESH_Y &&
           r->cols << r->split_x == LAC_MESH_X && (r->n_images == 1 || run % LAC_DRAIN == 0);
}

// One pixel to one pixel, in one image, and no more slots than multipliers.
LAC_FN int32_t lac_slots_are_sound(const lac_layer *r) {
    return 16 >> r->entry_bits <= LAC_VECTOR && !r->streamed && r->reduce && r->n_taps == 1 &&
           r->n_images == 1 && r->in_h == 1 && r->in_w == 1 && r->out_h == 1 && r->out_w == 1 && r->once;
}

// Tables and factors only where the engine has them: a map and its factors are a tap each.
LAC_FN int32_t lac_gates_are_sound(const lac_layer *r) {
    return r->table <= LAC_TABLE && r->scale + r->scale_each <= LAC_SCALE && r->scale_each <= r->scale &&
           !(r->table && r->raw) &&
           (!r->scale || (r->n_taps == 2 && r->order <= 1 && r->n_images == 1 && !r->reduce));
}

LAC_FN int32_t lac_layer_is_sound(const lac_layer *r) {
    int32_t bits = 4 << r->entry_bits, for_slots = r->order == LAC_ORDER_SLOTS;
    if (LAC_LANE == LAC_LANE_DIGIT && !for_slots && r->weight_bits != LAC_DIGIT_BITS) return 0;
    if (for_slots && !lac_slots_are_sound(r)) return 0;
    return r->entry_bits <= 2 && r->weight_bits >= 2 && r->weight_bits <= 8 && r->weight_bits < bits &&
           r->n_taps >= 1 && r->n_taps <= LAC_MOST_TAPS && r->n_out >= 1 && r->minor >= 1 && r->in_h >= 1 &&
           r->in_w >= 1 && r->out_h >= 1 && r->out_w >= 1 && r->stride_y >= 1 && r->stride_x >= 1 &&
           r->pool_h >= 1 && r->pool_w >= 1 && r->pool_stride_y >= 1 && r->pool_stride_x >= 1 &&
           r->lo <= r->hi && lac_split_is_sound(r) && lac_gates_are_sound(r);
}

#define LAC_GET(field) (int32_t) LAC_FIELD_GET(words, field)

LAC_FN void lac_layer_decode(const uint64_t words[LAC_LAYER_WORDS], lac_layer *r) {
    r->act_signed = LAC_GET(LAYER_ACT_SIGNED);
    r->reduce = LAC_GET(LAYER_REDUCE);
    r->raw = LAC_GET(LAYER_RAW);
    r->order = LAC_GET(LAYER_ORDER);
    r->entry_bits = LAC_GET(LAYER_ENTRY_BITS);
    r->weight_bits = LAC_GET(LAYER_WEIGHT_BITS);
    r->pad_code = LAC_GET(LAYER_PAD_CODE);
    r->n_taps = LAC_GET(LAYER_N_TAPS);
    r->id = LAC_GET(LAYER_ID);
    r->in_base = LAC_GET(LAYER_IN_BASE);
    r->out_base = LAC_GET(LAYER_OUT_BASE);
    r->n_out = LAC_GET(LAYER_N_OUT);
    r->minor = LAC_GET(LAYER_MINOR);
    r->in_h = LAC_GET(LAYER_IN_TILE_H);
    r->in_w = LAC_GET(LAYER_IN_TILE_W);
    r->full_rows = LAC_GET(LAYER_FULL_ROWS);
    r->rem_rows = LAC_GET(LAYER_REM_ROWS);
    r->full_cols = LAC_GET(LAYER_FULL_COLS);
    r->rem_cols = LAC_GET(LAYER_REM_COLS);
    r->stride_y = LAC_GET(LAYER_STRIDE_Y);
    r->stride_x = LAC_GET(LAYER_STRIDE_X);
    r->in_channel_words = LAC_GET(LAYER_IN_CHANNEL_WORDS);
    r->out_h = LAC_GET(LAYER_OUT_TILE_H);
    r->out_w = LAC_GET(LAYER_OUT_TILE_W);
    r->pool_h = LAC_GET(LAYER_POOL_H);
    r->pool_w = LAC_GET(LAYER_POOL_W);
    r->pool_stride_y = LAC_GET(LAYER_POOL_STRIDE_Y);
    r->pool_stride_x = LAC_GET(LAYER_POOL_STRIDE_X);
    r->out_channel_words = LAC_GET(LAYER_OUT_CHANNEL_WORDS);
    r->lo = LAC_GET(LAYER_LO);
    r->hi = LAC_GET(LAYER_HI);
    r->zero = LAC_GET(LAYER_ZERO);
    r->split_y = LAC_GET(LAYER_SPLIT_Y);
    r->split_x = LAC_GET(LAYER_SPLIT_X);
    r->out_signed = LAC_GET(LAYER_OUT_SIGNED);
    r->table = LAC_GET(LAYER_TABLE);
    r->scale = LAC_GET(LAYER_SCALE);
    r->scale_signed = LAC_GET(LAYER_SCALE_SIGNED);
    r->scale_each = LAC_GET(LAYER_SCALE_EACH);
    r->streamed = LAC_GET(LAYER_STREAMED);
    r->rows = LAC_MESH_Y >> r->split_y;
    r->cols = LAC_MESH_X >> r->split_x;
    r->n_images = 1 << (r->split_y + r->split_x);
    r->visits = r->out_h * r->out_w * r->pool_h * r->pool_w;
    r->once = r->streamed || r->visits == 1;
}

// Reads a layer's table.
LAC_FN void lac_read_table(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader,
                           uint8_t table[LAC_TABLE_CODES]) {
    for (int32_t i = 0; i < LAC_TABLE_CODES / 8; i++) {
        uint64_t word = lac_next_word(program, reader);
        for (int32_t k = 0; k < 8; k++) {
            LAC_HLS(UNROLL)
            table[8 * i + k] = (uint8_t)(word >> (8 * k));
        }
    }
}

// Reads a layer's record, taps and table; 0 at the end of the program or when something is wrong.
LAC_FN int32_t lac_read_layer(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader,
                              lac_layer *layer, lac_taps *taps, uint8_t table[LAC_TABLE_CODES]) {
    uint64_t words[LAC_LAYER_WORDS];
    words[0] = lac_next_word(program, reader);
    int32_t kind = LAC_GET(LAYER_KIND);
    if (kind == 2 || reader->code != LAC_KERNEL_OK) return 0;
    for (int32_t i = 1; i < LAC_LAYER_WORDS; i++) words[i] = lac_next_word(program, reader);
    lac_layer_decode(words, layer);
    if (kind != 1 || !lac_layer_is_sound(layer)) {
        lac_stop(&reader->code, LAC_KERNEL_PROGRAM);
        return 0;
    }
    uint64_t pair = 0;
    for (int32_t t = 0; t < LAC_MOST_TAPS; t++) {
        if (t >= layer->n_taps) break;
        if (t % 2 == 0) pair = lac_next_word(program, reader);
        words[0] = t % 2 == 0 ? pair : pair >> 32;
        taps->dy[t] = LAC_GET(TAP_DY);
        taps->dx[t] = LAC_GET(TAP_DX);
        taps->offset[t] = LAC_GET(TAP_OFFSET);
    }
    if (LAC_TABLE && layer->table) lac_read_table(program, reader, table);
    return reader->code == LAC_KERNEL_OK;
}

// ---- lists ------------------------------------------------------------------------------------------------

// What an entry at a position of the list means, as one word of the list memory.
LAC_FN uint64_t lac_place(const lac_layer *layer, const lac_taps *taps, const lac_cursor *cursor,
                          int32_t weight, int32_t *code) {
    int32_t lane = LAC_ALL_LANES, tap = 0, offset = cursor->group_base;
    if (layer->order == 2) {
        lane = cursor->minor;
        offset += cursor->major;
    } else {
        tap = layer->order == 0 ? cursor->major : cursor->minor;
        offset += (layer->order == 0 ? cursor->minor : cursor->major) * layer->in_channel_words;
    }
    if (tap >= layer->n_taps || (lane != LAC_ALL_LANES && lane >= layer->rows * layer->cols)) {
        lac_stop(code, LAC_KERNEL_RANGE);
        tap = 0;
    }
    // Factors have one word a channel, or are one map for all of them.
    if (LAC_SCALE && layer->scale && tap == 0) offset = layer->scale_each ? 0 : cursor->channel;
    uint64_t word = (uint64_t)(layer->in_base + offset + taps->offset[tap]) & 0xFFFF;
    return ((uint64_t)weight & 0xFF) | (uint64_t)cursor->times_4 << 8 | word << 16 |
           ((uint64_t)taps->dy[tap] & 0xFF) << 32 | ((uint64_t)taps->dx[tap] & 0xFF) << 40 |
           (uint64_t)lane << 48;
}

LAC_FN void lac_begin_list(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader,
                           const lac_layer *layer, lac_cursor *cursor) {
    uint64_t words[1];
    words[0] = lac_next_word(program, reader);
    int32_t step = layer->order == 0 ? layer->minor : 1;
    if (LAC_GET(CHANNEL_NEXT_GROUP)) cursor->group_base += step * layer->in_channel_words;
    cursor->header = words[0];
    cursor->copies = layer->streamed ? LAC_GET(CHANNEL_RUN) : 0;
    if (layer->streamed && cursor->copies != layer->visits - 1) lac_stop(&reader->code, LAC_KERNEL_PROGRAM);
}

// After the header, and again for every copy.
LAC_FN void lac_rewind_list(lac_cursor *cursor) {
    cursor->slot = 64; // the list begins in the next word
    cursor->major = 0;
    cursor->minor = -1;
    cursor->times_4 = 0;
}

// The next pixel, in the order of lac_replay; after the last one the first.
LAC_FN void lac_next_visit(const lac_layer *layer, lac_visit *v) {
    if (++v->wx < layer->pool_w) return;
    v->wx = 0;
    if (++v->wy < layer->pool_h) return;
    v->wy = 0;
    if (++v->ox < layer->out_w) return;
    v->ox = 0;
    if (++v->oy < layer->out_h) return;
    v->oy = 0;
}

// The list in hand is complete.
LAC_FN void lac_end_list(const lac_layer *layer, lac_cursor *cursor) {
    if (layer->streamed) lac_next_visit(layer, &cursor->visit);
    if (cursor->copies > 0) {
        cursor->copies--;
        lac_rewind_list(cursor);
        return;
    }
    cursor->begun = 0;
    cursor->channel++;
}

// DIGIT lanes: a mark begins the next plane of digits, with the next entry (gap 0) or with one of its own
// (gap 1).
LAC_FN void lac_next_plane(lac_cursor *cursor, int32_t gap, lac_list *list, int32_t *n, int32_t *code) {
    if (gap > 1 || cursor->times_4) lac_stop(code, LAC_KERNEL_RANGE);
    cursor->major = 0;
    cursor->minor = -1;
    cursor->times_4 = gap == 0;
    if (gap != 0) list->entry[(*n)++] = (uint64_t)1 << 8 | (uint64_t)LAC_ALL_LANES << 48;
}

// Whether a slot takes a place in the list memory: not a skip, an end or a mark without an entry of its own.
LAC_FN int32_t lac_is_entry(const lac_layer *layer, int32_t slot) {
    const int32_t mark = LAC_DIGIT_MARK & ((1 << LAC_DIGIT_BITS) - 1), gap = slot >> layer->weight_bits;
    const int32_t weight = slot & ((1 << layer->weight_bits) - 1);
    return LAC_LANE == LAC_LANE_DIGIT && weight == mark ? gap != 0 : weight != 0;
}

// One slot of a list: an entry, a skip, a mark or the end.
LAC_FN void lac_slot(const lac_layer *layer, const lac_taps *taps, int32_t slot, lac_cursor *cursor,
                     lac_list *list, int32_t *n, int32_t *code) {
    const int32_t gap_bits = (4 << layer->entry_bits) - layer->weight_bits;
    const int32_t weight_sign = 1 << (layer->weight_bits - 1), gap = slot >> layer->weight_bits;
    const int32_t weight = ((slot & (2 * weight_sign - 1)) ^ weight_sign) - weight_sign;
    if (weight == 0 && gap == (1 << gap_bits) - 1) {
        list->last = 1;
        return;
    }
    if (LAC_LANE == LAC_LANE_DIGIT && weight == LAC_DIGIT_MARK) {
        lac_next_plane(cursor, gap, list, n, code);
        return;
    }
    cursor->minor += gap + 1;
    for (int32_t turn = 0; turn < LAC_LIST_TURNS; turn++) {
        LAC_HLS(UNROLL)
        if (cursor->minor >= layer->minor) {
            cursor->minor -= layer->minor;
            cursor->major++;
        }
    }
    if (gap >= LAC_LIST_TURNS * layer->minor) lac_stop(code, LAC_KERNEL_RANGE);
    if (LAC_LANE == LAC_LANE_DIGIT && (weight < -2 || weight > 2)) lac_stop(code, LAC_KERNEL_RANGE);
    if (weight == 0) return;
    list->entry[(*n)++] = lac_place(layer, taps, cursor, weight, code);
    cursor->times_4 = 0;
}

// Decodes the part of a list that is in the reader's chunk: a slot a cycle, and nothing from outside. 1 where
// the list goes on in the next chunk.
LAC_FN int32_t lac_decode(const lac_layer *layer, const lac_taps *taps, lac_reader *reader,
                          lac_cursor *cursor, lac_list *list) {
    const int32_t entry_bits = 4 << layer->entry_bits;
    const uint64_t entry_mask = ((uint64_t)1 << entry_bits) - 1;
    int32_t n = list->n, goes_on = 0;
    for (int32_t i = 0; i < LAC_CHUNK_SLOTS + 1; i++) {
        LAC_HLS(PIPELINE II = 1)
        LAC_HLS(LOOP_TRIPCOUNT min = 1 max = LAC_CHUNK_SLOTS)
        if (reader->code != LAC_KERNEL_OK || list->last) break;
        if (cursor->slot == 64) {
            goes_on = reader->at - reader->first >= LAC_CHUNK_WORDS;
            if (goes_on) break;
            if (reader->at >= reader->end) {
                lac_stop(&reader->code, LAC_KERNEL_TRUNCATED);
                break;
            }
            cursor->word = reader->chunk[reader->at - reader->first];
            cursor->slot = 0;
            reader->at++;
        }
        int32_t slot = (int32_t)(cursor->word & entry_mask);
        if (n == LAC_LIST_WORDS && lac_is_entry(layer, slot)) break; // the end may still come
        cursor->word >>= entry_bits;
        cursor->slot += entry_bits;
        lac_slot(layer, taps, slot, cursor, list, &n, &reader->code);
    }
    list->n = n;
    return goes_on;
}

// Decodes a channel's list, or as much of it as the list memory holds.
LAC_FN void lac_fetch(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader, lac_layer layer,
                      const lac_taps *taps, lac_cursor *cursor, lac_list *list) {
    list->n = 0;
    list->present = cursor->channel < layer.n_out && reader->code == LAC_KERNEL_OK;
    if (!list->present) return;
    list->first = !cursor->inside;
    list->last = 0;
    list->channel = cursor->channel;
    list->visit = cursor->visit;
    if (!cursor->begun) {
        lac_begin_list(program, reader, &layer, cursor);
        lac_rewind_list(cursor);
        cursor->begun = 1;
    }
    for (int32_t burst = 0; burst < LAC_MOST_BURSTS; burst++) {
        if (!lac_decode(&layer, taps, reader, cursor, list)) break;
        lac_refill(program, reader);
    }
    uint64_t words[1];
    words[0] = cursor->header;
    list->bias = LAC_GET(CHANNEL_BIAS);
    list->m = LAC_GET(CHANNEL_M);
    list->s = LAC_GET(CHANNEL_S);
    if (list->s < 1 && !layer.raw) lac_stop(&reader->code, LAC_KERNEL_PROGRAM);
    if (!list->last && !layer.once) lac_stop(&reader->code, LAC_KERNEL_STALLED);
    cursor->inside = !list->last;
    if (list->last) lac_end_list(&layer, cursor);
}

// ---- activation memory ------------------------------------------------------------------------------------

// A group of DRAIN lanes has bytes of its own; inside it codes follow each other without a gap.
LAC_FN uint8_t lac_code(const uint8_t word[LAC_WORD_CELLS], int32_t group, int32_t lane) {
    const int32_t bit = lane * LAC_ACT_BITS, at = group * LAC_GROUP_CELLS + bit / 8;
    uint32_t bits = word[at];
    if (bit % 8 + LAC_ACT_BITS > 8) bits |= (uint32_t)word[at + 1] << 8;
    return (uint8_t)(bits >> (bit % 8) & LAC_CODE_MASK);
}

LAC_FN void lac_write(uint8_t word[LAC_WORD_CELLS], int32_t group, const uint8_t codes[LAC_DRAIN]) {
    uint8_t cells[LAC_GROUP_CELLS + 1];
    LAC_HLS(ARRAY_PARTITION variable = cells type = complete)
    for (int32_t i = 0; i < LAC_GROUP_CELLS + 1; i++) {
        LAC_HLS(UNROLL)
        cells[i] = 0;
    }
    for (int32_t d = 0; d < LAC_DRAIN; d++) {
        LAC_HLS(UNROLL)
        const int32_t bit = d * LAC_ACT_BITS;
        uint32_t bits = (uint32_t)(codes[d] & LAC_CODE_MASK) << (bit % 8);
        cells[bit / 8] |= (uint8_t)bits;
        cells[bit / 8 + 1] |= (uint8_t)(bits >> 8);
    }
    for (int32_t i = 0; i < LAC_GROUP_CELLS; i++) {
        LAC_HLS(UNROLL)
        word[group * LAC_GROUP_CELLS + i] = cells[i];
    }
}

// Lane 0 has a copy for the vector unit.
LAC_FN void lac_copy_first(uint32_t address, uint8_t code, lac_mesh *mesh) {
    if (LAC_VECTOR) mesh->bank[address % LAC_BANKS][address / LAC_BANKS] = code & LAC_CODE_MASK;
}

// ---- the mesh ---------------------------------------------------------------------------------------------

LAC_FN uint8_t lac_mask(int32_t place, int32_t n, int32_t full, int32_t partial_is_valid) {
    return place >= 0 && place < n && (place < full || (place == full && partial_is_valid)) ? 0xFF : 0;
}

// The image, counted along an axis of n lanes, that a place on it belongs to; n and place are constants.
LAC_FN int32_t lac_image_along(int32_t place, int32_t n, int32_t split) {
    return split == 0   ? 0
           : split == 1 ? place / LAC_PART(n, 1)
           : split == 2 ? place / LAC_PART(n, 2)
                        : place / LAC_PART(n, 3);
}

LAC_FN void lac_make_masks(const lac_layer *layer, lac_masks *masks) {
    masks->first_groups = 1;
    for (int32_t g = 0; g < LAC_GROUPS; g++) {
        LAC_HLS(UNROLL)
        masks->has_first[g] = 0;
    }
    for (int32_t k = 0; k < LAC_CLASSES; k++) {
        LAC_HLS(PIPELINE II = 1)
        for (int32_t p = 0; p < LAC_LANES; p++) {
            LAC_HLS(UNROLL)
            int32_t hop = k / 2 - 1, valid = k % 2 == 0;
            int32_t image_y = lac_image_along(p / LAC_MESH_X, LAC_MESH_Y, layer->split_y),
                    image_x = lac_image_along(p % LAC_MESH_X, LAC_MESH_X, layer->split_x);
            int32_t row = p / LAC_MESH_X - image_y * layer->rows,
                    col = p % LAC_MESH_X - image_x * layer->cols;
            masks->rows[k][p] = lac_mask(row + hop, layer->rows, layer->full_rows, valid);
            masks->cols[k][p] = lac_mask(col + hop, layer->cols, layer->full_cols, valid);
            masks->own[p] = row * layer->cols + col;
            masks->image[p] = (image_y << layer->split_x) + image_x;
            if (row == 0 && col == 0) {
                masks->has_first[p / LAC_DRAIN] = 1;
                masks->first_groups = p / LAC_DRAIN + 1;
            }
        }
    }
}

// The codes that the lanes see: those of the lane one hop away, or padding where no real pixel is.
LAC_FN void lac_look(const uint8_t memory[LAC_WORD_CELLS], int32_t hop_y, int32_t hop_x,
                     const uint8_t rows[LAC_LANES], const uint8_t cols[LAC_LANES], uint8_t pad,
                     uint8_t seen[LAC_LANES]) {
    // A margin of a lane in x and of a row in y: what comes from there is masked.
    uint8_t word[LAC_LANES + 2], side[LAC_LANES + 2 * LAC_MESH_X];
    LAC_HLS(ARRAY_PARTITION variable = word type = complete)
    LAC_HLS(ARRAY_PARTITION variable = side type = complete)
    word[0] = word[LAC_LANES + 1] = 0;
    for (int32_t p = 0; p < LAC_LANES; p++) {
        LAC_HLS(UNROLL)
        word[p + 1] = LAC_ACT_BITS == 8 ? memory[p] : lac_code(memory, p / LAC_DRAIN, p % LAC_DRAIN);
    }
    for (int32_t p = 0; p < LAC_MESH_X; p++) {
        LAC_HLS(UNROLL)
        side[p] = side[LAC_LANES + LAC_MESH_X + p] = 0;
    }
    for (int32_t p = 0; p < LAC_LANES; p++) {
        LAC_HLS(UNROLL)
        side[LAC_MESH_X + p] = hop_x < 0 ? word[p] : hop_x > 0 ? word[p + 2] : word[p + 1];
    }
    for (int32_t p = 0; p < LAC_LANES; p++) {
        LAC_HLS(UNROLL)
        uint8_t code = hop_y < 0 ? side[p] : hop_y > 0 ? side[p + 2 * LAC_MESH_X] : side[p + LAC_MESH_X];
        uint8_t keep = rows[p] & cols[p];
        seen[p] = (uint8_t)((code & keep) | (pad & ~keep));
    }
}

// What an entry adds: a product, or, on DIGIT lanes, a code or two, or the negative of that.
LAC_FN int32_t lac_term(int32_t weight, int32_t code) {
    if (LAC_LANE != LAC_LANE_DIGIT) return weight * code;
    int32_t part = weight == 1 || weight == -1 ? code : weight == 0 ? 0 : code + code;
    return weight < 0 ? -part : part;
}

// One entry, one lane. Sums wrap around, as they do in hardware, when a program overflows them.
LAC_FN int32_t lac_sum(int32_t acc, uint64_t entry, int32_t weight, int32_t code) {
    const int32_t times_4 = LAC_LANE == LAC_LANE_DIGIT && (entry >> 8 & 1);
    const uint32_t sum = (uint32_t)acc;
    return (int32_t)((times_4 ? sum << 2 : sum) + (uint32_t)lac_term(weight, code));
}

// One entry, all lanes.
LAC_FN void lac_mac(uint64_t entry, const uint8_t seen[LAC_LANES], int32_t act_signed,
                    const int32_t own[LAC_LANES], int32_t acc[LAC_LANES]) {
    const int32_t weight = (int8_t)(entry & 0xFF), lane = (int32_t)(entry >> 48),
                  sign = act_signed ? LAC_CODE_SIGN : 0;
    for (int32_t p = 0; p < LAC_LANES; p++) {
        LAC_HLS(UNROLL)
        const int32_t used = lane == LAC_ALL_LANES || lane == own[p] ? weight : 0;
        acc[p] = lac_sum(acc[p], entry, used, (seen[p] ^ sign) - sign);
    }
}

LAC_FN int32_t lac_sign_extend(uint64_t bits) {
    return ((int32_t)(bits & 0xFF) ^ 0x80) - 0x80;
}

// A layer with factors: the first entry loads the channel's and adds nothing, in the others it stands in
// place of the weight; of DIGIT lanes its next digit.
LAC_FN uint64_t lac_factor_entry(const lac_layer *layer, int32_t loads, uint8_t seen, uint64_t entry,
                                 uint32_t *factor) {
    const uint64_t rest = entry & ~(uint64_t)0xFF;
    const int32_t sign = layer->scale_signed ? LAC_CODE_SIGN : 0;
    if (loads) {
        *factor = ((uint32_t)(((int32_t)seen ^ sign) - sign - layer->pad_code) & 0xFF) << 1;
        return rest;
    }
    if (LAC_LANE != LAC_LANE_DIGIT) return rest | *factor >> 1;
    int32_t digit =
        (int32_t)(*factor >> 7 & 1) + (int32_t)(*factor >> 6 & 1) - 2 * (int32_t)(*factor >> 8 & 1);
    *factor = *factor << 2 & 0x1FF;
    return rest | ((uint64_t)digit & 0xFF);
}

// The same where lanes have factors of their own.
LAC_FN void lac_mac_factors(const lac_layer *layer, int32_t loads, const uint8_t seen[LAC_LANES],
                            uint64_t entry, lac_mesh *mesh) {
    const int32_t sign = layer->act_signed ? LAC_CODE_SIGN : 0;
    for (int32_t p = 0; p < LAC_LANES; p++) {
        LAC_HLS(UNROLL)
        const uint8_t from = layer->scale_each ? seen[p] : seen[0];
        const uint64_t own =
            lac_factor_entry(layer, loads, from, entry, &mesh->factor[LAC_SCALE == 2 ? p : 0]);
        mesh->acc[p] = lac_sum(mesh->acc[p], entry, (int8_t)(own & 0xFF), (seen[p] ^ sign) - sign);
    }
}

// The sums of one pixel.
LAC_FN void lac_accumulate(const lac_layer *layer, const lac_list *list, const lac_masks *masks,
                           uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS], int32_t row0, int32_t col0,
                           lac_mesh *mesh) {
    int32_t bad = 0;
    for (int32_t i = 0; i < LAC_LIST_WORDS; i++) {
        LAC_HLS(PIPELINE II = 1)
        LAC_HLS(LOOP_TRIPCOUNT min = 1 max = LAC_LIST_WORDS)
        if (i >= list->n) break;
        uint64_t entry = list->entry[i];
        const int32_t loads = LAC_SCALE && layer->scale && i == 0 && list->first;
        const int32_t of_channel = loads && !layer->scale_each;
        int32_t row = of_channel ? 0 : row0 + lac_sign_extend(entry >> 32),
                col = of_channel ? 0 : col0 + lac_sign_extend(entry >> 40);
        int32_t hop_y = row < 0              ? -1
                        : row >= layer->in_h ? 1
                                             : 0,
                hop_x = col < 0              ? -1
                        : col >= layer->in_w ? 1
                                             : 0;
        row -= hop_y * layer->in_h;
        col -= hop_x * layer->in_w;
        // Addresses have 16 bits, as in the RTL.
        uint32_t address = ((uint32_t)(entry >> 16) + (uint32_t)(row * layer->in_w + col)) & 0xFFFF;
        int32_t wrong =
            row < 0 || row >= layer->in_h || col < 0 || col >= layer->in_w || address >= LAC_ACT_WORDS;
        bad |= wrong && (entry & 0xFF);
        int32_t row_class = 2 * (hop_y + 1) + (row >= layer->rem_rows);
        int32_t col_class = 2 * (hop_x + 1) + (col >= layer->rem_cols);
        uint8_t seen[LAC_LANES];
        LAC_HLS(ARRAY_PARTITION variable = seen type = complete)
        lac_look(memory[wrong ? 0 : address], hop_y, hop_x, masks->rows[row_class], masks->cols[col_class],
                 (uint8_t)(layer->pad_code & LAC_CODE_MASK), seen);
        if (LAC_SCALE == 2 && layer->scale) {
            lac_mac_factors(layer, loads, seen, entry, mesh);
            continue;
        }
        if (LAC_SCALE && layer->scale) entry = lac_factor_entry(layer, loads, seen[0], entry, mesh->factor);
        lac_mac(entry, seen, layer->act_signed, masks->own, mesh->acc);
    }
    if (bad) lac_stop(&mesh->code, LAC_KERNEL_RANGE);
}

// ---- the drain --------------------------------------------------------------------------------------------

// The output is that of the run in hand: all lanes, or the first one of every image.
LAC_FN void lac_send(LAC_GLOBAL int32_t *LAC_RESTRICT output, const lac_layer *layer, const lac_list *list,
                     const lac_masks *masks, lac_mesh *mesh) {
    const uint32_t n = layer->reduce ? (uint32_t)layer->n_images : LAC_LANES;
    uint32_t at = mesh->sent;
    if (mesh->room - at < n) {
        lac_stop(&mesh->code, LAC_KERNEL_RESULTS);
        return;
    }
    for (int32_t p = 0; p < LAC_LANES; p++) {
        LAC_HLS(PIPELINE II = 1)
        if (layer->reduce && masks->own[p] != 0) continue;
        output[at] = (int32_t)((uint32_t)mesh->acc[p] + (uint32_t)list->bias);
        at++;
    }
    mesh->sent = at;
}

// Requantises a pixel; the last position of a pool window is written. Of sums over lanes there is one an
// image.
LAC_FN void lac_store(const lac_layer *layer, const lac_list *list, const lac_masks *masks, int32_t first,
                      int32_t last, uint32_t address, uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS],
                      lac_mesh *mesh) {
    const int32_t groups = layer->reduce ? masks->first_groups : LAC_GROUPS;
    if (address >= LAC_ACT_WORDS) {
        lac_stop(&mesh->code, LAC_KERNEL_RANGE);
        return;
    }
    for (int32_t g = 0; g < LAC_GROUPS; g++) {
        LAC_HLS(PIPELINE II = 1)
        if (g >= groups) break;
        if (layer->reduce && !masks->has_first[g]) continue;
        uint8_t codes[LAC_DRAIN];
        LAC_HLS(ARRAY_PARTITION variable = codes type = complete)
        for (int32_t d = 0; d < LAC_DRAIN; d++) {
            LAC_HLS(UNROLL)
            int32_t p = g * LAC_DRAIN + d;
            int32_t y = lac_requantize(mesh->acc[p], list->bias, (uint16_t)list->m, (uint8_t)list->s,
                                       (int16_t)layer->lo, (int16_t)layer->hi, (int16_t)layer->zero);
            if (LAC_TABLE && layer->table) y = lac_table_code(mesh->table, y, layer->out_signed);
            int32_t best = first || y > mesh->best[p] ? y : mesh->best[p];
            mesh->best[p] = best;
            codes[d] = (uint8_t)best;
        }
        if (last) lac_write(memory[address], g, codes);
        if (last && g == 0) lac_copy_first(address, codes[0], mesh);
    }
    if (last && address < mesh->lowest) mesh->lowest = address;
    if (last && address > mesh->highest) mesh->highest = address;
}

// The sum of an image's lanes goes to the first of them, zero to the others.
LAC_FN void lac_reduce(const lac_masks *masks, int32_t n_images, int32_t acc[LAC_LANES]) {
    uint32_t sums[LAC_MOST_IMAGES];
    LAC_HLS(ARRAY_PARTITION variable = sums type = complete)
    for (int32_t k = 0; k < LAC_MOST_IMAGES; k++) {
        LAC_HLS(PIPELINE II = 1)
        if (k >= n_images) break;
        uint32_t sum = 0;
        for (int32_t p = 0; p < LAC_LANES; p++) {
            LAC_HLS(UNROLL)
            sum += masks->image[p] == k ? (uint32_t)acc[p] : 0;
        }
        sums[k] = sum;
    }
    for (int32_t p = 0; p < LAC_LANES; p++) {
        LAC_HLS(UNROLL)
        acc[p] = masks->own[p] == 0 ? (int32_t)sums[masks->image[p]] : 0;
    }
}

// A list, or a piece of one, at one position of the pool window of one pixel.
LAC_FN void lac_pixel(const lac_layer *layer, const lac_list *list, const lac_masks *masks,
                      uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS], LAC_GLOBAL int32_t *LAC_RESTRICT output,
                      lac_visit at, lac_mesh *mesh) {
    if (list->first)
        for (int32_t p = 0; p < LAC_LANES; p++) {
            LAC_HLS(UNROLL)
            mesh->acc[p] = 0;
        }
    lac_accumulate(layer, list, masks, memory, (at.oy * layer->pool_stride_y + at.wy) * layer->stride_y,
                   (at.ox * layer->pool_stride_x + at.wx) * layer->stride_x, mesh);
    if (!list->last) return;
    if (layer->reduce) lac_reduce(masks, layer->n_images, mesh->acc);
    if (layer->raw) {
        lac_send(output, layer, list, masks, mesh);
    } else {
        uint32_t address = (uint32_t)(layer->out_base + list->channel * layer->out_channel_words +
                                      at.oy * layer->out_w + at.ox);
        lac_store(layer, list, masks, at.wy == 0 && at.wx == 0,
                  at.wy == layer->pool_h - 1 && at.wx == layer->pool_w - 1, address, memory, mesh);
    }
}

// All pixels of the list's channel, or the one that a streamed list is for.
LAC_FN void lac_replay(lac_layer layer, const lac_list *list, const lac_masks *masks,
                       uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS], LAC_GLOBAL int32_t *LAC_RESTRICT output,
                       lac_mesh *mesh) {
    if (layer.streamed) {
        lac_pixel(&layer, list, masks, memory, output, list->visit, mesh);
        return;
    }
    for (int32_t oy = 0; oy < 63; oy++) {
        if (oy >= layer.out_h) break;
        for (int32_t ox = 0; ox < 63; ox++) {
            if (ox >= layer.out_w) break;
            for (int32_t wy = 0; wy < 15; wy++) {
                if (wy >= layer.pool_h) break;
                for (int32_t wx = 0; wx < 15; wx++) {
                    if (wx >= layer.pool_w || mesh->code != LAC_KERNEL_OK) break;
                    const lac_visit at = {oy, ox, wy, wx};
                    lac_pixel(&layer, list, masks, memory, output, at, mesh);
                }
            }
        }
    }
}

// ---- the vector unit
// ---------------------------------------------------------------------------------------

LAC_FN void lac_gather_header(const lac_layer *layer, uint64_t header, lac_run *run, lac_burst *burst,
                              int32_t *code) {
    uint64_t words[1];
    words[0] = header;
    run->words_left = LAC_GET(CHANNEL_RUN);
    // A header without a shift only counts words.
    const int32_t is_channel = LAC_GET(CHANNEL_S) != 0;
    if (is_channel) {
        burst->header[burst->n_headers++] = header;
        run->n_headers++;
    }
    if (run->words_left == 0 && (!is_channel || run->n_headers == layer->n_out))
        lac_stop(code, LAC_KERNEL_PROGRAM);
}

// Takes the headers and list words of a chunk apart, a program word a cycle.
LAC_FN void lac_gather(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader, lac_layer layer,
                       lac_run *run, lac_burst *burst) {
    burst->n_words = 0;
    burst->n_headers = 0;
    burst->present = !run->over && reader->code == LAC_KERNEL_OK;
    if (burst->present && reader->at - reader->first >= LAC_CHUNK_WORDS) lac_refill(program, reader);
    for (int32_t i = 0; i < LAC_CHUNK_WORDS; i++) {
        LAC_HLS(PIPELINE II = 1)
        if (!burst->present || run->over || reader->code != LAC_KERNEL_OK ||
            reader->at - reader->first >= LAC_CHUNK_WORDS)
            break;
        if (reader->at >= reader->end) {
            lac_stop(&reader->code, LAC_KERNEL_TRUNCATED);
            break;
        }
        const uint64_t word = reader->chunk[reader->at - reader->first];
        reader->at++;
        if (run->words_left == 0) {
            lac_gather_header(&layer, word, run, burst, &reader->code);
        } else {
            run->words_left--;
            burst->word[burst->n_words] = word;
            burst->headers_before[burst->n_words++] = run->n_headers;
        }
        run->over = run->words_left == 0 && run->n_headers == layer.n_out;
    }
    burst->last = run->over;
}

// The channel that the slowest slot is in.
LAC_FN int32_t lac_slowest(const lac_unit *unit, int32_t n_slots) {
    int32_t least = unit->channel[0];
    for (int32_t k = 0; k < LAC_BANKS; k++) {
        LAC_HLS(UNROLL)
        if (k < n_slots && unit->channel[k] < least) least = unit->channel[k];
    }
    return least;
}

LAC_FN void lac_push_sum(int32_t slot, lac_unit *unit) {
    unit->sums[slot][unit->channel[slot] % LAC_QUEUE] = unit->acc[slot];
    unit->acc[slot] = 0;
}

// Moves a slot on by the gap of its entry, into its next channel from the last row; its weight.
LAC_FN int32_t lac_move_slot(const lac_layer *layer, int32_t slot, int32_t entry, int32_t done,
                             lac_unit *unit) {
    const int32_t gap_bits = (4 << layer->entry_bits) - layer->weight_bits;
    const int32_t weight_sign = 1 << (layer->weight_bits - 1), gap = entry >> layer->weight_bits;
    const int32_t weight = ((entry & (2 * weight_sign - 1)) ^ weight_sign) - weight_sign;
    if (weight == 0 && gap == (1 << gap_bits) - 1) return 0; // it stays
    const int32_t row = unit->row[slot] + gap + 1, wraps = row >= layer->minor;
    const int32_t channel = unit->channel[slot] + wraps;
    if (gap >= layer->minor || channel >= layer->n_out || channel > done + LAC_AHEAD) {
        unit->bad = 1;
        return 0;
    }
    if (wraps) lac_push_sum(slot, unit);
    unit->channel[slot] = channel;
    unit->row[slot] = wraps ? row - layer->minor : row;
    return weight;
}

// The code at each slot's row. Every bank is read once; where several serve a slot, the row chooses.
LAC_FN void lac_slot_codes(const lac_layer *layer, const lac_unit *unit,
                           uint8_t bank[LAC_BANKS][LAC_BANK_WORDS], uint8_t codes[LAC_BANKS]) {
    const int32_t slots_log2 = 4 - layer->entry_bits, n_slots = 1 << slots_log2;
    const int32_t first = layer->in_base >> slots_log2, more_log2 = LAC_BANKS_LOG2 - slots_log2;
    uint8_t found[LAC_BANKS];
    LAC_HLS(ARRAY_PARTITION variable = found type = complete)
    for (int32_t b = 0; b < LAC_BANKS; b++) {
        LAC_HLS(UNROLL)
        const int32_t row = unit->row[b & (n_slots - 1)];
        found[b] = bank[b][(first + (row < 0 ? 0 : row)) >> more_log2];
    }
    for (int32_t k = 0; k < LAC_BANKS; k++) {
        LAC_HLS(UNROLL)
        const int32_t row = unit->row[k];
        codes[k] = found[(k + ((first + (row < 0 ? 0 : row)) << slots_log2)) & (LAC_BANKS - 1)];
    }
}

// One list word: every slot moves, and adds a product.
LAC_FN void lac_slots(const lac_layer *layer, uint64_t word, int32_t headers_before,
                      uint8_t bank[LAC_BANKS][LAC_BANK_WORDS], lac_unit *unit) {
    const int32_t entry_bits = 4 << layer->entry_bits, n_slots = 16 >> layer->entry_bits;
    const uint64_t entry_mask = ((uint64_t)1 << entry_bits) - 1;
    const int32_t sign = layer->act_signed ? LAC_CODE_SIGN : 0;
    const int32_t done = lac_slowest(unit, n_slots);
    // A channel's header stands before the word that completes it, and not too long before.
    if (done > unit->headers_before || headers_before > done + LAC_AHEAD) unit->bad = 1;
    unit->headers_before = headers_before;
    int32_t weight[LAC_BANKS];
    uint8_t codes[LAC_BANKS];
    LAC_HLS(ARRAY_PARTITION variable = weight type = complete)
    LAC_HLS(ARRAY_PARTITION variable = codes type = complete)
    for (int32_t k = 0; k < LAC_BANKS; k++) {
        LAC_HLS(UNROLL)
        const int32_t entry = (int32_t)(word >> (k * entry_bits & 63) & entry_mask);
        weight[k] = k < n_slots ? lac_move_slot(layer, k, entry, done, unit) : 0;
    }
    lac_slot_codes(layer, unit, bank, codes);
    for (int32_t k = 0; k < LAC_BANKS; k++) {
        LAC_HLS(UNROLL)
        const int32_t code = (codes[k] ^ sign) - sign;
        unit->acc[k] = (int32_t)((uint32_t)unit->acc[k] + (uint32_t)(weight[k] * code));
    }
}

// The total of the slots' sums of a channel.
LAC_FN int32_t lac_sum_slots(const lac_unit *unit, int32_t n_slots, int32_t channel) {
    uint32_t sum = 0;
    for (int32_t k = 0; k < LAC_BANKS; k++) {
        LAC_HLS(UNROLL)
        if (k < n_slots) sum += (uint32_t)unit->sums[k][channel % LAC_QUEUE];
    }
    return (int32_t)sum;
}

// Channels that every slot has left: one a cycle, to the output or as a code of lane 0.
LAC_FN void lac_drain_slots(const lac_layer *layer, int32_t end, lac_unit *unit,
                            uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS],
                            LAC_GLOBAL int32_t *LAC_RESTRICT output, lac_mesh *mesh) {
    const int32_t first = unit->n_done;
    for (int32_t i = 0; i < LAC_QUEUE; i++) {
        LAC_HLS(PIPELINE II = 1)
        const int32_t channel = first + i;
        if (channel >= end) break;
        const uint32_t address = (uint32_t)(layer->out_base + channel * layer->out_channel_words);
        if (layer->raw ? mesh->sent >= mesh->room : address >= LAC_ACT_WORDS) {
            lac_stop(&mesh->code, layer->raw ? LAC_KERNEL_RESULTS : LAC_KERNEL_RANGE);
            break;
        }
        uint64_t words[1];
        words[0] = unit->header[channel % LAC_QUEUE];
        const int32_t sum = lac_sum_slots(unit, 16 >> layer->entry_bits, channel),
                      bias = LAC_GET(CHANNEL_BIAS);
        if (layer->raw) {
            output[mesh->sent++] = (int32_t)((uint32_t)sum + (uint32_t)bias);
        } else {
            uint8_t codes[LAC_DRAIN];
            LAC_HLS(ARRAY_PARTITION variable = codes type = complete)
            codes[0] =
                (uint8_t)lac_requantize(sum, bias, (uint16_t)LAC_GET(CHANNEL_M), (uint8_t)LAC_GET(CHANNEL_S),
                                        (int16_t)layer->lo, (int16_t)layer->hi, (int16_t)layer->zero);
            if (LAC_TABLE && layer->table) codes[0] = mesh->table[codes[0]];
            for (int32_t d = 1; d < LAC_DRAIN; d++) {
                LAC_HLS(UNROLL)
                codes[d] = codes[0];
            }
            lac_write(memory[address], 0, codes);
            lac_copy_first(address, codes[0], mesh);
            if (address < mesh->lowest) mesh->lowest = address;
            if (address > mesh->highest) mesh->highest = address;
        }
        unit->n_done = channel + 1;
    }
}

// Works through a burst, a list word a cycle, and drains what it has completed.
LAC_FN void lac_work(lac_layer layer, const lac_burst *burst, lac_unit *unit,
                     uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS], LAC_GLOBAL int32_t *LAC_RESTRICT output,
                     lac_mesh *mesh) {
    const int32_t n_slots = 16 >> layer.entry_bits;
    for (int32_t i = 0; i < LAC_CHUNK_WORDS; i++) {
        LAC_HLS(PIPELINE II = 1)
        if (i >= burst->n_headers) break;
        unit->header[unit->n_headers % LAC_QUEUE] = burst->header[i];
        unit->n_headers++;
    }
    for (int32_t i = 0; i < LAC_CHUNK_WORDS; i++) {
        LAC_HLS(PIPELINE II = 1)
        if (i >= burst->n_words || unit->bad) break;
        lac_slots(&layer, burst->word[i], burst->headers_before[i], mesh->bank, unit);
    }
    int32_t end = lac_slowest(unit, n_slots);
    if (end > unit->headers_before) unit->bad = 1;
    if (burst->last) {
        // The last channel is over with the layer's last word; every slot must be in it.
        if (end != layer.n_out - 1) unit->bad = 1;
        end = layer.n_out;
        for (int32_t k = 0; k < LAC_BANKS; k++) {
            LAC_HLS(UNROLL)
            lac_push_sum(k, unit);
        }
    }
    if (unit->bad)
        lac_stop(&mesh->code, LAC_KERNEL_RANGE);
    else
        lac_drain_slots(&layer, end, unit, memory, output, mesh);
}

// Fetches one burst while another is at work, as lac_overlap does with lists.
LAC_FN void lac_overlap_bursts(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader,
                               lac_layer layer, lac_run *run, lac_burst *next, const lac_burst *now,
                               lac_unit *unit, uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS],
                               LAC_GLOBAL int32_t *LAC_RESTRICT output, lac_mesh *mesh) {
    LAC_HLS(DATAFLOW)
    lac_gather(program, reader, layer, run, next);
    lac_work(layer, now, unit, memory, output, mesh);
}

LAC_FN void lac_begin_unit(lac_unit *unit) {
    for (int32_t k = 0; k < LAC_BANKS; k++) {
        LAC_HLS(UNROLL)
        unit->row[k] = -1;
        unit->channel[k] = 0;
        unit->acc[k] = 0;
    }
    unit->n_headers = 0;
    unit->headers_before = 0;
    unit->n_done = 0;
    unit->bad = 0;
}

LAC_FN void lac_run_vector(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader,
                           const lac_layer *layer, uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS],
                           LAC_GLOBAL int32_t *LAC_RESTRICT output, lac_mesh *mesh) {
    lac_burst even, odd;
    lac_run run;
    lac_unit unit;
    LAC_HLS(ARRAY_PARTITION variable = unit.row type = complete)
    LAC_HLS(ARRAY_PARTITION variable = unit.channel type = complete)
    LAC_HLS(ARRAY_PARTITION variable = unit.acc type = complete)
    LAC_HLS(ARRAY_PARTITION variable = unit.sums type = complete dim = 1)
    const int32_t slots_log2 = 4 - layer->entry_bits;
    if ((layer->in_base >> slots_log2) + layer->minor - 1 > (LAC_ACT_WORDS - 1) >> slots_log2) {
        lac_stop(&mesh->code, LAC_KERNEL_RANGE);
        return;
    }
    run.words_left = 0;
    run.n_headers = 0;
    run.over = 0;
    lac_begin_unit(&unit);
    lac_gather(program, reader, *layer, &run, &even);
    odd.present = 0;
    for (int32_t burst = 0; burst < LAC_MOST_PIECES; burst++) {
        if (mesh->code != LAC_KERNEL_OK || reader->code != LAC_KERNEL_OK) break;
        if (burst % 2 == 0) {
            if (!even.present) break;
            lac_overlap_bursts(program, reader, *layer, &run, &odd, &even, &unit, memory, output, mesh);
        } else {
            if (!odd.present) break;
            lac_overlap_bursts(program, reader, *layer, &run, &even, &odd, &unit, memory, output, mesh);
        }
    }
}

// ---- layers -----------------------------------------------------------------------------------------------

// Fetches one list while another is at work; the two calls share nothing that either of them writes.
LAC_FN void lac_overlap(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader, lac_layer layer,
                        const lac_taps *taps, lac_cursor *cursor, lac_list *next, const lac_list *now,
                        const lac_masks *masks, uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS],
                        LAC_GLOBAL int32_t *LAC_RESTRICT output, lac_mesh *mesh) {
    LAC_HLS(DATAFLOW)
    lac_fetch(program, reader, layer, taps, cursor, next);
    lac_replay(layer, now, masks, memory, output, mesh);
}

LAC_FN void lac_run_layer(LAC_GLOBAL const uint64_t *LAC_RESTRICT program, lac_reader *reader,
                          const lac_layer *layer, const lac_taps *taps,
                          uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS],
                          LAC_GLOBAL int32_t *LAC_RESTRICT output, lac_mesh *mesh) {
    lac_list even, odd;
    lac_masks masks;
    lac_cursor cursor;
    const lac_visit first = {0, 0, 0, 0};
    LAC_HLS(ARRAY_PARTITION variable = masks.rows type = complete dim = 0)
    LAC_HLS(ARRAY_PARTITION variable = masks.cols type = complete dim = 0)
    LAC_HLS(ARRAY_PARTITION variable = masks.has_first type = complete)
    LAC_HLS(ARRAY_PARTITION variable = masks.own type = complete)
    LAC_HLS(ARRAY_PARTITION variable = masks.image type = complete)
    cursor.channel = 0;
    cursor.group_base = 0;
    cursor.begun = 0;
    cursor.inside = 0;
    cursor.copies = 0;
    cursor.visit = first;
    lac_make_masks(layer, &masks);
    lac_fetch(program, reader, *layer, taps, &cursor, &even);
    odd.present = 0;
    for (int32_t piece = 0; piece < LAC_MOST_PIECES; piece++) {
        if (mesh->code != LAC_KERNEL_OK || reader->code != LAC_KERNEL_OK) break;
        if (piece % 2 == 0) {
            if (!even.present) break;
            lac_overlap(program, reader, *layer, taps, &cursor, &odd, &even, &masks, memory, output, mesh);
        } else {
            if (!odd.present) break;
            lac_overlap(program, reader, *layer, taps, &cursor, &even, &odd, &masks, memory, output, mesh);
        }
    }
}

// ---- the trace --------------------------------------------------------------------------------------------

#ifdef LAC_TRACE
LAC_FN void lac_trace_number(LAC_GLOBAL uint8_t *LAC_RESTRICT trace, uint32_t at, uint32_t number) {
    for (uint32_t i = 0; i < 4; i++) trace[at + i] = (uint8_t)(number >> (8 * i));
}

// Appends what a step has written; the new end of the trace.
LAC_FN uint32_t lac_trace_step(LAC_GLOBAL uint8_t *LAC_RESTRICT trace, uint32_t at, uint32_t room, int32_t id,
                               uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS], lac_mesh *mesh) {
    if (mesh->lowest > mesh->highest) return at;
    uint32_t n = mesh->highest - mesh->lowest + 1, bytes = n * LAC_LANES;
    if (room - at < bytes + LAC_TRACE_HEADER_BYTES) {
        lac_stop(&mesh->code, LAC_KERNEL_RESULTS);
        return at;
    }
    lac_trace_number(trace, at, (uint32_t)id);
    lac_trace_number(trace, at + 4, mesh->lowest);
    lac_trace_number(trace, at + 8, n);
    lac_trace_number(trace, at + 12, 0);
    at += LAC_TRACE_HEADER_BYTES;
    for (uint32_t i = 0; i < LAC_ACT_WORDS; i++) {
        if (i >= n) break;
        for (uint32_t p = 0; p < LAC_LANES; p++) {
            LAC_HLS(PIPELINE II = 1)
            trace[at + i * LAC_LANES + p] =
                lac_code(memory[mesh->lowest + i], (int32_t)p / LAC_DRAIN, (int32_t)p % LAC_DRAIN);
        }
    }
    return at + bytes;
}
#endif

// ---- a run ------------------------------------------------------------------------------------------------

// Input codes: groups of DRAIN lanes, a byte a code, fetched in bursts.
LAC_FN void lac_load(LAC_GLOBAL const uint64_t *LAC_RESTRICT input, uint32_t first, uint32_t base,
                     uint32_t words, uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS], lac_mesh *mesh) {
    uint64_t chunk[LAC_CHUNK_WORDS];
    const uint32_t end = first + lac_input_words64(words);
    uint32_t word = 0;
    int32_t group = 0;
    for (uint32_t k = 0; k < LAC_MOST_CHUNKS; k++) {
        if (word >= words) break;
        for (uint32_t i = 0; i < LAC_CHUNK_WORDS; i++) {
            LAC_HLS(PIPELINE II = 1)
            uint32_t at = first + k * LAC_CHUNK_WORDS + i;
            chunk[i] = at < end ? input[at] : 0;
        }
        for (uint32_t g = 0; g < LAC_CHUNK_WORDS * 8 / LAC_GROUP_BYTES; g++) {
            LAC_HLS(PIPELINE II = 1)
            if (word >= words) break;
            uint8_t codes[LAC_DRAIN];
            LAC_HLS(ARRAY_PARTITION variable = codes type = complete)
            for (uint32_t d = 0; d < LAC_DRAIN; d++) {
                LAC_HLS(UNROLL)
                uint32_t byte = g * LAC_GROUP_BYTES + d;
                codes[d] = (uint8_t)(chunk[byte / 8] >> (8 * (byte % 8)));
            }
            lac_write(memory[base + word], group, codes);
            if (group == 0) lac_copy_first(base + word, codes[0], mesh);
            group++;
            if (group == LAC_GROUPS) {
                group = 0;
                word++;
            }
        }
    }
}

// Why a run is refused before it begins.
LAC_FN int32_t lac_refusal(uint32_t contract, uint32_t engine, uint32_t program_words, uint32_t input_base,
                           uint32_t input_words, uint32_t output_words, uint32_t runs, uint32_t patience) {
    if (contract != LAC_CONTRACT_HASH) return LAC_KERNEL_CONTRACT;
    if (engine != LAC_THIS_ENGINE) return LAC_KERNEL_ENGINE;
    if (program_words == 0 || input_words == 0 || output_words == 0 || runs == 0 || patience > 31)
        return LAC_KERNEL_ARGUMENT;
    if (input_words > LAC_ACT_WORDS || input_base > LAC_ACT_WORDS - input_words) return LAC_KERNEL_ARGUMENT;
    return LAC_KERNEL_OK;
}

#ifdef LAC_TRACE
#define LAC_TRACE_ARGUMENTS , LAC_GLOBAL uint8_t *LAC_RESTRICT trace, uint32_t trace_bytes
#else
#define LAC_TRACE_ARGUMENTS
#endif

#ifdef __cplusplus
extern "C"
#endif
    LAC_KERNEL void
    LAC_KERNEL_NAME(uint32_t contract, uint32_t engine, LAC_GLOBAL const uint64_t *LAC_RESTRICT program,
                    LAC_GLOBAL const uint64_t *LAC_RESTRICT input, LAC_GLOBAL int32_t *LAC_RESTRICT output,
                    LAC_GLOBAL uint64_t *LAC_RESTRICT report, uint32_t program_words, uint32_t input_base,
                    uint32_t input_words, uint32_t output_words, uint32_t runs,
                    uint32_t patience LAC_TRACE_ARGUMENTS) {
    LAC_HLS(INTERFACE mode = s_axilite port = contract)
    LAC_HLS(INTERFACE mode = s_axilite port = engine)
    LAC_HLS(INTERFACE mode = m_axi port = program bundle = gmem0 offset = slave max_read_burst_length = 64)
    LAC_HLS(INTERFACE mode = m_axi port = input bundle = gmem0 offset = slave max_read_burst_length = 64)
    LAC_HLS(INTERFACE mode = m_axi port = output bundle = gmem1 offset = slave max_write_burst_length = 64)
    LAC_HLS(INTERFACE mode = m_axi port = report bundle = gmem2 offset = slave)
    LAC_HLS(INTERFACE mode = s_axilite port = program_words)
    LAC_HLS(INTERFACE mode = s_axilite port = input_base)
    LAC_HLS(INTERFACE mode = s_axilite port = input_words)
    LAC_HLS(INTERFACE mode = s_axilite port = output_words)
    LAC_HLS(INTERFACE mode = s_axilite port = runs)
    LAC_HLS(INTERFACE mode = s_axilite port = patience)
    LAC_HLS(INTERFACE mode = s_axilite port = return )
#ifdef __BAMBU__ // which wants its pragmas literally
// clang-format off
#pragma HLS interface port=program mode=m_axi offset=direct bundle=gmem0
#pragma HLS interface port=input mode=m_axi offset=direct bundle=gmem0
#pragma HLS interface port=output mode=m_axi offset=direct bundle=gmem1
#pragma HLS interface port=report mode=m_axi offset=direct bundle=gmem2
// clang-format on
#endif
    uint8_t memory[LAC_ACT_WORDS][LAC_WORD_CELLS];
    LAC_HLS(ARRAY_PARTITION variable = memory type = complete dim = 2)
    LAC_HLS(BIND_STORAGE variable = memory type = ram_2p impl = bram)
    lac_reader reader;
    lac_layer layer;
    lac_taps taps;
    lac_mesh mesh;
    LAC_HLS(ARRAY_PARTITION variable = mesh.acc type = complete)
    LAC_HLS(ARRAY_PARTITION variable = mesh.best type = complete)
    LAC_HLS(ARRAY_PARTITION variable = mesh.bank type = complete dim = 1)
    LAC_HLS(BIND_STORAGE variable = mesh.bank type = ram_2p impl = bram)
    LAC_HLS(ARRAY_PARTITION variable = mesh.table type = complete)
    const uint32_t input_stride = (lac_input_words64(input_words) + 7) / 8 * 8;
    const uint32_t output_stride = (output_words + 15) / 16 * 16;
    uint32_t done = 0;
#ifdef LAC_TRACE
    uint32_t traced = LAC_TRACE_HEADER_BYTES;
#endif
    mesh.code =
        lac_refusal(contract, engine, program_words, input_base, input_words, output_words, runs, patience);
    for (uint32_t run = 0; run < runs; run++) {
        if (mesh.code != LAC_KERNEL_OK) break;
        lac_load(input, run * input_stride, input_base, input_words, memory, &mesh);
        reader.at = 0;
        reader.end = program_words;
        reader.code = LAC_KERNEL_OK;
        lac_refill(program, &reader);
        mesh.sent = 0;
        mesh.room = output_words;
        for (int32_t step = 0; step < LAC_MOST_STEPS; step++) {
            if (mesh.code != LAC_KERNEL_OK) break;
            if (!lac_read_layer(program, &reader, &layer, &taps, mesh.table)) break;
            mesh.lowest = LAC_ACT_WORDS;
            mesh.highest = 0;
            if (LAC_VECTOR && layer.order == LAC_ORDER_SLOTS)
                lac_run_vector(program, &reader, &layer, memory, output + run * output_stride, &mesh);
            else
                lac_run_layer(program, &reader, &layer, &taps, memory, output + run * output_stride, &mesh);
#ifdef LAC_TRACE
            traced = lac_trace_step(trace, traced, trace_bytes, layer.id, memory, &mesh);
#endif
        }
        lac_stop(&mesh.code, reader.code);
        if (reader.at != program_words) lac_stop(&mesh.code, LAC_KERNEL_LEFT_OVER);
        if (mesh.sent != output_words) lac_stop(&mesh.code, LAC_KERNEL_RESULTS);
        if (mesh.code == LAC_KERNEL_OK) done++;
    }
#ifdef LAC_TRACE
    lac_trace_number(trace, 0, traced);
#endif
    // There is no clock here, so no cycles.
    report[0] = (uint64_t)mesh.code | (uint64_t)done << 32;
    for (int32_t i = 1; i < LAC_REPORT_BYTES / 8; i++) {
        LAC_HLS(PIPELINE II = 1)
        report[i] = 0;
    }
}
