#include "device.h"
#include "graph_builder.h"
#include "program_survey.h"
#include "ref.h"
#include "step_report.h"
#include "verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The RTL engine against the reference: random graphs on five engines, at full rate and with stalls. Models
// of the engines are built once and stay in the build's own cache.

static const lac_engine_config engines[] = {
    {.mesh_x = 7, .mesh_y = 7, .drain = 7, .acc_bits = 28, .act_words = 4096, .list_words = 2048},
    {.mesh_x = 4, .mesh_y = 2, .drain = 2, .acc_bits = 28, .act_words = 8192, .list_words = 64},
    {.mesh_x = 1, .mesh_y = 3, .drain = 3, .acc_bits = 28, .act_words = 16384, .list_words = 512},
    {.mesh_x = 4,
     .mesh_y = 4,
     .drain = 2,
     .acc_bits = 30,
     .act_words = 4096,
     .list_words = 100,
     .lane = LAC_LANE_DIGIT,
     .vector = 4},
    {.mesh_x = 3,
     .mesh_y = 3,
     .drain = 9,
     .acc_bits = 26,
     .act_words = 8192,
     .list_words = 2048,
     .lane = LAC_LANE_LOGIC,
     .act_bits = 4,
     .vector = 8},
};
enum { N_ENGINES = sizeof engines / sizeof engines[0] };

typedef struct seen {
    const lac_image *image;
    int32_t **values[8]; ///< of each image of a run
    uint64_t seed;
    int n;
} seen;

static void see(void *ctx, int step, int k, const int32_t *values) {
    seen *s = ctx;
    int t = s->image->steps[step].out_tensor;
    size_t n = lac_int_tensor_count(&s->image->graph->tensors[t]);
    for (size_t i = 0; i < n; i++)
        if (values[i] != s->values[k][t][i])
            fail_msg("seed %llu, step %d '%s', value %zu of %zu: %d, reference %d",
                     (unsigned long long)s->seed, step, s->image->steps[step].name, i, n, values[i],
                     s->values[k][t][i]);
    s->n++;
}

static void run_rtl(const lac_image *image, uint64_t seed, uint64_t stall_seed, lac_step_cycles *cycles) {
    const lac_device_desc *device = lac_device_find("rtl");
    const lac_int_graph *g = image->graph;
    lac_arena *arena = lac_arena_open();
    lac_error err = {0};
    void *state = NULL;
    const lac_device_config config = {.stall_seed = stall_seed};
    if (device->open(image, &config, NULL, &state, &err) != LAC_OK) fail_msg("%s", err.text);
    size_t batch = (size_t)lac_image_batch(image), n_in = lac_int_tensor_count(&g->tensors[g->input]),
           n_out = lac_int_tensor_count(&g->tensors[g->output]);
    int32_t *in = LAC_NEW_ARRAY(arena, int32_t, batch * n_in),
            *out = LAC_NEW_ARRAY(arena, int32_t, batch * n_out);
    for (uint64_t i = 0; i < 2; i++) {
        seen s = {.image = image, .seed = seed};
        for (size_t k = 0; k < batch; k++) {
            s.values[k] = reference_values(g, arena, seed + i + 1000 * k);
            memcpy(in + k * n_in, s.values[k][g->input], 4 * n_in);
        }
        const lac_device_watch watch = {.tensor = see, .ctx = &s};
        if (device->run(state, in, out, &watch, cycles, &err) != LAC_OK)
            fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
        assert_int_equal(s.n, image->n_steps * (int)batch);
        for (size_t k = 0; k < batch; k++)
            assert_memory_equal(out + k * n_out, s.values[k][g->output], 4 * n_out);
    }
    device->close(state);
    lac_arena_close(arena);
}

