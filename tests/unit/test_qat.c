#include "random_nets.h"

#include "agree.h"
#include "float_plan.h"
#include "lac_num.h"
#include "op.h"
#include "qat.h"
#include "quant_codes.h"
#include "ttq.h"

#include "arena_fixture.h"

/// The rules of training-aware methods on a few numbers, and each method as a whole.

static const lac_quant_attr signed3 = {.bits = 3, .is_signed = true, .narrow = true};

static void assert_codes(lac_quant_attr attr, const float *x, int n, float scale, const float *expected) {
    float code[8];
    lac_quant_codes(attr, x, (size_t)n, &scale, 1, code);
    for (int i = 0; i < n; i++) assert_float_equal(code[i], expected[i], 0);
}

static void levels_attract_what_is_nearest(void **state) {
    (void)state;
    bool allowed[256] = {false};
    const int levels[] = {-4, -1, 0, 1, 4};
    for (int i = 0; i < 5; i++) allowed[levels[i] + 128] = true;
    const lac_quant_rule rule = {.level = lac_level_table(allowed, arena)};
    const lac_quant_attr attr = {.bits = 4, .is_signed = true, .narrow = true, .rule = &rule};
    const float x[] = {0.4f, 0.6f, 2.4f, 2.6f, 9, -2.6f, -0.2f}, codes[] = {0, 1, 1, 4, 4, -4, 0};
    assert_codes(attr, x, 7, 1, codes);
}

static void thresholds_make_three_codes(void **state) {
    (void)state;
    float threshold = 0.35f;
    const lac_quant_rule rule = {.threshold = &threshold};
    const lac_quant_attr attr = {.bits = 2, .is_signed = true, .narrow = true, .rule = &rule};
    const float x[] = {0.34f, 0.36f, -0.34f, -5}, codes[] = {0, 1, 0, -1};
    assert_codes(attr, x, 4, 10, codes);
}

// The largest weight gets the largest code whatever the scale; tanh(1/2) / tanh(2) = 0.479 of 3 is 1.44.
static double pair_cost(const uint8_t pair[2], int n_positive, int n_negative) {
    return n_positive * lac_digit_count(pair[0]) + n_negative * lac_digit_count(pair[1]);
}

static void two_scales_become_the_cheapest_pair_of_codes(void **state) {
    (void)state;
    uint8_t pair[2];
    const struct {
        double up, down;
        uint8_t pair[2];
    } known[] = {
        {1, 1, {1, 1}}, {0.3, 0.15, {2, 1}}, {0.1, 0.8, {1, 8}}, {0.75, 0.5, {3, 2}}, {1.004, 1, {1, 1}}};
    for (int i = 0; i < 5; i++) {
        lac_ternary_pair(known[i].up, known[i].down, 10, 10, pair);
        assert_memory_equal(pair, known[i].pair, 2);
    }
    lac_rng rng = lac_rng_make(9, 1);
    for (int i = 0; i < 200; i++) {
        double ratio = exp(1.5 * (double)lac_rng_normal(&rng));
        int n_up = 1 + (int)lac_rng_below(&rng, 50), n_down = 1 + (int)lac_rng_below(&rng, 50);
        lac_ternary_pair(ratio, 1, n_up, n_down, pair);
        assert_true(fabs(pair[0] / (pair[1] * ratio) - 1) <= 1.0 / 128);
        for (int n = 1; n < 128; n++)
            for (int p = 1; p < 128; p++) {
                const uint8_t other[2] = {(uint8_t)p, (uint8_t)n};
                if (fabs(p / (n * ratio) - 1) > 1.0 / 128) continue;
                assert_true(pair_cost(pair, n_up, n_down) <= pair_cost(other, n_up, n_down));
            }
    }
}

/// A convolution of one output channel with weights behind a rule of two scales, by x = 1: slopes of the sum
/// of g y by both scales and by the weights, y being the quantized weights.
typedef struct pair_slopes {
    float up, down, dw[6], y[6];
} pair_slopes;

