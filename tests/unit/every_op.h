#ifndef LAC_TEST_EVERY_OP_H
#define LAC_TEST_EVERY_OP_H

#include "graph.h"
#include "rng.h"

/// A graph with every op of ops.def, for tests of whoever must handle all of them.

static inline int every_op_constant(lac_graph *graph, const char *name, lac_shape shape, float low,
                                    float high, bool trainable, lac_rng *rng) {
    int value = lac_graph_add_constant(graph, name, shape, NULL, trainable);
    for (int64_t i = 0; i < lac_shape_count(shape); i++)
        graph->values[value].data[i] = low + (high - low) * lac_rng_uniform(rng);
    return value;
}

static inline int every_op_scalar(lac_graph *graph, const char *name, float x, bool trainable) {
    return lac_graph_add_constant(graph, name, (lac_shape){0}, &x, trainable);
}

#define EVERY_OP_NODE(op, name, attr, ...)                                                                   \
    lac_graph_add_node(graph, (op), (name), (int[]){__VA_ARGS__},                                            \
                       (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), (attr))

/// From 18x4x6 to 4x1x1 by way of the ops that rearrange, scale and bend.
static inline int every_op_moved(lac_graph *graph, int x, lac_rng *rng) {
    lac_attr slice = {.move = {.begin = 2, .end = 14}}, shuffle = {.move = {.groups = 3}};
    lac_attr rim = {.move = {.pad = {0, 1, 1, 0}}}, space = {.move = {.block = 2, .by_column = true}};
    lac_attr up = {.move = {.factor = {1, 2}}}, line = {.alpha = 0.25f, .beta = 0.5f};
    x = EVERY_OP_NODE(LAC_OP_SILU, "silu", NULL, x);
    x = EVERY_OP_NODE(LAC_OP_SLICE, "slice", &slice, x);
    x = EVERY_OP_NODE(LAC_OP_CHANNEL_SHUFFLE, "shuffle", &shuffle, x);
    x = EVERY_OP_NODE(LAC_OP_PAD, "rim", &rim, x);
    x = EVERY_OP_NODE(LAC_OP_DEPTH_TO_SPACE, "space", &space, x); // 3x10x14
    x = EVERY_OP_NODE(LAC_OP_HARD_SWISH, "hard_swish", NULL, x);
    x = EVERY_OP_NODE(LAC_OP_UPSAMPLE, "up", &up, x); // 3x10x28
    int w = every_op_constant(graph, "deconv_w", LAC_SHAPE(3, 4, 3, 2), -1, 1, true, rng);
    lac_attr deconv = {.window = {{3, 2}, {2, 1}, {1, 0, 0, 1}, {1, 2}, 1}, .out_pad = {1, 0}};
    x = EVERY_OP_NODE(LAC_OP_CONV_TRANSPOSE, "deconv", &deconv, x, w); // 4x21x29
    int mean = EVERY_OP_NODE(LAC_OP_CHANNEL_MEAN, "channel_mean", NULL, x);
    mean = EVERY_OP_NODE(LAC_OP_SIGMOID, "gate", NULL, mean);
    x = EVERY_OP_NODE(LAC_OP_MUL, "gated", NULL, x, mean);
    int most = EVERY_OP_NODE(LAC_OP_CHANNEL_MAX, "channel_max", NULL, x);
    most = EVERY_OP_NODE(LAC_OP_HARD_SIGMOID, "hard_gate", &line, most);
    x = EVERY_OP_NODE(LAC_OP_MUL, "gated_again", NULL, x, most);
    x = EVERY_OP_NODE(LAC_OP_GELU, "gelu", NULL, x);
    x = EVERY_OP_NODE(LAC_OP_TANH, "tanh", NULL, x);
    return EVERY_OP_NODE(LAC_OP_GLOBAL_MAX_POOL, "most", NULL, x);
}

