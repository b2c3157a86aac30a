// Pruners of weights: each law on numbers small enough to work out by hand, then every pruner on a network
// that has learned.
#include "learned.h"
#include "prune_kit.h"

#include "group_mask.h"
#include "hard_concrete.h"
#include "lamp.h"
#include "masks.h"
#include "n_of_m.h"
#include "pattern.h"
#include "regrow.h"
#include "rounds.h"

#include <unistd.h>

// ---- budgets and masks ----------------------------------------------------------------------------------

// Weights of 2x3x1x1, 4x2x1x1 and 10x4: 6 + 8 + 40.
static lac_graph *three_layers(lac_arena *arena) {
    lac_graph *g = start_graph(arena, LAC_SHAPE(1, 3, 1, 1));
    lac_rng rng = lac_rng_make(1, 1);
    lac_attr attr = {.window = square_window(1, 1, 0)};
    int w1 = add_uniform(g, "w1", LAC_SHAPE(2, 3, 1, 1), 1, 2, true, &rng);
    int w2 = add_uniform(g, "w2", LAC_SHAPE(4, 2, 1, 1), 1, 2, true, &rng);
    int w3 = add_uniform(g, "w3", LAC_SHAPE(10, 4), 1, 2, true, &rng);
    int x = lac_graph_add_node(g, LAC_OP_CONV2D, "c1", (int[]){g->input, w1}, 2, &attr);
    x = lac_graph_add_node(g, LAC_OP_CONV2D, "c2", (int[]){x, w2}, 2, &attr);
    x = lac_graph_add_node(g, LAC_OP_FLATTEN, "flat", &x, 1, NULL);
    g->output = lac_graph_add_node(g, LAC_OP_LINEAR, "fc", (int[]){x, w3}, 2, NULL);
    ASSERT_FINE(lac_graph_infer(g, err));
    return g;
}

// Shares go as 7/6, 8/8 and 14/40 of the sizes 6, 8, 40: weighted 7 + 8 + 14 = 29. Of 29 weights each layer
// would keep exactly 7, 8, 14: the first has only 6, so the others share 23 as 8 : 14, and the second is
// full.
static void kernels_of_erdos_and_renyi_share_by_hand(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_weights w = lac_weights_of(three_layers(arena), arena);
    assert_int_equal(w.n, 54);
    const uint64_t *b = lac_layer_budgets(&w, 29, LAC_SHARE_ERK, arena);
    assert_true(b[0] == 6 && b[1] == 8 && b[2] == 15);
    b = lac_layer_budgets(&w, 10, LAC_SHARE_ERK, arena); // 10 * 7, 8, 14 / 29 = 2.41, 2.76, 4.83
    assert_true(b[0] == 2 && b[1] == 3 && b[2] == 5);
    b = lac_layer_budgets(&w, 27, LAC_SHARE_UNIFORM, arena);
    assert_true(b[0] == 3 && b[1] == 4 && b[2] == 20);
    lac_arena_close(arena);
}

static void masks_keep_the_largest_scores(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_weights w = lac_weights_of(three_layers(arena), arena);
    float *score = LAC_NEW_ARRAY(arena, float, w.n);
    for (size_t i = 0; i < w.n; i++) score[i] = (float)i; // the last layer wins, but for one weight a layer
    ASSERT_FINE(lac_mask_scores(&w, score, 12, LAC_SHARE_GLOBAL, err));
    assert_int_equal(lac_prunable_count(w.graph, true), 12);
    assert_true(lac_weights_value(&w, 0)->mask[5] && !lac_weights_value(&w, 0)->mask[4]);
    assert_true(lac_weights_value(&w, 2)->mask[30] && !lac_weights_value(&w, 2)->mask[29]);
    ASSERT_FINE(lac_graph_check(w.graph, err));
    lac_arena_close(arena);
}

// ---- scores by hand -------------------------------------------------------------------------------------

