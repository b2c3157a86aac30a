// Pruning with the quantizers in place: one training brings weights to zero and to codes.
#include "learned.h"

#include "prune.h"
#include "quantize.h"

static lac_graph *quantized(const learned *l) {
    lac_graph *graph = lac_graph_copy(l->graph, l->arena);
    const lac_quant_config config = {
        .weight_bits = 4, .act_bits = 4, .recipe = {.epochs = 1, .batch = 30, .lr = 0.01f, .seed = 1}};
    for (int i = 0; i < lac_n_quantizers(); i++)
        if (strcmp(lac_quantizer_row(i)->name, "lsq") == 0)
            ASSERT_FINE(lac_quantizer_row(i)->run(graph, &l->data, &config, NULL, err));
    return graph;
}

// Share of the codes of all layers that are zero, and how right the integers are.
static double zeros_of(const learned *l, const lac_graph *graph) {
    lac_int_graph *integers;
    double n = 0, left = 0;
    ASSERT_FINE(lac_lower(graph, &l->data, l->arena, &integers, err));
    for (int i = 0; i < integers->n_layers; i++) {
        if (integers->layers[i].kind != LAC_INT_CONV2D) continue;
        n += (double)lac_int_layer_weights(integers, &integers->layers[i], false);
        left += (double)lac_int_layer_weights(integers, &integers->layers[i], true);
    }
    return 1 - left / n;
}

static void one_training_prunes_what_is_quantized(void **state) {
    const learned *l = *state;
    lac_graph *graph = quantized(l);
    double before = zeros_of(l, graph);
    lac_prune_config config = {.density = 0.25, .recipe = {.epochs = 4, .batch = 30, .lr = 0.02f, .seed = 3}};
    ASSERT_FINE(lac_pruner_find("magnitude")->run(graph, &l->data, &config, NULL, err));
    ASSERT_FINE(lac_graph_check(graph, err));
    double after = zeros_of(l, graph);
    if (!(before < 0.7 && after >= 0.75 - 1e-6))
        fail_msg("%.3f of the codes are zero, before %.3f", after, before);
    lac_eval_result result;
    ASSERT_FINE(lac_evaluate(graph, &l->data, &l->data.validation, 0, NULL, &result, err));
    if (!(result.accuracy > 0.5)) fail_msg("accuracy is %.3f", result.accuracy); // chance is a quarter
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_training_prunes_what_is_quantized)};
    return cmocka_run_group_tests(tests, learn, forget);
}
