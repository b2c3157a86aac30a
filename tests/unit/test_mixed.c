#include "noise_fixture.h"

#include "mixed.h"
#include "prepare.h"

/// Widths under a budget: the solver against all combinations, traces against a Hessian that is known.

static lac_mixed_layer *make_layers(lac_arena *arena, uint64_t seed, int n, int n_choices) {
    lac_rng rng = lac_rng_make(seed, 0);
    lac_mixed_layer *layers = LAC_NEW_ARRAY(arena, lac_mixed_layer, n);
    for (int l = 0; l < n; l++) {
        layers[l] = (lac_mixed_layer){.name = "layer", .n_choices = n_choices};
        layers[l].choices = LAC_NEW_ARRAY(arena, lac_mixed_choice, n_choices);
        double sensitivity = exp(2 * (double)lac_rng_normal(&rng)), size = 1 + lac_rng_below(&rng, 50);
        for (int c = 0; c < n_choices; c++)
            layers[l].choices[c] = (lac_mixed_choice){c + 2, 8, sensitivity * exp2(-2 * c), size * (c + 2)};
    }
    return layers;
}

static double sum_of(const lac_mixed_layer *layers, int n, bool loss) {
    double sum = 0;
    for (int l = 0; l < n; l++) {
        const lac_mixed_choice *c = &layers[l].choices[layers[l].chosen];
        sum += loss ? c->loss : c->cost;
    }
    return sum;
}

static double best_loss(lac_mixed_layer *layers, int n, int n_choices, double limit) {
    int all = 1;
    double best = INFINITY;
    for (int l = 0; l < n; l++) all *= n_choices;
    for (int k = 0; k < all; k++) {
        for (int l = 0, rest = k; l < n; l++, rest /= n_choices) layers[l].chosen = rest % n_choices;
        if (sum_of(layers, n, false) <= limit) best = fmin(best, sum_of(layers, n, true));
    }
    return best;
}

static void programming_is_exact_and_greed_stays_within(void **state) {
    (void)state;
    enum { N = 5, CHOICES = 4 };
    lac_arena *arena = lac_arena_open();
    double exact = 0, greedy = 0;
    for (uint64_t seed = 1; seed <= 15; seed++) {
        lac_mixed_layer *layers = make_layers(arena, seed, N, CHOICES);
        double limit = 0; // between the cheapest and the dearest
        for (int l = 0; l < N; l++) limit += 3.2 * layers[l].choices[0].cost / 2;
        // Costs are whole units of the limit only nearly: what rounding up may cost is one unit a layer.
        double best = best_loss(layers, N, CHOICES, limit);
        double strict = best_loss(layers, N, CHOICES, limit * (1 - N / 4096.0));
        ASSERT_OK(lac_mixed_solve(layers, N, limit, LAC_SEARCH_DP, err));
        assert_true(sum_of(layers, N, false) <= limit);
        double found = sum_of(layers, N, true);
        assert_true(found >= best - 1e-12 && found <= strict + 1e-12);
        exact += found;
        ASSERT_OK(lac_mixed_solve(layers, N, limit, LAC_SEARCH_GREEDY, err));
        assert_true(sum_of(layers, N, false) <= limit);
        assert_true(sum_of(layers, N, true) >= best - 1e-12);
        greedy += sum_of(layers, N, true);
    }
    assert_true(greedy >= exact && greedy < 3 * exact);
    lac_arena_close(arena);
}

static void refuses_a_budget_that_nothing_fits(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_mixed_layer *layers = make_layers(arena, 1, 3, 2);
    for (int search = 0; search < 2; search++) {
        lac_error err = {0};
        assert_fails_with(lac_mixed_solve(layers, 3, 1, (lac_search_kind)search, &err), &err, LAC_E_RANGE,
                          "the budget is 1; allow more");
    }
    lac_arena_close(arena);
}

static int open_fixture(void **state) {
    return open_noise_fixture(state, 200);
}

