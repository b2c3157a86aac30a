#include "stream_model.h"

#include "digits.h"
#include "layout.h"
#include "program_reader.h"

#include "lac_num.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_LANES = 32 * 32 };

typedef struct list_entry {
    int offset, tap, lane; ///< lane: the only one that accumulates, -1 for all
    int weight;
    bool times_4; ///< the accumulators are multiplied by 4 first
} list_entry;

typedef struct machine {
    lac_stream_model *model;
    lac_arena *scratch;
    lac_program_reader reader;
    const lac_stream_watch *watch;
    int32_t *out;
    size_t n_out, n_sent;
    int lanes, group_base;
    int rows, cols;   ///< of the mesh that one input image has
    list_entry *list; ///< of the channel in hand
    int n_list, list_room;
    int scale_base; ///< of a layer with factors: word of the first
    int factor[MOST_LANES], digits_left;
    int64_t acc[MOST_LANES];
    int32_t best[MOST_LANES]; ///< of the pool window so far
} machine;

lac_stream_model *lac_stream_model_new(const lac_engine_config *engine, lac_arena *arena) {
    lac_stream_model *model = LAC_NEW(arena, lac_stream_model);
    model->engine = *engine;
    model->memory =
        LAC_NEW_ARRAY(arena, uint8_t, (size_t)engine->act_words * (size_t)lac_engine_lanes(engine));
    return model;
}

// ---- the list of a channel -----------------------------------------------------------------------------

/// A list may be longer than the list memory of the engine.
static void lengthen(machine *m) {
    int room = 2 * m->list_room + 1024;
    list_entry *longer = LAC_NEW_ARRAY(m->scratch, list_entry, room);
    if (m->n_list) memcpy(longer, m->list, (size_t)m->n_list * sizeof *longer);
    m->list = longer;
    m->list_room = room;
}

static lac_status place_entry(machine *m, const lac_program_item *item, lac_error *err) {
    const lac_layer_record *r = &m->reader.layer;
    int64_t major = item->position / r->MINOR, minor = item->position % r->MINOR;
    list_entry e = {.lane = -1, .weight = item->weight, .times_4 = item->times_4};
    int64_t channel = r->ORDER == LAC_ORDER_CHANNELS ? minor : major;
    if (r->ORDER == LAC_ORDER_LANES) {
        e.lane = (int)minor;
        e.offset = (int)major;
    } else {
        e.tap = (int)(r->ORDER == LAC_ORDER_CHANNELS ? major : minor);
        e.offset = (int)(channel * r->IN_CHANNEL_WORDS);
    }
    if (e.tap >= r->N_TAPS || e.lane >= m->rows * m->cols)
        LAC_FAIL(err, LAC_E_DEVICE, "step %d: entry %d for tap %d of %d, lane %d of %d", r->ID, m->n_list,
                 e.tap, r->N_TAPS, e.lane, m->rows * m->cols);
    e.offset += m->reader.taps[e.tap].OFFSET;
    if (m->n_list == m->list_room) lengthen(m);
    m->list[m->n_list++] = e;
    return LAC_OK;
}

static lac_status read_list(machine *m, lac_error *err) {
    lac_program_item item;
    m->n_list = 0;
    for (;;) {
        LAC_TRY(lac_program_next_item(&m->reader, &item, err));
        if (item.kind == LAC_ITEM_END) return LAC_OK;
        if (item.kind != LAC_ITEM_SKIP) LAC_TRY(place_entry(m, &item, err));
    }
}

// ---- one pixel -----------------------------------------------------------------------------------------

/// -1, 0 or 1: whose tile holds a row; *inside is the row there.
static lac_status hop_of(int row, int tile, int *hop, int *inside, lac_error *err) {
    *hop = row < 0 ? -1 : row >= tile ? 1 : 0;
    *inside = row - *hop * tile;
    if (*inside < 0 || *inside >= tile)
        LAC_FAIL(err, LAC_E_DEVICE, "a tap at %d is more than one tile of %d away", row, tile);
    return LAC_OK;
}

static bool holds(int lane, int n_lanes, int full, int rem, int inside) {
    return lane >= 0 && lane < n_lanes && (lane < full || (lane == full && inside < rem));
}