/// 1x2x9x8 in, 5 logits out. `quantized` adds the quantizers, without which it is plain ONNX.
static inline lac_graph *every_op_graph(lac_arena *arena, bool quantized) {
    lac_graph *graph = lac_graph_new(arena, "every op");
    lac_rng rng = lac_rng_make(7, 0);
    graph->input = lac_graph_add_value(graph, "image", LAC_SHAPE(1, 2, 9, 8));
    int x = graph->input, zero = LAC_NO_VALUE;
    if (quantized) {
        zero = every_op_scalar(graph, "zero", 0, false);
        int s = every_op_scalar(graph, "in_scale", 1.0f / 90, true);
        int z = every_op_scalar(graph, "in_zero", 73, false);
        lac_attr q = {.quant = {.bits = 8}};
        x = EVERY_OP_NODE(LAC_OP_QUANT, "in_quant", &q, x, s, z);
    }
    int w = every_op_constant(graph, "conv_w", LAC_SHAPE(6, 1, 3, 2), -1, 1, true, &rng);
    int b = every_op_constant(graph, "conv_b", LAC_SHAPE(6), -1, 1, true, &rng);
    if (quantized) {
        int s = every_op_constant(graph, "conv_w_scale", LAC_SHAPE(6, 1, 1, 1), 0.05f, 0.2f, true, &rng);
        lac_attr q = {.quant = {.bits = 4, .is_signed = true, .narrow = true}};
        w = EVERY_OP_NODE(LAC_OP_QUANT, "conv_w_quant", &q, w, s, zero);
    }
    lac_attr conv = {.window = {{3, 2}, {2, 1}, {1, 0, 2, 1}, {1, 2}, 2}};
    x = EVERY_OP_NODE(LAC_OP_CONV2D, "conv", &conv, x, w, b); // 6x5x7
    int gamma = every_op_constant(graph, "gamma", LAC_SHAPE(6), 0.5f, 2, true, &rng);
    int beta = every_op_constant(graph, "beta", LAC_SHAPE(6), -1, 1, true, &rng);
    int mean = every_op_constant(graph, "mean", LAC_SHAPE(6), -1, 1, false, &rng);
    int variance = every_op_constant(graph, "variance", LAC_SHAPE(6), 0.5f, 2, false, &rng);
    lac_attr norm = {.epsilon = 1e-3f, .momentum = 0.75f};
    x = EVERY_OP_NODE(LAC_OP_BATCH_NORM, "norm", &norm, x, gamma, beta, mean, variance);
    x = EVERY_OP_NODE(LAC_OP_RELU, "relu", NULL, x);
    if (quantized) {
        int s = every_op_scalar(graph, "relu_scale", 0.1f, true);
        lac_attr q = {.quant = {.bits = 4}};
        x = EVERY_OP_NODE(LAC_OP_QUANT, "relu_quant", &q, x, s, zero);
    }
    lac_attr max = {.window = {{2, 2}, {1, 1}, {1, 0, 0, 0}, {2, 1}, 1}};
    lac_attr avg = {.window = {{2, 3}, {1, 1}, {0, 1, 0, 0}, {1, 1}, 1}, .count_include_pad = true};
    int m = EVERY_OP_NODE(LAC_OP_MAX_POOL, "max", &max, x); // 6x4x6
    int a = EVERY_OP_NODE(LAC_OP_AVG_POOL, "avg", &avg, x); // 6x4x6
    int sum = EVERY_OP_NODE(LAC_OP_ADD, "sum", NULL, m, a);
    x = EVERY_OP_NODE(LAC_OP_CONCAT, "join", NULL, sum, m, a); // 18x4x6
    int global = EVERY_OP_NODE(LAC_OP_GLOBAL_AVG_POOL, "global", NULL, x);
    global = EVERY_OP_NODE(LAC_OP_CONCAT, "ends", NULL, global, every_op_moved(graph, x, &rng)); // 22x1x1
    x = EVERY_OP_NODE(LAC_OP_FLATTEN, "flat", NULL, global);
    int fw = every_op_constant(graph, "fc_w", LAC_SHAPE(5, 22), -1, 1, true, &rng);
    int fb = every_op_constant(graph, "fc_b", LAC_SHAPE(5), -1, 1, true, &rng);
    if (quantized) {
        int s = every_op_constant(graph, "fc_w_scale", LAC_SHAPE(5, 1), 0.05f, 0.2f, true, &rng);
        fw = EVERY_OP_NODE(LAC_OP_BIPOLAR_QUANT, "fc_w_quant", NULL, fw, s);
    }
    graph->output = EVERY_OP_NODE(LAC_OP_LINEAR, "fc", NULL, x, fw, fb);
    lac_graph_set_meta(graph, "lacuna.seed", "7");
    lac_graph_set_meta(graph, "lacuna.note", "one\ntwo");
    return graph;
}

#endif
