#include "device.h"
#include "graph_builder.h"
#include "ref.h"

#include <stdio.h>
#include <string.h>

// Small images on device opencl, for the mesh and for the vector unit, as a program that can be run under a
// checker of memory accesses.

static const lac_engine_config engine = {
    .mesh_x = 2, .mesh_y = 2, .drain = 2, .acc_bits = 24, .act_words = 256, .list_words = 64, .vector = 16};

static lac_int_graph *fully_connected(lac_arena *arena) {
    builder b = builder_begin(arena, 4);
    int x = builder_input(&b, 21, 1, 1, (lac_code_type){.bits = 4});
    x = builder_conv(&b, x, (layer_options){.out_c = 30});
    return builder_end(&b, builder_conv(&b, x, (layer_options){.out_c = 3, .raw = true}));
}

static lac_int_graph *net(lac_arena *arena) {
    builder b = builder_begin(arena, 3);
    int x = builder_input(&b, 1, 4, 4, (lac_code_type){.bits = 4});
    x = builder_conv(&b, x, (layer_options){.out_c = 2, .window = WINDOW(3, 1, 1)});
    x = builder_conv(&b, x, (layer_options){.out_c = 3, .window = WINDOW(4, 1, 0), .raw = true});
    return builder_end(&b, x);
}

static lac_status run(lac_int_graph *graph, lac_arena *arena, bool *equal, lac_error *err) {
    const lac_device_desc *device = lac_device_find("opencl");
    const lac_device_config config = {.n_units = 1};
    lac_image *image;
    void *state = NULL;
    int32_t out[3];
    *equal = false;
    LAC_TRY(lac_compile(graph, &engine, arena, &image, err));
    LAC_TRY(device->open(image, &config, NULL, &state, err));
    int32_t **values = reference_values(image->graph, arena, 1);
    lac_status status = device->run(state, values[image->graph->input], out, NULL, NULL, err);
    *equal = status == LAC_OK && memcmp(out, values[image->graph->output], sizeof out) == 0;
    device->close(state);
    return status;
}

int main(void) {
    lac_arena *arena = lac_arena_open();
    lac_error err = {0};
    bool on_mesh, on_unit = false;
    lac_status status = run(net(arena), arena, &on_mesh, &err);
    if (status == LAC_OK) status = run(fully_connected(arena), arena, &on_unit, &err);
    bool equal = on_mesh && on_unit;
    printf("%s%s\n", equal ? "equal" : status == LAC_OK ? "differs" : "failed: ", err.text);
    lac_arena_close(arena);
    return !equal;
}
