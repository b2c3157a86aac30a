#include "digits.h"
#include "geometry.h"
#include "image_format.h"
#include "program_reader.h"
#include "step_cost.h"

#include "lac_num.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// From the program stream back to dense weights. Nothing here is shared with the encoder but the records: a
// weight is found by where its tap, its address or its lane points to.

/// A weight, or a digit and the number of planes that began before it.
typedef struct weight_at {
    int64_t position;
    int weight, plane;
} weight_at;

typedef struct decoder {
    const lac_image *image;
    lac_step *step;
    lac_int_layer *layer;
    const lac_int_tensor *in, *out; ///< of the layer; a fused pool comes after
    const lac_layout *in_layout;
    lac_program_reader reader;
    lac_mapping mapping;
    int group;
    int channel;                   ///< output channel in hand
    int n_weights, n_planes, room; ///< of it
    weight_at *weights;            ///< in the order of the list, then of positions
    lac_arena *scratch;
} decoder;

#define DECODE_FAIL(d, err, ...)                                                                             \
    do {                                                                                                     \
        (void)lac_fail((err), LAC_E_FORMAT, __VA_ARGS__);                                                    \
        return in_layer((d), (err));                                                                         \
    } while (0)

static lac_status in_layer(const decoder *d, lac_error *err) {
    lac_status status = lac_fail_in(err, LAC_E_FORMAT, d->layer->name);
    return lac_fail_in(err, status, "section " LAC_IMAGE_PROGRAM);
}

// ---- the record must say what the graph says -----------------------------------------------------------

/// The vector unit takes what has one pixel before and after, and all inputs for every output.
static lac_status check_vector(const decoder *d, lac_error *err) {
    const lac_layer_record *r = &d->reader.layer;
    const lac_tap_record *tap = &d->reader.taps[0];
    int rows = lac_vector_rows(r->IN_BASE, d->in->c, lac_entry_slots(r->ENTRY_BITS));
    bool one_pixel = d->in->h == 1 && d->in->w == 1 && d->out->h == 1 && d->out->w == 1;
    if (d->layer->kind != LAC_INT_CONV2D || d->layer->window.groups != 1 || !one_pixel || tap->DY ||
        tap->DX || tap->OFFSET || d->step->pool_layer >= 0)
        DECODE_FAIL(d, err, "lists for the vector unit are for dense convolutions of one pixel");
    if (r->MINOR != rows) DECODE_FAIL(d, err, "the vector unit has %d rows, the input %d", r->MINOR, rows);
    return LAC_OK;
}

static lac_status find_mapping(decoder *d, lac_error *err) {
    lac_mapping by_shape = lac_step_shape_mapping(d->image->graph, d->step->layer);
    bool lanes = d->reader.layer.ORDER == LAC_ORDER_LANES;
    if (lanes && by_shape == LAC_MAP_TILES) DECODE_FAIL(d, err, "lists by lane are for whole maps");
    d->mapping = lanes ? LAC_MAP_LANES : by_shape == LAC_MAP_SUM ? LAC_MAP_SUM : LAC_MAP_TILES;
    return LAC_OK;
}

static void expect_geometry(const decoder *d, const lac_geometry *y, const lac_geometry *x,
                            lac_layer_record *r) {
    const lac_layout *in = d->in_layout, *out = &d->image->layouts[d->step->out_tensor];
    r->IN_TILE_H = in->tile_h;
    r->IN_TILE_W = in->tile_w;
    r->FULL_ROWS = d->in->h / in->tile_h;
    r->REM_ROWS = d->in->h - r->FULL_ROWS * in->tile_h;
    r->FULL_COLS = d->in->w / in->tile_w;
    r->REM_COLS = d->in->w - r->FULL_COLS * in->tile_w;
    r->IN_CHANNEL_WORDS = in->tile_h * in->tile_w;
    r->OUT_CHANNEL_WORDS = out->tile_h * out->tile_w;
    r->OUT_TILE_H = out->tile_h;
    r->OUT_TILE_W = out->tile_w;
    r->STRIDE_Y = y->stride;
    r->STRIDE_X = x->stride;
    r->POOL_H = y->pool;
    r->POOL_W = x->pool;
    r->POOL_STRIDE_Y = y->pool_stride;
    r->POOL_STRIDE_X = x->pool_stride;
    r->IN_BASE = in->base;
    r->OUT_BASE = out->base < 0 ? 0 : out->base;
}

