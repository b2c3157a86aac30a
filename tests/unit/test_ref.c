#include "graph_builder.h"
#include "lac_num.h"
#include "ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

// Each value of each layer by a formula of its own, one pixel at a time, without any of the reference's
// loops.

static int64_t at(const lac_int_tensor *t, const int32_t *v, int c, int y, int x, int64_t outside) {
    if (y < 0 || y >= t->h || x < 0 || x >= t->w) return outside;
    return v[((size_t)c * (size_t)t->h + (size_t)y) * (size_t)t->w + (size_t)x];
}

static int64_t requantized(const lac_int_layer *layer, const lac_int_tensor *out, int o, int64_t acc) {
    if (layer->raw) return acc + layer->bias[o];
    return lac_requantize((int32_t)acc, layer->bias[o], layer->m[o], layer->s[o], (int16_t)layer->lo,
                          (int16_t)layer->hi, (int16_t)out->type.zero);
}

static int64_t window_value(const lac_int_graph *g, const lac_int_layer *layer, int32_t *const *v, int o,
                            int oy, int ox) {
    const lac_int_tensor *in = &g->tensors[layer->in[0]], *out = &g->tensors[layer->out];
    const lac_window *w = &layer->window;
    int64_t sum = 0, best = lac_code_min(in->type.bits, in->type.is_signed);
    int n = layer->kind == LAC_INT_CONV2D ? in->c / w->groups : 1;
    for (int i = 0; i < n * w->kernel[0] * w->kernel[1]; i++) {
        int kx = i % w->kernel[1], ky = i / w->kernel[1] % w->kernel[0], c = i / w->kernel[1] / w->kernel[0];
        int y = oy * w->stride[0] + ky * w->dilation[0] - w->pad[0];
        int x = ox * w->stride[1] + kx * w->dilation[1] - w->pad[1];
        int from = layer->kind == LAC_INT_CONV2D ? o / (out->c / w->groups) * n + c : o;
        int64_t weight =
            layer->kind == LAC_INT_CONV2D ? layer->w[o * n * w->kernel[0] * w->kernel[1] + i] : 1;
        sum += weight * at(in, v[layer->in[0]], from, y, x, in->type.zero);
        int64_t code = at(in, v[layer->in[0]], from, y, x, best);
        if (code > best) best = code;
    }
    return layer->kind == LAC_INT_MAX_POOL ? best : requantized(layer, out, o, sum);
}

static int64_t concat_value(const lac_int_graph *g, const lac_int_layer *layer, int32_t *const *v, int c,
                            int y, int x) {
    int i = 0;
    while (c >= g->tensors[layer->in[i]].c) c -= g->tensors[layer->in[i++]].c;
    return at(&g->tensors[layer->in[i]], v[layer->in[i]], c, y, x, 0);
}

static int64_t mul_value(const lac_int_graph *g, const lac_int_layer *layer, int32_t *const *v, int c, int y,
                         int x) {
    const lac_int_tensor *scale = &g->tensors[layer->in[1]];
    bool of_pixels = scale->h * scale->w > 1 || scale->c != g->tensors[layer->in[0]].c;
    int64_t factor =
        (of_pixels ? at(scale, v[layer->in[1]], 0, y, x, 0) : at(scale, v[layer->in[1]], c, 0, 0, 0)) -
        scale->type.zero;
    int64_t product = factor * at(&g->tensors[layer->in[0]], v[layer->in[0]], c, y, x, 0);
    return requantized(layer, &g->tensors[layer->out], c, product);
}

static int64_t table_value(const lac_int_graph *g, const lac_int_layer *layer, int32_t *const *v, int c,
                           int y, int x) {
    int64_t code = at(&g->tensors[layer->in[0]], v[layer->in[0]], c, y, x, 0);
    uint8_t byte = layer->table[(code + 256) % 256];
    return g->tensors[layer->out].type.is_signed ? (int8_t)byte : byte;
}

static int64_t value(const lac_int_graph *g, const lac_int_layer *layer, int32_t *const *v, int c, int y,
                     int x) {
    if (layer->kind == LAC_INT_CONCAT) return concat_value(g, layer, v, c, y, x);
    if (layer->kind == LAC_INT_MUL) return mul_value(g, layer, v, c, y, x);
    if (layer->kind == LAC_INT_TABLE) return table_value(g, layer, v, c, y, x);
    if (layer->kind != LAC_INT_ADD) return window_value(g, layer, v, c, y, x);
    int64_t sum = 0;
    for (int i = 0; i < 2; i++)
        sum += layer->add_w[i] * at(&g->tensors[layer->in[i]], v[layer->in[i]], c, y, x, 0);
    return requantized(layer, &g->tensors[layer->out], c, sum);
}

