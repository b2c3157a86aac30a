#include "ref.h"

#include "lac_num.h"

#include <assert.h>
#include <math.h>
#include <string.h>

size_t lac_int_tensor_count(const lac_int_tensor *tensor) {
    return (size_t)tensor->c * (size_t)tensor->h * (size_t)tensor->w;
}

/// Output positions [first, last) of an axis whose tap k reads a real pixel, not padding.
typedef struct span {
    int first, last;
} span;

static span real_positions(const lac_window *window, int axis, int k, int in_size, int out_size) {
    int offset = k * window->dilation[axis] - window->pad[axis], stride = window->stride[axis];
    span s = {0, out_size};
    while (s.first < out_size && s.first * stride + offset < 0) s.first++;
    while (s.last > s.first && (s.last - 1) * stride + offset >= in_size) s.last--;
    return s;
}

/// acc[i] += weight * code[i * stride] over a row: the loop where the time goes, so it is the innermost one.
static void add_row(int32_t *restrict acc, const int32_t *restrict codes, int n, int stride, int32_t weight) {
    if (stride == 1)
        for (int i = 0; i < n; i++) acc[i] += weight * codes[i];
    else
        for (int i = 0; i < n; i++) acc[i] += weight * codes[i * stride];
}

/// Adds one tap of one input channel to the accumulators of one output channel, padding included.
static void add_tap(const lac_window *window, const lac_int_tensor *in, const lac_int_tensor *out, int ky,
                    int kx, int32_t weight, const int32_t *codes, int32_t *acc) {
    span ys = real_positions(window, 0, ky, in->h, out->h);
    span xs = real_positions(window, 1, kx, in->w, out->w);
    int first_column = xs.first * window->stride[1] + kx * window->dilation[1] - window->pad[1];
    for (int y = 0; y < out->h; y++) {
        int32_t *row = acc + y * out->w;
        bool inside = y >= ys.first && y < ys.last && xs.last > xs.first;
        int first = inside ? xs.first : out->w, last = inside ? xs.last : out->w;
        for (int x = 0; x < first; x++) row[x] += weight * in->type.zero;
        for (int x = last; x < out->w; x++) row[x] += weight * in->type.zero;
        if (!inside) continue;
        int line = y * window->stride[0] + ky * window->dilation[0] - window->pad[0];
        add_row(row + first, codes + line * in->w + first_column, last - first, window->stride[1], weight);
    }
}

/// From accumulators to the layer's results, in place.
static void finish_channel(const lac_int_layer *layer, const lac_int_tensor *out, int o, int32_t *values) {
    for (int i = 0; i < out->h * out->w; i++)
        values[i] = layer->raw
                        ? values[i] + layer->bias[o]
                        : lac_requantize(values[i], layer->bias[o], layer->m[o], layer->s[o],
                                         (int16_t)layer->lo, (int16_t)layer->hi, (int16_t)out->type.zero);
}

static void conv2d(const lac_int_layer *layer, const lac_int_tensor *in, const lac_int_tensor *out,
                   const int32_t *codes, int32_t *values) {
    const lac_window *window = &layer->window;
    int kh = window->kernel[0], kw = window->kernel[1];
    int in_per_group = in->c / window->groups, out_per_group = out->c / window->groups;
    const int8_t *w = layer->w;
    for (int o = 0; o < out->c; o++) {
        int32_t *acc = values + (size_t)o * (size_t)(out->h * out->w);
        memset(acc, 0, sizeof *acc * (size_t)(out->h * out->w));
        for (int i = 0; i < in_per_group; i++) {
            int c = o / out_per_group * in_per_group + i;
            const int32_t *channel = codes + (size_t)c * (size_t)(in->h * in->w);
            for (int ky = 0; ky < kh; ky++)
                for (int kx = 0; kx < kw; kx++, w++)
                    if (*w != 0) add_tap(window, in, out, ky, kx, *w, channel, acc);
        }
        finish_channel(layer, out, o, acc);
    }
}

static void add(const lac_int_layer *layer, const lac_int_tensor *out, const int32_t *const *in,
                int32_t *values) {
    int n = out->h * out->w;
    for (int o = 0; o < out->c; o++) {
        size_t base = (size_t)o * (size_t)n;
        for (int i = 0; i < n; i++)
            values[base + (size_t)i] =
                layer->add_w[0] * in[0][base + (size_t)i] + layer->add_w[1] * in[1][base + (size_t)i];
        finish_channel(layer, out, o, values + base);
    }
}

static void avg_pool(const lac_int_layer *layer, const lac_int_tensor *in, const lac_int_tensor *out,
                     const int32_t *codes, int32_t *values) {
    for (int o = 0; o < out->c; o++) {
        int32_t *acc = values + (size_t)o * (size_t)(out->h * out->w);
        memset(acc, 0, sizeof *acc * (size_t)(out->h * out->w));
        for (int ky = 0; ky < layer->window.kernel[0]; ky++)
            for (int kx = 0; kx < layer->window.kernel[1]; kx++)
                add_tap(&layer->window, in, out, ky, kx, 1, codes + (size_t)o * (size_t)(in->h * in->w), acc);
        finish_channel(layer, out, o, acc);
    }
}

