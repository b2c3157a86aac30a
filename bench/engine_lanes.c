// What a number of lanes makes of a network, in the best split into meshes: every mesh is an engine of its own, with its
// own program stream and input images (the compute units of a device), so meshes never wait for each other and work is
// shared by images. The compiler's prediction chooses the number of meshes, their shape and the images that share one;
// then one of these meshes is simulated in RTL, and checked against ref.
//
//   engine_lanes [NETWORK]     CSV to stdout, for 32, 64, 128 and 256 lanes at 20 % density
//   engine_lanes --headline    images a second and latency of ResNet-8 on one mesh of lanes without DSP blocks
#include "program_survey.h"
#include "sample_nets.h"
#include "step_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DENSITY = 20, MOST_MESHES = 8, LEAST_LANES = 9, LONGEST_SIDE = 32, WIDEST_DRAIN = 64, CLOCK_HZ = 100000000 };

typedef struct choice {
    int meshes;
    lac_engine_config engine;
    int images;     ///< that share one mesh
    double cycles;  ///< predicted, for one image on all meshes
} choice;

static uint64_t predicted_cycles(const lac_image *image, lac_arena *arena) {
    lac_step_cost *costs = LAC_NEW_ARRAY(arena, lac_step_cost, image->n_steps);
    uint64_t sum = 0;
    lac_image_costs(image, costs);
    for (int s = 0; s < image->n_steps; s++) sum += costs[s].total;
    return sum;
}

/// Predicts c; images are the compiler's choice where 0. False where the network cannot be compiled so.
static bool predict(const lac_int_graph *graph, choice *c) {
    lac_arena *arena = lac_arena_open();
    lac_image *image = NULL;
    bool ok = lac_compile_batch(graph, &c->engine, c->images, arena, &image, NULL) == LAC_OK;
    if (ok) {
        c->images = lac_image_batch(image);
        c->cycles = (double)predicted_cycles(image, arena) / c->images / c->meshes;
    }
    lac_arena_close(arena);
    return ok;
}

static int widest_drain(int lanes, int at_most) {
    int drain = at_most < lanes ? at_most : lanes;
    while (lanes % drain) drain--;
    return drain;
}

static choice make_choice(int meshes, int mesh_x, int mesh_y, int drain, int images) {
    return (choice){.meshes = meshes,
                    .images = images,
                    .engine = {.mesh_x = mesh_x,
                               .mesh_y = mesh_y,
                               .drain = drain,
                               .acc_bits = 24,
                               .act_words = 32768,
                               .list_words = 8192,
                               .act_bits = SAMPLE_ACT_BITS}};
}

/// Of all shapes with their widest drain, for every number of images.
static void try_shape(const lac_int_graph *graph, int meshes, int mesh_x, int mesh_y, choice *best) {
    for (int images = 1; images <= 8; images *= 2) {
        // A drain as wide as an image's part of the mesh, where images share one along y.
        int lanes = mesh_x * mesh_y;
        if (lanes % images) continue;
        choice c = make_choice(meshes, mesh_x, mesh_y, widest_drain(lanes / images, WIDEST_DRAIN), images);
        // Another mesh must gain something: it has a parser, a decoder and a list memory of its own.
        double less = best->meshes < meshes ? 0.98 : 1;
        if (predict(graph, &c) && (best->cycles == 0 || c.cycles < less * best->cycles)) *best = c;
    }
}

/// The narrowest drain that costs at most 2 % more.
static void narrow_drain(const lac_int_graph *graph, choice *best) {
    double most = best->cycles * 1.02;
    int lanes = best->engine.mesh_x * best->engine.mesh_y;
    for (int drain = best->engine.drain - 1; drain > 0; drain--) {
        choice c = *best;
        c.engine.drain = drain;
        if (lanes % drain) continue;
        if (!predict(graph, &c)) continue;
        if (c.cycles > most) return;
        *best = c;
    }
}

static choice best_split(const lac_int_graph *graph, int lanes) {
    choice best = {0};
    for (int meshes = 1; meshes <= MOST_MESHES; meshes++)
        for (int mesh_x = 2; mesh_x <= LONGEST_SIDE; mesh_x++) {
            int mesh_y = lanes / meshes / mesh_x;
            if (mesh_y < mesh_x || mesh_y > LONGEST_SIDE || mesh_x * mesh_y < LEAST_LANES) continue;
            // Shapes that leave over a tenth of the lanes are never the best.
            if (mesh_x * mesh_y * meshes * 10 >= lanes * 9) try_shape(graph, meshes, mesh_x, mesh_y, &best);
        }
    narrow_drain(graph, &best);
    return best;
}

