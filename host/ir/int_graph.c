#include "int_graph.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[LAC_N_INT_KINDS] = {"conv2d", "add",   "max_pool", "avg_pool",
                                                        "concat", "table", "mul"};

const char *lac_int_kind_name(lac_int_kind kind) {
    return (unsigned)kind < LAC_N_INT_KINDS ? kind_names[kind] : "unknown kind";
}

static const lac_int_tensor *input_of(const lac_int_graph *graph, const lac_int_layer *layer, int i) {
    return &graph->tensors[layer->in[i]];
}

static const lac_int_tensor *output_of(const lac_int_graph *graph, const lac_int_layer *layer) {
    return &graph->tensors[layer->out];
}

static int code_min(lac_code_type type) {
    return type.is_signed ? -(1 << (type.bits - 1)) : 0;
}

static int code_max(lac_code_type type) {
    return type.is_signed ? (1 << (type.bits - 1)) - 1 : (1 << type.bits) - 1;
}

void lac_int_layer_set_identity(lac_int_layer *layer, int n_out, int n_ones, const lac_code_type *type,
                                lac_arena *arena) {
    layer->bias = LAC_NEW_ARRAY(arena, int32_t, n_out);
    layer->m = LAC_NEW_ARRAY(arena, uint16_t, n_out);
    layer->s = LAC_NEW_ARRAY(arena, uint8_t, n_out);
    for (int o = 0; o < n_out; o++) {
        layer->bias[o] = -n_ones * type->zero;
        layer->m[o] = LAC_IDENTITY_M;
        layer->s[o] = LAC_IDENTITY_S;
    }
    layer->lo = code_min(*type) - type->zero;
    layer->hi = code_max(*type) - type->zero;
}

// ---- bounds -----------------------------------------------------------------------------------------------

/// Taps k in [first, last) of an axis that see a real pixel at one output position; the others see padding.
typedef struct span {
    int first, last;
} span;

static span real_taps(const lac_window *window, int axis, int in_size, int position) {
    span s = {0, 0};
    for (int k = 0; k < window->kernel[axis]; k++) {
        int at = position * window->stride[axis] + k * window->dilation[axis] - window->pad[axis];
        if (at < 0) s.first = k + 1;
        if (at < in_size) s.last = k + 1;
    }
    if (s.last < s.first) s.last = s.first;
    return s;
}

/// A position whose real taps are a subset of another's cannot reach further, because padding is one of the
/// codes that a real pixel may have. Of equal positions the first one counts.
static bool position_is_widest(const lac_window *window, int axis, int in_size, int out_size, int position) {
    span mine = real_taps(window, axis, in_size, position);
    for (int other = 0; other < out_size; other++) {
        span theirs = real_taps(window, axis, in_size, other);
        bool contains = theirs.first <= mine.first && theirs.last >= mine.last;
        bool equal = theirs.first == mine.first && theirs.last == mine.last;
        if (other != position && contains && (!equal || other < position)) return false;
    }
    return true;
}

typedef struct interval {
    int64_t low, high;
} interval;

/// Adds to a sum of terms in any order the term that lies anywhere in [a, b].
static void add_term(interval *sum, int64_t a, int64_t b) {
    int64_t low = a < b ? a : b, high = a < b ? b : a;
    if (low < 0) sum->low += low;
    if (high > 0) sum->high += high;
}

static void widen(interval *all, interval one) {
    if (one.low < all->low) all->low = one.low;
    if (one.high > all->high) all->high = one.high;
}

/// The terms of one output channel (w NULL: unit weights) where the taps in rows x cols are real.
static interval channel_terms(const lac_int_layer *layer, lac_code_type type, const int8_t *w, int n_channels,
                              span rows, span cols) {
    interval sum = {0, 0};
    int kh = layer->window.kernel[0], kw = layer->window.kernel[1];
    for (int c = 0; c < n_channels; c++)
        for (int y = 0; y < kh; y++)
            for (int x = 0; x < kw; x++) {
                int64_t weight = w ? w[(c * kh + y) * kw + x] : 1;
                bool real = y >= rows.first && y < rows.last && x >= cols.first && x < cols.last;
                if (real)
                    add_term(&sum, weight * code_min(type), weight * code_max(type));
                else
                    add_term(&sum, weight * type.zero, weight * type.zero);
            }
    return sum;
}