static void random_graphs_run_on_the_rtl_as_on_the_reference(void **state) {
    (void)state;
    int n_run = 0, n = getenv("LAC_TEST_GRAPHS") ? atoi(getenv("LAC_TEST_GRAPHS")) : 300;
    for (int i = 0; i < n; i++) {
        uint64_t seed = 5000 + (uint64_t)i;
        lac_arena *arena = lac_arena_open();
        lac_image *image = NULL;
        const lac_engine_config *engine = &engines[i % N_ENGINES];
        int n_images = engine->mesh_x == 4 ? 1 << i / N_ENGINES % 3 : 1;
        if (lac_compile_batch(random_graph(arena, seed), engine, n_images, arena, &image, NULL) == LAC_OK) {
            lac_step_cycles *cycles = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
            run_rtl(image, seed, i % 2 ? seed : 0, cycles);
            n_run++;
        }
        lac_arena_close(arena);
    }
    printf("%d of %d random graphs ran\n", n_run, n);
    assert_true(n_run > n / 2);
}

// ---- the cost model ------------------------------------------------------------------------------------

static void say_costs(const lac_image *image, const lac_step_cost *costs, const lac_step_cycles *cycles) {
    for (int s = 0; s < image->n_steps; s++)
        printf("  %-10s ideal %7llu | total %7llu predicted %7llu | compute %llu/%llu starved %llu/%llu "
               "drain %llu/%llu "
               "other %llu/%llu\n",
               image->steps[s].name, (unsigned long long)image->steps[s].ideal_cycles,
               (unsigned long long)cycles[s].total, (unsigned long long)costs[s].total,
               (unsigned long long)cycles[s].compute, (unsigned long long)costs[s].mesh,
               (unsigned long long)cycles[s].starved, (unsigned long long)costs[s].starved,
               (unsigned long long)cycles[s].drain, (unsigned long long)costs[s].drain,
               (unsigned long long)cycles[s].other, (unsigned long long)costs[s].other);
}

/// Predictions of an image against the RTL: within 2 %, and at least `slack` cycles.
static void check_costs(const lac_image *image, const lac_step_cycles *cycles, uint64_t slack) {
    lac_step_cost *costs = LAC_NEW_ARRAY(image->arena, lac_step_cost, image->n_steps);
    lac_image_costs(image, costs);
    bool wrong = false;
    for (int s = 0; s < image->n_steps; s++) {
        uint64_t is = cycles[s].total, said = costs[s].total, tolerance = is / 50 > slack ? is / 50 : slack;
        wrong = wrong || (said > is ? said - is : is - said) > tolerance;
        assert_int_equal(costs[s].mesh + costs[s].starved + costs[s].drain + costs[s].other, costs[s].total);
    }
    if (wrong || getenv("LAC_TEST_VERBOSE")) say_costs(image, costs, cycles);
    assert_false(wrong);
}

/// The network that the demo carries: what predictions are made for.
static lac_int_graph *demo_like(lac_arena *arena, uint64_t seed, int zero_percent) {
    builder b = builder_begin(arena, seed);
    lac_code_type type = {.bits = 4, .scale = 1};
    int at = builder_input(&b, 1, 28, 28, (lac_code_type){.bits = 8, .scale = 1});
    at = builder_conv(
        &b, at,
        (layer_options){
            .out_c = 16, .window = WINDOW(3, 1, 1), .weight_bits = 8, .zero_percent = 20, .type = type});
    at = builder_conv(
        &b, at,
        (layer_options){.out_c = 32, .window = WINDOW(3, 1, 1), .zero_percent = zero_percent, .type = type});
    at = builder_max_pool(&b, at, WINDOW(2, 2, 0));
    int skip = builder_conv(
        &b, at,
        (layer_options){.out_c = 32, .window = WINDOW(3, 1, 1), .zero_percent = zero_percent, .type = type});
    at = builder_add(&b, at, skip, type);
    at = builder_conv(
        &b, at,
        (layer_options){.out_c = 64, .window = WINDOW(3, 1, 1), .zero_percent = zero_percent, .type = type});
    at = builder_max_pool(&b, at, WINDOW(2, 2, 0));
    at = builder_conv(
        &b, at,
        (layer_options){.out_c = 64, .window = WINDOW(3, 1, 1), .zero_percent = zero_percent, .type = type});
    if (seed % 2) at = builder_avg_pool(&b, at, (layer_options){.window = WINDOW(7, 1, 0), .type = type});
    lac_window whole = seed % 2 ? WINDOW(1, 1, 0) : WINDOW(7, 1, 0);
    at = builder_conv(
        &b, at,
        (layer_options){
            .out_c = 10, .window = whole, .weight_bits = 8, .zero_percent = zero_percent, .raw = true});
    return builder_end(&b, at);
}

