#include "graph_builder.h"
#include "lac_num.h"
#include "ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

// ---- bounds against brute force ------------------------------------------------------------------------

typedef struct extremes {
    int64_t low, high;
} extremes;

/// Lowest and highest sum that some order of adding the terms passes through.
static void add_in_worst_order(extremes *e, int64_t term) {
    if (term < 0) e->low += term;
    if (term > 0) e->high += term;
}

static int64_t code_at(const lac_int_tensor *in, const int32_t *codes, int c, int y, int x) {
    if (y < 0 || y >= in->h || x < 0 || x >= in->w) return in->type.zero;
    return codes[(c * in->h + y) * in->w + x];
}

static extremes pixel_extremes(const lac_int_graph *g, const lac_int_layer *layer, const int32_t *codes,
                               int o, int oy, int ox) {
    const lac_int_tensor *in = &g->tensors[layer->in[0]], *out = &g->tensors[layer->out];
    const lac_window *w = &layer->window;
    extremes e = {0, 0};
    bool conv = layer->kind == LAC_INT_CONV2D;
    int n = conv ? in->c / w->groups : 1, first = conv ? o / (out->c / w->groups) * n : o;
    for (int c = 0; c < n; c++)
        for (int ky = 0; ky < w->kernel[0]; ky++)
            for (int kx = 0; kx < w->kernel[1]; kx++) {
                int64_t weight = conv ? layer->w[((o * n + c) * w->kernel[0] + ky) * w->kernel[1] + kx] : 1;
                add_in_worst_order(&e, weight * code_at(in, codes, first + c,
                                                        oy * w->stride[0] + ky * w->dilation[0] - w->pad[0],
                                                        ox * w->stride[1] + kx * w->dilation[1] - w->pad[1]));
            }
    add_in_worst_order(&e, layer->bias[o]);
    return e;
}

/// The next image in counting order; false after the last.
static bool next_image(const lac_int_tensor *in, int32_t *codes) {
    size_t n = lac_int_tensor_count(in);
    for (size_t i = 0; i < n; i++) {
        if (codes[i]++ < lac_code_max(in->type.bits, in->type.is_signed)) return true;
        codes[i] = lac_code_min(in->type.bits, in->type.is_signed);
    }
    return false;
}

static extremes by_brute_force(const lac_int_graph *g, const lac_int_layer *layer) {
    const lac_int_tensor *in = &g->tensors[layer->in[0]], *out = &g->tensors[layer->out];
    int32_t codes[16];
    extremes all = {0, 0};
    for (int i = 0; i < 16; i++) codes[i] = lac_code_min(in->type.bits, in->type.is_signed);
    do
        for (int o = 0; o < out->c; o++)
            for (int y = 0; y < out->h; y++)
                for (int x = 0; x < out->w; x++) {
                    extremes e = pixel_extremes(g, layer, codes, o, y, x);
                    if (e.low < all.low) all.low = e.low;
                    if (e.high > all.high) all.high = e.high;
                }
    while (next_image(in, codes));
    return all;
}

static layer_options small_window(builder *b, int h, int w) {
    layer_options o = {.out_c = builder_between(b, 1, 2), .zero_percent = 20};
    const int size[2] = {h, w};
    for (int axis = 0; axis < 2; axis++) {
        o.window.pad[axis] = builder_between(b, 0, 2);
        o.window.pad[axis + 2] = builder_between(b, 0, 2);
        int padded = size[axis] + o.window.pad[axis] + o.window.pad[axis + 2];
        o.window.kernel[axis] = builder_between(b, 1, padded < 4 ? padded : 4);
        o.window.stride[axis] = builder_between(b, 1, 2);
        o.window.dilation[axis] = 1;
    }
    o.window.groups = 1;
    o.weight_bits = builder_between(b, 1, 8);
    o.type = builder_any_type(b);
    return o;
}