static lac_status check_sum(const machine *m, int lane, lac_error *err) {
    int bits = m->model->engine.acc_bits;
    int64_t limit = (int64_t)1 << (bits - 1);
    if (m->acc[lane] < -limit || m->acc[lane] >= limit)
        LAC_FAIL(err, LAC_E_DEVICE, "step %d: sum %" PRId64 " of lane %d overflows %d bits",
                 m->reader.layer.ID, m->acc[lane], lane, bits);
    return LAC_OK;
}

static lac_status next_plane(machine *m, lac_error *err) {
    for (int p = 0; p < m->lanes; p++) {
        m->acc[p] *= 4;
        LAC_TRY(check_sum(m, p, err));
    }
    return LAC_OK;
}

/// A code as the engine reads it from a word.
static int code_of(int byte, bool is_signed) {
    return is_signed && byte > 127 ? byte - 256 : byte;
}

/// Where an entry has all lanes look.
typedef struct sight {
    int hop_y, hop_x, row, col, address;
} sight;

static lac_status look(const machine *m, const list_entry *e, int word, int base_row, int base_col,
                       sight *out, lac_error *err) {
    const lac_layer_record *r = &m->reader.layer;
    sight s = {.hop_y = 0};
    LAC_TRY(hop_of(base_row + m->reader.taps[e->tap].DY, r->IN_TILE_H, &s.hop_y, &s.row, err));
    LAC_TRY(hop_of(base_col + m->reader.taps[e->tap].DX, r->IN_TILE_W, &s.hop_x, &s.col, err));
    s.address = (word + s.row * r->IN_TILE_W + s.col) & 0xFFFF;
    if (s.address >= m->model->engine.act_words)
        LAC_FAIL(err, LAC_E_DEVICE, "step %d reads word %d of %d", r->ID, s.address,
                 m->model->engine.act_words);
    *out = s;
    return LAC_OK;
}

/// The code as memory holds it, or padding.
static int seen_by(const machine *m, const sight *s, int p) {
    const lac_layer_record *r = &m->reader.layer;
    int mesh_x = m->model->engine.mesh_x, y = p / mesh_x, x = p % mesh_x;
    bool valid = holds(y % m->rows + s->hop_y, m->rows, r->FULL_ROWS, r->REM_ROWS, s->row) &&
                 holds(x % m->cols + s->hop_x, m->cols, r->FULL_COLS, r->REM_COLS, s->col);
    size_t lane = (size_t)((y + s->hop_y) * mesh_x + x + s->hop_x);
    return valid ? m->model->memory[(size_t)s->address * (size_t)m->lanes + lane] : r->PAD_CODE;
}

/// The first entry of a pixel in a layer with factors: it adds nothing. Factors are one a channel, in lane 0,
/// or one a pixel.
static lac_status load_factors(machine *m, const list_entry *e, int channel, int base_row, int base_col,
                               lac_error *err) {
    const lac_layer_record *r = &m->reader.layer;
    sight s;
    if (channel == 0) m->scale_base = (r->IN_BASE + m->group_base + e->offset) & 0xFFFF;
    const list_entry own = {.tap = e->tap};
    if (!r->SCALE_EACH) base_row = -m->reader.taps[e->tap].DY, base_col = -m->reader.taps[e->tap].DX;
    LAC_TRY(look(m, &own, m->scale_base + (r->SCALE_EACH ? 0 : channel), base_row, base_col, &s, err));
    for (int p = 0; p < m->lanes; p++) {
        int code = code_of(seen_by(m, &s, r->SCALE_EACH ? p : 0), r->SCALE_SIGNED);
        m->factor[p] = code_of((code - r->PAD_CODE) & 0xFF, true);
    }
    m->digits_left = LAC_MOST_PLANES;
    return LAC_OK;
}

/// What stands in place of a list's weight: the factor, or the signed radix-4 digit of it whose turn it is.
static int factor_weight(const machine *m, int p) {
    if (m->model->engine.lane != LAC_LANE_DIGIT) return m->factor[p];
    if (m->digits_left < 0) return 0;
    int bits = (m->factor[p] * 2) >> (2 * m->digits_left) & 7;
    return (bits & 1) + (bits >> 1 & 1) - 2 * (bits >> 2);
}

