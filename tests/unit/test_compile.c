#include "graph_builder.h"
#include "lac_num.h"
#include "layout.h"
#include "ref.h"
#include "stream_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- the model of the engine against the reference
// --------------------------------------------------------------

typedef struct comparison {
    const lac_image *image;
    lac_stream_model *model;
    int32_t **values; ///< by the reference
    int32_t *got;
    uint64_t seed;
    int n_compared;
} comparison;

static void compare_tensor(comparison *c, int step, const int32_t *got) {
    int t = c->image->steps[step].out_tensor;
    const lac_int_tensor *tensor = &c->image->graph->tensors[t];
    size_t n = lac_int_tensor_count(tensor);
    for (size_t i = 0; i < n; i++)
        if (got[i] != c->values[t][i])
            fail_msg("seed %llu, step %d '%s' (%s), value %zu of %zu: %d, reference %d",
                     (unsigned long long)c->seed, step, c->image->steps[step].name,
                     lac_int_kind_name(c->image->graph->layers[c->image->steps[step].layer].kind), i, n,
                     got[i], c->values[t][i]);
    c->n_compared++;
}

static void step_done(void *ctx, int step) {
    comparison *c = ctx;
    int t = c->image->steps[step].out_tensor;
    if (c->image->layouts[t].base == LAC_NOT_IN_MEMORY) return;
    lac_layout_extract(&c->image->engine, &c->image->layouts[t], &c->image->graph->tensors[t],
                       c->model->memory, c->got);
    compare_tensor(c, step, c->got);
}

static void model_equals_reference(const lac_image *image, uint64_t seed) {
    const lac_int_graph *graph = image->graph;
    lac_arena *arena = lac_arena_open();
    lac_error err = {0};
    comparison c = {.image = image, .seed = seed, .values = reference_values(graph, arena, seed)};
    c.model = lac_stream_model_new(&image->engine, arena);
    // Garbage where no tensor is: nothing may depend on it.
    memset(c.model->memory, 0xA5, (size_t)image->engine.act_words * (size_t)lac_engine_lanes(&image->engine));
    size_t most = 0;
    for (int t = 0; t < graph->n_tensors; t++)
        if (lac_int_tensor_count(&graph->tensors[t]) > most) most = lac_int_tensor_count(&graph->tensors[t]);
    c.got = LAC_NEW_ARRAY(arena, int32_t, most);
    lac_layout_load(&image->engine, &image->layouts[graph->input], &graph->tensors[graph->input],
                    c.values[graph->input], c.model->memory);
    lac_raw_order order = lac_image_raw_order(image);
    int32_t *sent = LAC_NEW_ARRAY(arena, int32_t, order.n);
    lac_stream_watch watch = {.step_done = step_done, .ctx = &c};
    if (lac_stream_model_run(c.model, image->program, image->n_program, sent, order.n, &watch, &err) !=
        LAC_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
    lac_raw_extract(image, &order, sent, c.got);
    compare_tensor(&c, order.step, c.got);
    assert_int_equal(c.n_compared, image->n_steps);
    lac_arena_close(arena);
}

static lac_engine_config any_engine(lac_rng *rng) {
    static const int meshes[][3] = {{7, 7, 7}, {1, 1, 1}, {4, 2, 4}, {2, 3, 2},
                                    {5, 1, 5}, {3, 3, 3}, {8, 8, 8}};
    const int *m = meshes[lac_rng_below(rng, 7)];
    return (lac_engine_config){.mesh_x = m[0],
                               .mesh_y = m[1],
                               .drain = m[2],
                               .acc_bits = 28,
                               .act_words = 16384,
                               .list_words = 4096};
}

static void random_graphs_compute_what_the_reference_does(void **state) {
    (void)state;
    enum { N = 1500 };
    int n_compiled = 0;
    for (uint64_t seed = 0; seed < N; seed++) {
        lac_arena *arena = lac_arena_open();
        lac_rng rng = lac_rng_make(seed, 3);
        lac_engine_config engine = any_engine(&rng);
        lac_image *image = NULL;
        lac_error err = {0};
        lac_status status = lac_compile(random_graph(arena, seed), &engine, arena, &image, &err);
        if (status == LAC_OK) {
            model_equals_reference(image, seed);
            n_compiled++;
        } else if (status != LAC_E_CAPACITY && status != LAC_E_UNSUPPORTED) {
            fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
        } else if (getenv("LAC_TEST_VERBOSE")) {
            printf("seed %llu: %s\n", (unsigned long long)seed, err.text);
        }
        lac_arena_close(arena);
    }
    printf("%d of %d random graphs fit their engine\n", n_compiled, N);
    assert_true(n_compiled > N * 8 / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_graphs_compute_what_the_reference_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
