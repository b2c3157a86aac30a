#include "cosim_net.h"

#include "arena.h"
#include "lac_num.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int below(cosim_net *net, int n) {
    return (int)lac_rng_below(&net->rng, (uint32_t)n);
}
static int between(cosim_net *net, int low, int high) {
    return low + below(net, high - low + 1);
}
static bool chance(cosim_net *net, int percent) {
    return below(net, 100) < percent;
}

static int code_of(const cosim_net *net, int bits, bool is_signed) {
    int sign = is_signed << (net->engine.act_bits - 1);
    return ((bits & ((1 << net->engine.act_bits) - 1)) ^ sign) - sign;
}

int cosim_code(cosim_net *net, bool is_signed) {
    return code_of(net, below(net, 256), is_signed) & 255;
}

static int tile_words(const cosim_tensor *t) {
    return t->tile_h * t->tile_w;
}

void cosim_net_start(cosim_net *net, const lac_sim_config *engine, uint64_t seed, lac_arena *arena) {
    memset(net, 0, sizeof *net);
    net->engine = *engine;
    net->n_lanes = engine->mesh_x * engine->mesh_y;
    net->rows = engine->mesh_y;
    net->cols = engine->mesh_x;
    net->arena = arena;
    net->rng = lac_rng_make(seed, 1);
    size_t n = (size_t)engine->act_words * (size_t)net->n_lanes;
    net->expected = LAC_NEW_ARRAY(arena, int16_t, n);
    for (size_t i = 0; i < n; i++) net->expected[i] = NOT_WRITTEN;
}

static bool fits(const cosim_net *net, int c, int tile) {
    return net->n_tensors < MAX_TENSORS && net->next_word + c * tile <= net->engine.act_words && tile < 4096;
}

static int add_tensor(cosim_net *net, cosim_tensor t) {
    t.base = net->next_word;
    net->next_word += t.c * tile_words(&t);
    t.codes = LAC_NEW_ARRAY(net->arena, uint8_t, t.c * net->n_lanes * tile_words(&t));
    net->tensors[net->n_tensors] = t;
    return net->n_tensors++;
}

