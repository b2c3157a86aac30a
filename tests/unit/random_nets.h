#ifndef LAC_RANDOM_NETS_H
#define LAC_RANDOM_NETS_H

#include "dataset.h"
#include "quant_kit.h"
#include "train.h"

#include <math.h>

/// Random small networks with everything that lowering has to deal with, and a data set of noise for them.

typedef struct random_net {
    lac_graph *g;
    lac_rng rng;
    int c, h, w; ///< of the value in hand
    bool moves;  ///< with ops that rearrange, and transposed convolutions
    bool gates;  ///< with activations that become tables, and channels weighed by factors
} random_net;

static inline int net_below(random_net *net, int n) {
    return (int)lac_rng_below(&net->rng, (uint32_t)n);
}

// Batch norm with gammas of both signs and now and then a channel that is switched off.
static inline int net_norm(random_net *net, int x) {
    lac_graph *g = net->g;
    float gamma[64], beta[64], mean[64], variance[64];
    for (int c = 0; c < net->c; c++) {
        gamma[c] = net_below(net, 12) == 0 ? 0 : 0.7f + 0.3f * lac_rng_normal(&net->rng);
        if (net_below(net, 3) == 0) gamma[c] = -gamma[c];
        beta[c] = 0.4f * lac_rng_normal(&net->rng);
        mean[c] = 0.3f * lac_rng_normal(&net->rng);
        variance[c] = 0.2f + lac_rng_uniform(&net->rng);
    }
    return kit_norm(g, "norm", x, net->c, gamma, beta, mean, variance);
}

static inline lac_window net_random_window(random_net *net, bool keep_size) {
    lac_window w = kit_window(3, 1, 1);
    int kind = net_below(net, keep_size ? 2 : 5);
    if (kind == 1) w = kit_window(1, 1, 0);
    if (kind == 2 && net->h >= 3) w = (lac_window){{3, 1}, {1, 1}, {0, 0, 1, 0}, {1, 1}, 1};
    if (kind == 3 && net->h >= 6 && net->w >= 6) w = kit_window(3, 2, 1);
    if (kind == 4 && net->h >= 6 && net->w >= 6) w = (lac_window){{3, 3}, {1, 1}, {2, 1, 1, 2}, {2, 2}, 1};
    return w;
}

// One row or one column, long, dilated, strided or unevenly padded.
static inline lac_window net_odd_window(random_net *net) {
    static const lac_window kinds[] = {
        {{1, 3}, {1, 1}, {0, 1, 0, 1}, {1, 1}, 1}, {{1, 5}, {1, 2}, {0, 2, 0, 2}, {1, 1}, 1},
        {{5, 1}, {1, 1}, {2, 0, 2, 0}, {1, 1}, 1}, {{3, 3}, {1, 1}, {1, 3, 1, 3}, {1, 3}, 1},
        {{2, 2}, {1, 1}, {1, 0, 0, 1}, {1, 1}, 1}, {{4, 2}, {1, 1}, {0, 1, 3, 0}, {1, 1}, 1},
        {{3, 1}, {2, 1}, {1, 0, 1, 0}, {1, 1}, 1}, {{1, 1}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1},
    };
    return kinds[net_below(net, 8)];
}

static inline void net_set_size(random_net *net, const lac_window *w) {
    net->h = (int)lac_window_out(w, 0, net->h);
    net->w = (int)lac_window_out(w, 1, net->w);
}

static inline int net_conv(random_net *net, int x, int n_out, bool keep_size, bool relu) {
    lac_window window = net_random_window(net, keep_size);
    if (net->c % 2 == 0 && n_out % 2 == 0 && net_below(net, 4) == 0) window.groups = 2;
    lac_shape shape = LAC_SHAPE(n_out, net->c / window.groups, window.kernel[0], window.kernel[1]);
    float spread = 1.4f / sqrtf((float)(shape.dim[1] * shape.dim[2] * shape.dim[3]));
    int w = kit_random(net->g, &net->rng, "w", shape, spread, 0);
    if (net_below(net, 3) == 0) // pruned: a third of the weights, and a whole channel
        for (int64_t i = 0; i < lac_shape_count(shape); i++)
            if (net_below(net, 3) == 0 || i < shape.dim[1]) net->g->values[w].data[i] = 0;
    int b = net_below(net, 2) ? kit_random(net->g, &net->rng, "b", LAC_SHAPE(n_out), 0.2f, 0) : -1;
    x = kit_conv(net->g, "conv", x, w, b, window);
    net->c = n_out;
    net_set_size(net, &window);
    if (net_below(net, 4) != 0) x = net_norm(net, x);
    return relu ? kit_op(net->g, LAC_OP_RELU, "relu", x) : x;
}

