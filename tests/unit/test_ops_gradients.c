// Every op's gradients against central finite differences, and the checker itself against a wrong gradient.
#include "float_fixture.h"
#include "float_plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 3 };

// A graph, its plan, a batch of inputs and the weights of a made-up loss: sum of r * output.
typedef struct bench {
    lac_arena *arena;
    lac_graph *graph;
    lac_plan *plan;
    float *x, *r;
    int64_t n_x, n_y;
    lac_rng rng;
} bench;

static bench open_bench(lac_arena *arena, lac_graph *graph, bool keep_all) {
    bench b = {.arena = arena, .graph = graph, .rng = lac_rng_make(7, 7)};
    lac_error err = {0};
    if (lac_graph_infer(graph, &err) != LAC_OK) fail_msg("%s", err.text);
    lac_plan_config config = {.batch = BATCH, .train = true, .input_gradient = true, .keep_all = keep_all};
    if (lac_plan_open(graph, &config, &b.plan, &err) != LAC_OK) fail_msg("%s", err.text);
    b.n_x = BATCH * lac_shape_count(graph->values[graph->input].shape);
    b.n_y = BATCH * lac_shape_count(graph->values[graph->output].shape);
    b.x = LAC_NEW_ARRAY(arena, float, b.n_x);
    b.r = LAC_NEW_ARRAY(arena, float, b.n_y);
    fill_apart(b.x, b.n_x, 3.0f / (float)b.n_x, &b.rng);
    fill_uniform(b.r, b.n_y, -1, 1, &b.rng);
    return b;
}

static double loss(bench *b) {
    memcpy(lac_plan_input(b->plan), b->x, (size_t)b->n_x * sizeof(float));
    assert_int_equal(lac_plan_forward(b->plan, NULL), LAC_OK);
    const float *y = lac_plan_output(b->plan);
    double sum = 0;
    for (int64_t i = 0; i < b->n_y; i++) sum += (double)b->r[i] * (double)y[i];
    return sum;
}

static void backward(bench *b) {
    (void)loss(b);
    memcpy(lac_plan_output_gradient(b->plan), b->r, (size_t)b->n_y * sizeof(float));
    assert_int_equal(lac_plan_backward(b->plan, NULL), LAC_OK);
}

// Largest difference between a gradient and finite differences of the loss, relative to the largest slope.
static double worst_error(bench *b, float *parameter, const float *gradient, int64_t n, float step) {
    double worst = 0, largest = 1e-3;
    for (int64_t i = 0; i < n; i++) {
        float saved = parameter[i];
        parameter[i] = saved + step;
        double up = loss(b);
        parameter[i] = saved - step;
        double down = loss(b);
        parameter[i] = saved;
        double slope = (up - down) / (2 * (double)step), error = fabs(slope - (double)gradient[i]);
        assert_true(isfinite(error));
        if (error > worst) worst = error;
        if (fabs(slope) > largest) largest = fabs(slope);
    }
    return worst / largest;
}

static float *copy_gradient(bench *b, int value, int64_t n) {
    const float *g = lac_plan_gradient(b->plan, value);
    assert_non_null(g);
    return lac_arena_copy(b->arena, g, (size_t)n * sizeof *g);
}

static void check_all(lac_arena *arena, lac_graph *graph, bool keep_all) {
    bench b = open_bench(arena, graph, keep_all);
    float step = 1.0f / (float)b.n_x; // under half the gap between inputs
    backward(&b);
    double error = worst_error(&b, b.x, copy_gradient(&b, graph->input, b.n_x), b.n_x, step);
    if (error > 5e-3) fail_msg("input: gradient is off by %g of its largest element", error);
    for (int v = 0; v < graph->n_values; v++) {
        lac_value *value = &graph->values[v];
        if (!value->trainable) continue;
        backward(&b);
        int64_t n = lac_shape_count(value->shape);
        error = worst_error(&b, value->data, copy_gradient(&b, v, n), n, 1e-2f);
        if (error > 5e-3) fail_msg("%s: gradient is off by %g of its largest element", value->name, error);
    }
    lac_plan_close(b.plan);
}

