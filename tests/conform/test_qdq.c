// The model of the demo in ONNX Runtime, as QDQ and as QONNX spelled out: the class of every test image
// against that of the integer graph.
#include "quant_kit.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataset.h"
#include "file.h"
#include "onnx.h"
#include "quantize.h"
#include "ref.h"
#include "threads.h"

enum { NOT_INSTALLED = 77, LEAST_PER_MILLE = 999 };

/// What all tests share: made once, because the integers of 10,000 images take a while.
static struct {
    char folder[64];
    lac_arena *arena;
    lac_graph *graph;
    lac_dataset data;
    uint8_t *classes;
    uint32_t n;
} shared;

static const char *path_of(const char *name) {
    return lac_arena_printf(shared.arena, "%s/%s", shared.folder, name);
}

typedef struct worker_tensors {
    const lac_int_graph *graph;
    int32_t ***of; // [worker][tensor]
} worker_tensors;

static void classify(void *ctx, size_t image, int worker) {
    const worker_tensors *w = ctx;
    int32_t **values = w->of[worker];
    lac_input_codes(w->graph, shared.data.test.pixels + image * 784, values[w->graph->input]);
    lac_ref_run(w->graph, values);
    shared.classes[image] = (uint8_t)lac_int_argmax(w->graph, values[w->graph->output]);
}

static void classify_all(void) {
    lac_int_graph *g;
    ASSERT_OK(lac_lower(shared.graph, &shared.data, shared.arena, &g, err));
    worker_tensors w = {g, LAC_NEW_ARRAY(shared.arena, int32_t **, lac_n_cores())};
    for (int i = 0; i < lac_n_cores(); i++) {
        w.of[i] = LAC_NEW_ARRAY(shared.arena, int32_t *, g->n_tensors);
        for (int t = 0; t < g->n_tensors; t++)
            w.of[i][t] = LAC_NEW_ARRAY(shared.arena, int32_t, lac_int_tensor_count(&g->tensors[t]));
    }
    shared.classes = LAC_NEW_ARRAY(shared.arena, uint8_t, shared.n);
    lac_parallel_for(shared.n, lac_n_cores(), classify, &w);
}

static int set_up(void **state) {
    (void)state;
    strcpy(shared.folder, "/tmp/lacuna-test-XXXXXX");
    if (!mkdtemp(shared.folder)) return -1;
    shared.arena = lac_arena_open();
    ASSERT_OK(
        lac_onnx_read(LAC_SOURCE_DIR "/models/lacuna-tiny-w4a4.onnx", shared.arena, &shared.graph, err));
    ASSERT_OK(lac_dataset_open("fashion-mnist", shared.arena, &shared.data, err));
    shared.n = shared.data.test.n;
    classify_all();
    float *x = LAC_NEW_ARRAY(shared.arena, float, shared.n * 784);
    lac_normalize(&shared.data, shared.data.test.pixels, shared.n, x);
    ASSERT_OK(lac_file_write(path_of("x.bin"), x, shared.n * 784 * sizeof *x, err));
    return 0;
}

static int tear_down(void **state) {
    static const char *const names[] = {"x.bin", "classes.bin", "model.onnx", "plain.onnx"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(path_of(names[i]));
    rmdir(shared.folder);
    lac_arena_close(shared.arena);
    return 0;
}

static int run(const char *command, char text[512]) {
    FILE *out = popen(command, "r");
    assert_non_null(out);
    text[0] = 0;
    for (char line[512]; fgets(line, sizeof line, out);) strcpy(text, line);
    text[strcspn(text, "\n")] = 0;
    int status = pclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int judge(const char *model, const uint8_t *classes, char text[512]) {
    const char *python = getenv("LACUNA_PYTHON");
    ASSERT_OK(lac_file_write(path_of("classes.bin"), classes, shared.n, err));
    return run(
        lac_arena_printf(shared.arena, "'%s' '%s/tests/conform/classes_agree.py' '%s' '%s' '%s' %.4f 2>&1",
                         python && *python ? python : "/usr/bin/python3", LAC_SOURCE_DIR, path_of(model),
                         path_of("x.bin"), path_of("classes.bin"), LEAST_PER_MILLE / 1000.0),
        text);
}

static void expect_fine(int code, const char *text) {
    print_message("%s\n", text);
    if (code == NOT_INSTALLED) skip();
    assert_int_equal(code, 0);
}

static void as_qdq_the_classes_are_the_same(void **state) {
    char text[512];
    (void)state;
    ASSERT_OK(lac_onnx_write_as(shared.graph, LAC_ONNX_QDQ, path_of("model.onnx"), err));
    expect_fine(judge("model.onnx", shared.classes, text), text);
}

static void as_qonnx_the_classes_are_the_same(void **state) {
    char text[512];
    (void)state;
    ASSERT_OK(lac_onnx_write(shared.graph, path_of("model.onnx"), err));
    int code = run(lac_arena_printf(shared.arena,
                                    "/usr/bin/python3 '%s/tests/conform/onnx_agrees.py' check '%s' '%s' 2>&1",
                                    LAC_SOURCE_DIR, path_of("model.onnx"), path_of("plain.onnx")),
                   text);
    if (code == 0) code = judge("plain.onnx", shared.classes, text);
    expect_fine(code, text);
}

static void the_judge_notices_two_images_in_a_thousand(void **state) {
    char text[512];
    (void)state;
    uint8_t *wrong = lac_arena_copy(shared.arena, shared.classes, shared.n);
    for (uint32_t i = 0; i < shared.n; i += 500) wrong[i] = (uint8_t)((wrong[i] + 1) % 10);
    ASSERT_OK(lac_onnx_write_as(shared.graph, LAC_ONNX_QDQ, path_of("model.onnx"), err));
    int code = judge("model.onnx", wrong, text);
    if (code == NOT_INSTALLED) skip();
    assert_int_equal(code, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_qdq_the_classes_are_the_same),
        cmocka_unit_test(as_qonnx_the_classes_are_the_same),
        cmocka_unit_test(the_judge_notices_two_images_in_a_thousand),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
