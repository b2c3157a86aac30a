#include "graph_builder.h"
#include "lac_num.h"
#include "layout.h"
#include "program_survey.h"
#include "ref.h"
#include "stream_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

// ---- the model of the engine against the reference -----------------------------------------------------

typedef struct comparison {
    const lac_image *image;
    lac_stream_model *model;
    int32_t **values[8]; ///< by the reference, of each image of a run
    int32_t *got;
    uint64_t seed;
    int n_compared;
} comparison;

static void compare_tensor(comparison *c, int step, int k, const int32_t *got) {
    int t = c->image->steps[step].out_tensor;
    const lac_int_tensor *tensor = &c->image->graph->tensors[t];
    size_t n = lac_int_tensor_count(tensor);
    for (size_t i = 0; i < n; i++)
        if (got[i] != c->values[k][t][i])
            fail_msg("seed %llu, step %d '%s' (%s), value %zu of %zu: %d, reference %d",
                     (unsigned long long)c->seed, step, c->image->steps[step].name,
                     lac_int_kind_name(c->image->graph->layers[c->image->steps[step].layer].kind), i, n,
                     got[i], c->values[k][t][i]);
    c->n_compared++;
}

static void step_done(void *ctx, int step) {
    comparison *c = ctx;
    int t = c->image->steps[step].out_tensor;
    if (c->image->layouts[t].base == LAC_NOT_IN_MEMORY) return;
    for (int k = 0; k < lac_image_batch(c->image); k++) {
        lac_layout_extract(&c->image->engine, &c->image->layouts[t], &c->image->graph->tensors[t],
                           c->model->memory + lac_image_lane(c->image, k), c->got);
        compare_tensor(c, step, k, c->got);
    }
}

