#include "random_nets.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "calibrate.h"
#include "quant_codes.h"
#include "quantize.h"
#include "ref.h"
#include "sites.h"
#include "snap.h"

/// The integer graph against the fake-quantized float graph, layer by layer, on random networks.
///
/// Each layer gets the codes of the float graph as input, so that every difference belongs to one layer. A
/// code may differ by one where the float value before rounding lies within TIE of a half: float sums are
/// inexact.

enum { N_NETS = 40, N_IMAGES = 3 };
static const double TIE = 2e-3; // in codes

typedef struct comparison {
    const lac_graph *g;
    const lac_int_graph *ig;
    float **values; // per float value: N_IMAGES images
    int32_t **codes;
    uint64_t n, n_ties, n_wrong;
} comparison;

static void keep_value(void *ctx, int value, const float *data, lac_shape shape) {
    comparison *c = ctx;
    size_t n = (size_t)lac_shape_count(shape) * sizeof *data;
    c->values[value] = lac_arena_copy(c->g->arena, data, n);
}

static int value_named(const lac_graph *g, const char *name) {
    for (int v = 0; v < g->n_values; v++)
        if (strcmp(g->values[v].name, name) == 0) return v;
    return -1;
}

// Where element i of tensor t is in the float value, of which several rows and columns may be one in memory.
static size_t place_in_value(const comparison *c, int t, size_t i) {
    const lac_int_tensor *tensor = &c->ig->tensors[t];
    lac_shape shape = c->g->values[value_named(c->g, tensor->name)].shape;
    if (shape.n_dims != 4) return i;
    size_t h = (size_t)shape.dim[2], w = (size_t)shape.dim[3], th = (size_t)tensor->h, tw = (size_t)tensor->w;
    size_t fy = h / th, fx = w / tw, channel = i / (th * tw), y = i / tw % th, x = i % tw;
    return (channel / (fy * fx) * h + y * fy + channel / fx % fy) * w + x * fx + channel % fx;
}

// Codes of a float value whose quantized form tensor t holds.
static bool float_codes(const comparison *c, int t, int image, int32_t *codes) {
    const lac_int_tensor *tensor = &c->ig->tensors[t];
    int v = value_named(c->g, tensor->name);
    if (v < 0 || tensor->type.bits == 32) return false;
    size_t n = lac_int_tensor_count(tensor);
    for (size_t i = 0; i < n; i++) {
        double code = (double)c->values[v][(size_t)image * n + place_in_value(c, t, i)] / tensor->type.scale;
        assert_true(fabs(code - rint(code)) < 1e-3);
        codes[i] = (int32_t)rint(code) + tensor->type.zero;
    }
    return true;
}

// Values before rounding, where the tensor is what a quantizer makes; NULL elsewhere (max pool, concat).
static const float *before_rounding(const comparison *c, int t, int image) {
    const lac_int_tensor *tensor = &c->ig->tensors[t];
    int producer = lac_graph_producer(c->g, value_named(c->g, tensor->name));
    if (producer < 0 || c->g->nodes[producer].op != LAC_OP_QUANT) return NULL;
    return c->values[c->g->nodes[producer].in[0]] + (size_t)image * lac_int_tensor_count(tensor);
}

static void compare_codes(comparison *c, int t, int image, const int32_t *ours, const int32_t *expected) {
    const lac_int_tensor *tensor = &c->ig->tensors[t];
    const float *real = before_rounding(c, t, image);
    for (size_t i = 0; i < lac_int_tensor_count(tensor); i++) {
        c->n++;
        if (ours[i] == expected[i]) continue;
        double code = real ? (double)real[place_in_value(c, t, i)] / tensor->type.scale : 0;
        bool tie = real && abs(ours[i] - expected[i]) == 1 && fabs(code - floor(code) - 0.5) < TIE;
        c->n_ties += tie;
        c->n_wrong += !tie;
    }
}

static void compare_raw(comparison *c, const lac_int_layer *layer, int image, const int32_t *ours) {
    const lac_int_tensor *tensor = &c->ig->tensors[layer->out];
    const float *expected = c->values[c->g->output] + (size_t)image * lac_int_tensor_count(tensor);
    double largest = 0;
    for (int o = 0; o < tensor->c; o++) largest = fmax(largest, fabs((double)expected[o]));
    for (int o = 0; o < tensor->c; o++) {
        double off = fabs(layer->raw_scale[o] * ours[o] - (double)expected[o]);
        c->n++;
        c->n_wrong += !(off <= 2e-5 * largest + 1e-5);
    }
}