static const float pair_w[6] = {0.9f, 0.02f, -0.4f, 0.06f, -0.04f, -1}, pair_g[6] = {1, 2, 3, 4, 5, 6};

static pair_slopes pair_slopes_of(const lac_quant_rule *rule, float up, float down) {
    pair_slopes s;
    lac_plan *plan;
    lac_graph *g = lac_graph_new(arena, "pair");
    g->input = lac_graph_add_value(g, "x", LAC_SHAPE(1, 6, 1, 1));
    int w = lac_graph_add_constant(g, "w", LAC_SHAPE(1, 6, 1, 1), pair_w, true);
    int a = lac_graph_add_constant(g, "up", LAC_SHAPE(1, 1, 1, 1), &up, true);
    int b = lac_graph_add_constant(g, "down", LAC_SHAPE(1, 1, 1, 1), &down, true);
    const lac_attr attr = {.quant = {.bits = 2, .is_signed = true, .narrow = true, .rule = rule}};
    int q = lac_graph_add_node(g, LAC_OP_QUANT, "q", (int[]){w, a, b}, 3, &attr);
    g->output = kit_conv(g, "conv", g->input, q, -1, kit_window(1, 1, 0));
    ASSERT_OK(lac_graph_infer(g, err));
    ASSERT_OK(lac_plan_open(g, &(lac_plan_config){.batch = 1, .train = true}, &plan, err));
    for (int i = 0; i < 6; i++) { // one weight at a time
        memset(lac_plan_input(plan), 0, 6 * sizeof(float));
        lac_plan_input(plan)[i] = 1;
        ASSERT_OK(lac_plan_forward(plan, err));
        s.y[i] = lac_plan_output(plan)[0];
    }
    memcpy(lac_plan_input(plan), pair_g, sizeof pair_g);
    ASSERT_OK(lac_plan_forward(plan, err));
    lac_plan_output_gradient(plan)[0] = 1;
    ASSERT_OK(lac_plan_backward(plan, err));
    s.up = lac_plan_gradient(plan, a)[0] * sqrtf(6);
    const float *of_down = lac_plan_gradient(plan, b);
    s.down = of_down ? of_down[0] * sqrtf(6) : 0;
    memcpy(s.dw, lac_plan_gradient(plan, w), sizeof s.dw);
    lac_plan_close(plan);
    return s;
}

static double pair_sum(double up, double down, double t) {
    double sum = 0;
    for (int i = 0; i < 6; i++) {
        double w = (double)pair_w[i], g = (double)pair_g[i];
        sum += g * (w > t ? up : w < -t ? -down : 0);
    }
    return sum;
}

static bool pair_slopes_agree(const pair_slopes *s, double up, double down, double t) {
    const double h = 1e-3;
    double by_up = (pair_sum(up + h, down, t) - pair_sum(up - h, down, t)) / (2 * h);
    double by_down = (pair_sum(up, down + h, t) - pair_sum(up, down - h, t)) / (2 * h);
    return fabs((double)s->up - by_up) < 1e-3 && fabs((double)s->down - by_down) < 1e-3;
}

static void two_scales_learn_from_their_own_weights(void **state) {
    (void)state;
    float threshold = 0.05f, step = 0.25f;
    uint8_t pair[1][2] = {{3, 2}};
    const lac_quant_rule rule = {.threshold = &threshold, .pair = pair, .step = &step};
    pair_slopes s = pair_slopes_of(&rule, 0.75f, 0.5f);
    const float y[] = {0.75f, 0, -0.5f, 0.75f, 0, -0.5f}, factor[] = {0.75f, 1, 0.5f, 0.75f, 1, 0.5f};
    for (int i = 0; i < 6; i++) assert_float_equal(s.y[i], y[i], 1e-6f);
    for (int i = 0; i < 6; i++) assert_float_equal(s.dw[i], pair_g[i] * factor[i], 1e-6f);
    assert_true(pair_slopes_agree(&s, 0.75, 0.5, 0.05));
    // The check can fail: with one scale for both the negative side teaches the positive one.
    const lac_quant_rule one_scale = {.threshold = &threshold};
    s = pair_slopes_of(&one_scale, 0.75f, 0);
    assert_false(pair_slopes_agree(&s, 0.75, 0.5, 0.05));
}

