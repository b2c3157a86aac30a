// From float graphs with ops that rearrange to what every device makes of them.
#include "random_nets.h"

#include "calibrate.h"
#include "device.h"
#include "image.h"
#include "quantize.h"
#include "ref.h"
#include "sites.h"

#include <stdio.h>

enum { N_NETS = 30, N_NETS_WITH_CLOCK = 3, N_IMAGES = 2 };

// Lanes that multiply, and lanes that add digits.
static const lac_engine_config engines[] = {
    {.mesh_x = 4, .mesh_y = 3, .drain = 4, .acc_bits = 24, .act_words = 4096, .list_words = 1024},
    {.mesh_x = 4, .mesh_y = 3, .drain = 2, .acc_bits = 24, .act_words = 4096, .list_words = 2048, .lane = 1},
};

static lac_int_graph *lowered_net(lac_arena *arena, uint64_t seed, lac_dataset *data) {
    *data = make_noise_data(arena, 1 + (int)(seed % 3), 8, 9, 5, 40, seed);
    lac_graph *g = make_random_net_with(arena, seed, data, NET_MOVES);
    const lac_quant_config config = {.weight_bits = 4, .act_bits = 5};
    lac_quant_sites sites;
    float *scale;
    int *zero;
    lac_int_graph *out = NULL;
    ASSERT_OK(lac_quant_sites_plan(g, &config, arena, &sites, err));
    ASSERT_OK(lac_calibrate(g, data, &config, &sites, arena, &scale, &zero, err));
    ASSERT_OK(lac_quant_sites_insert(g, &sites, scale, zero, err));
    ASSERT_OK(lac_lower(g, data, arena, &out, err));
    return out;
}

static int32_t **reference(const lac_int_graph *g, lac_arena *arena, const uint8_t *pixels) {
    int32_t **values = LAC_NEW_ARRAY(arena, int32_t *, g->n_tensors);
    for (int t = 0; t < g->n_tensors; t++)
        values[t] = LAC_NEW_ARRAY(arena, int32_t, lac_int_tensor_count(&g->tensors[t]));
    lac_input_codes(g, pixels, values[g->input]);
    lac_ref_run(g, values);
    return values;
}

typedef struct seen {
    const lac_image *image;
    int32_t **values; // by the reference
    const char *device;
    uint64_t seed;
} seen;

static void see(void *ctx, int step, int k, const int32_t *values) {
    const seen *s = ctx;
    assert_int_equal(k, 0);
    int t = s->image->steps[step].out_tensor;
    for (size_t i = 0; i < lac_int_tensor_count(&s->image->graph->tensors[t]); i++)
        if (values[i] != s->values[t][i])
            fail_msg("net %d on %s, step '%s', value %zu: %d, not %d", (int)s->seed, s->device,
                     s->image->steps[step].name, i, values[i], s->values[t][i]);
}

static void run_net(uint64_t seed, const lac_device_desc *device, const lac_engine_config *engine) {
    lac_arena *arena = lac_arena_open();
    lac_dataset data;
    lac_image *image = NULL;
    ASSERT_OK(lac_compile(lowered_net(arena, seed, &data), engine, arena, &image, err));
    const lac_int_graph *g = image->graph;
    const lac_device_config config = {.stall_seed = seed};
    void *device_state = NULL;
    ASSERT_OK(device->open(image, &config, NULL, &device_state, err));
    int32_t *out = LAC_NEW_ARRAY(arena, int32_t, lac_int_tensor_count(&g->tensors[g->output]));
    for (int i = 0; i < N_IMAGES; i++) {
        const uint8_t *pixels = data.test.pixels + i * data.c * data.h * data.w;
        seen s = {image, reference(g, arena, pixels), device->name, seed};
        const lac_device_watch watch = {see, &s};
        ASSERT_OK(device->run(device_state, s.values[g->input], out, &watch, NULL, err));
        assert_memory_equal(out, s.values[g->output], 4 * lac_int_tensor_count(&g->tensors[g->output]));
    }
    device->close(device_state);
    lac_arena_close(arena);
}

// Where there is a choice of places, a compiler is started for every image.
static uint64_t most_nets(const lac_device_desc *device, uint64_t n) {
    return device->place && n > 2 ? 2 : n;
}

static void run_nets(bool has_cycles, uint64_t n) {
    for (int d = 0; d < lac_n_devices(); d++)
        for (int e = 0; e < 2; e++)
            for (uint64_t seed = 1; seed <= most_nets(lac_device_row(d), n); seed++)
                if (lac_device_row(d)->has_cycles == has_cycles)
                    run_net(seed, lac_device_row(d), &engines[e]);
}

static void devices_without_a_clock_equal_the_reference(void **state) {
    (void)state;
    run_nets(false, N_NETS);
}

static bool is_circular(const lac_graph *g, const lac_node *node) {
    (void)g;
    return node->op == LAC_OP_PAD && node->attr.move.circular;
}

static bool is_norm_of_codes(const lac_graph *g, const lac_node *node) {
    return node->op == LAC_OP_BATCH_NORM && lac_graph_n_readers(g, node->in[0]) > 1;
}

/// The first of the nets with such a node.
static uint64_t first_net_with(bool (*is)(const lac_graph *, const lac_node *)) {
    lac_arena *arena = lac_arena_open();
    uint64_t found = 0;
    for (uint64_t seed = 1; seed <= N_NETS && !found; seed++) {
        lac_dataset data = make_noise_data(arena, 1 + (int)(seed % 3), 8, 9, 5, 40, seed);
        const lac_graph *g = make_random_net_with(arena, seed, &data, true);
        for (int n = 0; n < g->n_nodes; n++)
            if (is(g, &g->nodes[n])) found = seed;
    }
    lac_arena_close(arena);
    assert_true(found > 0);
    return found;
}

static void devices_with_a_clock_equal_the_reference(void **state) {
    (void)state;
    run_nets(true, N_NETS_WITH_CLOCK);
}

static void run_first_net_with(bool (*is)(const lac_graph *, const lac_node *)) {
    const uint64_t seed = first_net_with(is);
    for (int d = 0; d < lac_n_devices(); d++)
        for (int e = 0; e < 2; e++)
            if (lac_device_row(d)->has_cycles) run_net(seed, lac_device_row(d), &engines[e]);
}

static void so_they_do_with_circular_rims_and_batch_norms_of_codes(void **state) {
    (void)state;
    run_first_net_with(is_circular);
    run_first_net_with(is_norm_of_codes);
}

int main(int argc, char **argv) {
    const struct CMUnitTest quick[] = {cmocka_unit_test(devices_without_a_clock_equal_the_reference)};
    const struct CMUnitTest full[] = {
        cmocka_unit_test(devices_with_a_clock_equal_the_reference),
        cmocka_unit_test(so_they_do_with_circular_rims_and_batch_norms_of_codes),
    };
    if (argc > 1 && strcmp(argv[1], "clock") == 0) return cmocka_run_group_tests(full, NULL, NULL);
    return cmocka_run_group_tests(quick, NULL, NULL);
}