static void compare_image(comparison *c, int image) {
    assert_true(float_codes(c, c->ig->input, image, c->codes[c->ig->input]));
    int32_t *expected[2] = {LAC_NEW_ARRAY(c->g->arena, int32_t, 1 << 16), NULL};
    for (int l = 0; l < c->ig->n_layers; l++) {
        const lac_int_layer *layer = &c->ig->layers[l];
        const int32_t *in[8];
        for (int i = 0; i < layer->n_in; i++) in[i] = c->codes[layer->in[i]];
        lac_ref_layer(c->ig, layer, in, c->codes[layer->out]);
        if (layer->raw) {
            compare_raw(c, layer, image, c->codes[layer->out]);
        } else if (float_codes(c, layer->out, image, expected[0])) {
            compare_codes(c, layer->out, image, c->codes[layer->out], expected[0]);
            memcpy(c->codes[layer->out], expected[0],
                   lac_int_tensor_count(&c->ig->tensors[layer->out]) * sizeof **expected);
        }
    }
}

static void compare(comparison *c, const lac_dataset *data) {
    float *x = LAC_NEW_ARRAY(c->g->arena, float, N_IMAGES * data->c * data->h * data->w);
    c->values = LAC_NEW_ARRAY(c->g->arena, float *, c->g->n_values);
    c->codes = LAC_NEW_ARRAY(c->g->arena, int32_t *, c->ig->n_tensors);
    for (int t = 0; t < c->ig->n_tensors; t++)
        c->codes[t] = LAC_NEW_ARRAY(c->g->arena, int32_t, lac_int_tensor_count(&c->ig->tensors[t]));
    lac_normalize(data, data->test.pixels, N_IMAGES, x);
    ASSERT_OK(lac_infer_visit(c->g, x, N_IMAGES, keep_value, c, err));
    for (int i = 0; i < N_IMAGES; i++) compare_image(c, i);
}

static lac_quant_config random_widths(lac_rng *rng) {
    lac_quant_config c = {.weight_bits = 2 + (int)lac_rng_below(rng, 7),
                          .act_bits = 1 + (int)lac_rng_below(rng, 8),
                          .ternary = lac_rng_below(rng, 5) == 0};
    if (lac_rng_below(rng, 2)) c.first_bits = c.last_bits = 8;
    c.act_range = (lac_range_kind)lac_rng_below(rng, LAC_N_RANGES);
    c.asymmetric = lac_rng_below(rng, 3) == 0;
    c.power_of_two = lac_rng_below(rng, 4) == 0;
    return c;
}

// Quantizes without training; scales are shaken so that clipping and odd ratios occur.
static lac_graph *quantized_net(lac_arena *arena, uint64_t seed, const lac_dataset *data, net_family family) {
    lac_graph *g = make_random_net_with(arena, seed, data, family);
    lac_rng rng = lac_rng_make(seed, 99);
    lac_quant_config config = random_widths(&rng);
    lac_quant_sites sites;
    float *scale;
    int *zero;
    ASSERT_OK(lac_quant_sites_plan(g, &config, arena, &sites, err));
    ASSERT_OK(lac_calibrate(g, data, &config, &sites, arena, &scale, &zero, err));
    for (int i = 0; i < sites.n; i++)
        if (!sites.site[i].is_input) scale[i] *= 0.7f + 0.6f * lac_rng_uniform(&rng);
    ASSERT_OK(lac_quant_sites_insert(g, &sites, scale, zero, err));
    ASSERT_OK(lac_graph_infer(g, err));
    ASSERT_OK(lac_graph_check(g, err));
    return g;
}

typedef struct world {
    lac_arena *arena;
    lac_dataset data;
} world;

static int open_world(void **state) {
    world *w = calloc(1, sizeof *w);
    w->arena = lac_arena_open();
    *state = w;
    return 0;
}

static int close_world(void **state) {
    world *w = *state;
    lac_arena_close(w->arena);
    free(w);
    return 0;
}

static comparison compare_net_of(world *w, uint64_t seed, net_family family, bool snap,
                                 void (*fault)(lac_int_graph *)) {
    lac_arena_reset(w->arena);
    w->data = make_noise_data(w->arena, 1 + (int)(seed % 3), 8 + (int)(seed % 3), 9, 5, 40, seed);
    comparison c = {.g = quantized_net(w->arena, seed, &w->data, family)};
    lac_int_graph *ig;
    if (snap) ASSERT_OK(lac_snap((lac_graph *)c.g, err));
    ASSERT_OK(lac_lower(c.g, &w->data, w->arena, &ig, err));
    if (fault) fault(ig);
    c.ig = ig;
    compare(&c, &w->data);
    return c;
}

static comparison compare_net(world *w, uint64_t seed, bool snap, void (*fault)(lac_int_graph *)) {
    return compare_net_of(w, seed, NET_PLAIN, snap, fault);
}

static void expect_equal_nets(world *w, net_family family) {
    uint64_t n = 0, n_ties = 0;
    for (uint64_t seed = 1; seed <= N_NETS; seed++) {
        comparison c = compare_net_of(w, seed, family, true, NULL);
        if (c.n_wrong)
            fail_msg("net %" PRIu64 ": %" PRIu64 " of %" PRIu64 " codes differ", seed, c.n_wrong, c.n);
        n += c.n;
        n_ties += c.n_ties;
    }
    print_message("%" PRIu64 " codes, %" PRIu64 " ties\n", n, n_ties);
    assert_true(n > 50000);
    // The mean of a few channels has their scale: it is often a half exactly.
    assert_true(n_ties * (family == NET_GATES ? 500 : 2000) < n);
}