static lac_status accumulate(machine *m, const list_entry *e, int base_row, int base_col, lac_error *err) {
    const lac_layer_record *r = &m->reader.layer;
    const int mesh_x = m->model->engine.mesh_x;
    if (e->times_4) LAC_TRY(next_plane(m, err));
    if (e->weight == 0) return LAC_OK;
    sight s;
    m->digits_left--;
    LAC_TRY(look(m, e, r->IN_BASE + m->group_base + e->offset, base_row, base_col, &s, err));
    for (int p = 0; p < m->lanes; p++) {
        int own = p / mesh_x % m->rows * m->cols + p % mesh_x % m->cols; // in the image's part of the mesh
        if (e->lane >= 0 && e->lane != own) continue;
        int weight = r->SCALE ? factor_weight(m, p) : e->weight;
        m->acc[p] += (int64_t)weight * code_of(seen_by(m, &s, p), r->ACT_SIGNED);
        LAC_TRY(check_sum(m, p, err));
    }
    return LAC_OK;
}

// ---- the drain -----------------------------------------------------------------------------------------

static lac_status send(machine *m, int64_t value, lac_error *err) {
    if (m->n_sent >= m->n_out)
        LAC_FAIL(err, LAC_E_DEVICE, "step %d sends more than %zu results", m->reader.layer.ID, m->n_out);
    m->out[m->n_sent++] = (int32_t)value;
    return LAC_OK;
}

/// Whether a lane is the first one of its input image.
static bool is_first(const machine *m, int lane) {
    int mesh_x = m->model->engine.mesh_x;
    return lane / mesh_x % m->rows == 0 && lane % mesh_x % m->cols == 0;
}

static lac_status drain_raw(machine *m, const lac_channel_record *c, lac_error *err) {
    for (int p = 0; p < m->lanes; p++)
        if (!m->reader.layer.REDUCE || is_first(m, p)) LAC_TRY(send(m, m->acc[p] + c->BIAS, err));
    return LAC_OK;
}

/// Requantises and, on the last position of a pool window, writes the word.
static lac_status drain_codes(machine *m, const lac_channel_record *c, bool first, bool last, int address,
                              lac_error *err) {
    const lac_layer_record *r = &m->reader.layer;
    uint8_t codes[MOST_LANES];
    for (int p = 0; p < m->lanes; p++) {
        int32_t y = lac_requantize((int32_t)m->acc[p], c->BIAS, (uint16_t)c->M, (uint8_t)c->S, (int16_t)r->LO,
                                   (int16_t)r->HI, (int16_t)r->ZERO);
        if (r->TABLE) y = lac_table_code(m->reader.table, y, r->OUT_SIGNED);
        m->best[p] = first || y > m->best[p] ? y : m->best[p];
        codes[p] = (uint8_t)m->best[p];
    }
    if (!last) return LAC_OK;
    if (address >= m->model->engine.act_words)
        LAC_FAIL(err, LAC_E_DEVICE, "step %d writes word %d of %d", r->ID, address,
                 m->model->engine.act_words);
    // The sum over lanes is one value for an image, written with the group of its first lane.
    int group = r->REDUCE ? m->model->engine.drain : m->lanes;
    for (int p = 0; p < m->lanes; p += group)
        if (!r->REDUCE || is_first(m, p))
            memcpy(m->model->memory + (size_t)address * (size_t)m->lanes + p, codes + p, (size_t)group);
    if (m->watch && m->watch->write)
        m->watch->write(m->watch->ctx, address, m->model->memory + (size_t)address * (size_t)m->lanes);
    return LAC_OK;
}

static void reduce(machine *m) {
    int mesh_x = m->model->engine.mesh_x;
    for (int p = 0; p < m->lanes; p++) {
        int first = (p / mesh_x / m->rows * m->rows) * mesh_x + p % mesh_x / m->cols * m->cols;
        if (first == p) continue;
        m->acc[first] += m->acc[p];
        m->acc[p] = 0;
    }
}

// ---- the vector unit -----------------------------------------------------------------------------------

/// What the slots have added up: for every channel the sum of what they have finished, and of each slot the
/// sum in hand with its channel.
typedef struct vector_sums {
    int64_t *done; ///< [N_OUT]
    int64_t acc[LAC_MOST_SLOTS];
    int channel[LAC_MOST_SLOTS];
} vector_sums;