// Squares 1, 4, 9: 1/14, 4/13, 9/9.
static void lamp_divides_by_what_is_not_smaller(void **state) {
    (void)state;
    lac_lamp_weight w[] = {{4, 0}, {9, 1}, {1, 2}};
    float score[3];
    lac_lamp_scores(w, 3, score);
    assert_true(score[0] == 4.0f / 13 && score[1] == 1 && score[2] == (float)(1.0 / 14));
}

static void two_of_four_are_taken_along_inputs(void **state) {
    (void)state;
    // [1][6][1][2]: for place 0 the inputs have 1 5 3 2 | 7 6, for place 1 the same number everywhere
    const float w[] = {1, 9, -5, 9, 3, 9, 2, 9, 7, 9, 6, 9};
    const uint8_t expected[] = {0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1};
    uint8_t keep[12];
    lac_n_of_m_mask(w, LAC_SHAPE(1, 6, 1, 2), 2, 4, keep);
    assert_memory_equal(keep, expected, 12);
    lac_n_of_m_mask(w, LAC_SHAPE(1, 6, 1, 2), 1, 4, keep);
    assert_true(keep[2] && !keep[4] && keep[8] && !keep[10]);
}

static void patterns_are_the_centre_and_three(void **state) {
    (void)state;
    const float kernels[3][9] = {
        {9, 8, 7, 0, 0, 0, 0, 0, 1},  // places 0 1 2 and the centre, though that is zero
        {-9, 8, 7, 1, 2, 0, 0, 0, 0}, // the same
        {0, 0, 0, 0, 1, 0, 7, 8, 9},  // 6 7 8
    };
    const int top = 1 << 4 | 7, bottom = 1 << 4 | 7 << 6;
    int dictionary[LAC_PATTERNS];
    for (int i = 0; i < 3; i++) assert_int_equal(lac_pattern_of(kernels[i]), i < 2 ? top : bottom);
    assert_int_equal(lac_pattern_dictionary(kernels[0], 3, dictionary), 2);
    assert_int_equal(dictionary[0], top);
    assert_int_equal(dictionary[1], bottom);
    assert_int_equal(lac_pattern_best(kernels[2], dictionary, 2), bottom);
    assert_int_equal(lac_pattern_best(kernels[2], dictionary, 1), top);
}

static size_t pairs(int64_t o, int64_t i, int64_t k, int64_t n_in, int64_t n_k) {
    (void)k;
    (void)n_k;
    return (size_t)(o * ((n_in + 1) / 2) + i / 2);
}

static void groups_live_or_die_as_one(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_sparse s = {.graph = three_layers(arena), .share = LAC_SHARE_UNIFORM, .arena = arena};
    size_t group[40];
    s.weights = lac_weights_of(s.graph, arena);
    s.score = LAC_NEW_ARRAY(arena, float, s.weights.n);
    ASSERT_FINE(lac_mask_groups(&s, 0.5, pairs, err));
    ASSERT_FINE(lac_graph_check(s.graph, err));
    for (int l = 0; l < 3; l++) {
        const lac_value *v = lac_weights_value(&s.weights, l);
        int64_t n = lac_shape_count(v->shape), kept = 0;
        lac_groups_of(v->shape, pairs, group);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                if (group[i] == group[j]) assert_int_equal(v->mask[i], v->mask[j]);
        for (int64_t i = 0; i < n; i++) kept += v->mask[i];
        assert_true(kept > 0 && kept <= n / 2 + 1);
    }
    lac_arena_close(arena);
}

static void exchanges_shrink_along_a_cosine(void **state) {
    (void)state;
    assert_true(lac_regrow_share(0, 2000) == 0 && lac_regrow_share(150, 2000) == 0);
    assert_true(fabs(lac_regrow_share(100, 2000) - 0.15 * (1 + cos(3.14159265358979 / 15))) < 1e-9);
    assert_true(fabs(lac_regrow_share(750, 20000 / 20 + 500) - 0) < 0.15); // 750 is no multiple of 100
    assert_true(lac_regrow_share(1500, 2000) == 0);                        // the last quarter is quiet
}

