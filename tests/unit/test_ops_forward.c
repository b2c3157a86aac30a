// Float results against plain loops that anyone can check by eye.
#include "float_fixture.h"
#include "float_plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 2 };

static lac_plan *open_plan(lac_graph *graph, bool keep_all) {
    lac_error err = {0};
    lac_plan *plan = NULL;
    if (lac_graph_infer(graph, &err) != LAC_OK) fail_msg("%s", err.text);
    lac_plan_config config = {.batch = BATCH, .keep_all = keep_all};
    if (lac_plan_open(graph, &config, &plan, &err) != LAC_OK) fail_msg("%s", err.text);
    return plan;
}

static void run(lac_plan *plan, const float *x, int64_t n) {
    memcpy(lac_plan_input(plan), x, (size_t)n * sizeof *x);
    assert_int_equal(lac_plan_forward(plan, NULL), LAC_OK);
}

static void close_to(float got, double wanted) {
    if (!(fabs((double)got - wanted) <= 1e-4 * (1 + fabs(wanted))))
        fail_msg("got %g, expected %g", (double)got, wanted);
}

// y[n][o][yo][xo], by the law in conv2d.c.
static double conv_at(const float *x, const float *w, const lac_window *v, lac_shape xs, lac_shape ws,
                      int64_t n, int64_t o, int64_t yo, int64_t xo) {
    double sum = 0;
    int64_t per_group = ws.dim[0] / v->groups, first = o / per_group * ws.dim[1];
    for (int64_t i = 0; i < ws.dim[1]; i++)
        for (int64_t ky = 0; ky < ws.dim[2]; ky++)
            for (int64_t kx = 0; kx < ws.dim[3]; kx++) {
                int64_t yi = yo * v->stride[0] + ky * v->dilation[0] - v->pad[0];
                int64_t xi = xo * v->stride[1] + kx * v->dilation[1] - v->pad[1];
                if (yi < 0 || yi >= xs.dim[2] || xi < 0 || xi >= xs.dim[3]) continue;
                sum += (double)x[((n * xs.dim[1] + first + i) * xs.dim[2] + yi) * xs.dim[3] + xi] *
                       (double)w[((o * ws.dim[1] + i) * ws.dim[2] + ky) * ws.dim[3] + kx];
            }
    return sum;
}

static void check_conv(int in, int out, int h, int width, lac_window v, bool bias) {
    lac_arena *arena = lac_arena_open();
    lac_rng rng = lac_rng_make(9, (uint64_t)in);
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, in, h, width));
    lac_shape ws = LAC_SHAPE(out, in / v.groups, v.kernel[0], v.kernel[1]);
    int inputs[3] = {graph->input, add_uniform(graph, "w", ws, -1, 1, true, &rng)};
    if (bias) inputs[2] = add_uniform(graph, "b", LAC_SHAPE(out), -1, 1, true, &rng);
    graph->output =
        lac_graph_add_node(graph, LAC_OP_CONV2D, "conv", inputs, bias ? 3 : 2, &(lac_attr){.window = v});
    lac_plan *plan = open_plan(graph, false);
    int64_t n_x = (int64_t)BATCH * in * h * width;
    float *x = LAC_NEW_ARRAY(arena, float, n_x);
    fill_uniform(x, n_x, -1, 1, &rng);
    run(plan, x, n_x);
    const float *y = lac_plan_output(plan), *w = graph->values[inputs[1]].data;
    lac_shape xs = graph->values[graph->input].shape, ys = graph->values[graph->output].shape;
    for (int64_t n = 0; n < BATCH; n++)
        for (int64_t o = 0; o < out; o++)
            for (int64_t yo = 0; yo < ys.dim[2]; yo++)
                for (int64_t xo = 0; xo < ys.dim[3]; xo++) {
                    double b = bias ? (double)graph->values[inputs[2]].data[o] : 0;
                    close_to(*y++, b + conv_at(x, w, &v, xs, ws, n, o, yo, xo));
                }
    lac_plan_close(plan);
    lac_arena_close(arena);
}