static inline int net_pool(random_net *net, lac_op op, int x) {
    if (net->h < 3 || net->w < 3) return x;
    lac_window window = kit_window(2 + net_below(net, 2), 1 + net_below(net, 2), net_below(net, 2));
    x = kit_pool(net->g, op, lac_op_name(op), x, window);
    net_set_size(net, &window);
    return x;
}

static inline int net_pool_by(random_net *net, lac_op op, int x, lac_window window) {
    x = kit_pool(net->g, op, lac_op_name(op), x, window);
    net_set_size(net, &window);
    return x;
}

static inline int net_move(random_net *net, lac_op op, const char *name, int x, lac_rearrange_attr move) {
    const lac_attr attr = {.move = move};
    return lac_graph_add_node(net->g, op, name, &x, 1, &attr);
}

static inline int net_slice(random_net *net, int x, int begin, int end) {
    return net_move(net, LAC_OP_SLICE, "slice", x, (lac_rearrange_attr){.begin = begin, .end = end});
}

// A convolution after more pixels than memory places: now and then one that keeps them, then one that takes
// them back together.
static inline int net_gather(random_net *net, int x, int fold_y, int fold_x) {
    for (int last = net_below(net, 2); last < 2; last++) {
        lac_window window = kit_window(3, 1, 1);
        if (last == 1) window.stride[0] = fold_y, window.stride[1] = fold_x;
        if (net_below(net, 3) == 0) window.kernel[0] = 1, window.pad[0] = window.pad[2] = 0;
        if (net->c % 2 == 0 && net_below(net, 3) == 0) window.groups = net->c; // depthwise
        int n_out = window.groups > 1 ? net->c : 4;
        lac_shape shape = LAC_SHAPE(n_out, net->c / window.groups, window.kernel[0], 3);
        int w = kit_random(net->g, &net->rng, "w", shape, 0.4f, 0);
        x = kit_conv(net->g, "gather", x, w, -1, window);
        net->c = n_out;
        net_set_size(net, &window);
        x = kit_op(net->g, LAC_OP_RELU, "relu", net_norm(net, x));
    }
    return x;
}

// Any window, over all channels, in groups, or channel by channel with one or two outputs each.
static inline int net_odd_conv(random_net *net, int x) {
    lac_window window = net_odd_window(net);
    if (lac_window_out(&window, 0, net->h) < 2 || lac_window_out(&window, 1, net->w) < 2) return x;
    int n_out = 4;
    if (net_below(net, 2)) {
        window.groups = net->c;
        n_out = net->c * (1 + net_below(net, 2));
    } else if (net->c % 2 == 0) {
        window.groups = 2;
    }
    lac_shape shape = LAC_SHAPE(n_out, net->c / window.groups, window.kernel[0], window.kernel[1]);
    int w = kit_random(net->g, &net->rng, "w", shape, 0.4f, 0);
    x = kit_conv(net->g, "odd", x, w, -1, window);
    net->c = n_out;
    net_set_size(net, &window);
    x = net_norm(net, x);
    return net_below(net, 3) ? kit_op(net->g, LAC_OP_RELU, "relu", x) : x;
}

// The unit of ShuffleNet V2: half of the channels pass by.
static inline int net_shuffle_unit(random_net *net, int x) {
    int half = net->c / 2, all = net->c;
    int a = net_slice(net, x, 0, half), b = net_slice(net, x, half, all);
    net->c = all - half;
    b = net_conv(net, b, all - half, true, true);
    x = lac_graph_add_node(net->g, LAC_OP_CONCAT, "halves", (int[]){a, b}, 2, NULL);
    net->c = all;
    int groups = all % 2 == 0 ? 2 : 1;
    return net_move(net, LAC_OP_CHANNEL_SHUFFLE, "shuffle", x, (lac_rearrange_attr){.groups = groups});
}

static inline int net_upsample(random_net *net, int x) {
    int y = 1 + net_below(net, 2), f = y == 1 ? 2 : 1 + net_below(net, 3);
    x = net_move(net, LAC_OP_UPSAMPLE, "up", x, (lac_rearrange_attr){.factor = {y, f}});
    net->h *= y, net->w *= f;
    return net_gather(net, x, y, f);
}

static inline int net_depth_to_space(random_net *net, int x) {
    x = net_conv(net, x, 8, true, true);
    x = net_move(net, LAC_OP_DEPTH_TO_SPACE, "space", x,
                 (lac_rearrange_attr){.block = 2, .by_column = net_below(net, 2)});
    net->c = 2, net->h *= 2, net->w *= 2;
    return net_gather(net, x, 2, 2);
}

