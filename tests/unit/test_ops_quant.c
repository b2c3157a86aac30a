// The quantizers: values by their law, gradients by LSQ's.
#include "drop.h"
#include "float_fixture.h"
#include "float_plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

// x -> quantizer -> output, training, so that both directions can be asked.
typedef struct quant_bench {
    lac_arena *arena;
    lac_graph *graph;
    lac_plan *plan;
    int scale, zero;
} quant_bench;

static quant_bench open_quant(lac_op op, lac_quant_attr attr, lac_shape shape, int batch, float scale,
                              float zero) {
    quant_bench b = {.arena = lac_arena_open()};
    b.graph = start_graph(b.arena, shape);
    b.scale = lac_graph_add_constant(b.graph, "scale", (lac_shape){0}, &scale, true);
    bool learns = attr.rule && attr.rule->learns_offset;
    b.zero = lac_graph_add_constant(b.graph, "zero", (lac_shape){0}, &zero, learns);
    int in[3] = {b.graph->input, b.scale, b.zero};
    b.graph->output =
        lac_graph_add_node(b.graph, op, "q", in, op == LAC_OP_QUANT ? 3 : 2, &(lac_attr){.quant = attr});
    lac_error err = {0};
    if (lac_graph_infer(b.graph, &err) != LAC_OK) fail_msg("%s", err.text);
    lac_plan_config config = {.batch = batch, .train = true, .input_gradient = true};
    if (lac_plan_open(b.graph, &config, &b.plan, &err) != LAC_OK) fail_msg("%s", err.text);
    return b;
}

static void close_quant(quant_bench *b) {
    lac_plan_close(b->plan);
    lac_arena_close(b->arena);
}

static void forward(quant_bench *b, const float *x, size_t n) {
    memcpy(lac_plan_input(b->plan), x, n * sizeof *x);
    assert_int_equal(lac_plan_forward(b->plan, NULL), LAC_OK);
}

static void expect_codes(lac_quant_attr attr, float zero, const float *x, const float *codes, int n) {
    quant_bench b = open_quant(LAC_OP_QUANT, attr, LAC_SHAPE(1, n), 1, 0.5f, zero);
    forward(&b, x, (size_t)n);
    for (int i = 0; i < n; i++) {
        float got = lac_plan_output(b.plan)[i] / 0.5f + zero;
        if (got != codes[i])
            fail_msg("x %g: code %g, expected %g", (double)x[i], (double)got, (double)codes[i]);
    }
    close_quant(&b);
}

static void codes_round_half_to_even_and_clamp(void **state) {
    (void)state;
    const float x[] = {0, 0.24f, 0.25f, 0.26f, 0.75f, 1.25f, -0.25f, -0.75f, 100, -100};
    expect_codes((lac_quant_attr){4, true, false, NULL}, 0, x, (float[]){0, 0, 0, 1, 2, 2, 0, -2, 7, -8}, 10);
    expect_codes((lac_quant_attr){4, true, true, NULL}, 0, x, (float[]){0, 0, 0, 1, 2, 2, 0, -2, 7, -7}, 10);
    expect_codes((lac_quant_attr){4, false, false, NULL}, 0, x, (float[]){0, 0, 0, 1, 2, 2, 0, 0, 15, 0}, 10);
    expect_codes((lac_quant_attr){2, true, true, NULL}, 0, x, (float[]){0, 0, 0, 1, 1, 1, 0, -1, 1, -1}, 10);
    expect_codes((lac_quant_attr){8, false, false, NULL}, 3, x, (float[]){3, 3, 4, 4, 4, 6, 2, 2, 203, 0},
                 10);
    expect_codes((lac_quant_attr){1, false, false, NULL}, 0, x, (float[]){0, 0, 0, 1, 1, 1, 0, 0, 1, 0}, 10);
}

