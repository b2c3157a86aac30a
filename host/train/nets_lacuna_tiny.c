#include "net.h"
#include "train.h"

// Widths are multiples of 16, the vector of the CPU kernels, and of common lane counts; every pool follows a
// convolution, so the engine's drain does it on the way out.
static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    lac_net net = lac_net_start(arena, "lacuna-tiny", c, h, w, seed);
    int x = net.graph->input;
    x = lac_net_conv_bn_relu(&net, "conv1", x, 16, 3, 1);
    x = lac_net_max_pool(&net, "pool1", x, 2, 2);
    x = lac_net_conv_bn_relu(&net, "conv2", x, 32, 3, 1);
    x = lac_net_conv_bn_relu(&net, "conv3", x, 32, 3, 1);
    x = lac_net_max_pool(&net, "pool2", x, 2, 2);
    x = lac_net_conv_bn_relu(&net, "conv4", x, 64, 3, 1);
    x = lac_net_conv_bn_relu(&net, "conv5", x, 64, 3, 1);
    x = lac_net_global_avg_pool(&net, "gap", x);
    x = lac_net_flatten(&net, "flatten", x);
    return lac_net_done(&net, lac_net_linear(&net, "fc", x, n_classes));
}

const lac_net_desc lac_net_lacuna_tiny = {
    .name = "lacuna-tiny",
    .help = "five 3x3 convolutions of 16 to 64 channels, 5.5 M MACs at 28x28: trains in a minute",
    .source = "this project; a VGG in miniature",
    .build = build,
};
