// Pruned networks, judged by others: the standard's checker accepts the file, ONNX Runtime computes what we
// compute.
#include "prune_kit.h"

#include "file.h"
#include "judge.h"
#include "onnx.h"

enum { IMAGES = 4 };

// A network with about half of its gates closed.
static lac_graph *pruned(lac_arena *arena, const char *net) {
    lac_graph *graph = kit_build(arena, net, 1, 28, 10);
    kit_season(graph, 3);
    lac_channels *channels = lac_channels_find(graph, arena);
    lac_gate_rules rules = lac_gate_rules_for(graph, true);
    lac_gates *gates = lac_gates_find(graph, channels, &rules, arena);
    bool *open = LAC_NEW_ARRAY(arena, bool, gates->n);
    double *score = LAC_NEW_ARRAY(arena, double, gates->n);
    lac_rng rng = lac_rng_make(2, 2);
    for (int i = 0; i < gates->n; i++) {
        score[i] = (double)lac_rng_uniform(&rng);
        open[i] = score[i] > 0.5;
    }
    lac_gates_keep_one(gates, score, open);
    ASSERT_FINE(lac_gates_remove(graph, gates, open, err));
    return graph;
}

// Logits of random images, all off by `error` in one place so that a test can plant a fault.
static int run(const lac_graph *graph, float error, char text[512]) {
    lac_arena *arena = lac_arena_open();
    char arguments[1024];
    int64_t n_logits;
    size_t n_x = IMAGES * (size_t)lac_shape_count(graph->values[graph->input].shape);
    ASSERT_FINE(lac_onnx_write(graph, model_path, err));
    lac_rng rng = lac_rng_make(5, 5); // the images of kit_logits
    float *x = LAC_NEW_ARRAY(arena, float, n_x), *logits = kit_logits(arena, graph, IMAGES, &n_logits);
    for (size_t i = 0; i < n_x; i++) x[i] = lac_rng_normal(&rng);
    for (int64_t i = 0; i < n_logits; i += n_logits / IMAGES) logits[i] *= 1 + error;
    for (int64_t i = 0; i < n_logits; i += n_logits / IMAGES) logits[i] += error;
    ASSERT_FINE(lac_file_write(x_path, x, n_x * sizeof *x, err));
    ASSERT_FINE(lac_file_write(logits_path, logits, (size_t)n_logits * sizeof *logits, err));
    lac_arena_close(arena);
    snprintf(arguments, sizeof arguments, "check '%s' '%s'", model_path, plain_path);
    int code = judge(checker, arguments, text);
    if (code != 0) return code;
    snprintf(arguments, sizeof arguments, "run '%s' '%s' '%s' 0", plain_path, x_path, logits_path);
    return judge(runtime(), arguments, text);
}

static void the_runtime_agrees_on_every_pruned_network(void **state) {
    (void)state;
    for (int i = 0; i < lac_n_nets(); i++) {
        lac_arena *arena = lac_arena_open();
        char text[512];
        int code = run(pruned(arena, lac_net_row(i)->name), 0, text);
        lac_arena_close(arena);
        if (code == NOT_INSTALLED) skip();
        if (code != 0) fail_msg("%s: %s", lac_net_row(i)->name, text);
    }
}

static void the_judge_notices_wrong_logits(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    char text[512];
    int code = run(pruned(arena, "resnet20"), 0.05f, text);
    lac_arena_close(arena);
    if (code == NOT_INSTALLED) skip();
    assert_int_equal(code, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_runtime_agrees_on_every_pruned_network),
        cmocka_unit_test(the_judge_notices_wrong_logits),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