static void model_equals_reference(const lac_image *image, uint64_t seed) {
    const lac_int_graph *graph = image->graph;
    lac_arena *arena = lac_arena_open();
    lac_error err = {0};
    comparison c = {.image = image, .seed = seed};
    int batch = lac_image_batch(image);
    for (int k = 0; k < batch; k++) c.values[k] = reference_values(graph, arena, seed + 10000 * (uint64_t)k);
    c.model = lac_stream_model_new(&image->engine, arena);
    // Garbage where no tensor is: nothing may depend on it.
    memset(c.model->memory, 0xA5, (size_t)image->engine.act_words * (size_t)lac_engine_lanes(&image->engine));
    size_t most = 0;
    for (int t = 0; t < graph->n_tensors; t++)
        if (lac_int_tensor_count(&graph->tensors[t]) > most) most = lac_int_tensor_count(&graph->tensors[t]);
    c.got = LAC_NEW_ARRAY(arena, int32_t, most);
    for (int k = 0; k < batch; k++)
        lac_layout_load(&image->engine, &image->layouts[graph->input], &graph->tensors[graph->input],
                        c.values[k][graph->input], c.model->memory + lac_image_lane(image, k));
    lac_raw_order order = lac_image_raw_order(image);
    int32_t *sent = LAC_NEW_ARRAY(arena, int32_t, order.n);
    lac_stream_watch watch = {.step_done = step_done, .ctx = &c};
    if (lac_stream_model_run(c.model, image->program, image->n_program, sent, order.n, &watch, &err) !=
        LAC_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
    for (int k = 0; k < batch; k++) {
        lac_raw_extract(image, &order, sent, k, c.got);
        compare_tensor(&c, order.step, k, c.got);
    }
    assert_int_equal(c.n_compared, image->n_steps * batch);
    lac_arena_close(arena);
}

static lac_engine_config any_engine(lac_rng *rng) {
    static const int meshes[][3] = {{7, 7, 7}, {1, 1, 1}, {4, 2, 4}, {2, 3, 2}, {5, 1, 5}, {3, 3, 3},
                                    {8, 8, 8}, {8, 8, 2}, {4, 6, 2}, {6, 4, 1}, {8, 16, 4}};
    const int *m = meshes[lac_rng_below(rng, 11)];
    return (lac_engine_config){.mesh_x = m[0],
                               .mesh_y = m[1],
                               .drain = m[2],
                               .acc_bits = 28,
                               .act_words = 16384,
                               .list_words = 4096,
                               .lane = (int)lac_rng_below(rng, 3)};
}

/// What the random graphs have exercised: a test that never meets a case says nothing about it.
typedef struct coverage {
    int kinds[LAC_N_INT_KINDS], orders[3], entry_bits[3], fused, reduced, raw_lanes, grouped, skips, digits,
        split, tables, tables_and_pools;
} coverage;

static void cover(coverage *c, const lac_image *image) {
    for (int s = 0; s < image->n_steps; s++) {
        const lac_layer_record r = lac_image_record(image, s);
        const lac_int_layer *layer = &image->graph->layers[image->steps[s].layer];
        c->kinds[layer->kind]++;
        c->orders[r.ORDER]++;
        c->entry_bits[r.ENTRY_BITS]++;
        c->fused += image->steps[s].pool_layer >= 0;
        c->tables += image->steps[s].table_layer >= 0;
        c->tables_and_pools += image->steps[s].table_layer >= 0 && image->steps[s].pool_layer >= 0;
        c->reduced += r.REDUCE;
        c->raw_lanes += r.RAW && !r.REDUCE;
        c->grouped += layer->kind == LAC_INT_CONV2D && layer->window.groups > 1;
        c->skips += image->steps[s].n_skips > 0;
        c->split += lac_image_batch(image) > 1 && r.REDUCE;
        c->digits += image->engine.lane == LAC_LANE_DIGIT;
    }
    for (int l = 0; l < image->graph->n_layers; l++)
        c->kinds[LAC_INT_CONCAT] += image->graph->layers[l].kind == LAC_INT_CONCAT;
}

static void check_coverage(const coverage *c) {
    for (int k = 0; k < LAC_N_INT_KINDS; k++) assert_true(c->kinds[k] > 20);
    for (int i = 0; i < 3; i++) assert_true(c->orders[i] > 20 && c->entry_bits[i] > 20);
    assert_true(c->fused > 20 && c->reduced > 20 && c->raw_lanes > 20 && c->grouped > 20 && c->skips > 20);
    assert_true(c->digits > 20 && c->split > 20 && c->tables > 20 && c->tables_and_pools > 5);
}

static void random_graphs_compute_what_the_reference_does(void **state) {
    (void)state;
    enum { N = 1500 };
    int n_compiled = 0;
    coverage covered = {.fused = 0};
    for (uint64_t seed = 0; seed < N; seed++) {
        lac_arena *arena = lac_arena_open();
        lac_rng rng = lac_rng_make(seed, 3);
        lac_engine_config engine = any_engine(&rng);
        lac_image *image = NULL;
        lac_error err = {0};
        int n_images = 1 << lac_rng_below(&rng, 4);
        bool gated = seed % 3 == 2; // with tables and factors
        engine.table = gated;
        engine.scale = 2 * gated;
        if (gated && seed % 2) n_images = 1;
        if (engine.mesh_x % 2 || engine.drain * n_images > engine.mesh_x || engine.mesh_y < 4) n_images = 1;
        lac_status status =
            lac_compile_batch(gated ? random_gated_graph(arena, seed) : random_graph(arena, seed), &engine,
                              n_images, arena, &image, &err);
        if (status == LAC_OK) {
            model_equals_reference(image, seed);
            cover(&covered, image);
            n_compiled++;
        } else if (status != LAC_E_CAPACITY && status != LAC_E_UNSUPPORTED) {
            fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
        }
        lac_arena_close(arena);
    }
    printf("%d of %d random graphs fit their engine\n", n_compiled, N);
    assert_true(n_compiled > N * 8 / 10);
    check_coverage(&covered);
}

// ---- decisions -----------------------------------------------------------------------------------------

static const lac_engine_config seven = {
    .mesh_x = 7, .mesh_y = 7, .drain = 7, .acc_bits = 24, .act_words = 4096, .list_words = 2048};
static const lac_code_type u4 = {.bits = 4, .scale = 1};

static lac_image *compiled(const lac_int_graph *graph, const lac_engine_config *engine, lac_arena *arena) {
    lac_image *image = NULL;
    lac_error err = {0};
    if (lac_compile(graph, engine, arena, &image, &err) != LAC_OK) fail_msg("%s", err.text);
    model_equals_reference(image, 1);
    return image;
}

static void pools_without_overlap_ride_in_the_drain(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 1, 28, 28, u4);
    int a = builder_conv(&b, in, (layer_options){.out_c = 4, .window = WINDOW(3, 1, 1)});
    int p = builder_max_pool(&b, a, WINDOW(2, 2, 0));
    int c = builder_conv(&b, p, (layer_options){.out_c = 4, .window = WINDOW(3, 1, 1)});
    int q = builder_max_pool(&b, c, WINDOW(3, 2, 1)); // overlaps: a step of its own
    const lac_image *image = compiled(
        builder_end(&b,
                    builder_conv(&b, q, (layer_options){.out_c = 2, .window = WINDOW(7, 1, 0), .raw = true})),
        &seven, arena);
    assert_int_equal(image->n_steps, 4);
    assert_int_equal(image->steps[0].out_tensor, p);
    assert_int_equal(image->layouts[a].base, LAC_NOT_IN_MEMORY);
    assert_int_equal(image->steps[1].pool_layer, -1);
    assert_int_equal(image->steps[2].out_tensor, q);
    assert_int_equal(image->layouts[in].tile_h, 4);
    assert_int_equal(image->layouts[q].tile_h, 1);
    assert_int_equal(image->steps[0].ideal_cycles, image->steps[0].n_entries * 16);
    lac_arena_close(arena);
}

