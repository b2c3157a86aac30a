#include "graph_builder.h"
#include "layout.h"
#include "ref.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Writes a small network for a netlist simulation: program.hex, load.hex, expected.hex, and its sizes on
/// stdout.
///
///   netlist_vectors DIRECTORY MESH_X MESH_Y DRAIN ACT_WORDS LIST_WORDS LANE

static lac_engine_config engine;
static const char *directory;

static FILE *begin(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *out = fopen(path, "w");
    if (!out) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(1);
    }
    return out;
}

/// Convolution with padding and stride, max pool, a residual add, and a fully connected layer.
static lac_int_graph *small_network(lac_arena *arena) {
    lac_code_type type = {.bits = 4, .scale = 1};
    builder b = builder_begin(arena, 1);
    int at = builder_input(&b, 2, 6, 6, (lac_code_type){.bits = 8, .scale = 1});
    at = builder_conv(
        &b, at,
        (layer_options){
            .out_c = 4, .window = WINDOW(3, 1, 1), .weight_bits = 6, .zero_percent = 50, .type = type});
    at = builder_max_pool(&b, at, WINDOW(2, 2, 0));
    int skip = builder_conv(
        &b, at, (layer_options){.out_c = 4, .window = WINDOW(3, 1, 1), .zero_percent = 60, .type = type});
    at = builder_add(&b, at, skip, type);
    at = builder_conv(
        &b, at, (layer_options){.out_c = 5, .window = WINDOW(3, 1, 0), .zero_percent = 30, .raw = true});
    return builder_end(&b, at);
}

static size_t write_load(const lac_image *image, const int32_t *input) {
    const lac_int_graph *graph = image->graph;
    const lac_layout *layout = &image->layouts[graph->input];
    size_t lanes = (size_t)lac_engine_lanes(&engine), drain = (size_t)engine.drain, n = 0;
    uint8_t *memory = LAC_NEW_ARRAY(image->arena, uint8_t, (size_t)engine.act_words * lanes);
    lac_layout_load(&engine, layout, &graph->tensors[graph->input], input, memory);
    FILE *out = begin("load.hex");
    size_t first = (size_t)layout->base;
    size_t words = (size_t)graph->tensors[graph->input].c * (size_t)lac_layout_channel_words(layout);
    for (size_t word = first; word < first + words; word++)
        for (size_t group = 0; group < lanes / drain; group++, n++) {
            fprintf(out, "%04zx%04zx", word, group);
            for (size_t k = drain; k-- > 0;) fprintf(out, "%02x", memory[word * lanes + group * drain + k]);
            fprintf(out, "\n");
        }
    fclose(out);
    return n;
}

int main(int argc, char **argv) {
    int *const values[] = {&engine.mesh_x,    &engine.mesh_y,     &engine.drain,
                           &engine.act_words, &engine.list_words, &engine.lane};
    if (argc != 8) return 2;
    engine = lac_engine_default();
    directory = argv[1];
    for (int i = 0; i < 6; i++) *values[i] = atoi(argv[i + 2]);
    lac_arena *arena = lac_arena_open();
    lac_error err = {0};
    lac_image *image;
    if (lac_compile(small_network(arena), &engine, arena, &image, &err) != LAC_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int32_t **tensors = reference_values(image->graph, arena, 5);
    FILE *out = begin("program.hex");
    for (size_t i = 0; i < image->n_program; i++)
        fprintf(out, "%016llx\n", (unsigned long long)image->program[i]);
    fclose(out);
    size_t loads = write_load(image, tensors[image->graph->input]);
    // One pixel and one value a channel: the results come in the order of the tensor.
    lac_raw_order order = lac_image_raw_order(image);
    const int32_t *output = tensors[image->graph->output];
    if (!order.one_a_pixel || order.n != lac_int_tensor_count(&image->graph->tensors[image->graph->output])) {
        fprintf(stderr, "the last layer is not one value a channel\n");
        return 1;
    }
    out = begin("expected.hex");
    for (size_t i = 0; i < order.n; i++) fprintf(out, "%08x\n", (unsigned)output[i]);
    fclose(out);
    printf("-Pengine_tb.DRAIN=%d -Pengine_tb.N_WORDS=%zu -Pengine_tb.N_LOADS=%zu -Pengine_tb.N_RESULTS=%zu\n",
           engine.drain, image->n_program, loads, order.n);
    lac_arena_close(arena);
    return 0;
}
