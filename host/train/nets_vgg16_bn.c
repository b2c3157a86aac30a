#include "net.h"
#include "train.h"

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const struct { int n, width; } stages[] = {{2, 64}, {2, 128}, {3, 256}, {3, 512}, {3, 512}};
    lac_net net = lac_net_start(arena, "vgg16-bn", c, h, w, seed);
    int x = net.graph->input, pixels = h < w ? h : w;
    for (int s = 0; s < 5; s++) {
        for (int i = 0; i < stages[s].n; i++)
            x = lac_net_conv_bn_relu(&net, lac_arena_printf(arena, "conv%d_%d", s + 1, i + 1), x,
                                     stages[s].width, 3, 1);
        if (pixels >> s > 1) // 28x28 images are down to one pixel after four pools
            x = lac_net_max_pool(&net, lac_arena_printf(arena, "pool%d", s + 1), x, 2, 2);
    }
    x = lac_net_linear(&net, "fc1", lac_net_flatten(&net, "flatten", x), 512);
    x = lac_net_bn_relu(&net, "fc1", x);
    return lac_net_done(&net, lac_net_linear(&net, "fc2", x, n_classes));
}

const lac_net_desc lac_net_vgg16_bn = {
    .name = "vgg16-bn",
    .help = "thirteen 3x3 convolutions of 64 to 512 channels with batch norm: 314 M MACs at 32x32",
    .source = "Simonyan, Zisserman: Very deep convolutional networks, ICLR 2015, column D; classifier of "
              "Li et al., ICLR 2017",
    .build = build,
};
