#include "net.h"

#include "op.h"

#include <math.h>

lac_net lac_net_begin(lac_arena *arena, const char *name, lac_shape image, uint64_t seed) {
    lac_net net = {.graph = lac_graph_new(arena, name), .rng = lac_rng_make(seed, 0)};
    net.graph->input = lac_graph_add_value(net.graph, "image", image);
    return net;
}

lac_net lac_net_start(lac_arena *arena, const char *name, int c, int h, int w, uint64_t seed) {
    return lac_net_begin(arena, name, LAC_SHAPE(1, c, h, w), seed);
}

lac_graph *lac_net_done(lac_net *net, int logits) {
    net->graph->output = logits;
    return net->misfit ? NULL : net->graph;
}

static int add_node(lac_net *net, lac_op op, const char *name, const int *in, int n_in,
                    const lac_attr *attr) {
    lac_graph *graph = net->graph;
    int out = lac_graph_add_node(graph, op, name, in, n_in, attr);
    lac_shape shape = LAC_SHAPE(1, 1, 1, 1); // a misfit still needs some shape to go on
    if (!net->misfit)
        net->misfit = lac_op_row(op)->infer(graph, &graph->nodes[graph->n_nodes - 1], &shape, NULL) != LAC_OK;
    graph->values[out].shape = shape;
    return out;
}

static int add_part(lac_net *net, const char *name, const char *part, lac_shape shape, bool trainable) {
    lac_graph *graph = net->graph;
    return lac_graph_add_constant(graph, lac_arena_printf(graph->arena, "%s.%s", name, part), shape, NULL,
                                  trainable);
}

static int add_filled(lac_net *net, const char *name, const char *part, int64_t n, float fill,
                      bool trainable) {
    int index = add_part(net, name, part, LAC_SHAPE(n), trainable);
    for (int64_t i = 0; i < n; i++) net->graph->values[index].data[i] = fill;
    return index;
}

static int add_weights(lac_net *net, const char *name, lac_shape shape) {
    int index = add_part(net, name, "weight", shape, true);
    int64_t n = lac_shape_count(shape);
    float deviation = sqrtf(2.0f * (float)shape.dim[0] / (float)n);
    for (int64_t i = 0; i < n; i++) net->graph->values[index].data[i] = deviation * lac_rng_normal(&net->rng);
    return index;
}

static lac_shape shape_of(const lac_net *net, int x) {
    return net->graph->values[x].shape;
}

lac_window lac_net_square(int kernel, int stride, int pad, int groups) {
    return (lac_window){.kernel = {kernel, kernel},
                        .stride = {stride, stride},
                        .pad = {pad, pad, pad, pad},
                        .dilation = {1, 1},
                        .groups = groups};
}

int lac_net_conv_window(lac_net *net, const char *name, int x, int out_channels, lac_window window,
                        bool bias) {
    int64_t per_group = shape_of(net, x).dim[1] / window.groups;
    if (per_group < 1) per_group = 1; // a misfit, which add_node notices
    lac_shape shape = LAC_SHAPE(out_channels, per_group, window.kernel[0], window.kernel[1]);
    int in[3] = {x, add_weights(net, name, shape)};
    if (bias) in[2] = add_filled(net, name, "bias", out_channels, 0.0f, true);
    return add_node(net, LAC_OP_CONV2D, name, in, bias ? 3 : 2, &(lac_attr){.window = window});
}

int lac_net_conv(lac_net *net, const char *name, int x, int out_channels, int kernel, int stride, int pad,
                 bool bias) {
    return lac_net_conv_window(net, name, x, out_channels, lac_net_square(kernel, stride, pad, 1), bias);
}

int lac_net_batch_norm(lac_net *net, const char *name, int x) {
    lac_attr attr = {.epsilon = 1e-5f, .momentum = 0.9f};
    int64_t n = shape_of(net, x).dim[1];
    int in[5] = {x, add_filled(net, name, "gamma", n, 1.0f, true),
                 add_filled(net, name, "beta", n, 0.0f, true), add_filled(net, name, "mean", n, 0.0f, false),
                 add_filled(net, name, "variance", n, 1.0f, false)};
    return add_node(net, LAC_OP_BATCH_NORM, name, in, 5, &attr);
}