static bool has_table(const decoder *d) {
    return d->layer->kind == LAC_INT_TABLE || d->step->table_layer >= 0;
}

static void expect_results(const decoder *d, lac_layer_record *r) {
    bool identity = lac_int_kind_moves_codes(d->layer->kind);
    lac_code_type type = d->layer->kind == LAC_INT_TABLE ? d->in->type : d->out->type;
    const lac_int_tensor *last = &d->image->graph->tensors[d->step->out_tensor];
    r->N_OUT = d->out->c;
    r->RAW = d->layer->raw;
    r->OUT_SIGNED = !r->RAW && last->type.is_signed;
    r->TABLE = has_table(d);
    r->LO = r->RAW ? 0 : identity ? lac_code_min(type.bits, type.is_signed) : d->layer->lo;
    r->HI = r->RAW ? 0 : identity ? lac_code_max(type.bits, type.is_signed) : d->layer->hi;
    r->ZERO = r->RAW || identity ? 0 : d->out->type.zero;
}

static void expect_input(const decoder *d, lac_layer_record *r) {
    int pad = d->layer->kind == LAC_INT_MAX_POOL ? lac_code_min(d->in->type.bits, d->in->type.is_signed)
                                                 : d->in->type.zero;
    r->ACT_SIGNED = d->in->type.is_signed;
    if (d->layer->kind == LAC_INT_ADD && d->image->graph->tensors[d->layer->in[1]].type.is_signed)
        r->ACT_SIGNED = 1;
    const lac_tap_record *tap = &d->reader.taps[0];
    bool one_pixel = r->RAW && d->in->h == 1 && d->in->w == 1 && r->N_TAPS == 1 && !tap->DY && !tap->DX;
    if (d->mapping != LAC_MAP_TILES || (one_pixel && r->REDUCE) || r->ORDER == LAC_ORDER_VECTOR) {
        r->REDUCE = 1;
        pad = 0;
    } else {
        r->REDUCE = 0;
    }
    r->SCALE = d->layer->kind == LAC_INT_MUL;
    lac_code_type factor = d->image->graph->tensors[d->layer->in[r->SCALE]].type;
    r->SCALE_SIGNED = r->SCALE && factor.is_signed;
    r->SCALE_EACH = r->SCALE && lac_int_factors_are_of_pixels(d->image->graph, d->layer);
    if (r->SCALE) pad = factor.zero;
    r->PAD_CODE = pad & 0xFF;
}

static lac_status check_record(decoder *d, lac_error *err) {
    const lac_layer_record *got = &d->reader.layer;
    lac_plan_step plan_step = {
        .layer = d->step->layer, .pool_layer = d->step->pool_layer, .out_tensor = d->step->out_tensor};
    lac_geometry y, x;
    LAC_TRY(lac_step_geometry(d->image->graph, &plan_step, 0, &y, err));
    LAC_TRY(lac_step_geometry(d->image->graph, &plan_step, 1, &x, err));
    LAC_TRY(find_mapping(d, err));
    if (got->ORDER == LAC_ORDER_VECTOR) LAC_TRY(check_vector(d, err));
    lac_layer_record expected = *got;
    expected.ID = (int32_t)(d->step - d->image->steps);
    expected.SPLIT_Y = d->image->split_y;
    expected.SPLIT_X = d->image->split_x;
    expect_geometry(d, &y, &x, &expected);
    expect_results(d, &expected);
    expect_input(d, &expected);
    int32_t wanted, is;
    const char *field = lac_layer_difference(&expected, got, &wanted, &is);
    if (field) DECODE_FAIL(d, err, "%s is %" PRId32 ", the graph says %" PRId32, field, is, wanted);
    return LAC_OK;
}

// ---- one entry -----------------------------------------------------------------------------------------

static int in_channels_per_group(const decoder *d) {
    return d->layer->kind == LAC_INT_CONV2D ? d->in->c / d->layer->window.groups : 1;
}

/// Kernel row or column that a displacement stands for; -1 when it is none.
static int kernel_index(const lac_window *w, int axis, int displacement) {
    int from_first = displacement + w->pad[axis];
    if (from_first < 0 || from_first % w->dilation[axis]) return -1;
    int k = from_first / w->dilation[axis];
    return k < w->kernel[axis] ? k : -1;
}