// In the drain, one lane would make all pixels of the last window, out of the reach of its neighbours' codes
// unless tiles are twice as large.
static void a_pool_to_one_pixel_is_a_step_where_that_keeps_more_lanes_busy(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 21);
    int in = builder_input(&b, 2, 8, 8, u4), x = in;
    for (int i = 0; i < 3; i++) {
        x = builder_conv(&b, x, (layer_options){.out_c = 4, .window = WINDOW(3, 1, 1)});
        x = builder_max_pool(&b, x, WINDOW(2, 2, 0));
    }
    x = builder_conv(&b, x, (layer_options){.out_c = 2, .raw = true});
    const lac_image *image = compiled(builder_end(&b, x), &seven, arena);
    assert_int_equal(image->layouts[in].tile_h, 4);
    assert_true(image->steps[0].pool_layer >= 0);
    assert_true(image->steps[1].pool_layer >= 0);
    assert_int_equal(image->steps[2].pool_layer, -1);
    assert_int_equal(image->n_steps, 5);
    model_equals_reference(image, 3);
    lac_arena_close(arena);
}

/// A rim of the other side's pixels, as lowering makes it.
static int circular_pad(builder *b, int in, int top, int left, int bottom, int right) {
    const lac_int_tensor *t = &b->graph->tensors[in];
    const lac_window window = {.kernel = {3, 3},
                               .stride = {1, 1},
                               .dilation = {t->h, t->w},
                               .pad = {t->h + top, t->w + left, t->h + bottom, t->w + right},
                               .groups = t->c};
    int c = t->c;
    lac_code_type type = t->type;
    int out = builder_conv(b, in, (layer_options){.out_c = c, .window = window, .type = type});
    lac_int_layer *layer = &b->graph->layers[b->graph->n_layers - 1];
    memset(layer->w, 1, 9 * (size_t)c);
    for (int o = 0; o < c; o++) layer->bias[o] = -9 * type.zero, layer->m[o] = 0x8000, layer->s[o] = 15;
    layer->lo = lac_code_min(type.bits, type.is_signed) - type.zero;
    layer->hi = lac_code_max(type.bits, type.is_signed) - type.zero;
    return out;
}