static void every_value_follows_the_formula_of_its_layer(void **state) {
    (void)state;
    int kinds[LAC_N_INT_KINDS] = {0};
    for (uint64_t seed = 0; seed < 600; seed++) {
        lac_arena *arena = lac_arena_open();
        const lac_int_graph *g = seed % 2 ? random_gated_graph(arena, seed) : random_graph(arena, seed);
        int32_t **v = reference_values(g, arena, seed);
        for (int l = 0; l < g->n_layers; l++) {
            const lac_int_layer *layer = &g->layers[l];
            const lac_int_tensor *out = &g->tensors[layer->out];
            kinds[layer->kind]++;
            for (int i = 0; i < out->c * out->h * out->w; i++) {
                int x = i % out->w, y = i / out->w % out->h, c = i / out->w / out->h;
                int64_t expected = value(g, layer, v, c, y, x);
                if (v[layer->out][i] != expected)
                    fail_msg("seed %llu, %s '%s' at %d,%d,%d: %d, not %lld", (unsigned long long)seed,
                             lac_int_kind_name(layer->kind), layer->name, c, y, x, v[layer->out][i],
                             (long long)expected);
            }
        }
        lac_arena_close(arena);
    }
    for (int k = 0; k < LAC_N_INT_KINDS; k++) assert_true(kinds[k] > 50);
}

static void pixels_become_codes_by_rounding_half_to_even(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 2, 1, 4, (lac_code_type){.bits = 4, .is_signed = true, .zero = 1, .scale = 2});
    lac_int_graph *g = builder_end(&b, builder_conv(&b, in, (layer_options){.out_c = 1, .raw = true}));
    g->input_mean[0] = 100;
    g->input_std[0] = 1;
    g->input_mean[1] = 0;
    g->input_std[1] = 50;
    const uint8_t pixels[8] = {101, 103, 99, 130, 0, 50, 150, 255};
    int32_t codes[8];
    lac_input_codes(g, pixels, codes);
    const int32_t expected[8] = {1 + 0, 1 + 2, 1 - 0, 7,
                                 1,     1 + 0, 1 + 2, 1 + 3}; // 0.5 to 0, 1.5 to 2; 15+1 clamps
    assert_memory_equal(codes, expected, sizeof codes);
    lac_arena_close(arena);
}

static void a_pixel_is_its_own_code_where_scale_and_zero_say_so(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 1, 16, 16, (lac_code_type){.bits = 8, .zero = 73, .scale = 1 / 90.0});
    lac_int_graph *g = builder_end(&b, builder_conv(&b, in, (layer_options){.out_c = 1, .raw = true}));
    g->input_mean[0] = 73;
    g->input_std[0] = 90;
    uint8_t pixels[256];
    int32_t codes[256];
    for (int i = 0; i < 256; i++) pixels[i] = (uint8_t)i;
    lac_input_codes(g, pixels, codes);
    for (int i = 0; i < 256; i++) assert_int_equal(codes[i], i);
    lac_arena_close(arena);
}

static void argmax_applies_the_scales_and_takes_the_first_of_equals(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 1, 1, 1, (lac_code_type){.bits = 4, .scale = 1});
    lac_int_graph *g = builder_end(&b, builder_conv(&b, in, (layer_options){.out_c = 4, .raw = true}));
    const double scales[4] = {1, 0.5, 2, 1};
    memcpy(g->layers[0].raw_scale, scales, sizeof scales);
    assert_int_equal(lac_int_argmax(g, (const int32_t[]){10, 21, 5, 10}), 1);
    assert_int_equal(lac_int_argmax(g, (const int32_t[]){10, 20, 5, 10}), 0);
    assert_int_equal(lac_int_argmax(g, (const int32_t[]){-10, -30, -4, -9}), 2);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_follows_the_formula_of_its_layer),
        cmocka_unit_test(pixels_become_codes_by_rounding_half_to_even),
        cmocka_unit_test(a_pixel_is_its_own_code_where_scale_and_zero_say_so),
        cmocka_unit_test(argmax_applies_the_scales_and_takes_the_first_of_equals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