// A large array is walked in pieces and lanes; each element must come out as if alone.
static void large_arrays_equal_single_elements(void **state) {
    (void)state;
    enum { N = 40003 };
    quant_bench b =
        open_quant(LAC_OP_QUANT, (lac_quant_attr){4, true, false, NULL}, LAC_SHAPE(1, N), 1, 0.07f, 0);
    float *x = LAC_NEW_ARRAY(b.arena, float, N);
    lac_rng rng = lac_rng_make(1, 2);
    fill_uniform(x, N, -1, 1, &rng);
    forward(&b, x, N);
    for (int i = 0; i < N; i++) {
        float q = fminf(fmaxf(nearbyintf(x[i] / 0.07f), -8), 7) * 0.07f;
        assert_true(lac_plan_output(b.plan)[i] == q);
    }
    close_quant(&b);
}

// LSQ's surrogate: the rounding offset of each element is held, and clamped elements stay clamped.
static double surrogate(const float *x, const float *g, int n, double scale0, double scale, double lo,
                        double hi) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double v0 = (double)x[i] / scale0, v = (double)x[i] / scale;
        double offset = nearbyint(v0) - v0;
        double code = v0 < lo ? lo : v0 > hi ? hi : v + offset;
        sum += (double)g[i] * code * scale;
    }
    return sum;
}

static void scale_gradient_is_that_of_lsq(void **state) {
    (void)state;
    enum { N = 1000, BATCH = 4 };
    const float scale = 0.1f;
    quant_bench b = open_quant(LAC_OP_QUANT, (lac_quant_attr){4, true, false, NULL}, LAC_SHAPE(1, N / BATCH),
                               BATCH, scale, 0);
    float x[N], g[N];
    lac_rng rng = lac_rng_make(3, 2);
    fill_uniform(x, N, -1.2f, 1.2f, &rng);
    fill_uniform(g, N, -1, 1, &rng);
    forward(&b, x, N);
    memcpy(lac_plan_output_gradient(b.plan), g, sizeof g);
    assert_int_equal(lac_plan_backward(b.plan, NULL), LAC_OK);
    const double h = 1e-6, s = (double)scale;
    double slope = (surrogate(x, g, N, s, s + h, -8, 7) - surrogate(x, g, N, s, s - h, -8, 7)) / (2 * h);
    double wanted = slope / sqrt(7.0 * N / BATCH); // features of one image, largest code 7
    assert_true(fabs((double)lac_plan_gradient(b.plan, b.scale)[0] - wanted) < 1e-4 * fabs(wanted) + 1e-5);
    for (int i = 0; i < N; i++) {
        bool inside = x[i] / scale >= -8 && x[i] / scale <= 7;
        assert_true(lac_plan_gradient(b.plan, b.graph->input)[i] == (inside ? g[i] : 0));
    }
    close_quant(&b);
}

// LSQ+ with the rounding offsets of codes and zero point held, and clamped elements kept clamped:
// y = scale * (code - d) + beta, d = zero point + beta / scale where the derivative is taken.
typedef struct offset_point {
    double scale, beta;
} offset_point;

static double offset_surrogate(const float *x, const float *g, int n, offset_point at, offset_point p,
                               double hi) {
    double z = nearbyint(-at.beta / at.scale), d = z + at.beta / at.scale, sum = 0;
    for (int i = 0; i < n; i++) {
        double v0 = (double)x[i] / at.scale + z, held = nearbyint(v0) - v0;
        double v = ((double)x[i] - p.beta) / p.scale + d;
        double code = v0 < 0 ? 0 : v0 > hi ? hi : v + held;
        sum += (double)g[i] * (p.scale * (code - d) + p.beta);
    }
    return sum;
}

/// Slopes by scale and beta: the op's, LSQ's factor taken away, and the surrogate's by finite differences.
typedef struct offset_slopes {
    double op[2], differences[2];
} offset_slopes;

