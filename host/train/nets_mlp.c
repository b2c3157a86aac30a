#include "net.h"
#include "train.h"

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    lac_net net = lac_net_start(arena, "mlp", c, h, w, seed);
    int x = lac_net_flatten(&net, "flatten", net.graph->input);
    x = lac_net_relu(&net, "relu1", lac_net_linear(&net, "fc1", x, 256));
    x = lac_net_relu(&net, "relu2", lac_net_linear(&net, "fc2", x, 128));
    x = lac_net_relu(&net, "relu3", lac_net_linear(&net, "fc3", x, 64));
    return lac_net_done(&net, lac_net_linear(&net, "fc4", x, n_classes));
}

const lac_net_desc lac_net_mlp = {
    .name = "mlp",
    .help = "linear layers of 256, 128 and 64",
    .source = "the MLP row of the Fashion-MNIST benchmark (Xiao, Rasul, Vollgraf, arXiv 1708.07747)",
    .build = build,
};