typedef struct conv_case {
    int in, out, size;
    lac_window window;
    bool bias;
} conv_case;

static lac_graph *conv_graph(lac_arena *arena, const conv_case *c, lac_rng *rng) {
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, c->in, c->size, c->size));
    int kh = c->window.kernel[0], kw = c->window.kernel[1];
    int in[3] = {graph->input, add_uniform(graph, "w", LAC_SHAPE(c->out, c->in / c->window.groups, kh, kw),
                                           -1, 1, true, rng)};
    if (c->bias) in[2] = add_uniform(graph, "b", LAC_SHAPE(c->out), -1, 1, true, rng);
    graph->output = lac_graph_add_node(graph, LAC_OP_CONV2D, "conv", in, c->bias ? 3 : 2,
                                       &(lac_attr){.window = c->window});
    return graph;
}

static void conv2d_gradients_match_finite_differences(void **state) {
    (void)state;
    const conv_case cases[] = {
        {1, 5, 5, {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1}, true},
        {3, 16, 5, {{3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1}, false},
        {4, 6, 6, {{3, 2}, {1, 2}, {0, 1, 2, 0}, {2, 1}, 2}, true},
        {16, 16, 4, {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 16}, false},
        {16, 16, 3, {{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1}, true},
        {20, 20, 2, {{3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 20}, false}, // maps smaller than the kernel
        {16, 16, 1, {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 16}, false},
        {16, 16, 5, {{3, 2}, {2, 1}, {2, 0, 1, 1}, {2, 1}, 16}, false},
        {6, 16, 6, {{5, 5}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1}, true}, // no blocked kernel
    };
    lac_rng rng = lac_rng_make(1, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lac_arena *arena = lac_arena_open();
        check_all(arena, conv_graph(arena, &cases[i], &rng), false);
        lac_arena_close(arena);
    }
}

static void linear_gradients_match_finite_differences(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_rng rng = lac_rng_make(2, 1);
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 2, 3, 3));
    int x = lac_graph_add_node(graph, LAC_OP_FLATTEN, "flatten", &graph->input, 1, NULL);
    int in[] = {x, add_uniform(graph, "w", LAC_SHAPE(7, 18), -1, 1, true, &rng),
                add_uniform(graph, "b", LAC_SHAPE(7), -1, 1, true, &rng)};
    graph->output = lac_graph_add_node(graph, LAC_OP_LINEAR, "linear", in, 3, NULL);
    check_all(arena, graph, false);
    lac_arena_close(arena);
}

// gamma is small and beta far from zero, so that the ReLU behind stays off its kink.
static lac_graph *bn_relu_graph(lac_arena *arena, int channels) {
    lac_rng rng = lac_rng_make(3, 1);
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, channels, 3, 3));
    int in[5] = {graph->input, add_uniform(graph, "gamma", LAC_SHAPE(channels), 0.1f, 0.3f, true, &rng),
                 add_uniform(graph, "beta", LAC_SHAPE(channels), 1, 2, true, &rng),
                 add_uniform(graph, "mean", LAC_SHAPE(channels), 0, 0, false, &rng),
                 add_uniform(graph, "variance", LAC_SHAPE(channels), 1, 1, false, &rng)};
    for (int c = 0; c < channels; c += 3) graph->values[in[2]].data[c] *= -1;
    lac_attr attr = {.epsilon = 1e-3f, .momentum = 0.9f};
    int y = lac_graph_add_node(graph, LAC_OP_BATCH_NORM, "bn", in, 5, &attr);
    graph->output = lac_graph_add_node(graph, LAC_OP_RELU, "relu", &y, 1, NULL);
    return graph;
}

static void batch_norm_and_relu_gradients_match_fused_or_not(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        lac_arena *arena = lac_arena_open();
        check_all(arena, bn_relu_graph(arena, i & 1 ? 16 : 5), i & 2);
        lac_arena_close(arena);
    }
}

