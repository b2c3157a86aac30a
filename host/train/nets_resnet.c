#include "net.h"
#include "attention.h"
#include "train.h"

// A ResNet in four stages. The stem for ImageNet is a 7x7 convolution of stride 2 and a pool; for small
// images it is one 3x3 convolution.
typedef struct layout {
    const char *name;
    int n_blocks[4];
    bool bottleneck, small_images;
    lac_attention *attention; // on what a block adds to its input; NULL: none
} layout;

static int conv_bn(lac_net *net, const char *name, int x, int width, int kernel, int stride) {
    x = lac_net_conv(net, name, x, width, kernel, stride, kernel / 2, false);
    return lac_net_batch_norm(net, lac_arena_printf(net->graph->arena, "%s.bn", name), x);
}

// Option B: a 1x1 convolution where the shape changes. The stride of a bottleneck is on its 3x3 convolution,
// as in torchvision; the paper has it on the first 1x1.
static int block(lac_net *net, const char *name, int x, int width, int stride, const layout *l) {
    lac_arena *arena = net->graph->arena;
    const bool bottleneck = l->bottleneck;
    const char *conv[3];
    for (int i = 0; i < 3; i++) conv[i] = lac_arena_printf(arena, "%s.conv%d", name, i + 1);
    int out = bottleneck ? 4 * width : width, y, shortcut = x;
    if (stride != 1 || lac_net_channels(net, x) != out)
        shortcut = conv_bn(net, lac_arena_printf(arena, "%s.shortcut", name), x, out, 1, stride);
    if (bottleneck) {
        y = lac_net_conv_bn_relu(net, conv[0], x, width, 1, 1);
        y = lac_net_conv_bn_relu(net, conv[1], y, width, 3, stride);
        y = conv_bn(net, conv[2], y, out, 1, 1);
    } else {
        y = lac_net_conv_bn_relu(net, conv[0], x, width, 3, stride);
        y = conv_bn(net, conv[1], y, width, 3, 1);
    }
    if (l->attention) y = l->attention(net, lac_arena_printf(arena, "%s.attention", name), y);
    y = lac_net_add(net, lac_arena_printf(arena, "%s.add", name), y, shortcut);
    return lac_net_relu(net, lac_arena_printf(arena, "%s.relu", name), y);
}

static lac_graph *build(lac_arena *arena, const layout *l, lac_shape image, int n_classes, uint64_t seed) {
    lac_net net = lac_net_begin(arena, l->name, image, seed);
    int x = net.graph->input;
    if (l->small_images) {
        x = lac_net_conv_bn_relu(&net, "conv1", x, 64, 3, 1);
    } else {
        x = lac_net_conv_bn_relu(&net, "conv1", x, 64, 7, 2);
        x = lac_net_pool(&net, LAC_OP_MAX_POOL, "pool1", x, lac_net_square(3, 2, 1, 1));
    }
    for (int s = 0; s < 4; s++)
        for (int b = 0; b < l->n_blocks[s]; b++)
            x = block(&net, lac_arena_printf(arena, "stage%d.%d", s + 1, b + 1), x, 64 << s,
                      s > 0 && b == 0 ? 2 : 1, l);
    return lac_net_done(&net, lac_net_classify(&net, x, n_classes));
}

static lac_graph *build_18(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const layout l = {"resnet18", {2, 2, 2, 2}, false, false, NULL};
    return build(arena, &l, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_18_cifar(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const layout l = {"resnet18-cifar", {2, 2, 2, 2}, false, true, NULL};
    return build(arena, &l, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_50(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const layout l = {"resnet50", {3, 4, 6, 3}, true, false, NULL};
    return build(arena, &l, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_50_cifar(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const layout l = {"resnet50-cifar", {3, 4, 6, 3}, true, true, NULL};
    return build(arena, &l, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_se_50(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const layout l = {"se-resnet50", {3, 4, 6, 3}, true, false, lac_attention_se};
    return build(arena, &l, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_se_18_cifar(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const layout l = {"se-resnet18-cifar", {2, 2, 2, 2}, false, true, lac_attention_se};
    return build(arena, &l, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_cbam_50(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const layout l = {"cbam-resnet50", {3, 4, 6, 3}, true, false, lac_attention_cbam};
    return build(arena, &l, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

static lac_graph *build_cbam_18_cifar(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const layout l = {"cbam-resnet18-cifar", {2, 2, 2, 2}, false, true, lac_attention_cbam};
    return build(arena, &l, LAC_SHAPE(1, c, h, w), n_classes, seed);
}

#define PAPER "He et al.: Deep residual learning for image recognition, CVPR 2016, table 1"
#define TORCHVISION "; strides as in torchvision"
#define SMALL_STEM "; stem as in K. Liu: pytorch-cifar"

const lac_net_desc lac_net_resnet18 = {
    .name = "resnet18",
    .help = "eight basic blocks of 64 to 512 channels: 1.8 G MACs at 224x224",
    .source = PAPER,
    .build = build_18,
};

const lac_net_desc lac_net_resnet18_cifar = {
    .name = "resnet18-cifar",
    .help = "resnet18 with one 3x3 convolution for a stem: 0.56 G MACs at 32x32",
    .source = PAPER SMALL_STEM,
    .build = build_18_cifar,
};

const lac_net_desc lac_net_resnet50 = {
    .name = "resnet50",
    .help = "sixteen bottlenecks of 256 to 2048 channels: 4.1 G MACs at 224x224",
    .source = PAPER TORCHVISION,
    .build = build_50,
};

const lac_net_desc lac_net_resnet50_cifar = {
    .name = "resnet50-cifar",
    .help = "resnet50 with one 3x3 convolution for a stem: 1.3 G MACs at 32x32",
    .source = PAPER TORCHVISION SMALL_STEM,
    .build = build_50_cifar,
};

#define SE "Hu, Shen, Sun: Squeeze-and-excitation networks, CVPR 2018, table 1"
#define CBAM "Woo et al.: CBAM: convolutional block attention module, ECCV 2018, section 3 and table 4"

const lac_net_desc lac_net_se_resnet50 = {
    .name = "se-resnet50",
    .help = "resnet50 whose blocks weigh their channels by the whole map: 4.1 G MACs at 224x224",
    .source = SE,
    .build = build_se_50,
};

const lac_net_desc lac_net_se_resnet18_cifar = {
    .name = "se-resnet18-cifar",
    .help = "resnet18-cifar whose blocks weigh their channels by the whole map",
    .source = SE SMALL_STEM,
    .build = build_se_18_cifar,
};

const lac_net_desc lac_net_cbam_resnet50 = {
    .name = "cbam-resnet50",
    .help = "resnet50 whose blocks weigh channels, then pixels: 4.1 G MACs at 224x224",
    .source = CBAM,
    .build = build_cbam_50,
};

const lac_net_desc lac_net_cbam_resnet18_cifar = {
    .name = "cbam-resnet18-cifar",
    .help = "resnet18-cifar whose blocks weigh channels, then pixels",
    .source = CBAM SMALL_STEM,
    .build = build_cbam_18_cifar,
};
