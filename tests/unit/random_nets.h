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
    if (kind == 2) w = (lac_window){{3, 1}, {1, 1}, {0, 0, 1, 0}, {1, 1}, 1};
    if (kind == 3 && net->h >= 6 && net->w >= 6) w = kit_window(3, 2, 1);
    if (kind == 4 && net->h >= 6 && net->w >= 6) w = (lac_window){{3, 3}, {1, 1}, {2, 1, 1, 2}, {2, 2}, 1};
    return w;
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

static inline int net_block(random_net *net, int x) {
    int a, b;
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

static inline lac_graph *make_random_net(lac_arena *arena, uint64_t seed, const lac_dataset *data) {
    random_net net = {.g = lac_graph_new(arena, "random"), .rng = lac_rng_make(seed, 0)};
    net.c = data->c, net.h = data->h, net.w = data->w;
    net.g->input = lac_graph_add_value(net.g, "image", LAC_SHAPE(1, data->c, data->h, data->w));
    int x = net_conv(&net, net.g->input, 4, true, net_below(&net, 2));
    for (int i = 2 + net_below(&net, 3); i > 0; i--) x = net_block(&net, x);
    net.g->output = net_head(&net, x, data->n_classes);
    ASSERT_OK(lac_graph_check(net.g, err));
    ASSERT_OK(lac_graph_infer(net.g, err));
    return net.g;
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