static lac_status vector_entry(machine *m, vector_sums *sums, int slot, const lac_vector_entry *e,
                               lac_error *err) {
    const lac_layer_record *r = &m->reader.layer;
    const lac_engine_config *engine = &m->model->engine;
    int n_slots = lac_entry_slots(r->ENTRY_BITS), row = (int)(e->position % r->MINOR);
    int channel = (int)(e->position / r->MINOR), address = (r->IN_BASE / n_slots + row) * n_slots + slot;
    if (e->weight == 0) return LAC_OK;
    if (address >= engine->act_words)
        LAC_FAIL(err, LAC_E_DEVICE, "step %d reads word %d of %d", r->ID, address, engine->act_words);
    if (channel != sums->channel[slot]) sums->acc[slot] = 0;
    sums->channel[slot] = channel;
    int code = m->model->memory[(size_t)address * (size_t)m->lanes];
    if (r->ACT_SIGNED && code > 127) code -= 256;
    sums->acc[slot] += (int64_t)e->weight * code;
    sums->done[channel] += (int64_t)e->weight * code;
    m->acc[0] = sums->acc[slot];
    return check_sum(m, 0, err);
}

static lac_status drain_vector(machine *m, const lac_channel_record *headers, const int64_t *sums,
                               lac_error *err) {
    const lac_layer_record *r = &m->reader.layer;
    memset(m->acc, 0, sizeof m->acc);
    for (int o = 0; o < r->N_OUT; o++) {
        if (headers[o].S < 1)
            LAC_FAIL(err, LAC_E_DEVICE, "step %d, channel %d: shift %d", r->ID, o, headers[o].S);
        m->acc[0] = sums[o];
        if (r->RAW)
            LAC_TRY(drain_raw(m, &headers[o], err));
        else
            LAC_TRY(drain_codes(m, &headers[o], true, true, r->OUT_BASE + o * r->OUT_CHANNEL_WORDS, err));
    }
    return LAC_OK;
}

static lac_status run_vector(machine *m, lac_arena *arena, lac_error *err) {
    int n_out = m->reader.layer.N_OUT, n_headers = 0, n_slots = lac_entry_slots(m->reader.layer.ENTRY_BITS);
    lac_channel_record *headers = LAC_NEW_ARRAY(arena, lac_channel_record, n_out);
    vector_sums sums = {.done = LAC_NEW_ARRAY(arena, int64_t, n_out)};
    lac_vector_piece piece;
    for (;;) {
        LAC_TRY(lac_program_next_piece(&m->reader, &piece, err));
        if (piece.kind == LAC_PIECE_END) return drain_vector(m, headers, sums.done, err);
        if (piece.kind == LAC_PIECE_HEADER) headers[n_headers++] = piece.header;
        for (int k = 0; piece.kind == LAC_PIECE_WORD && k < n_slots; k++)
            LAC_TRY(vector_entry(m, &sums, k, &piece.entries[k], err));
    }
}

// ---- loops ---------------------------------------------------------------------------------------------

typedef struct window_place {
    int oy, ox, wy, wx;
} window_place;

static lac_status run_pixel(machine *m, const lac_channel_record *c, int channel, window_place w,
                            lac_error *err) {
    const lac_layer_record *r = &m->reader.layer;
    int row = (w.oy * r->POOL_STRIDE_Y + w.wy) * r->STRIDE_Y,
        col = (w.ox * r->POOL_STRIDE_X + w.wx) * r->STRIDE_X;
    memset(m->acc, 0, sizeof m->acc);
    if (r->SCALE && m->n_list) LAC_TRY(load_factors(m, &m->list[0], channel, row, col, err));
    for (int i = r->SCALE ? 1 : 0; i < m->n_list; i++) LAC_TRY(accumulate(m, &m->list[i], row, col, err));
    if (r->REDUCE) reduce(m);
    if (r->RAW) return drain_raw(m, c, err);
    bool first = w.wy == 0 && w.wx == 0, last = w.wy == r->POOL_H - 1 && w.wx == r->POOL_W - 1;
    int address = r->OUT_BASE + channel * r->OUT_CHANNEL_WORDS + w.oy * r->OUT_TILE_W + w.ox;
    return drain_codes(m, c, first, last, address, err);
}