static void tanh_fills_the_codes(void **state) {
    (void)state;
    const lac_quant_rule rule = {.through_tanh = true};
    lac_quant_attr attr = signed3;
    attr.rule = &rule;
    const float x[] = {2, -2, 0.5f, 0.1f}, codes[] = {3, -3, 1, 0};
    assert_codes(attr, x, 4, 0.01f, codes);
}

/// d (sum of outputs) / d (x, scale) of a quantizer on an activation of 4 pixels.
typedef struct slopes {
    float dx[4], dscale;
} slopes;

static slopes slopes_of(const lac_quant_rule *rule, const float x[4], float scale) {
    slopes s = {{0}, 0};
    lac_plan *plan;
    lac_graph *g = lac_graph_new(arena, "quant");
    g->input = lac_graph_add_value(g, "x", LAC_SHAPE(1, 1, 2, 2));
    int sc = lac_graph_add_constant(g, "s", (lac_shape){0}, &scale, true), z = kit_scalar(g, "z", 0);
    const lac_attr attr = {.quant = {.bits = 2, .rule = rule}};
    g->output = lac_graph_add_node(g, LAC_OP_QUANT, "q", (int[]){g->input, sc, z}, 3, &attr);
    ASSERT_OK(lac_graph_infer(g, err));
    ASSERT_OK(
        lac_plan_open(g, &(lac_plan_config){.batch = 1, .train = true, .input_gradient = true}, &plan, err));
    memcpy(lac_plan_input(plan), x, 4 * sizeof *x);
    ASSERT_OK(lac_plan_forward(plan, err));
    for (int i = 0; i < 4; i++) lac_plan_output_gradient(plan)[i] = 1;
    ASSERT_OK(lac_plan_backward(plan, err));
    memcpy(s.dx, lac_plan_gradient(plan, g->input), sizeof s.dx);
    s.dscale = lac_plan_gradient(plan, sc)[0] * sqrtf(4 * 3); // LSQ's factor taken away
    lac_plan_close(plan);
    return s;
}

// Codes 0..3 of scale 1. LSQ: -0.4 + 0.3 of rounding, 3 of clipping above, 0 below; PACT: 3 alone.
static void the_clipping_point_learns_from_what_it_clips(void **state) {
    (void)state;
    const float x[] = {1.4f, 1.7f, 5, -2};
    const lac_quant_rule clip = {.slope = LAC_SLOPE_CLIP};
    slopes lsq = slopes_of(NULL, x, 1), pact = slopes_of(&clip, x, 1);
    assert_float_equal(lsq.dscale, 3 - 0.1f, 1e-5f);
    assert_float_equal(pact.dscale, 3, 1e-5f);
    const float dx[] = {1, 1, 0, 0};
    for (int i = 0; i < 4; i++) assert_float_equal(pact.dx[i], dx[i], 0);
    for (int i = 0; i < 4; i++) assert_float_equal(lsq.dx[i], dx[i], 0);
}

// ---- whole methods ----------------------------------------------------------------------------------------

typedef struct fixture {
    lac_graph *g;
    lac_dataset data;
} fixture;

static fixture make_fixture(void) {
    fixture f = {.data = make_noise_data(arena, 1, 8, 9, 3, 400, 1)};
    f.g = make_random_net(arena, 21, &f.data);
    return f;
}

static const lac_quantizer_desc *method(const char *name) {
    for (int i = 0; i < lac_n_quantizers(); i++)
        if (strcmp(lac_quantizer_row(i)->name, name) == 0) return lac_quantizer_row(i);
    fail_msg("no quantizer '%s'", name);
    return NULL;
}

static lac_quant_config config_of(int weight_bits, int act_bits) {
    return (lac_quant_config){
        .weight_bits = weight_bits,
        .act_bits = act_bits,
        .recipe = {.epochs = 2, .batch = 16, .lr = 0.02f, .weight_decay = 1e-4f, .seed = 3}};
}