static inline int net_deconv(random_net *net, int x) {
    static const struct {
        int kernel, stride, pad, out_pad;
    } kinds[] = {{2, 2, 0, 0}, {3, 2, 1, 1}, {4, 2, 1, 0}, {3, 1, 1, 0}, {3, 3, 0, 0}};
    int k = net_below(net, 5);
    lac_attr attr = {.window = kit_window(kinds[k].kernel, kinds[k].stride, kinds[k].pad),
                     .out_pad = {kinds[k].out_pad, kinds[k].out_pad}};
    attr.window.groups = net->c % 2 == 0 && net_below(net, 2) ? 2 : 1;
    lac_shape shape = LAC_SHAPE(net->c, 4 / attr.window.groups, kinds[k].kernel, kinds[k].kernel);
    int in[3] = {x, kit_random(net->g, &net->rng, "w", shape, 0.4f, 0),
                 kit_random(net->g, &net->rng, "b", LAC_SHAPE(4), 0.2f, 0)};
    x = lac_graph_add_node(net->g, LAC_OP_CONV_TRANSPOSE, "deconv", in, 3, &attr);
    net->c = 4, net->h *= kinds[k].stride, net->w *= kinds[k].stride;
    if (net_below(net, 2)) x = kit_op(net->g, LAC_OP_RELU, "relu", x);
    return net_gather(net, x, kinds[k].stride, kinds[k].stride);
}

// A rim, of zeros or of the other side, that a convolution, an average or a maximum sees.
static inline int net_rim(random_net *net, int x) {
    lac_rearrange_attr move = {.pad = {net_below(net, 2), 1, net_below(net, 2), 0},
                               .circular = net_below(net, 2)};
    x = net_move(net, LAC_OP_PAD, "rim", x, move);
    net->h += move.pad[0] + move.pad[2], net->w += move.pad[1];
    int kind = net_below(net, 3);
    return kind == 0 ? net_conv(net, x, 4, false, true)
                     : net_pool(net, kind == 1 ? LAC_OP_AVG_POOL : LAC_OP_MAX_POOL, x);
}

// Twice as large, added or joined there, and averaged.
static inline int net_large_sum(random_net *net, int x) {
    x = net_conv(net, x, 4, true, true);
    int y = net_conv(net, x, 4, true, net_below(net, 2)), up[2];
    up[0] = net_move(net, LAC_OP_UPSAMPLE, "up", x, (lac_rearrange_attr){.factor = {2, 2}});
    up[1] = net_move(net, LAC_OP_UPSAMPLE, "up", y, (lac_rearrange_attr){.factor = {2, 2}});
    bool joins = net_below(net, 2);
    x = lac_graph_add_node(net->g, joins ? LAC_OP_CONCAT : LAC_OP_ADD, "large", up, 2, NULL);
    net->c *= joins ? 2 : 1, net->h *= 2, net->w *= 2;
    return net_below(net, 2) ? net_gather(net, x, 2, 2)
                             : net_pool_by(net, LAC_OP_AVG_POOL, x, kit_window(2, 2, 0));
}

// Batch norm first: on what is in hand, which is also added or joined to what follows, or read by nothing
// else.
static inline int net_preactivated(random_net *net, int x) {
    int shortcut = x, n = net->c, kind = net_below(net, 4);
    x = net_norm(net, x);
    if (net_below(net, 4)) x = kit_op(net->g, LAC_OP_RELU, "relu", x);
    if (kind == 3) return net_pool(net, LAC_OP_MAX_POOL, x);
    int n_out = kind == 0 ? 3 : n;
    x = net_conv(net, x, n_out, true, false);
    if (kind == 1) return x;
    net->c = kind == 0 ? n + 3 : n;
    return lac_graph_add_node(net->g, kind == 0 ? LAC_OP_CONCAT : LAC_OP_ADD, "skip", (int[]){x, shortcut}, 2,
                              NULL);
}

static inline int net_activation(random_net *net, int x) {
    static const lac_op ops[] = {LAC_OP_SIGMOID,    LAC_OP_TANH, LAC_OP_HARD_SIGMOID,
                                 LAC_OP_HARD_SWISH, LAC_OP_SILU, LAC_OP_GELU};
    const lac_attr attr = {.alpha = 0.2f, .beta = 0.5f};
    return lac_graph_add_node(net->g, ops[net_below(net, 6)], "activation", &x, 1, &attr);
}

