#include "graph_builder.h"

#include "lac_num.h"
#include "ref.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { ROOM = 64 };

builder builder_begin(lac_arena *arena, uint64_t seed) {
    builder b = {.graph = LAC_NEW(arena, lac_int_graph), .rng = lac_rng_make(seed, 77)};
    b.graph->arena = arena;
    b.graph->name = "random";
    b.graph->tensors = LAC_NEW_ARRAY(arena, lac_int_tensor, ROOM);
    b.graph->layers = LAC_NEW_ARRAY(arena, lac_int_layer, ROOM);
    for (int i = 0; i < 4; i++) b.graph->input_std[i] = 1;
    return b;
}

int builder_between(builder *b, int low, int high) {
    return low + (int)lac_rng_below(&b->rng, (uint32_t)(high - low + 1));
}

lac_code_type builder_any_type(builder *b) {
    lac_code_type type = {.bits = builder_between(b, 1, 8), .scale = 0.25};
    type.is_signed = builder_between(b, 0, 1);
    bool symmetric = builder_between(b, 0, 1);
    int low = lac_code_min(type.bits, type.is_signed), high = lac_code_max(type.bits, type.is_signed);
    type.zero = symmetric ? 0 : builder_between(b, low, high);
    return type;
}

lac_code_type builder_factor_type(builder *b) {
    lac_code_type type = builder_any_type(b);
    bool fits = lac_code_min(type.bits, type.is_signed) - type.zero >= INT8_MIN &&
                lac_code_max(type.bits, type.is_signed) - type.zero <= INT8_MAX;
    if (!fits) type.bits = 7, type.zero = 0;
    return type;
}

static int new_tensor(builder *b, int c, int h, int w, lac_code_type type) {
    assert(b->graph->n_tensors < ROOM);
    lac_int_tensor *t = &b->graph->tensors[b->graph->n_tensors];
    *t = (lac_int_tensor){.c = c, .h = h, .w = w, .type = type};
    t->name = lac_arena_printf(b->graph->arena, "tensor%d", b->graph->n_tensors);
    return b->graph->n_tensors++;
}

int builder_input(builder *b, int c, int h, int w, lac_code_type type) {
    return b->graph->input = new_tensor(b, c, h, w, type);
}

static lac_window fill_window(lac_window w) {
    for (int i = 0; i < 2; i++) {
        if (!w.kernel[i]) w.kernel[i] = 1;
        if (!w.stride[i]) w.stride[i] = 1;
        if (!w.dilation[i]) w.dilation[i] = 1;
    }
    if (!w.groups) w.groups = 1;
    return w;
}

static lac_int_layer *new_layer(builder *b, lac_int_kind kind, const int *in, int n_in, const char *name) {
    assert(b->graph->n_layers < ROOM);
    lac_int_layer *layer = &b->graph->layers[b->graph->n_layers];
    *layer = (lac_int_layer){.kind = kind, .n_in = n_in, .name = name};
    if (!name) layer->name = lac_arena_printf(b->graph->arena, "layer%d", b->graph->n_layers);
    layer->in = lac_arena_copy(b->graph->arena, in, (size_t)n_in * sizeof *in);
    b->graph->n_layers++;
    return layer;
}

typedef struct moments {
    double mean, variance;
} moments;

static void add_moments(moments *m, int weight, lac_code_type type) {
    int low = lac_code_min(type.bits, type.is_signed), high = lac_code_max(type.bits, type.is_signed);
    m->mean += 0.5 * weight * (low + high);
    m->variance += (double)weight * weight * (high - low + 1) * (high - low + 1) / 12.0;
}