int lac_net_relu(lac_net *net, const char *name, int x) {
    return add_node(net, LAC_OP_RELU, name, &x, 1, NULL);
}

int lac_net_bn_relu(lac_net *net, const char *name, int x) {
    lac_arena *arena = net->graph->arena;
    x = lac_net_batch_norm(net, lac_arena_printf(arena, "%s.bn", name), x);
    return lac_net_relu(net, lac_arena_printf(arena, "%s.relu", name), x);
}

int lac_net_conv_bn_relu(lac_net *net, const char *name, int x, int out_channels, int kernel, int stride) {
    x = lac_net_conv(net, name, x, out_channels, kernel, stride, kernel / 2, false);
    return lac_net_bn_relu(net, name, x);
}

int lac_net_pool(lac_net *net, lac_op op, const char *name, int x, lac_window window) {
    return add_node(net, op, name, &x, 1, &(lac_attr){.window = window});
}

int lac_net_max_pool(lac_net *net, const char *name, int x, int kernel, int stride) {
    return lac_net_pool(net, LAC_OP_MAX_POOL, name, x, lac_net_square(kernel, stride, 0, 1));
}

int lac_net_global_avg_pool(lac_net *net, const char *name, int x) {
    return add_node(net, LAC_OP_GLOBAL_AVG_POOL, name, &x, 1, NULL);
}

int lac_net_mean_pool(lac_net *net, const char *name, int x) {
    lac_shape shape = shape_of(net, x);
    lac_window window = lac_net_square(1, 1, 0, 1);
    for (int a = 0; a < 2; a++) window.kernel[a] = window.stride[a] = (int)shape.dim[2 + a];
    return lac_net_pool(net, LAC_OP_AVG_POOL, name, x, window);
}

int lac_net_flatten(lac_net *net, const char *name, int x) {
    return add_node(net, LAC_OP_FLATTEN, name, &x, 1, NULL);
}

int lac_net_linear(lac_net *net, const char *name, int x, int out_features) {
    int in[3] = {x, add_weights(net, name, LAC_SHAPE(out_features, shape_of(net, x).dim[1]))};
    in[2] = add_filled(net, name, "bias", out_features, 0.0f, true);
    return add_node(net, LAC_OP_LINEAR, name, in, 3, NULL);
}

int lac_net_add(lac_net *net, const char *name, int a, int b) {
    return add_node(net, LAC_OP_ADD, name, (int[]){a, b}, 2, NULL);
}

int lac_net_mul(lac_net *net, const char *name, int a, int b) {
    return add_node(net, LAC_OP_MUL, name, (int[]){a, b}, 2, NULL);
}

int lac_net_unary(lac_net *net, lac_op op, const char *name, int x) {
    return add_node(net, op, name, &x, 1, NULL);
}

int lac_net_slice(lac_net *net, const char *name, int x, int begin, int end) {
    return add_node(net, LAC_OP_SLICE, name, &x, 1, &(lac_attr){.move = {.begin = begin, .end = end}});
}

int lac_net_shuffle(lac_net *net, const char *name, int x, int groups) {
    return add_node(net, LAC_OP_CHANNEL_SHUFFLE, name, &x, 1, &(lac_attr){.move = {.groups = groups}});
}

int lac_net_conv_again(lac_net *net, const char *name, int x, int like) {
    const lac_node *first = &net->graph->nodes[lac_graph_producer(net->graph, like)];
    int in[3] = {x, first->in[1], first->n_in > 2 ? first->in[2] : 0}, n_in = first->n_in;
    lac_attr attr = first->attr; // adding a node may move the first
    return add_node(net, LAC_OP_CONV2D, name, in, n_in, &attr);
}

int lac_net_concat(lac_net *net, const char *name, const int *in, int n_in) {
    return add_node(net, LAC_OP_CONCAT, name, in, n_in, NULL);
}

int lac_net_classify(lac_net *net, int x, int n_classes) {
    x = lac_net_flatten(net, "flatten", lac_net_global_avg_pool(net, "gap", x));
    return lac_net_linear(net, "fc", x, n_classes);
}

int64_t lac_net_channels(const lac_net *net, int x) {
    return shape_of(net, x).dim[1];
}