// Trains, lowers, checks that the weights of all layers but the first and last are within the allowed codes.
static void run_method(const char *name, lac_quant_config config, bool (*allowed)(int code)) {
    fixture f = make_fixture();
    // 1-bit weights know no pruned zeros; the random net has some.
    for (int v = 0; config.weight_bits == 1 && v < f.g->n_values; v++)
        for (int64_t i = 0; f.g->values[v].data && i < lac_shape_count(f.g->values[v].shape); i++)
            if (f.g->values[v].data[i] == 0) f.g->values[v].data[i] = 0.01f;
    ASSERT_OK(method(name)->run(f.g, &f.data, &config, NULL, err));
    assert_true(method(name)->trains);
    lac_int_graph *ig;
    lac_eval_result result;
    ASSERT_OK(lac_lower(f.g, &f.data, arena, &ig, err));
    ASSERT_OK(lac_evaluate(f.g, &f.data, &f.data.test, 0, NULL, &result, err));
    print_message("%s: accuracy %.3f\n", name, result.accuracy);
    assert_true(result.accuracy > 0.5);
    for (int n = 0; n < f.g->n_nodes; n++) {
        lac_weight_codes codes;
        assert_null(f.g->nodes[n].attr.quant.rule);
        if (f.g->nodes[n].op != LAC_OP_CONV2D && f.g->nodes[n].op != LAC_OP_LINEAR) continue;
        ASSERT_OK(lac_weight_codes_read(f.g, n, arena, &codes, err));
        for (int i = 0; i < codes.n_out * codes.n_per_out; i++) assert_true(allowed(codes.code[i]));
    }
}

static bool three_bits(int code) {
    return code >= -3 && code <= 3;
}

static bool seven(int code) {
    return code >= -7 && code <= 7;
}

static bool ternary(int code) {
    return code >= -1 && code <= 1;
}

static bool binary(int code) {
    return code == 1 || code == -1;
}

static bool two_powers(int code) { // {0, 32, 8, 2} + {0, 16}, and their negatives
    int rest = abs(code) & ~16;
    return rest == 0 || rest == 32 || rest == 8 || rest == 2;
}

static bool one_digit(int code) {
    return lac_digit_count(code) <= 1;
}

// Of the quantizers of activations: scale and zero point.
typedef struct zeros_found {
    int n_asymmetric, n_moved;
} zeros_found;

static zeros_found zeros_of(const lac_graph *g, const lac_graph *calibrated) {
    zeros_found found = {0, 0};
    for (int n = 0; n < g->n_nodes; n++) {
        const lac_node *q = &g->nodes[n];
        if (q->op != LAC_OP_QUANT || lac_quantizes_weights(g, n)) continue;
        const lac_value *zero = &g->values[q->in[2]];
        assert_false(zero->trainable);
        assert_float_equal(zero->data[0], rintf(zero->data[0]), 0);
        if (zero->data[0] == 0 || !g->values[q->in[1]].trainable) continue;
        found.n_asymmetric++;
        found.n_moved += zero->data[0] != calibrated->values[calibrated->nodes[n].in[2]].data[0];
    }
    return found;
}

static int int_zero_points(const lac_int_graph *g) {
    int n = 0;
    for (int t = 0; t < g->n_tensors; t++) n += t != g->input && g->tensors[t].type.zero != 0;
    return n;
}

