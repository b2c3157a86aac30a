#include "fault.h"
#include "graph_builder.h"
#include "ref.h"
#include "verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { N_IMAGES = 100 };

typedef struct fixture {
    lac_arena *arena;
    lac_image *image;
    uint8_t *pixels, *labels;
} fixture;

static const lac_engine_config engine = {
    .mesh_x = 4, .mesh_y = 4, .drain = 4, .acc_bits = 24, .act_words = 1024, .list_words = 1024};

/// Three convolutions with a pool between, then a raw classifier: faults have somewhere to hide.
static lac_int_graph *classifier(lac_arena *arena) {
    builder b = builder_begin(arena, 12);
    int in = builder_input(&b, 1, 16, 16, (lac_code_type){.bits = 8, .scale = 1});
    int a = builder_conv(
        &b, in, (layer_options){.out_c = 4, .window = WINDOW(3, 1, 1), .zero_percent = 50, .name = "conv_a"});
    int p = builder_max_pool(&b, a, WINDOW(2, 2, 0));
    int c = builder_conv(
        &b, p, (layer_options){.out_c = 6, .window = WINDOW(3, 1, 1), .zero_percent = 50, .name = "conv_b"});
    int d = builder_conv(
        &b, c, (layer_options){.out_c = 6, .window = WINDOW(3, 2, 1), .zero_percent = 50, .name = "conv_c"});
    int e = builder_conv(
        &b, d,
        (layer_options){
            .out_c = 10, .window = WINDOW(4, 1, 0), .weight_bits = 8, .raw = true, .name = "classes"});
    return builder_end(&b, e);
}

static int setup(void **state) {
    lac_arena *arena = lac_arena_open();
    fixture *f = LAC_NEW(arena, fixture);
    f->arena = arena;
    lac_rng rng = lac_rng_make(6, 6);
    f->pixels = LAC_NEW_ARRAY(arena, uint8_t, N_IMAGES * 256);
    f->labels = LAC_NEW_ARRAY(arena, uint8_t, N_IMAGES);
    for (int i = 0; i < N_IMAGES * 256; i++) f->pixels[i] = (uint8_t)lac_rng_u64(&rng);
    for (int i = 0; i < N_IMAGES; i++) f->labels[i] = (uint8_t)lac_rng_below(&rng, 10);
    *state = f;
    return lac_compile(classifier(arena), &engine, arena, &f->image, NULL) == LAC_OK ? 0 : 1;
}

static int teardown(void **state) {
    lac_arena_close(((fixture *)*state)->arena);
    return 0;
}

static lac_verify_config config_of(const fixture *f, const char *const *devices, int n_devices) {
    return (lac_verify_config){.devices = devices,
                               .n_devices = n_devices,
                               .pixels = f->pixels,
                               .labels = f->labels,
                               .n_images = N_IMAGES,
                               .n_threads = 2};
}

static const char *const both[] = {"ref", "model"};

static uint64_t values_an_image(const lac_image *image) {
    uint64_t n = 0;
    for (int s = 0; s < image->n_steps; s++)
        n += lac_int_tensor_count(&image->graph->tensors[image->steps[s].out_tensor]);
    return n;
}

static uint32_t count_right(const fixture *f) {
    uint32_t n = 0;
    const lac_int_graph *g = f->image->graph;
    int32_t **values = reference_values(g, f->arena, 0);
    for (int i = 0; i < N_IMAGES; i++) {
        lac_input_codes(g, f->pixels + i * 256, values[g->input]);
        lac_ref_run(g, values);
        n += lac_int_argmax(g, values[g->output]) == f->labels[i];
    }
    return n;
}

static void devices_that_agree_pass_and_every_value_is_compared(void **state) {
    fixture *f = *state;
    lac_verify_report report;
    lac_error err = {0};
    lac_verify_config config = config_of(f, both, 2);
    if (lac_verify(f->image, &config, NULL, f->arena, &report, &err) != LAC_OK) fail_msg("%s", err.text);
    assert_int_equal(report.n_images, N_IMAGES);
    assert_int_equal(report.n_compared, 2 * N_IMAGES * values_an_image(f->image));
    assert_int_equal(report.devices[0].n_right, count_right(f));
    assert_int_equal(report.devices[1].n_right, report.devices[0].n_right);
    assert_false(report.mismatch.found);
}