/// Mean and variance of the sums of a channel when all codes of the input are equally likely.
static moments sum_moments(const lac_int_graph *graph, const lac_int_layer *layer, int o) {
    moments m = {0, 0};
    lac_code_type type = graph->tensors[layer->in[0]].type;
    int taps = layer->window.kernel[0] * layer->window.kernel[1];
    if (layer->kind == LAC_INT_ADD)
        for (int i = 0; i < 2; i++) add_moments(&m, layer->add_w[i], graph->tensors[layer->in[i]].type);
    if (layer->kind == LAC_INT_MUL) {
        lac_code_type factor = graph->tensors[layer->in[1]].type;
        int low = lac_code_min(factor.bits, factor.is_signed) - factor.zero;
        int high = lac_code_max(factor.bits, factor.is_signed) - factor.zero;
        add_moments(&m, low + high > 0 ? (high + 1) / 2 : low / 2, type);
    }
    if (layer->kind == LAC_INT_AVG_POOL)
        for (int i = 0; i < taps; i++) add_moments(&m, 1, type);
    if (layer->kind != LAC_INT_CONV2D) return m;
    int n = graph->tensors[layer->in[0]].c / layer->window.groups * taps;
    for (int i = 0; i < n; i++) add_moments(&m, layer->w[o * n + i], type);
    return m;
}

/// Biases and multipliers that spread the sums over the codes of the output: neither a clamp nor a constant
/// channel shall hide an error.
static void make_requantisation(builder *b, lac_int_layer *layer) {
    lac_arena *arena = b->graph->arena;
    lac_int_tensor *out = &b->graph->tensors[layer->out];
    layer->m = LAC_NEW_ARRAY(arena, uint16_t, out->c);
    layer->s = LAC_NEW_ARRAY(arena, uint8_t, out->c);
    layer->lo = lac_code_min(out->type.bits, out->type.is_signed) - out->type.zero;
    layer->hi = lac_code_max(out->type.bits, out->type.is_signed) - out->type.zero;
    if (layer->lo < 0 && layer->hi > 0 && builder_between(b, 0, 1)) layer->lo = 0; // ReLU
    for (int o = 0; o < out->c; o++) {
        moments sum = sum_moments(b->graph, layer, o);
        double deviation = sqrt(sum.variance) + 1, spread = 1 + layer->hi - layer->lo;
        double middle = 0.5 * (layer->lo + layer->hi) / spread * 3;
        layer->m[o] = (uint16_t)builder_between(b, 0x8000, 0xFFFF);
        int s = 1;
        while (s < 46 && (double)layer->m[o] / (double)((uint64_t)1 << s) > spread / (2 * deviation)) s++;
        layer->s[o] = (uint8_t)s;
        layer->bias[o] = (int32_t)(deviation * (middle + 0.01 * builder_between(b, -50, 50)) - sum.mean);
    }
}

static void make_results(builder *b, lac_int_layer *layer, bool raw) {
    int n = b->graph->tensors[layer->out].c;
    if (!raw) {
        make_requantisation(b, layer);
        return;
    }
    layer->raw = true;
    layer->raw_scale = LAC_NEW_ARRAY(b->graph->arena, double, n);
    for (int o = 0; o < n; o++) {
        layer->raw_scale[o] = 0.001 * builder_between(b, 1, 1000);
        layer->bias[o] += builder_between(b, -1000, 1000);
    }
}

static lac_code_type type_of(const layer_options *options) {
    if (options->raw) return (lac_code_type){.bits = 32, .scale = 1};
    return options->type.bits ? options->type : (lac_code_type){.bits = 4, .scale = 1};
}

static int window_output(builder *b, int in, int out_c, const lac_window *w, lac_code_type type) {
    int h = (int)lac_window_out(w, 0, b->graph->tensors[in].h);
    int x = (int)lac_window_out(w, 1, b->graph->tensors[in].w);
    return new_tensor(b, out_c, h, x, type);
}

static int random_weight(builder *b, int bits, int zero_percent) {
    if (builder_between(b, 0, 99) < zero_percent) return 0;
    if (bits == 1) return builder_between(b, 0, 1) ? 1 : -1;
    int w = builder_between(b, -(1 << (bits - 1)), (1 << (bits - 1)) - 1);
    return w;
}

