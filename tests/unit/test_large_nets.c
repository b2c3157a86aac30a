// Networks for images of 224 x 224 on an engine with room for them: they compile, and the engine's model and
// the RTL compute what the reference does.
#include "random_nets.h"

#include "calibrate.h"
#include "device.h"
#include "image.h"
#include "quantize.h"
#include "ref.h"
#include "sites.h"
#include "train.h"

#include <stdio.h>

// 224 pixels shrink by 32: tiles of 32 on 7 x 7 lanes.
static const lac_engine_config engine = {
    .mesh_x = 7, .mesh_y = 7, .drain = 7, .acc_bits = 24, .act_words = 65536, .list_words = 8192};

static const lac_net_desc *net_named(const char *name) {
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, name) == 0) return lac_net_row(i);
    fail_msg("no network '%s'", name);
    return NULL;
}

// One weight in ten stays.
static void prune_at_random(lac_graph *g) {
    lac_rng rng = lac_rng_make(3, 1);
    for (int n = 0; n < g->n_nodes; n++) {
        if (g->nodes[n].op != LAC_OP_CONV2D && g->nodes[n].op != LAC_OP_LINEAR) continue;
        lac_value *w = &g->values[g->nodes[n].in[1]];
        for (int64_t i = 0; i < lac_shape_count(w->shape); i++)
            w->data[i] = lac_rng_below(&rng, 10) ? 0 : 3.2f * w->data[i];
    }
}

static lac_int_graph *lowered(lac_arena *arena, const char *name, lac_dataset *data) {
    *data = make_noise_data(arena, 3, 224, 224, 10, 8, 1);
    lac_graph *g = net_named(name)->build(arena, 3, 224, 224, 10, 1);
    const lac_quant_config config = {.weight_bits = 4, .act_bits = 8};
    lac_quant_sites sites;
    float *scale;
    int *zero;
    lac_int_graph *out = NULL;
    prune_at_random(g);
    ASSERT_OK(lac_graph_infer(g, err));
    ASSERT_OK(lac_quant_sites_plan(g, &config, arena, &sites, err));
    ASSERT_OK(lac_calibrate(g, data, &config, &sites, arena, &scale, &zero, err));
    ASSERT_OK(lac_quant_sites_insert(g, &sites, scale, zero, err));
    ASSERT_OK(lac_lower(g, data, arena, &out, err));
    return out;
}

static void run_on(const lac_device_desc *device, const lac_image *image, const int32_t *input,
                   const int32_t *expected) {
    lac_arena *arena = lac_arena_open();
    const lac_device_config config = {0};
    void *state = NULL;
    size_t n = lac_int_tensor_count(&image->graph->tensors[image->graph->output]);
    int32_t *out = LAC_NEW_ARRAY(arena, int32_t, n);
    lac_step_cycles *cycles = LAC_NEW_ARRAY(arena, lac_step_cycles, image->n_steps);
    ASSERT_OK(device->open(image, &config, NULL, &state, err));
    ASSERT_OK(device->run(state, input, out, NULL, cycles, err));
    device->close(state);
    assert_memory_equal(out, expected, n * sizeof *out);
    uint64_t total = 0, ideal = 0;
    bool differs = false; // from logit to logit, so that they are the image's
    for (int s = 0; s < image->n_steps; s++) total += cycles[s].total, ideal += image->steps[s].ideal_cycles;
    for (size_t i = 1; i < n; i++) differs |= out[i] != out[0];
    assert_true(differs);
    print_message("%s on %s: %d steps, %zu program words, %llu entries issued, %llu cycles\n",
                  image->graph->name, device->name, image->n_steps, image->n_program,
                  (unsigned long long)ideal, (unsigned long long)total);
    lac_arena_close(arena);
}

static void compiles_and_runs(const char *name) {
    lac_arena *arena = lac_arena_open();
    lac_dataset data;
    lac_image *image = NULL;
    ASSERT_OK(lac_compile(lowered(arena, name, &data), &engine, arena, &image, err));
    const lac_int_graph *g = image->graph;
    int32_t **values = LAC_NEW_ARRAY(arena, int32_t *, g->n_tensors);
    for (int t = 0; t < g->n_tensors; t++)
        values[t] = LAC_NEW_ARRAY(arena, int32_t, lac_int_tensor_count(&g->tensors[t]));
    lac_input_codes(g, data.test.pixels, values[g->input]);
    lac_ref_run(g, values);
    static const char *const names[] = {"model", "hls", "rtl"};
    for (int d = 0; d < 3; d++)
        if (lac_device_find(names[d]))
            run_on(lac_device_find(names[d]), image, values[g->input], values[g->output]);
    lac_arena_close(arena);
}

static void mobilenet_v2_at_224_pixels(void **state) {
    (void)state;
    compiles_and_runs("mobilenet-v2");
}

static void resnet50_at_224_pixels(void **state) {
    (void)state;
    compiles_and_runs("resnet50");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mobilenet_v2_at_224_pixels),
        cmocka_unit_test(resnet50_at_224_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