// A 1x1 convolution with biases, whatever is in hand.
static inline int net_weigh(random_net *net, int x, int n_in, int n_out) {
    int w = kit_random(net->g, &net->rng, "w", LAC_SHAPE(n_out, n_in, 1, 1), 1.4f / sqrtf((float)n_in), 0);
    int b = kit_random(net->g, &net->rng, "b", LAC_SHAPE(n_out), 0.5f, 0);
    return kit_conv(net->g, "weigh", x, w, b, kit_window(1, 1, 0));
}

// Attention of CBAM: channels weighed by mean and maximum of the map, or pixels by mean and maximum of their
// channels.
static inline int net_attention(random_net *net, int x) {
    x = net_conv(net, x, net->c, true, net_below(net, 2));
    if (net_below(net, 2)) {
        int most = kit_op(net->g, LAC_OP_GLOBAL_MAX_POOL, "most", x);
        int mean = kit_op(net->g, LAC_OP_GLOBAL_AVG_POOL, "mean", x);
        most = net_weigh(net, most, net->c, net->c);
        mean = net_weigh(net, mean, net->c, net->c);
        int y = lac_graph_add_node(net->g, LAC_OP_ADD, "both", (int[]){most, mean}, 2, NULL);
        y = kit_op(net->g, LAC_OP_SIGMOID, "sigmoid", y);
        return lac_graph_add_node(net->g, LAC_OP_MUL, "weighed", (int[]){x, y}, 2, NULL);
    }
    const int both[2] = {kit_op(net->g, LAC_OP_CHANNEL_MAX, "most", x),
                         kit_op(net->g, LAC_OP_CHANNEL_MEAN, "mean", x)};
    int y = lac_graph_add_node(net->g, LAC_OP_CONCAT, "both", both, 2, NULL),
        size = net_below(net, 2) ? 3 : 7;
    int w = kit_random(net->g, &net->rng, "w", LAC_SHAPE(1, 2, size, size), 1.0f / (float)size, 0);
    y = kit_conv(net->g, "look", y, w, -1, kit_window(size, 1, size / 2));
    y = kit_op(net->g, LAC_OP_SIGMOID, "sigmoid", y);
    return lac_graph_add_node(net->g, LAC_OP_MUL, "weighed", (int[]){x, y}, 2, NULL);
}

// Squeeze and excite, now and then with another activation, or as the last thing before a sum.
static inline int net_gate(random_net *net, int x) {
    int shortcut = x, n = net->c;
    x = net_conv(net, x, n, true, net_below(net, 2));
    int y = kit_op(net->g, LAC_OP_GLOBAL_AVG_POOL, "squeeze", x);
    y = kit_op(net->g, LAC_OP_RELU, "relu", net_weigh(net, y, n, 2));
    y = net_weigh(net, y, 2, n);
    y = net_below(net, 3) ? kit_op(net->g, LAC_OP_SIGMOID, "sigmoid", y) : net_activation(net, y);
    x = lac_graph_add_node(net->g, LAC_OP_MUL, "excite", (int[]){x, y}, 2, NULL);
    if (net_below(net, 2)) return net_below(net, 2) ? kit_op(net->g, LAC_OP_RELU, "relu", x) : x;
    return lac_graph_add_node(net->g, LAC_OP_ADD, "sum", (int[]){x, shortcut}, 2, NULL);
}

static inline int net_block(random_net *net, int x) {
    int a, b;
    if (net->gates && net_below(net, 3) == 0) return net_attention(net, x);
    if (net->gates && net_below(net, 2)) return net_gate(net, x);
    if (net->gates && net_below(net, 2)) {
        x = net_activation(net, net_conv(net, x, 4, false, false));
        return net_below(net, 2) ? net_pool(net, LAC_OP_MAX_POOL, x) : x;
    }
    if (net->moves && net->c >= 2) {
        switch (net_below(net, 12)) {
        case 0:
            return net_shuffle_unit(net, x);
        case 1:
            return net_upsample(net, x);
        case 2:
            return net_depth_to_space(net, x);
        case 3:
            return net_deconv(net, x);
        case 4:
            return net_rim(net, x);
        case 5:
            return net_large_sum(net, x);
        case 6:
        case 7:
            return net_odd_conv(net, x);
        case 8:
        case 9:
            return net_preactivated(net, x);
        default:
            break;
        }
    }
    switch (net_below(net, 6)) {
    case 0: // residual, with or without a convolution on the shortcut
        a = net_conv(net, x, net->c, true, false);
        b = net_below(net, 2) ? x : net_conv(net, x, net->c, true, net_below(net, 2));
        a = lac_graph_add_node(net->g, LAC_OP_ADD, "sum", (int[]){a, b}, 2, NULL);
        return net_below(net, 2) ? kit_op(net->g, LAC_OP_RELU, "relu", a) : a;
    case 1: { // branches that are joined
        random_net other = *net;
        a = net_conv(net, x, 4, true, true);
        other.rng = lac_rng_make(lac_rng_u64(&net->rng), 1);
        b = net_conv(&other, x, 3, true, net_below(net, 2));
        net->c += other.c;
        return lac_graph_add_node(net->g, LAC_OP_CONCAT, "join", (int[]){a, b}, 2, NULL);
    }
    case 2:
        return net_pool(net, LAC_OP_AVG_POOL, x);
    case 3: // the pool before the ReLU
        x = net_conv(net, x, 6, false, false);
        return kit_op(net->g, LAC_OP_RELU, "relu", net_pool(net, LAC_OP_MAX_POOL, x));
    default:
        x = net_conv(net, x, 2 + 2 * net_below(net, 4), false, net_below(net, 3) != 0);
        return net_below(net, 2) ? net_pool(net, LAC_OP_MAX_POOL, x) : x;
    }
}