int builder_conv(builder *b, int in, layer_options options) {
    lac_arena *arena = b->graph->arena;
    lac_int_layer *layer = new_layer(b, LAC_INT_CONV2D, &in, 1, options.name);
    layer->window = fill_window(options.window);
    layer->weight_bits = options.weight_bits ? options.weight_bits : 4;
    layer->out = window_output(b, in, options.out_c, &layer->window, type_of(&options));
    size_t n = lac_int_layer_weights(b->graph, layer, false), per_channel = n / (size_t)options.out_c;
    layer->w = LAC_NEW_ARRAY(arena, int8_t, n);
    layer->bias = LAC_NEW_ARRAY(arena, int32_t, options.out_c);
    for (size_t i = 0; i < n; i++) {
        layer->w[i] = (int8_t)random_weight(b, layer->weight_bits, options.zero_percent);
        layer->bias[i / per_channel] -= b->graph->tensors[in].type.zero * layer->w[i];
    }
    make_results(b, layer, options.raw);
    return layer->out;
}

int builder_avg_pool(builder *b, int in, layer_options options) {
    lac_int_layer *layer = new_layer(b, LAC_INT_AVG_POOL, &in, 1, options.name);
    layer->window = fill_window(options.window);
    int c = b->graph->tensors[in].c;
    layer->out = window_output(b, in, c, &layer->window, type_of(&options));
    layer->bias = LAC_NEW_ARRAY(b->graph->arena, int32_t, c);
    for (int o = 0; o < c; o++)
        layer->bias[o] = -b->graph->tensors[in].type.zero * layer->window.kernel[0] * layer->window.kernel[1];
    make_results(b, layer, options.raw);
    return layer->out;
}

int builder_max_pool(builder *b, int in, lac_window window) {
    lac_int_layer *layer = new_layer(b, LAC_INT_MAX_POOL, &in, 1, NULL);
    layer->window = fill_window(window);
    layer->out = window_output(b, in, b->graph->tensors[in].c, &layer->window, b->graph->tensors[in].type);
    return layer->out;
}

int builder_add(builder *b, int x, int y, lac_code_type type) {
    const int in[2] = {x, y};
    lac_int_layer *layer = new_layer(b, LAC_INT_ADD, in, 2, NULL);
    const lac_int_tensor *a = &b->graph->tensors[x];
    layer->out = new_tensor(b, a->c, a->h, a->w, type);
    layer->bias = LAC_NEW_ARRAY(b->graph->arena, int32_t, b->graph->tensors[x].c);
    for (int i = 0; i < 2; i++) layer->add_w[i] = (int8_t)builder_between(b, 1, 127);
    make_results(b, layer, false);
    return layer->out;
}

int builder_table(builder *b, int in, lac_code_type type) {
    lac_int_layer *layer = new_layer(b, LAC_INT_TABLE, &in, 1, NULL);
    lac_int_tensor from = b->graph->tensors[in];
    layer->out = new_tensor(b, from.c, from.h, from.w, type);
    layer->table = LAC_NEW_ARRAY(b->graph->arena, uint8_t, LAC_TABLE_CODES);
    int low = lac_code_min(type.bits, type.is_signed), high = lac_code_max(type.bits, type.is_signed);
    for (int i = 0; i < LAC_TABLE_CODES; i++) layer->table[i] = (uint8_t)builder_between(b, low, high);
    return layer->out;
}

int builder_mul(builder *b, int x, int scale, lac_code_type type) {
    const int in[2] = {x, scale};
    lac_int_layer *layer = new_layer(b, LAC_INT_MUL, in, 2, NULL);
    lac_int_tensor from = b->graph->tensors[x];
    layer->out = new_tensor(b, from.c, from.h, from.w, type);
    layer->bias = LAC_NEW_ARRAY(b->graph->arena, int32_t, from.c);
    make_results(b, layer, false);
    return layer->out;
}

int builder_concat(builder *b, const int *in, int n_in) {
    lac_int_layer *layer = new_layer(b, LAC_INT_CONCAT, in, n_in, NULL);
    int c = 0;
    for (int i = 0; i < n_in; i++) c += b->graph->tensors[in[i]].c;
    lac_int_tensor first = b->graph->tensors[in[0]];
    layer->out = new_tensor(b, c, first.h, first.w, first.type);
    return layer->out;
}

