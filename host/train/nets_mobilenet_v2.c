#include "net.h"
#include "train.h"

// Width times percent / 100, as a multiple of 8 that is at least 90 % of it.
static int scaled(int width, int percent) {
    int exact = width * percent, rounded = (exact + 400) / 800 * 8;
    if (rounded < 8) rounded = 8;
    return 10 * rounded * 100 < 9 * exact ? rounded + 8 : rounded;
}

// Expand, filter per channel, project without ReLU; a shortcut where the shape stays.
static int bottleneck(lac_net *net, const char *name, int x, int expansion, int width, int stride) {
    lac_arena *arena = net->graph->arena;
    int channels = (int)lac_net_channels(net, x), y = x, wide = expansion * channels;
    const char *dw = lac_arena_printf(arena, "%s.dw", name);
    const char *project = lac_arena_printf(arena, "%s.project", name);
    if (expansion > 1)
        y = lac_net_conv_bn_relu(net, lac_arena_printf(arena, "%s.expand", name), y, wide, 1, 1);
    y = lac_net_conv_window(net, dw, y, wide, lac_net_square(3, stride, 1, wide), false);
    y = lac_net_conv(net, project, lac_net_bn_relu(net, dw, y), width, 1, 1, 0, false);
    y = lac_net_batch_norm(net, lac_arena_printf(arena, "%s.bn", project), y);
    if (stride > 1 || channels != width) return y;
    return lac_net_add(net, lac_arena_printf(arena, "%s.add", name), y, x);
}

static lac_graph *build(lac_arena *arena, const char *name, int percent, lac_shape image, int n_classes,
                        uint64_t seed) {
    static const struct {
        int expansion, width, n, stride;
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    lac_net net = lac_net_begin(arena, name, image, seed);
    int x = lac_net_conv_bn_relu(&net, "conv1", net.graph->input, scaled(32, percent), 3, 2);
    for (int s = 0; s < (int)(sizeof stages / sizeof *stages); s++)
        for (int i = 0; i < stages[s].n; i++)
            x = bottleneck(&net, lac_arena_printf(arena, "stage%d.%d", s + 1, i + 1), x, stages[s].expansion,
                           scaled(stages[s].width, percent), i == 0 ? stages[s].stride : 1);
    x = lac_net_conv_bn_relu(&net, "conv2", x, percent > 100 ? scaled(1280, percent) : 1280, 1, 1);
    return lac_net_done(&net, lac_net_classify(&net, x, n_classes));
}

static lac_graph *build_100(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    return build(arena, "mobilenet-v2", 100, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_035(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    return build(arena, "mobilenet-v2-035", 35, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

#define PAPER "Sandler et al.: MobileNetV2, CVPR 2018, table 2"

const lac_net_desc lac_net_mobilenet_v2 = {
    .name = "mobilenet-v2",
    .help = "inverted residuals with ReLU, not ReLU6: 301 M MACs at 224x224",
    .source = PAPER,
    .build = build_100,
};

const lac_net_desc lac_net_mobilenet_v2_035 = {
    .name = "mobilenet-v2-035",
    .help = "mobilenet-v2 at 0.35 of the width: 59 M MACs at 224x224",
    .source = PAPER ", width multiplier 0.35",
    .build = build_035,
};