static void bounds_are_exactly_what_brute_force_finds(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    for (uint64_t seed = 0; seed < 400; seed++) {
        builder b = builder_begin(arena, seed);
        lac_code_type type = {.bits = builder_between(&b, 1, 2), .scale = 1};
        type.is_signed = builder_between(&b, 0, 1);
        type.zero = builder_between(&b, lac_code_min(type.bits, type.is_signed),
                                    lac_code_max(type.bits, type.is_signed));
        int h = builder_between(&b, 1, 3), w = builder_between(&b, 1, 6 / h > 2 ? 2 : 6 / h);
        int in = builder_input(&b, 1, h, w, type);
        layer_options options = small_window(&b, h, w);
        int out =
            builder_between(&b, 0, 3) ? builder_conv(&b, in, options) : builder_avg_pool(&b, in, options);
        const lac_int_graph *g = builder_end(&b, out);
        int64_t low, high;
        lac_int_layer_bounds(g, &g->layers[0], &low, &high);
        extremes expected = by_brute_force(g, &g->layers[0]);
        if (low != expected.low || high != expected.high)
            fail_msg("seed %llu: bounds %lld..%lld, brute force %lld..%lld", (unsigned long long)seed,
                     (long long)low, (long long)high, (long long)expected.low, (long long)expected.high);
        lac_arena_reset(arena);
    }
    lac_arena_close(arena);
}

static void grouped_bounds_look_at_their_own_group(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 4, 3, 3, (lac_code_type){.bits = 8, .scale = 1});
    int out = builder_conv(
        &b, in, (layer_options){.out_c = 2, .window = {.groups = 2}, .weight_bits = 8, .raw = true});
    lac_int_graph *g = builder_end(&b, out);
    const int8_t w[4] = {3, -5, 7, 11};
    memcpy(g->layers[0].w, w, sizeof w);
    g->layers[0].bias[0] = -10;
    g->layers[0].bias[1] = 20;
    int64_t low, high;
    lac_int_layer_bounds(g, &g->layers[0], &low, &high);
    assert_int_equal(low, -5 * 255 - 10);
    assert_int_equal(high, 18 * 255 + 20);
    assert_int_equal(lac_int_layer_acc_bits(g, &g->layers[0]), 14);
    lac_arena_close(arena);
}

static void sums_of_two_tensors_are_bounded(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 1, 2, 2, (lac_code_type){.bits = 4, .is_signed = true, .scale = 1});
    int out = builder_add(&b, in, in, (lac_code_type){.bits = 4, .is_signed = true, .scale = 1});
    lac_int_graph *g = builder_end(&b, out);
    g->layers[0].add_w[0] = 10;
    g->layers[0].add_w[1] = 127;
    g->layers[0].bias[0] = 3;
    int64_t low, high;
    lac_int_layer_bounds(g, &g->layers[0], &low, &high);
    assert_int_equal(low, -8 * 137);
    assert_int_equal(high, 7 * 137 + 3);
    lac_arena_close(arena);
}

static void products_are_bounded(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        lac_arena *arena = lac_arena_open();
        builder b = builder_begin(arena, seed);
        lac_code_type x = {.bits = builder_between(&b, 1, 8), .is_signed = builder_between(&b, 0, 1)};
        int in = builder_input(&b, 1, 2, 2, x);
        layer_options mean = {.window = {.kernel = {2, 2}}, .type = builder_any_type(&b)};
        mean.type = builder_factor_type(&b);
        int factor = builder_avg_pool(&b, in, mean);
        const lac_int_graph *g = builder_end(&b, builder_mul(&b, in, factor, mean.type));
        int64_t low, high, bias = g->layers[1].bias[0];
        extremes expected = {0, 0};
        for (int q = lac_code_min(x.bits, x.is_signed); q <= lac_code_max(x.bits, x.is_signed); q++)
            for (int f = lac_code_min(mean.type.bits, mean.type.is_signed);
                 f <= lac_code_max(mean.type.bits, mean.type.is_signed); f++) {
                int64_t product = (int64_t)q * (f - mean.type.zero);
                if (product < expected.low) expected.low = product;
                if (product > expected.high) expected.high = product;
            }
        add_in_worst_order(&expected, bias);
        lac_int_layer_bounds(g, &g->layers[1], &low, &high);
        assert_int_equal(low, expected.low);
        assert_int_equal(high, expected.high);
        assert_int_equal(lac_int_layer_macs(g, &g->layers[1], true), 4);
        lac_arena_close(arena);
    }
}

