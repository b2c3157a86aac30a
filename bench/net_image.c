// A network of nets.def as a program image: untrained, pruned at random, quantized to 4-bit weights and 8-bit
// codes on noise. For comparing devices on every network there is; what it computes means nothing, but every
// layer is there.
//
//   net_image NETWORK IMAGE.lac      prints "CxHxW,weights,entries,steps,live": input, weights that are not
//   zero,
//                                    entries issued, steps, and those whose values are not all equal
//   net_image --list                 the networks, then variants: networks with a vector unit
//
// The input has the size that the network's description names ("at 28x28"), 64x64 where that is over 100,
// else 32x32. Networks of more than 20 million multiply-accumulates keep a tenth of their weights, the others
// half.
#include "calibrate.h"
#include "cpu.h"
#include "graph.h"
#include "image.h"
#include "op.h"
#include "quantize.h"
#include "ref.h"
#include "rng.h"
#include "sites.h"
#include "train.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { N_IMAGES = 2, N_CLASSES = 10, FEW_MACS = 20000000, LARGE = 100 };
static const lac_engine_config engine = {
    .mesh_x = 7, .mesh_y = 7, .drain = 7, .acc_bits = 24, .act_words = 65536, .list_words = 8192};

/// Networks with fully connected layers once more, on engines that have a vector unit.
static const struct {
    const char *name, *net;
    int lane, vector;
} variants[] = {
    {"lenet5+vector8", "lenet5", 0, 8},
    {"tfc+vector4", "tfc", 0, 4},
    {"sfc+vector16", "sfc", 0, 16},
    {"mlp+digit+vector8", "mlp", 1, 8},
};
enum { N_VARIANTS = sizeof variants / sizeof variants[0] };

static const lac_net_desc *find_net(const char *name) {
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, name) == 0) return lac_net_row(i);
    return NULL;
}

/// A network or a variant, and its engine.
static const lac_net_desc *find(const char *name, lac_engine_config *on) {
    *on = engine;
    for (int i = 0; i < N_VARIANTS; i++)
        if (strcmp(variants[i].name, name) == 0) {
            on->lane = variants[i].lane;
            on->vector = variants[i].vector;
            return find_net(variants[i].net);
        }
    return find_net(name);
}

/// The data set that a network's description is for, of noise.
static lac_dataset make_data(const lac_net_desc *net, lac_arena *arena) {
    int h = 32, w = 32;
    for (const char *at = net->help; (at = strstr(at, " at ")); at += 4) sscanf(at, " at %dx%d", &h, &w);
    if (h > LARGE) h = w = 64;
    int c = h == 28 || w == 10 ? 1 : 3;
    lac_dataset data = {.name = "noise", .c = c, .h = h, .w = w, .n_classes = N_CLASSES};
    for (int i = 0; i < 4; i++) data.mean[i] = (float)(120 + i), data.std[i] = 60;
    size_t n = N_IMAGES * (size_t)(c * h * w);
    uint8_t *pixels = LAC_NEW_ARRAY(arena, uint8_t, n), *labels = LAC_NEW_ARRAY(arena, uint8_t, N_IMAGES);
    lac_rng rng = lac_rng_make(1, 1);
    for (size_t i = 0; i < n; i++) pixels[i] = (uint8_t)lac_rng_below(&rng, 256);
    memset(labels, 0, N_IMAGES);
    data.train = (lac_split){pixels, labels, N_IMAGES};
    data.validation = data.test = (lac_split){pixels, labels, 1};
    return data;
}

/// Zeros all but one weight in so many; the others grow, so that signals keep their size.
static void prune_at_random(lac_graph *g, uint32_t one_in) {
    lac_rng rng = lac_rng_make(3, 1);
    float grow = one_in == 2 ? 1.4f : 3.2f;
    for (int n = 0; n < g->n_nodes; n++) {
        if (g->nodes[n].op != LAC_OP_CONV2D && g->nodes[n].op != LAC_OP_LINEAR) continue;
        lac_value *w = &g->values[g->nodes[n].in[1]];
        for (int64_t i = 0; i < lac_shape_count(w->shape); i++)
            w->data[i] = lac_rng_below(&rng, one_in) ? 0 : grow * w->data[i];
    }
}

