#include "net.h"
#include "train.h"

// 1x1, depthwise 3x3, 1x1; batch norm after each, ReLU after the 1x1 convolutions.
static int branch(lac_net *net, const char *name, int x, int width, int stride) {
    lac_arena *arena = net->graph->arena;
    const char *dw = lac_arena_printf(arena, "%s.dw", name);
    x = lac_net_conv_bn_relu(net, lac_arena_printf(arena, "%s.conv1", name), x, width, 1, 1);
    x = lac_net_conv_window(net, dw, x, width, lac_net_square(3, stride, 1, width), false);
    x = lac_net_batch_norm(net, lac_arena_printf(arena, "%s.bn", dw), x);
    return lac_net_conv_bn_relu(net, lac_arena_printf(arena, "%s.conv2", name), x, width, 1, 1);
}

// One half of the channels passes as it is.
static int basic_unit(lac_net *net, const char *name, int x) {
    lac_arena *arena = net->graph->arena;
    int channels = (int)lac_net_channels(net, x), half = channels / 2;
    int left = lac_net_slice(net, lac_arena_printf(arena, "%s.left", name), x, 0, half);
    int right = lac_net_slice(net, lac_arena_printf(arena, "%s.right", name), x, half, channels);
    right = branch(net, name, right, half, 1);
    int y = lac_net_concat(net, lac_arena_printf(arena, "%s.concat", name), (int[]){left, right}, 2);
    return lac_net_shuffle(net, lac_arena_printf(arena, "%s.shuffle", name), y, 2);
}

// Both branches see all channels, and halve the map.
static int down_unit(lac_net *net, const char *name, int x, int width) {
    lac_arena *arena = net->graph->arena;
    int channels = (int)lac_net_channels(net, x);
    const char *dw = lac_arena_printf(arena, "%s.left.dw", name);
    int left = lac_net_conv_window(net, dw, x, channels, lac_net_square(3, 2, 1, channels), false);
    left = lac_net_batch_norm(net, lac_arena_printf(arena, "%s.bn", dw), left);
    left = lac_net_conv_bn_relu(net, lac_arena_printf(arena, "%s.left.conv", name), left, width / 2, 1, 1);
    int right = branch(net, name, x, width / 2, 2);
    int y = lac_net_concat(net, lac_arena_printf(arena, "%s.concat", name), (int[]){left, right}, 2);
    return lac_net_shuffle(net, lac_arena_printf(arena, "%s.shuffle", name), y, 2);
}

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const struct { int width, n_units; } stages[] = {{116, 4}, {232, 8}, {464, 4}};
    lac_net net = lac_net_start(arena, "shufflenet-v2", c, h, w, seed);
    int x = lac_net_conv_bn_relu(&net, "conv1", net.graph->input, 24, 3, 2);
    x = lac_net_pool(&net, LAC_OP_MAX_POOL, "pool1", x, lac_net_square(3, 2, 1, 1));
    for (int s = 0; s < 3; s++) {
        x = down_unit(&net, lac_arena_printf(arena, "stage%d.1", s + 2), x, stages[s].width);
        for (int u = 1; u < stages[s].n_units; u++)
            x = basic_unit(&net, lac_arena_printf(arena, "stage%d.%d", s + 2, u + 1), x);
    }
    x = lac_net_conv_bn_relu(&net, "conv5", x, 1024, 1, 1);
    return lac_net_done(&net, lac_net_classify(&net, x, n_classes));
}

const lac_net_desc lac_net_shufflenet_v2 = {
    .name = "shufflenet-v2",
    .help = "sixteen units that split, convolve one half and shuffle channels: 145 M MACs at 224x224",
    .source = "Ma et al.: ShuffleNet V2, ECCV 2018, table 5, width 1x",
    .build = build,
};
