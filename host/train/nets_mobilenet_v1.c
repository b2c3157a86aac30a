#include "net.h"
#include "train.h"

// Depthwise 3x3 then pointwise, each with batch norm and ReLU.
static int separable(lac_net *net, int i, int x, int width, int stride) {
    lac_arena *arena = net->graph->arena;
    const char *dw = lac_arena_printf(arena, "dw%d", i);
    int channels = (int)lac_net_channels(net, x);
    x = lac_net_conv_window(net, dw, x, channels, lac_net_square(3, stride, 1, channels), false);
    x = lac_net_bn_relu(net, dw, x);
    return lac_net_conv_bn_relu(net, lac_arena_printf(arena, "pw%d", i), x, width, 1, 1);
}

// percent is the width multiplier times 100.
static lac_graph *build(lac_arena *arena, const char *name, int percent, lac_shape image, int n_classes,
                        uint64_t seed) {
    static const struct {
        int width, stride;
    } layers[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                  {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
    lac_net net = lac_net_begin(arena, name, image, seed);
    int x = lac_net_conv_bn_relu(&net, "conv1", net.graph->input, 32 * percent / 100, 3, 2);
    for (int i = 0; i < (int)(sizeof layers / sizeof *layers); i++)
        x = separable(&net, i + 1, x, layers[i].width * percent / 100, layers[i].stride);
    return lac_net_done(&net, lac_net_classify(&net, x, n_classes));
}

static lac_graph *build_100(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    return build(arena, "mobilenet-v1", 100, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_050(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    return build(arena, "mobilenet-v1-050", 50, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_025(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    return build(arena, "mobilenet-v1-025", 25, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

#define PAPER "Howard et al.: MobileNets, arXiv 1704.04861, table 1"

const lac_net_desc lac_net_mobilenet_v1 = {
    .name = "mobilenet-v1",
    .help = "depthwise separable convolutions with ReLU, not ReLU6: 569 M MACs at 224x224",
    .source = PAPER,
    .build = build_100,
};

const lac_net_desc lac_net_mobilenet_v1_050 = {
    .name = "mobilenet-v1-050",
    .help = "mobilenet-v1 at half the width: 149 M MACs at 224x224",
    .source = PAPER ", width multiplier 0.5",
    .build = build_050,
};

const lac_net_desc lac_net_mobilenet_v1_025 = {
    .name = "mobilenet-v1-025",
    .help = "mobilenet-v1 at a quarter of the width: 7.5 M MACs at 96x96",
    .source =
        PAPER ", width multiplier 0.25; visual wake words of MLPerf Tiny (Banbury et al., NeurIPS 2021)",
    .build = build_025,
};
