#include "net.h"
#include "train.h"

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    lac_net net = lac_net_start(arena, "lenet5", c, h, w, seed);
    int x = lac_net_conv(&net, "conv1", net.graph->input, 6, 5, 1, 2, true);
    x = lac_net_max_pool(&net, "pool1", lac_net_relu(&net, "relu1", x), 2, 2);
    x = lac_net_conv(&net, "conv2", x, 16, 5, 1, 0, true);
    x = lac_net_max_pool(&net, "pool2", lac_net_relu(&net, "relu2", x), 2, 2);
    x = lac_net_flatten(&net, "flatten", x);
    x = lac_net_relu(&net, "relu3", lac_net_linear(&net, "fc1", x, 120));
    x = lac_net_relu(&net, "relu4", lac_net_linear(&net, "fc2", x, 84));
    return lac_net_done(&net, lac_net_linear(&net, "fc3", x, n_classes));
}

const lac_net_desc lac_net_lenet5 = {
    .name = "lenet5",
    .help = "two 5x5 convolutions and three linear layers, with ReLU and max pools",
    .source = "LeCun et al.: Gradient-based learning applied to document recognition, Proc. IEEE 1998",
    .build = build,
};