// Offsets learn, end as whole zero points, and the integer graph computes with them what the float graph
// does.
static void lsqplus_learns_zero_points_that_the_integers_carry(void **state) {
    (void)state;
    lac_quant_config config = config_of(4, 4);
    config.recipe.scale_lr = 50; // short as it is
    fixture f = make_fixture();
    lac_graph *calibrated = lac_graph_copy(f.g, arena);
    lac_quant_config once = config;
    once.recipe.epochs = 0.001f, once.recipe.lr = 1e-12f;
    ASSERT_OK(method("lsqplus")->run(calibrated, &f.data, &once, NULL, err));
    ASSERT_OK(method("lsqplus")->run(f.g, &f.data, &config, NULL, err));
    zeros_found found = zeros_of(f.g, calibrated);
    print_message("%d asymmetric quantizers, %d zero points moved\n", found.n_asymmetric, found.n_moved);
    assert_true(found.n_asymmetric > 0 && found.n_moved > 0);
    lac_int_graph *ig;
    lac_agreement a;
    ASSERT_OK(lac_lower(f.g, &f.data, arena, &ig, err));
    assert_true(int_zero_points(ig) >= found.n_moved);
    ASSERT_OK(lac_agreement_measure(f.g, ig, &f.data, &f.data.test, 0, NULL, &a, err));
    assert_int_equal(a.beyond, 0);
    // A zero point that is one off is found.
    for (int t = 0; t < ig->n_tensors; t++)
        if (t != ig->input && ig->tensors[t].type.zero != 0) ig->tensors[t].type.zero--;
    ASSERT_OK(lac_agreement_measure(f.g, ig, &f.data, &f.data.test, 0, NULL, &a, err));
    assert_true(a.beyond > 0);
    run_method("lsqplus", config_of(4, 4), seven);
}

// Weights of 4 bits with mean 0.1 and deviation 0.2 start at (0.1 + 0.6) / 8.
static void lsqplus_starts_at_three_deviations(void **state) {
    (void)state;
    fixture f = make_fixture();
    lac_quant_config config = config_of(4, 4);
    config.recipe.epochs = 0.001f, config.recipe.lr = 1e-12f, config.recipe.weight_decay = 0;
    int layer = -1;
    for (int n = 0; n < f.g->n_nodes; n++)
        if (f.g->nodes[n].op == LAC_OP_LINEAR) layer = n;
    lac_value *w = &f.g->values[f.g->nodes[layer].in[1]];
    int64_t n_in = w->shape.dim[1] / 2 * 2;
    assert_true(n_in == w->shape.dim[1]);
    for (int64_t i = 0; i < lac_shape_count(w->shape); i++) w->data[i] = i % 2 ? 0.3f : -0.1f;
    ASSERT_OK(method("lsqplus")->run(f.g, &f.data, &config, NULL, err));
    for (int n = 0; n < f.g->n_nodes; n++)
        if (f.g->nodes[n].op == LAC_OP_LINEAR) layer = n;
    const lac_node *q = &f.g->nodes[lac_graph_producer(f.g, f.g->nodes[layer].in[1])];
    assert_float_equal(f.g->values[q->in[1]].data[0], 0.7f / 8, 1e-5f);
}

static void pact_trains(void **state) {
    (void)state;
    run_method("pact", config_of(3, 3), three_bits);
}

static void dorefa_trains(void **state) {
    (void)state;
    run_method("dorefa", config_of(3, 4), three_bits);
}

static void twn_trains(void **state) {
    (void)state;
    run_method("twn", config_of(4, 4), ternary);
}

// One code a side and channel, and somewhere not the same on both.
static int check_pairs(const lac_weight_codes *codes) {
    int n_unequal = 0;
    for (int o = 0; o < codes->n_out; o++) {
        int up = 0, down = 0;
        for (int i = 0; i < codes->n_per_out; i++) {
            int code = codes->code[o * codes->n_per_out + i];
            if (code == 0) continue;
            int *side = code > 0 ? &up : &down;
            assert_true(*side == 0 || *side == code);
            *side = code;
        }
        n_unequal += up != 0 && down != 0 && up != -down;
    }
    return n_unequal;
}