static void an_exchange_drops_the_smallest_and_grows_the_best(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_weights w = lac_weights_of(three_layers(arena), arena);
    lac_value *v = lac_weights_value(&w, 1);
    const float data[] = {5, 0, -1, 0, 3, 0, 0, 2};
    const uint8_t before[] = {1, 0, 1, 0, 1, 0, 0, 1}, after[] = {1, 1, 0, 0, 1, 0, 1, 0};
    const float deserves[] = {0, 9, 0, 1, 0, 2, 8, 0};
    memcpy(v->data, data, sizeof data);
    v->mask = lac_arena_copy(arena, before, 8);
    ASSERT_FINE(lac_regrow_layer(&w, 1, deserves, 2, err));
    assert_memory_equal(v->mask, after, 8);
    assert_true(v->data[1] == 0 && v->data[6] == 0 && v->data[2] == 0 && v->data[0] == 5);
    lac_arena_close(arena);
}

static void rounds_go_down_by_equal_factors(void **state) {
    (void)state;
    assert_true(fabs(lac_round_density(1, 0.01, 1, 2) - 0.1) < 1e-12);
    assert_true(fabs(lac_round_density(0.5, 0.1, 3, 3) - 0.1) < 1e-12);
}

// log_alpha = 0, u = 1/2: s = 1/2, z = 0.5 * 1.2 - 0.1. It opens with 1 / (1 + exp(2/3 * ln(0.1 / 1.1))).
static void hard_concrete_gates_by_hand(void **state) {
    (void)state;
    double slope, up, down;
    assert_true(fabs(lac_hard_concrete(0, 0.5, &slope) - 0.5) < 1e-12);
    assert_true(fabs(slope - 1.2 * 0.25 * 1.5) < 1e-12);
    assert_true(lac_hard_concrete(8, 0.5, &slope) == 1 && slope == 0);
    assert_true(lac_hard_concrete(-8, 0.5, &slope) == 0 && slope == 0);
    assert_true(lac_hard_concrete_mean(-8) == 0 && fabs(lac_hard_concrete_mean(0) - 0.5) < 1e-12);
    assert_true(fabs(lac_hard_concrete_open(0, &slope) - 1 / (1 + exp(2.0 / 3 * log(0.1 / 1.1)))) < 1e-12);
    up = lac_hard_concrete_open(0.001, NULL), down = lac_hard_concrete_open(-0.001, NULL);
    assert_true(fabs((up - down) / 0.002 - slope) < 1e-6);
    lac_hard_concrete(0.3, 0.6, &slope);
    up = lac_hard_concrete(0.301, 0.6, NULL), down = lac_hard_concrete(0.299, 0.6, NULL);
    assert_true(fabs((up - down) / 0.002 - slope) < 1e-5);
}

// ---- whole runs -----------------------------------------------------------------------------------------

static lac_prune_config config_of(double density) {
    return (lac_prune_config){.density = density,
                              .recipe = {.epochs = 1, .batch = 30, .lr = 0.02f, .seed = 3}};
}

static void every_pruner_of_weights_ends_at_its_density(void **state) {
    const learned *l = *state;
    double n = (double)lac_prunable_count(l->graph, false);
    for (int i = 0; i < lac_n_pruners(); i++) {
        const lac_pruner_desc *row = lac_pruner_row(i);
        if (row->removes_channels) continue;
        lac_graph *graph = lac_graph_copy(l->graph, l->arena);
        double density = strcmp(row->name, "n-of-m") == 0 ? 0.5 : 0.25;
        lac_prune_config config = config_of(density);
        lac_error why = {0};
        if (row->run(graph, &l->data, &config, NULL, &why) != LAC_OK) fail_msg("%s: %s", row->name, why.text);
        ASSERT_FINE(lac_graph_check(graph, err));
        double is = (double)lac_prunable_count(graph, true) / n;
        // The first layer has one input, so 2:4 leaves it dense; groups are coarse.
        if (!(fabs(is - density) <= 0.03)) fail_msg("%s: density is %.3f, not %.3f", row->name, is, density);
        lac_eval_result result;
        ASSERT_FINE(lac_evaluate(graph, &l->data, &l->data.validation, 0, NULL, &result, err));
        if (!(result.accuracy > 0.35)) // chance is a quarter
            fail_msg("%s: accuracy is %.3f", row->name, result.accuracy);
        assert_non_null(strstr(lac_graph_meta(graph, "lacuna.pruner"), row->name));
    }
}