static void cycles_are_predicted_within_two_percent(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        lac_arena *arena = lac_arena_open();
        lac_image *image = NULL;
        lac_error err = {0};
        int zero_percent = seed < 2 ? 80 : 40;
        if (lac_compile(demo_like(arena, seed, zero_percent), &engines[0], arena, &image, &err) != LAC_OK)
            fail_msg("%s", err.text);
        lac_step_cycles *cycles = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
        run_rtl(image, seed, 0, cycles);
        check_costs(image, cycles, 4);
        lac_arena_close(arena);
    }
}

/// Fully connected layers on the vector unit, sparse and dense, behind a map and from the start.
static lac_int_graph *perceptron(lac_arena *arena, uint64_t seed) {
    builder b = builder_begin(arena, seed);
    lac_code_type type = {.bits = 4, .scale = 1};
    static const int zeros[] = {0, 50, 80, 95};
    int at = builder_input(&b, builder_between(&b, 1, 300), 1, 1, type), n = builder_between(&b, 1, 4);
    for (int i = 0; i < n; i++)
        at = builder_conv(&b, at,
                          (layer_options){.out_c = builder_between(&b, 1, 120),
                                          .weight_bits = builder_between(&b, 2, 8),
                                          .zero_percent = zeros[seed % 4],
                                          .type = type,
                                          .raw = i == n - 1});
    return builder_end(&b, at);
}

static void layers_of_one_pixel_run_and_are_predicted(void **state) {
    (void)state;
    int n_on_it = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        lac_arena *arena = lac_arena_open();
        lac_image *image = NULL;
        lac_error err = {0};
        if (lac_compile(perceptron(arena, seed), &engines[3 + seed % 2], arena, &image, &err) != LAC_OK)
            fail_msg("%s", err.text);
        for (int s = 0; s < image->n_steps; s++)
            n_on_it += lac_image_record(image, s).ORDER == LAC_ORDER_VECTOR;
        lac_step_cycles *cycles = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
        run_rtl(image, seed, 0, cycles);
        check_costs(image, cycles, 4);
        run_rtl(image, seed, seed + 1, cycles);
        lac_arena_close(arena);
    }
    assert_true(n_on_it > 40);
}

/// Lists that list memory holds, just or not, at several densities; pools, strides and groups.
static lac_int_graph *long_lists(lac_arena *arena, uint64_t seed) {
    builder b = builder_begin(arena, seed);
    const lac_code_type type = {.bits = 4, .scale = 1};
    static const int zeros[] = {0, 30, 60};
    int at = builder_input(&b, builder_between(&b, 6, 24), 8, 8, type);
    layer_options conv = {.out_c = builder_between(&b, 6, 16), .window = WINDOW(3, 1, 1), .type = type};
    conv.zero_percent = zeros[seed % 3];
    at = builder_conv(&b, at, conv);
    if (seed % 2) at = builder_max_pool(&b, at, WINDOW(2, 2, 0));
    lac_window second = WINDOW(3, 1, 1);
    if (seed % 4 < 2) second.stride[0] = second.stride[1] = 2;
    conv.window = second;
    at = builder_conv(&b, at, conv);
    return builder_end(&b, builder_conv(&b, at, (layer_options){.out_c = 3, .raw = true}));
}

