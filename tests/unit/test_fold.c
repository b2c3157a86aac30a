#include "graph_builder.h"
#include "image.h"
#include "ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

// What the compiler folds away must not change a code of what is left.

static const lac_engine_config engine = {
    .mesh_x = 3, .mesh_y = 3, .drain = 3, .acc_bits = 28, .act_words = 16384, .list_words = 4096};
static const lac_code_type u4 = {.bits = 4, .scale = 1};

static void make_sparse(lac_int_graph *graph, uint64_t seed, int zero_percent) {
    lac_rng rng = lac_rng_make(seed, 11);
    for (int l = 0; l < graph->n_layers; l++) {
        size_t n = lac_int_layer_weights(graph, &graph->layers[l], false);
        if (graph->layers[l].weight_bits == 1) continue;
        for (size_t i = 0; i < n; i++)
            if ((int)lac_rng_below(&rng, 100) < zero_percent) graph->layers[l].w[i] = 0;
    }
}

/// The channels of a tensor are some of those of another, in their order.
static bool is_part_of(const lac_int_tensor *part, const int32_t *codes, const lac_int_tensor *whole,
                       const int32_t *all) {
    size_t n = (size_t)part->h * (size_t)part->w;
    int at = 0;
    for (int c = 0; c < whole->c && at < part->c; c++)
        at += memcmp(codes + (size_t)at * n, all + (size_t)c * n, n * sizeof *codes) == 0;
    return at == part->c;
}

static int tensor_named(const lac_int_graph *graph, const char *name) {
    for (int t = 0; t < graph->n_tensors; t++)
        if (strcmp(graph->tensors[t].name, name) == 0) return t;
    return -1;
}

/// How many tensors of the folded graph are not made of channels of the original's.
static int n_wrong(const lac_int_graph *graph, const lac_int_graph *folded, lac_arena *arena, uint64_t seed) {
    int32_t **all = reference_values(graph, arena, seed), **left = reference_values(folded, arena, seed);
    int n = 0;
    for (int t = 0; t < folded->n_tensors; t++) {
        const lac_int_tensor *tensor = &folded->tensors[t];
        int original = tensor_named(graph, tensor->name);
        if (original < 0) continue; // a copy that the compiler adds
        bool whole = original == graph->input || original == graph->output;
        if (whole) assert_int_equal(tensor->c, graph->tensors[original].c);
        n += !is_part_of(tensor, left[t], &graph->tensors[original], all[original]);
    }
    return n;
}

static int n_channels(const lac_int_graph *graph) {
    int n = 0;
    for (int t = 0; t < graph->n_tensors; t++) n += graph->tensors[t].c;
    return n;
}

static void what_is_left_has_the_same_codes(void **state) {
    (void)state;
    enum { N = 400 };
    int n_folded = 0, n_compiled = 0;
    for (uint64_t seed = 0; seed < N; seed++) {
        lac_arena *arena = lac_arena_open();
        lac_int_graph *graph = random_graph(arena, seed);
        lac_image *image = NULL, *whole = NULL;
        make_sparse(graph, seed, 60 + (int)(seed % 40));
        if (lac_compile(graph, &engine, arena, &image, NULL) == LAC_OK &&
            lac_compile_whole(graph, &engine, arena, &whole, NULL) == LAC_OK) {
            if (n_wrong(graph, image->graph, arena, seed + 1))
                fail_msg("seed %llu", (unsigned long long)seed);
            assert_int_equal(n_wrong(graph, whole->graph, arena, seed + 1), 0);
            n_folded += n_channels(image->graph) < n_channels(whole->graph);
            n_compiled++;
        }
        lac_arena_close(arena);
    }
    print_message("%d of %d graphs have lost channels\n", n_folded, n_compiled);
    assert_true(n_compiled > N * 3 / 4 && n_folded > N / 4);
}