// ---- counts --------------------------------------------------------------------------------------------

static void counts_weights_and_macs(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 4, 6, 5, (lac_code_type){.bits = 4, .scale = 1});
    int mid =
        builder_conv(&b, in, (layer_options){.out_c = 6, .window = WINDOW(3, 1, 1), .zero_percent = 50});
    int out = builder_avg_pool(&b, mid, (layer_options){.window = WINDOW(2, 2, 0)});
    lac_int_graph *g = builder_end(&b, out);
    const lac_int_layer *conv = &g->layers[0];
    uint64_t n_nonzero = 0;
    for (int i = 0; i < 6 * 4 * 9; i++) n_nonzero += conv->w[i] != 0;
    assert_int_equal(lac_int_layer_weights(g, conv, false), 6 * 4 * 9);
    assert_int_equal(lac_int_layer_weights(g, conv, true), n_nonzero);
    assert_int_equal(lac_int_layer_macs(g, conv, false), 6 * 4 * 9 * 30);
    assert_int_equal(lac_int_layer_macs(g, conv, true), n_nonzero * 30);
    assert_int_equal(lac_int_layer_weights(g, &g->layers[1], false), 0);
    assert_int_equal(lac_int_layer_macs(g, &g->layers[1], true), 4 * 6 * 3 * 2);
    assert_string_equal(lac_int_kind_name(LAC_INT_CONCAT), "concat");
    lac_arena_close(arena);
}

// ---- invariants ----------------------------------------------------------------------------------------

typedef void (*damage)(lac_int_graph *g);
static void wrong_shape(lac_int_graph *g) {
    g->tensors[1].h++;
}
static void wrong_zero(lac_int_graph *g) {
    g->tensors[0].type.zero = 16;
}
static void wrong_bits(lac_int_graph *g) {
    g->tensors[1].type.bits = 9;
}
static void wrong_clamp(lac_int_graph *g) {
    g->layers[0].hi = 16;
}
static void wrong_shift(lac_int_graph *g) {
    g->layers[0].s[1] = 47;
}
static void wrong_multiplier(lac_int_graph *g) {
    g->layers[0].m[0] = 0x7FFF;
    g->layers[0].s[0] = 20;
}
static void wrong_weight(lac_int_graph *g) {
    g->layers[0].w[3] = 8;
}
static void wrong_groups(lac_int_graph *g) {
    g->layers[0].window.groups = 3;
}
static void wrong_input(lac_int_graph *g) {
    g->layers[0].in[0] = 2;
}
static void wrong_output(lac_int_graph *g) {
    g->layers[1].out = 1;
}
static void wrong_raw(lac_int_graph *g) {
    g->layers[1].raw = false;
}
static void wrong_kind(lac_int_graph *g) {
    g->layers[1].kind = LAC_N_INT_KINDS;
}