static lac_int_graph *circular_graph(lac_arena *arena, lac_code_type type, int top, int right) {
    builder b = builder_begin(arena, 31);
    int x = builder_conv(&b, builder_input(&b, 2, 6, 9, u4), (layer_options){.out_c = 3, .type = type});
    x = circular_pad(&b, x, top, 2, 1, right);
    return builder_end(&b, builder_conv(&b, x, (layer_options){.out_c = 2, .window = WINDOW(3, 1, 0)}));
}

static void the_far_side_of_a_map_comes_tile_by_tile(void **state) {
    (void)state;
    static const lac_code_type types[] = {{.bits = 4, .scale = 1},
                                          {.bits = 8, .is_signed = true, .zero = -3, .scale = 1}};
    const lac_engine_config meshes[] = {
        seven, {.mesh_x = 3, .mesh_y = 2, .drain = 3, .acc_bits = 24, .act_words = 4096, .list_words = 1024}};
    for (int i = 0; i < 8; i++) {
        lac_arena *arena = lac_arena_open();
        lac_int_graph *graph = circular_graph(arena, types[i % 2], i / 2 % 2, i % 2);
        const lac_image *image = compiled(graph, &meshes[i / 4], arena);
        int n = (int)lac_int_tensor_count(&graph->tensors[graph->output]);
        int32_t **wanted = reference_values(graph, arena, 5),
                **got = reference_values(image->graph, arena, 5);
        // What the compiler made of the graph gives its codes, as raw results.
        assert_memory_equal(wanted[graph->output], got[image->graph->output], 4 * (size_t)n);
        model_equals_reference(image, (uint64_t)i);
        lac_arena_close(arena);
    }
}

static void taps_a_map_apart_that_are_no_copy_stay_one_layer(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_int_graph *graph = circular_graph(arena, u4, 1, 1);
    const int n_taken_apart = compiled(graph, &seven, arena)->n_steps;
    graph->layers[1].w[4] = 2;
    const lac_image *image = compiled(graph, &seven, arena);
    assert_int_equal(image->n_steps, 4); // the raw copy of the output included
    assert_true(n_taken_apart > 4);
    model_equals_reference(image, 7);
    lac_arena_close(arena);
}

static void zeros_are_not_in_the_program(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 16, 14, 14, u4);
    int a = builder_conv(&b, in, (layer_options){.out_c = 16, .window = WINDOW(3, 1, 1), .zero_percent = 80});
    const lac_image *image = compiled(builder_end(&b, a), &seven, arena);
    assert_int_equal(image->steps[0].n_entries,
                     lac_int_layer_weights(image->graph, &image->graph->layers[0], true));
    // 4-bit weights, 80 % zeros: an 8-bit entry each, few skips
    assert_int_equal(image->steps[0].entry_bits, 8);
    assert_true(image->steps[0].n_skips * 10 < image->steps[0].n_entries);
    lac_arena_close(arena);
}

static void concats_cost_nothing_when_their_inputs_are_free(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 2, 7, 7, u4);
    int a = builder_conv(&b, in, (layer_options){.out_c = 3, .type = u4});
    int c = builder_conv(&b, in, (layer_options){.out_c = 5, .type = u4});
    const int parts[3] = {a, c, in};
    int cat = builder_concat(&b, parts, 3);
    const int again[2] = {cat, a};
    int second = builder_concat(&b, again, 2); // holds the first; a is taken and must be copied
    lac_int_graph *graph =
        builder_end(&b, builder_conv(&b, second, (layer_options){.out_c = 2, .raw = true}));
    for (int l = 0; l < graph->n_layers; l++) // every channel is read
        if (graph->layers[l].w)
            memset(graph->layers[l].w, 1, (size_t)lac_int_layer_weights(graph, &graph->layers[l], false));
    const lac_image *image = compiled(graph, &seven, arena);
    assert_int_equal(image->n_steps, 4); // two convolutions, one copy, the last convolution
    assert_int_equal(image->layouts[a].base, image->layouts[second].base);
    assert_int_equal(image->layouts[c].base, image->layouts[second].base + 3);
    assert_int_equal(image->layouts[in].base, image->layouts[second].base + 8);
    lac_arena_close(arena);
}

