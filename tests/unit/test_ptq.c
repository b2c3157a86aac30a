#include "noise_fixture.h"

#include "equalize.h"
#include "prepare.h"
#include "ptq.h"
#include "quant_codes.h"

/// Post-training quantization: rewrites keep the function, moments are sums, the steps do what they promise.

static int open_fixture(void **state) {
    return open_noise_fixture(state, 200);
}

enum { IMAGES = 30 };

static float *logits_of(fixture *f, const lac_graph *g) {
    float *x = LAC_NEW_ARRAY(f->arena, float, IMAGES * 72), *y = LAC_NEW_ARRAY(f->arena, float, IMAGES * 3);
    lac_normalize(&f->data, f->data.train.pixels, IMAGES, x);
    ASSERT_OK(lac_infer(g, x, IMAGES, y, err));
    return y;
}

static void assert_near(const float *a, const float *b, float part) {
    float most = 0;
    for (int i = 0; i < IMAGES * 3; i++) most = fmaxf(most, fabsf(a[i]));
    for (int i = 0; i < IMAGES * 3; i++) assert_float_equal(a[i], b[i], part * most);
}

static void rewrites_keep_the_function(void **state) {
    fixture *f = *state;
    int n_pairs = 0, n_moved = 0;
    for (uint64_t seed = 1; seed < 12; seed++) {
        lac_graph *g = make_random_net(f->arena, seed, &f->data);
        const float *before = logits_of(f, g);
        ASSERT_OK(lac_fold_norms(g, err));
        for (int n = 0; n < g->n_nodes; n++) {
            int reader = -1;
            if (!lac_has_weights(&g->nodes[n])) continue;
            (void)lac_graph_readers(g, g->nodes[n].out, &reader, 1);
            assert_false(reader >= 0 && g->nodes[reader].op == LAC_OP_BATCH_NORM);
        }
        ASSERT_OK(lac_graph_check(g, err));
        ASSERT_OK(lac_graph_infer(g, err));
        assert_near(before, logits_of(f, g), 1e-4f);
        n_pairs += lac_equalize(g);
        assert_near(before, logits_of(f, g), 1e-4f);
        ASSERT_OK(lac_absorb_biases(g, &f->data, IMAGES, &n_moved, err));
        ASSERT_OK(lac_graph_infer(g, err));
        assert_near(before, logits_of(f, g), 1e-3f);
    }
    assert_true(n_pairs > 5);
}

/// 1x1 convolutions of 2 channels, ReLU between.
static lac_graph *two_layers(fixture *f, const float w1[2], const float b1[2], const float w2[4]) {
    lac_graph *g = lac_graph_new(f->arena, "pair");
    g->input = lac_graph_add_value(g, "x", LAC_SHAPE(1, 1, 8, 9));
    int a = lac_graph_add_constant(g, "w1", LAC_SHAPE(2, 1, 1, 1), w1, true);
    int b = lac_graph_add_constant(g, "b1", LAC_SHAPE(2), b1, true);
    int c = lac_graph_add_constant(g, "w2", LAC_SHAPE(2, 2, 1, 1), w2, true);
    int x = kit_op(g, LAC_OP_RELU, "relu", kit_conv(g, "c1", g->input, a, b, kit_window(1, 1, 0)));
    g->output = kit_conv(g, "c2", x, c, -1, kit_window(1, 1, 0));
    ASSERT_OK(lac_graph_infer(g, err));
    return g;
}

// max|w1| = 8, 1/2 and max|w2[:, i]| = 2, 2: factors sqrt(8/2) = 2 and sqrt(1/4) = 1/2; both ranges meet at 4
// and 1.
static void equalisation_meets_at_the_geometric_mean(void **state) {
    fixture *f = *state;
    const float w1[] = {8, 0.5f}, b1[] = {2, -1}, w2[] = {2, 1, -1, 2};
    lac_graph *g = two_layers(f, w1, b1, w2);
    assert_int_equal(lac_equalize(g), 1);
    const float *after1 = g->values[g->nodes[0].in[1]].data, *bias = g->values[g->nodes[0].in[2]].data;
    const float *after2 = g->values[g->nodes[2].in[1]].data;
    const float expected1[] = {4, 1}, expected_bias[] = {1, -2}, expected2[] = {4, 0.5f, -2, 1};
    for (int i = 0; i < 2; i++) assert_float_equal(after1[i], expected1[i], 1e-5f);
    for (int i = 0; i < 2; i++) assert_float_equal(bias[i], expected_bias[i], 1e-5f);
    for (int i = 0; i < 4; i++) assert_float_equal(after2[i], expected2[i], 1e-5f);
}