// One linear layer under softmax: d2 loss / d w[k][i]^2 = mean of p_k (1 - p_k) x_i^2.
static void the_trace_is_that_of_the_softmax(void **state) {
    fixture *f = *state;
    enum { N = 72, K = 3, IMAGES = 64 };
    lac_rng rng = lac_rng_make(4, 0);
    lac_graph *g = lac_graph_new(f->arena, "linear");
    g->input = lac_graph_add_value(g, "x", LAC_SHAPE(1, 1, 8, 9));
    int w = kit_random(g, &rng, "w", LAC_SHAPE(K, N), 0.1f, 0);
    g->output = lac_graph_add_node(g, LAC_OP_LINEAR, "fc",
                                   (int[]){kit_op(g, LAC_OP_FLATTEN, "flat", g->input), w}, 2, NULL);
    ASSERT_OK(lac_graph_infer(g, err));
    float x[IMAGES * N], y[IMAGES * K];
    lac_normalize(&f->data, f->data.train.pixels, IMAGES, x);
    ASSERT_OK(lac_infer(g, x, IMAGES, y, err));
    double expected = 0, trace[2] = {0};
    for (int i = 0; i < IMAGES; i++) {
        double sum = 0, square = 0;
        for (int k = 0; k < K; k++) sum += exp((double)y[i * K + k]);
        for (int p = 0; p < N; p++) square += (double)x[i * N + p] * (double)x[i * N + p];
        for (int k = 0; k < K; k++) {
            double p = exp((double)y[i * K + k]) / sum;
            expected += p * (1 - p) * square / IMAGES;
        }
    }
    float before[K * N];
    memcpy(before, g->values[w].data, sizeof before);
    ASSERT_OK(lac_hessian_traces(g, &f->data, IMAGES, 200, 1, trace, err));
    print_message("trace %.3f, expected %.3f\n", trace[1], expected);
    assert_true(trace[0] == 0 && fabs(trace[1] - expected) < 0.1 * expected);
    assert_memory_equal(before, g->values[w].data, sizeof before);
    lac_error err = {0};
    assert_fails_with(lac_hessian_traces(g, &f->data, 10, 1, 1, trace, &err), &err, LAC_E_RANGE,
                      "there are 10");
}

static lac_mixed_layer *search(fixture *f, lac_mixed_config config, int *n, double *limit) {
    const lac_quant_config base = {.weight_bits = 4, .act_bits = 4};
    lac_mixed_layer *layers;
    config.images = 64;
    ASSERT_OK(lac_mixed_search(f->g, &f->data, &base, &config, NULL, f->arena, &layers, n, limit, err));
    return layers;
}

static void every_budget_and_sensitivity_chooses_within_the_limit(void **state) {
    fixture *f = *state;
    for (int budget = 0; budget < LAC_N_BUDGETS; budget++)
        for (int s = 0; s < LAC_N_SENSITIVITIES; s++) {
            int n;
            double limit;
            lac_mixed_layer *layers = search(f,
                                             (lac_mixed_config){.budget = (lac_budget_kind)budget,
                                                                .sensitivity = (lac_sensitivity_kind)s,
                                                                .uniform_bits = 4},
                                             &n, &limit);
            assert_true(n >= 3 && limit > 0);
            assert_true(sum_of(layers, n, false) <= limit);
            double uniform = 0;
            int different = 0;
            for (int l = 0; l < n; l++)
                for (int c = 0; c < layers[l].n_choices; c++) {
                    const lac_mixed_choice *x = &layers[l].choices[c];
                    bool fixed = budget != LAC_BUDGET_BOPS || l == 0; // pixels have 8 bits
                    if (x->weights == 4 && (x->acts == 4 || fixed)) {
                        uniform += x->loss;
                        different += layers[l].chosen != c;
                    }
                }
            assert_true(sum_of(layers, n, true) <= uniform * (1 + 1e-9) || different == 0);
        }
}

static void the_choice_is_what_the_quantizer_then_does(void **state) {
    fixture *f = *state;
    int n;
    double limit;
    lac_mixed_layer *layers =
        search(f, (lac_mixed_config){.budget = LAC_BUDGET_BYTES, .uniform_bits = 3}, &n, &limit);
    lac_layer_widths own[16];
    for (int l = 0; l < n; l++)
        own[l] = (lac_layer_widths){layers[l].name, layers[l].choices[layers[l].chosen].weights, 0};
    const lac_quant_config config = {
        .weight_bits = 4, .act_bits = 4, .layers = own, .n_layers = n, .images = 64};
    ASSERT_OK(lac_quant_prepare(f->g, &f->data, &config, err));
    for (int l = 0; l < n; l++) {
        const lac_node *node = &f->g->nodes[lac_node_named(f->g, layers[l].name)];
        assert_int_equal(f->g->nodes[lac_graph_producer(f->g, node->in[1])].attr.quant.bits, own[l].weights);
    }
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programming_is_exact_and_greed_stays_within),
        cmocka_unit_test(refuses_a_budget_that_nothing_fits),
        WITH_FIXTURE(the_trace_is_that_of_the_softmax),
        WITH_FIXTURE(every_budget_and_sensitivity_chooses_within_the_limit),
        WITH_FIXTURE(the_choice_is_what_the_quantizer_then_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