static void memory_is_used_again_when_a_tensor_is_dead(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int at = builder_input(&b, 16, 14, 14, u4); // 64 words
    for (int i = 0; i < 6; i++)
        at =
            builder_conv(&b, at, (layer_options){.out_c = 16, .window = WINDOW(3, 1, 1), .zero_percent = 80});
    lac_engine_config tight = seven;
    tight.act_words = 128;
    compiled(builder_end(&b, at), &tight, arena);
    tight.act_words = 127;
    lac_image *image = NULL;
    lac_error err = {0};
    assert_int_equal(lac_compile(b.graph, &tight, arena, &image, &err), LAC_E_CAPACITY);
    assert_non_null(strstr(err.text, "ACT_WORDS"));
    assert_null(image);
    lac_arena_close(arena);
}

static void a_residual_outlives_what_is_between(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int skip = builder_input(&b, 4, 14, 14, u4), at = skip;
    for (int i = 0; i < 4; i++)
        at = builder_conv(&b, at, (layer_options){.out_c = 4, .window = WINDOW(3, 1, 1)});
    compiled(builder_end(&b, builder_add(&b, at, skip, u4)), &seven, arena);
    lac_arena_close(arena);
}

static void whole_map_layers_take_one_entry_a_weight(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 8, 14, 14, u4);
    int fc = builder_conv(
        &b, in, (layer_options){.out_c = 10, .window = WINDOW(14, 1, 0), .zero_percent = 90, .type = u4});
    int raw = builder_conv(&b, fc, (layer_options){.out_c = 5, .weight_bits = 8, .raw = true});
    const lac_image *image = compiled(builder_end(&b, raw), &seven, arena);
    assert_int_equal(image->steps[0].ideal_cycles,
                     lac_int_layer_weights(image->graph, &image->graph->layers[0], true));
    assert_int_equal(lac_image_record(image, 0).ORDER, LAC_ORDER_LANES);
    assert_true(lac_image_record(image, 1).REDUCE);
    lac_arena_close(arena);
}

static void a_long_reach_gets_a_larger_tile(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 2, 7, 7, u4); // tile 1 would do, were it not for the 5x5 kernel
    const lac_image *image = compiled(
        builder_end(&b, builder_conv(&b, in, (layer_options){.out_c = 2, .window = WINDOW(5, 1, 2)})), &seven,
        arena);
    assert_int_equal(image->layouts[in].tile_h, 2);
    lac_arena_close(arena);
}

static void digits_take_the_place_of_weights(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_engine_config digits = seven;
    digits.lane = LAC_LANE_DIGIT;
    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 3, 14, 14, u4);
    int a = builder_conv(&b, in, (layer_options){.out_c = 3, .weight_bits = 8});
    lac_int_graph *graph = builder_end(&b, builder_conv(&b, a, (layer_options){.out_c = 1, .raw = true}));
    const int8_t weights[9] = {64,  1,    0, /* two planes between them are empty */
                               16,  -32,  0, /* two below are */
                               127, -128, 85};
    memcpy(graph->layers[0].w, weights, sizeof weights);
    memset(graph->layers[1].w, 1, 3); // every channel is read
    const lac_image *image = compiled(graph, &digits, arena);
    const lac_channel_work *work = lac_image_survey(image, arena)[0].work;
    const uint32_t expected[3][3] = {{2, 2, 1}, {2, 2, 0}, {7, 0, 3}}; // digits, nulls, marks
    for (int o = 0; o < 3; o++) {
        assert_int_equal(work[o].n_entries, expected[o][0]);
        assert_int_equal(work[o].n_nulls, expected[o][1]);
        assert_true(work[o].n_skips >= expected[o][2]); // and where an entry cannot go far enough
    }
    assert_int_equal(image->steps[0].ideal_cycles, (2 + 2 + 7) * 4);
    lac_arena_close(arena);
}