static void a_planted_fault_is_found_in_its_layer(void **state) {
    fixture *f = *state;
    for (int d = 0; d < 2; d++)
        for (int s = 0; s < f->image->n_steps; s++) {
            lac_verify_report report;
            lac_error err = {0};
            lac_verify_config config = config_of(f, both, 2);
            config.fault_device = both[d];
            config.fault_step = s;
            if (lac_verify(f->image, &config, NULL, f->arena, &report, &err) != LAC_E_MISMATCH)
                fail_msg("fault in step %d of %s goes unnoticed", s, both[d]);
            assert_true(report.mismatch.found);
            assert_string_equal(report.mismatch.device, both[d]);
            assert_int_equal(report.mismatch.step, s);
            assert_true(report.mismatch.expected != report.mismatch.got);
            assert_true(report.mismatch.n_wrong > 0 && report.mismatch.n_wrong <= report.mismatch.n_values);
            assert_non_null(strstr(err.text, f->image->steps[s].name));
            assert_non_null(strstr(err.text, both[d]));
        }
}

static void the_story_of_a_mismatch_does_not_depend_on_threads(void **state) {
    fixture *f = *state;
    lac_verify_report one, four;
    lac_error first = {0}, second = {0};
    lac_verify_config config = config_of(f, both, 2);
    config.fault_device = "model";
    config.fault_step = 1;
    config.n_threads = 1;
    assert_int_equal(lac_verify(f->image, &config, NULL, f->arena, &one, &first), LAC_E_MISMATCH);
    config.n_threads = 4;
    assert_int_equal(lac_verify(f->image, &config, NULL, f->arena, &four, &second), LAC_E_MISMATCH);
    assert_string_equal(first.text, second.text);
}

static void running_counts_right_answers_and_keeps_the_classes(void **state) {
    fixture *f = *state;
    lac_verify_report report;
    lac_error err = {0};
    uint8_t classes[N_IMAGES];
    lac_verify_config config = config_of(f, both, 1);
    config.classes = classes;
    assert_int_equal(lac_run(f->image, &config, NULL, f->arena, &report, &err), LAC_OK);
    uint32_t n = 0;
    for (int i = 0; i < N_IMAGES; i++) n += classes[i] == f->labels[i];
    assert_int_equal(report.devices[0].n_right, n);
    assert_int_equal(n, count_right(f));
    assert_int_equal(report.n_compared, 0);
    assert_true(report.seconds > 0);
}

static bool stop_now(void *ctx) {
    int *n_asked = ctx;
    return ++*n_asked > 40;
}

static void stops_when_asked_and_says_how_far_it_came(void **state) {
    fixture *f = *state;
    lac_verify_report report;
    lac_error err = {0};
    int n_asked = 0;
    const lac_talk talk = {.stop = stop_now, .ctx = &n_asked};
    lac_verify_config config = config_of(f, both, 2);
    config.n_threads = 1;
    assert_int_equal(lac_verify(f->image, &config, &talk, f->arena, &report, &err), LAC_E_INTERRUPTED);
    assert_non_null(strstr(err.text, "of 100 images"));
}

static void wrong_requests_are_refused(void **state) {
    fixture *f = *state;
    static const char *const unknown[] = {"abacus"};
    lac_verify_report report;
    lac_error err = {0};
    lac_verify_config config = config_of(f, unknown, 1);
    assert_int_equal(lac_verify(f->image, &config, NULL, f->arena, &report, &err), LAC_E_USAGE);
    assert_non_null(strstr(err.text, "abacus"));
    config = config_of(f, both, 2);
    config.fault_device = "model";
    config.fault_step = 99;
    assert_int_equal(lac_verify(f->image, &config, NULL, f->arena, &report, &err), LAC_E_USAGE);
}

static void a_fault_changes_one_weight_and_nothing_else(void **state) {
    fixture *f = *state;
    lac_error err = {0};
    for (int s = 0; s < f->image->n_steps; s++) {
        lac_image *faulty = NULL;
        assert_int_equal(lac_image_with_fault(f->image, s, f->arena, &faulty, &err), LAC_OK);
        int n_changed = 0;
        for (int l = 0; l < f->image->graph->n_layers; l++) {
            const lac_int_layer *a = &f->image->graph->layers[l], *b = &faulty->graph->layers[l];
            for (size_t i = 0; i < lac_int_layer_weights(f->image->graph, a, false); i++) {
                if (a->w[i] == b->w[i]) continue;
                n_changed++;
                assert_int_equal(l, f->image->steps[s].layer);
                assert_int_not_equal(b->w[i], 0);
            }
        }
        assert_int_equal(n_changed, 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(devices_that_agree_pass_and_every_value_is_compared, setup, teardown),
        cmocka_unit_test_setup_teardown(a_planted_fault_is_found_in_its_layer, setup, teardown),
        cmocka_unit_test_setup_teardown(the_story_of_a_mismatch_does_not_depend_on_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(running_counts_right_answers_and_keeps_the_classes, setup, teardown),
        cmocka_unit_test_setup_teardown(stops_when_asked_and_says_how_far_it_came, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_requests_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fault_changes_one_weight_and_nothing_else, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
