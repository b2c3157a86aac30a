#include "net.h"
#include "train.h"

static int conv_bn(lac_net *net, const char *name, int x, int width) {
    x = lac_net_conv(net, name, x, width, 3, 1, 1, false);
    return lac_net_batch_norm(net, lac_arena_printf(net->graph->arena, "%s.bn", name), x);
}

static int add_relu(lac_net *net, const char *name, int x, int shortcut) {
    x = lac_net_add(net, lac_arena_printf(net->graph->arena, "%s.add", name), x, shortcut);
    return lac_net_relu(net, lac_arena_printf(net->graph->arena, "%s.relu", name), x);
}

// Option A: the shortcut takes every second pixel and pads the new channels with zeros, and it has no
// parameters. Adding zeros changes nothing, so the second convolution is split instead: the half that the
// shortcut reaches, and the half that it does not. Same function, weights and multiply-accumulates as
// published.
static int widen(lac_net *net, const char *name, int x, int h, int width, int stride) {
    lac_arena *arena = net->graph->arena;
    int reached = (int)lac_net_channels(net, x);
    int shortcut = lac_net_max_pool(net, lac_arena_printf(arena, "%s.shortcut", name), x, 1, stride);
    int low = conv_bn(net, lac_arena_printf(arena, "%s.conv2.low", name), h, reached);
    int high = conv_bn(net, lac_arena_printf(arena, "%s.conv2.high", name), h, width - reached);
    low = add_relu(net, name, low, shortcut);
    high = lac_net_relu(net, lac_arena_printf(arena, "%s.high.relu", name), high);
    return lac_net_concat(net, lac_arena_printf(arena, "%s.concat", name), (int[]){low, high}, 2);
}

static int block(lac_net *net, const char *name, int x, int width, int stride) {
    lac_arena *arena = net->graph->arena;
    int h = lac_net_conv_bn_relu(net, lac_arena_printf(arena, "%s.conv1", name), x, width, 3, stride);
    if (lac_net_channels(net, x) != width) return widen(net, name, x, h, width, stride);
    return add_relu(net, name, conv_bn(net, lac_arena_printf(arena, "%s.conv2", name), h, width), x);
}

static lac_graph *build(lac_arena *arena, const char *name, int n_blocks, lac_shape image, int n_classes,
                        uint64_t seed) {
    lac_net net = lac_net_begin(arena, name, image, seed);
    int x = lac_net_conv_bn_relu(&net, "conv1", net.graph->input, 16, 3, 1);
    for (int s = 0; s < 3; s++)
        for (int b = 0; b < n_blocks; b++)
            x = block(&net, lac_arena_printf(arena, "stage%d.%d", s + 1, b + 1), x, 16 << s,
                      s > 0 && b == 0 ? 2 : 1);
    return lac_net_done(&net, lac_net_classify(&net, x, n_classes));
}

#define RESNET(depth, macs)                                                                                  \
    static lac_graph *build_##depth(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {   \
        return build(arena, "resnet" #depth, (depth - 2) / 6, LAC_SHAPE(1, c, h, w), n_classes, seed);       \
    }                                                                                                        \
    const lac_net_desc lac_net_resnet##depth = {                                                             \
        .name = "resnet" #depth,                                                                             \
        .help = "residual blocks of 16, 32 and 64 channels, shortcuts without parameters: " macs             \
                " MACs at 32x32",                                                                            \
        .source = "He et al.: Deep residual learning for image recognition, CVPR 2016, section 4.2, "        \
                  "option A",                                                                                \
        .build = build_##depth,                                                                              \
    };

RESNET(20, "41 M")
RESNET(56, "127 M")
RESNET(110, "255 M")