static void conv2d_equals_plain_loops(void **state) {
    (void)state;
    check_conv(1, 16, 9, 9, square_window(3, 1, 1), false);
    check_conv(16, 32, 7, 7, square_window(3, 1, 1), true);
    check_conv(3, 5, 8, 11, (lac_window){{3, 5}, {2, 1}, {1, 0, 2, 3}, {1, 2}, 1}, true);
    check_conv(6, 4, 8, 8, (lac_window){{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 2}, false);
    check_conv(32, 32, 6, 6, (lac_window){{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 32}, true);
    check_conv(5, 10, 6, 6, (lac_window){{3, 3}, {2, 2}, {0, 1, 1, 0}, {1, 1}, 5}, false);
    check_conv(32, 16, 5, 5, square_window(1, 2, 0), false);
}

// As it comes from outside, row-major, and behind a convolution with the identity, in blocks of channels.
static void max_pool_equals_plain_loops_also_where_the_window_does_not_divide(void **state) {
    (void)state;
    enum { C = 16, SIZE = 7, N = BATCH * C * SIZE * SIZE };
    for (int blocked = 0; blocked < 2; blocked++) {
        lac_arena *arena = lac_arena_open();
        lac_rng rng = lac_rng_make(4, 4);
        lac_graph *graph = start_graph(arena, LAC_SHAPE(1, C, SIZE, SIZE));
        int in[2] = {graph->input, lac_graph_add_constant(graph, "w", LAC_SHAPE(C, C, 1, 1), NULL, false)};
        for (int o = 0; o < C; o++) graph->values[in[1]].data[(C + 1) * o] = 1;
        lac_attr conv = {.window = square_window(1, 1, 0)}, pool = {.window = square_window(2, 2, 0)};
        int v = blocked ? lac_graph_add_node(graph, LAC_OP_CONV2D, "conv", in, 2, &conv) : graph->input;
        graph->output = lac_graph_add_node(graph, LAC_OP_MAX_POOL, "pool", &v, 1, &pool);
        lac_plan *plan = open_plan(graph, false);
        float x[N];
        fill_uniform(x, N, -2, -1, &rng);
        run(plan, x, N);
        const float *y = lac_plan_output(plan);
        for (int m = 0; m < BATCH * C; m++)
            for (int o = 0; o < 9; o++) {
                const float *corner = &x[m * SIZE * SIZE + 2 * (o / 3) * SIZE + 2 * (o % 3)];
                float most = fmaxf(fmaxf(corner[0], corner[1]), fmaxf(corner[SIZE], corner[SIZE + 1]));
                close_to(*y++, (double)most);
            }
        lac_plan_close(plan);
        lac_arena_close(arena);
    }
}

static void batch_norm_uses_running_statistics_when_not_training(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 2, 2, 1));
    const float gamma[] = {2, 3}, beta[] = {1, -1}, mean[] = {0.5f, -0.5f}, variance[] = {4, 9};
    int in[5] = {graph->input, lac_graph_add_constant(graph, "g", LAC_SHAPE(2), gamma, true),
                 lac_graph_add_constant(graph, "b", LAC_SHAPE(2), beta, true),
                 lac_graph_add_constant(graph, "m", LAC_SHAPE(2), mean, false),
                 lac_graph_add_constant(graph, "v", LAC_SHAPE(2), variance, false)};
    graph->output = lac_graph_add_node(graph, LAC_OP_BATCH_NORM, "bn", in, 5,
                                       &(lac_attr){.epsilon = 0, .momentum = 0.9f});
    lac_plan *plan = open_plan(graph, false);
    const float x[] = {0.5f, 2.5f, -0.5f, 2.5f, 0, 0, 0, 0};
    run(plan, x, 8);
    const double wanted[] = {1, 3, -1, 2, 0.5, 0.5, -0.5, -0.5};
    for (int i = 0; i < 8; i++) close_to(lac_plan_output(plan)[i], wanted[i]);
    assert_true(graph->values[in[3]].data[0] == 0.5f);
    lac_plan_close(plan);
    lac_arena_close(arena);
}

