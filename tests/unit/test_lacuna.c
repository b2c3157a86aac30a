#include "lacuna.h"

#include "graph_builder.h"
#include "image.h"
#include "ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

// liblacuna as a program uses it, on devices that need no compiler of their own.

enum { N = 100, PIXELS = 36, RESULTS = 4 };
static const char path[] = "test_lacuna.lac", shared_path[] = "test_lacuna_shared.lac"; // four images a run
static uint8_t pixels[N * PIXELS];
static int32_t expected[N * RESULTS];

static int write_image(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_image *image = NULL;
    builder b = builder_begin(arena, 5);
    int x = builder_input(&b, 1, 6, 6, (lac_code_type){.bits = 8});
    x = builder_conv(&b, x, (layer_options){.out_c = 3, .window = WINDOW(3, 1, 1)});
    x = builder_conv(&b, x, (layer_options){.out_c = RESULTS, .window = WINDOW(6, 1, 0), .raw = true});
    lac_int_graph *graph = builder_end(&b, x);
    graph->tensors[graph->input].type.scale = 1;
    for (int c = 0; c < 4; c++) graph->input_std[c] = 1;
    lac_engine_config config = lac_engine_default();
    config.mesh_x = config.mesh_y = config.drain = 3;
    config.acc_bits = 28;
    assert_int_equal(lac_compile(graph, &config, arena, &image, NULL), LAC_OK);
    assert_int_equal(lac_image_write(image, path, NULL), LAC_OK);
    config.mesh_x = config.mesh_y = 4;
    config.drain = 2;
    assert_int_equal(lac_compile_batch(graph, &config, 4, arena, &image, NULL), LAC_OK);
    assert_int_equal(lac_image_write(image, shared_path, NULL), LAC_OK);
    int32_t **values = reference_values(image->graph, arena, 1);
    lac_rng rng = lac_rng_make(9, 9);
    for (int i = 0; i < N * PIXELS; i++) pixels[i] = (uint8_t)lac_rng_below(&rng, 256);
    for (int i = 0; i < N; i++) {
        lac_input_codes(image->graph, pixels + i * PIXELS, values[image->graph->input]);
        lac_ref_run(image->graph, values);
        memcpy(expected + i * RESULTS, values[image->graph->output], RESULTS * sizeof *expected);
    }
    lac_arena_close(arena);
    return 0;
}

static lacuna_device *open_loaded_from(const char *name, const char *file) {
    lacuna_device *device = NULL;
    lacuna_error error = {0, ""};
    const lacuna_options options = {.threads = 2};
    assert_int_equal(lacuna_open(name, &options, &device, &error), 0);
    assert_int_equal(lacuna_load(device, file, &error), 0);
    return device;
}

static lacuna_device *open_loaded(const char *name) {
    return open_loaded_from(name, path);
}

static void runs_a_batch_as_the_reference_does(void **state) {
    (void)state;
    static const char *const names[] = {"ref", "model", "hls"};
    for (int d = 0; d < 3; d++) {
        lacuna_device *device = open_loaded(names[d]);
        lacuna_shape shape;
        int32_t results[N * RESULTS] = {0};
        assert_int_equal(lacuna_get_shape(device, &shape, NULL), 0);
        assert_int_equal(shape.channels * shape.rows * shape.columns, PIXELS);
        assert_int_equal(shape.results, RESULTS);
        assert_int_equal(lacuna_run(device, N, pixels, results, NULL), 0);
        assert_memory_equal(results, expected, sizeof expected);
        assert_int_equal(lacuna_run(device, 0, pixels, results, NULL), 0);
        lacuna_close(device);
    }
}