// Every group of four keeps two, and not the two that were largest before: masked weights go on learning.
static void sr_ste_chooses_anew(void **state) {
    const learned *l = *state;
    lac_graph *graph = lac_graph_copy(l->graph, l->arena);
    lac_prune_config config = config_of(0.5);
    config.recipe.epochs = 3;
    ASSERT_FINE(lac_pruner_find("sr-ste")->run(graph, &l->data, &config, NULL, err));
    lac_weights before = lac_weights_of(l->graph, l->arena), after = lac_weights_of(graph, l->arena);
    int n_changed = 0;
    for (int layer = 0; layer < after.n_layers; layer++) {
        const lac_value *v = lac_weights_value(&after, layer);
        int64_t n = lac_shape_count(v->shape), n_in = v->shape.dim[1], places = n / v->shape.dim[0] / n_in;
        if (n_in < LAC_N_OF_M) continue;
        uint8_t *at_once = LAC_NEW_ARRAY(l->arena, uint8_t, n);
        lac_n_of_m_mask(lac_weights_value(&before, layer)->data, v->shape, 2, LAC_N_OF_M, at_once);
        for (int64_t i = 0; i < n; i++) {
            int kept = 0;
            n_changed += at_once[i] != v->mask[i];
            assert_true(v->mask[i] || v->data[i] == 0);
            if (i / places % LAC_N_OF_M || i / places % n_in + LAC_N_OF_M > n_in) continue;
            for (int64_t k = 0; k < LAC_N_OF_M; k++) kept += v->mask[i + k * places];
            assert_int_equal(kept, 2);
        }
    }
    assert_true(n_changed > 0);
}

static void two_runs_are_equal(void **state) {
    const learned *l = *state;
    static const char *const names[] = {"movement", "rigl", "set", "snip", "sr-ste"};
    for (int i = 0; i < 5; i++) {
        lac_graph *a = lac_graph_copy(l->graph, l->arena), *b = lac_graph_copy(l->graph, l->arena);
        lac_prune_config config = config_of(0.25);
        ASSERT_FINE(lac_pruner_find(names[i])->run(a, &l->data, &config, NULL, err));
        ASSERT_FINE(lac_pruner_find(names[i])->run(b, &l->data, &config, NULL, err));
        assert_true(same_constants(a, b));
    }
}

static bool stop_after(void *ctx) {
    int *left = ctx;
    return --*left == 0;
}

// Masks, scores, gates and shadows all go on where they were, in the schedule and behind its end.
static void a_stopped_run_goes_on_and_ends_with_the_same_bits(void **state) {
    const learned *l = *state;
    static const char *const names[] = {"magnitude", "movement", "rigl", "set", "l0", "sr-ste"};
    char folder[] = "sparse_XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *path = lac_arena_printf(l->arena, "%s/checkpoint", folder);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int patience = 7; patience <= 31; patience += 24) {
            lac_graph *whole = lac_graph_copy(l->graph, l->arena);
            lac_prune_config config = config_of(0.25);
            config.recipe.epochs = 4;
            ASSERT_FINE(lac_pruner_find(names[i])->run(whole, &l->data, &config, NULL, err));
            config.recipe.checkpoint = path;
            lac_status status = LAC_E_INTERRUPTED;
            lac_graph *parts = NULL;
            int n_stops = -1;
            for (; status == LAC_E_INTERRUPTED; n_stops++) {
                int left = patience;
                lac_talk talk = {.stop = stop_after, .ctx = &left};
                parts = lac_graph_copy(l->graph, l->arena); // a new process knows nothing but the file
                status = lac_pruner_find(names[i])->run(parts, &l->data, &config, &talk, NULL);
            }
            assert_int_equal(status, LAC_OK);
            assert_true(n_stops >= 1);
            if (!same_constants(whole, parts)) fail_msg("%s, stopped every %d steps", names[i], patience);
        }
    assert_int_equal(rmdir(folder), 0); // checkpoints are gone when done
}