static offset_slopes offset_slopes_of(const lac_quant_rule *rule, float third, offset_point at) {
    enum { N = 1000 };
    const lac_quant_attr attr = {.bits = 4, .rule = rule};
    quant_bench b = open_quant(LAC_OP_QUANT, attr, LAC_SHAPE(1, N), 1, (float)at.scale, third);
    offset_slopes s;
    float x[N], g[N];
    lac_rng rng = lac_rng_make(5, 2);
    fill_uniform(x, N, -1, 1.4f, &rng);
    fill_uniform(g, N, -1, 2, &rng);
    forward(&b, x, N);
    memcpy(lac_plan_output_gradient(b.plan), g, sizeof g);
    assert_int_equal(lac_plan_backward(b.plan, NULL), LAC_OK);
    const float *of_zero = lac_plan_gradient(b.plan, b.zero);
    s.op[0] = (double)lac_plan_gradient(b.plan, b.scale)[0] * sqrt(15.0 * N);
    s.op[1] = of_zero ? (double)of_zero[0] * sqrt(15.0 * N) : 0;
    const double h = 1e-6;
    for (int k = 0; k < 2; k++) {
        offset_point up = at, down = at;
        *(k ? &up.beta : &up.scale) += h;
        *(k ? &down.beta : &down.scale) -= h;
        s.differences[k] =
            (offset_surrogate(x, g, N, at, up, 15) - offset_surrogate(x, g, N, at, down, 15)) / (2 * h);
    }
    close_quant(&b);
    return s;
}

static bool slopes_agree(offset_slopes s) {
    bool agree = true;
    for (int k = 0; k < 2; k++)
        agree = agree && fabs(s.op[k] - s.differences[k]) < 1e-3 * fabs(s.differences[k]) + 1e-2;
    return agree;
}

static void an_offset_learns_from_what_is_clipped(void **state) {
    (void)state;
    const lac_quant_rule rule = {.learns_offset = true};
    const offset_point at = {0.12, -0.51}; // -beta / scale = 4.25: zero point 4, which differs
    assert_true(slopes_agree(offset_slopes_of(&rule, (float)at.beta, at)));
    // The check can fail: a zero point that is given has no such slopes.
    assert_false(slopes_agree(offset_slopes_of(NULL, 4, at)));
}

// Zero point 4 by beta = -0.51: what comes out is what a plain quantizer of that zero point makes.
static void an_offset_stands_for_the_nearest_zero_point(void **state) {
    (void)state;
    const lac_quant_rule rule = {.learns_offset = true};
    const float x[] = {0, 0.1f, -0.3f, -2, 2, 0.7f};
    quant_bench a = open_quant(LAC_OP_QUANT, (lac_quant_attr){.bits = 4, .rule = &rule}, LAC_SHAPE(1, 6), 1,
                               0.12f, -0.51f);
    quant_bench b = open_quant(LAC_OP_QUANT, (lac_quant_attr){.bits = 4}, LAC_SHAPE(1, 6), 1, 0.12f, 4);
    forward(&a, x, 6);
    forward(&b, x, 6);
    assert_memory_equal(lac_plan_output(a.plan), lac_plan_output(b.plan), sizeof x);
    assert_true(lac_plan_output(a.plan)[0] == 0);
    close_quant(&a);
    close_quant(&b);
}