// Convolutions keep maps in blocks of channels, rounded up. What a batch norm without epsilon makes of the
// channels too many must not reach the sums of the next convolution.
static void batch_norm_keeps_channels_that_do_not_fill_a_block_apart(void **state) {
    (void)state;
    enum { C = 4, SUMS = 16, PIXELS = 4, N = BATCH * C * PIXELS };
    lac_arena *arena = lac_arena_open();
    lac_rng rng = lac_rng_make(6, 6);
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, C, 2, 2));
    lac_attr attr = {.window = square_window(1, 1, 0), .epsilon = 0, .momentum = 0.9f};
    int same[2] = {graph->input, lac_graph_add_constant(graph, "same", LAC_SHAPE(C, C, 1, 1), NULL, false)};
    for (int o = 0; o < C; o++) graph->values[same[1]].data[(C + 1) * o] = 1;
    int norm[5] = {lac_graph_add_node(graph, LAC_OP_CONV2D, "conv", same, 2, &attr)};
    static const float parameters[] = {2, 1, 0.5f, 4}; // gamma, beta, mean, variance
    for (int i = 0; i < 4; i++) {
        norm[1 + i] = lac_graph_add_constant(graph, "gbmv", LAC_SHAPE(C), NULL, false);
        for (int c = 0; c < C; c++) graph->values[norm[1 + i]].data[c] = parameters[i];
    }
    int sum[2] = {lac_graph_add_node(graph, LAC_OP_BATCH_NORM, "bn", norm, 5, &attr),
                  lac_graph_add_constant(graph, "ones", LAC_SHAPE(SUMS, C, 1, 1), NULL, false)};
    for (int c = 0; c < SUMS * C; c++) graph->values[sum[1]].data[c] = 1;
    graph->output = lac_graph_add_node(graph, LAC_OP_CONV2D, "sum", sum, 2, &attr);
    lac_plan *plan = open_plan(graph, false);
    float x[N];
    fill_uniform(x, N, -1, 1, &rng);
    run(plan, x, N);
    for (int n = 0; n < BATCH; n++)
        for (int i = 0; i < PIXELS; i++) {
            double wanted = 0;
            for (int c = 0; c < C; c++) wanted += (double)x[(n * C + c) * PIXELS + i] - 0.5 + 1;
            for (int o = 0; o < SUMS; o++)
                close_to(lac_plan_output(plan)[(n * SUMS + o) * PIXELS + i], wanted);
        }
    lac_plan_close(plan);
    lac_arena_close(arena);
}

static void activations_follow_their_laws(void **state) {
    (void)state;
    enum { C = 3, N = BATCH * C * 4 };
    static const lac_op ops[] = {LAC_OP_SIGMOID,    LAC_OP_TANH, LAC_OP_HARD_SIGMOID,
                                 LAC_OP_HARD_SWISH, LAC_OP_SILU, LAC_OP_GELU};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        lac_arena *arena = lac_arena_open();
        lac_rng rng = lac_rng_make(5, i);
        lac_graph *graph = start_graph(arena, LAC_SHAPE(1, C, 2, 2));
        lac_attr attr = {.alpha = 0.3f, .beta = 0.4f};
        graph->output = lac_graph_add_node(graph, ops[i], "node", &graph->input, 1, &attr);
        lac_plan *plan = open_plan(graph, false);
        float x[N];
        fill_uniform(x, N, -5, 5, &rng);
        run(plan, x, N);
        for (int k = 0; k < N; k++) {
            double v = (double)x[k];
            const double wanted[] = {1 / (1 + exp(-v)),
                                     tanh(v),
                                     fmin(fmax(0.3 * v + 0.4, 0), 1),
                                     v * fmin(fmax(v / 6 + 0.5, 0), 1),
                                     v / (1 + exp(-v)),
                                     v / 2 * (1 + erf(v / sqrt(2)))};
            close_to(lac_plan_output(plan)[k], wanted[i]);
        }
        lac_plan_close(plan);
        lac_arena_close(arena);
    }
}

// Pixels that say where they are: 100 * image + 10 * channel + 2 * row + column.
static void expect_moved(lac_op op, lac_rearrange_attr move, const float *wanted, int n_wanted) {
    enum { C = 4, N = BATCH * C * 4 };
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, C, 2, 2));
    graph->output = lac_graph_add_node(graph, op, "node", &graph->input, 1, &(lac_attr){.move = move});
    lac_plan *plan = open_plan(graph, false);
    float x[N];
    for (int i = 0; i < N; i++) x[i] = (float)(100 * (i / 16) + 10 * (i / 4 % C) + i % 4);
    run(plan, x, N);
    int64_t n = lac_shape_count(graph->values[graph->output].shape);
    bool rim = op == LAC_OP_PAD && !move.circular; // its first pixel is a zero
    for (int i = 0; i < n_wanted; i++) {
        assert_true(lac_plan_output(plan)[i] == wanted[i]);
        assert_true(lac_plan_output(plan)[n + i] == (rim && i == 0 ? 0 : wanted[i] + 100));
    }
    lac_plan_close(plan);
    lac_arena_close(arena);
}

#define EXPECT_MOVED(op, move, ...)                                                                          \
    expect_moved((op), (lac_rearrange_attr)move, (const float[]){__VA_ARGS__},                               \
                 (int)(sizeof((const float[]){__VA_ARGS__}) / sizeof(float)))
#define MOVE(...)                                                                                            \
    { __VA_ARGS__ }