static interval window_bounds_at(const lac_int_graph *graph, const lac_int_layer *layer, span rows,
                                 span cols) {
    const lac_int_tensor *in = input_of(graph, layer, 0), *out = output_of(graph, layer);
    bool has_weights = layer->kind == LAC_INT_CONV2D;
    int n_channels = has_weights ? in->c / layer->window.groups : 1;
    size_t per_channel = (size_t)n_channels * (size_t)(layer->window.kernel[0] * layer->window.kernel[1]);
    interval all = {0, 0};
    for (int o = 0; o < out->c; o++) {
        const int8_t *w = has_weights ? layer->w + (size_t)o * per_channel : NULL;
        interval sum = channel_terms(layer, in->type, w, n_channels, rows, cols);
        add_term(&sum, layer->bias[o], layer->bias[o]);
        widen(&all, sum);
    }
    return all;
}

static interval window_bounds(const lac_int_graph *graph, const lac_int_layer *layer) {
    const lac_int_tensor *in = input_of(graph, layer, 0), *out = output_of(graph, layer);
    const lac_window *window = &layer->window;
    interval all = {0, 0};
    for (int y = 0; y < out->h; y++) {
        if (!position_is_widest(window, 0, in->h, out->h, y)) continue;
        for (int x = 0; x < out->w; x++)
            if (position_is_widest(window, 1, in->w, out->w, x))
                widen(&all, window_bounds_at(graph, layer, real_taps(window, 0, in->h, y),
                                             real_taps(window, 1, in->w, x)));
    }
    return all;
}

static interval add_bounds(const lac_int_graph *graph, const lac_int_layer *layer) {
    interval all = {0, 0};
    for (int o = 0; o < output_of(graph, layer)->c; o++) {
        interval sum = {0, 0};
        for (int i = 0; i < 2; i++) {
            lac_code_type type = input_of(graph, layer, i)->type;
            add_term(&sum, layer->add_w[i] * code_min(type), layer->add_w[i] * code_max(type));
        }
        add_term(&sum, layer->bias[o], layer->bias[o]);
        widen(&all, sum);
    }
    return all;
}

static interval mul_bounds(const lac_int_graph *graph, const lac_int_layer *layer) {
    lac_code_type a = input_of(graph, layer, 0)->type, b = input_of(graph, layer, 1)->type;
    const int64_t low = code_min(b) - b.zero, high = code_max(b) - b.zero;
    interval all = {0, 0}, product = {0, 0};
    for (int i = 0; i < 2; i++) {
        int64_t factor = i ? high : low, x = factor * code_min(a), y = factor * code_max(a);
        widen(&product, (interval){x < y ? x : y, x < y ? y : x});
    }
    for (int o = 0; o < output_of(graph, layer)->c; o++) {
        interval sum = product;
        add_term(&sum, layer->bias[o], layer->bias[o]);
        widen(&all, sum);
    }
    return all;
}

void lac_int_layer_bounds(const lac_int_graph *graph, const lac_int_layer *layer, int64_t *lowest,
                          int64_t *highest) {
    interval bounds = {0, 0};
    switch (layer->kind) {
    case LAC_INT_CONV2D:
    case LAC_INT_AVG_POOL:
        bounds = window_bounds(graph, layer);
        break;
    case LAC_INT_ADD:
        bounds = add_bounds(graph, layer);
        break;
    case LAC_INT_MUL:
        bounds = mul_bounds(graph, layer);
        break;
    default: // codes pass through
        bounds.low = code_min(output_of(graph, layer)->type);
        bounds.high = code_max(output_of(graph, layer)->type);
    }
    *lowest = bounds.low;
    *highest = bounds.high;
}

int lac_int_layer_acc_bits(const lac_int_graph *graph, const lac_int_layer *layer) {
    int64_t low, high;
    lac_int_layer_bounds(graph, layer, &low, &high);
    int bits = 1;
    while (low < -((int64_t)1 << (bits - 1)) || high > ((int64_t)1 << (bits - 1)) - 1) bits++;
    return bits;
}

// ---- counts -----------------------------------------------------------------------------------------------

static uint64_t window_taps(const lac_int_layer *layer) {
    return (uint64_t)layer->window.kernel[0] * (uint64_t)layer->window.kernel[1];
}