static lac_status simulate(const lac_int_graph *graph, const choice *c, uint64_t *cycles, uint64_t *macs, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    lac_image *image = NULL;
    lac_status status = lac_compile_batch(graph, &c->engine, c->images, arena, &image, err);
    *cycles = *macs = 0;
    if (status == LAC_OK) {
        lac_step_cycles *steps = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
        status = sample_run(image, arena, steps, err);
        for (int s = 0; s < image->n_steps; s++) {
            *cycles += steps[s].total;
            *macs += lac_int_layer_macs(image->graph, &image->graph->layers[image->steps[s].layer], true);
        }
    }
    lac_arena_close(arena);
    return status;
}

static lac_status lanes_row(const sample_net *net, int lanes, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    const lac_int_graph *graph = sample_graph(net, DENSITY, arena);
    choice c = best_split(graph, lanes);
    uint64_t cycles, macs;
    lac_status status = simulate(graph, &c, &cycles, &macs, err);
    if (status == LAC_OK) {
        double each = (double)cycles / c.images / c.meshes;
        printf("%s,%d,%d,%d,%dx%d,%d,%d,%" PRIu64 ",%.0f,%.2f,%" PRIu64 ",%.1f\n", net->name, DENSITY, lanes, c.meshes,
               c.engine.mesh_x, c.engine.mesh_y, c.engine.drain, c.images, cycles, each,
               100.0 * (c.cycles - each) / each, macs, 100.0 * (double)macs / (each * lanes));
        fflush(stdout);
    }
    lac_arena_close(arena);
    return status;
}

// ---- the headline -----------------------------------------------------------------------------------------

/// Lanes of the row lane_array in bench/area.rows, eight times as many; DSP blocks are for the drain.
static const lac_engine_config headline_engine = {.mesh_x = 8,
                                            .mesh_y = 32,
                                            .drain = 64,
                                            .acc_bits = 20,
                                            .act_words = 1024,
                                            .list_words = 2048,
                                            .lane = LAC_LANE_LOGIC,
                                            .act_bits = SAMPLE_ACT_BITS};

static lac_status headline_row(const lac_int_graph *graph, int images, lac_error *err) {
    choice c = {.meshes = 1, .engine = headline_engine, .images = images};
    uint64_t cycles, macs;
    LAC_TRY(simulate(graph, &c, &cycles, &macs, err));
    printf("%s,%d,%dx%d,%d,%d,%" PRIu64 ",%.0f,%.3f\n", graph->name, DENSITY, c.engine.mesh_x, c.engine.mesh_y,
           c.engine.drain, images, cycles, (double)CLOCK_HZ * images / (double)cycles,
           (double)cycles * 1000 / CLOCK_HZ);
    return LAC_OK;
}

static lac_status print_headline(lac_error *err) {
    lac_arena *arena = lac_arena_open();
    const lac_int_graph *graph = sample_graph(&sample_nets[RESNET8], DENSITY, arena);
    printf("network,density,mesh,drain,images,cycles,images_per_second,latency_ms\n");
    lac_status status = LAC_OK;
    for (int images = 1; images <= 4 && status == LAC_OK; images *= 2) status = headline_row(graph, images, err);
    lac_arena_close(arena);
    return status;
}

static lac_status print_lanes(const char *only, lac_error *err) {
    printf("network,density,lanes,meshes,mesh,drain,images_a_mesh,cycles,cycles_per_image,prediction_error_percent,"
           "macs,lanes_busy_percent\n");
    for (int i = 0; i < MLP; i++) // whose layers are bound by the program port, not by lanes
        for (int lanes = 32; lanes <= 256; lanes *= 2)
            if (!only || strcmp(only, sample_nets[i].name) == 0) LAC_TRY(lanes_row(&sample_nets[i], lanes, err));
    return LAC_OK;
}

int main(int argc, char **argv) {
    lac_error err = {0};
    bool headline = argc > 1 && strcmp(argv[1], "--headline") == 0;
    lac_status status = headline ? print_headline(&err) : print_lanes(argc > 1 ? argv[1] : NULL, &err);
    if (status != LAC_OK) fprintf(stderr, "%s\n", err.text);
    return status != LAC_OK;
}
