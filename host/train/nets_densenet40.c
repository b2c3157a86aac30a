#include "net.h"
#include "train.h"

enum { GROWTH = 12, LAYERS = 12 };

static int bn_relu_conv(lac_net *net, const char *name, int x, int width, int kernel) {
    x = lac_net_bn_relu(net, name, x);
    return lac_net_conv(net, name, x, width, kernel, 1, kernel / 2, false);
}

static int dense_block(lac_net *net, int b, int x) {
    lac_arena *arena = net->graph->arena;
    for (int i = 0; i < LAYERS; i++) {
        const char *name = lac_arena_printf(arena, "block%d.conv%d", b + 1, i + 1);
        int y = bn_relu_conv(net, name, x, GROWTH, 3);
        x = lac_net_concat(net, lac_arena_printf(arena, "%s.concat", name), (int[]){x, y}, 2);
    }
    return x;
}

// Transitions keep the number of channels (no compression).
static int transition(lac_net *net, int b, int x) {
    const char *name = lac_arena_printf(net->graph->arena, "transition%d", b + 1);
    x = bn_relu_conv(net, name, x, (int)lac_net_channels(net, x), 1);
    return lac_net_pool(net, LAC_OP_AVG_POOL, lac_arena_printf(net->graph->arena, "%s.pool", name), x,
                        lac_net_square(2, 2, 0, 1));
}

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    lac_net net = lac_net_start(arena, "densenet40", c, h, w, seed);
    int x = lac_net_conv(&net, "conv1", net.graph->input, 2 * GROWTH, 3, 1, 1, false);
    for (int b = 0; b < 3; b++) {
        x = dense_block(&net, b, x);
        if (b < 2) x = transition(&net, b, x);
    }
    x = lac_net_mean_pool(&net, "pool", lac_net_bn_relu(&net, "last", x));
    return lac_net_done(&net, lac_net_linear(&net, "fc", lac_net_flatten(&net, "flatten", x), n_classes));
}

const lac_net_desc lac_net_densenet40 = {
    .name = "densenet40",
    .help = "three dense blocks of twelve layers, growth 12: 288 M MACs at 32x32; batch norm first",
    .source =
        "Huang et al.: Densely connected convolutional networks, CVPR 2017, section 4; 24 channels first "
        "as in HRank, CVPR 2020",
    .build = build,
};