static lac_status put_weight(const decoder *d, int c, int ky, int kx, int weight, lac_error *err) {
    const lac_window *w = &d->layer->window;
    if (ky < 0 || kx < 0 || c < 0 || c >= in_channels_per_group(d))
        DECODE_FAIL(d, err, "output channel %d: an entry is for no weight of the kernel", d->channel);
    if (d->layer->kind != LAC_INT_CONV2D) {
        if (weight != 1) DECODE_FAIL(d, err, "output channel %d: weight %d, not 1", d->channel, weight);
        return LAC_OK;
    }
    int at = ((d->channel * in_channels_per_group(d) + c) * w->kernel[0] + ky) * w->kernel[1] + kx;
    d->layer->w[at] = (int8_t)weight;
    return LAC_OK;
}

/// LAC_MAP_LANES: the entry is for the pixel that lane `minor` holds in word `major`.
static lac_status lane_entry(const decoder *d, int64_t position, int weight, lac_error *err) {
    int mesh_x = d->image->engine.mesh_x >> d->image->split_x;
    int lanes = (d->image->engine.mesh_y >> d->image->split_y) * mesh_x;
    const lac_layout *l = d->in_layout;
    if (position >= (int64_t)d->in->c * l->tile_h * l->tile_w * lanes)
        DECODE_FAIL(d, err, "output channel %d: an entry lies behind the input", d->channel);
    int word = (int)(position / lanes), lane = (int)(position % lanes);
    int c = word / (l->tile_h * l->tile_w);
    int y = lane / mesh_x * l->tile_h + word / l->tile_w % l->tile_h;
    int x = lane % mesh_x * l->tile_w + word % l->tile_w;
    if (y >= d->in->h || x >= d->in->w)
        DECODE_FAIL(d, err, "output channel %d: an entry is for pixel (%d,%d), outside the map", d->channel,
                    y, x);
    int groups = d->layer->kind == LAC_INT_CONV2D ? d->layer->window.groups : d->out->c;
    int first = d->channel / (d->out->c / groups) * in_channels_per_group(d);
    return put_weight(d, c - first, kernel_index(&d->layer->window, 0, y),
                      kernel_index(&d->layer->window, 1, x), weight, err);
}

static lac_status sum_entry(const decoder *d, int tap, int c, int weight, lac_error *err) {
    const lac_tap_record *t = &d->reader.taps[tap];
    if (weight != 1 || c != 0 || t->DY != tap / d->in_layout->tile_w || t->DX != tap % d->in_layout->tile_w)
        DECODE_FAIL(d, err, "tap %d at (%d,%d), channel %d, weight %d is no part of a sum over the map", tap,
                    t->DY, t->DX, c, weight);
    return LAC_OK;
}

static lac_status add_entry(const decoder *d, int tap, int c, int weight, lac_error *err) {
    const lac_layout *second = &d->image->layouts[d->layer->in[1]];
    const lac_tap_record *t = &d->reader.taps[tap];
    int offset = tap ? lac_tap_offset(d->in_layout->base, second->base) : 0;
    bool displaced = t->DY || t->DX || t->OFFSET != offset || second->tile_h != d->in_layout->tile_h ||
                     second->tile_w != d->in_layout->tile_w;
    if (tap > 1 || c != 0 || displaced || weight < 1 || (d->channel > 0 && d->layer->add_w[tap] != weight))
        DECODE_FAIL(d, err, "tap %d, channel %d, weight %d is no operand of the sum", tap, c, weight);
    d->layer->add_w[tap] = (int8_t)weight;
    return LAC_OK;
}

/// The factor, and the map that it multiplies.
static lac_status mul_entry(const decoder *d, int tap, int c, int weight, lac_error *err) {
    const lac_layout *factors = &d->image->layouts[d->layer->in[1]];
    const lac_tap_record *t = &d->reader.taps[tap];
    int offset = tap ? 0 : lac_tap_offset(d->in_layout->base, factors->base);
    bool displaced = d->reader.layer.SCALE_EACH &&
                     (factors->tile_h != d->in_layout->tile_h || factors->tile_w != d->in_layout->tile_w);
    if (tap > 1 || c != 0 || displaced || t->DY || t->DX || t->OFFSET != offset || weight < 1)
        DECODE_FAIL(d, err, "tap %d, channel %d, weight %d is no operand of the product", tap, c, weight);
    return LAC_OK;
}