/// As many as do not fill the last run, nor the last block.
static void runs_images_that_share_the_mesh(void **state) {
    (void)state;
    static const char *const names[] = {"ref", "model", "hls"};
    for (int d = 0; d < 3; d++) {
        lacuna_device *device = open_loaded_from(names[d], shared_path);
        for (int n = 1; n <= N - 1; n += 49) {
            int32_t *results = calloc((size_t)n * RESULTS, sizeof *results);
            assert_int_equal(lacuna_run(device, n, pixels, results, NULL), 0);
            assert_memory_equal(results, expected, (size_t)n * RESULTS * sizeof *results);
            free(results);
        }
        lacuna_close(device);
    }
}

static void does_jobs_in_the_background_in_their_order(void **state) {
    (void)state;
    enum { JOBS = 10, EACH = N / JOBS };
    lacuna_device *device = open_loaded("model");
    lacuna_job *jobs[JOBS];
    int32_t results[N * RESULTS] = {0};
    for (int j = 0; j < JOBS; j++)
        assert_int_equal(lacuna_start(device, EACH, pixels + j * EACH * PIXELS, results + j * EACH * RESULTS,
                                      &jobs[j], NULL),
                         0);
    assert_int_equal(lacuna_wait(jobs[JOBS - 1], NULL), 0); // and with it all before it
    assert_memory_equal(results, expected, sizeof expected);
    for (int j = 0; j < JOBS - 1; j++) assert_int_equal(lacuna_wait(jobs[j], NULL), 0);
    lacuna_close(device);
}

static void scores_order_classes(void **state) {
    (void)state;
    lacuna_device *device = open_loaded("ref");
    for (int i = 0; i < N; i++) {
        float scores[RESULTS];
        int best = lacuna_class(device, expected + i * RESULTS);
        assert_int_equal(lacuna_scores(device, expected + i * RESULTS, scores, NULL), 0);
        for (int c = 0; c < RESULTS; c++) assert_true(scores[c] <= scores[best]);
    }
    lacuna_close(device);
}

static void says_what_is_wrong(void **state) {
    (void)state;
    lacuna_device *device = NULL;
    lacuna_error error = {0, ""};
    lacuna_job *job;
    lacuna_shape shape;
    int32_t results[RESULTS];
    assert_int_equal(lacuna_open("abacus", NULL, &device, &error), 2);
    assert_int_equal(error.code, 2);
    assert_string_equal(error.text, "there is no device 'abacus'");
    assert_int_equal(lacuna_open(NULL, NULL, &device, NULL), 2);
    assert_int_equal(lacuna_open("ref", NULL, &device, &error), 0);
    assert_int_equal(lacuna_run(device, 1, pixels, results, &error), 2);
    assert_non_null(strstr(error.text, "call lacuna_load first"));
    assert_int_equal(lacuna_get_shape(device, &shape, &error), 2);
    assert_int_equal(lacuna_class(device, results), -1);
    assert_int_equal(lacuna_load(device, "missing.lac", &error), 4);
    assert_int_equal(lacuna_load(device, path, &error), 0);
    assert_int_equal(lacuna_load(device, "missing.lac", &error), 4); // and there is none now
    assert_int_equal(lacuna_start(device, 1, pixels, results, &job, &error), 2);
    assert_int_equal(lacuna_load(device, path, &error), 0);
    assert_int_equal(lacuna_run(device, -1, pixels, results, &error), 2);
    lacuna_close(device);
    lacuna_close(NULL);
}

static void names_its_devices_and_version(void **state) {
    (void)state;
    assert_string_equal(lacuna_device_name(0), "ref");
    assert_null(lacuna_device_name(-1));
    assert_null(lacuna_device_name(1000));
    assert_true(lacuna_version()[0] >= '0' && lacuna_version()[0] <= '9');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_a_batch_as_the_reference_does),
        cmocka_unit_test(runs_images_that_share_the_mesh),
        cmocka_unit_test(does_jobs_in_the_background_in_their_order),
        cmocka_unit_test(scores_order_classes),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(names_its_devices_and_version),
    };
    return cmocka_run_group_tests(tests, write_image, NULL);
}