static int round_up(int n, int multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

int cosim_net_input(cosim_net *net, int c, int h, int w, int tile_multiple, bool is_signed) {
    cosim_tensor t = {.c = c, .h = h, .w = w, .is_signed = is_signed};
    t.tile_h = round_up((h + net->rows - 1) / net->rows, tile_multiple);
    t.tile_w = round_up((w + net->cols - 1) / net->cols, tile_multiple);
    assert(fits(net, c, tile_words(&t)));
    int index = add_tensor(net, t);
    // Lanes outside the map hold codes too: nothing may depend on them.
    for (int i = 0; i < c * net->n_lanes * tile_words(&t); i++)
        net->tensors[index].codes[i] = (uint8_t)cosim_code(net, is_signed);
    return index;
}

/// Code of a pixel of a lane's tile, or of a neighbour's where row or column leave it; the pad code outside
/// the map.
static int read_code(const cosim_net *net, const cosim_tensor *t, int c, int lane, int row, int col,
                     int pad) {
    int mesh_y = lane / net->engine.mesh_x, mesh_x = lane % net->engine.mesh_x;
    int y = mesh_y % net->rows * t->tile_h + row, x = mesh_x % net->cols * t->tile_w + col;
    int code = pad;
    if (0 <= y && y < t->h && 0 <= x && x < t->w) {
        int owner_y = mesh_y / net->rows * net->rows + y / t->tile_h;
        int owner_x = mesh_x / net->cols * net->cols + x / t->tile_w;
        int owner = owner_y * net->engine.mesh_x + owner_x;
        int place = y % t->tile_h * t->tile_w + x % t->tile_w;
        code = t->codes[(c * net->n_lanes + owner) * tile_words(t) + place];
    }
    return code_of(net, code, t->is_signed);
}

static int64_t accumulate(const cosim_net *net, const cosim_layer *l, int o, int lane, int row, int col) {
    const cosim_tensor *in = &net->tensors[l->in];
    int64_t acc = 0;
    if (l->kind == COSIM_FULLY) {
        for (int i = 0; i < l->n_major; i++) {
            int own =
                lane / net->engine.mesh_x % net->rows * net->cols + lane % net->engine.mesh_x % net->cols;
            int place = i % tile_words(in),
                w = l->weights[(o * l->n_major + i) * net->rows * net->cols + own];
            if (w == 0) continue;
            acc +=
                w * read_code(net, in, i / tile_words(in), lane, place / in->tile_w, place % in->tile_w, 0);
        }
        return acc;
    }
    int group_channels = in->c / l->groups, group = o / (l->c_out / l->groups);
    for (int i = 0; i < group_channels; i++) {
        for (int t = 0; t < l->n_taps; t++) {
            const cosim_tap *tap = &l->taps[t];
            acc += l->weights[(o * group_channels + i) * l->n_taps + t] *
                   read_code(net, &net->tensors[tap->tensor], group * group_channels + i, lane, row + tap->dy,
                             col + tap->dx, l->pad_code);
        }
    }
    return acc;
}

/// The first lane of the image that a lane belongs to.
static int first_lane(const cosim_net *net, int lane) {
    int y = lane / net->engine.mesh_x, x = lane % net->engine.mesh_x;
    return y / net->rows * net->rows * net->engine.mesh_x + x / net->cols * net->cols;
}

/// Accumulator of a lane, or the sum of all of its image, whose first lane it is; the test's own networks
/// must not overflow it.
static int32_t pixel_acc(const cosim_net *net, const cosim_layer *l, int o, int lane, int row, int col) {
    int64_t limit = (int64_t)1 << (net->engine.acc_bits - 1), sum = 0;
    for (int p = 0; p < net->n_lanes; p++) {
        if (l->reduce ? first_lane(net, p) != lane : p != lane) continue;
        int64_t acc = accumulate(net, l, o, p, row, col);
        if (acc < -limit || acc >= limit) abort();
        sum += acc;
    }
    return (int32_t)sum;
}

static int pooled_code(const cosim_net *net, const cosim_layer *l, int o, int lane, int oy, int ox) {
    int best = 0;
    for (int wy = 0; wy < l->pool_h; wy++) {
        for (int wx = 0; wx < l->pool_w; wx++) {
            int row = (oy * l->pool_stride_y + wy) * l->stride_y,
                col = (ox * l->pool_stride_x + wx) * l->stride_x;
            int code = lac_requantize(pixel_acc(net, l, o, lane, row, col), l->bias[o], l->m[o], l->s[o],
                                      (int16_t)l->lo, (int16_t)l->hi, (int16_t)l->zero);
            if ((wy == 0 && wx == 0) || code > best) best = code;
        }
    }
    return best;
}

static void send_raw(cosim_net *net, const cosim_layer *l, int o, int oy, int ox) {
    for (int w = 0; w < l->pool_h * l->pool_w; w++) {
        int row = (oy * l->pool_stride_y + w / l->pool_w) * l->stride_y;
        int col = (ox * l->pool_stride_x + w % l->pool_w) * l->stride_x;
        for (int lane = 0; lane < net->n_lanes; lane++) {
            if (l->reduce && first_lane(net, lane) != lane) continue;
            net->raw[net->n_raw++] = pixel_acc(net, l, o, lane, row, col) + l->bias[o];
        }
    }
}

static void write_codes(cosim_net *net, const cosim_layer *l, int o, int oy, int ox) {
    cosim_tensor *out = &net->tensors[l->out];
    int place = oy * l->out_tile_w + ox;
    for (int lane = 0; lane < net->n_lanes; lane++) {
        if (l->reduce && first_lane(net, lane) != lane) continue;
        uint8_t code = (uint8_t)pooled_code(net, l, o, lane, oy, ox);
        out->codes[(o * net->n_lanes + lane) * tile_words(out) + place] = code;
        net->expected[(out->base + o * tile_words(out) + place) * net->n_lanes + lane] = code;
    }
}

static void run_layer(cosim_net *net, cosim_layer *l) {
    if (l->raw) {
        size_t more =
            (size_t)(l->c_out * l->out_tile_h * l->out_tile_w * l->pool_h * l->pool_w * net->n_lanes);
        int32_t *raw = LAC_NEW_ARRAY(net->arena, int32_t, net->n_raw + more);
        if (net->n_raw) memcpy(raw, net->raw, net->n_raw * sizeof *raw);
        net->raw = raw;
    }
    for (int o = 0; o < l->c_out; o++) {
        for (int oy = 0; oy < l->out_tile_h; oy++) {
            for (int ox = 0; ox < l->out_tile_w; ox++) {
                if (l->raw)
                    send_raw(net, l, o, oy, ox);
                else
                    write_codes(net, l, o, oy, ox);
            }
        }
    }
}

int cosim_digit(int weight, int plane) {
    int bits = weight * 2 >> 2 * plane & 7; // the plane's two bits and the one below
    return (bits >> 1 & 1) + (bits & 1) - 2 * (bits >> 2);
}

int cosim_planes(const int8_t *weights, int n) {
    int planes = 0;
    for (int i = 0; i < n; i++)
        for (int p = planes; p < COSIM_PLANES; p++)
            if (cosim_digit(weights[i], p)) planes = p + 1;
    return planes;
}

/// Digits, and planes without any, of a channel.
static void count_digits(const int8_t *weights, int n, uint64_t *n_digits, uint64_t *n_nulls) {
    *n_digits = *n_nulls = 0;
    for (int p = 0; p < cosim_planes(weights, n); p++) {
        uint64_t here = 0;
        for (int i = 0; i < n; i++) here += cosim_digit(weights[i], p) != 0;
        *n_digits += here;
        *n_nulls += here == 0;
    }
}

static void count_entries(const cosim_net *net, cosim_layer *l) {
    int per_channel = l->kind == COSIM_FULLY ? l->n_major * net->rows * net->cols
                                             : net->tensors[l->in].c / l->groups * l->n_taps;
    l->n_entries = l->n_nulls = l->n_empty = 0;
    l->min_entries = UINT64_MAX;
    for (int o = 0; o < l->c_out; o++) {
        const int8_t *weights = &l->weights[o * per_channel];
        uint64_t n = 0, n_nulls = 0;
        for (int i = 0; i < per_channel; i++) n += weights[i] != 0;
        if (net->engine.lane == 1) count_digits(weights, per_channel, &n, &n_nulls);
        l->n_entries += n;
        l->n_nulls += n_nulls;
        l->n_empty += n == 0;
        if (n < l->min_entries) l->min_entries = n;
    }
    l->n_pixels = (uint64_t)(l->out_tile_h * l->out_tile_w * l->pool_h * l->pool_w);
}

void cosim_net_run(cosim_net *net) {
    for (int i = 0; i < net->n_layers; i++) {
        count_entries(net, &net->layers[i]);
        run_layer(net, &net->layers[i]);
    }
}

/// Entries of 4, 8 or 16 bits with weights of weight_bits; density in percent, with some channels left empty.
static void random_weights(cosim_net *net, cosim_layer *l, int per_channel, int density) {
    int limit = 1 << (l->weight_bits - 1);
    l->weights = LAC_NEW_ARRAY(net->arena, int8_t, l->c_out * per_channel);
    for (int o = 0; o < l->c_out; o++) {
        bool empty = density < 100 && chance(net, 10);
        for (int i = 0; i < per_channel && !empty; i++) {
            int w = between(net, -limit, limit - 1);
            if (w == 0) w = 1;
            if (chance(net, density)) l->weights[o * per_channel + i] = (int8_t)w;
        }
    }
}

static void random_requantization(cosim_net *net, cosim_layer *l) {
    l->out_signed = chance(net, 50);
    int span = 1 << net->engine.act_bits, low = l->out_signed ? -span / 2 : 0, high = low + span - 1;
    l->zero = l->out_signed ? between(net, -span / 12, span / 12) : between(net, 0, span / 6);
    l->lo = low - l->zero + between(net, 0, span / 12);
    l->hi = high - l->zero - between(net, 0, span / 12);
    for (int o = 0; o < l->c_out; o++) {
        l->bias[o] = between(net, -3000, 3000);
        l->m[o] = (uint16_t)between(net, chance(net, 80) ? 32768 : 0, 65535);
        l->s[o] = (uint8_t)(chance(net, 85) ? between(net, 14, 25) : between(net, 1, 46));
    }
}

/// The accumulator's bound from the widest codes and weights.
static bool may_overflow(const cosim_net *net, int n_terms, int weight_bits) {
    int spread = net->engine.lane == 1 ? 2 : 1; // digits reach further on their way
    return ((int64_t)n_terms * ((1 << net->engine.act_bits) - 1) * spread << (weight_bits - 1)) >=
           (int64_t)1 << (net->engine.acc_bits - 1);
}

/// Every tap must stay within one tile of its own, for every pixel that is visited.
static bool taps_reach(const cosim_layer *l, const cosim_tensor *in) {
    int last_row = ((l->out_tile_h - 1) * l->pool_stride_y + l->pool_h - 1) * l->stride_y;
    int last_col = ((l->out_tile_w - 1) * l->pool_stride_x + l->pool_w - 1) * l->stride_x;
    for (int t = 0; t < l->n_taps; t++) {
        const cosim_tap *tap = &l->taps[t];
        if (tap->dy < -in->tile_h || last_row + tap->dy >= 2 * in->tile_h) return false;
        if (tap->dx < -in->tile_w || last_col + tap->dx >= 2 * in->tile_w) return false;
    }
    return true;
}

/// Completes a layer: format, numbers, output; takes it back when it does not fit.
static cosim_layer *finish(cosim_net *net, cosim_layer l, int per_channel, int density) {
    const cosim_tensor *in = &net->tensors[l.in];
    int h = l.reduce ? 1 : in->h / (l.stride_y * l.pool_stride_y);
    int w = l.reduce ? 1 : in->w / (l.stride_x * l.pool_stride_x);
    if (net->n_layers == MAX_LAYERS || l.c_out > MAX_COUT || l.n_taps > MAX_TAPS || h < 1 || w < 1)
        return NULL;
    if (!taps_reach(&l, in) || may_overflow(net, per_channel, l.weight_bits)) return NULL;
    int longest = net->engine.lane == 1 ? COSIM_PLANES * per_channel : per_channel;
    int visits = l.out_tile_h * l.out_tile_w * l.pool_h * l.pool_w;
    bool may_stream = l.order != 3 && visits > 1 && visits <= 512;
    l.streamed = may_stream && (longest > net->engine.list_words || chance(net, net->streamed_percent));
    if (visits > 1 && !l.streamed && longest > net->engine.list_words) return NULL;
    if (!l.raw && !fits(net, l.c_out, l.out_tile_h * l.out_tile_w)) return NULL;
    random_weights(net, &l, per_channel, density);
    random_requantization(net, &l);
    l.out = -1;
    if (!l.raw) {
        cosim_tensor out = {.c = l.c_out, .h = h, .w = w, .tile_h = l.out_tile_h, .tile_w = l.out_tile_w};
        out.is_signed = l.out_signed;
        l.out = add_tensor(net, out);
    }
    net->layers[net->n_layers] = l;
    return &net->layers[net->n_layers++];
}

cosim_layer *cosim_net_conv(cosim_net *net, const cosim_conv *conv) {
    const cosim_tensor *in = &net->tensors[conv->in];
    cosim_layer l = {.kind = COSIM_CONV, .in = conv->in, .c_out = conv->c_out, .groups = conv->groups};
    l.stride_y = l.stride_x = conv->stride;
    l.pool_h = l.pool_w = l.pool_stride_y = l.pool_stride_x = conv->pool;
    l.order = conv->order;
    l.entry_bits = conv->entry_bits;
    l.weight_bits = conv->weight_bits;
    l.pad_code = conv->order == 3 ? 0 : between(net, 0, 255);
    l.raw = conv->raw;
    l.reduce = conv->reduce || conv->order == 3;
    int step = conv->stride * conv->pool;
    if (in->tile_h % step || in->tile_w % step || conv->kh * conv->kw > MAX_TAPS) return NULL;
    l.out_tile_h = in->tile_h / step;
    l.out_tile_w = in->tile_w / step;
    if (l.reduce && l.out_tile_h * l.out_tile_w != 1) return NULL;
    for (int i = 0; i < conv->kh * conv->kw; i++) {
        l.taps[l.n_taps++] = (cosim_tap){i / conv->kw * conv->dilation - conv->pad,
                                         i % conv->kw * conv->dilation - conv->pad, conv->in};
    }
    return finish(net, l, in->c / conv->groups * l.n_taps, conv->density);
}

static void random_format(cosim_net *net, int *entry_bits, int *weight_bits) {
    *entry_bits = 4 << below(net, 3);
    int most = *entry_bits - 1 < 8 ? *entry_bits - 1 : 8;
    *weight_bits = between(net, 2, most);
}

static int random_density(cosim_net *net) {
    static const int densities[] = {0, 10, 30, 60, 100};
    return densities[below(net, 5)];
}

static void random_conv(cosim_net *net) {
    int in = below(net, net->n_tensors);
    const cosim_tensor *t = &net->tensors[in];
    cosim_conv conv = {.in = in, .c_out = between(net, 1, 6), .groups = 1, .stride = between(net, 1, 2)};
    conv.kh = between(net, 1, 3);
    conv.kw = between(net, 1, 3);
    conv.dilation = between(net, 1, 2);
    conv.pad = between(net, 0, 2);
    conv.pool = chance(net, 30) ? 2 : 1;
    conv.order = below(net, 2);
    conv.density = random_density(net);
    conv.raw = chance(net, 15);
    conv.reduce = t->tile_h * t->tile_w == 1 && chance(net, 50);
    random_format(net, &conv.entry_bits, &conv.weight_bits);
    if (chance(net, 40)) {
        // Groups; in the order of taps the base moves by one channel, so there a group is one channel.
        conv.groups = conv.order == 1 || chance(net, 50) ? t->c : t->c % 2 == 0 ? 2 : 1;
        conv.c_out = conv.groups * between(net, 1, 2);
    }
    cosim_net_conv(net, &conv);
}

/// For the vector unit: from one pixel to one pixel.
static void random_vector(cosim_net *net) {
    int in = below(net, net->n_tensors);
    const cosim_tensor *t = &net->tensors[in];
    if (t->h != 1 || t->w != 1 || t->tile_h != 1 || t->tile_w != 1 || net->split_y || net->split_x) return;
    cosim_conv conv = {.in = in, .groups = 1, .kh = 1, .kw = 1, .stride = 1, .dilation = 1, .pool = 1};
    conv.order = 3;
    conv.c_out = between(net, 1, MAX_COUT);
    conv.density = random_density(net);
    conv.raw = chance(net, 25);
    do random_format(net, &conv.entry_bits, &conv.weight_bits);
    while (64 / conv.entry_bits > net->engine.vector);
    cosim_net_conv(net, &conv);
}

static void random_add(cosim_net *net) {
    int a = below(net, net->n_tensors), b = below(net, net->n_tensors);
    const cosim_tensor *x = &net->tensors[a], *y = &net->tensors[b];
    if (x->c != y->c || x->h != y->h || x->w != y->w || x->tile_h != y->tile_h || x->tile_w != y->tile_w ||
        x->is_signed != y->is_signed)
        return;
    cosim_layer l = {.kind = COSIM_ADD, .in = a, .c_out = x->c, .groups = x->c, .n_taps = 2, .order = 1};
    l.taps[0].tensor = a;
    l.taps[1].tensor = b;
    l.stride_y = l.stride_x = l.pool_h = l.pool_w = l.pool_stride_y = l.pool_stride_x = 1;
    l.out_tile_h = x->tile_h;
    l.out_tile_w = x->tile_w;
    random_format(net, &l.entry_bits, &l.weight_bits);
    finish(net, l, 2, 100);
}

static void random_global_sum(cosim_net *net) {
    int in = below(net, net->n_tensors);
    const cosim_tensor *t = &net->tensors[in];
    cosim_layer l = {
        .kind = COSIM_GLOBAL_SUM, .in = in, .c_out = t->c, .groups = t->c, .order = 1, .reduce = true};
    if (tile_words(t) > MAX_TAPS) return;
    for (int i = 0; i < tile_words(t); i++)
        l.taps[l.n_taps++] = (cosim_tap){i / t->tile_w, i % t->tile_w, in};
    l.stride_y = l.stride_x = l.pool_h = l.pool_w = l.pool_stride_y = l.pool_stride_x = 1;
    l.out_tile_h = l.out_tile_w = 1;
    l.raw = chance(net, 30);
    l.pad_code = chance(net, 70) ? 0 : between(net, 0, 255);
    random_format(net, &l.entry_bits, &l.weight_bits);
    finish(net, l, l.n_taps, 100);
}

static void random_fully(cosim_net *net) {
    int in = below(net, net->n_tensors);
    const cosim_tensor *t = &net->tensors[in];
    cosim_layer l = {.kind = COSIM_FULLY, .in = in, .c_out = between(net, 1, 10), .groups = 1, .n_taps = 1};
    l.taps[0].tensor = in;
    l.order = 2;
    l.reduce = true;
    l.stride_y = l.stride_x = l.pool_h = l.pool_w = l.pool_stride_y = l.pool_stride_x = 1;
    l.out_tile_h = l.out_tile_w = 1;
    l.raw = chance(net, 50);
    l.pad_code = between(net, 0, 255);
    l.n_major = t->c * tile_words(t);
    random_format(net, &l.entry_bits, &l.weight_bits);
    cosim_layer *made = finish(net, l, l.n_major * net->rows * net->cols, random_density(net));
    if (!made) return;
    // A lane that holds no pixel has no weight.
    int lanes = net->rows * net->cols;
    for (int i = 0; i < made->c_out * l.n_major * lanes; i++) {
        int lane = i % lanes, place = i / lanes % l.n_major % tile_words(t);
        int y = lane / net->cols * t->tile_h + place / t->tile_w;
        int x = lane % net->cols * t->tile_w + place % t->tile_w;
        if (y >= t->h || x >= t->w) made->weights[i] = 0;
    }
}

/// Cuts the mesh into equal rectangles, where their width is a multiple of DRAIN.
static void random_split(cosim_net *net) {
    const lac_sim_config *e = &net->engine;
    for (int tries = below(net, 4); tries > 0 && net->split_y + net->split_x < 3; tries--) {
        // Groups of lanes are an image's own: parts of its rows, or, without a cut along x, of all its lanes.
        bool in_rows = net->cols % e->drain == 0;
        bool in_lanes = net->split_x == 0 && net->rows / 2 * net->cols % e->drain == 0;
        if (chance(net, 50) && net->rows % 2 == 0 && (in_rows || in_lanes)) {
            net->rows /= 2;
            net->split_y++;
        } else if (net->cols % (2 * e->drain) == 0) {
            net->cols /= 2;
            net->split_x++;
        }
    }
}

void cosim_net_make(cosim_net *net, const lac_sim_config *engine, uint64_t seed, lac_arena *arena) {
    cosim_net_start(net, engine, seed, arena);
    net->streamed_percent = 25;
    random_split(net);
    int multiple = 1 << below(net, 3);
    if (net->engine.vector && chance(net, 50))
        cosim_net_input(net, between(net, 1, 90), 1, 1, 1, chance(net, 50));
    else
        cosim_net_input(net, between(net, 1, 4), between(net, 1, net->rows * 4),
                        between(net, 1, net->cols * 4), multiple, chance(net, 50));
    int wanted = between(net, 2, MAX_LAYERS);
    for (int tries = 0; tries < 40 && net->n_layers < wanted; tries++) {
        int dice = below(net, 100);
        if (net->engine.vector && chance(net, 60))
            random_vector(net);
        else if (dice < 65)
            random_conv(net);
        else if (dice < 75)
            random_add(net);
        else if (dice < 85)
            random_global_sum(net);
        else
            random_fully(net);
    }
    cosim_net_run(net);
}