static void rejects_broken_graphs_and_names_the_place(void **state) {
    (void)state;
    static const struct {
        damage damage;
        lac_status status;
        const char *says;
    } cases[] = {
        {wrong_shape, LAC_E_SHAPE, "layer 'first'"},
        {wrong_zero, LAC_E_RANGE, "tensor 'tensor0'"},
        {wrong_bits, LAC_E_RANGE, "9 bits"},
        {wrong_clamp, LAC_E_RANGE, "clamp"},
        {wrong_shift, LAC_E_RANGE, "shift 47"},
        {wrong_multiplier, LAC_E_RANGE, "multiplier 32767"},
        {wrong_weight, LAC_E_RANGE, "weight 3 is 8"},
        {wrong_groups, LAC_E_SHAPE, "3 groups"},
        {wrong_input, LAC_E_FORMAT, "no earlier layer"},
        {wrong_output, LAC_E_FORMAT, "made by no layer"},
        {wrong_raw, LAC_E_FORMAT, "layer 'second'"},
        {wrong_kind, LAC_E_FORMAT, "unknown kind"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lac_arena *arena = lac_arena_open();
        builder b = builder_begin(arena, 1);
        int in = builder_input(&b, 2, 6, 5, (lac_code_type){.bits = 4, .scale = 1});
        int mid =
            builder_conv(&b, in, (layer_options){.out_c = 4, .window = WINDOW(3, 1, 1), .name = "first"});
        int out = builder_conv(&b, mid, (layer_options){.out_c = 4, .raw = true, .name = "second"});
        lac_int_graph *g = builder_end(&b, out);
        lac_error err = {0};
        assert_int_equal(lac_int_graph_check(g, &err), LAC_OK);
        cases[i].damage(g);
        assert_int_equal(lac_int_graph_check(g, &err), cases[i].status);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err.text, cases[i].says);
        lac_arena_close(arena);
    }
}

static void wrong_table(lac_int_graph *g) {
    g->layers[1].table[200] = 16;
}
static void no_table(lac_int_graph *g) {
    g->layers[1].table = NULL;
}
static void table_of_another_shape(lac_int_graph *g) {
    g->tensors[2].c++;
}
static void factor_of_two_pixels(lac_int_graph *g) {
    g->layers[2].in[1] = 0;
}
static void product_of_another_zero(lac_int_graph *g) {
    g->tensors[0].type.zero = 1;
}
static void product_of_large_factors(lac_int_graph *g) {
    g->tensors[2].type.bits = 8;
    memset(g->layers[1].table, 0, LAC_TABLE_CODES);
}
static void product_of_one(lac_int_graph *g) {
    g->layers[2].n_in = 1;
}

static void rejects_broken_tables_and_products(void **state) {
    (void)state;
    static const struct {
        damage damage;
        lac_status status;
        const char *says;
    } cases[] = {
        {wrong_table, LAC_E_RANGE, "place 200 of its table has 16"},
        {no_table, LAC_E_FORMAT, "has no table"},
        {table_of_another_shape, LAC_E_SHAPE, "a table changes codes"},
        {factor_of_two_pixels, LAC_E_SHAPE, "the second must have one pixel"},
        {product_of_another_zero, LAC_E_RANGE, "a product needs 0"},
        {product_of_large_factors, LAC_E_RANGE, "are 0..255"},
        {product_of_one, LAC_E_FORMAT, "it takes 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lac_arena *arena = lac_arena_open();
        builder b = builder_begin(arena, 1);
        lac_code_type four = {.bits = 4, .scale = 1};
        int in = builder_input(&b, 2, 6, 5, four);
        int mean = builder_avg_pool(&b, in, (layer_options){.window = {.kernel = {6, 5}}, .type = four});
        lac_int_graph *g = builder_end(&b, builder_mul(&b, in, builder_table(&b, mean, four), four));
        lac_error err = {0};
        cases[i].damage(g);
        assert_int_equal(lac_int_graph_check(g, &err), cases[i].status);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err.text, cases[i].says);
        lac_arena_close(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_exactly_what_brute_force_finds),
        cmocka_unit_test(grouped_bounds_look_at_their_own_group),
        cmocka_unit_test(sums_of_two_tensors_are_bounded),
        cmocka_unit_test(counts_weights_and_macs),
        cmocka_unit_test(rejects_broken_graphs_and_names_the_place),
        cmocka_unit_test(products_are_bounded),
        cmocka_unit_test(rejects_broken_tables_and_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