// ---- refusals ------------------------------------------------------------------------------------------

static void refuses(const lac_int_graph *graph, const lac_engine_config *engine, lac_status status,
                    const char *const *words) {
    lac_arena *arena = lac_arena_open();
    lac_image *image = NULL;
    lac_error err = {0};
    assert_int_equal(lac_compile(graph, engine, arena, &image, &err), status);
    assert_null(image);
    for (; *words; words++)
        if (!strstr(err.text, *words)) fail_msg("\"%s\" does not say \"%s\"", err.text, *words);
    lac_arena_close(arena);
}
#define SAYS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void refuses_what_does_not_fit_and_says_what_to_do(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_engine_config small = seven;

    builder b = builder_begin(arena, 1);
    int in = builder_input(&b, 64, 14, 14, (lac_code_type){.bits = 8, .scale = 1});
    int out = builder_conv(
        &b, in, (layer_options){.out_c = 4, .window = WINDOW(3, 1, 1), .weight_bits = 8, .name = "wide"});
    const lac_int_graph *wide = builder_end(&b, out);
    small.acc_bits = 20;
    refuses(wide, &small, LAC_E_RANGE, SAYS("'wide'", "have 20", "ACC_BITS"));
    small = seven;
    small.list_words = 100;
    small.mesh_x = small.mesh_y = small.drain = 1; // a lane has all pixels
    b = builder_begin(arena, 1);
    in = builder_input(&b, 64, 24, 24, (lac_code_type){.bits = 8, .scale = 1});
    out = builder_conv(
        &b, in, (layer_options){.out_c = 1, .window = WINDOW(3, 1, 1), .weight_bits = 8, .name = "long"});
    small.act_words = 65536;
    refuses(builder_end(&b, out), &small, LAC_E_CAPACITY,
            SAYS("'long'", "the engine holds 100", "576 pixels", "more than the 512", "LIST_WORDS"));
    small = seven;
    small.drain = 5;
    refuses(wide, &small, LAC_E_RANGE, SAYS("DRAIN is 5", "49 lanes"));
    small.drain = 0;
    refuses(wide, &small, LAC_E_RANGE, SAYS("DRAIN is 0"));

    small = seven;
    small.act_bits = 7;
    refuses(wide, &small, LAC_E_RANGE, SAYS("'tensor0'", "8 bits", "lanes take 7", "ACT_BITS"));

    // 51 is 52 - 1: ten of them times 255 fit 18 bits, but not on the way there by digits.
    b = builder_begin(arena, 1);
    in = builder_input(&b, 10, 14, 14, (lac_code_type){.bits = 8, .scale = 1});
    out = builder_conv(&b, in, (layer_options){.out_c = 1, .weight_bits = 8, .type = u4, .name = "long way"});
    lac_int_graph *way = builder_end(&b, out);
    memset(way->layers[0].w, 51, 10);
    memset(way->layers[0].bias, 0, sizeof *way->layers[0].bias);
    small = seven;
    small.acc_bits = 18;
    lac_image *image = NULL;
    lac_error err = {0};
    assert_int_equal(lac_compile(way, &small, arena, &image, &err), LAC_OK);
    small.lane = LAC_LANE_DIGIT;
    refuses(way, &small, LAC_E_RANGE, SAYS("'long way'", "0..132600", "ACC_BITS"));

    b = builder_begin(arena, 1);
    in = builder_input(&b, 2, 14, 14, u4);
    out = builder_table(&b, in, u4);
    refuses(builder_end(&b, out), &seven, LAC_E_UNSUPPORTED, SAYS("'layer0'", "set TABLE to 1"));
    b = builder_begin(arena, 1);
    in = builder_input(&b, 2, 14, 14, u4);
    out = builder_avg_pool(&b, in, (layer_options){.window = {.kernel = {14, 14}}, .type = u4});
    lac_int_graph *gate = builder_end(&b, builder_mul(&b, in, out, u4));
    refuses(gate, &seven, LAC_E_UNSUPPORTED, SAYS("'layer1'", "set SCALE to 1"));
    lac_engine_config square = {.mesh_x = 8, .mesh_y = 8, .drain = 4, .scale = 1};
    square.acc_bits = 24, square.act_words = 4096, square.list_words = 2048;
    lac_image *two = NULL;
    lac_error why = {0};
    assert_int_equal(lac_compile_batch(gate, &square, 2, arena, &two, &why), LAC_E_UNSUPPORTED);
    assert_non_null(strstr(why.text, "compile for 1 image"));

    b = builder_begin(arena, 1);
    in = builder_input(&b, 1, 600, 8, u4);
    const lac_int_graph *high = builder_end(&b, builder_conv(&b, in, (layer_options){.out_c = 1}));
    refuses(high, &seven, LAC_E_CAPACITY, SAYS("'tensor0'", "600 rows", "MESH_Y"));

    b = builder_begin(arena, 1);
    in = builder_input(&b, 1, 1, 8, u4);
    out = builder_conv(&b, in, (layer_options){.out_c = 1, .window = WINDOW(7, 1, 3), .name = "far"});
    refuses(builder_end(&b, out), &seven, LAC_E_CAPACITY, SAYS("'far'", "reaches 3 rows", "tile of 1"));

    b = builder_begin(arena, 1);
    in = builder_input(&b, 1, 28, 28, u4);
    out = builder_conv(&b, in, (layer_options){.out_c = 1, .window = WINDOW(9, 1, 4), .name = "many"});
    refuses(builder_end(&b, out), &seven, LAC_E_CAPACITY, SAYS("'many'", "64 taps"));

    b = builder_begin(arena, 1);
    in = builder_input(&b, 1, 14, 14, u4);
    int s8 =
        builder_conv(&b, in, (layer_options){.out_c = 1, .type = {.bits = 8, .is_signed = true, .scale = 1}});
    int u8 = builder_conv(&b, in, (layer_options){.out_c = 1, .type = {.bits = 8, .scale = 1}});
    refuses(builder_end(&b, builder_add(&b, s8, u8, u4)), &seven, LAC_E_UNSUPPORTED,
            SAYS("unsigned codes of 8 bits"));
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs_compute_what_the_reference_does),
        cmocka_unit_test(pools_without_overlap_ride_in_the_drain),
        cmocka_unit_test(a_pool_to_one_pixel_is_a_step_where_that_keeps_more_lanes_busy),
        cmocka_unit_test(the_far_side_of_a_map_comes_tile_by_tile),
        cmocka_unit_test(taps_a_map_apart_that_are_no_copy_stay_one_layer),
        cmocka_unit_test(zeros_are_not_in_the_program),
        cmocka_unit_test(concats_cost_nothing_when_their_inputs_are_free),
        cmocka_unit_test(memory_is_used_again_when_a_tensor_is_dead),
        cmocka_unit_test(a_residual_outlives_what_is_between),
        cmocka_unit_test(whole_map_layers_take_one_entry_a_weight),
        cmocka_unit_test(a_long_reach_gets_a_larger_tile),
        cmocka_unit_test(digits_take_the_place_of_weights),
        cmocka_unit_test(refuses_what_does_not_fit_and_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
