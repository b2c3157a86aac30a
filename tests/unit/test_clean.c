// Cleaning up after pruning: constants by hand, and logits that stay on whole networks.
#include "prune_kit.h"
#include "train_fixture.h"

#include "account.h"
#include "clean.h"
#include "weights.h"

// x -> a (3 channels, 1x1) -> bn, relu -> b (2, 1x1) -> fc. a's channel 1 has no weights: behind its batch
// norm it is 2 * (0 - 1) / sqrt(4) + 5 = 4, which b's channel 0 takes 3 times and b's channel 1 not at all.
static lac_graph *with_a_dead_channel(lac_arena *arena, int kernel, int pad) {
    lac_net net = lac_net_start(arena, "dead", 1, 4, 4, 3);
    int a = lac_net_conv_bn_relu(&net, "a", net.graph->input, 3, 1, 1);
    int b = lac_net_conv(&net, "b", a, 2, kernel, 1, pad, false);
    lac_graph *g = lac_net_done(&net, lac_net_classify(&net, b, 2));
    ASSERT_FINE(lac_graph_infer(g, err));
    g->values[value_named(g, "a.weight")].data[1] = 0;
    g->values[value_named(g, "a.bn.gamma")].data[1] = 2;
    g->values[value_named(g, "a.bn.beta")].data[1] = 5;
    g->values[value_named(g, "a.bn.mean")].data[1] = 1;
    g->values[value_named(g, "a.bn.variance")].data[1] = 4 - 1e-5f;
    if (kernel == 1) memcpy(g->values[value_named(g, "b.weight")].data, (float[]){1, 3, -1, 2, 0, 1}, 24);
    return g;
}

static void a_dead_channel_becomes_a_bias_and_goes(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *g = with_a_dead_channel(arena, 1, 0), *before = lac_graph_copy(g, arena);
    lac_clean_result r;
    ASSERT_FINE(lac_clean(g, &r, err));
    ASSERT_FINE(lac_graph_check(g, err));
    const float *bias = g->values[value_named(g, "b.bias")].data;
    assert_true(fabsf(bias[0] - 12) < 1e-4f && bias[1] == 0);
    assert_true(r.n_folded == 1 && r.n_channels == 1 && r.n_constant == 0);
    assert_int_equal(g->values[value_named(g, "a.weight")].shape.dim[0], 2);
    assert_true(kit_distance(arena, before, g, 3) < 1e-5);
    g->values[value_named(g, "b.bias")].data[0] += 0.1f; // the comparison would notice
    assert_true(kit_distance(arena, before, g, 3) > 1e-4);
    lac_arena_close(arena);
}

static void a_constant_behind_padding_stays(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *g = with_a_dead_channel(arena, 3, 1), *before = lac_graph_copy(g, arena);
    lac_clean_result r;
    ASSERT_FINE(lac_clean(g, &r, err));
    assert_true(r.n_constant == 2 * 9 && r.n_folded == 0 && r.n_channels == 0);
    assert_true(kit_distance(arena, before, g, 3) < 1e-6);
    g->values[value_named(g, "a.bn.beta")].data[1] =
        -5; // now the ReLU gives zero, and padding does not matter
    before = lac_graph_copy(g, arena);
    ASSERT_FINE(lac_clean(g, &r, err));
    assert_true(r.n_constant == 0 && r.n_folded == 18 && r.n_channels == 1);
    assert_true(kit_distance(arena, before, g, 3) < 1e-5);
    lac_arena_close(arena);
}

static void cleaned_networks_have_the_same_logits(void **state) {
    (void)state;
    static const char *const nets[] = {"lacuna-tiny", "resnet20",   "mobilenet-v2-035",
                                       "densenet40",  "squeezenet", "lenet5"};
    for (int i = 0; i < 6; i++) {
        lac_arena *arena = lac_arena_open();
        lac_graph *g = kit_build(arena, nets[i], 1, 28, 10);
        kit_season(g, 2);
        lac_weights w = lac_weights_of(g, arena);
        float *score = LAC_NEW_ARRAY(arena, float, w.n);
        lac_weights_magnitudes(&w, score);
        ASSERT_FINE(lac_mask_scores(&w, score, w.n / 50, LAC_SHARE_GLOBAL, err));
        lac_graph *before = lac_graph_copy(g, arena);
        lac_account was = lac_account_of(g, &(lac_account_config){0}, arena);
        lac_clean_result r;
        ASSERT_FINE(lac_clean(g, &r, err));
        ASSERT_FINE(lac_graph_check(g, err));
        lac_account is = lac_account_of(g, &(lac_account_config){0}, arena);
        double d = kit_distance(arena, before, g, 2);
        if (!(d <= 1e-5)) fail_msg("%s: logits differ by %g of the largest", nets[i], d);
        assert_int_equal(is.total.n_effective, was.total.n_effective);
        assert_true(is.total.n_nonzero <= was.total.n_nonzero);
        assert_true(is.total.n_nonzero - is.total.n_effective <= r.n_constant);
        lac_arena_close(arena);
    }
}

static void a_clean_network_stays_as_it_is(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *g = kit_build(arena, "resnet20", 1, 28, 10), *before = lac_graph_copy(g, arena);
    lac_clean_result r;
    ASSERT_FINE(lac_clean(g, &r, err));
    assert_true(r.n_folded == 0 && r.n_dead == 0 && r.n_channels == 0 && r.n_constant == 0);
    assert_true(same_constants(before, g));
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_channel_becomes_a_bias_and_goes),
        cmocka_unit_test(a_constant_behind_padding_stays),
        cmocka_unit_test(cleaned_networks_have_the_same_logits),
        cmocka_unit_test(a_clean_network_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