static void integers_equal_the_float_graph_but_for_ties(void **state) {
    expect_equal_nets(*state, NET_PLAIN);
}

static void so_they_do_when_values_are_rearranged_and_folded(void **state) {
    expect_equal_nets(*state, NET_MOVES);
}

static void so_they_do_with_tables_and_factors(void **state) {
    expect_equal_nets(*state, NET_GATES);
}

static void perturb_table(lac_int_graph *ig) {
    for (int l = 0; l < ig->n_layers; l++)
        for (int i = 0; ig->layers[l].table && i < LAC_TABLE_CODES; i++) ig->layers[l].table[i] ^= 1;
}

static void perturb_factor(lac_int_graph *ig) {
    for (int l = 0; l < ig->n_layers; l++)
        if (ig->layers[l].kind == LAC_INT_MUL) ig->tensors[ig->layers[l].in[1]].type.zero ^= 1;
}

static void the_comparison_catches_a_wrong_table_and_a_wrong_factor(void **state) {
    void (*const faults[])(lac_int_graph *) = {perturb_table, perturb_factor};
    for (int f = 0; f < 2; f++) {
        uint64_t n_wrong = 0;
        for (uint64_t seed = 1; seed <= 5; seed++)
            n_wrong += compare_net_of(*state, seed, NET_GATES, true, faults[f]).n_wrong;
        assert_true(n_wrong > 0);
    }
}

// Without snapping, offsets are rounded to the accumulator: differences appear, and are few.
static void snapping_is_what_makes_them_equal(void **state) {
    uint64_t n = 0, n_wrong = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        comparison c = compare_net(*state, seed, false, NULL);
        n += c.n;
        n_wrong += c.n_wrong;
    }
    print_message("%" PRIu64 " of %" PRIu64 " codes differ unsnapped\n", n_wrong, n);
    assert_true(n_wrong > 0);
    assert_true(n_wrong * 20 < n);
}

static void perturb_multiplier(lac_int_graph *ig) {
    for (int l = 0; l < ig->n_layers; l++)
        if (ig->layers[l].m) ig->layers[l].m[0] = (uint16_t)(ig->layers[l].m[0] ^ 0x1000);
}

static void perturb_bias(lac_int_graph *ig) {
    for (int l = 0; l < ig->n_layers; l++)
        if (ig->layers[l].bias) ig->layers[l].bias[0] += 3;
}

static void perturb_weight(lac_int_graph *ig) {
    for (int l = 0; l < ig->n_layers; l++)
        if (ig->layers[l].w) ig->layers[l].w[1] = (int8_t)-ig->layers[l].w[1];
}

static uint64_t wrong_with(world *w, void (*fault)(lac_int_graph *)) {
    uint64_t n_wrong = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) n_wrong += compare_net(w, seed, true, fault).n_wrong;
    return n_wrong;
}

static void the_comparison_catches_deliberate_faults(void **state) {
    assert_true(wrong_with(*state, perturb_multiplier) > 0);
    assert_true(wrong_with(*state, perturb_bias) > 0);
    assert_true(wrong_with(*state, perturb_weight) > 0);
}

static uint32_t weight_codes_that_change(world *w, uint64_t seed) {
    lac_arena_reset(w->arena);
    w->data = make_noise_data(w->arena, 1, 8, 9, 5, 40, seed);
    lac_graph *g = quantized_net(w->arena, seed, &w->data, NET_PLAIN), *before = lac_graph_copy(g, w->arena);
    ASSERT_OK(lac_snap(g, err));
    uint32_t changed = 0;
    for (int n = 0; n < g->n_nodes; n++) {
        if (g->nodes[n].op != LAC_OP_CONV2D && g->nodes[n].op != LAC_OP_LINEAR) continue;
        lac_weight_codes a, b;
        ASSERT_OK(lac_weight_codes_read(before, n, w->arena, &a, err));
        ASSERT_OK(lac_weight_codes_read(g, n, w->arena, &b, err));
        for (int i = 0; i < a.n_out * a.n_per_out; i++) changed += a.code[i] != b.code[i];
        for (int o = 0; o < a.n_out; o++) assert_true(fabs(b.scale[o] / a.scale[o] - 1) < 1e-4);
    }
    return changed;
}

static void snapping_changes_no_weight_code(void **state) {
    for (uint64_t seed = 1; seed <= 10; seed++) assert_int_equal(weight_codes_that_change(*state, seed), 0);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_WORLD(integers_equal_the_float_graph_but_for_ties),
        WITH_WORLD(so_they_do_when_values_are_rearranged_and_folded),
        WITH_WORLD(so_they_do_with_tables_and_factors),
        WITH_WORLD(the_comparison_catches_a_wrong_table_and_a_wrong_factor),
        WITH_WORLD(snapping_is_what_makes_them_equal),
        WITH_WORLD(the_comparison_catches_deliberate_faults),
        WITH_WORLD(snapping_changes_no_weight_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
