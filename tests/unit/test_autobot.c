// AutoBot: its terms by hand, its gradients by finite differences, and what it does to a network that has
// learned.
#include "learned.h"
#include "prune_kit.h"

#include "autobot.h"
#include "gate_run.h"
#include "group_lasso.h"
#include "hrank.h"
#include "prune.h"
#include "thinet.h"

static void the_budget_has_two_sides(void **state) {
    (void)state;
    double slope;
    assert_true(lac_autobot_budget(80, 50, 110, &slope) == 0.5);
    assert_true(slope == 1.0 / 60);
    assert_true(fabs(lac_autobot_budget(40, 50, 110, &slope) - 0.2) < 1e-12);
    assert_true(slope == -1.0 / 50);
    assert_true(lac_autobot_budget(110, 50, 110, NULL) == 1);
}

static void gates_begin_at_nine_tenths(void **state) {
    (void)state;
    assert_true(fabs(lac_autobot_alpha(0.9) - 2.1972) < 1e-4);
}

// Two vectors of 2 and 4 gates: the mean of the vectors' means, whatever their sizes.
static void binarisation_is_a_mean_of_means(void **state) {
    (void)state;
    int vector[] = {0, 0, 1, 1, 1, 1};
    lac_gates gates = {.n = 6, .vector = vector, .n_vectors = 2};
    double lambda[] = {0.9, 0.3, 0.5, 1, 0, 0.25}, slope[6] = {0};
    double by_hand = ((0.1 + 0.3) / 2 + (0.5 + 0 + 0 + 0.25) / 4) / 2;
    assert_true(fabs(lac_autobot_binary(&gates, lambda, slope) - by_hand) < 1e-12);
    assert_true(slope[0] == -0.25 && slope[1] == 0.25 && slope[2] == -0.125 && slope[5] == 0.125);
    double nine[] = {0.9, 0.9, 0.9, 0.9, 0.9, 0.9};
    assert_true(fabs(0.4 * lac_autobot_binary(&gates, nine, NULL) - 0.04) < 1e-12); // as the logs print it
}

// conv, BN, ReLU, a residual block, a concat: every way of a gradient to a gate.
static lac_graph *branching_net(lac_arena *arena, int wide) {
    lac_net net = lac_net_start(arena, "branching", 1, SYN_SIZE, SYN_SIZE, 21);
    int x = lac_net_conv_bn_relu(&net, "a", net.graph->input, wide, 3, 1);
    int y = lac_net_conv_bn_relu(&net, "b", x, wide, 3, 1);
    x = lac_net_relu(&net, "sum.relu", lac_net_add(&net, "sum", x, y));
    int z = lac_net_conv_bn_relu(&net, "c", x, 4, 1, 1);
    x = lac_net_max_pool(&net, "pool", lac_net_concat(&net, "join", (int[]){x, z}, 2), 2, 2);
    x = lac_net_conv_window(&net, "depthwise", x, wide + 4, lac_net_square(3, 1, 1, wide + 4), false);
    x = lac_net_bn_relu(&net, "depthwise", x);
    return lac_net_done(&net, lac_net_classify(&net, x, SYN_CLASSES));
}

static double worst_slope(lac_gate_run *run, int n, double *lambda, const double *slope) {
    double worst = 0, largest = 0, up, down;
    double *unused = calloc((size_t)n, sizeof *unused);
    for (int i = 0; i < n; i++) {
        double saved = lambda[i], step = 1e-2;
        lambda[i] = saved + step;
        ASSERT_FINE(lac_gate_run_step(run, 0, lambda, &up, unused, err));
        lambda[i] = saved - step;
        ASSERT_FINE(lac_gate_run_step(run, 0, lambda, &down, unused, err));
        lambda[i] = saved;
        assert_true(isfinite(slope[i]));
        worst = fmax(worst, fabs((up - down) / (2 * step) - slope[i]));
        largest = fmax(largest, fabs(slope[i]));
    }
    free(unused);
    return worst / largest;
}