static void pool_gradients_match_finite_differences(void **state) {
    (void)state;
    const struct {
        lac_op op;
        lac_window window;
        bool include_pad;
    } cases[] = {
        {LAC_OP_MAX_POOL, square_window(2, 2, 0), false},
        {LAC_OP_MAX_POOL, square_window(3, 2, 1), false},
        {LAC_OP_AVG_POOL, square_window(3, 2, 1), true},
        {LAC_OP_AVG_POOL, square_window(3, 2, 1), false},
        {LAC_OP_GLOBAL_AVG_POOL, square_window(1, 1, 0), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int channels = 3; channels <= 16; channels += 13) {
            lac_arena *arena = lac_arena_open();
            lac_graph *graph = start_graph(arena, LAC_SHAPE(1, channels, 5, 6));
            lac_attr attr = {.window = cases[i].window, .count_include_pad = cases[i].include_pad};
            graph->output = lac_graph_add_node(graph, cases[i].op, "pool", &graph->input, 1, &attr);
            check_all(arena, graph, false);
            lac_arena_close(arena);
        }
}

// Behind a convolution maps come in blocks of channels, where max_pool has loops of its own. The weights are
// the identity, which keeps the inputs apart.
static void blocked_max_pool_gradients_match_finite_differences(void **state) {
    (void)state;
    for (int height = 4; height <= 5; height++) {
        lac_arena *arena = lac_arena_open();
        lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 32, height, 6));
        int in[2] = {graph->input, lac_graph_add_constant(graph, "w", LAC_SHAPE(32, 32, 1, 1), NULL, false)};
        for (int o = 0; o < 32; o++) graph->values[in[1]].data[33 * o] = 1;
        lac_attr conv = {.window = square_window(1, 1, 0)}, pool = {.window = square_window(2, 2, 0)};
        int x = lac_graph_add_node(graph, LAC_OP_CONV2D, "conv", in, 2, &conv);
        int y = lac_graph_add_node(graph, LAC_OP_MAX_POOL, "pool", &x, 1, &pool);
        int z = lac_graph_add_node(graph, LAC_OP_GLOBAL_AVG_POOL, "mean", &x, 1, NULL); // a second reader
        int both[2] = {lac_graph_add_node(graph, LAC_OP_FLATTEN, "flat_y", &y, 1, NULL),
                       lac_graph_add_node(graph, LAC_OP_FLATTEN, "flat_z", &z, 1, NULL)};
        graph->output = lac_graph_add_node(graph, LAC_OP_CONCAT, "both", both, 2, NULL);
        check_all(arena, graph, false);
        lac_arena_close(arena);
    }
}

// Readers of many kinds on one value: their gradients add up, in whatever layouts they come.
static void gradients_of_all_readers_add_up(void **state) {
    (void)state;
    lac_rng rng = lac_rng_make(5, 1);
    for (int channels = 4; channels <= 16; channels += 12) {
        lac_arena *arena = lac_arena_open();
        lac_graph *graph = start_graph(arena, LAC_SHAPE(1, channels, 4, 4));
        int in[2] = {graph->input,
                     add_uniform(graph, "w", LAC_SHAPE(channels, channels, 1, 1), -1, 1, true, &rng)};
        lac_attr attr = {.window = square_window(1, 1, 0)};
        int a = lac_graph_add_node(graph, LAC_OP_CONV2D, "conv", in, 2, &attr);
        int b = lac_graph_add_node(graph, LAC_OP_ADD, "twice", (int[]){a, a}, 2, NULL);
        int c = lac_graph_add_node(graph, LAC_OP_ADD, "add", (int[]){b, graph->input}, 2, NULL);
        int d = lac_graph_add_node(graph, LAC_OP_CONCAT, "concat", (int[]){a, c, graph->input}, 3, NULL);
        graph->output = lac_graph_add_node(graph, LAC_OP_FLATTEN, "flatten", &d, 1, NULL);
        check_all(arena, graph, false);
        lac_arena_close(arena);
    }
}