// What a score is for: by gradients it does better than by chance at the same density, without training.
static void scores_beat_their_opposites(void **state) {
    const learned *l = *state;
    static const char *const names[] = {"oneshot", "snip", "obd"};
    lac_prune_config config = config_of(0.3);
    config.no_training = true;
    lac_eval_result worst, result;
    lac_graph *backwards = lac_graph_copy(l->graph, l->arena);
    lac_weights w = lac_weights_of(backwards, l->arena);
    float *score = LAC_NEW_ARRAY(l->arena, float, w.n);
    lac_weights_magnitudes(&w, score);
    for (size_t i = 0; i < w.n; i++) score[i] = -score[i];
    ASSERT_FINE(lac_mask_scores(&w, score, (uint64_t)(0.3 * (double)w.n), LAC_SHARE_GLOBAL, err));
    ASSERT_FINE(lac_evaluate(backwards, &l->data, &l->data.validation, 0, NULL, &worst, err));
    for (int i = 0; i < 3; i++) {
        lac_graph *graph = lac_graph_copy(l->graph, l->arena);
        ASSERT_FINE(lac_pruner_find(names[i])->run(graph, &l->data, &config, NULL, err));
        ASSERT_FINE(lac_evaluate(graph, &l->data, &l->data.validation, 0, NULL, &result, err));
        if (!(result.accuracy > worst.accuracy))
            fail_msg("%s leaves %.3f, the smallest weights alone %.3f", names[i], result.accuracy,
                     worst.accuracy);
    }
}

static void refuses_what_cannot_be(void **state) {
    const learned *l = *state;
    lac_error err = {0};
    lac_graph *graph = lac_graph_copy(l->graph, l->arena);
    lac_prune_config config = config_of(1.5);
    for (int i = 0; i < lac_n_pruners(); i++)
        if (!lac_pruner_row(i)->removes_channels)
            assert_int_equal(lac_pruner_row(i)->run(graph, &l->data, &config, NULL, &err), LAC_E_USAGE);
    config.density = 0.3;
    assert_int_equal(lac_pruner_find("n-of-m")->run(graph, &l->data, &config, NULL, &err), LAC_E_USAGE);
    assert_non_null(strstr(err.text, "no N of 4"));
    config.no_training = true;
    assert_int_equal(lac_pruner_find("lottery")->run(graph, &l->data, &config, NULL, &err), LAC_E_USAGE);
    assert_true(same_constants(graph, l->graph));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_of_erdos_and_renyi_share_by_hand),
        cmocka_unit_test(masks_keep_the_largest_scores),
        cmocka_unit_test(lamp_divides_by_what_is_not_smaller),
        cmocka_unit_test(two_of_four_are_taken_along_inputs),
        cmocka_unit_test(patterns_are_the_centre_and_three),
        cmocka_unit_test(groups_live_or_die_as_one),
        cmocka_unit_test(exchanges_shrink_along_a_cosine),
        cmocka_unit_test(an_exchange_drops_the_smallest_and_grows_the_best),
        cmocka_unit_test(rounds_go_down_by_equal_factors),
        cmocka_unit_test(hard_concrete_gates_by_hand),
        cmocka_unit_test(every_pruner_of_weights_ends_at_its_density),
        cmocka_unit_test(sr_ste_chooses_anew),
        cmocka_unit_test(two_runs_are_equal),
        cmocka_unit_test(a_stopped_run_goes_on_and_ends_with_the_same_bits),
        cmocka_unit_test(scores_beat_their_opposites),
        cmocka_unit_test(refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}