static void ttq_trains_and_its_two_scales_are_integers(void **state) {
    (void)state;
    fixture f = make_fixture();
    lac_quant_config config = config_of(4, 4);
    ASSERT_OK(method("ttq")->run(f.g, &f.data, &config, NULL, err));
    int n_unequal = 0;
    for (int n = 0; n < f.g->n_nodes; n++) {
        lac_weight_codes codes;
        assert_null(f.g->nodes[n].attr.quant.rule);
        if (f.g->nodes[n].op != LAC_OP_CONV2D && f.g->nodes[n].op != LAC_OP_LINEAR) continue;
        ASSERT_OK(lac_weight_codes_read(f.g, n, arena, &codes, err));
        n_unequal += check_pairs(&codes);
    }
    assert_true(n_unequal > 0);
    lac_int_graph *ig;
    lac_agreement a;
    lac_eval_result result;
    ASSERT_OK(lac_lower(f.g, &f.data, arena, &ig, err));
    ASSERT_OK(lac_agreement_measure(f.g, ig, &f.data, &f.data.test, 0, NULL, &a, err));
    assert_int_equal(a.beyond, 0);
    ASSERT_OK(lac_evaluate(f.g, &f.data, &f.data.test, 0, NULL, &result, err));
    print_message("ttq: accuracy %.3f, %d channels with two codes\n", result.accuracy, n_unequal);
    assert_true(result.accuracy > 0.5);
}

static void xnor_trains(void **state) {
    (void)state;
    run_method("xnor", config_of(1, 4), binary);
}

static void apot_trains(void **state) {
    (void)state;
    run_method("apot", config_of(4, 4), two_powers);
}

static void lsq_trains_with_codes_of_one_digit(void **state) {
    (void)state;
    lac_quant_config config = config_of(8, 4);
    config.most_digits = 1;
    run_method("lsq", config, one_digit);
}

static double accuracy_after(const fixture *f, const lac_quant_config *config) {
    lac_eval_result result;
    lac_graph *g = lac_graph_copy(f->g, arena);
    ASSERT_OK(method("lsq")->run(g, &f->data, config, NULL, err));
    ASSERT_OK(lac_evaluate(g, &f->data, &f->data.test, 0, NULL, &result, err));
    return result.accuracy;
}

// Every label says class 0: what is known after the training comes from the teacher.
static void the_float_network_teaches(void **state) {
    (void)state;
    fixture f = make_fixture();
    lac_quant_config config = config_of(4, 4);
    lac_train_result trained;
    ASSERT_OK(lac_train(f.g, &f.data, &config.recipe, NULL, NULL, &trained, err));
    f.data.train.labels = lac_arena_alloc(arena, f.data.train.n);
    double alone = accuracy_after(&f, &config);
    config.distill = 1;
    double taught = accuracy_after(&f, &config);
    lac_graph *wrong = lac_graph_copy(f.g, arena);
    for (int n = 0; n < wrong->n_nodes; n++)
        if (wrong->nodes[n].out == wrong->output) {
            lac_value *w = &wrong->values[wrong->nodes[n].in[1]];
            for (int64_t i = 0; i < lac_shape_count(w->shape); i++) w->data[i] = -w->data[i];
        }
    config.teacher = wrong;
    double misled = accuracy_after(&f, &config);
    print_message("alone %.3f, taught %.3f, misled %.3f\n", alone, taught, misled);
    assert_true(taught > 0.5 && taught > alone + 0.1 && taught > misled + 0.1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_attract_what_is_nearest),
        cmocka_unit_test(thresholds_make_three_codes),
        cmocka_unit_test(two_scales_become_the_cheapest_pair_of_codes),
        cmocka_unit_test(two_scales_learn_from_their_own_weights),
        cmocka_unit_test(tanh_fills_the_codes),
        cmocka_unit_test(the_clipping_point_learns_from_what_it_clips),
        cmocka_unit_test(lsqplus_learns_zero_points_that_the_integers_carry),
        cmocka_unit_test(lsqplus_starts_at_three_deviations),
        cmocka_unit_test(pact_trains),
        cmocka_unit_test(dorefa_trains),
        cmocka_unit_test(twn_trains),
        cmocka_unit_test(ttq_trains_and_its_two_scales_are_integers),
        cmocka_unit_test(xnor_trains),
        cmocka_unit_test(apot_trains),
        cmocka_unit_test(lsq_trains_with_codes_of_one_digit),
        cmocka_unit_test(the_float_network_teaches),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
