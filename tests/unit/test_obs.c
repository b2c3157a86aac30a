// Optimal brain surgeon on numbers worked out by hand, and against magnitude on a layer's results.
#include "prune_kit.h"
#include "train_fixture.h"

#include "masks.h"
#include "obs_row.h"
#include "prune.h"
#include "reconstruct.h"

// H = 2 1 / 1 2, so H^-1 = 2/3 -1/3 / -1/3 2/3. Of w = 1 2 the first costs 1 / (4/3) = 3/4, the second 3;
// when it goes, the second moves by -(1 / (2/3)) * (-1/3) = 1/2.
static void two_weights_by_hand(void **state) {
    (void)state;
    double h[] = {2, 1, 1, 2}, w[] = {1, 2}, cost[2];
    uint8_t gone[2] = {0};
    assert_true(lac_invert_symmetric(h, 2));
    assert_true(fabs(h[0] - 2.0 / 3) < 1e-12 && fabs(h[1] + 1.0 / 3) < 1e-12 && fabs(h[2] + 1.0 / 3) < 1e-12);
    lac_obs_row(w, h, 2, 1, gone, cost);
    assert_true(w[0] == 0 && fabs(w[1] - 2.5) < 1e-12 && gone[0] && !gone[1]);
    assert_true(fabs(cost[0] - 0.75) < 1e-12);
    lac_obs_row(w, h, 2, 1, gone, cost); // alone, H is 2 again: 2.5^2 * 2 / 2
    assert_true(w[1] == 0 && fabs(cost[0] - 6.25) < 1e-12);
}

static void inverts_and_refuses(void **state) {
    (void)state;
    double a[] = {4, 2, 1, 2, 5, 3, 1, 3, 6}, b[9], not_positive[] = {1, 2, 2, 1};
    memcpy(b, a, sizeof a);
    assert_true(lac_invert_symmetric(b, 3));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            double sum = 0;
            for (int k = 0; k < 3; k++) sum += a[i * 3 + k] * b[k * 3 + j];
            assert_true(fabs(sum - (i == j)) < 1e-12);
        }
    assert_false(lac_invert_symmetric(not_positive, 2));
}

// With uncorrelated inputs nothing can be made up for, and the order is that of magnitude.
static void without_correlation_it_is_magnitude(void **state) {
    (void)state;
    double h[16] = {0}, w[] = {3, -1, 4, 2};
    uint8_t gone[4] = {0};
    for (int i = 0; i < 4; i++) h[i * 5] = 0.5;
    lac_obs_row(w, h, 4, 2, gone, NULL);
    assert_true(w[0] == 3 && w[1] == 0 && w[2] == 4 && w[3] == 0);
}

// H = 2 1 / 1 2: without input 1, input 0 takes over half of its weight; the two that are not correlated with
// it take nothing.
static void what_stays_makes_up_by_hand(void **state) {
    (void)state;
    const double h[] = {2, 1, 0, 1, 2, 0, 0, 0, 3};
    const bool stays[] = {true, false, true};
    float w[] = {1, 4, 5}, *rows[] = {w};
    double scratch[3 * 4];
    assert_true(lac_reconstruct_rows(rows, 1, stays, h, 3, scratch));
    assert_true(fabsf(w[0] - 3) < 1e-6f && w[1] == 0 && w[2] == 5);
    const double not_positive[] = {-1, 0, 0, 0, 1, 0, 0, 0, 1};
    assert_false(lac_reconstruct_rows(rows, 1, stays, not_positive, 3, scratch));
}

static double distance_after(const lac_graph *graph, const lac_dataset *data, lac_arena *arena, bool fit) {
    lac_graph *copy = lac_graph_copy(graph, arena);
    const lac_prune_config config = {
        .budget = {LAC_COST_MACS, 0.5}, .no_training = true, .reconstruct = fit, .recipe = {.seed = 1}};
    float x[SYN_VALIDATION * SYN_SIZE * SYN_SIZE], y[2][SYN_VALIDATION * SYN_CLASSES];
    double sum = 0;
    ASSERT_FINE(lac_pruner_find("filter-l1")->run(copy, data, &config, NULL, err));
    lac_normalize(data, data->validation.pixels, SYN_VALIDATION, x);
    ASSERT_FINE(lac_infer(graph, x, SYN_VALIDATION, y[0], err));
    ASSERT_FINE(lac_infer(copy, x, SYN_VALIDATION, y[1], err));
    for (int i = 0; i < SYN_VALIDATION * SYN_CLASSES; i++) sum += pow((double)(y[0][i] - y[1][i]), 2);
    return sum;
}

