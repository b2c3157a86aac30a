#include "random_nets.h"

#include "magnitude.h"
#include "masks.h"
#include "prune.h"

typedef struct fixture {
    lac_arena *arena;
    lac_graph *g;
    lac_dataset data;
} fixture;

// 1x6x8 -> conv 4 (36 weights) -> batch norm -> relu -> fc 3 (576 weights, ten times smaller) with bias.
static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = lac_arena_open();
    f->data = make_noise_data(f->arena, 1, 6, 8, 3, 400, 1);
    f->g = lac_graph_new(f->arena, "prunable");
    f->g->input = lac_graph_add_value(f->g, "image", LAC_SHAPE(1, 1, 6, 8));
    lac_rng rng = lac_rng_make(2, 0);
    int w = kit_random(f->g, &rng, "w1", LAC_SHAPE(4, 1, 3, 3), 0.3f, 0);
    int x = kit_conv(f->g, "conv", f->g->input, w, -1, kit_window(3, 1, 1));
    const float one[] = {1, 1, 1, 1}, zero[] = {0, 0, 0, 0};
    x = kit_op(f->g, LAC_OP_RELU, "relu", kit_norm(f->g, "bn", x, 4, one, zero, zero, one));
    x = kit_op(f->g, LAC_OP_FLATTEN, "flat", x);
    w = kit_random(f->g, &rng, "w2", LAC_SHAPE(3, 192), 0.03f, 0);
    int b = kit_random(f->g, &rng, "b2", LAC_SHAPE(3), 0.001f, 0);
    f->g->output = lac_graph_add_node(f->g, LAC_OP_LINEAR, "fc", (int[]){x, w, b}, 3, NULL);
    ASSERT_OK(lac_graph_infer(f->g, err));
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    lac_arena_close(f->arena);
    free(f);
    return 0;
}

static lac_value *weights_of(lac_graph *g, const char *name) {
    for (int v = 0; v < g->n_values; v++)
        if (strcmp(g->values[v].name, name) == 0) return &g->values[v];
    fail_msg("no value '%s'", name);
    return NULL;
}

static uint64_t n_nonzero(const lac_value *v) {
    uint64_t n = 0;
    for (int64_t i = 0; i < lac_shape_count(v->shape); i++) n += v->data[i] != 0;
    return n;
}

static void the_schedule_is_cubic(void **state) {
    (void)state;
    assert_true(lac_cubic_density(0, 0, 0.5, 1, 0.2) == 1);
    assert_true(fabs(lac_cubic_density(0.25, 0, 0.5, 1, 0.2) - (0.2 + 0.8 / 8)) < 1e-12);
    assert_true(lac_cubic_density(0.5, 0, 0.5, 1, 0.2) == 0.2);
    assert_true(lac_cubic_density(1, 0, 0.5, 1, 0.2) == 0.2);
    assert_true(fabs(lac_cubic_density(0.1, 0.2, 0.5, 0.9, 0.2) - 0.9) < 1e-12);
    assert_true(lac_cubic_density(0.3, 0.3, 0.3, 1, 0.2) == 0.2); // all at once
    assert_true(lac_cubic_density(0.29, 0.3, 0.3, 1, 0.2) == 1);
}

static void keeps_exactly_the_largest(void **state) {
    fixture *f = *state;
    lac_value *w1 = weights_of(f->g, "w1"), *w2 = weights_of(f->g, "w2");
    lac_graph *before = lac_graph_copy(f->g, f->arena);
    ASSERT_OK(lac_mask_largest(f->g, 100, 1, err));
    assert_int_equal(lac_prunable_count(f->g, true), 100);
    assert_int_equal(lac_prunable_count(f->g, false), 36 + 576);
    float least_kept = 1e9f, largest_cut = 0;
    lac_value *now[] = {w1, w2}, *old[] = {weights_of(before, "w1"), weights_of(before, "w2")};
    for (int v = 0; v < 2; v++)
        for (int64_t i = 0; i < lac_shape_count(now[v]->shape); i++) {
            assert_int_equal(now[v]->mask[i], now[v]->data[i] != 0);
            if (now[v]->mask[i]) assert_true(now[v]->data[i] == old[v]->data[i]);
            float size = fabsf(old[v]->data[i]);
            if (now[v]->mask[i])
                least_kept = fminf(least_kept, size);
            else
                largest_cut = fmaxf(largest_cut, size);
        }
    assert_true(least_kept > largest_cut);
    assert_null(weights_of(f->g, "b2")->mask);
    assert_null(weights_of(f->g, "gamma")->mask);
}

static void ties_are_kept_in_order(void **state) {
    fixture *f = *state;
    lac_value *w1 = weights_of(f->g, "w1"), *w2 = weights_of(f->g, "w2");
    for (int i = 0; i < 36; i++) w1->data[i] = i % 2 ? 0.5f : -0.5f;
    for (int i = 0; i < 576; i++) w2->data[i] = 0.5f;
    ASSERT_OK(lac_mask_largest(f->g, 40, 1, err));
    for (int i = 0; i < 36; i++) assert_int_equal(w1->mask[i], i < 36);
    assert_int_equal(n_nonzero(w2), 4);
    for (int i = 0; i < 4; i++) assert_int_equal(w2->mask[i], 1);
}