static void check_slopes(bool noise) {
    lac_arena *arena = lac_arena_open();
    lac_dataset data = synthetic_dataset(arena);
    lac_graph *graph = branching_net(arena, 6);
    kit_season(graph, 4);
    lac_gate_rules rules = lac_gate_rules_for(graph, true);
    lac_gates *gates = lac_gates_find(graph, lac_channels_find(graph, arena), &rules, arena);
    assert_int_equal(gates->n, 6 + 4);
    lac_gate_run run;
    double lambda[10], slope[10], loss;
    lac_rng rng = lac_rng_make(3, 3);
    for (int i = 0; i < 10; i++) lambda[i] = 0.4 + 0.5 * (double)lac_rng_uniform(&rng);
    ASSERT_FINE(lac_gate_run_open(&run, gates, &data, 40, &(lac_recipe){.seed = 2}, arena, err));
    ASSERT_FINE(lac_gate_run_step(&run, 0, lambda, &loss, slope, err));
    if (noise) {
        double quiet = loss;
        ASSERT_FINE(lac_gate_run_add_noise(&run, gates, arena, err));
        ASSERT_FINE(lac_gate_run_step(&run, 0, lambda, &loss, slope, err));
        assert_true(loss != quiet);
    }
    double right = worst_slope(&run, 10, lambda, slope);
    if (right > (noise ? 1e-2 : 5e-3)) fail_msg("slopes are off by %g of the largest", right);
    slope[7] = -slope[7]; // the check notices a wrong one
    assert_true(worst_slope(&run, 10, lambda, slope) > 2e-2);
    lac_gate_run_close(&run);
    lac_arena_close(arena);
}

static void slopes_of_gates_match_finite_differences(void **state) {
    (void)state;
    check_slopes(false);
    check_slopes(true);
}

// Open gates let no noise in, whatever is drawn.
static void open_gates_are_quiet(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_dataset data = synthetic_dataset(arena);
    lac_graph *graph = branching_net(arena, 6);
    lac_gate_rules rules = lac_gate_rules_for(graph, true);
    lac_gates *gates = lac_gates_find(graph, lac_channels_find(graph, arena), &rules, arena);
    lac_gate_run run;
    double lambda[10], slope[10], quiet, noisy;
    for (int i = 0; i < 10; i++) lambda[i] = 1;
    ASSERT_FINE(lac_gate_run_open(&run, gates, &data, 40, &(lac_recipe){.seed = 2}, arena, err));
    ASSERT_FINE(lac_gate_run_step(&run, 0, lambda, &quiet, slope, err));
    ASSERT_FINE(lac_gate_run_add_noise(&run, gates, arena, err));
    ASSERT_FINE(lac_gate_run_step(&run, 0, lambda, &noisy, slope, err));
    assert_true(quiet == noisy);
    lambda[3] = 0;
    ASSERT_FINE(lac_gate_run_step(&run, 0, lambda, &quiet, slope, err));
    ASSERT_FINE(lac_gate_run_step(&run, 1, lambda, &noisy, slope, err));
    assert_true(quiet != noisy);
    lac_gate_run_close(&run);
    lac_arena_close(arena);
}

// ---- criteria by hand -----------------------------------------------------------------------------------

static void a_group_is_shortened_down_to_zero(void **state) {
    (void)state;
    assert_true(lac_shrink_group(5, 1) == 0.8);
    assert_true(lac_shrink_group(0.5, 1) == 0 && lac_shrink_group(0, 1) == 0);
}

// Channels 0 and 1 cancel each other: together they are missed less than either, so the second follows the
// first although it alone misses more than channel 2.
static void what_cancels_goes_together(void **state) {
    (void)state;
    const double moments[] = {0.8, -0.9, 0, -0.9, 1, 0, 0, 0, 0.9};
    double rank[3];
    lac_thinet_order(moments, 3, rank);
    assert_true(fabs(rank[0] - 0.5 / 3) < 1e-12 && fabs(rank[1] - 1.5 / 3) < 1e-12);
    assert_true(fabs(rank[2] - 2.5 / 3) < 1e-12);
    const double apart[] = {0.8, 0, 0, 0, 1, 0, 0, 0, 0.9};
    lac_thinet_order(apart, 3, rank);
    assert_true(rank[0] < rank[2] && rank[2] < rank[1]);
}