/// Three channels of which the second is constant, through a 3x3 layer with the given padding.
static lac_int_graph *with_constant(lac_arena *arena, int pad, int code, int weight_at) {
    builder b = builder_begin(arena, 5);
    int in = builder_input(&b, 2, 6, 6, u4);
    int mid = builder_conv(&b, in, (layer_options){.out_c = 3, .type = u4});
    int next = builder_conv(&b, mid, (layer_options){.out_c = 2, .window = WINDOW(3, 1, pad), .type = u4});
    lac_int_graph *graph = builder_end(&b, builder_conv(&b, next, (layer_options){.out_c = 2, .raw = true}));
    lac_int_layer *first = &graph->layers[0], *second = &graph->layers[1];
    memset(first->w, 1, 6);
    memset(first->w + 2, 0, 2);
    first->bias[1] = code;
    first->m[1] = 0x8000, first->s[1] = 15;
    first->lo = 0, first->hi = 15;
    memset(second->w, 1, 54);
    for (int o = 0; o < 2; o++)
        for (int k = 0; k < 9; k++) second->w[o * 27 + 9 + k] = weight_at < 0 || k == weight_at;
    memset(graph->layers[2].w, 1, 4);
    return graph;
}

static int channels_left(int pad, int code, int weight_at) {
    lac_arena *arena = lac_arena_open();
    lac_int_graph *graph = with_constant(arena, pad, code, weight_at);
    lac_image *image = NULL;
    lac_error err = {0};
    if (lac_compile(graph, &engine, arena, &image, &err) != LAC_OK) fail_msg("%s", err.text);
    assert_int_equal(n_wrong(graph, image->graph, arena, 3), 0);
    int n = image->graph->tensors[tensor_named(image->graph, graph->tensors[graph->layers[0].out].name)].c;
    lac_arena_close(arena);
    return n;
}

static void a_constant_goes_into_the_bias_where_padding_allows_it(void **state) {
    (void)state;
    assert_int_equal(channels_left(0, 9, -1), 2); // no padding
    assert_int_equal(channels_left(1, 0, -1), 2); // the code of padding
    assert_int_equal(channels_left(1, 9, -1), 3); // border and interior would differ
    assert_int_equal(channels_left(1, 9, 4), 2);  // the middle tap never sees the border
}

static void layers_lose_what_nobody_reads(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 2);
    int x = builder_input(&b, 2, 6, 6, u4);
    x = builder_conv(&b, x, (layer_options){.out_c = 4, .type = u4});
    lac_window depthwise = WINDOW(3, 1, 1);
    depthwise.groups = 4;
    x = builder_conv(&b, x, (layer_options){.out_c = 4, .window = depthwise, .type = u4});
    lac_int_graph *graph = builder_end(&b, builder_conv(&b, x, (layer_options){.out_c = 3, .raw = true}));
    for (int l = 0; l < 3; l++)
        memset(graph->layers[l].w, 1, (size_t)lac_int_layer_weights(graph, &graph->layers[l], false));
    memset(graph->layers[1].w + 9, 0, 9);                          // a constant
    for (int o = 0; o < 3; o++) graph->layers[2].w[4 * o + 3] = 0; // unread
    lac_image *image = NULL;
    assert_int_equal(lac_compile(graph, &engine, arena, &image, NULL), LAC_OK);
    const lac_int_graph *folded = image->graph;
    assert_int_equal(folded->layers[1].window.groups, 2);
    assert_int_equal(folded->tensors[folded->layers[0].out].c, 2);
    assert_int_equal(folded->tensors[folded->layers[2].out].c, 3);
    assert_int_equal(n_wrong(graph, folded, arena, 3), 0);
    lac_arena_close(arena);
}

// The comparison notices a constant that went astray.
static void a_wrong_bias_is_noticed(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_int_graph *graph = with_constant(arena, 0, 9, -1);
    lac_image *image = NULL;
    assert_int_equal(lac_compile(graph, &engine, arena, &image, NULL), LAC_OK);
    image->graph->layers[2].bias[1] += 1;
    assert_int_equal(n_wrong(graph, image->graph, arena, 3), 1);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_has_the_same_codes),
        cmocka_unit_test(a_constant_goes_into_the_bias_where_padding_allows_it),
        cmocka_unit_test(layers_lose_what_nobody_reads),
        cmocka_unit_test(a_wrong_bias_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
