#include "net.h"
#include "train.h"

static lac_graph *build(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed) {
    static const struct {
        const char *name[3];
        int width;
    } stages[] = {{{"conv1", "conv2", "pool1"}, 128},
                  {{"conv3", "conv4", "pool2"}, 256},
                  {{"conv5", "conv6", "pool3"}, 512}};
    lac_net net = lac_net_start(arena, "vgg-small", c, h, w, seed);
    int x = net.graph->input;
    for (int s = 0; s < 3; s++) {
        for (int i = 0; i < 2; i++)
            x = lac_net_conv_bn_relu(&net, stages[s].name[i], x, stages[s].width, 3, 1);
        x = lac_net_max_pool(&net, stages[s].name[2], x, 2, 2);
    }
    x = lac_net_flatten(&net, "flatten", x);
    return lac_net_done(&net, lac_net_linear(&net, "fc", x, n_classes));
}

const lac_net_desc lac_net_vgg_small = {
    .name = "vgg-small",
    .help = "six 3x3 convolutions of 128, 256 and 512 channels; the usual yardstick of low-bit methods",
    .source = "Zhang et al.: LQ-Nets, ECCV 2018, section 4.1 (after Cai et al.: HWGQ, CVPR 2017)",
    .build = build,
};
