#include "graph_builder.h"
#include "step_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const lac_engine_config seven = {
    .mesh_x = 7, .mesh_y = 7, .drain = 7, .acc_bits = 24, .act_words = 4096, .list_words = 2048};

static lac_image *small_network(lac_arena *arena) {
    builder b = builder_begin(arena, 3);
    lac_code_type u4 = {.bits = 4, .scale = 1};
    int at = builder_input(&b, 8, 28, 28, u4);
    at = builder_conv(
        &b, at, (layer_options){.out_c = 8, .window = WINDOW(3, 1, 1), .zero_percent = 50, .name = "conv"});
    at = builder_max_pool(&b, at, WINDOW(2, 2, 0));
    at = builder_conv(&b, at,
                      (layer_options){.out_c = 8, .window = {.groups = 8}, .type = u4, .name = "depthwise"});
    at = builder_conv(
        &b, at,
        (layer_options){
            .out_c = 10, .window = WINDOW(14, 1, 0), .zero_percent = 90, .raw = true, .name = "classes"});
    lac_image *image = NULL;
    lac_error err = {0};
    if (lac_compile(builder_end(&b, at), &seven, arena, &image, &err) != LAC_OK) fail_msg("%s", err.text);
    return image;
}

static void rows_say_what_a_step_is_and_takes(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    const lac_image *image = small_network(arena);
    lac_step_row *rows;
    lac_step_report(image, arena, &rows);
    assert_int_equal(image->n_steps, 3);
    assert_string_equal(rows[0].name, "conv");
    assert_string_equal(rows[0].kind, "conv2d + max_pool");
    assert_string_equal(rows[0].in_shape, "8x28x28");
    assert_string_equal(rows[0].out_shape, "8x14x14");
    assert_string_equal(rows[0].tile, "4x4");
    assert_int_equal(rows[0].n_weights, 8 * 8 * 9);
    assert_int_equal(rows[0].n_entries, rows[0].n_nonzero);
    assert_int_equal(rows[0].ideal_cycles, rows[0].n_nonzero * 16);
    assert_true(rows[0].bits_per_nonzero >= image->steps[0].entry_bits);
    assert_true(rows[0].cost.total >= rows[0].ideal_cycles);
    assert_true(rows[0].utilization > 0.9 && rows[0].utilization <= 1);
    // one entry a result, seven cycles to drain it
    assert_non_null(strstr(rows[1].reason, "results leave more slowly"));
    assert_non_null(strstr(rows[2].reason, "program stream"));
    assert_non_null(strstr(rows[2].format, "by lane"));
    lac_arena_close(arena);
}

static void costs_add_up_and_never_beat_the_ideal(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        lac_arena *arena = lac_arena_open();
        lac_image *image = NULL;
        if (lac_compile(random_graph(arena, seed), &seven, arena, &image, NULL) == LAC_OK) {
            lac_step_row *rows;
            lac_step_report(image, arena, &rows);
            for (int s = 0; s < image->n_steps; s++) {
                const lac_step_cost *c = &rows[s].cost;
                assert_int_equal(c->mesh + c->starved + c->drain + c->other, c->total);
                assert_int_equal(c->mesh, rows[s].ideal_cycles);
                assert_true(rows[s].utilization >= 0 && rows[s].utilization <= 1);
                assert_true(rows[s].reason[0]);
            }
        }
        lac_arena_close(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_say_what_a_step_is_and_takes),
        cmocka_unit_test(costs_add_up_and_never_beat_the_ideal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
