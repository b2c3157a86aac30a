#include "net.h"
#include "train.h"

enum { CARDINALITY = 32, WIDTH = 4, BLOCKS = 3 };

static int conv_bn(lac_net *net, const char *name, int x, int width, int stride) {
    x = lac_net_conv(net, name, x, width, 1, stride, 0, false);
    return lac_net_batch_norm(net, lac_arena_printf(net->graph->arena, "%s.bn", name), x);
}

static int block(lac_net *net, const char *name, int x, int stage, int stride) {
    lac_arena *arena = net->graph->arena;
    int inner = (CARDINALITY * WIDTH) << stage, out = 256 << stage, shortcut = x;
    const char *grouped = lac_arena_printf(arena, "%s.conv2", name);
    if (lac_net_channels(net, x) != out)
        shortcut = conv_bn(net, lac_arena_printf(arena, "%s.shortcut", name), x, out, stride);
    int y = lac_net_conv_bn_relu(net, lac_arena_printf(arena, "%s.conv1", name), x, inner, 1, 1);
    y = lac_net_conv_window(net, grouped, y, inner, lac_net_square(3, stride, 1, CARDINALITY), false);
    y = lac_net_bn_relu(net, grouped, y);
    y = conv_bn(net, lac_arena_printf(arena, "%s.conv3", name), y, out, 1);
    y = lac_net_add(net, lac_arena_printf(arena, "%s.add", name), y, shortcut);
    return lac_net_relu(net, lac_arena_printf(arena, "%s.relu", name), y);
}

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    lac_net net = lac_net_start(arena, "resnext29-32x4d", c, h, w, seed);
    int x = lac_net_conv_bn_relu(&net, "conv1", net.graph->input, 64, 3, 1);
    for (int s = 0; s < 3; s++)
        for (int b = 0; b < BLOCKS; b++)
            x = block(&net, lac_arena_printf(arena, "stage%d.%d", s + 1, b + 1), x, s,
                      s > 0 && b == 0 ? 2 : 1);
    return lac_net_done(&net, lac_net_classify(&net, x, n_classes));
}

const lac_net_desc lac_net_resnext29_32x4d = {
    .name = "resnext29-32x4d",
    .help = "nine bottlenecks with 3x3 convolutions in 32 groups: 0.78 G MACs at 32x32",
    .source = "Xie et al.: Aggregated residual transformations, CVPR 2017, section 5.3; 32 groups of 4 as in "
              "K. Liu: pytorch-cifar",
    .build = build,
};
