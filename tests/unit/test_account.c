// Counting what is left: codings by hand, paths from image to logits, and the totals of known networks.
#include "prune_kit.h"
#include "train_fixture.h"

#include "account.h"

// Two rows of 1x8: 5 0 0 0 7 0 0 0 | 0 0 0 0 0 0 0 9, values of 4 bits.
static void codings_take_the_bytes_counted_by_hand(void **state) {
    (void)state;
    const float w[] = {5, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    lac_coded_bytes b = lac_coded_bytes_of(w, 2, 8, 1, 4);
    assert_int_equal(b.dense, 8);       // 16 * 4 bits
    assert_int_equal(b.bitmap, 4);      // 16 + 12 bits
    assert_int_equal(b.run, 3);         // 3 pairs of 8 bits
    assert_int_equal(b.delta, 3);       // 2 bits: 1 + 1 + 2 pairs of 6; 3 bits: 3 pairs of 7
    assert_int_equal(b.csr, 4);         // 3 * (4 + 3) bits, 3 pointers of 2 bits
    assert_int_equal(b.stream, 2 * 16); // a header and one word a row
    const float zeros[16] = {0};
    assert_int_equal(lac_coded_bytes_of(zeros, 2, 8, 1, 4).bitmap, 2);
    assert_int_equal(lac_coded_bytes_of(zeros, 2, 8, 1, 4).run, 0);
}

// A run of 20 zeros does not fit 4 bits: one more pair.
static void long_runs_take_another_pair(void **state) {
    (void)state;
    float w[24] = {0};
    w[20] = 1;
    assert_int_equal(lac_coded_bytes_of(w, 1, 24, 1, 4).run, 2);
    w[20] = 0;
    w[15] = 1;
    assert_int_equal(lac_coded_bytes_of(w, 1, 24, 1, 4).run, 1);
}

// x -> a (2 channels) -> b (2) -> fc: a's channel 1 is read by nobody, b's channel 0 reads only it.
static void weights_on_no_path_are_not_effective(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = lac_net_start(arena, "paths", 1, 2, 2, 3);
    int a = lac_net_conv_bn_relu(&net, "a", net.graph->input, 2, 1, 1);
    int b = lac_net_conv_bn_relu(&net, "b", a, 2, 1, 1);
    lac_graph *g = lac_net_done(&net, lac_net_classify(&net, b, 2));
    ASSERT_FINE(lac_graph_infer(g, err));
    float *wa = g->values[value_named(g, "a.weight")].data, *wb = g->values[value_named(g, "b.weight")].data;
    float *fc = g->values[value_named(g, "fc.weight")].data;
    memcpy(wa, (float[]){1, 1}, 8);
    memcpy(wb, (float[]){0, 1, 1, 0}, 16); // b0 reads a1, b1 reads a0
    memcpy(fc, (float[]){0, 1, 0, 1}, 16); // only b1 is read
    lac_account account = lac_account_of(g, &(lac_account_config){0}, arena);
    assert_int_equal(account.total.n_nonzero, 2 + 2 + 2);
    assert_int_equal(account.total.n_effective, 1 + 1 + 2);
    fc[0] = 1; // now b0 is read as well
    assert_int_equal(lac_account_of(g, &(lac_account_config){0}, arena).total.n_effective, 7);
    g->values[value_named(g, "b.bn.gamma")].data[0] = 0; // and lets nothing through
    assert_int_equal(lac_account_of(g, &(lac_account_config){0}, arena).total.n_effective, 4);
    lac_arena_close(arena);
}

// Of a's 4 channels only the sliced-out 1 and 2 are read; of a product, both factors.
static void paths_go_through_slices_and_products(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = lac_net_start(arena, "paths", 1, 2, 2, 3);
    int a = lac_net_conv(&net, "a", net.graph->input, 4, 1, 1, 0, false);
    int b = lac_net_conv(&net, "b", net.graph->input, 2, 1, 1, 0, false);
    int ab = lac_net_mul(&net, "ab", lac_net_slice(&net, "part", a, 1, 3), b);
    lac_graph *g = lac_net_done(&net, lac_net_classify(&net, ab, 2));
    ASSERT_FINE(lac_graph_infer(g, err));
    lac_account account = lac_account_of(g, &(lac_account_config){0}, arena);
    assert_int_equal(account.total.n_nonzero, 4 + 2 + 4);
    assert_int_equal(account.total.n_effective, 2 + 2 + 4);
    memset(g->values[value_named(g, "fc.weight")].data, 0, 4 * sizeof(float));
    assert_int_equal(lac_account_of(g, &(lac_account_config){0}, arena).total.n_effective, 0);
    lac_arena_close(arena);
}

// Every weight of a dense network is effective, and its sums are those known.
static void dense_networks_are_all_effective(void **state) {
    (void)state;
    static const char *const nets[] = {"resnet20", "mobilenet-v2-035", "densenet40", "googlenet",
                                       "resnext29-32x4d"};
    for (int i = 0; i < 5; i++) {
        lac_arena *arena = lac_arena_open();
        lac_graph *g = kit_build(arena, nets[i], 3, 32, 10);
        lac_account account =
            lac_account_of(g, &(lac_account_config){.weight_bits = 4, .act_bits = 2}, arena);
        assert_int_equal(account.total.n_effective, account.total.n_nonzero);
        assert_int_equal(account.total.macs, lac_graph_conv_macs(g));
        assert_int_equal(account.bops, account.total.nonzero_macs * 8);
        assert_true(account.total.bytes.dense <= account.total.n_weights / 2 + (uint64_t)account.n_layers);
        lac_arena_close(arena);
    }
}

static void efficiencies_follow_their_formulas(void **state) {
    (void)state;
    lac_account account = {.total = {.n_nonzero = 1000, .bytes = {.stream = 500}}};
    lac_efficiency e = lac_efficiency_of(&account, 0.9, 900);
    assert_true(fabs(e.accuracy_per_parameter - 0.0009) < 1e-12 &&
                fabs(e.correct_per_parameter - 0.9) < 1e-12);
    assert_true(fabs(e.accuracy_per_byte - 0.0018) < 1e-12 && fabs(e.log_efficiency - 1.0 / 3) < 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codings_take_the_bytes_counted_by_hand),
        cmocka_unit_test(long_runs_take_another_pair),
        cmocka_unit_test(weights_on_no_path_are_not_effective),
        cmocka_unit_test(paths_go_through_slices_and_products),
        cmocka_unit_test(dense_networks_are_all_effective),
        cmocka_unit_test(efficiencies_follow_their_formulas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
