// Cycles of the engine in RTL simulation for networks that others publish results on, at several densities of
// random weights, held against the least that their non-zero weights allow and against the compiler's
// prediction. Values do not change the time, so nothing is trained.
//
//   engine_cycles [NETWORK]                                   CSV to stdout; every row is checked against ref
//   engine_cycles --speed                                     how fast the simulation itself is, as CSV
#include "program_survey.h"
#include "ref.h"
#include "sample_nets.h"
#include "step_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/// An engine for a network, and images that share its mesh; every network is measured on the first of its rows
/// at all densities, on the others at 20 %.
typedef struct setting {
    int network, mesh_x, mesh_y, drain, n_images, vector;
} setting;
static const setting settings[] = {
    {RESNET8, 8, 8, 32, 1, 0},   {RESNET20, 8, 8, 32, 1, 0},   {VGG, 8, 8, 32, 1, 0},
    {DS_CNN, 5, 7, 35, 1, 0},    {MOBILENET, 3, 3, 9, 1, 0},   {MLP, 8, 8, 32, 1, 8},
    {RESNET8, 8, 4, 16, 1, 0},   {RESNET8, 8, 16, 32, 2, 0},   {RESNET8, 8, 32, 64, 4, 0},
    {MOBILENET, 3, 12, 9, 4, 0}, {MOBILENET, 3, 24, 9, 8, 0},
};
enum { N_FIRST = 6, OTHER_DENSITY = 20 };
static const int densities[] = {100, 50, 20, 10, 5};

/// Bits of the entries and skips of a list with entries of entry_bits; nothing for its end.
static uint64_t list_bits(const int8_t *w, int n, int entry_bits, int weight_bits) {
    int reach = 1 << (entry_bits - weight_bits), at = -1;
    uint64_t slots = 0;
    for (int i = 0; i < n; i++) {
        if (!w[i]) continue;
        int over = i - at - reach;
        slots += 1 + (over > 0 ? (uint64_t)((over + reach - 2) / (reach - 1)) : 0);
        at = i;
    }
    return slots * (uint64_t)entry_bits;
}

/// Program words that the weights of a fully connected layer fill in the tightest of the list formats, seamlessly,
/// and its channels' headers.
static uint64_t port_words(const lac_int_layer *layer, int n_in, int n_out, int weight_bits) {
    uint64_t fewest = UINT64_MAX;
    for (int entry_bits = 4; entry_bits <= 16; entry_bits *= 2) {
        uint64_t bits = 0;
        if (entry_bits <= weight_bits) continue;
        for (int o = 0; o < n_out; o++) bits += list_bits(layer->w + o * n_in, n_in, entry_bits, weight_bits);
        if (bits < fewest) fewest = bits;
    }
    return (fewest + 63) / 64 + (uint64_t)n_out;
}

/// The layer of a graph that a step executes: the compiler keeps names. NULL for a layer that it added.
static const lac_int_layer *layer_named(const lac_int_graph *graph, const char *name) {
    for (int l = 0; l < graph->n_layers; l++)
        if (strcmp(graph->layers[l].name, name) == 0) return &graph->layers[l];
    return NULL;
}

/// The least cycles for the weights that a graph, the network's or the image's, has for a step: an entry a cycle for
/// every pixel; of a fully connected layer, if they are fewer, the program words that its weights need.
static uint64_t ideal_cycles(const lac_image *image, int s, const lac_int_graph *graph, int weight_bits) {
    const lac_step *step = &image->steps[s];
    const lac_int_layer *layer = layer_named(graph, step->name);
    if (!layer) layer = &image->graph->layers[step->layer], graph = image->graph;
    const lac_int_tensor *in = &graph->tensors[layer->in[0]], *out = &graph->tensors[layer->out];
    const lac_layer_record record = lac_image_record(image, s);
    uint64_t visits = lac_record_visits(&record);
    if (layer->kind != LAC_INT_CONV2D) // as many entries for every channel
        return step->n_entries * visits * (uint64_t)out->c / (uint64_t)record.N_OUT;
    uint64_t ideal = visits * lac_int_layer_weights(graph, layer, true);
    if (out->h * out->w > 1) return ideal;
    uint64_t words = port_words(layer, in->c * in->h * in->w, out->c, weight_bits);
    return ideal > words || record.ORDER == LAC_ORDER_VECTOR ? words : ideal;
}

