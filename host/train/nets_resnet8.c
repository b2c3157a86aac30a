#include "net.h"
#include "train.h"

// A residual block; where it changes shape, the shortcut is a 1x1 convolution with bias, as published.
static int block(lac_net *net, const char *name, int x, int width, int stride) {
    lac_arena *arena = net->graph->arena;
    int shortcut = x;
    if (stride != 1 || net->graph->values[x].shape.dim[1] != width)
        shortcut =
            lac_net_conv(net, lac_arena_printf(arena, "%s.shortcut", name), x, width, 1, stride, 0, true);
    x = lac_net_conv_bn_relu(net, lac_arena_printf(arena, "%s.conv1", name), x, width, 3, stride);
    x = lac_net_conv(net, lac_arena_printf(arena, "%s.conv2", name), x, width, 3, 1, 1, false);
    x = lac_net_batch_norm(net, lac_arena_printf(arena, "%s.conv2.bn", name), x);
    x = lac_net_add(net, lac_arena_printf(arena, "%s.add", name), x, shortcut);
    return lac_net_relu(net, lac_arena_printf(arena, "%s.relu", name), x);
}

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    lac_net net = lac_net_start(arena, "resnet8", c, h, w, seed);
    int x = lac_net_conv_bn_relu(&net, "conv1", net.graph->input, 16, 3, 1);
    x = block(&net, "stage1", x, 16, 1);
    x = block(&net, "stage2", x, 32, 2);
    x = block(&net, "stage3", x, 64, 2);
    x = lac_net_global_avg_pool(&net, "gap", x);
    x = lac_net_flatten(&net, "flatten", x);
    return lac_net_done(&net, lac_net_linear(&net, "fc", x, n_classes));
}

const lac_net_desc lac_net_resnet8 = {
    .name = "resnet8",
    .help = "three residual blocks of 16, 32 and 64 channels: 12.5 M MACs at 32x32",
    .source = "Banbury et al.: MLPerf Tiny Benchmark, NeurIPS 2021 datasets track, image classification",
    .build = build,
};