uint64_t lac_int_layer_weights(const lac_int_graph *graph, const lac_int_layer *layer, bool nonzero_only) {
    if (layer->kind != LAC_INT_CONV2D) return 0;
    uint64_t per_channel =
        (uint64_t)(input_of(graph, layer, 0)->c / layer->window.groups) * window_taps(layer);
    uint64_t n = per_channel * (uint64_t)output_of(graph, layer)->c;
    if (!nonzero_only) return n;
    uint64_t n_nonzero = 0;
    for (uint64_t i = 0; i < n; i++) n_nonzero += layer->w[i] != 0;
    return n_nonzero;
}

uint64_t lac_int_layer_macs(const lac_int_graph *graph, const lac_int_layer *layer, bool nonzero_only) {
    const lac_int_tensor *out = output_of(graph, layer);
    uint64_t pixels = (uint64_t)out->h * (uint64_t)out->w;
    switch (layer->kind) {
    case LAC_INT_CONV2D:
        return lac_int_layer_weights(graph, layer, nonzero_only) * pixels;
    case LAC_INT_ADD:
        return 2 * (uint64_t)out->c * pixels;
    case LAC_INT_AVG_POOL:
        return window_taps(layer) * (uint64_t)out->c * pixels;
    case LAC_INT_MUL:
        return (uint64_t)out->c * pixels;
    default:
        return 0;
    }
}

// ---- invariants -------------------------------------------------------------------------------------------

static lac_status check_type(const char *name, lac_code_type type, lac_error *err) {
    if (type.bits == 32) return LAC_OK;
    if (type.bits < 1 || type.bits > 8)
        LAC_FAIL(err, LAC_E_RANGE,
                 "tensor '%s': codes of %d bits; 1 to 8 are possible (32 marks raw results)", name,
                 type.bits);
    if (type.zero < code_min(type) || type.zero > code_max(type))
        LAC_FAIL(err, LAC_E_RANGE, "tensor '%s': zero point %d is outside its codes %d..%d", name, type.zero,
                 code_min(type), code_max(type));
    return LAC_OK;
}

static lac_status check_tensor(const lac_int_tensor *tensor, int index, lac_error *err) {
    if (!tensor->name || !*tensor->name) LAC_FAIL(err, LAC_E_FORMAT, "tensor %d has no name", index);
    if (tensor->c < 1 || tensor->h < 1 || tensor->w < 1 || tensor->c > 65535 || tensor->h > 65535 ||
        tensor->w > 65535)
        LAC_FAIL(err, LAC_E_SHAPE, "tensor '%s': shape %dx%dx%d; every size must be 1..65535", tensor->name,
                 tensor->c, tensor->h, tensor->w);
    return check_type(tensor->name, tensor->type, err);
}

static lac_status check_window(const lac_int_layer *layer, const lac_int_tensor *in,
                               const lac_int_tensor *out, lac_error *err) {
    const lac_window *window = &layer->window;
    const int in_size[2] = {in->h, in->w}, out_size[2] = {out->h, out->w};
    for (int axis = 0; axis < 2; axis++) {
        if (window->kernel[axis] < 1 || window->stride[axis] < 1 || window->dilation[axis] < 1 ||
            window->pad[axis] < 0 || window->pad[axis + 2] < 0)
            LAC_FAIL(err, LAC_E_RANGE,
                     "layer '%s': kernel %d, stride %d, dilation %d, padding %d,%d; the first three must be "
                     "positive",
                     layer->name, window->kernel[axis], window->stride[axis], window->dilation[axis],
                     window->pad[axis], window->pad[axis + 2]);
        int64_t expected = lac_window_out(window, axis, in_size[axis]);
        if (expected != out_size[axis])
            LAC_FAIL(err, LAC_E_SHAPE, "layer '%s': its window makes %" PRId64 " %s of %d, its output has %d",
                     layer->name, expected, axis ? "columns" : "rows", in_size[axis], out_size[axis]);
    }
    return LAC_OK;
}

