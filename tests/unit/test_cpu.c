#include "cpu.h"
#include "graph_builder.h"
#include "ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "arena_fixture.h"

// The fast executor against the reference, tensor by tensor, on every kind of layer and on random graphs.

/// The first tensor that `prepared` gives other values than `graph` by the reference; -1: none.
static int first_difference(const lac_int_graph *graph, const lac_int_graph *prepared, uint64_t seed) {
    int32_t **expected = reference_values(graph, arena, seed);
    int32_t **values = LAC_NEW_ARRAY(arena, int32_t *, graph->n_tensors);
    size_t bytes[64];
    for (int t = 0; t < graph->n_tensors; t++) {
        bytes[t] = lac_int_tensor_count(&graph->tensors[t]) * sizeof(int32_t);
        values[t] = lac_arena_alloc(arena, bytes[t]);
        memset(values[t], 0x55, bytes[t]);
    }
    memcpy(values[graph->input], expected[graph->input], bytes[graph->input]);
    const lac_cpu *cpu = lac_cpu_prepare(prepared, arena);
    lac_cpu_run(cpu, LAC_NEW_ARRAY(arena, int32_t, lac_cpu_scratch_count(cpu)), values);
    for (int l = 0; l < graph->n_layers; l++) {
        int t = graph->layers[l].out;
        if (memcmp(values[t], expected[t], bytes[t]) != 0) return t;
    }
    return -1;
}

static void assert_same(builder *b, int output) {
    lac_int_graph *graph = builder_end(b, output);
    for (uint64_t seed = 0; seed < 3; seed++) {
        int t = first_difference(graph, graph, seed);
        if (t >= 0) fail_msg("tensor '%s' differs, input seed %d", graph->tensors[t].name, (int)seed);
    }
}

/// A convolution of h x w pixels by the options, and a raw one after it.
static void check_conv(int c, int h, int w, layer_options options) {
    builder b = builder_begin(arena, (uint64_t)(c * 1000 + h * 100 + w));
    int x = builder_conv(&b, builder_input(&b, c, h, w, builder_any_type(&b)), options);
    const lac_int_tensor *t = &b.graph->tensors[x];
    layer_options last = {.out_c = 10, .weight_bits = 8, .raw = true};
    last.window = (lac_window){.kernel = {t->h, t->w}};
    assert_same(&b, builder_conv(&b, x, last));
}

static const lac_code_type signed8 = {.bits = 8, .is_signed = true, .zero = -3, .scale = 1};

static void dense_rows_of_every_length(void **state) {
    (void)state;
    for (int w = 1; w < 20; w++)
        check_conv(3, 3, w, (layer_options){.out_c = 17, .window = WINDOW(3, 1, 1), .weight_bits = 8});
}

static void strides_dilations_and_one_sided_padding(void **state) {
    (void)state;
    layer_options o = {.out_c = 33, .weight_bits = 5, .type = signed8};
    o.window = (lac_window){.kernel = {3, 2}, .stride = {2, 3}, .pad = {1, 0, 2, 3}, .dilation = {2, 1}};
    check_conv(5, 9, 23, o);
    o.zero_percent = 95;
    check_conv(5, 9, 23, o);
}

static void groups_of_one_and_of_several(void **state) {
    (void)state;
    layer_options o = {.out_c = 36, .window = WINDOW(3, 1, 1), .weight_bits = 8, .type = signed8};
    for (int groups = 1; groups <= 18; groups *= 3)
        for (int w = 3; w < 40; w += 18) {
            o.window.groups = groups;
            check_conv(18, 4, w, o);
        }
}

static void layers_without_weights_that_count(void **state) {
    (void)state;
    check_conv(4, 5, 5, (layer_options){.out_c = 20, .zero_percent = 100});
}

static void rows_longer_than_a_span(void **state) {
    (void)state;
    layer_options o = {.out_c = 3, .window = WINDOW(3, 1, 1), .weight_bits = 4};
    o.window.groups = 3;
    check_conv(3, 2, 600, o);
}