lac_int_graph *builder_end(builder *b, int output) {
    b->graph->output = output;
    lac_error err = {0};
    lac_status status = lac_int_graph_check(b->graph, &err);
    assert(status == LAC_OK);
    (void)status;
    return b->graph;
}

// ---- random graphs -------------------------------------------------------------------------------------

static int greatest_divisor_below(builder *b, int a, int c) {
    int d = builder_between(b, 1, a < c ? a : c);
    while (a % d || c % d) d--;
    return d;
}

static lac_window any_window(builder *b, const lac_int_tensor *in, int most_kernel) {
    lac_window w = {.groups = 1};
    for (int axis = 0; axis < 2; axis++) {
        int size = axis ? in->w : in->h;
        w.kernel[axis] = builder_between(b, 1, most_kernel);
        w.dilation[axis] = builder_between(b, 0, 5) ? 1 : 2;
        w.stride[axis] = builder_between(b, 0, 2) ? 1 : 2;
        int reach = (w.kernel[axis] - 1) * w.dilation[axis] + 1;
        int same = builder_between(b, 0, 3) ? (reach - 1) / 2 : 0;
        w.pad[axis] = same;
        w.pad[axis + 2] = builder_between(b, 0, 3) ? same : 0;
        if (size + w.pad[axis] + w.pad[axis + 2] < reach) {
            w.kernel[axis] = 1;
            w.pad[axis] = w.pad[axis + 2] = 0;
        }
    }
    return w;
}

static int any_conv(builder *b, int in) {
    const lac_int_tensor *t = &b->graph->tensors[in];
    layer_options o = {.out_c = builder_between(b, 1, 6), .window = any_window(b, t, 4)};
    if (builder_between(b, 0, 3) == 0) {
        o.window.groups = greatest_divisor_below(b, t->c, t->c);
        o.out_c = o.window.groups * builder_between(b, 1, 3);
    }
    o.weight_bits = builder_between(b, 1, 8);
    o.zero_percent = builder_between(b, 0, 4) * 25;
    o.type = builder_any_type(b);
    return builder_conv(b, in, o);
}

