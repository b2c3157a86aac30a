#include "net.h"
#include "train.h"

enum { DEPTH = 16, WIDEN = 4, BLOCKS = (DEPTH - 4) / 6 };

// Batch norm and ReLU come before the convolutions. Where the shape changes, the 1x1 shortcut reads what they
// give; elsewhere it is the block's input itself.
static int block(lac_net *net, const char *name, int x, int width, int stride) {
    lac_arena *arena = net->graph->arena;
    int pre = lac_net_bn_relu(net, lac_arena_printf(arena, "%s.pre", name), x);
    if (lac_net_channels(net, x) != width)
        x = lac_net_conv(net, lac_arena_printf(arena, "%s.shortcut", name), pre, width, 1, stride, 0, false);
    int y = lac_net_conv_bn_relu(net, lac_arena_printf(arena, "%s.conv1", name), pre, width, 3, stride);
    y = lac_net_conv(net, lac_arena_printf(arena, "%s.conv2", name), y, width, 3, 1, 1, false);
    return lac_net_add(net, lac_arena_printf(arena, "%s.add", name), y, x);
}

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    lac_net net = lac_net_start(arena, "wrn-16-4", c, h, w, seed);
    int x = lac_net_conv(&net, "conv1", net.graph->input, 16, 3, 1, 1, false);
    for (int s = 0; s < 3; s++)
        for (int b = 0; b < BLOCKS; b++)
            x = block(&net, lac_arena_printf(arena, "stage%d.%d", s + 1, b + 1), x, (16 << s) * WIDEN,
                      s > 0 && b == 0 ? 2 : 1);
    x = lac_net_bn_relu(&net, "last", x);
    return lac_net_done(&net, lac_net_classify(&net, x, n_classes));
}

const lac_net_desc lac_net_wrn_16_4 = {
    .name = "wrn-16-4",
    .help = "16 deep, 4 times as wide: 0.39 G MACs at 32x32; batch norm first",
    .source = "Zagoruyko, Komodakis: Wide residual networks, BMVC 2016, table 1",
    .build = build,
};
