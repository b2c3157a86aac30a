#include "cpu.h"

#include "lac_num.h"
#include "ref.h"

#include <assert.h>
#include <string.h>

// Two arrangements of a sum over taps, a tap being one weight at its place in the padded input:
// - lanes: a vector holds one pixel of LANES output channels; a tap is a vector of weights and one code for
//   all of them. The sums of PIXELS pixels stay in registers over all taps.
// - rows: one output channel; a tap is one weight for all pixels of a row. For depthwise layers and for few
//   weights, where most lanes would multiply by zero.
enum { LANES = 16, PIXELS = 8 };

typedef int32_t lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/// Output channels [first, first + n) and their taps.
typedef struct piece {
    int first, n;
    bool by_lanes; ///< weight [n_taps][LANES]; else n is 1 and weight [n_taps]
    int n_taps;
    uint32_t *offset; ///< of the code in the padded input, from that of pixel 0
    int32_t *weight;
    int32_t bias[LANES]; ///< as in the layer; lanes without a channel hold something harmless
    uint16_t m[LANES];
    uint8_t s[LANES];
} piece;

typedef struct step {
    const lac_int_layer *layer;
    const lac_int_tensor *in, *out;
    int h, w;       ///< of the padded input
    int32_t border; ///< code of padding
    piece *pieces;
    int n_pieces;
} step;

struct lac_cpu {
    const lac_int_graph *graph;
    step *steps; ///< one a layer
    size_t n_scratch;
};

// ---- preparation ------------------------------------------------------------------------------------------

static uint32_t offset_of(const step *s, int c, int ky, int kx) {
    const lac_window *window = &s->layer->window;
    return (uint32_t)((c * s->h + ky * window->dilation[0]) * s->w + kx * window->dilation[1]);
}

/// Weight of output channel o for input channel c; 0 where they are not of one group.
static int32_t weight_of(const step *s, int o, int c, int ky, int kx) {
    const lac_int_layer *layer = s->layer;
    if (layer->kind == LAC_INT_AVG_POOL) return o == c;
    const lac_window *window = &layer->window;
    int in_per_group = s->in->c / window->groups, group = o / (s->out->c / window->groups);
    int i = c - group * in_per_group;
    if (i < 0 || i >= in_per_group) return 0;
    return layer->w[((o * in_per_group + i) * window->kernel[0] + ky) * window->kernel[1] + kx];
}

/// Input channels that outputs [first, first + n) read.
static void channels_of(const step *s, int first, int n, int *begin, int *end) {
    int groups = s->layer->kind == LAC_INT_AVG_POOL ? s->in->c : s->layer->window.groups;
    int in_per_group = s->in->c / groups, out_per_group = s->out->c / groups;
    *begin = first / out_per_group * in_per_group;
    *end = ((first + n - 1) / out_per_group + 1) * in_per_group;
}

/// Lists the taps of a piece, with its arrays; without them counts taps and weights that are not zero.
static void list_taps(const step *s, piece *p, uint64_t *n_nonzero) {
    int begin, end;
    channels_of(s, p->first, p->n, &begin, &end);
    p->n_taps = 0;
    for (int c = begin; c < end; c++)
        for (int ky = 0; ky < s->layer->window.kernel[0]; ky++)
            for (int kx = 0; kx < s->layer->window.kernel[1]; kx++) {
                int32_t w[LANES] = {0}, any = 0;
                for (int l = 0; l < p->n; l++) any |= w[l] = weight_of(s, p->first + l, c, ky, kx);
                for (int l = 0; l < p->n; l++) *n_nonzero += w[l] != 0;
                if (!any) continue;
                if (p->offset) p->offset[p->n_taps] = offset_of(s, c, ky, kx);
                size_t width = p->by_lanes ? LANES : 1;
                if (p->offset) memcpy(p->weight + (size_t)p->n_taps * width, w, width * sizeof *w);
                p->n_taps++;
            }
}

static piece make_piece(const step *s, int first, int n, bool by_lanes, lac_arena *arena) {
    const lac_int_layer *layer = s->layer;
    piece p = {.first = first, .n = n, .by_lanes = by_lanes};
    uint64_t n_nonzero = 0;
    list_taps(s, &p, &n_nonzero);
    p.offset = LAC_NEW_ARRAY(arena, uint32_t, p.n_taps + 1);
    p.weight = LAC_NEW_ARRAY(arena, int32_t, (size_t)p.n_taps * (by_lanes ? LANES : 1) + 1);
    list_taps(s, &p, &n_nonzero);
    for (int l = 0; l < LANES; l++) {
        int o = l < n ? first + l : first;
        p.bias[l] = layer->bias[o];
        if (!layer->raw) p.m[l] = layer->m[o], p.s[l] = layer->s[o];
    }
    return p;
}

