// Budgets of channels, met on networks as they are built: what is chosen only depends on scores and costs.
#include "prune_kit.h"

#include "gate_select.h"
#include "structured.h"

typedef struct case_of {
    lac_arena *arena;
    lac_graph *graph;
    lac_gates *gates;
    lac_gate_cost cost;
    double *score, most;
    bool *open;
} case_of;

static case_of open_case(const char *net, lac_cost_unit unit, uint64_t seed) {
    case_of k = {.arena = lac_arena_open()};
    k.graph = kit_build(k.arena, net, 3, 32, 10);
    lac_gate_rules rules = lac_gate_rules_for(k.graph, false);
    k.gates = lac_gates_find(k.graph, lac_channels_find(k.graph, k.arena), &rules, k.arena);
    k.cost = lac_gate_cost_make(k.gates, unit, &(lac_cost_engine){0}, k.arena);
    k.most = lac_gate_cost_of(&k.cost, NULL, NULL);
    k.score = LAC_NEW_ARRAY(k.arena, double, k.gates->n);
    k.open = LAC_NEW_ARRAY(k.arena, bool, k.gates->n);
    lac_rng rng = lac_rng_make(seed, 1);
    for (int i = 0; i < k.gates->n; i++) k.score[i] = (double)lac_rng_uniform(&rng);
    return k;
}

static double chosen(case_of *k, double target) {
    ASSERT_FINE(lac_gates_select(&k->cost, k->score, target, k->open, err));
    return lac_gate_cost_open(&k->cost, k->open);
}

static bool met(double cost, double target) {
    return cost <= target && cost >= target * (1 - LAC_BUDGET_TOLERANCE);
}

static const char *const nets[] = {"vgg16-bn", "resnet56", "densenet40", "resnet8"};

static void budgets_are_met_within_half_a_percent(void **state) {
    (void)state;
    static const double shares[] = {0.7, 0.45, 0.23};
    for (size_t n = 0; n < sizeof nets / sizeof *nets; n++)
        for (int unit = LAC_COST_MACS; unit <= LAC_COST_BYTES; unit++)
            for (int s = 0; s < 3; s++) {
                case_of k = open_case(nets[n], (lac_cost_unit)unit, 7);
                double target = shares[s] * k.most, cost = chosen(&k, target);
                if (!met(cost, target)) fail_msg("%s: %.0f of a target of %.0f", nets[n], cost, target);
                lac_arena_close(k.arena);
            }
}

// Fewer of the lowest gates closed, and the budget is broken: where that stops is not near enough.
static void a_threshold_alone_is_noticed(void **state) {
    (void)state;
    case_of k = open_case("resnet8", LAC_COST_MACS, 7);
    lac_ranked *order = LAC_NEW_ARRAY(k.arena, lac_ranked, k.gates->n);
    lac_gates_order(k.score, k.gates->n, order);
    double target = 0.45 * k.most, cost = k.most;
    memset(k.open, true, (size_t)k.gates->n);
    for (int i = 0; cost > target; i++) {
        k.open[order[i].gate] = false;
        cost = lac_gate_cost_open(&k.cost, k.open);
    }
    assert_false(met(cost, target));
    lac_arena_close(k.arena);
}

// The graph that is left has the multiply-accumulates of the target, counted on the graph itself. (In
// ResNet-56 some channels stay as zeros; test_gates holds those against the model.)
static void the_graph_that_is_left_has_what_was_asked_for(void **state) {
    (void)state;
    for (int n = 0; n < 3; n += 2) {
        case_of k = open_case(nets[n], LAC_COST_MACS, 3);
        double target = 0.45 * k.most;
        chosen(&k, target);
        ASSERT_FINE(lac_gates_remove(k.graph, k.gates, k.open, err));
        double is = (double)lac_graph_macs(k.graph);
        if (!met(is, target)) fail_msg("%s: %.0f MACs of a target of %.0f", nets[n], is, target);
        lac_arena_close(k.arena);
    }
}

// 24 scores far above all others: their gates are open whatever the fine steps do.
static void what_is_worth_most_stays(void **state) {
    (void)state;
    case_of k = open_case("resnet8", LAC_COST_MACS, 5);
    for (int i = 0; i < k.gates->n; i += k.gates->n / 24) k.score[i] += 100;
    chosen(&k, 0.4 * k.most);
    for (int i = 0; i < k.gates->n; i += k.gates->n / 24) assert_true(k.open[i]);
    lac_arena_close(k.arena);
}

// How often a lower gate is open while a higher one of its own vector, which costs the same, is closed.
static int inversions(const case_of *k) {
    int n = 0;
    for (int i = 0; i < k->gates->n; i++)
        for (int j = 0; j < k->gates->n; j++)
            n += k->gates->vector[i] == k->gates->vector[j] && k->score[i] < k->score[j] && k->open[i] &&
                 !k->open[j];
    return n;
}

// Exchanges are few; a choice against the scores would be noticed.
static void scores_decide_within_a_vector(void **state) {
    (void)state;
    case_of k = open_case("vgg16-bn", LAC_COST_MACS, 5);
    chosen(&k, 0.45 * k.most);
    int fine = inversions(&k);
    for (int i = 0; i < k.gates->n; i++) k.score[i] = -k.score[i];
    assert_true(inversions(&k) > 1000);
    assert_true(fine < 100);
    lac_arena_close(k.arena);
}

static void every_layer_keeps_a_channel(void **state) {
    (void)state;
    case_of k = open_case("densenet40", LAC_COST_MACS, 2);
    memset(k.open, 0, (size_t)k.gates->n);
    lac_gates_keep_one(k.gates, k.score, k.open);
    double least = lac_gate_cost_open(&k.cost, k.open);
    chosen(&k, 1.05 * least);
    ASSERT_FINE(lac_gates_remove(k.graph, k.gates, k.open, err)); // refuses layers without channels
    lac_error err = {0};
    assert_int_equal(lac_gates_select(&k.cost, k.score, 0.9 * least, k.open, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "one channel a layer already costs"));
    lac_arena_close(k.arena);
}

// Cycles are those of the graph that is left, lists and pipelines and all, not the sum of terms.
static void cycles_are_met_by_the_graph_that_is_left(void **state) {
    (void)state;
    for (size_t n = 0; n < sizeof nets / sizeof *nets; n++) {
        case_of k = open_case(nets[n], LAC_COST_CYCLES, 7);
        const lac_prune_config config = {.budget = {LAC_COST_CYCLES, 0.45}};
        const lac_structured s = {.graph = k.graph,
                                  .config = &config,
                                  .arena = k.arena,
                                  .gates = k.gates,
                                  .cost = k.cost,
                                  .cost_before = k.most,
                                  .target = 0.45 * k.most};
        ASSERT_FINE(lac_structured_select(&s, k.score, k.open, err));
        ASSERT_FINE(lac_gates_remove(k.graph, k.gates, k.open, err));
        double is = (double)lac_engine_cycles(k.graph, &config.engine, NULL);
        if (!met(is, s.target)) fail_msg("%s: %.0f cycles of a target of %.0f", nets[n], is, s.target);
        lac_arena_close(k.arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budgets_are_met_within_half_a_percent),
        cmocka_unit_test(a_threshold_alone_is_noticed),
        cmocka_unit_test(the_graph_that_is_left_has_what_was_asked_for),
        cmocka_unit_test(what_is_worth_most_stays),
        cmocka_unit_test(scores_decide_within_a_vector),
        cmocka_unit_test(every_layer_keeps_a_channel),
        cmocka_unit_test(cycles_are_met_by_the_graph_that_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