static void ranks_of_maps_by_hand(void **state) {
    (void)state;
    double full[] = {1, 2, 3, 4}, one[] = {1, 2, 3, 2, 4, 6}, none[] = {0, 0, 0, 0},
           tall[] = {0, 1, 0, 2, 1, 0};
    assert_int_equal(lac_map_rank(full, 2, 2), 2);
    assert_int_equal(lac_map_rank(one, 2, 3), 1);
    assert_int_equal(lac_map_rank(none, 2, 2), 0);
    assert_int_equal(lac_map_rank(tall, 3, 2), 2);
}

// ---- whole runs -----------------------------------------------------------------------------------------

static lac_graph *build_branching(lac_arena *arena) {
    return branching_net(arena, 12);
}

static int learn_branching(void **state) {
    return learn_with(state, build_branching, 12);
}

static lac_graph *pruned(const learned *l, const char *method, lac_prune_config config,
                         lac_prune_result *result) {
    lac_graph *graph = lac_graph_copy(l->graph, l->arena);
    config.result = result;
    ASSERT_FINE(lac_pruner_find(method)->run(graph, &l->data, &config, NULL, err));
    ASSERT_FINE(lac_graph_check(graph, err));
    return graph;
}

static lac_prune_config half_macs(void) {
    return (lac_prune_config){.budget = {LAC_COST_MACS, 0.5},
                              .no_training = true,
                              .gates = {.batches = 60, .batch = 32, .lr = 0.3f},
                              .recipe = {.seed = 5}};
}

static void autobot_meets_its_budget_and_keeps_what_counts(void **state) {
    const learned *l = *state;
    lac_prune_result r, random;
    lac_prune_config config = half_macs();
    double chance = 0;
    config.budget.amount = 0.3;
    config.gates = (lac_gate_recipe){.batches = 150, .batch = 32};
    lac_graph *graph = pruned(l, "autobot", config, &r);
    assert_true(r.cost_before == (double)lac_graph_macs(l->graph));
    assert_true(r.cost_after == (double)lac_graph_macs(graph));
    assert_true(r.cost_after <= r.target && r.cost_after > 0.7 * r.target); // 16 channels are coarse
    for (uint64_t seed = 0; seed < 12; seed++) {
        config.recipe.seed = seed;
        pruned(l, "random-channels", config, &random);
        chance += random.pruned_accuracy / 12;
    }
    if (!(r.pruned_accuracy > chance))
        fail_msg("autobot leaves %.3f, chance %.3f", r.pruned_accuracy, chance);
    assert_non_null(strstr(lac_graph_meta(graph, "lacuna.pruner"), "autobot"));
}

static void two_runs_close_the_same_gates(void **state) {
    const learned *l = *state;
    lac_prune_result a, b;
    lac_graph *x = pruned(l, "autobot", half_macs(), &a), *y = pruned(l, "autobot", half_macs(), &b);
    assert_true(same_constants(x, y));
    assert_true(a.cost_after == b.cost_after);
}

static void budgets_in_bytes_and_cycles_are_met_too(void **state) {
    const learned *l = *state;
    for (int unit = LAC_COST_BYTES; unit < LAC_N_COST_UNITS; unit++) {
        lac_prune_config config = half_macs();
        lac_prune_result r;
        config.budget = (lac_budget){(lac_cost_unit)unit, 0.6};
        config.engine = (lac_cost_engine){.mesh_x = 2, .mesh_y = 2, .drain = 2};
        lac_graph *graph = pruned(l, "autobot", config, &r);
        assert_true(r.cost_after <= r.target && r.cost_after > 0.6 * r.target);
        if (unit == LAC_COST_BYTES) continue;
        assert_true((double)lac_engine_cycles(graph, &config.engine, NULL) == r.cost_after);
    }
}

static void training_after_pruning_recovers(void **state) {
    const learned *l = *state;
    lac_prune_config config = half_macs();
    lac_prune_result r;
    config.no_training = false;
    config.recipe = (lac_recipe){.epochs = 6, .batch = 30, .lr = 0.05f, .seed = 5};
    lac_graph *graph = pruned(l, "autobot", config, &r);
    lac_eval_result after;
    ASSERT_FINE(lac_evaluate(graph, &l->data, &l->data.validation, 0, NULL, &after, err));
    assert_true(after.accuracy >= r.pruned_accuracy);
}