static lac_status decode_entry(const decoder *d, int64_t position, int weight, lac_error *err) {
    const lac_layer_record *r = &d->reader.layer;
    if (d->mapping == LAC_MAP_LANES) return lane_entry(d, position, weight, err);
    int major = (int)(position / r->MINOR), minor = (int)(position % r->MINOR);
    int tap = r->ORDER == LAC_ORDER_TAPS ? minor : major, c = r->ORDER == LAC_ORDER_TAPS ? major : minor;
    if (tap >= r->N_TAPS) DECODE_FAIL(d, err, "output channel %d: tap %d of %d", d->channel, tap, r->N_TAPS);
    const lac_tap_record *t = &d->reader.taps[tap];
    if (d->layer->kind == LAC_INT_ADD) return add_entry(d, tap, c, weight, err);
    if (d->layer->kind == LAC_INT_MUL) return mul_entry(d, tap, c, weight, err);
    if (t->OFFSET) DECODE_FAIL(d, err, "tap %d has an offset of %d words", tap, t->OFFSET);
    if (d->mapping == LAC_MAP_SUM) return sum_entry(d, tap, c, weight, err);
    if (d->layer->kind == LAC_INT_TABLE) return put_weight(d, t->DY || t->DX ? -1 : c, 0, 0, weight, err);
    if (d->layer->kind == LAC_INT_MAX_POOL)
        return t->DY == -d->layer->window.pad[0] && t->DX == -d->layer->window.pad[1]
                   ? put_weight(d, c, 0, 0, weight, err)
                   : put_weight(d, -1, -1, -1, weight, err);
    return put_weight(d, c, kernel_index(&d->layer->window, 0, t->DY),
                      kernel_index(&d->layer->window, 1, t->DX), weight, err);
}

// ---- one channel ---------------------------------------------------------------------------------------

/// Number of entries of a channel of a layer whose weights are not free; -1 for a convolution.
static int entries_expected(const decoder *d) {
    switch (d->layer->kind) {
    case LAC_INT_CONV2D:
        return -1;
    case LAC_INT_ADD:
    case LAC_INT_MUL:
        return 2;
    case LAC_INT_MAX_POOL:
    case LAC_INT_TABLE:
        return 1;
    default:
        return d->mapping == LAC_MAP_SUM ? d->in_layout->tile_h * d->in_layout->tile_w
                                         : d->layer->window.kernel[0] * d->layer->window.kernel[1];
    }
}

static void keep(decoder *d, const lac_program_item *item) {
    if (d->n_weights == d->room) {
        int room = 2 * d->room + 64;
        weight_at *larger = LAC_NEW_ARRAY(d->scratch, weight_at, room);
        if (d->n_weights) memcpy(larger, d->weights, (size_t)d->n_weights * sizeof *larger);
        d->weights = larger;
        d->room = room;
    }
    d->weights[d->n_weights++] = (weight_at){item->position, item->weight, d->n_planes};
}

static lac_status read_list(decoder *d, lac_error *err) {
    lac_program_item item;
    int n_entries = 0;
    d->n_weights = d->n_planes = 0;
    for (;;) {
        lac_status status = lac_program_next_item(&d->reader, &item, err);
        if (status != LAC_OK) return in_layer(d, err);
        if (item.kind == LAC_ITEM_END) break;
        if (item.position > INT32_MAX)
            DECODE_FAIL(d, err, "output channel %d: its list never ends", d->channel);
        d->step->n_skips += item.kind == LAC_ITEM_SKIP;
        d->step->n_entries += item.kind == LAC_ITEM_ENTRY;
        n_entries += item.kind != LAC_ITEM_SKIP;
        d->n_planes += item.times_4;
        if (item.kind == LAC_ITEM_ENTRY) keep(d, &item);
    }
    if (d->n_planes >= LAC_MOST_PLANES)
        DECODE_FAIL(d, err, "output channel %d has %d planes of digits, not at most %d", d->channel,
                    d->n_planes + 1, LAC_MOST_PLANES);
    bool once = d->reader.layer.STREAMED || lac_record_visits(&d->reader.layer) == 1;
    if (n_entries > d->image->engine.list_words && !once)
        DECODE_FAIL(d, err, "output channel %d has %d entries, the engine holds %d", d->channel, n_entries,
                    d->image->engine.list_words);
    return LAC_OK;
}