// Channel 0 is never below 20 - |3 x|, so it moves; channel 1 goes below zero and stays.
static void absorption_moves_what_the_relu_never_cuts(void **state) {
    fixture *f = *state;
    const float w1[] = {3, 3}, b1[] = {20, 0}, w2[] = {2, 1, -1, 2};
    lac_graph *g = two_layers(f, w1, b1, w2);
    int n = 0;
    ASSERT_OK(lac_absorb_biases(g, &f->data, IMAGES, &n, err));
    assert_int_equal(n, 1);
    float moved = 20 - g->values[g->nodes[0].in[2]].data[0];
    assert_true(moved > 10);
    assert_float_equal(g->values[g->nodes[0].in[2]].data[1], 0, 0);
    assert_float_equal(g->values[g->nodes[2].in[2]].data[0], 2 * moved, 1e-4f);
    assert_float_equal(g->values[g->nodes[2].in[2]].data[1], -moved, 1e-4f);
}

// The error by moments equals the error of the outputs themselves, where every place is looked at.
static void moments_give_the_layers_error(void **state) {
    fixture *f = *state;
    const float w1[] = {0.7f, -0.4f}, b1[] = {0.1f, 0.2f}, w2[] = {2, 1, -1, 2};
    lac_graph *g = two_layers(f, w1, b1, w2);
    lac_moments m;
    lac_arena *scratch = lac_arena_open();
    ASSERT_OK(lac_moments_measure(g, g, 2, &f->data, IMAGES, 1, f->arena, scratch, &m, err));
    lac_arena_close(scratch);
    assert_int_equal(m.n, 2);
    assert_true(fabs(lac_moments_error(&m, 0, (const double[]){2, 1})) < 1e-6 * m.yy[0]);
    assert_float_equal((float)(lac_moments_error(&m, 0, (const double[]){2.5, 1}) / (0.25 * m.h[0])), 1,
                       1e-6f);
    assert_float_equal((float)(lac_moments_error(&m, 1, (const double[]){-1, 1.5}) / (0.25 * m.h[3])), 1,
                       1e-6f);
}

static lac_quant_config config_of(int weight_bits, int act_bits) {
    return (lac_quant_config){
        .weight_bits = weight_bits, .act_bits = act_bits, .images = 64, .recipe = {.seed = 1}};
}

static const lac_quantizer_desc *method(const char *name) {
    for (int i = 0; i < lac_n_quantizers(); i++)
        if (strcmp(lac_quantizer_row(i)->name, name) == 0) return lac_quantizer_row(i);
    fail_msg("no quantizer '%s'", name);
    return NULL;
}

static double distance(const float *a, const float *b) {
    double sum = 0;
    for (int i = 0; i < IMAGES * 3; i++) sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sum;
}

static double distance_after(fixture *f, const char *name, const lac_quant_config *config, lac_graph **out) {
    lac_graph *g = lac_graph_copy(f->g, f->arena);
    ASSERT_OK(method(name)->run(g, &f->data, config, NULL, err));
    lac_int_graph *ig;
    ASSERT_OK(lac_lower(g, &f->data, f->arena, &ig, err));
    if (out) *out = g;
    return distance(logits_of(f, f->g), logits_of(f, g));
}

static void better_rounding_keeps_the_logits_nearer(void **state) {
    fixture *f = *state;
    const lac_quant_config config = config_of(3, 8);
    double nearest = distance_after(f, "nearest", &config, NULL);
    const char *const methods[] = {"adaround", "gptq", "reconstruct"};
    for (int i = 0; i < 3; i++) {
        double d = distance_after(f, methods[i], &config, NULL);
        print_message("%s %.4f, nearest %.4f\n", methods[i], d, nearest);
        assert_true(d < nearest);
    }
}

static void bias_correction_and_norms_take_back_a_shift(void **state) {
    fixture *f = *state;
    lac_quant_config config = config_of(2, 8);
    double plain = distance_after(f, "nearest", &config, NULL);
    config.correct_bias = true;
    double corrected = distance_after(f, "nearest", &config, NULL);
    config.correct_bias = false;
    config.reestimate = true;
    double measured = distance_after(f, "nearest", &config, NULL);
    print_message("plain %.3f, biases %.3f, norms %.3f\n", plain, corrected, measured);
    assert_true(corrected < plain);
    config.equalize = true;
    lac_error err = {0};
    assert_fails_with(method("nearest")->run(f->g, &f->data, &config, NULL, &err), &err, LAC_E_USAGE,
                      "cannot both be folded");
}

