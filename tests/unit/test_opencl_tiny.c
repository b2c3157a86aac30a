#include "device.h"
#include "graph_builder.h"
#include "ref.h"

#include <stdio.h>
#include <string.h>

// One small image on device opencl, as a program that can be run under a checker of memory accesses.

static const lac_engine_config engine = {
    .mesh_x = 2, .mesh_y = 2, .drain = 2, .acc_bits = 24, .act_words = 256, .list_words = 64};

static lac_int_graph *net(lac_arena *arena) {
    builder b = builder_begin(arena, 3);
    int x = builder_input(&b, 1, 4, 4, (lac_code_type){.bits = 4});
    x = builder_conv(&b, x, (layer_options){.out_c = 2, .window = WINDOW(3, 1, 1)});
    x = builder_conv(&b, x, (layer_options){.out_c = 3, .window = WINDOW(4, 1, 0), .raw = true});
    return builder_end(&b, x);
}

int main(void) {
    lac_arena *arena = lac_arena_open();
    const lac_device_desc *device = lac_device_find("opencl");
    const lac_device_config config = {.n_units = 1};
    lac_error err = {0};
    lac_image *image;
    void *state = NULL;
    int32_t out[3];
    lac_status status = lac_compile(net(arena), &engine, arena, &image, &err);
    if (status == LAC_OK) status = device->open(image, &config, NULL, &state, &err);
    int32_t **values = status == LAC_OK ? reference_values(image->graph, arena, 1) : NULL;
    if (status == LAC_OK) status = device->run(state, values[image->graph->input], out, NULL, NULL, &err);
    int wrong = status != LAC_OK || memcmp(out, values[image->graph->output], sizeof out) != 0;
    printf("%s%s\n", status == LAC_OK && wrong ? "differs" : wrong ? "failed: " : "equal", err.text);
    device->close(state);
    lac_arena_close(arena);
    return wrong;
}