/// A row costs a load and a store of the sums for each tap.
static bool lanes_are_cheaper(const step *s, int first, int n) {
    enum { ROW_COST = 3 };
    piece p = {.first = first, .n = n};
    uint64_t n_nonzero = 0;
    list_taps(s, &p, &n_nonzero);
    uint64_t vectors = ((uint64_t)s->out->w + LANES - 1) / LANES;
    return (uint64_t)p.n_taps * (uint64_t)s->out->w <= ROW_COST * vectors * n_nonzero;
}

static void make_pieces(step *s, lac_arena *arena) {
    s->pieces = LAC_NEW_ARRAY(arena, piece, s->out->c);
    for (int first = 0; first < s->out->c; first += LANES) {
        int n = s->out->c - first < LANES ? s->out->c - first : LANES;
        if (lanes_are_cheaper(s, first, n)) {
            s->pieces[s->n_pieces++] = make_piece(s, first, n, true, arena);
            continue;
        }
        for (int o = first; o < first + n; o++) s->pieces[s->n_pieces++] = make_piece(s, o, 1, false, arena);
    }
}

static void prepare_step(lac_cpu *cpu, step *s, const lac_int_layer *layer, lac_arena *arena) {
    const lac_int_graph *graph = cpu->graph;
    *s = (step){.layer = layer, .in = &graph->tensors[layer->in[0]], .out = &graph->tensors[layer->out]};
    if (!lac_int_kind_has_window(layer->kind)) return;
    const lac_window *window = &layer->window;
    bool takes_max = layer->kind == LAC_INT_MAX_POOL;
    s->h = s->in->h + window->pad[0] + window->pad[2];
    s->w = s->in->w + window->pad[1] + window->pad[3];
    s->border = takes_max ? lac_code_min(s->in->type.bits, s->in->type.is_signed) : s->in->type.zero;
    size_t n = (size_t)s->in->c * (size_t)s->h * (size_t)s->w;
    if (n > cpu->n_scratch) cpu->n_scratch = n;
    if (!takes_max) make_pieces(s, arena);
}

const lac_cpu *lac_cpu_prepare(const lac_int_graph *graph, lac_arena *arena) {
    lac_cpu *cpu = LAC_NEW(arena, lac_cpu);
    cpu->graph = graph;
    cpu->steps = LAC_NEW_ARRAY(arena, step, graph->n_layers);
    for (int l = 0; l < graph->n_layers; l++) prepare_step(cpu, &cpu->steps[l], &graph->layers[l], arena);
    return cpu;
}

size_t lac_cpu_scratch_count(const lac_cpu *cpu) {
    return cpu->n_scratch;
}

// ---- results ----------------------------------------------------------------------------------------------

static void finish_row(const step *s, const piece *p, int n, const int32_t *sums, int32_t *values) {
    const lac_int_layer *layer = s->layer;
    const int32_t bias = p->bias[0];
    const uint16_t m = p->m[0];
    const uint8_t shift = p->s[0];
    const int16_t lo = (int16_t)layer->lo, hi = (int16_t)layer->hi, zero = (int16_t)s->out->type.zero;
    if (layer->raw)
        for (int i = 0; i < n; i++) values[i] = sums[i] + bias;
    else
        for (int i = 0; i < n; i++) values[i] = lac_requantize(sums[i], bias, m, shift, lo, hi, zero);
}

/// One pixel of all lanes.
static void finish_lanes(const step *s, const piece *p, const int32_t *sums, int32_t *values) {
    const lac_int_layer *layer = s->layer;
    const int16_t lo = (int16_t)layer->lo, hi = (int16_t)layer->hi, zero = (int16_t)s->out->type.zero;
    if (layer->raw)
        for (int l = 0; l < LANES; l++) values[l] = sums[l] + p->bias[l];
    else
        for (int l = 0; l < LANES; l++)
            values[l] = lac_requantize(sums[l], p->bias[l], p->m[l], p->s[l], lo, hi, zero);
}