static int by_position(const void *a, const void *b) {
    const weight_at *x = a, *y = b;
    return x->position < y->position ? -1 : x->position > y->position;
}

/// Adds up the digits of every weight.
static lac_status join_digits(decoder *d, lac_error *err) {
    int n = 0;
    qsort(d->weights, (size_t)d->n_weights, sizeof *d->weights, by_position);
    for (int i = 0; i < d->n_weights; n++) {
        weight_at sum = {.position = d->weights[i].position};
        for (; i < d->n_weights && d->weights[i].position == sum.position; i++)
            sum.weight += d->weights[i].weight * (1 << 2 * (d->n_planes - d->weights[i].plane));
        if (sum.weight < INT8_MIN || sum.weight > INT8_MAX)
            DECODE_FAIL(d, err, "output channel %d: digits of a weight %d, not one of 8 bits", d->channel,
                        sum.weight);
        d->weights[n] = sum;
    }
    d->n_weights = n;
    return LAC_OK;
}

/// A factor's list is the same for all: the factor first, then the map, for DIGIT lanes once a plane.
static lac_status check_factor_list(const decoder *d, lac_error *err) {
    int planes = d->image->engine.lane == LAC_LANE_DIGIT ? LAC_MOST_PLANES : 1;
    bool right = d->n_weights == planes + 1 && d->n_planes == planes - 1;
    for (int i = 0; right && i < d->n_weights; i++)
        right = d->weights[i].position == (i ? 1 : 0) && d->weights[i].weight == 1 &&
                d->weights[i].plane == (i ? i - 1 : 0);
    if (!right) DECODE_FAIL(d, err, "output channel %d: its list is not that of a factor", d->channel);
    return LAC_OK;
}

static lac_status decode_list(decoder *d, lac_error *err) {
    LAC_TRY(read_list(d, err));
    if (d->layer->kind == LAC_INT_MUL) LAC_TRY(check_factor_list(d, err));
    if (d->image->engine.lane == LAC_LANE_DIGIT && d->n_weights) LAC_TRY(join_digits(d, err));
    for (int i = 0; i < d->n_weights; i++)
        LAC_TRY(decode_entry(d, d->weights[i].position, d->weights[i].weight, err));
    int expected = entries_expected(d);
    if (expected >= 0 && d->n_weights != expected)
        DECODE_FAIL(d, err, "output channel %d has %d entries, not %d", d->channel, d->n_weights, expected);
    return LAC_OK;
}

/// Padding that a sum over the map does not read is in the stored bias.
static int32_t padding_in_bias(const decoder *d) {
    if (d->mapping != LAC_MAP_SUM) return 0;
    return d->in->type.zero * (d->layer->window.kernel[0] * d->layer->window.kernel[1] - d->in->h * d->in->w);
}

static lac_status take_header(decoder *d, lac_channel_record header, lac_error *err) {
    int groups = d->layer->kind == LAC_INT_CONV2D ? d->layer->window.groups : d->out->c;
    if (d->mapping == LAC_MAP_LANES) groups = 1;
    d->group += header.NEXT_GROUP;
    if (d->group != d->channel / (d->out->c / groups))
        DECODE_FAIL(d, err, "output channel %d reads group %d of %d", d->channel, d->group, groups);
    if (lac_int_kind_moves_codes(d->layer->kind)) {
        if (header.BIAS != 0 || header.M != LAC_IDENTITY_M || header.S != LAC_IDENTITY_S)
            DECODE_FAIL(d, err, "output channel %d changes codes", d->channel);
        return LAC_OK;
    }
    d->layer->bias[d->channel] = header.BIAS - padding_in_bias(d);
    if (d->layer->raw) return LAC_OK;
    d->layer->m[d->channel] = (uint16_t)header.M;
    d->layer->s[d->channel] = (uint8_t)header.S;
    return LAC_OK;
}

static lac_status decode_channel(decoder *d, lac_error *err) {
    lac_channel_record header;
    lac_status status = lac_program_next_channel(&d->reader, &header, err);
    if (status != LAC_OK) return in_layer(d, err);
    LAC_TRY(take_header(d, header, err));
    return decode_list(d, err);
}