// Share 0 is the quantizer, share 1 is nothing at all, for values as for gradients; in between each element
// is one or the other.
static void dropped_elements_pass_as_they_are(void **state) {
    (void)state;
    enum { N = 4000 };
    lac_drop drop = {0, 7};
    const lac_quant_rule rule = {.drop = &drop};
    quant_bench plain = open_quant(LAC_OP_QUANT, (lac_quant_attr){.bits = 3}, LAC_SHAPE(1, N), 1, 0.1f, 0);
    quant_bench b =
        open_quant(LAC_OP_QUANT, (lac_quant_attr){.bits = 3, .rule = &rule}, LAC_SHAPE(1, N), 1, 0.1f, 0);
    float x[N], g[N], first[N];
    lac_rng rng = lac_rng_make(5, 2);
    fill_uniform(x, N, -1, 1.4f, &rng);
    fill_uniform(g, N, 1, 2, &rng);
    forward(&plain, x, N);
    const float shares[] = {0, 1, 0.5f, 0.5f, 0.5f};
    const uint64_t draws[] = {7, 7, 7, 7, 8};
    for (int k = 0; k < 5; k++) {
        drop = (lac_drop){shares[k], draws[k]};
        forward(&b, x, N);
        memcpy(lac_plan_output_gradient(b.plan), g, sizeof g);
        assert_int_equal(lac_plan_backward(b.plan, NULL), LAC_OK);
        const float *y = lac_plan_output(b.plan), *code = lac_plan_output(plain.plan),
                    *dx = lac_plan_gradient(b.plan, b.graph->input);
        int n_passed = 0, n_same = 0;
        for (int i = 0; i < N; i++) {
            bool passes = y[i] == x[i], clipped = x[i] < 0 || x[i] > 0.75f;
            assert_true(passes || y[i] == code[i]);
            if (clipped) assert_true(dx[i] == (passes ? g[i] : 0));
            n_passed += passes;
            n_same += k > 2 && y[i] == first[i];
        }
        assert_true(fabs((double)n_passed / N - (double)shares[k]) < 0.03);
        assert_true((lac_plan_gradient(b.plan, b.scale)[0] == 0) == (shares[k] == 1));
        if (k == 2) memcpy(first, y, sizeof first);
        if (k == 3) assert_int_equal(n_same, N);
        if (k == 4) assert_true(n_same < 0.6 * N);
    }
    close_quant(&plain);
    close_quant(&b);
}

// F(v) = 2 v - sgn(v) v^2 within one of the threshold, as in the paper; v there is twice the distance from a
// half here.
static void one_bit_passes_the_slope_of_a_soft_sign(void **state) {
    (void)state;
    enum { N = 200 };
    const lac_quant_rule rules[] = {{.slope = LAC_SLOPE_SIGN}, {.slope = LAC_SLOPE_LSQ}};
    float x[N], g[N];
    for (int i = 0; i < N; i++) x[i] = -0.3f + 0.011f * (float)i, g[i] = 1 + 0.01f * (float)i;
    for (int k = 0; k < 2; k++) {
        const lac_quant_attr attr = {.bits = 1, .rule = &rules[k]};
        quant_bench b = open_quant(LAC_OP_QUANT, attr, LAC_SHAPE(1, N), 1, 0.8f, 0);
        forward(&b, x, N);
        memcpy(lac_plan_output_gradient(b.plan), g, sizeof g);
        assert_int_equal(lac_plan_backward(b.plan, NULL), LAC_OK);
        int n_off = 0;
        for (int i = 0; i < N; i++) {
            double at = (double)x[i] / (double)0.8f, v = 2 * at - 1, h = 1e-4, side[2];
            for (int s = 0; s < 2; s++) {
                double u = fmin(fmax(v + (s ? h : -h), -1), 1);
                side[s] =
                    (2 * u - (u > 0 ? 1 : -1) * u * u) / 2; // code = (sign + 1) / 2, and v is 2 x / scale - 1
            }
            double slope = (side[1] - side[0]) / (2 * h) * 2,
                   got = (double)lac_plan_gradient(b.plan, b.graph->input)[i];
            n_off += fabs(got - slope * (double)g[i]) > 2e-3;
            assert_true(lac_plan_output(b.plan)[i] == (at > 0.5 ? 0.8f : 0));
        }
        assert_true(k == 0 ? n_off == 0 : n_off > N / 4); // the check can fail
        close_quant(&b);
    }
}

