// Training as its contract says: it learns, it repeats itself bit for bit, also across stops, and keeps its
// masks.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "file.h"
#include "train_fixture.h"

typedef struct world {
    lac_arena *arena;
    lac_dataset data;
    lac_graph *graph;
    char checkpoint[64], metrics[64];
} world;

static world open_world(void) {
    world w = {.arena = lac_arena_open()};
    w.data = synthetic_dataset(w.arena);
    w.graph = synthetic_net(w.arena);
    snprintf(w.checkpoint, sizeof w.checkpoint, "test_train_%d.ckpt", (int)getpid());
    snprintf(w.metrics, sizeof w.metrics, "test_train_%d.jsonl", (int)getpid());
    return w;
}

static void close_world(world *w) {
    unlink(w->checkpoint);
    unlink(w->metrics);
    lac_arena_close(w->arena);
}

static const lac_recipe base = {
    .epochs = 3, .batch = 32, .lr = 0.05f, .seed = 5, .crop_pad = 1, .flip = false};

static lac_train_result train(world *w, lac_graph *graph, const lac_recipe *recipe,
                              const lac_train_hook *hook) {
    lac_train_result result = {0};
    lac_error err = {0};
    if (lac_train(graph, &w->data, recipe, hook, NULL, &result, &err) != LAC_OK) fail_msg("%s", err.text);
    return result;
}

static void learns_with_either_optimizer(void **state) {
    (void)state;
    for (int adam = 0; adam < 2; adam++) {
        world w = open_world();
        lac_recipe recipe = {.optimizer = adam ? LAC_ADAM : LAC_SGD, .epochs = 5, .batch = 32, .seed = 1};
        recipe.lr = adam ? 0.01f : 0.05f;
        lac_train_result result = train(&w, w.graph, &recipe, NULL);
        if (result.train_loss > 0.05) fail_msg("loss %g after 5 epochs", result.train_loss);
        assert_true(result.validation_accuracy > 0.97);
        assert_true(result.best_validation_accuracy >= result.validation_accuracy);
        lac_eval_result test = {0};
        assert_int_equal(lac_evaluate(w.graph, &w.data, &w.data.test, 0, NULL, &test, NULL), LAC_OK);
        assert_true(test.accuracy > 0.95);
        close_world(&w);
    }
}

static void one_seed_gives_one_result_and_another_seed_another(void **state) {
    (void)state;
    world w = open_world();
    lac_graph *twin = synthetic_net(w.arena), *other = synthetic_net(w.arena);
    train(&w, w.graph, &base, NULL);
    train(&w, twin, &base, NULL);
    assert_true(same_constants(w.graph, twin));
    lac_recipe recipe = base;
    recipe.seed++;
    train(&w, other, &recipe, NULL);
    assert_false(same_constants(w.graph, other));
    close_world(&w);
}

// Wants out after so many questions.
static bool stop_after(void *ctx) {
    int *left = ctx;
    return (*left)-- <= 0;
}

static lac_bytes read_all(world *w, const char *path) {
    lac_bytes bytes = {0};
    assert_int_equal(lac_file_read(path, w->arena, &bytes, NULL), LAC_OK);
    return bytes;
}

static void stopping_and_resuming_changes_no_bit(void **state) {
    (void)state;
    for (int adam = 0; adam < 2; adam++) {
        world w = open_world();
        lac_recipe recipe = base;
        recipe.optimizer = adam ? LAC_ADAM : LAC_SGD;
        recipe.checkpoint = w.checkpoint;
        recipe.metrics = w.metrics;
        lac_train_result whole = train(&w, w.graph, &recipe, NULL), parts = {0};
        lac_bytes metrics = read_all(&w, w.metrics);
        assert_int_equal(access(w.checkpoint, F_OK), -1); // removed when done
        lac_status status = LAC_E_INTERRUPTED;
        lac_graph *last = NULL;
        int n_sittings = 0;
        for (; status == LAC_E_INTERRUPTED && n_sittings < 3; n_sittings++) {
            static const int patience[] = {9, 3, 100}; // stops at the end of an epoch of 10 steps, and within
            int left = patience[n_sittings];
            last = synthetic_net(w.arena);
            lac_error err = {0};
            lac_talk talk = {.stop = stop_after, .ctx = &left};
            status = lac_train(last, &w.data, &recipe, NULL, &talk, &parts, &err);
            if (status == LAC_E_INTERRUPTED) {
                assert_non_null(strstr(err.text, w.checkpoint));
                assert_int_equal(access(w.checkpoint, F_OK), 0);
            }
        }
        assert_int_equal(status, LAC_OK);
        assert_int_equal(n_sittings, 3);
        assert_true(same_constants(w.graph, last));
        assert_true(whole.train_loss == parts.train_loss);
        assert_true(whole.best_validation_accuracy == parts.best_validation_accuracy);
        lac_bytes again = read_all(&w, w.metrics);
        assert_int_equal(again.n, metrics.n);
        assert_memory_equal(again.data, metrics.data, metrics.n);
        close_world(&w);
    }
}

