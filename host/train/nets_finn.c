#include "net.h"
#include "train.h"

static int linear_bn_relu(lac_net *net, int i, int x, int width) {
    const char *name = lac_arena_printf(net->graph->arena, "fc%d", i);
    return lac_net_bn_relu(net, name, lac_net_linear(net, name, x, width));
}

// Convolutions without padding want 32x32 images; smaller ones are padded to that by the first.
static lac_graph *build_cnv(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const int widths[] = {64, 64, 128, 128, 256, 256};
    lac_net net = lac_net_start(arena, "cnv", c, h, w, seed);
    int x = net.graph->input, pixels = h < w ? h : w, pad = pixels < 32 ? (33 - pixels) / 2 : 0;
    for (int i = 0; i < 6; i++) {
        const char *name = lac_arena_printf(arena, "conv%d", i + 1);
        x = lac_net_conv(&net, name, x, widths[i], 3, 1, i == 0 ? pad : 0, false);
        x = lac_net_bn_relu(&net, name, x);
        if (i == 1 || i == 3) x = lac_net_max_pool(&net, lac_arena_printf(arena, "pool%d", i + 1), x, 2, 2);
    }
    x = lac_net_flatten(&net, "flatten", x);
    for (int i = 0; i < 2; i++) x = linear_bn_relu(&net, i + 1, x, 512);
    return lac_net_done(&net, lac_net_linear(&net, "fc3", x, n_classes));
}

static lac_graph *build_fc(lac_arena *arena, const char *name, int width, lac_shape image, int n_classes,
                           uint64_t seed) {
    lac_net net = lac_net_begin(arena, name, image, seed);
    int x = lac_net_flatten(&net, "flatten", net.graph->input);
    for (int i = 0; i < 3; i++) x = linear_bn_relu(&net, i + 1, x, width);
    return lac_net_done(&net, lac_net_linear(&net, "fc4", x, n_classes));
}

static lac_graph *build_tfc(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    return build_fc(arena, "tfc", 64, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_sfc(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    return build_fc(arena, "sfc", 256, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_lfc(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    return build_fc(arena, "lfc", 1024, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

#define PAPER "Umuroglu et al.: FINN, FPGA 2017, section 5; ReLU where the paper binarizes"

const lac_net_desc lac_net_cnv = {
    .name = "cnv",
    .help = "six 3x3 convolutions without padding and three linear layers: 59 M MACs at 32x32",
    .source = PAPER,
    .build = build_cnv,
};

const lac_net_desc lac_net_tfc = {
    .name = "tfc",
    .help = "three linear layers of 64 with batch norm: 59 k MACs at 28x28",
    .source = "the TFC of Xilinx's Brevitas and FINN examples; ReLU where they binarize",
    .build = build_tfc,
};

const lac_net_desc lac_net_sfc = {
    .name = "sfc",
    .help = "three linear layers of 256 with batch norm: 0.33 M MACs at 28x28",
    .source = PAPER,
    .build = build_sfc,
};

const lac_net_desc lac_net_lfc = {
    .name = "lfc",
    .help = "three linear layers of 1024 with batch norm: 2.9 M MACs at 28x28",
    .source = PAPER,
    .build = build_lfc,
};