static lac_status run_channel(machine *m, int channel, lac_error *err) {
    const lac_layer_record *r = &m->reader.layer;
    lac_channel_record c;
    LAC_TRY(lac_program_next_channel(&m->reader, &c, err));
    if (c.S < 1) LAC_FAIL(err, LAC_E_DEVICE, "step %d, channel %d: shift %d", r->ID, channel, c.S);
    if (c.NEXT_GROUP) m->group_base += (r->ORDER == LAC_ORDER_CHANNELS ? r->MINOR : 1) * r->IN_CHANNEL_WORDS;
    LAC_TRY(read_list(m, err));
    bool once = r->STREAMED || lac_record_visits(r) == 1;
    if (!once && m->n_list > m->model->engine.list_words)
        LAC_FAIL(err, LAC_E_DEVICE, "step %d, channel %d: %d entries, the engine holds %d", r->ID, channel,
                 m->n_list, m->model->engine.list_words);
    window_place w;
    for (w.oy = 0; w.oy < r->OUT_TILE_H; w.oy++)
        for (w.ox = 0; w.ox < r->OUT_TILE_W; w.ox++)
            for (w.wy = 0; w.wy < r->POOL_H; w.wy++)
                for (w.wx = 0; w.wx < r->POOL_W; w.wx++) LAC_TRY(run_pixel(m, &c, channel, w, err));
    return LAC_OK;
}

static lac_status split_mesh(machine *m, lac_error *err) {
    const lac_layer_record *r = &m->reader.layer;
    const lac_engine_config *e = &m->model->engine;
    m->rows = e->mesh_y >> r->SPLIT_Y;
    m->cols = e->mesh_x >> r->SPLIT_X;
    bool split = r->SPLIT_Y || r->SPLIT_X;
    if (m->rows << r->SPLIT_Y != e->mesh_y || m->cols << r->SPLIT_X != e->mesh_x ||
        r->SPLIT_Y + r->SPLIT_X > 3 || (split && (r->SPLIT_X ? m->cols : m->rows * m->cols) % e->drain != 0))
        LAC_FAIL(err, LAC_E_DEVICE, "step %d cuts a %dx%d mesh with DRAIN %d into 2^%d x 2^%d images", r->ID,
                 e->mesh_x, e->mesh_y, e->drain, r->SPLIT_X, r->SPLIT_Y);
    return LAC_OK;
}

static lac_status run_layer(machine *m, lac_error *err) {
    if (m->reader.layer.ORDER == LAC_ORDER_VECTOR) {
        lac_arena *arena = lac_arena_open();
        if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "engine model: out of memory");
        lac_status status = run_vector(m, arena, err);
        lac_arena_close(arena);
        return status;
    }
    for (int o = 0; o < m->reader.layer.N_OUT; o++) LAC_TRY(run_channel(m, o, err));
    return LAC_OK;
}

static lac_status run_program(machine *m, lac_error *err) {
    for (;;) {
        bool end;
        LAC_TRY(lac_program_next_layer(&m->reader, &end, err));
        if (end) return LAC_OK;
        m->group_base = 0;
        LAC_TRY(split_mesh(m, err));
        LAC_TRY(run_layer(m, err));
        if (m->watch && m->watch->step_done) m->watch->step_done(m->watch->ctx, m->reader.layer.ID);
    }
}

lac_status lac_stream_model_run(lac_stream_model *model, const uint64_t *program, size_t n_words,
                                int32_t *out, size_t n_out, const lac_stream_watch *watch, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "engine model: out of memory");
    machine *m = LAC_NEW(scratch, machine);
    *m = (machine){.model = model, .scratch = scratch, .watch = watch, .out = out, .n_out = n_out};
    m->reader = lac_program_read(&model->engine, program, n_words);
    m->lanes = lac_engine_lanes(&model->engine);
    lac_status status = run_program(m, err);
    size_t n_sent = m->n_sent;
    lac_arena_close(scratch);
    if (status != LAC_OK) return status;
    if (n_sent != n_out) LAC_FAIL(err, LAC_E_DEVICE, "the program sent %zu results, not %zu", n_sent, n_out);
    return LAC_OK;
}
