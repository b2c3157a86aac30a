// What we write, judged by others: the standard's checker accepts it, ONNX Runtime computes what we compute.
#include "every_op.h"
#include "file.h"
#include "judge.h"
#include "onnx.h"
#include "train.h"

enum { IMAGES = 20 };

static int check(const lac_graph *graph, char text[512]) {
    lac_error err = {0};
    if (lac_onnx_write(graph, model_path, &err) != LAC_OK) fail_msg("%s", err.text);
    char arguments[512];
    snprintf(arguments, sizeof arguments, "check '%s' '%s'", model_path, plain_path);
    return judge(checker, arguments, text);
}

// Logits of random images, shifted by `error` so that a test can plant a fault. In a quantized graph a code
// on a rounding tie may fall either way when float sums are ordered differently: `most` images may.
static int run(const lac_graph *graph, float error, int most, char text[512]) {
    int code = check(graph, text);
    if (code != 0) return code;
    lac_arena *arena = lac_arena_open();
    lac_error err = {0};
    lac_rng rng = lac_rng_make(11, 0);
    size_t n_x = IMAGES * (size_t)lac_shape_count(graph->values[graph->input].shape);
    float *x = LAC_NEW_ARRAY(arena, float, n_x);
    for (size_t i = 0; i < n_x; i++) x[i] = lac_rng_normal(&rng);
    // The file is read back, so that the reader is in the loop as well.
    lac_graph *back = NULL;
    if (lac_onnx_read(model_path, arena, &back, &err) != LAC_OK) fail_msg("%s", err.text);
    size_t n_logits = IMAGES * (size_t)lac_shape_count(back->values[back->output].shape);
    float *logits = LAC_NEW_ARRAY(arena, float, n_logits);
    if (lac_infer(back, x, IMAGES, logits, &err) != LAC_OK) fail_msg("%s", err.text);
    for (size_t i = 0; i < n_logits; i += n_logits / IMAGES) logits[i] += error;
    assert_int_equal(lac_file_write(x_path, x, n_x * sizeof *x, NULL), LAC_OK);
    assert_int_equal(lac_file_write(logits_path, logits, n_logits * sizeof *logits, NULL), LAC_OK);
    lac_arena_close(arena);
    char arguments[1024];
    snprintf(arguments, sizeof arguments, "run '%s' '%s' '%s' %d", plain_path, x_path, logits_path, most);
    return judge(runtime(), arguments, text);
}

// Closes the arena of the graph in any case, because skip() and failures jump away.
static void expect_fine(int code, const char *text, const lac_graph *graph, lac_arena *arena) {
    char name[64];
    snprintf(name, sizeof name, "%s", graph->name);
    lac_arena_close(arena);
    if (code == NOT_INSTALLED) skip();
    if (code != 0) fail_msg("%s: %s", name, text);
    if (*text) print_message("%s: %s\n", name, text);
}

static void the_checker_accepts_every_op(void **state) {
    (void)state;
    for (int quantized = 0; quantized < 2; quantized++) {
        char text[512];
        lac_arena *arena = lac_arena_open();
        lac_graph *graph = every_op_graph(arena, quantized);
        int code = check(graph, text);
        expect_fine(code, text, graph, arena);
    }
}

static void the_runtime_agrees_on_every_op(void **state) {
    (void)state;
    for (int quantized = 0; quantized < 2; quantized++) {
        char text[512];
        lac_arena *arena = lac_arena_open();
        lac_graph *graph = every_op_graph(arena, quantized);
        int code = run(graph, 0, quantized ? IMAGES / 10 : 0, text);
        expect_fine(code, text, graph, arena);
    }
}

static void checker_and_runtime_take_every_network(void **state) {
    (void)state;
    for (int i = 0; i < lac_n_nets(); i++) {
        char text[512];
        lac_arena *arena = lac_arena_open();
        lac_graph *graph = lac_net_row(i)->build(arena, 1, 28, 28, 10, 1);
        int code = run(graph, 0, 0, text);
        expect_fine(code, text, graph, arena);
    }
}

static void the_judge_notices_wrong_logits(void **state) {
    (void)state;
    for (int quantized = 0; quantized < 2; quantized++) {
        lac_arena *arena = lac_arena_open();
        char text[512];
        int code = run(every_op_graph(arena, quantized), 0.01f, IMAGES / 10, text);
        lac_arena_close(arena);
        if (code == NOT_INSTALLED) skip();
        assert_int_equal(code, 1);
        assert_non_null(strstr(text, "20 differ"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checker_accepts_every_op),
        cmocka_unit_test(the_runtime_agrees_on_every_op),
        cmocka_unit_test(checker_and_runtime_take_every_network),
        cmocka_unit_test(the_judge_notices_wrong_logits),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