// ---- lanes ------------------------------------------------------------------------------------------------

/// Sums and results of n_pixels pixels of a row, a constant where this is inlined: then sums are registers.
static inline __attribute__((always_inline)) void
run_tile(const step *s, const piece *p, const int32_t *codes, int n_pixels, int32_t *values) {
    const int stride = s->layer->window.stride[1], map = s->out->h * s->out->w;
    lanes sum[PIXELS] = {{0}};
    int32_t done[PIXELS][LANES];
    for (int t = 0; t < p->n_taps; t++) {
        const lanes weight = *(const lanes *)(p->weight + (size_t)t * LANES);
        const int32_t *at = codes + p->offset[t];
        for (int i = 0; i < n_pixels; i++) sum[i] += weight * at[i * stride];
    }
    for (int i = 0; i < n_pixels; i++) {
        int32_t sums[LANES];
        memcpy(sums, &sum[i], sizeof sums);
        finish_lanes(s, p, sums, done[i]);
    }
    for (int l = 0; l < p->n; l++)
        for (int i = 0; i < n_pixels; i++)
            values[(size_t)(p->first + l) * (size_t)map + (size_t)i] = done[i][l];
}

static void run_8(const step *s, const piece *p, const int32_t *codes, int32_t *values) {
    run_tile(s, p, codes, 8, values);
}

static void run_4(const step *s, const piece *p, const int32_t *codes, int32_t *values) {
    run_tile(s, p, codes, 4, values);
}

static void run_1(const step *s, const piece *p, const int32_t *codes, int32_t *values) {
    run_tile(s, p, codes, 1, values);
}

/// The last tile of a row moves back where it would reach too far: some pixels are then computed twice.
static void run_lanes(const step *s, const piece *p, const int32_t *codes, int32_t *values) {
    int w = s->out->w, size = w >= 8 ? 8 : w >= 4 ? 4 : 1;
    const int *stride = s->layer->window.stride;
    for (int y = 0; y < s->out->h; y++)
        for (int x = 0; x < w; x += size) {
            int begin = x + size <= w ? x : w - size;
            const int32_t *from = codes + y * stride[0] * s->w + begin * stride[1];
            (size == 8 ? run_8 : size == 4 ? run_4 : run_1)(s, p, from, values + y * w + begin);
        }
}

// ---- rows -------------------------------------------------------------------------------------------------

static void add_row(int32_t *restrict sums, const int32_t *restrict codes, int n, int stride,
                    int32_t weight) {
    if (stride == 1)
        for (int i = 0; i < n; i++) sums[i] += weight * codes[i];
    else
        for (int i = 0; i < n; i++) sums[i] += weight * codes[i * stride];
}

static void run_rows(const step *s, const piece *p, const int32_t *codes, int32_t *values) {
    enum { SPAN = 256 };
    int32_t sums[SPAN];
    int w = s->out->w;
    const int *stride = s->layer->window.stride;
    values += (size_t)p->first * (size_t)(s->out->h * w);
    for (int y = 0; y < s->out->h; y++)
        for (int x = 0; x < w; x += SPAN) {
            int n = w - x < SPAN ? w - x : SPAN;
            const int32_t *from = codes + y * stride[0] * s->w + x * stride[1];
            memset(sums, 0, (size_t)n * sizeof *sums);
            for (int t = 0; t < p->n_taps; t++)
                add_row(sums, from + p->offset[t], n, stride[1], p->weight[t]);
            finish_row(s, p, n, sums, values + y * w + x);
        }
}

// ---- layers -----------------------------------------------------------------------------------------------

/// The input with its border around it: itself where it has none.
static const int32_t *padded(const step *s, const int32_t *codes, int32_t *scratch) {
    const lac_window *window = &s->layer->window;
    if (s->h == s->in->h && s->w == s->in->w) return codes;
    size_t n = (size_t)s->in->c * (size_t)s->h * (size_t)s->w;
    for (size_t i = 0; i < n; i++) scratch[i] = s->border;
    for (int c = 0; c < s->in->c; c++)
        for (int y = 0; y < s->in->h; y++) {
            size_t row = (size_t)c * (size_t)s->h + (size_t)(y + window->pad[0]);
            memcpy(scratch + row * (size_t)s->w + window->pad[1], codes, (size_t)s->in->w * sizeof *codes);
            codes += s->in->w;
        }
    return scratch;
}

