// Cycles of a float graph against the compiler's prediction for the program that the graph becomes.
#include "prune_kit.h"

#include "engine_cost.h"
#include "image.h"
#include "quantize.h"
#include "step_report.h"
#include "weights.h"

enum { PIXELS = 28, IMAGES = 8 };

static lac_dataset noise(lac_arena *arena) {
    lac_dataset data = {
        .name = "noise", .c = 1, .h = PIXELS, .w = PIXELS, .n_classes = 10, .mean = {128}, .std = {64}};
    uint8_t *pixels = lac_arena_alloc(arena, IMAGES * PIXELS * PIXELS);
    lac_rng rng = lac_rng_make(1, 1);
    for (int i = 0; i < IMAGES * PIXELS * PIXELS; i++) pixels[i] = (uint8_t)lac_rng_below(&rng, 256);
    data.train = data.validation = data.test = (lac_split){pixels, lac_arena_alloc(arena, IMAGES), IMAGES};
    return data;
}

// One step of quantization-aware training on noise, which leaves zeros where they are.
static lac_graph *quantized(lac_arena *arena, const char *net, double density, const lac_dataset *data) {
    lac_graph *g = kit_build(arena, net, 1, PIXELS, 10);
    const lac_quant_config config = {
        .weight_bits = 4, .act_bits = 4, .recipe = {.epochs = 1, .batch = IMAGES, .lr = 1e-4f, .seed = 1}};
    kit_season(g, 2);
    lac_weights w = lac_weights_of(g, arena);
    float *score = LAC_NEW_ARRAY(arena, float, w.n);
    lac_weights_magnitudes(&w, score);
    ASSERT_FINE(lac_mask_scores(&w, score, (uint64_t)(density * (double)w.n), LAC_SHARE_UNIFORM, err));
    for (int i = 0; i < lac_n_quantizers(); i++)
        if (strcmp(lac_quantizer_row(i)->name, "lsq") == 0)
            ASSERT_FINE(lac_quantizer_row(i)->run(g, data, &config, NULL, err));
    ASSERT_FINE(lac_graph_infer(g, err));
    return g;
}

static double predicted(lac_arena *arena, const lac_graph *g, const lac_dataset *data,
                        const lac_engine_config *engine) {
    lac_int_graph *ig = NULL;
    lac_image *image = NULL;
    double total = 0;
    ASSERT_FINE(lac_lower(g, data, arena, &ig, err));
    ASSERT_FINE(lac_compile_whole(ig, engine, arena, &image, err));
    lac_step_cost *costs = LAC_NEW_ARRAY(arena, lac_step_cost, image->n_steps);
    lac_image_costs(image, costs);
    for (int s = 0; s < image->n_steps; s++) total += (double)costs[s].total;
    return total;
}

static double ratio(const char *net, double density, int mesh, int drain) {
    lac_arena *arena = lac_arena_open();
    lac_dataset data = noise(arena);
    lac_graph *g = quantized(arena, net, density, &data);
    lac_engine_config engine = lac_engine_default();
    engine.mesh_x = engine.mesh_y = mesh;
    engine.drain = drain;
    engine.act_words = 1 << 16;
    engine.list_words = 1 << 14;
    double said = (double)lac_engine_cycles(
        g,
        &(lac_cost_engine){.mesh_x = mesh, .mesh_y = mesh, .drain = drain, .list_words = engine.list_words},
        NULL);
    double r = said / predicted(arena, g, &data, &engine);
    lac_arena_close(arena);
    return r;
}

static void cycles_are_those_that_the_compiler_predicts(void **state) {
    (void)state;
    static const char *const nets[] = {"lacuna-tiny", "resnet8", "ds-cnn", "lenet5"};
    static const double densities[] = {1, 0.5, 0.2, 0.1, 0.05};
    bool wrong = false;
    for (int n = 0; n < 4; n++)
        for (int d = 0; d < 5; d++) {
            double r = ratio(nets[n], densities[d], 7, 7);
            print_message("%-12s density %.2f: %.4f of the compiler's cycles\n", nets[n], densities[d], r);
            wrong |= fabs(r - 1) > 1e-3;
        }
    if (wrong) fail_msg("some estimate is off by over 0.1 %%");
}

static void other_meshes_are_predicted_too(void **state) {
    (void)state;
    double small = ratio("resnet8", 0.3, 4, 4), large = ratio("resnet8", 0.3, 14, 14);
    print_message("resnet8 on 4x4 %.4f, on 14x14 %.4f\n", small, large);
    assert_true(fabs(small - 1) < 1e-3 && fabs(large - 1) < 1e-3);
}

static void batch_norms_that_are_layers_are_predicted_too(void **state) {
    (void)state;
    assert_true(fabs(ratio("densenet40", 0.1, 7, 7) - 1) < 1e-3);
}

// The comparison would notice: twice the weights are not the same cycles.
static void half_of_the_weights_take_about_half_of_the_cycles(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_dataset data = noise(arena);
    lac_cost_engine engine = {0};
    double all = (double)lac_engine_cycles(quantized(arena, "resnet8", 0.8, &data), &engine, NULL);
    double half = (double)lac_engine_cycles(quantized(arena, "resnet8", 0.4, &data), &engine, NULL);
    assert_true(half < 0.65 * all && half > 0.4 * all);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cycles_are_those_that_the_compiler_predicts),
        cmocka_unit_test(other_meshes_are_predicted_too),
        cmocka_unit_test(batch_norms_that_are_layers_are_predicted_too),
        cmocka_unit_test(half_of_the_weights_take_about_half_of_the_cycles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