static lac_status check_requantisation(const lac_int_layer *layer, const lac_int_tensor *out,
                                       lac_error *err) {
    if (layer->lo > layer->hi || layer->lo + out->type.zero < code_min(out->type) ||
        layer->hi + out->type.zero > code_max(out->type))
        LAC_FAIL(err, LAC_E_RANGE, "layer '%s': clamp %d..%d with zero point %d leaves the codes %d..%d",
                 layer->name, layer->lo, layer->hi, out->type.zero, code_min(out->type), code_max(out->type));
    for (int o = 0; o < out->c; o++) {
        if (layer->s[o] < 1 || layer->s[o] > 46)
            LAC_FAIL(err, LAC_E_RANGE, "layer '%s', channel %d: shift %d; 1 to 46 are possible", layer->name,
                     o, layer->s[o]);
        if (layer->m[o] != 0 && layer->m[o] < 0x8000 && layer->s[o] != 46)
            LAC_FAIL(
                err, LAC_E_RANGE,
                "layer '%s', channel %d: multiplier %d has its top bit clear at shift %d; shift it up so "
                "that no precision is lost",
                layer->name, o, layer->m[o], layer->s[o]);
    }
    return LAC_OK;
}

static lac_status check_results(const lac_int_graph *graph, const lac_int_layer *layer, lac_error *err) {
    const lac_int_tensor *out = output_of(graph, layer);
    if (!layer->bias) LAC_FAIL(err, LAC_E_FORMAT, "layer '%s' has no biases", layer->name);
    if (layer->raw != (out->type.bits == 32))
        LAC_FAIL(err, LAC_E_FORMAT, "layer '%s': %s results go to '%s' of %d bits", layer->name,
                 layer->raw ? "raw" : "requantised", out->name, out->type.bits);
    if (layer->raw && !layer->raw_scale)
        LAC_FAIL(err, LAC_E_FORMAT, "layer '%s': raw results without scales", layer->name);
    if (layer->raw) return LAC_OK;
    if (!layer->m || !layer->s)
        LAC_FAIL(err, LAC_E_FORMAT, "layer '%s' has no multipliers or shifts", layer->name);
    return check_requantisation(layer, out, err);
}

static lac_status check_weights(const lac_int_graph *graph, const lac_int_layer *layer, lac_error *err) {
    int bits = layer->weight_bits;
    if (bits < 1 || bits > 8)
        LAC_FAIL(err, LAC_E_RANGE, "layer '%s': weights of %d bits; 1 to 8 are possible", layer->name, bits);
    if (!layer->w) LAC_FAIL(err, LAC_E_FORMAT, "layer '%s' has no weights", layer->name);
    // A pruned {-1,+1} weight is a zero like any other.
    int low = bits == 1 ? -1 : -(1 << (bits - 1)), high = bits == 1 ? 1 : (1 << (bits - 1)) - 1;
    uint64_t n = lac_int_layer_weights(graph, layer, false);
    for (uint64_t i = 0; i < n; i++)
        if (layer->w[i] < low || layer->w[i] > high)
            LAC_FAIL(err, LAC_E_RANGE, "layer '%s': weight %" PRIu64 " is %d, outside %d..%d of %d bits",
                     layer->name, i, layer->w[i], low, high, bits);
    return LAC_OK;
}

static bool same_shape(const lac_int_tensor *a, const lac_int_tensor *b) {
    return a->c == b->c && a->h == b->h && a->w == b->w;
}

static bool same_codes(lac_code_type a, lac_code_type b) {
    return a.bits == b.bits && a.is_signed == b.is_signed && a.zero == b.zero;
}

static lac_status check_conv2d(const lac_int_graph *graph, const lac_int_layer *layer, lac_error *err) {
    const lac_int_tensor *in = input_of(graph, layer, 0), *out = output_of(graph, layer);
    int groups = layer->window.groups;
    if (groups < 1 || in->c % groups != 0 || out->c % groups != 0)
        LAC_FAIL(err, LAC_E_SHAPE, "layer '%s': %d groups do not divide %d input and %d output channels",
                 layer->name, groups, in->c, out->c);
    LAC_TRY(check_window(layer, in, out, err));
    LAC_TRY(check_weights(graph, layer, err));
    return check_results(graph, layer, err);
}

