// Shape rules, their errors, and the count of multiply-accumulates.
#include "float_fixture.h"
#include "net.h"
#include "op.h"
#include "train.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const lac_net_desc *net_named(const char *name) {
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, name) == 0) return lac_net_row(i);
    fail_msg("no network '%s'", name);
    return NULL;
}

static void expect_shape_error(lac_graph *graph, const char *const *words, int n_words) {
    lac_error err = {0};
    assert_int_equal(lac_graph_infer(graph, &err), LAC_E_SHAPE);
    for (int i = 0; i < n_words; i++)
        if (!strstr(err.text, words[i])) fail_msg("'%s' does not mention '%s'", err.text, words[i]);
}

#define EXPECT_SHAPE_ERROR(graph, ...)                                                                       \
    expect_shape_error(graph, (const char *[]){__VA_ARGS__},                                                 \
                       (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)))

static void conv2d_rejects_channel_mismatch_and_says_so(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 5, 8, 8));
    int in[2] = {graph->input, lac_graph_add_constant(graph, "w", LAC_SHAPE(4, 3, 3, 3), NULL, true)};
    graph->output = lac_graph_add_node(graph, LAC_OP_CONV2D, "stem", in, 2,
                                       &(lac_attr){.window = square_window(3, 1, 1)});
    EXPECT_SHAPE_ERROR(graph, "conv2d 'stem'", "5 channels", "expect 3");
    lac_arena_close(arena);
}

static void windows_larger_than_the_image_are_rejected(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 3, 4, 9));
    graph->output = lac_graph_add_node(graph, LAC_OP_MAX_POOL, "pool", &graph->input, 1,
                                       &(lac_attr){.window = square_window(5, 1, 0)});
    EXPECT_SHAPE_ERROR(graph, "max_pool 'pool'", "covers 5 pixels in y", "has 4");
    lac_arena_close(arena);
}

static void linear_wants_a_flat_input_of_its_width(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 3, 2, 2));
    int w = lac_graph_add_constant(graph, "w", LAC_SHAPE(10, 13), NULL, true);
    graph->output = lac_graph_add_node(graph, LAC_OP_LINEAR, "fc", (int[]){graph->input, w}, 2, NULL);
    EXPECT_SHAPE_ERROR(graph, "linear 'fc'", "1x3x2x2", "flatten it first");
    graph->values[graph->input].shape = LAC_SHAPE(1, 12);
    EXPECT_SHAPE_ERROR(graph, "linear 'fc'", "12 features", "expect 13");
    lac_arena_close(arena);
}

static void batch_norm_add_concat_and_scales_name_both_sizes(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 3, 8, 8));
    int c[4];
    for (int i = 0; i < 4; i++)
        c[i] = lac_graph_add_constant(graph, "p", LAC_SHAPE(i == 2 ? 4 : 3), NULL, false);
    int in[5] = {graph->input, c[0], c[1], c[2], c[3]};
    graph->output = lac_graph_add_node(graph, LAC_OP_BATCH_NORM, "bn", in, 5, NULL);
    EXPECT_SHAPE_ERROR(graph, "batch_norm 'bn'", "3 channels", "mean has 4");

    graph = start_graph(arena, LAC_SHAPE(1, 3, 8, 8));
    int small = lac_graph_add_node(graph, LAC_OP_MAX_POOL, "pool", &graph->input, 1,
                                   &(lac_attr){.window = square_window(2, 2, 0)});
    graph->output = lac_graph_add_node(graph, LAC_OP_ADD, "sum", (int[]){graph->input, small}, 2, NULL);
    EXPECT_SHAPE_ERROR(graph, "add 'sum'", "1x3x8x8", "1x3x4x4");
    graph->nodes[1].op = LAC_OP_CONCAT;
    EXPECT_SHAPE_ERROR(graph, "concat 'sum'", "1x3x8x8", "1x3x4x4");

    graph = start_graph(arena, LAC_SHAPE(1, 3, 8, 8));
    int scale = lac_graph_add_constant(graph, "s", LAC_SHAPE(3, 1, 1, 1), NULL, true);
    int zero = lac_graph_add_constant(graph, "z", (lac_shape){0}, NULL, false);
    graph->output = lac_graph_add_node(graph, LAC_OP_QUANT, "q", (int[]){graph->input, scale, zero}, 3, NULL);
    EXPECT_SHAPE_ERROR(graph, "quant 'q'", "3x1x1x1", "must be a scalar");
    lac_arena_close(arena);
}