static void print_row(const sample_net *net, const setting *engine, int density, const lac_int_graph *graph,
                      const lac_image *image, lac_arena *arena, const lac_step_cycles *cycles) {
    lac_step_cost *costs = LAC_NEW_ARRAY(arena, lac_step_cost, image->n_steps);
    lac_image_costs(image, costs);
    lac_step_cycles sum = {0};
    uint64_t ideal = 0, left = 0, predicted = 0, macs = 0;
    int64_t worst_loss = 0;
    const char *worst = "-";
    for (int s = 0; s < image->n_steps; s++) {
        uint64_t least = ideal_cycles(image, s, image->graph, SAMPLE_WEIGHT_BITS);
        int64_t loss = (int64_t)cycles[s].total - (int64_t)least;
        ideal += ideal_cycles(image, s, graph, SAMPLE_WEIGHT_BITS);
        left += least;
        predicted += costs[s].total;
        macs += lac_int_layer_macs(image->graph, &image->graph->layers[image->steps[s].layer], true);
        sum.total += cycles[s].total;
        sum.compute += cycles[s].compute;
        sum.starved += cycles[s].starved;
        sum.drain += cycles[s].drain;
        sum.other += cycles[s].other;
        if (loss > worst_loss) worst_loss = loss, worst = image->steps[s].name;
        if (getenv("LAC_BENCH_STEPS"))
            fprintf(stderr, "  %-8s ideal %7" PRIu64 " total %7" PRIu64 " compute %7" PRIu64 " starved %5" PRIu64
                            " drain %5" PRIu64 " other %4" PRIu64 " skips %6" PRIu64 " words %6" PRIu64 " entry %d\n",
                    image->steps[s].name, least, cycles[s].total, cycles[s].compute, cycles[s].starved,
                    cycles[s].drain, cycles[s].other, image->steps[s].n_skips, image->steps[s].stream_words,
                    image->steps[s].entry_bits);
    }
    double ratio = (double)sum.total / (double)ideal;
    printf("%s,%dx%d,%d,%d,%d,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%.3f,%.3f,%.2f,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
           ",%s,%" PRIu64 ",%.2f,%.1f\n",
           net->name, engine->mesh_x, engine->mesh_y, engine->drain, engine->n_images, density, ideal, left, sum.total,
           ratio, (double)sum.total / (double)left, net->target,
           ratio <= net->target ? "yes" : "no", sum.compute, sum.starved, sum.drain, sum.other, worst, predicted,
           100.0 * ((double)predicted - (double)sum.total) / (double)sum.total,
           100.0 * (double)macs * engine->n_images / ((double)sum.total * engine->mesh_x * engine->mesh_y));
    fflush(stdout);
}

static lac_status measure(const setting *at, int density, lac_error *err) {
    const sample_net *net = &sample_nets[at->network];
    const lac_engine_config engine = {.mesh_x = at->mesh_x,
                                      .mesh_y = at->mesh_y,
                                      .drain = at->drain,
                                      .acc_bits = 24,
                                      .act_words = 32768,
                                      .list_words = 8192,
                                      .act_bits = 4,
                                      .vector = at->vector};
    lac_arena *arena = lac_arena_open();
    lac_int_graph *graph = sample_graph(net, density, arena);
    lac_image *image;
    lac_status status = lac_compile_batch(graph, &engine, at->n_images, arena, &image, err);
    if (status == LAC_OK) {
        lac_step_cycles *cycles = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
        status = sample_run(image, arena, cycles, err);
        if (status == LAC_OK) print_row(net, at, density, graph, image, arena, cycles);
    }
    lac_arena_close(arena);
    return status;
}