static lac_status lower(const lac_net_desc *net, const lac_dataset *data, lac_arena *arena,
                        lac_int_graph **out, lac_error *err) {
    const lac_quant_config config = {.weight_bits = 4, .act_bits = 8};
    lac_quant_sites sites;
    float *scale;
    int *zero;
    lac_graph *g = net->build(arena, data->c, data->h, data->w, N_CLASSES, 1);
    LAC_TRY(lac_graph_infer(g, err));
    prune_at_random(g, lac_graph_macs(g) > FEW_MACS ? 10 : 2);
    LAC_TRY(lac_quant_sites_plan(g, &config, arena, &sites, err));
    LAC_TRY(lac_calibrate(g, data, &config, &sites, arena, &scale, &zero, err));
    LAC_TRY(lac_quant_sites_insert(g, &sites, scale, zero, err));
    return lac_lower(g, data, arena, out, err);
}

static uint64_t count_weights(const lac_int_graph *g) {
    uint64_t n = 0;
    for (int l = 0; l < g->n_layers; l++) n += lac_int_layer_weights(g, &g->layers[l], true);
    return n;
}

static bool is_constant(const int32_t *values, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (values[i] != values[0]) return false;
    return true;
}

/// Steps whose tensor differs from value to value: where all are equal, a comparison says little.
static int count_live(const lac_image *image, const uint8_t *pixels, lac_arena *arena) {
    const lac_int_graph *g = image->graph;
    int32_t **values = LAC_NEW_ARRAY(arena, int32_t *, g->n_tensors);
    for (int t = 0; t < g->n_tensors; t++)
        values[t] = LAC_NEW_ARRAY(arena, int32_t, lac_int_tensor_count(&g->tensors[t]));
    const lac_cpu *cpu = lac_cpu_prepare(g, arena);
    lac_input_codes(g, pixels, values[g->input]);
    lac_cpu_run(cpu, LAC_NEW_ARRAY(arena, int32_t, lac_cpu_scratch_count(cpu)), values);
    int n = 0;
    for (int s = 0; s < image->n_steps; s++) {
        int t = image->steps[s].out_tensor;
        n += !is_constant(values[t], lac_int_tensor_count(&g->tensors[t]));
    }
    return n;
}

/// Tables and factors only where a network has them.
static lac_engine_config with_gates(lac_engine_config on, const lac_int_graph *g) {
    for (int l = 0; l < g->n_layers; l++) {
        if (g->layers[l].kind == LAC_INT_TABLE) on.table = 1;
        if (g->layers[l].kind != LAC_INT_MUL) continue;
        const int needed = lac_int_factors_are_of_pixels(g, &g->layers[l]) ? 2 : 1;
        if (on.scale < needed) on.scale = needed;
    }
    return on;
}

static lac_status make_image(const lac_net_desc *net, const lac_engine_config *on, const char *path,
                             lac_arena *arena, lac_error *err) {
    lac_int_graph *graph = NULL;
    lac_image *image = NULL;
    const lac_dataset data = make_data(net, arena);
    LAC_TRY(lower(net, &data, arena, &graph, err));
    const lac_engine_config with = with_gates(*on, graph);
    LAC_TRY(lac_compile(graph, &with, arena, &image, err));
    LAC_TRY(lac_image_write(image, path, err));
    uint64_t entries = 0;
    for (int s = 0; s < image->n_steps; s++) entries += image->steps[s].ideal_cycles;
    printf("%dx%dx%d,%" PRIu64 ",%" PRIu64 ",%d,%d\n", data.c, data.h, data.w, count_weights(image->graph),
           entries, image->n_steps, count_live(image, data.test.pixels, arena));
    return LAC_OK;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (int i = 0; i < lac_n_nets(); i++) puts(lac_net_row(i)->name);
        for (int i = 0; i < N_VARIANTS; i++) puts(variants[i].name);
        return 0;
    }
    lac_engine_config on;
    const lac_net_desc *net = argc == 3 ? find(argv[1], &on) : NULL;
    if (!net) {
        fprintf(stderr, "usage: net_image NETWORK IMAGE.lac | --list\n");
        return 2;
    }
    lac_arena *arena = lac_arena_open();
    lac_error err = {0};
    lac_status status = make_image(net, &on, argv[2], arena, &err);
    if (status != LAC_OK) fprintf(stderr, "%s\n", err.text);
    lac_arena_close(arena);
    return lac_status_exit_code(status);
}