static void check_node(lac_shape x, lac_op op, const lac_attr *attr) {
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, x);
    graph->output = lac_graph_add_node(graph, op, "node", &graph->input, 1, attr);
    check_all(arena, graph, false);
    lac_arena_close(arena);
}

static void activation_gradients_match_finite_differences(void **state) {
    (void)state;
    static const lac_op ops[] = {LAC_OP_SIGMOID,    LAC_OP_TANH, LAC_OP_HARD_SIGMOID,
                                 LAC_OP_HARD_SWISH, LAC_OP_SILU, LAC_OP_GELU};
    const lac_attr line = {.alpha = 0.5f, .beta = 0.5f}; // cut off at -1 and 1; inputs reach 1.5
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        check_node(LAC_SHAPE(1, 3, 3, 4), ops[i], &line);
        check_node(LAC_SHAPE(1, 17), ops[i], &line);
    }
}

static void rearranging_gradients_match_finite_differences(void **state) {
    (void)state;
    const struct {
        lac_op op;
        lac_rearrange_attr move;
    } cases[] = {
        {LAC_OP_SLICE, {.begin = 3, .end = 7}},  {LAC_OP_CHANNEL_SHUFFLE, {.groups = 2}},
        {LAC_OP_CHANNEL_SHUFFLE, {.groups = 4}}, {LAC_OP_UPSAMPLE, {.factor = {2, 3}}},
        {LAC_OP_DEPTH_TO_SPACE, {.block = 2}},   {LAC_OP_DEPTH_TO_SPACE, {.block = 2, .by_column = true}},
        {LAC_OP_PAD, {.pad = {1, 2, 0, 3}}},     {LAC_OP_PAD, {.pad = {1, 2, 3, 4}, .circular = true}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_node(LAC_SHAPE(1, 8, 3, 4), cases[i].op, &(lac_attr){.move = cases[i].move});
}

static void channel_reductions_and_global_max_match_finite_differences(void **state) {
    (void)state;
    static const lac_op ops[] = {LAC_OP_CHANNEL_MEAN, LAC_OP_CHANNEL_MAX, LAC_OP_GLOBAL_MAX_POOL};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) check_node(LAC_SHAPE(1, 5, 3, 4), ops[i], NULL);
}

static void conv_transpose_gradients_match_finite_differences(void **state) {
    (void)state;
    const struct {
        int in, out;
        lac_window window;
        int out_pad[2];
    } cases[] = {
        {3, 5, {{3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1}, {1, 1}},
        {16, 16, {{2, 2}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1}, {0, 0}},
        {4, 6, {{3, 2}, {1, 3}, {1, 0, 0, 1}, {2, 1}, 2}, {0, 2}},
    };
    lac_rng rng = lac_rng_make(8, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lac_arena *arena = lac_arena_open();
        lac_graph *graph = start_graph(arena, LAC_SHAPE(1, cases[i].in, 3, 4));
        const lac_window *v = &cases[i].window;
        lac_shape w = LAC_SHAPE(cases[i].in, cases[i].out / v->groups, v->kernel[0], v->kernel[1]);
        int in[3] = {graph->input, add_uniform(graph, "w", w, -1, 1, true, &rng),
                     add_uniform(graph, "b", LAC_SHAPE(cases[i].out), -1, 1, true, &rng)};
        lac_attr attr = {.window = *v, .out_pad = {cases[i].out_pad[0], cases[i].out_pad[1]}};
        graph->output = lac_graph_add_node(graph, LAC_OP_CONV_TRANSPOSE, "deconv", in, 3, &attr);
        check_all(arena, graph, false);
        lac_arena_close(arena);
    }
}

// One number an image, a channel, a pixel, a row or an element; and a square, where both operands are one.
static void mul_gradients_match_finite_differences(void **state) {
    (void)state;
    const lac_window windows[] = {
        {{3, 4}, {1, 1}, {0}, {1, 1}, 1}, // one pixel
        {{1, 4}, {1, 1}, {0}, {1, 1}, 1}, // one column
        {{1, 1}, {1, 1}, {0}, {1, 1}, 1}, // all
    };
    for (int i = 0; i < 3; i++)
        for (int outs = 1; outs <= 5; outs += 4) {
            lac_arena *arena = lac_arena_open();
            lac_rng rng = lac_rng_make(9, (uint64_t)i);
            lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 5, 3, 4));
            lac_shape w = LAC_SHAPE(outs, 5, windows[i].kernel[0], windows[i].kernel[1]);
            int in[2] = {graph->input, add_uniform(graph, "w", w, -1, 1, true, &rng)};
            int gate =
                lac_graph_add_node(graph, LAC_OP_CONV2D, "gate", in, 2, &(lac_attr){.window = windows[i]});
            graph->output =
                lac_graph_add_node(graph, LAC_OP_MUL, "mul", (int[]){graph->input, gate}, 2, NULL);
            check_all(arena, graph, false);
            lac_arena_close(arena);
        }
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 7));
    graph->output =
        lac_graph_add_node(graph, LAC_OP_MUL, "square", (int[]){graph->input, graph->input}, 2, NULL);
    check_all(arena, graph, false);
    lac_arena_close(arena);
}