static lac_status check_add(const lac_int_graph *graph, const lac_int_layer *layer, lac_error *err) {
    const lac_int_tensor *out = output_of(graph, layer);
    for (int i = 0; i < 2; i++) {
        const lac_int_tensor *in = input_of(graph, layer, i);
        if (!same_shape(in, out))
            LAC_FAIL(err, LAC_E_SHAPE, "layer '%s': operand '%s' is %dx%dx%d, the sum %dx%dx%d", layer->name,
                     in->name, in->c, in->h, in->w, out->c, out->h, out->w);
        if (layer->add_w[i] < 1)
            LAC_FAIL(err, LAC_E_RANGE, "layer '%s': weight %d of operand %d; 1 to 127 are possible",
                     layer->name, layer->add_w[i], i);
    }
    return check_results(graph, layer, err);
}

static lac_status check_mul(const lac_int_graph *graph, const lac_int_layer *layer, lac_error *err) {
    const lac_int_tensor *a = input_of(graph, layer, 0), *b = input_of(graph, layer, 1),
                         *out = output_of(graph, layer);
    bool of_channels = b->c == a->c && b->h == 1 && b->w == 1;
    bool of_pixels = b->c == 1 && b->h == a->h && b->w == a->w;
    if (!same_shape(a, out) || (!of_channels && !of_pixels))
        LAC_FAIL(err, LAC_E_SHAPE,
                 "layer '%s': operands '%s' of %dx%dx%d and '%s' of %dx%dx%d make %dx%dx%d; the second must "
                 "have one pixel or one channel, and the others one shape",
                 layer->name, a->name, a->c, a->h, a->w, b->name, b->c, b->h, b->w, out->c, out->h, out->w);
    if (a->type.zero != 0)
        LAC_FAIL(err, LAC_E_RANGE, "layer '%s': operand '%s' has zero point %d, a product needs 0",
                 layer->name, a->name, a->type.zero);
    if (code_min(b->type) - b->type.zero < INT8_MIN || code_max(b->type) - b->type.zero > INT8_MAX)
        LAC_FAIL(err, LAC_E_RANGE, "layer '%s': factors '%s' are %d..%d; -128..127 are possible", layer->name,
                 b->name, code_min(b->type) - b->type.zero, code_max(b->type) - b->type.zero);
    return check_results(graph, layer, err);
}

static lac_status check_table(const lac_int_graph *graph, const lac_int_layer *layer, lac_error *err) {
    const lac_int_tensor *in = input_of(graph, layer, 0), *out = output_of(graph, layer);
    if (!same_shape(in, out) || out->type.bits > 8)
        LAC_FAIL(err, LAC_E_SHAPE,
                 "layer '%s': from %dx%dx%d to %dx%dx%d of %d bits; a table changes codes of up to 8 bits, "
                 "and no shape",
                 layer->name, in->c, in->h, in->w, out->c, out->h, out->w, out->type.bits);
    if (!layer->table) LAC_FAIL(err, LAC_E_FORMAT, "layer '%s' has no table", layer->name);
    for (int i = 0; i < LAC_TABLE_CODES; i++) {
        int code = out->type.is_signed ? (int8_t)layer->table[i] : layer->table[i];
        if (code < code_min(out->type) || code > code_max(out->type))
            LAC_FAIL(err, LAC_E_RANGE, "layer '%s': place %d of its table has %d, outside the codes %d..%d",
                     layer->name, i, code, code_min(out->type), code_max(out->type));
    }
    return LAC_OK;
}

static lac_status check_pool(const lac_int_graph *graph, const lac_int_layer *layer, lac_error *err) {
    const lac_int_tensor *in = input_of(graph, layer, 0), *out = output_of(graph, layer);
    if (in->c != out->c)
        LAC_FAIL(err, LAC_E_SHAPE, "layer '%s': pools %d channels into %d", layer->name, in->c, out->c);
    LAC_TRY(check_window(layer, in, out, err));
    if (layer->kind == LAC_INT_AVG_POOL) return check_results(graph, layer, err);
    if (!same_codes(in->type, out->type))
        LAC_FAIL(err, LAC_E_FORMAT, "layer '%s': max pooling cannot change the type of '%s' to that of '%s'",
                 layer->name, in->name, out->name);
    return LAC_OK;
}