static void streamed_lists_run_and_are_predicted(void **state) {
    (void)state;
    int n_streamed = 0;
    for (uint64_t seed = 0; seed < 16; seed++) {
        lac_arena *arena = lac_arena_open();
        lac_image *image = NULL;
        lac_error err = {0};
        if (lac_compile(long_lists(arena, seed), &engines[seed / 2 % 2 ? 3 : 1], arena, &image, &err) !=
            LAC_OK)
            fail_msg("%s", err.text);
        for (int s = 0; s < image->n_steps; s++) n_streamed += lac_image_record(image, s).STREAMED;
        lac_step_cycles *cycles = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
        run_rtl(image, seed, 0, cycles);
        check_costs(image, cycles, 4);
        run_rtl(image, seed, seed + 1, cycles);
        lac_arena_close(arena);
    }
    printf("%d layers were streamed\n", n_streamed);
    assert_true(n_streamed >= 12);
}

static void random_graphs_are_predicted_too(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        lac_arena *arena = lac_arena_open();
        lac_image *image = NULL;
        if (lac_compile(random_graph(arena, seed), &engines[seed % N_ENGINES], arena, &image, NULL) ==
            LAC_OK) {
            lac_step_cycles *cycles = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
            run_rtl(image, seed, 0, cycles);
            check_costs(image, cycles, 4);
        }
        lac_arena_close(arena);
    }
}

// ---- the explanation of a mismatch ---------------------------------------------------------------------

static void a_fault_in_the_rtl_is_told_with_lane_cycle_and_waveform(void **state) {
    (void)state;
    enum { N = 20 };
    lac_arena *arena = lac_arena_open();
    lac_image *image = NULL;
    lac_error err = {0};
    lac_rng rng = lac_rng_make(1, 2);
    uint8_t *pixels = LAC_NEW_ARRAY(arena, uint8_t, N * 784);
    for (int i = 0; i < N * 784; i++) pixels[i] = (uint8_t)lac_rng_u64(&rng);
    assert_int_equal(lac_compile(demo_like(arena, 0, 80), &engines[0], arena, &image, &err), LAC_OK);
    static const char *const devices[] = {"rtl"};
    const char *wave = LAC_BINARY_DIR "/test_device_rtl.fst";
    remove(wave);
    lac_verify_config config = {
        .devices = devices, .n_devices = 1, .pixels = pixels, .n_images = N, .n_threads = 2};
    lac_verify_report report;
    if (lac_verify(image, &config, NULL, arena, &report, &err) != LAC_OK) fail_msg("%s", err.text);
    for (int s = 0; s < image->n_steps; s++) // timing does not depend on data
        assert_int_equal(report.devices[0].least[s].total, report.devices[0].most[s].total);
    config.fault_device = "rtl";
    config.fault_step = 2;
    config.trace_path = wave;
    assert_int_equal(lac_verify(image, &config, NULL, arena, &report, &err), LAC_E_MISMATCH);
    const lac_mismatch *m = &report.mismatch;
    assert_int_equal(m->step, 2);
    assert_true(m->has_cycle && m->cycle > 0 && m->has_trace);
    const lac_layout *layout = &image->layouts[image->steps[2].out_tensor];
    assert_int_equal(m->lane, m->y / layout->tile_h * 7 + m->x / layout->tile_w);
    assert_non_null(strstr(err.text, "cycle"));
    assert_non_null(strstr(err.text, wave));
    FILE *f = fopen(wave, "rb");
    assert_non_null(f);
    assert_int_not_equal(fgetc(f), EOF);
    fclose(f);
    remove(wave);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cycles_are_predicted_within_two_percent),
        cmocka_unit_test(random_graphs_run_on_the_rtl_as_on_the_reference),
        cmocka_unit_test(random_graphs_are_predicted_too),
        cmocka_unit_test(streamed_lists_run_and_are_predicted),
        cmocka_unit_test(layers_of_one_pixel_run_and_are_predicted),
        cmocka_unit_test(a_fault_in_the_rtl_is_told_with_lane_cycle_and_waveform),
    };
    setenv("LACUNA_CACHE", LAC_BINARY_DIR "/cache", 0);
    if (getenv("LAC_TEST_ONLY")) cmocka_set_test_filter(getenv("LAC_TEST_ONLY"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