static void checker_catches_a_wrong_gradient(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_rng rng = lac_rng_make(6, 1);
    const conv_case c = {2, 4, 4, {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1}, false};
    lac_graph *graph = conv_graph(arena, &c, &rng);
    bench b = open_bench(arena, graph, false);
    lac_value *w = &graph->values[graph->nodes[0].in[1]];
    int64_t n = lac_shape_count(w->shape);
    backward(&b);
    float *gradient = copy_gradient(&b, graph->nodes[0].in[1], n);
    assert_true(worst_error(&b, w->data, gradient, n, 1e-2f) < 5e-3);
    int64_t largest = 0;
    for (int64_t i = 0; i < n; i++)
        if (fabsf(gradient[i]) > fabsf(gradient[largest])) largest = i;
    gradient[largest] *= 1.02f;
    assert_true(worst_error(&b, w->data, gradient, n, 1e-2f) > 1e-2);
    lac_plan_close(b.plan);
    lac_arena_close(arena);
}

static void constants_that_are_not_trainable_get_no_gradient(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_rng rng = lac_rng_make(6, 1);
    const conv_case c = {2, 4, 4, {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1}, true};
    lac_graph *graph = conv_graph(arena, &c, &rng);
    graph->values[graph->nodes[0].in[1]].trainable = false;
    bench b = open_bench(arena, graph, false);
    backward(&b);
    assert_null(lac_plan_gradient(b.plan, graph->nodes[0].in[1]));
    assert_non_null(lac_plan_gradient(b.plan, graph->nodes[0].in[2]));
    lac_plan_close(b.plan);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv2d_gradients_match_finite_differences),
        cmocka_unit_test(linear_gradients_match_finite_differences),
        cmocka_unit_test(batch_norm_and_relu_gradients_match_fused_or_not),
        cmocka_unit_test(pool_gradients_match_finite_differences),
        cmocka_unit_test(blocked_max_pool_gradients_match_finite_differences),
        cmocka_unit_test(gradients_of_all_readers_add_up),
        cmocka_unit_test(activation_gradients_match_finite_differences),
        cmocka_unit_test(rearranging_gradients_match_finite_differences),
        cmocka_unit_test(channel_reductions_and_global_max_match_finite_differences),
        cmocka_unit_test(conv_transpose_gradients_match_finite_differences),
        cmocka_unit_test(mul_gradients_match_finite_differences),
        cmocka_unit_test(checker_catches_a_wrong_gradient),
        cmocka_unit_test(constants_that_are_not_trainable_get_no_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