static int any_avg_pool(builder *b, int in) {
    const lac_int_tensor *t = &b->graph->tensors[in];
    layer_options o = {.window = any_window(b, t, 3), .type = builder_any_type(b)};
    if (builder_between(b, 0, 2) == 0)
        o.window = (lac_window){.kernel = {t->h, t->w}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    return builder_avg_pool(b, in, o);
}

/// A second tensor of the same shape (same_codes: and type), or -1.
static int partner(const builder *b, int of, bool same_codes, bool same_c) {
    const lac_int_tensor *t = &b->graph->tensors[of];
    for (int i = 0; i < b->graph->n_tensors; i++) {
        const lac_int_tensor *other = &b->graph->tensors[i];
        bool shape = other->h == t->h && other->w == t->w && (!same_c || other->c == t->c);
        bool type = other->type.bits == t->type.bits && other->type.is_signed == t->type.is_signed &&
                    other->type.zero == t->type.zero;
        if (i != of && shape && (type || !same_codes)) return i;
    }
    return -1;
}

static int any_join(builder *b, int in) {
    // A branch of the same type makes sure that there is something to join.
    bool adds = builder_between(b, 0, 1);
    layer_options o = {.out_c = builder_between(b, 1, 3), .type = b->graph->tensors[in].type};
    if (adds) o.out_c = b->graph->tensors[in].c;
    int other = partner(b, in, !adds, adds);
    if (other < 0 || builder_between(b, 0, 1)) other = builder_conv(b, in, o);
    if (adds) return builder_add(b, in, other, builder_any_type(b));
    const int parts[3] = {in, other, builder_between(b, 0, 3) ? other : in};
    return builder_concat(b, parts, builder_between(b, 2, 3));
}

/// The map weighed pixel by pixel, or channel by channel, by what a mean, a convolution and a table make of
/// it.
static int any_gate(builder *b, int in) {
    lac_int_tensor t = b->graph->tensors[in];
    lac_code_type type = builder_any_type(b);
    type.zero = 0;
    int x = builder_conv(b, in, (layer_options){.out_c = t.c, .zero_percent = 30, .type = type});
    if (builder_between(b, 0, 2) == 0) { // pixel by pixel, by what a convolution makes of it
        int each = builder_conv(b, x, (layer_options){.out_c = 1, .type = builder_factor_type(b)});
        if (builder_between(b, 0, 1)) each = builder_table(b, each, builder_factor_type(b));
        return builder_mul(b, x, each, builder_any_type(b));
    }
    layer_options mean = {.window = {.kernel = {t.h, t.w}}, .type = builder_factor_type(b)};
    layer_options weigh = {.out_c = t.c, .type = builder_factor_type(b)};
    int scale = builder_avg_pool(b, x, mean);
    if (builder_between(b, 0, 1)) scale = builder_conv(b, scale, weigh);
    if (builder_between(b, 0, 3)) scale = builder_table(b, scale, builder_factor_type(b));
    return builder_mul(b, x, scale, builder_any_type(b));
}

static int any_layer(builder *b, int in) {
    int gate = b->gates ? builder_between(b, 0, 3) : 3;
    if (gate == 0) return any_gate(b, in);
    if (gate == 1) return builder_table(b, in, builder_any_type(b));
    switch (builder_between(b, 0, 7)) {
    case 0:
        return builder_max_pool(b, in, any_window(b, &b->graph->tensors[in], 3));
    case 1:
        return builder_max_pool(b, in, (lac_window){.kernel = {1, 1}, .stride = {1, 2}});
    case 2:
        return any_avg_pool(b, in);
    case 3:
    case 4:
        return any_join(b, in);
    default:
        return any_conv(b, in);
    }
}

static lac_int_graph *graph_of(lac_arena *arena, uint64_t seed, bool gates) {
    builder b = builder_begin(arena, seed);
    b.gates = gates;
    int at = builder_input(&b, builder_between(&b, 1, 4), builder_between(&b, 1, 14),
                           builder_between(&b, 1, 14), builder_any_type(&b));
    int n = builder_between(&b, 1, 6);
    for (int i = 0; i < n; i++) at = any_layer(&b, at);
    const lac_int_tensor *t = &b.graph->tensors[at];
    if (builder_between(&b, 0, 3) == 0) return builder_end(&b, at == b.graph->input ? any_conv(&b, at) : at);
    layer_options last = {
        .out_c = builder_between(&b, 1, 10), .weight_bits = builder_between(&b, 1, 8), .raw = true};
    last.zero_percent = builder_between(&b, 0, 90);
    if (builder_between(&b, 0, 3))
        last.window = (lac_window){.kernel = {t->h, t->w}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    return builder_end(&b, builder_conv(&b, at, last));
}

lac_int_graph *random_graph(lac_arena *arena, uint64_t seed) {
    return graph_of(arena, seed, false);
}

lac_int_graph *random_gated_graph(lac_arena *arena, uint64_t seed) {
    return graph_of(arena, seed, true);
}

void random_codes(lac_rng *rng, const lac_int_tensor *tensor, int32_t *codes) {
    int low = lac_code_min(tensor->type.bits, tensor->type.is_signed);
    int high = lac_code_max(tensor->type.bits, tensor->type.is_signed);
    size_t n = lac_int_tensor_count(tensor);
    for (size_t i = 0; i < n; i++) codes[i] = low + (int)lac_rng_below(rng, (uint32_t)(high - low + 1));
}

int32_t **reference_values(const lac_int_graph *graph, lac_arena *arena, uint64_t seed) {
    int32_t **values = LAC_NEW_ARRAY(arena, int32_t *, graph->n_tensors);
    for (int t = 0; t < graph->n_tensors; t++)
        values[t] = LAC_NEW_ARRAY(arena, int32_t, lac_int_tensor_count(&graph->tensors[t]));
    lac_rng rng = lac_rng_make(seed, 5);
    random_codes(&rng, &graph->tensors[graph->input], values[graph->input]);
    lac_ref_run(graph, values);
    return values;
}
