#include "sample_nets.h"

#include "ref.h"

#include <string.h>

static const lac_code_type codes = {.bits = 4, .scale = 1};

static int conv(builder *b, int x, int width, int kernel, int stride) {
    return builder_conv(
        b, x, (layer_options){.out_c = width, .window = WINDOW(kernel, stride, kernel / 2), .type = codes});
}

static int depthwise(builder *b, int x, int stride) {
    lac_window window = WINDOW(3, stride, 1);
    int channels = window.groups = b->graph->tensors[x].c;
    return builder_conv(b, x, (layer_options){.out_c = channels, .window = window, .type = codes});
}

static lac_window whole_map(const builder *b, int x) {
    const lac_int_tensor *t = &b->graph->tensors[x];
    return (lac_window){.kernel = {t->h, t->w}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
}

static int fully(builder *b, int x, int n, bool last) {
    return builder_conv(b, x,
                        (layer_options){.out_c = n, .window = whole_map(b, x), .type = codes, .raw = last});
}

static int pool_and_classify(builder *b, int x, int n_classes) {
    x = builder_avg_pool(b, x, (layer_options){.window = whole_map(b, x), .type = codes});
    return fully(b, x, n_classes, true);
}

/// A residual block; where it changes shape, the shortcut is a 1x1 convolution.
static int block(builder *b, int x, int width, int stride) {
    int shortcut = b->graph->tensors[x].c == width ? x : conv(b, x, width, 1, stride);
    int y = conv(b, conv(b, x, width, 3, stride), width, 3, 1);
    return builder_add(b, y, shortcut, codes);
}

static int resnet(builder *b, int n_blocks) {
    int x = conv(b, builder_input(b, 3, 32, 32, codes), 16, 3, 1);
    for (int stage = 0; stage < 3; stage++)
        for (int i = 0; i < n_blocks; i++) x = block(b, x, 16 << stage, stage && !i ? 2 : 1);
    return pool_and_classify(b, x, 10);
}

static int resnet8(builder *b) {
    return resnet(b, 1);
}

static int resnet20(builder *b) {
    return resnet(b, 3);
}

static int vgg_small(builder *b) {
    int x = builder_input(b, 3, 32, 32, codes);
    for (int stage = 0; stage < 3; stage++) {
        for (int i = 0; i < 2; i++) x = conv(b, x, 128 << stage, 3, 1);
        x = builder_max_pool(b, x, WINDOW(2, 2, 0));
    }
    return fully(b, x, 10, true);
}

static int ds_cnn(builder *b) {
    int x = builder_input(b, 1, 49, 10, codes);
    lac_window first = {.kernel = {10, 4}, .stride = {2, 2}, .pad = {4, 1, 5, 1}, .dilation = {1, 1}, .groups = 1};
    x = builder_conv(b, x, (layer_options){.out_c = 64, .window = first, .type = codes});
    for (int i = 0; i < 4; i++) x = conv(b, depthwise(b, x, 1), 64, 1, 1);
    return pool_and_classify(b, x, 12);
}

static int mobilenet(builder *b) {
    static const struct {
        int width, stride;
    } layers[] = {{16, 1},  {32, 2},  {32, 1},  {64, 2},  {64, 1},   {128, 2}, {128, 1},
                  {128, 1}, {128, 1}, {128, 1}, {128, 1}, {256, 2}, {256, 1}};
    int x = conv(b, builder_input(b, 3, 96, 96, codes), 8, 3, 2);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        x = conv(b, depthwise(b, x, layers[i].stride), layers[i].width, 1, 1);
    return pool_and_classify(b, x, 2);
}

static int mlp(builder *b) {
    int x = builder_input(b, 784, 1, 1, codes);
    for (int i = 0; i < 3; i++) x = fully(b, x, 256, false);
    return fully(b, x, 10, true);
}

const sample_net sample_nets[N_SAMPLE_NETS] = {
    [RESNET8] = {"resnet-8", resnet8, 1.05},
    [RESNET20] = {"resnet-20", resnet20, 1.05},
    [VGG] = {"vgg-small", vgg_small, 1.05},
    [DS_CNN] = {"ds-cnn", ds_cnn, 1.25},
    [MOBILENET] = {"mobilenet-v1-025", mobilenet, 1.25},
    [MLP] = {"mlp", mlp, 1.10},
};

/// Random weights of which `percent` are not zero.
static void set_density(lac_int_graph *graph, int percent) {
    lac_rng rng = lac_rng_make(1, (uint64_t)percent);
    for (int l = 0; l < graph->n_layers; l++) {
        lac_int_layer *layer = &graph->layers[l];
        size_t n = lac_int_layer_weights(graph, layer, false);
        for (size_t i = 0; i < n; i++) {
            int magnitude = 1 + (int)lac_rng_below(&rng, 7), sign = lac_rng_below(&rng, 2) ? 1 : -1;
            bool is_zero = lac_rng_below(&rng, 100) >= (uint32_t)percent;
            layer->w[i] = (int8_t)(is_zero ? 0 : sign * magnitude);
        }
    }
}

lac_int_graph *sample_graph(const sample_net *net, int percent, lac_arena *arena) {
    builder b = builder_begin(arena, 1);
    int output = net->build(&b);
    lac_int_graph *graph = builder_end(&b, output);
    graph->name = net->name;
    set_density(graph, percent);
    return graph;
}

lac_status sample_run(const lac_image *image, lac_arena *arena, lac_step_cycles *cycles, lac_error *err) {
    const lac_device_desc *device = lac_device_find("rtl");
    const lac_int_graph *graph = image->graph;
    const lac_device_config config = {.stall_seed = 0};
    size_t n = lac_int_tensor_count(&graph->tensors[graph->output]);
    size_t batch = (size_t)lac_image_batch(image), n_in = lac_int_tensor_count(&graph->tensors[graph->input]);
    int32_t *in = LAC_NEW_ARRAY(arena, int32_t, batch * n_in), *out = LAC_NEW_ARRAY(arena, int32_t, batch * n);
    int32_t *expected = LAC_NEW_ARRAY(arena, int32_t, batch * n);
    for (size_t k = 0; k < batch; k++) {
        int32_t **values = reference_values(graph, arena, k + 1);
        memcpy(in + k * n_in, values[graph->input], n_in * sizeof *in);
        memcpy(expected + k * n, values[graph->output], n * sizeof *out);
    }
    void *state;
    LAC_TRY(device->open(image, &config, NULL, &state, err));
    lac_status status = device->run(state, in, out, NULL, cycles, err);
    device->close(state);
    LAC_TRY(status);
    if (memcmp(out, expected, batch * n * sizeof *out) != 0)
        LAC_FAIL(err, LAC_E_MISMATCH, "'%s': the RTL's results are not the reference's", graph->name);
    return LAC_OK;
}