static void every_net_infers_and_shapes_follow(void **state) {
    (void)state;
    const int sizes[2][2] = {{1, 28}, {3, 32}};
    for (int i = 0; i < lac_n_nets(); i++)
        for (int s = 0; s < 2; s++) {
            lac_arena *arena = lac_arena_open();
            lac_graph *graph = lac_net_row(i)->build(arena, sizes[s][0], sizes[s][1], sizes[s][1], 10, 1);
            assert_non_null(graph);
            assert_int_equal(lac_graph_infer(graph, NULL), LAC_OK);
            assert_int_equal(lac_graph_check(graph, NULL), LAC_OK);
            assert_true(lac_shape_equal(graph->values[graph->output].shape, LAC_SHAPE(1, 10)));
            lac_arena_close(arena);
        }
}

static void a_net_that_does_not_fit_is_not_built(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    assert_null(net_named("lenet5")->build(arena, 1, 4, 4, 10, 1));
    lac_arena_close(arena);
}

// 12,501,632 is what the MLPerf Tiny reference model has in convolutions and its linear layer.
static void resnet8_has_the_published_macs(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = net_named("resnet8")->build(arena, 3, 32, 32, 10, 1);
    assert_int_equal(lac_graph_infer(graph, NULL), LAC_OK);
    assert_int_equal(lac_graph_conv_macs(graph), 12501632);
    lac_arena_close(arena);
}

// The main path of ResNet-56 for 32x32 images; shortcuts that pad with zeros cost nothing. The counter "thop"
// gives 126,554,816.
static void resnet56_has_the_count_of_thop(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_net net = lac_net_start(arena, "resnet56", 3, 32, 32, 1);
    int x = lac_net_conv_bn_relu(&net, "conv", net.graph->input, 16, 3, 1);
    for (int i = 0; i < 54; i++) {
        bool shrinks = i == 18 || i == 36;
        x = lac_net_conv_bn_relu(&net, "conv", x, 16 << i / 18, 3, shrinks ? 2 : 1);
    }
    x = lac_net_flatten(&net, "flatten", lac_net_global_avg_pool(&net, "gap", x));
    lac_graph *graph = lac_net_done(&net, lac_net_linear(&net, "fc", x, 10));
    assert_int_equal(lac_graph_infer(graph, NULL), LAC_OK);
    assert_int_equal(lac_graph_macs(graph), 126554816);
    lac_arena_close(arena);
}

// VGG-16 with batch norm: the published 314,294,272 also counts one for the bias of each convolution output,
// of which there are 276,480.
static void vgg16_has_the_count_of_thop_less_biases(void **state) {
    (void)state;
    static const int widths[] = {64, 64,  0,   128, 128, 0,   256, 256, 256,
                                 0,  512, 512, 512, 0,   512, 512, 512, 0};
    lac_arena *arena = lac_arena_open();
    lac_net net = lac_net_start(arena, "vgg16", 3, 32, 32, 1);
    int x = net.graph->input;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        x = widths[i] ? lac_net_conv_bn_relu(&net, "conv", x, widths[i], 3, 1)
                      : lac_net_max_pool(&net, "pool", x, 2, 2);
    x = lac_net_linear(&net, "fc1", lac_net_flatten(&net, "flatten", x), 512);
    x = lac_net_linear(&net, "fc2", lac_net_relu(&net, "relu", lac_net_batch_norm(&net, "bn", x)), 10);
    lac_graph *graph = lac_net_done(&net, x);
    assert_int_equal(lac_graph_infer(graph, NULL), LAC_OK);
    assert_int_equal(lac_graph_macs(graph) + 276480, 314294272);
    lac_arena_close(arena);
}

static void grouped_convolutions_count_their_groups_once(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 8, 6, 6));
    lac_window window = square_window(3, 1, 1);
    window.groups = 8;
    int in[2] = {graph->input, lac_graph_add_constant(graph, "w", LAC_SHAPE(8, 1, 3, 3), NULL, true)};
    graph->output = lac_graph_add_node(graph, LAC_OP_CONV2D, "dw", in, 2, &(lac_attr){.window = window});
    assert_int_equal(lac_graph_infer(graph, NULL), LAC_OK);
    assert_int_equal(lac_graph_macs(graph), 8 * 36 * 9);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv2d_rejects_channel_mismatch_and_says_so),
        cmocka_unit_test(windows_larger_than_the_image_are_rejected),
        cmocka_unit_test(linear_wants_a_flat_input_of_its_width),
        cmocka_unit_test(batch_norm_add_concat_and_scales_name_both_sizes),
        cmocka_unit_test(every_net_infers_and_shapes_follow),
        cmocka_unit_test(a_net_that_does_not_fit_is_not_built),
        cmocka_unit_test(resnet8_has_the_published_macs),
        cmocka_unit_test(resnet56_has_the_count_of_thop),
        cmocka_unit_test(vgg16_has_the_count_of_thop_less_biases),
        cmocka_unit_test(grouped_convolutions_count_their_groups_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