static inline int net_head(random_net *net, int x, int n_classes) {
    if (net_below(net, 2)) {
        x = kit_op(net->g, LAC_OP_GLOBAL_AVG_POOL, "gap", x);
        net->h = net->w = 1;
    }
    x = kit_op(net->g, LAC_OP_FLATTEN, "flat", x);
    int n = net->c * net->h * net->w;
    int w = kit_random(net->g, &net->rng, "fc_w", LAC_SHAPE(n_classes, n), 1 / sqrtf((float)n), 0);
    int b = kit_random(net->g, &net->rng, "fc_b", LAC_SHAPE(n_classes), 0.3f, 0);
    return lac_graph_add_node(net->g, LAC_OP_LINEAR, "fc", (int[]){x, w, b}, 3, NULL);
}

/// What a random network is made of, beside convolutions, pools, sums and joins.
typedef enum net_family { NET_PLAIN, NET_MOVES, NET_GATES } net_family;

static inline lac_graph *make_random_net_with(lac_arena *arena, uint64_t seed, const lac_dataset *data,
                                              net_family family) {
    random_net net = {.g = lac_graph_new(arena, "random"), .rng = lac_rng_make(seed, 0)};
    net.moves = family == NET_MOVES;
    net.gates = family == NET_GATES;
    net.c = data->c, net.h = data->h, net.w = data->w;
    net.g->input = lac_graph_add_value(net.g, "image", LAC_SHAPE(1, data->c, data->h, data->w));
    int x = net_conv(&net, net.g->input, 4, true, net_below(&net, 2));
    for (int i = 2 + net_below(&net, 3); i > 0; i--) x = net_block(&net, x);
    net.g->output = net_head(&net, x, data->n_classes);
    ASSERT_OK(lac_graph_check(net.g, err));
    ASSERT_OK(lac_graph_infer(net.g, err));
    return net.g;
}

static inline lac_graph *make_random_net(lac_arena *arena, uint64_t seed, const lac_dataset *data) {
    return make_random_net_with(arena, seed, data, NET_PLAIN);
}

/// Images whose brightness and left-right balance depend on the class, so that a net can learn something.
static inline lac_dataset make_noise_data(lac_arena *arena, int c, int h, int w, int n_classes, uint32_t n,
                                          uint64_t seed) {
    size_t pixels = (size_t)(c * h * w);
    uint8_t *x = LAC_NEW_ARRAY(arena, uint8_t, n * pixels), *y = LAC_NEW_ARRAY(arena, uint8_t, n);
    lac_rng rng = lac_rng_make(seed, 7);
    for (uint32_t i = 0; i < n; i++) {
        y[i] = (uint8_t)lac_rng_below(&rng, (uint32_t)n_classes);
        for (size_t p = 0; p < pixels; p++) {
            bool bright = (p % (size_t)w) * (size_t)n_classes / (size_t)w == y[i];
            x[i * pixels + p] = (uint8_t)(lac_rng_below(&rng, 120) + (bright ? 110 : 20));
        }
    }
    lac_dataset data = {.name = "noise", .c = c, .h = h, .w = w, .n_classes = n_classes};
    for (int i = 0; i < 4; i++) data.mean[i] = (float)(100 + 3 * i), data.std[i] = 60;
    data.validation = (lac_split){x, y, n / 4};
    data.test = data.validation;
    data.train = (lac_split){x + n / 4 * pixels, y + n / 4, n - n / 4};
    return data;
}

#endif