// ---- the simulation's own speed ---------------------------------------------------------------------------

enum { SPEED_MESH = 8, SPEED_DRAIN = 32, SPEED_DENSITY = 20, SPEED_SECONDS = 3 };

/// Runs of a network on one thread until they have taken their time; cycles of them all, and processor time.
static lac_status time_runs(const lac_image *image, lac_arena *arena, uint64_t *n_cycles, double *seconds,
                            lac_error *err) {
    const lac_device_desc *device = lac_device_find("rtl");
    const lac_device_config config = {.stall_seed = 0};
    const lac_int_graph *graph = image->graph;
    int32_t **values = reference_values(graph, arena, 1);
    int32_t *out = LAC_NEW_ARRAY(arena, int32_t, lac_int_tensor_count(&graph->tensors[graph->output]));
    lac_step_cycles *cycles = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
    void *state;
    LAC_TRY(device->open(image, &config, NULL, &state, err));
    lac_status status = LAC_OK;
    clock_t begin = clock();
    *n_cycles = 0;
    do {
        status = device->run(state, values[graph->input], out, NULL, cycles, err);
        for (int s = 0; s < image->n_steps; s++) *n_cycles += cycles[s].total;
    } while (status == LAC_OK && clock() - begin < SPEED_SECONDS * CLOCKS_PER_SEC);
    *seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    device->close(state);
    return status;
}

static lac_status print_speed(lac_error *err) {
    const lac_engine_config engine = {.mesh_x = SPEED_MESH,
                                      .mesh_y = SPEED_MESH,
                                      .drain = SPEED_DRAIN,
                                      .acc_bits = 24,
                                      .act_words = 32768,
                                      .list_words = 8192,
                                      .act_bits = 4};
    lac_arena *arena = lac_arena_open();
    lac_int_graph *graph = sample_graph(&sample_nets[RESNET8], SPEED_DENSITY, arena);
    lac_image *image;
    uint64_t n_cycles = 0;
    double seconds = 0;
    lac_status status = lac_compile(graph, &engine, arena, &image, err);
    if (status == LAC_OK) status = time_runs(image, arena, &n_cycles, &seconds, err);
    if (status == LAC_OK) {
        double macs = (double)n_cycles * SPEED_MESH * SPEED_MESH / seconds;
        printf("network,lanes,density,cycles,cpu_seconds,million_cycles_per_second,million_lane_cycles_per_second\n"
               "resnet-8,%d,%d,%" PRIu64 ",%.2f,%.2f,%.0f\n",
               SPEED_MESH * SPEED_MESH, SPEED_DENSITY, n_cycles, seconds, (double)n_cycles / seconds * 1e-6,
               macs * 1e-6);
    }
    lac_arena_close(arena);
    return status;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--speed") == 0) {
        lac_error err = {0};
        if (print_speed(&err) == LAC_OK) return 0;
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("network,mesh,drain,images,density,ideal_cycles,left_cycles,cycles,ratio,ratio_to_left,target,met,compute,starved,drain_cycles,"
           "other,largest_loss,predicted_cycles,prediction_error_percent,lanes_busy_percent\n");
    for (int i = 0; i < (int)(sizeof settings / sizeof *settings); i++)
        for (size_t k = 0; k < sizeof densities / sizeof *densities; k++) {
            const char *name = sample_nets[settings[i].network].name;
            lac_error err = {0};
            if (argc > 1 && strcmp(argv[1], name) != 0) continue;
            if (i >= N_FIRST && densities[k] != OTHER_DENSITY) continue;
            if (measure(&settings[i], densities[k], &err) == LAC_OK) continue;
            fprintf(stderr, "%s at %d %%: %s\n", name, densities[k], err.text);
            return 1;
        }
    return 0;
}
