#include "attention.h"

static int inner_width(const lac_net *net, int x) {
    int width = (int)(lac_net_channels(net, x) / 16);
    return width > 0 ? width : 1;
}

static const char *part(const lac_net *net, const char *name, const char *what) {
    return lac_arena_printf(net->graph->arena, "%s.%s", name, what);
}

int lac_attention_se(lac_net *net, const char *name, int x) {
    int width = (int)lac_net_channels(net, x);
    int y = lac_net_global_avg_pool(net, part(net, name, "gap"), x);
    y = lac_net_conv(net, part(net, name, "fc1"), y, inner_width(net, x), 1, 1, 0, true);
    y = lac_net_relu(net, part(net, name, "relu"), y);
    y = lac_net_conv(net, part(net, name, "fc2"), y, width, 1, 1, 0, true);
    y = lac_net_unary(net, LAC_OP_SIGMOID, part(net, name, "sigmoid"), y);
    return lac_net_mul(net, part(net, name, "mul"), x, y);
}

static int weigh_channels(lac_net *net, const char *name, int x) {
    int width = (int)lac_net_channels(net, x);
    int mean = lac_net_global_avg_pool(net, part(net, name, "mean"), x);
    int max = lac_net_unary(net, LAC_OP_GLOBAL_MAX_POOL, part(net, name, "max"), x);
    int mean1 = lac_net_conv(net, part(net, name, "fc1"), mean, inner_width(net, x), 1, 1, 0, true);
    int mean2 = lac_net_conv(net, part(net, name, "fc2"), lac_net_relu(net, part(net, name, "relu"), mean1),
                             width, 1, 1, 0, true);
    int max1 = lac_net_conv_again(net, part(net, name, "max.fc1"), max, mean1);
    int max2 = lac_net_conv_again(net, part(net, name, "max.fc2"),
                                  lac_net_relu(net, part(net, name, "max.relu"), max1), mean2);
    int y = lac_net_add(net, part(net, name, "add"), mean2, max2);
    y = lac_net_unary(net, LAC_OP_SIGMOID, part(net, name, "sigmoid"), y);
    return lac_net_mul(net, part(net, name, "mul"), x, y);
}

static int weigh_pixels(lac_net *net, const char *name, int x) {
    int both[2] = {lac_net_unary(net, LAC_OP_CHANNEL_MAX, part(net, name, "max"), x),
                   lac_net_unary(net, LAC_OP_CHANNEL_MEAN, part(net, name, "mean"), x)};
    int y = lac_net_concat(net, part(net, name, "concat"), both, 2);
    y = lac_net_conv(net, part(net, name, "conv"), y, 1, 7, 1, 3, false);
    y = lac_net_batch_norm(net, part(net, name, "conv.bn"), y);
    y = lac_net_unary(net, LAC_OP_SIGMOID, part(net, name, "sigmoid"), y);
    return lac_net_mul(net, part(net, name, "mul"), x, y);
}

int lac_attention_cbam(lac_net *net, const char *name, int x) {
    x = weigh_channels(net, part(net, name, "channels"), x);
    return weigh_pixels(net, part(net, name, "pixels"), x);
}