static void run_sums(const step *s, const int32_t *codes, int32_t *values) {
    for (int i = 0; i < s->n_pieces; i++)
        (s->pieces[i].by_lanes ? run_lanes : run_rows)(s, &s->pieces[i], codes, values);
}

static void keep_larger(int32_t *restrict most, const int32_t *restrict codes, int n, int stride) {
    for (int i = 0; i < n; i++) most[i] = codes[i * stride] > most[i] ? codes[i * stride] : most[i];
}

static void max_pool(const step *s, const int32_t *codes, int32_t *values) {
    const lac_window *window = &s->layer->window;
    for (int c = 0; c < s->out->c; c++)
        for (int y = 0; y < s->out->h; y++, values += s->out->w) {
            const int32_t *from = codes + (c * s->h + y * window->stride[0]) * s->w;
            for (int i = 0; i < s->out->w; i++) values[i] = s->border;
            for (int ky = 0; ky < window->kernel[0]; ky++)
                for (int kx = 0; kx < window->kernel[1]; kx++)
                    keep_larger(values, from + offset_of(s, 0, ky, kx), s->out->w, window->stride[1]);
        }
}

static void add(const step *s, const int32_t *x, const int32_t *y, int32_t *values) {
    const lac_int_layer *layer = s->layer;
    int n = s->out->h * s->out->w;
    for (int o = 0; o < s->out->c; o++, x += n, y += n, values += n) {
        piece p = {.bias = {layer->bias[o]}};
        if (!layer->raw) p.m[0] = layer->m[o], p.s[0] = layer->s[o];
        for (int i = 0; i < n; i++) values[i] = layer->add_w[0] * x[i] + layer->add_w[1] * y[i];
        finish_row(s, &p, n, values, values);
    }
}

static void mul(const lac_int_graph *graph, const step *s, const int32_t *x, const int32_t *factors,
                int32_t *values) {
    const lac_int_layer *layer = s->layer;
    int n = s->out->h * s->out->w, zero = graph->tensors[layer->in[1]].type.zero;
    bool of_pixels = lac_int_factors_are_of_pixels(graph, layer);
    for (int o = 0; o < s->out->c; o++, x += n, values += n) {
        piece p = {.bias = {layer->bias[o]}};
        if (!layer->raw) p.m[0] = layer->m[o], p.s[0] = layer->s[o];
        if (of_pixels)
            for (int i = 0; i < n; i++) values[i] = (factors[i] - zero) * x[i];
        else
            for (int i = 0; i < n; i++) values[i] = (factors[o] - zero) * x[i];
        finish_row(s, &p, n, values, values);
    }
}

static void look_up(const step *s, const int32_t *codes, int32_t *values) {
    size_t n = lac_int_tensor_count(s->out);
    bool is_signed = s->out->type.is_signed;
    for (size_t i = 0; i < n; i++) values[i] = lac_table_code(s->layer->table, codes[i], is_signed);
}

static void concat(const lac_int_graph *graph, const lac_int_layer *layer, int32_t *const *values) {
    int32_t *out = values[layer->out];
    for (int i = 0; i < layer->n_in; i++) {
        size_t n = lac_int_tensor_count(&graph->tensors[layer->in[i]]);
        memcpy(out, values[layer->in[i]], n * sizeof *out);
        out += n;
    }
}

static void run_step(const lac_cpu *cpu, const step *s, int32_t *scratch, int32_t *const *values) {
    const lac_int_layer *layer = s->layer;
    const int32_t *in = values[layer->in[0]];
    int32_t *out = values[layer->out];
    switch (layer->kind) {
    case LAC_INT_ADD:
        add(s, in, values[layer->in[1]], out);
        break;
    case LAC_INT_MAX_POOL:
        max_pool(s, padded(s, in, scratch), out);
        break;
    case LAC_INT_CONCAT:
        concat(cpu->graph, layer, values);
        break;
    case LAC_INT_TABLE:
        look_up(s, in, out);
        break;
    case LAC_INT_MUL:
        mul(cpu->graph, s, in, values[layer->in[1]], out);
        break;
    default:
        run_sums(s, padded(s, in, scratch), out);
    }
}

void lac_cpu_run(const lac_cpu *cpu, int32_t *scratch, int32_t *const *values) {
    for (int l = 0; l < cpu->graph->n_layers; l++) run_step(cpu, &cpu->steps[l], scratch, values);
}