static int64_t digits_in(fixture *f, const lac_graph *g) {
    int64_t sum = 0;
    for (int n = 0; n < g->n_nodes; n++) {
        if (!lac_has_weights(&g->nodes[n])) continue;
        lac_weight_codes codes;
        ASSERT_OK(lac_weight_codes_read(g, n, f->arena, &codes, err));
        sum += lac_codes_digits(codes.code, (size_t)codes.n_out * (size_t)codes.n_per_out);
    }
    return sum;
}

static void a_target_for_digits_is_met(void **state) {
    fixture *f = *state;
    lac_quant_config config = config_of(8, 8);
    lac_graph *plain, *cheap;
    double all = distance_after(f, "nearest", &config, &plain);
    config.digits = 0.6;
    double less = distance_after(f, "nearest", &config, &cheap);
    print_message("digits %lld and %lld, error %.5f and %.5f\n", (long long)digits_in(f, plain),
                  (long long)digits_in(f, cheap), all, less);
    assert_true((double)digits_in(f, cheap) <= 0.62 * (double)digits_in(f, plain));
    assert_true(digits_in(f, cheap) > 0);
}

static int widest(fixture *f, const lac_graph *g) {
    lac_int_graph *ig;
    int bits = 0;
    ASSERT_OK(lac_lower(g, &f->data, f->arena, &ig, err));
    for (int l = 0; l < ig->n_layers; l++)
        if (ig->layers[l].kind == LAC_INT_CONV2D && lac_int_layer_acc_bits(ig, &ig->layers[l]) > bits)
            bits = lac_int_layer_acc_bits(ig, &ig->layers[l]);
    return bits;
}

static void accumulators_fit_by_construction(void **state) {
    fixture *f = *state;
    lac_quant_config config = config_of(8, 8);
    lac_graph *g;
    (void)distance_after(f, "nearest", &config, &g);
    int bits = widest(f, g);
    for (config.acc_bits = bits - 1; config.acc_bits > bits - 5; config.acc_bits--) {
        (void)distance_after(f, "nearest", &config, &g);
        assert_true(widest(f, g) <= config.acc_bits);
    }
    config.acc_bits = 3;
    lac_error err = {0};
    lac_graph *copy = lac_graph_copy(f->g, f->arena);
    assert_fails_with(method("nearest")->run(copy, &f->data, &config, NULL, &err), &err, LAC_E_RANGE,
                      "nothing is left of channel");
}

static void layers_may_have_widths_of_their_own(void **state) {
    fixture *f = *state;
    lac_quant_config config = config_of(4, 4);
    int conv = -1;
    for (int n = 0; n < f->g->n_nodes; n++)
        if (f->g->nodes[n].op == LAC_OP_CONV2D) conv = n;
    const char *name = f->g->nodes[conv].name;
    const lac_layer_widths own = {name, 6, 7};
    config.layers = &own;
    config.n_layers = 1;
    lac_graph *g;
    (void)distance_after(f, "nearest", &config, &g);
    const lac_node *node = &g->nodes[lac_node_named(g, name)];
    assert_int_equal(g->nodes[lac_graph_producer(g, node->in[1])].attr.quant.bits, 6);
    assert_int_equal(g->nodes[lac_quantizer_of(g, node->in[0])].attr.quant.bits, 7);
    const lac_layer_widths wrong = {"no such layer", 6, 7};
    config.layers = &wrong;
    lac_error err = {0};
    assert_fails_with(method("nearest")->run(f->g, &f->data, &config, NULL, &err), &err, LAC_E_USAGE,
                      "layer 'no such layer' has widths of its own");
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(rewrites_keep_the_function),
        WITH_FIXTURE(equalisation_meets_at_the_geometric_mean),
        WITH_FIXTURE(absorption_moves_what_the_relu_never_cuts),
        WITH_FIXTURE(moments_give_the_layers_error),
        WITH_FIXTURE(better_rounding_keeps_the_logits_nearer),
        WITH_FIXTURE(bias_correction_and_norms_take_back_a_shift),
        WITH_FIXTURE(a_target_for_digits_is_met),
        WITH_FIXTURE(accumulators_fit_by_construction),
        WITH_FIXTURE(layers_may_have_widths_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