static void no_layer_is_emptied(void **state) {
    fixture *f = *state;
    ASSERT_OK(lac_mask_largest(f->g, 10, 3, err));
    assert_int_equal(n_nonzero(weights_of(f->g, "w2")), 3);
    assert_int_equal(n_nonzero(weights_of(f->g, "w1")), 7);
    ASSERT_OK(lac_mask_largest(f->g, 0, 2, err));
    assert_int_equal(n_nonzero(weights_of(f->g, "w1")) + n_nonzero(weights_of(f->g, "w2")), 4);
}

static void any_count_is_met_exactly(void **state) {
    fixture *f = *state;
    for (uint64_t keep = 612; keep > 2; keep -= 13) {
        ASSERT_OK(lac_mask_largest(f->g, keep, 1, err));
        assert_int_equal(lac_prunable_count(f->g, true), keep);
    }
}

static lac_prune_config config_of(double density) {
    return (lac_prune_config){
        .density = density,
        .recipe = {.epochs = 3, .batch = 20, .lr = 0.02f, .weight_decay = 1e-4f, .seed = 4}};
}

static void pruning_ends_at_the_density_and_learns(void **state) {
    fixture *f = *state;
    lac_prune_config config = config_of(0.1);
    lac_eval_result before, after;
    ASSERT_OK(lac_evaluate(f->g, &f->data, &f->data.test, 0, NULL, &before, err));
    ASSERT_OK(lac_pruner_row(0)->run(f->g, &f->data, &config, NULL, err));
    ASSERT_OK(lac_graph_check(f->g, err));
    assert_int_equal(lac_prunable_count(f->g, true), 61); // 61.2
    ASSERT_OK(lac_evaluate(f->g, &f->data, &f->data.test, 0, NULL, &after, err));
    assert_true(after.loss < before.loss);
    assert_string_equal(lac_graph_meta(f->g, "lacuna.pruner"), "magnitude density 0.1");
}

static void a_schedule_to_the_last_step_still_ends_at_the_density(void **state) {
    fixture *f = *state;
    lac_prune_config config = config_of(0.25);
    config.begin = 0.5;
    config.end = 1;
    ASSERT_OK(lac_pruner_row(0)->run(f->g, &f->data, &config, NULL, err));
    assert_int_equal(lac_prunable_count(f->g, true), 153);
}

static void two_runs_are_equal_bit_for_bit(void **state) {
    fixture *f = *state;
    lac_prune_config config = config_of(0.2);
    lac_graph *other = lac_graph_copy(f->g, f->arena);
    ASSERT_OK(lac_pruner_row(0)->run(f->g, &f->data, &config, NULL, err));
    ASSERT_OK(lac_pruner_row(0)->run(other, &f->data, &config, NULL, err));
    assert_memory_equal(weights_of(f->g, "w1")->data, weights_of(other, "w1")->data, 36 * sizeof(float));
    assert_memory_equal(weights_of(f->g, "w2")->data, weights_of(other, "w2")->data, 576 * sizeof(float));
}

static void weights_that_are_gone_do_not_grow_again(void **state) {
    fixture *f = *state;
    ASSERT_OK(lac_mask_largest(f->g, 50, 1, err));
    lac_prune_config config = config_of(0.5);
    ASSERT_OK(lac_pruner_row(0)->run(f->g, &f->data, &config, NULL, err));
    assert_int_equal(lac_prunable_count(f->g, true), 50);
}

static void refuses_densities_and_schedules_out_of_range(void **state) {
    fixture *f = *state;
    lac_error err = {0};
    lac_prune_config config = config_of(0);
    assert_fails_with(lac_pruner_row(0)->run(f->g, &f->data, &config, NULL, &err), &err, LAC_E_USAGE,
                      "density 0");
    config = config_of(1.5);
    assert_fails_with(lac_pruner_row(0)->run(f->g, &f->data, &config, NULL, &err), &err, LAC_E_USAGE,
                      "density 1.5");
    config = config_of(0.5);
    config.begin = 0.8;
    config.end = 0.4;
    assert_fails_with(lac_pruner_row(0)->run(f->g, &f->data, &config, NULL, &err), &err, LAC_E_USAGE,
                      "from 0.8 to 0.4");
}

static void refuses_a_graph_without_weights(void **state) {
    fixture *f = *state;
    lac_graph *g = lac_graph_new(f->arena, "bare");
    g->input = lac_graph_add_value(g, "image", LAC_SHAPE(1, 3, 4, 4));
    g->output = kit_op(g, LAC_OP_GLOBAL_AVG_POOL, "gap", g->input);
    lac_prune_config config = config_of(0.5);
    lac_error err = {0};
    assert_fails_with(lac_pruner_row(0)->run(g, &f->data, &config, NULL, &err), &err, LAC_E_UNSUPPORTED,
                      "no trainable weights");
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schedule_is_cubic),
        WITH_FIXTURE(keeps_exactly_the_largest),
        WITH_FIXTURE(ties_are_kept_in_order),
        WITH_FIXTURE(no_layer_is_emptied),
        WITH_FIXTURE(any_count_is_met_exactly),
        WITH_FIXTURE(pruning_ends_at_the_density_and_learns),
        WITH_FIXTURE(a_schedule_to_the_last_step_still_ends_at_the_density),
        WITH_FIXTURE(two_runs_are_equal_bit_for_bit),
        WITH_FIXTURE(weights_that_are_gone_do_not_grow_again),
        WITH_FIXTURE(refuses_densities_and_schedules_out_of_range),
        WITH_FIXTURE(refuses_a_graph_without_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