// On images that were not sampled, logits move less when what stays makes up for what goes.
static void reconstruction_keeps_logits_nearer(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_dataset data = synthetic_dataset(arena);
    lac_graph *graph = synthetic_net(arena);
    lac_recipe recipe = {.epochs = 6, .batch = 30, .lr = 0.05f, .seed = 1};
    ASSERT_FINE(lac_train(graph, &data, &recipe, NULL, NULL, NULL, err));
    double with = distance_after(graph, &data, arena, true),
           without = distance_after(graph, &data, arena, false);
    if (!(with < without)) fail_msg("logits move by %g, by %g without reconstruction", with, without);
    lac_arena_close(arena);
}

// Squared change of x w over random correlated x.
static double change(const double *h, const double *w, const double *before, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) sum += (w[i] - before[i]) * h[i * n + j] * (w[j] - before[j]) / 2;
    return sum;
}

static void costs_add_up_to_the_change_and_beat_magnitude(void **state) {
    (void)state;
    enum { N = 12, REMOVED = 7 };
    lac_rng rng = lac_rng_make(4, 4);
    double x[40][N], h[N * N], inverse[N * N], w[N], before[N], cost[REMOVED], total = 0;
    uint8_t gone[N] = {0};
    for (int s = 0; s < 40; s++) {
        double shared = (double)lac_rng_normal(&rng);
        for (int i = 0; i < N; i++) x[s][i] = shared + 0.5 * (double)lac_rng_normal(&rng);
    }
    for (int i = 0; i < N; i++) {
        before[i] = w[i] = (double)lac_rng_normal(&rng);
        for (int j = 0; j < N; j++) {
            h[i * N + j] = 0;
            for (int s = 0; s < 40; s++) h[i * N + j] += 2 * x[s][i] * x[s][j] / 40;
        }
    }
    memcpy(inverse, h, sizeof h);
    assert_true(lac_invert_symmetric(inverse, N));
    lac_obs_row(w, inverse, N, REMOVED, gone, cost);
    for (int i = 0; i < REMOVED; i++) total += cost[i];
    double is = change(h, w, before, N);
    assert_true(fabs(is - total) < 1e-9 * total + 1e-9);
    double cut[N];
    memcpy(cut, before, sizeof cut);
    for (int r = 0; r < REMOVED; r++) {
        int least = -1;
        for (int i = 0; i < N; i++)
            if (cut[i] != 0 && (least < 0 || fabs(cut[i]) < fabs(cut[least]))) least = i;
        cut[least] = 0;
    }
    assert_true(is < 0.5 * change(h, cut, before, N));
    w[0] += 0.5; // the sum would notice
    assert_true(fabs(change(h, w, before, N) - total) > 1e-3);
}

// A whole network, half of the weights, no training: it loses less than by magnitude alone.
static void a_network_keeps_more_than_by_magnitude(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_dataset data = synthetic_dataset(arena);
    lac_graph *graph = synthetic_net(arena);
    lac_recipe recipe = {.epochs = 4, .batch = 30, .lr = 0.05f, .seed = 1};
    lac_eval_result result[2];
    static const char *const names[] = {"oneshot", "obs"};
    ASSERT_FINE(lac_train(graph, &data, &recipe, NULL, NULL, NULL, err));
    for (int i = 0; i < 2; i++) {
        lac_graph *copy = lac_graph_copy(graph, arena);
        const lac_prune_config config = {
            .density = 0.15, .share = LAC_SHARE_UNIFORM, .no_training = true, .recipe = {.seed = 1}};
        ASSERT_FINE(lac_pruner_find(names[i])->run(copy, &data, &config, NULL, err));
        ASSERT_FINE(lac_graph_check(copy, err));
        double share = (double)lac_prunable_count(copy, true) / (double)lac_prunable_count(copy, false);
        assert_true(fabs(share - 0.15) < 0.01);
        ASSERT_FINE(lac_evaluate(copy, &data, &data.validation, 0, NULL, &result[i], err));
    }
    if (!(result[1].loss < result[0].loss))
        fail_msg("obs leaves a loss of %.4f, magnitude %.4f", result[1].loss, result[0].loss);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_weights_by_hand),
        cmocka_unit_test(inverts_and_refuses),
        cmocka_unit_test(without_correlation_it_is_magnitude),
        cmocka_unit_test(costs_add_up_to_the_change_and_beat_magnitude),
        cmocka_unit_test(a_network_keeps_more_than_by_magnitude),
        cmocka_unit_test(what_stays_makes_up_by_hand),
        cmocka_unit_test(reconstruction_keeps_logits_nearer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