static lac_status check_concat(const lac_int_graph *graph, const lac_int_layer *layer, lac_error *err) {
    const lac_int_tensor *out = output_of(graph, layer);
    int channels = 0;
    for (int i = 0; i < layer->n_in; i++) {
        const lac_int_tensor *in = input_of(graph, layer, i);
        channels += in->c;
        if (in->h != out->h || in->w != out->w || !same_codes(in->type, out->type))
            LAC_FAIL(err, LAC_E_SHAPE, "layer '%s': input '%s' differs from the output in map or type",
                     layer->name, in->name);
    }
    if (channels != out->c)
        LAC_FAIL(err, LAC_E_SHAPE, "layer '%s': inputs have %d channels, the output %d", layer->name,
                 channels, out->c);
    return LAC_OK;
}

static lac_status check_layer(const lac_int_graph *graph, const lac_int_layer *layer, lac_error *err) {
    switch (layer->kind) {
    case LAC_INT_CONV2D:
        return check_conv2d(graph, layer, err);
    case LAC_INT_ADD:
        return check_add(graph, layer, err);
    case LAC_INT_CONCAT:
        return check_concat(graph, layer, err);
    case LAC_INT_TABLE:
        return check_table(graph, layer, err);
    case LAC_INT_MUL:
        return check_mul(graph, layer, err);
    default:
        return check_pool(graph, layer, err);
    }
}

static bool made_before(const lac_int_graph *graph, int tensor, int layer) {
    if (tensor == graph->input) return true;
    for (int l = 0; l < layer; l++)
        if (graph->layers[l].out == tensor) return true;
    return false;
}

static lac_status check_wiring(const lac_int_graph *graph, int l, lac_error *err) {
    const lac_int_layer *layer = &graph->layers[l];
    if (!layer->name || !*layer->name) LAC_FAIL(err, LAC_E_FORMAT, "layer %d has no name", l);
    if ((unsigned)layer->kind >= LAC_N_INT_KINDS)
        LAC_FAIL(err, LAC_E_FORMAT, "layer '%s' is of unknown kind %d", layer->name, (int)layer->kind);
    int least = lac_int_kind_is_binary(layer->kind) ? 2 : 1,
        most = layer->kind == LAC_INT_CONCAT ? INT32_MAX : least;
    if (layer->n_in < least || layer->n_in > most)
        LAC_FAIL(err, LAC_E_FORMAT, "%s '%s' has %d inputs; it takes %d%s", lac_int_kind_name(layer->kind),
                 layer->name, layer->n_in, least, most > least ? " or more" : "");
    for (int i = 0; i < layer->n_in; i++) {
        if (layer->in[i] < 0 || layer->in[i] >= graph->n_tensors || !made_before(graph, layer->in[i], l))
            LAC_FAIL(err, LAC_E_FORMAT, "layer '%s': input %d is tensor %d, which no earlier layer makes",
                     layer->name, i, layer->in[i]);
        if (input_of(graph, layer, i)->type.bits == 32)
            LAC_FAIL(err, LAC_E_FORMAT, "layer '%s' reads raw results", layer->name);
    }
    if (layer->out < 0 || layer->out >= graph->n_tensors || made_before(graph, layer->out, l))
        LAC_FAIL(err, LAC_E_FORMAT, "layer '%s': output is tensor %d, which is not there or made already",
                 layer->name, layer->out);
    return LAC_OK;
}

lac_status lac_int_graph_check(const lac_int_graph *graph, lac_error *err) {
    if (graph->input < 0 || graph->input >= graph->n_tensors || graph->n_layers < 1)
        LAC_FAIL(err, LAC_E_FORMAT, "graph of %d layers and %d tensors has input %d", graph->n_layers,
                 graph->n_tensors, graph->input);
    for (int t = 0; t < graph->n_tensors; t++) {
        LAC_TRY(check_tensor(&graph->tensors[t], t, err));
        if (!made_before(graph, t, graph->n_layers))
            LAC_FAIL(err, LAC_E_FORMAT, "tensor '%s' is made by no layer", graph->tensors[t].name);
    }
    for (int l = 0; l < graph->n_layers; l++) {
        LAC_TRY(check_wiring(graph, l, err));
        LAC_TRY(check_layer(graph, &graph->layers[l], err));
    }
    if (graph->output < 0 || graph->output >= graph->n_tensors || graph->output == graph->input)
        LAC_FAIL(err, LAC_E_FORMAT, "output is tensor %d of %d, input is %d", graph->output, graph->n_tensors,
                 graph->input);
    return LAC_OK;
}