// ---- the vector unit -----------------------------------------------------------------------------------

static lac_status vector_entry(decoder *d, int slot, const lac_vector_entry *entry, lac_error *err) {
    const lac_layer_record *r = &d->reader.layer;
    int n_slots = lac_entry_slots(r->ENTRY_BITS), row = (int)(entry->position % r->MINOR);
    int c = (r->IN_BASE / n_slots + row) * n_slots + slot - r->IN_BASE;
    d->step->n_skips += entry->weight == 0;
    if (entry->weight == 0) return LAC_OK;
    d->step->n_entries++;
    d->channel = (int)(entry->position / r->MINOR);
    return put_weight(d, c, kernel_index(&d->layer->window, 0, 0), kernel_index(&d->layer->window, 1, 0),
                      entry->weight, err);
}

static lac_status decode_vector(decoder *d, lac_error *err) {
    lac_vector_piece piece;
    int n_headers = 0, n_slots = lac_entry_slots(d->reader.layer.ENTRY_BITS);
    for (;;) {
        lac_status status = lac_program_next_piece(&d->reader, &piece, err);
        if (status != LAC_OK) return in_layer(d, err);
        if (piece.kind == LAC_PIECE_END) break;
        d->channel = n_headers;
        if (piece.kind == LAC_PIECE_HEADER) LAC_TRY(take_header(d, piece.header, err));
        n_headers += piece.kind == LAC_PIECE_HEADER;
        for (int k = 0; piece.kind == LAC_PIECE_WORD && k < n_slots; k++)
            LAC_TRY(vector_entry(d, k, &piece.entries[k], err));
    }
    d->step->ideal_cycles = (d->step->n_entries + (uint64_t)n_slots - 1) / (uint64_t)n_slots;
    return LAC_OK;
}

// ---- one step, and all ---------------------------------------------------------------------------------

static lac_status decode_step(decoder *d, lac_error *err) {
    bool end;
    size_t first_word = d->reader.at;
    LAC_TRY(lac_program_next_layer(&d->reader, &end, err));
    if (end) DECODE_FAIL(d, err, "the program ends before this layer");
    LAC_TRY(check_record(d, err));
    d->group = 0;
    lac_int_layer *tabled =
        d->step->table_layer < 0 ? d->layer : &d->image->graph->layers[d->step->table_layer];
    if (has_table(d)) memcpy(tabled->table, d->reader.table, LAC_TABLE_CODES);
    bool is_vector = d->reader.layer.ORDER == LAC_ORDER_VECTOR;
    if (is_vector) LAC_TRY(decode_vector(d, err));
    for (d->channel = 0; !is_vector && d->channel < d->reader.layer.N_OUT; d->channel++)
        LAC_TRY(decode_channel(d, err));
    d->step->entry_bits = lac_entry_bits(d->reader.layer.ENTRY_BITS);
    d->step->weight_bits = d->reader.layer.WEIGHT_BITS;
    d->step->stream_words = d->reader.at - first_word;
    if (!is_vector) d->step->ideal_cycles = d->step->n_entries * lac_record_visits(&d->reader.layer);
    return LAC_OK;
}

static lac_status decode_steps(lac_image *image, lac_arena *scratch, lac_error *err) {
    decoder d = {.image = image,
                 .scratch = scratch,
                 .reader = lac_program_read(&image->engine, image->program, image->n_program)};
    for (int s = 0; s < image->n_steps; s++) {
        d.step = &image->steps[s];
        d.layer = &image->graph->layers[d.step->layer];
        d.in = &image->graph->tensors[d.layer->in[0]];
        d.out = &image->graph->tensors[d.layer->out];
        d.in_layout = &image->layouts[d.layer->in[0]];
        LAC_TRY(decode_step(&d, err));
    }
    bool end;
    LAC_TRY(lac_program_next_layer(&d.reader, &end, err));
    if (!end)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s has more steps than %d", LAC_IMAGE_PROGRAM, image->n_steps);
    return LAC_OK;
}

lac_status lac_image_decode(lac_image *image, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "section %s: out of memory", LAC_IMAGE_PROGRAM);
    lac_status status = decode_steps(image, scratch, err);
    lac_arena_close(scratch);
    return status;
}
