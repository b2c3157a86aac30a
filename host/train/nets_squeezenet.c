#include "net.h"
#include "train.h"

static int conv_relu(lac_net *net, const char *name, int x, int width, int kernel) {
    x = lac_net_conv(net, name, x, width, kernel, 1, kernel / 2, true);
    return lac_net_relu(net, lac_arena_printf(net->graph->arena, "%s.relu", name), x);
}

static int fire(lac_net *net, int i, int x, int squeeze, int expand) {
    lac_arena *arena = net->graph->arena;
    x = conv_relu(net, lac_arena_printf(arena, "fire%d.squeeze", i), x, squeeze, 1);
    int one = conv_relu(net, lac_arena_printf(arena, "fire%d.expand1", i), x, expand, 1);
    int three = conv_relu(net, lac_arena_printf(arena, "fire%d.expand3", i), x, expand, 3);
    return lac_net_concat(net, lac_arena_printf(arena, "fire%d.concat", i), (int[]){one, three}, 2);
}

// 3x3, stride 2; a last window that starts inside the map counts although it ends outside.
static int pool(lac_net *net, const char *name, int x) {
    lac_shape shape = net->graph->values[x].shape;
    lac_window window = lac_net_square(3, 2, 0, 1);
    for (int a = 0; a < 2; a++) window.pad[2 + a] = shape.dim[2 + a] % 2 == 0;
    return lac_net_pool(net, LAC_OP_MAX_POOL, name, x, window);
}

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    lac_net net = lac_net_start(arena, "squeezenet", c, h, w, seed);
    int x = lac_net_conv(&net, "conv1", net.graph->input, 64, 3, 2, 0, true);
    x = pool(&net, "pool1", lac_net_relu(&net, "conv1.relu", x));
    x = fire(&net, 2, x, 16, 64);
    x = pool(&net, "pool3", fire(&net, 3, x, 16, 64));
    x = fire(&net, 4, x, 32, 128);
    x = pool(&net, "pool5", fire(&net, 5, x, 32, 128));
    x = fire(&net, 6, x, 48, 192);
    x = fire(&net, 7, x, 48, 192);
    x = fire(&net, 8, x, 64, 256);
    x = fire(&net, 9, x, 64, 256);
    x = lac_net_global_avg_pool(&net, "gap", conv_relu(&net, "conv10", x, n_classes, 1));
    return lac_net_done(&net, lac_net_flatten(&net, "flatten", x));
}

const lac_net_desc lac_net_squeezenet = {
    .name = "squeezenet",
    .help = "eight fire modules without batch norm, release 1.1: 349 M MACs at 224x224",
    .source = "Iandola et al.: SqueezeNet, arXiv 1602.07360; layout of the authors' release 1.1",
    .build = build,
};