// Mean square difference of logits on the validation images.
static double logit_distance(const learned *l, const lac_graph *a, const lac_graph *b) {
    enum { N = SYN_VALIDATION };
    float *x = LAC_NEW_ARRAY(l->arena, float, N *SYN_SIZE *SYN_SIZE), y[2][N * SYN_CLASSES];
    double sum = 0;
    lac_normalize(&l->data, l->data.validation.pixels, N, x);
    ASSERT_FINE(lac_infer(a, x, N, y[0], err));
    ASSERT_FINE(lac_infer(b, x, N, y[1], err));
    for (int i = 0; i < N * SYN_CLASSES; i++) sum += pow((double)y[0][i] - (double)y[1][i], 2);
    return sum / (N * SYN_CLASSES);
}

// With all weight on the teacher, its soft answers bring the pruned network nearer to it than labels do.
static void a_teacher_changes_the_training(void **state) {
    const learned *l = *state;
    lac_prune_config config = half_macs();
    config.no_training = false;
    config.recipe = (lac_recipe){.epochs = 4, .batch = 30, .lr = 0.02f, .seed = 5};
    double distance[2];
    for (int taught = 0; taught < 2; taught++) {
        config.distill = taught ? 1.0f : 0.0f;
        lac_graph *graph = pruned(l, "filter-l1", config, NULL);
        distance[taught] = logit_distance(l, l->graph, graph);
    }
    if (!(distance[1] < distance[0]))
        fail_msg("logits differ by %.3f with the teacher, by %.3f without", distance[1], distance[0]);
}

static void every_pruner_of_channels_meets_the_budget(void **state) {
    const learned *l = *state;
    for (int i = 0; i < lac_n_pruners(); i++) {
        const lac_pruner_desc *row = lac_pruner_row(i);
        if (!row->removes_channels) continue;
        for (int scope = LAC_SCOPE_METHOD; scope < LAC_N_SCOPES; scope++) {
            lac_prune_config config = half_macs();
            lac_prune_result r;
            config.scope = (lac_scope)scope;
            config.reestimate_batches = 2;
            lac_graph *graph = pruned(l, row->name, config, &r);
            if (r.cost_after > r.target || (double)lac_graph_macs(graph) != r.cost_after)
                fail_msg("%s: %g MACs of %g", row->name, r.cost_after, r.target);
        }
    }
}

static void refuses_budgets_that_cannot_be(void **state) {
    const learned *l = *state;
    lac_graph *graph = lac_graph_copy(l->graph, l->arena);
    lac_prune_config config = half_macs();
    lac_error err = {0};
    config.budget.amount = -1;
    assert_int_equal(lac_pruner_find("filter-l1")->run(graph, &l->data, &config, NULL, &err), LAC_E_USAGE);
    config.budget.amount = 1e-6;
    assert_int_equal(lac_pruner_find("filter-l1")->run(graph, &l->data, &config, NULL, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "one channel a layer already costs"));
    assert_true(same_constants(graph, l->graph));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_budget_has_two_sides),
        cmocka_unit_test(gates_begin_at_nine_tenths),
        cmocka_unit_test(binarisation_is_a_mean_of_means),
        cmocka_unit_test(slopes_of_gates_match_finite_differences),
        cmocka_unit_test(open_gates_are_quiet),
        cmocka_unit_test(a_group_is_shortened_down_to_zero),
        cmocka_unit_test(what_cancels_goes_together),
        cmocka_unit_test(ranks_of_maps_by_hand),
        cmocka_unit_test(autobot_meets_its_budget_and_keeps_what_counts),
        cmocka_unit_test(two_runs_close_the_same_gates),
        cmocka_unit_test(budgets_in_bytes_and_cycles_are_met_too),
        cmocka_unit_test(training_after_pruning_recovers),
        cmocka_unit_test(a_teacher_changes_the_training),
        cmocka_unit_test(every_pruner_of_channels_meets_the_budget),
        cmocka_unit_test(refuses_budgets_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, learn_branching, forget);
}
