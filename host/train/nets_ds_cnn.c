#include "net.h"
#include "train.h"

enum { WIDTH = 64, LAYERS = 4 };

// Padding that gives ceil(in / stride) outputs; what is odd goes to the end, as TensorFlow has it.
static void pad_same(lac_window *window, lac_shape in) {
    for (int a = 0; a < 2; a++) {
        int size = (int)in.dim[2 + a], out = (size + window->stride[a] - 1) / window->stride[a];
        int total = (out - 1) * window->stride[a] + window->kernel[a] - size;
        if (total < 0) total = 0;
        window->pad[a] = total / 2;
        window->pad[2 + a] = total - total / 2;
    }
}

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    lac_net net = lac_net_start(arena, "ds-cnn", c, h, w, seed);
    lac_window first = {.kernel = {10, 4}, .stride = {2, 2}, .dilation = {1, 1}, .groups = 1};
    pad_same(&first, LAC_SHAPE(1, c, h, w));
    int x = lac_net_conv_window(&net, "conv1", net.graph->input, WIDTH, first, false);
    x = lac_net_bn_relu(&net, "conv1", x);
    for (int i = 1; i <= LAYERS; i++) {
        const char *dw = lac_arena_printf(arena, "dw%d", i);
        x = lac_net_conv_window(&net, dw, x, WIDTH, lac_net_square(3, 1, 1, WIDTH), false);
        x = lac_net_bn_relu(&net, dw, x);
        x = lac_net_conv_bn_relu(&net, lac_arena_printf(arena, "pw%d", i), x, WIDTH, 1, 1);
    }
    return lac_net_done(&net, lac_net_classify(&net, x, n_classes));
}

const lac_net_desc lac_net_ds_cnn = {
    .name = "ds-cnn",
    .help = "a 10x4 convolution and four depthwise separable ones of 64 channels: 2.7 M MACs at 49x10",
    .source = "Zhang et al.: Hello Edge, arXiv 1711.07128; keyword spotting of MLPerf Tiny (Banbury et al., "
              "NeurIPS 2021)",
    .build = build,
};