static void pools_sums_and_joins(void **state) {
    (void)state;
    builder b = builder_begin(arena, 5);
    int x = builder_input(&b, 18, 9, 21, builder_any_type(&b));
    layer_options pool = {.window = WINDOW(3, 2, 1), .type = b.graph->tensors[x].type};
    int largest = builder_max_pool(&b, x, WINDOW(3, 2, 1)), mean = builder_avg_pool(&b, x, pool);
    int sum = builder_add(&b, largest, mean, b.graph->tensors[x].type);
    int joined = builder_concat(&b, (int[]){sum, mean, largest, sum}, 4);
    assert_same(&b, joined);
}

static void random_graphs(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        lac_int_graph *graph = seed % 2 ? random_gated_graph(arena, seed) : random_graph(arena, seed);
        int t = first_difference(graph, graph, seed);
        if (t >= 0) fail_msg("graph %d: tensor '%s' differs", (int)seed, graph->tensors[t].name);
        lac_arena_reset(arena);
    }
}

/// One wrong weight, bias or clamp must be seen: the comparison can fail.
static void notices_a_fault(void **state) {
    (void)state;
    builder b = builder_begin(arena, 9);
    int x = builder_input(&b, 4, 9, 9, signed8);
    layer_options o = {.out_c = 20, .window = WINDOW(3, 1, 1), .weight_bits = 8, .type = signed8};
    int y = builder_conv(&b, x, o);
    lac_int_graph *graph = builder_end(&b, y), faulty = *graph;
    lac_int_layer layer = graph->layers[0];
    faulty.layers = &layer;
    assert_int_equal(first_difference(graph, &faulty, 1), -1);
    layer.w = lac_arena_copy(arena, layer.w, 20 * 4 * 9);
    layer.w[19 * 4 * 9 + 7] ^= 64;
    assert_int_equal(first_difference(graph, &faulty, 1), y);
    layer = graph->layers[0];
    layer.hi--;
    assert_int_equal(first_difference(graph, &faulty, 1), y);
}

static void notices_a_wrong_factor_and_a_wrong_table(void **state) {
    (void)state;
    builder b = builder_begin(arena, 10);
    lac_code_type symmetric = {.bits = 8, .is_signed = true, .scale = 1};
    int x = builder_input(&b, 6, 7, 5, symmetric);
    int mean = builder_avg_pool(&b, x, (layer_options){.window = {.kernel = {7, 5}}, .type = signed8});
    int factor = builder_table(&b, mean, (lac_code_type){.bits = 7, .zero = 43, .scale = 1});
    int y = builder_mul(&b, x, factor, signed8);
    lac_int_graph *graph = builder_end(&b, y), faulty = *graph;
    lac_int_layer layers[3];
    memcpy(layers, graph->layers, sizeof layers);
    faulty.layers = layers;
    assert_int_equal(first_difference(graph, &faulty, 1), -1);
    layers[1].table = lac_arena_copy(arena, layers[1].table, LAC_TABLE_CODES);
    for (int i = 0; i < LAC_TABLE_CODES; i++) layers[1].table[i] ^= 64;
    assert_int_equal(first_difference(graph, &faulty, 1), factor);
    layers[1] = graph->layers[1];
    lac_int_tensor tensors[4];
    memcpy(tensors, graph->tensors, sizeof tensors);
    faulty.tensors = tensors;
    tensors[factor].type.zero -= 40;
    assert_int_equal(first_difference(graph, &faulty, 1), y);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(dense_rows_of_every_length, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(strides_dilations_and_one_sided_padding, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(groups_of_one_and_of_several, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(layers_without_weights_that_count, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(rows_longer_than_a_span, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(pools_sums_and_joins, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(random_graphs, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(notices_a_fault, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(notices_a_wrong_factor_and_a_wrong_table, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