static void bipolar_keeps_the_sign_and_stops_gradients_beyond_one(void **state) {
    (void)state;
    const float x[] = {0.3f, -0.2f, 0, -3, 2}, g[] = {1, 2, 3, 4, 5};
    quant_bench b = open_quant(LAC_OP_BIPOLAR_QUANT, (lac_quant_attr){0}, LAC_SHAPE(1, 5), 1, 0.5f, 0);
    forward(&b, x, 5);
    const float y[] = {0.5f, -0.5f, 0.5f, -0.5f, 0.5f}, dx[] = {1, 2, 3, 0, 0};
    assert_memory_equal(lac_plan_output(b.plan), y, sizeof y);
    memcpy(lac_plan_output_gradient(b.plan), g, sizeof g);
    assert_int_equal(lac_plan_backward(b.plan, NULL), LAC_OK);
    assert_memory_equal(lac_plan_gradient(b.plan, b.graph->input), dx, sizeof dx);
    double wanted = (1 - 2 + 3 - 4 + 5) / sqrt(5.0);
    assert_true(fabs((double)lac_plan_gradient(b.plan, b.scale)[0] - wanted) < 1e-5);
    close_quant(&b);
}

// Weights [3][2][1][1] quantized per output channel, then convolved: y[o] = sum of quantized weights.
static void weights_are_quantized_per_channel(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 2, 1, 1));
    const float w[] = {0.9f, -0.4f, 0.9f, -0.4f, 5, 0.1f}, scales[] = {0.1f, 0.5f, 1}, zero = 0;
    int quant[3] = {lac_graph_add_constant(graph, "w", LAC_SHAPE(3, 2, 1, 1), w, true),
                    lac_graph_add_constant(graph, "scale", LAC_SHAPE(3, 1, 1, 1), scales, true),
                    lac_graph_add_constant(graph, "zero", (lac_shape){0}, &zero, false)};
    lac_quant_attr attr = {3, true, true, NULL};
    int in[2] = {graph->input,
                 lac_graph_add_node(graph, LAC_OP_QUANT, "q", quant, 3, &(lac_attr){.quant = attr})};
    graph->output = lac_graph_add_node(graph, LAC_OP_CONV2D, "conv", in, 2,
                                       &(lac_attr){.window = square_window(1, 1, 0)});
    lac_plan *plan = NULL;
    assert_int_equal(lac_graph_infer(graph, NULL), LAC_OK);
    assert_int_equal(lac_plan_open(graph, &(lac_plan_config){.batch = 1, .train = true}, &plan, NULL),
                     LAC_OK);
    lac_plan_input(plan)[0] = lac_plan_input(plan)[1] = 1;
    assert_int_equal(lac_plan_forward(plan, NULL), LAC_OK);
    const double wanted[] = {0.3 - 0.3, 1.0 - 0.5, 3}; // codes 3 -3 | 2 -1 | 3 0
    for (int o = 0; o < 3; o++) assert_true(fabs((double)lac_plan_output(plan)[o] - wanted[o]) < 1e-6);
    for (int o = 0; o < 3; o++) lac_plan_output_gradient(plan)[o] = 1;
    assert_int_equal(lac_plan_backward(plan, NULL), LAC_OK);
    const float dw[] = {0, 0, 1, 1, 0, 1};
    assert_memory_equal(lac_plan_gradient(plan, quant[0]), dw, sizeof dw);
    const double ds[] = {3 - 3, (2 - 1.8) + (-1 + 0.8), 3 + (0 - 0.1)}; // 2 weights a scale, largest code 3
    for (int o = 0; o < 3; o++)
        assert_true(fabs((double)lac_plan_gradient(plan, quant[1])[o] - ds[o] / sqrt(6)) < 1e-6);
    lac_plan_close(plan);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_round_half_to_even_and_clamp),
        cmocka_unit_test(large_arrays_equal_single_elements),
        cmocka_unit_test(scale_gradient_is_that_of_lsq),
        cmocka_unit_test(an_offset_learns_from_what_is_clipped),
        cmocka_unit_test(an_offset_stands_for_the_nearest_zero_point),
        cmocka_unit_test(dropped_elements_pass_as_they_are),
        cmocka_unit_test(one_bit_passes_the_slope_of_a_soft_sign),
        cmocka_unit_test(bipolar_keeps_the_sign_and_stops_gradients_beyond_one),
        cmocka_unit_test(weights_are_quantized_per_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