static void interrupt_once(world *w, const lac_recipe *recipe) {
    int left = 3;
    lac_talk talk = {.stop = stop_after, .ctx = &left};
    lac_status status = lac_train(synthetic_net(w->arena), &w->data, recipe, NULL, &talk, NULL, NULL);
    assert_int_equal(status, LAC_E_INTERRUPTED);
}

static void refuses_a_checkpoint_of_another_run(void **state) {
    (void)state;
    world w = open_world();
    lac_recipe recipe = base;
    lac_error err = {0};
    recipe.checkpoint = w.checkpoint;
    interrupt_once(&w, &recipe);
    recipe.lr *= 2;
    assert_int_equal(lac_train(w.graph, &w.data, &recipe, NULL, NULL, NULL, &err), LAC_E_USAGE);
    assert_non_null(strstr(err.text, "another run"));
    close_world(&w);
}

static void refuses_a_damaged_checkpoint(void **state) {
    (void)state;
    world w = open_world();
    lac_recipe recipe = base;
    recipe.checkpoint = w.checkpoint;
    interrupt_once(&w, &recipe);
    lac_bytes bytes = read_all(&w, w.checkpoint);
    const size_t cuts[] = {0, 7, 100, bytes.n - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        assert_int_equal(lac_file_write(w.checkpoint, bytes.data, cuts[i], NULL), LAC_OK);
        assert_int_equal(lac_train(w.graph, &w.data, &recipe, NULL, NULL, NULL, NULL), LAC_E_FORMAT);
    }
    lac_error err = {0};
    bytes.data[bytes.n / 2] ^= 1;
    assert_int_equal(lac_file_write(w.checkpoint, bytes.data, bytes.n, NULL), LAC_OK);
    assert_int_equal(lac_train(w.graph, &w.data, &recipe, NULL, NULL, NULL, &err), LAC_E_FORMAT);
    assert_non_null(strstr(err.text, "damaged"));
    assert_true(same_constants(w.graph, synthetic_net(w.arena)));
    close_world(&w);
}

// Masks every third weight of a layer from step 4 on, as a pruner would.
typedef struct masker {
    int value;
    uint64_t n_calls;
} masker;

static lac_status mask_thirds(void *ctx, lac_graph *graph, uint64_t step, uint64_t n_steps, lac_error *err) {
    masker *m = ctx;
    lac_value *value = &graph->values[m->value];
    (void)err;
    assert_int_equal(step, m->n_calls++);
    assert_int_equal(n_steps, 30);
    if (step != 4) return LAC_OK;
    int64_t n = lac_shape_count(value->shape);
    value->mask = lac_arena_alloc(graph->arena, (size_t)n);
    for (int64_t i = 0; i < n; i++) value->mask[i] = i % 3 != 0;
    return LAC_OK;
}

static void masked_weights_are_and_stay_zero(void **state) {
    (void)state;
    for (int adam = 0; adam < 2; adam++) {
        world w = open_world();
        masker m = {.value = value_named(w.graph, "conv2.weight")};
        lac_recipe recipe = base;
        recipe.optimizer = adam ? LAC_ADAM : LAC_SGD;
        recipe.weight_decay = 1e-3f;
        train(&w, w.graph, &recipe, &(lac_train_hook){.before_step = mask_thirds, .ctx = &m});
        const lac_value *value = &w.graph->values[m.value];
        int n_others_zero = 0;
        for (int64_t i = 0; i < lac_shape_count(value->shape); i++) {
            if (i % 3 == 0)
                assert_true(value->data[i] == 0);
            else
                n_others_zero += value->data[i] == 0;
        }
        assert_int_equal(n_others_zero, 0);
        assert_int_equal(lac_graph_check(w.graph, NULL), LAC_OK);
        close_world(&w);
    }
}

static lac_status fail_at_once(void *ctx, lac_graph *graph, uint64_t step, uint64_t n_steps, lac_error *err) {
    (void)ctx;
    (void)graph;
    (void)step;
    (void)n_steps;
    LAC_FAIL(err, LAC_E_RANGE, "the hook refuses");
}

static void errors_of_a_hook_end_the_training(void **state) {
    (void)state;
    world w = open_world();
    lac_error err = {0};
    lac_train_hook hook = {.before_step = fail_at_once};
    assert_int_equal(lac_train(w.graph, &w.data, &base, &hook, NULL, NULL, &err), LAC_E_RANGE);
    assert_string_equal(err.text, "the hook refuses");
    close_world(&w);
}

static void frozen_batch_norms_keep_their_statistics(void **state) {
    (void)state;
    world w = open_world();
    lac_recipe recipe = base;
    train(&w, w.graph, &recipe, NULL);
    lac_graph *before = lac_graph_copy(w.graph, w.arena);
    recipe.freeze_batch_norm = true;
    recipe.epochs = 1;
    train(&w, w.graph, &recipe, NULL);
    int mean = value_named(w.graph, "conv1.bn.mean"), gamma = value_named(w.graph, "conv1.bn.gamma");
    assert_memory_equal(w.graph->values[mean].data, before->values[mean].data, 8 * sizeof(float));
    assert_memory_not_equal(w.graph->values[gamma].data, before->values[gamma].data, 8 * sizeof(float));
    recipe.freeze_batch_norm = false;
    train(&w, w.graph, &recipe, NULL);
    assert_memory_not_equal(w.graph->values[mean].data, before->values[mean].data, 8 * sizeof(float));
    close_world(&w);
}

