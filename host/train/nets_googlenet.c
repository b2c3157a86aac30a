#include "net.h"
#include "train.h"

// One inception module: 1x1 | 1x1, 3x3 | 1x1, 3x3, 3x3 | pool, 1x1. The two 3x3 stand for the paper's 5x5.
typedef struct inception {
    const char *name;
    int n1, reduce3, n3, reduce5, n5, n_pool;
} inception;

static const inception modules[] = {
    {"3a", 64, 96, 128, 16, 32, 32},     {"3b", 128, 128, 192, 32, 96, 64},
    {"4a", 192, 96, 208, 16, 48, 64},    {"4b", 160, 112, 224, 24, 64, 64},
    {"4c", 128, 128, 256, 24, 64, 64},   {"4d", 112, 144, 288, 32, 64, 64},
    {"4e", 256, 160, 320, 32, 128, 128}, {"5a", 256, 160, 320, 32, 128, 128},
    {"5b", 384, 192, 384, 48, 128, 128},
};

static int conv(lac_net *net, const char *module, const char *part, int x, int width, int kernel) {
    const char *name = lac_arena_printf(net->graph->arena, "%s.%s", module, part);
    return lac_net_conv_bn_relu(net, name, x, width, kernel, 1);
}

static int add_inception(lac_net *net, const inception *m, int x) {
    lac_arena *arena = net->graph->arena;
    int b1 = conv(net, m->name, "b1.1x1", x, m->n1, 1);
    int b2 = conv(net, m->name, "b2.1x1", x, m->reduce3, 1);
    b2 = conv(net, m->name, "b2.3x3", b2, m->n3, 3);
    int b3 = conv(net, m->name, "b3.1x1", x, m->reduce5, 1);
    b3 = conv(net, m->name, "b3.3x3a", b3, m->n5, 3);
    b3 = conv(net, m->name, "b3.3x3b", b3, m->n5, 3);
    int b4 = lac_net_pool(net, LAC_OP_MAX_POOL, lac_arena_printf(arena, "%s.b4.pool", m->name), x,
                          lac_net_square(3, 1, 1, 1));
    b4 = conv(net, m->name, "b4.1x1", b4, m->n_pool, 1);
    return lac_net_concat(net, lac_arena_printf(arena, "%s.concat", m->name), (int[]){b1, b2, b3, b4}, 4);
}

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    lac_net net = lac_net_start(arena, "googlenet", c, h, w, seed);
    int x = lac_net_conv_bn_relu(&net, "conv1", net.graph->input, 192, 3, 1);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        if (i == 2 || i == 7)
            x = lac_net_pool(&net, LAC_OP_MAX_POOL, i == 2 ? "pool3" : "pool4", x,
                             lac_net_square(3, 2, 1, 1));
        x = add_inception(&net, &modules[i], x);
    }
    x = lac_net_mean_pool(&net, "pool5", x);
    return lac_net_done(&net, lac_net_linear(&net, "fc", lac_net_flatten(&net, "flatten", x), n_classes));
}

const lac_net_desc lac_net_googlenet = {
    .name = "googlenet",
    .help = "nine inception modules behind one 3x3 convolution: 1.5 G MACs at 32x32",
    .source =
        "Szegedy et al.: Going deeper with convolutions, CVPR 2015, table 1; for CIFAR and with two 3x3 "
        "for each 5x5 as in K. Liu: pytorch-cifar",
    .build = build,
};