/// The largest code under one window; padding is not there.
static int32_t window_max(const lac_window *window, const lac_int_tensor *in, int y, int x,
                          const int32_t *codes) {
    int32_t best = lac_code_min(in->type.bits, in->type.is_signed);
    for (int ky = 0; ky < window->kernel[0]; ky++)
        for (int kx = 0; kx < window->kernel[1]; kx++) {
            int line = y * window->stride[0] + ky * window->dilation[0] - window->pad[0];
            int column = x * window->stride[1] + kx * window->dilation[1] - window->pad[1];
            if (line < 0 || line >= in->h || column < 0 || column >= in->w) continue;
            int32_t code = codes[line * in->w + column];
            if (code > best) best = code;
        }
    return best;
}

static void max_pool(const lac_int_layer *layer, const lac_int_tensor *in, const lac_int_tensor *out,
                     const int32_t *codes, int32_t *values) {
    for (int c = 0; c < out->c; c++, codes += in->h * in->w)
        for (int y = 0; y < out->h; y++)
            for (int x = 0; x < out->w; x++) *values++ = window_max(&layer->window, in, y, x, codes);
}

static void mul(const lac_int_graph *graph, const lac_int_layer *layer, const lac_int_tensor *out,
                const int32_t *const *in, int32_t *values) {
    int n = out->h * out->w, zero = graph->tensors[layer->in[1]].type.zero;
    bool of_pixels = lac_int_factors_are_of_pixels(graph, layer);
    for (int o = 0; o < out->c; o++) {
        size_t base = (size_t)o * (size_t)n;
        for (int i = 0; i < n; i++)
            values[base + (size_t)i] = (in[1][of_pixels ? i : o] - zero) * in[0][base + (size_t)i];
        finish_channel(layer, out, o, values + base);
    }
}

static void look_up(const lac_int_layer *layer, const lac_int_tensor *out, const int32_t *codes,
                    int32_t *values) {
    size_t n = lac_int_tensor_count(out);
    for (size_t i = 0; i < n; i++) values[i] = lac_table_code(layer->table, codes[i], out->type.is_signed);
}

static void concat(const lac_int_graph *graph, const lac_int_layer *layer, const int32_t *const *in,
                   int32_t *values) {
    for (int i = 0; i < layer->n_in; i++) {
        size_t n = lac_int_tensor_count(&graph->tensors[layer->in[i]]);
        memcpy(values, in[i], n * sizeof *values);
        values += n;
    }
}

void lac_ref_layer(const lac_int_graph *graph, const lac_int_layer *layer, const int32_t *const *in,
                   int32_t *out) {
    assert(layer->n_in >= (lac_int_kind_is_binary(layer->kind) ? 2 : 1));
    const lac_int_tensor *from = &graph->tensors[layer->in[0]], *to = &graph->tensors[layer->out];
    switch (layer->kind) {
    case LAC_INT_CONV2D:
        conv2d(layer, from, to, in[0], out);
        break;
    case LAC_INT_ADD:
        add(layer, to, in, out);
        break;
    case LAC_INT_MAX_POOL:
        max_pool(layer, from, to, in[0], out);
        break;
    case LAC_INT_AVG_POOL:
        avg_pool(layer, from, to, in[0], out);
        break;
    case LAC_INT_CONCAT:
        concat(graph, layer, in, out);
        break;
    case LAC_INT_TABLE:
        look_up(layer, to, in[0], out);
        break;
    case LAC_INT_MUL:
        mul(graph, layer, to, in, out);
        break;
    default:
        assert(layer->kind < LAC_N_INT_KINDS);
    }
}

/// Inputs of a layer are gathered here so that lac_ref_layer sees them in the layer's order; a concat of more
/// parts is copied part by part instead.
enum { MOST_GATHERED = 64 };

void lac_ref_run(const lac_int_graph *graph, int32_t *const *values) {
    for (int l = 0; l < graph->n_layers; l++) {
        const lac_int_layer *layer = &graph->layers[l];
        const int32_t *in[MOST_GATHERED];
        if (layer->n_in <= MOST_GATHERED) {
            for (int i = 0; i < layer->n_in; i++) in[i] = values[layer->in[i]];
            lac_ref_layer(graph, layer, in, values[layer->out]);
            continue;
        }
        int32_t *out = values[layer->out];
        for (int i = 0; i < layer->n_in; i++) {
            size_t n = lac_int_tensor_count(&graph->tensors[layer->in[i]]);
            memcpy(out, values[layer->in[i]], n * sizeof *out);
            out += n;
        }
    }
}

void lac_input_codes(const lac_int_graph *graph, const uint8_t *pixels, int32_t *codes) {
    const lac_int_tensor *in = &graph->tensors[graph->input];
    assert(in->c <= 4);
    const double low = lac_code_min(in->type.bits, in->type.is_signed);
    const double high = lac_code_max(in->type.bits, in->type.is_signed);
    for (int c = 0; c < in->c; c++)
        for (int i = 0; i < in->h * in->w; i++) {
            double x = ((double)*pixels++ - (double)graph->input_mean[c]) / (double)graph->input_std[c];
            double code = nearbyint(x / in->type.scale) + in->type.zero;
            *codes++ = (int32_t)(code < low ? low : code > high ? high : code);
        }
}

int lac_int_argmax(const lac_int_graph *graph, const int32_t *output) {
    const lac_int_layer *last = NULL;
    for (int l = 0; l < graph->n_layers; l++)
        if (graph->layers[l].out == graph->output) last = &graph->layers[l];
    const lac_int_tensor *out = &graph->tensors[graph->output];
    int pixels = out->h * out->w, best = 0;
    double best_value = -INFINITY;
    for (int i = 0; i < out->c * pixels; i++) {
        double value = last && last->raw ? last->raw_scale[i / pixels] * output[i] : output[i];
        if (value > best_value) {
            best_value = value;
            best = i;
        }
    }
    return best;
}