static void rearranging_ops_follow_their_laws(void **state) {
    (void)state;
    EXPECT_MOVED(LAC_OP_SLICE, MOVE(.begin = 1, .end = 3), 10, 11, 12, 13, 20, 21, 22, 23);
    EXPECT_MOVED(LAC_OP_CHANNEL_SHUFFLE, MOVE(.groups = 2), 0, 1, 2, 3, 20, 21, 22, 23, 10, 11, 12, 13, 30,
                 31, 32, 33);
    EXPECT_MOVED(LAC_OP_UPSAMPLE, MOVE(.factor = {1, 2}), 0, 0, 1, 1, 2, 2, 3, 3, 10, 10);
    EXPECT_MOVED(LAC_OP_UPSAMPLE, MOVE(.factor = {2, 1}), 0, 1, 0, 1, 2, 3, 2, 3, 10, 11);
    EXPECT_MOVED(LAC_OP_DEPTH_TO_SPACE, MOVE(.block = 2), 0, 10, 1, 11, 20, 30, 21, 31, 2, 12, 3, 13);
    EXPECT_MOVED(LAC_OP_PAD, MOVE(.pad = {0, 1, 0, 0}), 0, 0, 1);
    EXPECT_MOVED(LAC_OP_PAD, MOVE(.pad = {1, 1, 0, 0}, .circular = true), 3, 2, 3, 1, 0, 1, 3, 2, 3);
}

// Three channels: the blocked layout behind a convolution has padding, which a reader must not see.
static void every_activation_reads_back_dense(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_rng rng = lac_rng_make(8, 8);
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 16, 2, 2));
    int in[2] = {graph->input, lac_graph_add_constant(graph, "w", LAC_SHAPE(3, 16, 1, 1), NULL, true)};
    for (int o = 0; o < 3; o++) graph->values[in[1]].data[16 * o + o] = (float)(o + 1); // y[o] = (o+1) x[o]
    int y = lac_graph_add_node(graph, LAC_OP_CONV2D, "conv", in, 2,
                               &(lac_attr){.window = square_window(1, 1, 0)});
    graph->output = lac_graph_add_node(graph, LAC_OP_RELU, "relu", &y, 1, NULL);
    lac_plan *plan = open_plan(graph, true);
    float x[BATCH * 64], got[BATCH * 12];
    fill_uniform(x, BATCH * 64, -1, 1, &rng);
    run(plan, x, BATCH * 64);
    assert_int_equal(lac_plan_read(plan, y, got, NULL), LAC_OK);
    for (int n = 0; n < BATCH; n++)
        for (int o = 0; o < 3; o++)
            for (int p = 0; p < 4; p++)
                close_to(got[(n * 3 + o) * 4 + p], (o + 1) * (double)x[(n * 16 + o) * 4 + p]);
    for (int i = 0; i < BATCH * 12; i++) close_to(lac_plan_output(plan)[i], fmax(0, (double)got[i]));
    lac_plan_close(plan);
    lac_arena_close(arena);
}

static void a_refresh_brings_changed_weights_into_force(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 16, 1, 1));
    int in[2] = {graph->input, lac_graph_add_constant(graph, "w", LAC_SHAPE(16, 16, 1, 1), NULL, true)};
    graph->output = lac_graph_add_node(graph, LAC_OP_CONV2D, "conv", in, 2,
                                       &(lac_attr){.window = square_window(1, 1, 0)});
    lac_plan *plan = open_plan(graph, false);
    float x[BATCH * 16];
    for (int i = 0; i < BATCH * 16; i++) x[i] = 1;
    run(plan, x, BATCH * 16);
    close_to(lac_plan_output(plan)[3], 0);
    graph->values[in[1]].data[3 * 16 + 5] = 2.5f;
    assert_int_equal(lac_plan_refresh(plan, NULL), LAC_OK);
    run(plan, x, BATCH * 16);
    close_to(lac_plan_output(plan)[3], 2.5);
    close_to(lac_plan_output(plan)[4], 0);
    lac_plan_close(plan);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv2d_equals_plain_loops),
        cmocka_unit_test(max_pool_equals_plain_loops_also_where_the_window_does_not_divide),
        cmocka_unit_test(activations_follow_their_laws),
        cmocka_unit_test(rearranging_ops_follow_their_laws),
        cmocka_unit_test(batch_norm_uses_running_statistics_when_not_training),
        cmocka_unit_test(batch_norm_keeps_channels_that_do_not_fill_a_block_apart),
        cmocka_unit_test(every_activation_reads_back_dense),
        cmocka_unit_test(a_refresh_brings_changed_weights_into_force),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