static void quantized_graphs_train_and_scales_stay_positive(void **state) {
    (void)state;
    world w = open_world();
    lac_arena *arena = w.arena;
    const float scale = 1e-3f, zero = 0;
    lac_graph *graph = lac_graph_new(arena, "quantized");
    graph->input = lac_graph_add_value(graph, "x", LAC_SHAPE(1, 1, SYN_SIZE, SYN_SIZE));
    lac_rng rng = lac_rng_make(2, 2);
    int weights[2] = {add_uniform(graph, "w", LAC_SHAPE(8, 1, 3, 3), -0.5f, 0.5f, true, &rng),
                      lac_graph_add_constant(graph, "ws", (lac_shape){0}, &scale, true)};
    int in[2] = {graph->input, lac_graph_add_node(graph, LAC_OP_BIPOLAR_QUANT, "wq", weights, 2, NULL)};
    int x = lac_graph_add_node(graph, LAC_OP_CONV2D, "conv", in, 2,
                               &(lac_attr){.window = square_window(3, 1, 1)});
    int acts[3] = {x, lac_graph_add_constant(graph, "as", (lac_shape){0}, &scale, true),
                   lac_graph_add_constant(graph, "az", (lac_shape){0}, &zero, false)};
    x = lac_graph_add_node(graph, LAC_OP_QUANT, "aq", acts, 3, &(lac_attr){.quant = {.bits = 3}});
    x = lac_graph_add_node(graph, LAC_OP_FLATTEN, "flatten", &x, 1, NULL);
    int fc[2] = {x, add_uniform(graph, "fc", LAC_SHAPE(4, 512), -0.05f, 0.05f, true, &rng)};
    graph->output = lac_graph_add_node(graph, LAC_OP_LINEAR, "linear", fc, 2, NULL);
    lac_recipe recipe = {.epochs = 4, .batch = 32, .lr = 0.5f, .seed = 1};
    train(&w, graph, &recipe, NULL);
    assert_true(graph->values[weights[1]].data[0] > 0 && graph->values[acts[1]].data[0] > 0);
    assert_true(graph->values[acts[1]].data[0] != scale);
    close_world(&w);
}

static void wrong_data_and_recipes_are_refused(void **state) {
    (void)state;
    world w = open_world();
    lac_error err = {0};
    lac_recipe recipe = base;
    recipe.batch = 331;
    assert_int_equal(lac_train(w.graph, &w.data, &recipe, NULL, NULL, NULL, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "331"));
    w.data.n_classes = 7;
    assert_int_equal(lac_train(w.graph, &w.data, &base, NULL, NULL, NULL, &err), LAC_E_SHAPE);
    assert_non_null(strstr(err.text, "7 classes"));
    w.data.w = 9;
    assert_int_equal(lac_train(w.graph, &w.data, &base, NULL, NULL, NULL, &err), LAC_E_SHAPE);
    assert_non_null(strstr(err.text, "1x1x8x9"));
    close_world(&w);
}

static void a_loss_that_explodes_is_an_error(void **state) {
    (void)state;
    world w = open_world();
    lac_error err = {0};
    w.graph->values[value_named(w.graph, "fc.bias")].data[0] = INFINITY;
    assert_int_equal(lac_train(w.graph, &w.data, &base, NULL, NULL, NULL, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "lower lr"));
    close_world(&w);
}

static void metrics_that_cannot_be_written_are_an_error(void **state) {
    (void)state;
    world w = open_world();
    lac_recipe recipe = base;
    recipe.metrics = "/nonexistent/metrics.jsonl";
    assert_int_equal(lac_train(w.graph, &w.data, &recipe, NULL, NULL, NULL, NULL), LAC_E_IO);
    recipe.metrics = "/dev/full";
    assert_int_equal(lac_train(w.graph, &w.data, &recipe, NULL, NULL, NULL, NULL), LAC_E_IO);
    close_world(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_with_either_optimizer),
        cmocka_unit_test(one_seed_gives_one_result_and_another_seed_another),
        cmocka_unit_test(stopping_and_resuming_changes_no_bit),
        cmocka_unit_test(refuses_a_checkpoint_of_another_run),
        cmocka_unit_test(refuses_a_damaged_checkpoint),
        cmocka_unit_test(masked_weights_are_and_stay_zero),
        cmocka_unit_test(errors_of_a_hook_end_the_training),
        cmocka_unit_test(frozen_batch_norms_keep_their_statistics),
        cmocka_unit_test(quantized_graphs_train_and_scales_stay_positive),
        cmocka_unit_test(wrong_data_and_recipes_are_refused),
        cmocka_unit_test(a_loss_that_explodes_is_an_error),
        cmocka_unit_test(metrics_that_cannot_be_written_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
