// What a recipe can ask for beyond plain descent: clipping, averages, schedules, mixed and damaged images,
// teachers, early stopping, the best epoch; and that none of it is lost when the process is.
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "loader.h"
#include "loss.h"
#include "optimizer.h"
#include "train_fixture.h"

static void close_to(double got, double wanted, double tolerance) {
    if (!(fabs(got - wanted) <= tolerance)) fail_msg("got %.9g, expected %.9g", got, wanted);
}

typedef struct world {
    lac_arena *arena;
    lac_dataset data;
    lac_graph *graph;
} world;

static world open_world(void) {
    world w = {.arena = lac_arena_open()};
    w.data = synthetic_dataset(w.arena);
    w.graph = synthetic_net(w.arena);
    return w;
}

static lac_train_result train(world *w, lac_graph *graph, const lac_recipe *recipe,
                              const lac_train_hook *hook) {
    lac_train_result result = {0};
    lac_error err = {0};
    if (lac_train(graph, &w->data, recipe, hook, NULL, &result, &err) != LAC_OK) fail_msg("%s", err.text);
    return result;
}

static const lac_recipe base = {.epochs = 3, .batch = 32, .lr = 0.05f, .seed = 5, .crop_pad = 1};

// ---- optimisers and schedules ---------------------------------------------------------------------------

// One parameter w = 2 whose gradient is 4.
typedef struct point {
    lac_arena *arena;
    lac_graph *graph;
    lac_plan *plan;
    float *w;
} point;

static point open_point(void) {
    point p = {.arena = lac_arena_open()};
    const float w = 2;
    p.graph = start_graph(p.arena, LAC_SHAPE(1, 1));
    int in[] = {p.graph->input, lac_graph_add_constant(p.graph, "w", LAC_SHAPE(1, 1), &w, true)};
    p.graph->output = lac_graph_add_node(p.graph, LAC_OP_LINEAR, "fc", in, 2, NULL);
    assert_int_equal(lac_graph_infer(p.graph, NULL), LAC_OK);
    assert_int_equal(lac_plan_open(p.graph, &(lac_plan_config){.batch = 1, .train = true}, &p.plan, NULL),
                     LAC_OK);
    lac_plan_input(p.plan)[0] = 1;
    lac_plan_output_gradient(p.plan)[0] = 4;
    assert_int_equal(lac_plan_forward(p.plan, NULL), LAC_OK);
    assert_int_equal(lac_plan_backward(p.plan, NULL), LAC_OK);
    p.w = p.graph->values[in[1]].data;
    return p;
}

static float after_one_update(lac_recipe recipe) {
    point p = open_point();
    recipe.scale_lr = 1;
    lac_optimizer_state o = lac_optimizer_make(p.graph, &recipe, p.arena);
    lac_optimizer_update(&o, p.graph, p.plan, 0.01f, 0);
    float w = *p.w;
    lac_plan_close(p.plan);
    lac_arena_close(p.arena);
    return w;
}

static void clipping_scales_large_gradients_alone(void **state) {
    (void)state;
    close_to((double)after_one_update((lac_recipe){0}), 2 - 0.01 * 4 * 1.9, 1e-6);
    close_to((double)after_one_update((lac_recipe){.clip = 1}), 2 - 0.01 * 1 * 1.9, 1e-6);
    close_to((double)after_one_update((lac_recipe){.clip = 5}), 2 - 0.01 * 4 * 1.9, 1e-6);
}

static void adam_decays_in_the_gradient_and_adamw_apart_from_it(void **state) {
    (void)state;
    lac_recipe recipe = {.optimizer = LAC_ADAM, .weight_decay = 0.5f};
    close_to((double)after_one_update(recipe), 2 - 0.01, 1e-6); // normalised away in the first step
    recipe.optimizer = LAC_ADAMW;
    close_to((double)after_one_update(recipe), 2 - 0.01 - 0.01 * 0.5 * 2, 1e-6);
}

static void schedules_step_and_cycle(void **state) {
    (void)state;
    lac_recipe recipe = {.schedule = LAC_STEP, .lr = 0.1f};
    close_to((double)lac_schedule_lr(&recipe, 29, 90, 10), 0.1, 1e-7);
    close_to((double)lac_schedule_lr(&recipe, 30, 90, 10), 0.01, 1e-8);
    close_to((double)lac_schedule_lr(&recipe, 89, 90, 10), 0.001, 1e-9);
    recipe.step_epochs = 2;
    recipe.step_factor = 0.5f;
    close_to((double)lac_schedule_lr(&recipe, 40, 90, 10), 0.025, 1e-8);
    recipe.schedule = LAC_ONE_CYCLE;
    close_to((double)lac_schedule_lr(&recipe, 0, 100, 10), 0.1 / 25, 1e-8);
    close_to((double)lac_schedule_lr(&recipe, 30, 100, 10), 0.1, 1e-7);
    close_to((double)lac_schedule_lr(&recipe, 65, 100, 10), 0.05, 1e-6);
    assert_true(lac_schedule_lr(&recipe, 99, 100, 10) < 1e-4f);
}

// ---- images ---------------------------------------------------------------------------------------------

static int n_different(const float *a, const float *b, int n) {
    int count = 0;
    for (int i = 0; i < n; i++) count += a[i] != b[i];
    return count;
}

static void cutout_sets_a_square_to_the_mean_and_nothing_else(void **state) {
    (void)state;
    world w = open_world();
    lac_augment plain = lac_augment_make(&w.data, 0, false, 3), cut = plain;
    cut.cutout = 4;
    int largest = 0;
    for (uint32_t item = 0; item < 60; item++) {
        float a[64], b[64];
        lac_augment_image(&plain, w.data.train.pixels, item, 1, a);
        lac_augment_image(&cut, w.data.train.pixels, item, 1, b);
        int n = n_different(a, b, 64);
        for (int i = 0; i < 64; i++) assert_true(b[i] == a[i] || b[i] == 0);
        assert_true(n >= 3 && n <= 16); // a corner keeps a quarter; a pixel may be the mean already
        if (n > largest) largest = n;
    }
    assert_int_equal(largest, 16);
    lac_arena_close(w.arena);
}

static void erasing_fills_rectangles_in_the_asked_share_of_images(void **state) {
    (void)state;
    world w = open_world();
    lac_augment plain = lac_augment_make(&w.data, 0, false, 3), erase = plain;
    erase.erase = 0.5f;
    int n_erased = 0;
    for (uint32_t item = 0; item < SYN_TRAIN; item++) {
        float a[64], b[64];
        lac_augment_image(&plain, w.data.train.pixels, item, 1, a);
        lac_augment_image(&erase, w.data.train.pixels, item, 1, b);
        int n = n_different(a, b, 64);
        assert_true(n <= 64 / 3 + 1);
        n_erased += n > 0;
    }
    assert_in_range(n_erased, 130, 200); // 165 expected, deviation 9
    lac_arena_close(w.arena);
}

static void beta_variates_have_their_moments(void **state) {
    (void)state;
    const float alphas[] = {0.2f, 1, 4};
    for (int k = 0; k < 3; k++) {
        lac_rng rng = lac_rng_make(4, (uint64_t)k);
        double sum = 0, squares = 0, a = (double)alphas[k];
        enum { N = 20000 };
        for (int i = 0; i < N; i++) {
            double v = (double)lac_beta(&rng, alphas[k]);
            assert_true(v >= 0 && v <= 1);
            sum += v;
            squares += v * v;
        }
        double mean = sum / N, variance = squares / N - mean * mean;
        close_to(mean, 0.5, 0.015);
        close_to(variance, 0.25 / (2 * a + 1), 0.01);
    }
}

static lac_loader_config loader_config(const world *w, float mixup) {
    return (lac_loader_config){.augment = lac_augment_make(&w->data, 1, true, 9),
                               .split = &w->data.train,
                               .batch = 32,
                               .steps_per_epoch = 10,
                               .n_steps = 25,
                               .seed = 9,
                               .mixup = mixup};
}

static void batches_depend_on_the_step_alone(void **state) {
    (void)state;
    world w = open_world();
    for (int mixed = 0; mixed < 2; mixed++) {
        lac_loader_config config = loader_config(&w, mixed ? 0.4f : 0);
        lac_loader *all = NULL, *rest = NULL;
        assert_int_equal(lac_loader_open(&config, &all, NULL), LAC_OK);
        config.first_step = 12;
        assert_int_equal(lac_loader_open(&config, &rest, NULL), LAC_OK);
        for (uint64_t step = 0; step < 25; step++) {
            const lac_batch *a = lac_loader_next(all), *b = step >= 12 ? lac_loader_next(rest) : NULL;
            if (!b) continue;
            assert_memory_equal(a->x, b->x, 32 * 64 * sizeof(float));
            assert_memory_equal(a->labels, b->labels, 32);
            if (mixed) assert_memory_equal(a->partners, b->partners, 32);
        }
        lac_loader_close(all);
        lac_loader_close(rest);
    }
    lac_arena_close(w.arena);
}

static void an_epoch_shows_each_image_at_most_once_and_mixup_blends_two(void **state) {
    (void)state;
    world w = open_world();
    lac_loader_config config = loader_config(&w, 0), mixed_config = loader_config(&w, 0.4f);
    lac_loader *plain = NULL, *mixed = NULL;
    int seen[SYN_CLASSES] = {0}, there[SYN_CLASSES] = {0};
    assert_int_equal(lac_loader_open(&config, &plain, NULL), LAC_OK);
    assert_int_equal(lac_loader_open(&mixed_config, &mixed, NULL), LAC_OK);
    for (uint32_t i = 0; i < SYN_TRAIN; i++) there[w.data.train.labels[i]]++;
    for (int step = 0; step < 10; step++) {
        const lac_batch *a = lac_loader_next(plain), *b = lac_loader_next(mixed);
        for (int i = 0; i < 32; i++) {
            seen[a->labels[i]]++;
            int j = 0; // the partner: the image that explains the blend
            for (; j < 32; j++) {
                float blend = a->x[i * 64] + b->partner_share * (a->x[j * 64] - a->x[i * 64]);
                float last = a->x[i * 64 + 63] + b->partner_share * (a->x[j * 64 + 63] - a->x[i * 64 + 63]);
                if (i != j && b->x[i * 64] == blend && b->x[i * 64 + 63] == last &&
                    b->partners[i] == a->labels[j])
                    break;
            }
            assert_true(j < 32);
        }
    }
    for (int k = 0; k < SYN_CLASSES; k++) assert_true(seen[k] <= there[k]);
    lac_loader_close(plain);
    lac_loader_close(mixed);
    lac_arena_close(w.arena);
}

// ---- losses ---------------------------------------------------------------------------------------------

static void gradients_of_mixed_and_taught_losses_match_finite_differences(void **state) {
    (void)state;
    enum { N = 3, K = 5 };
    float logits[N * K], teacher[N * K], gradient[N * K];
    const uint8_t labels[N] = {4, 0, 2}, partners[N] = {1, 0, 3};
    lac_rng rng = lac_rng_make(1, 1);
    fill_uniform(logits, N * K, -2, 2, &rng);
    fill_uniform(teacher, N * K, -3, 3, &rng);
    const lac_targets targets = {.labels = labels,
                                 .partners = partners,
                                 .partner_share = 0.3f,
                                 .smoothing = 0.1f,
                                 .teacher = teacher,
                                 .teacher_weight = 0.7f,
                                 .temperature = 3,
                                 .n = N,
                                 .n_classes = K};
    lac_softmax_loss(logits, &targets, gradient);
    for (int i = 0; i < N * K; i++) {
        const float h = 1e-2f;
        float saved = logits[i];
        logits[i] = saved + h;
        double up = lac_softmax_loss(logits, &targets, NULL).sum;
        logits[i] = saved - h;
        double down = lac_softmax_loss(logits, &targets, NULL).sum;
        logits[i] = saved;
        close_to((double)gradient[i], (up - down) / (2 * (double)h) / N, 2e-5);
    }
}

static void a_student_like_its_teacher_has_nothing_to_learn_from_it(void **state) {
    (void)state;
    float x[] = {1, -2, 0.5f, 3}, gradient[4];
    lac_targets targets = {.labels = (uint8_t[]){0},
                           .teacher = x,
                           .teacher_weight = 1,
                           .temperature = 2,
                           .n = 1,
                           .n_classes = 4};
    close_to(lac_softmax_loss(x, &targets, gradient).sum, 0, 1e-9);
    for (int i = 0; i < 4; i++) close_to((double)gradient[i], 0, 1e-7);
    close_to(lac_hint_loss(x, (float[]){1, -2, 0.5f, 1}, 4, 2, gradient), 2.0 * 4 / 4, 1e-9);
    close_to((double)gradient[3], 2.0 * 2 * 2 / 4, 1e-6);
}

// ---- whole runs -----------------------------------------------------------------------------------------

static void every_part_of_a_recipe_learns(void **state) {
    (void)state;
    const lac_recipe recipes[] = {
        {.optimizer = LAC_ADAMW, .lr = 0.01f, .weight_decay = 0.01f},
        {.lr = 0.05f, .schedule = LAC_ONE_CYCLE, .clip = 1},
        {.lr = 0.05f, .schedule = LAC_STEP, .ema = 0.9f},
        {.lr = 0.05f, .mixup = 0.2f, .cutout = 2, .erase = 0.25f},
        {.lr = 0.05f, .precision = LAC_BF16},
    };
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        if (!lac_precision_usable(recipes[i].precision)) continue;
        world w = open_world();
        lac_recipe recipe = recipes[i];
        recipe.epochs = 6;
        recipe.batch = 32;
        recipe.seed = 1;
        lac_train_result result = train(&w, w.graph, &recipe, NULL);
        if (!(result.validation_accuracy > 0.95)) fail_msg("recipe %zu: %g", i, result.validation_accuracy);
        lac_eval_result now = {0};
        assert_int_equal(lac_evaluate(w.graph, &w.data, &w.data.validation, 0, NULL, &now, NULL), LAC_OK);
        assert_true(now.accuracy == result.validation_accuracy); // what was measured is what is handed over
        lac_arena_close(w.arena);
    }
}

static void an_average_differs_from_the_last_step_and_lies_near_it(void **state) {
    (void)state;
    world w = open_world();
    lac_graph *twin = synthetic_net(w.arena);
    lac_recipe recipe = base;
    train(&w, w.graph, &recipe, NULL);
    recipe.ema = 0.5f;
    train(&w, twin, &recipe, NULL);
    const float *a = w.graph->values[value_named(w.graph, "fc.weight")].data;
    const float *b = twin->values[value_named(twin, "fc.weight")].data;
    double worst = 0;
    for (int i = 0; i < 64; i++) {
        assert_true(isfinite(a[i]) && isfinite(b[i]));
        worst = fmax(worst, fabs((double)(a[i] - b[i])));
    }
    assert_true(worst > 0 && worst < 0.05);
    lac_arena_close(w.arena);
}

static void patience_ends_a_run_and_the_best_epoch_is_kept(void **state) {
    (void)state;
    world w = open_world();
    lac_graph *best = lac_graph_copy(w.graph, w.arena);
    lac_recipe recipe = base;
    recipe.epochs = 60;
    recipe.patience = 4;
    lac_train_result result = train(&w, w.graph, &recipe, &(lac_train_hook){.best = best});
    assert_true(result.stopped_early);
    close_to(result.epochs, result.best_epoch + 4, 1e-9);
    lac_eval_result now = {0};
    assert_int_equal(lac_evaluate(best, &w.data, &w.data.validation, 0, NULL, &now, NULL), LAC_OK);
    assert_true(now.accuracy == result.best_validation_accuracy);
    assert_false(same_constants(best, w.graph));
    w.data.validation.n = 0;
    lac_error err = {0};
    assert_int_equal(lac_train(w.graph, &w.data, &recipe, NULL, NULL, NULL, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "validation images"));
    lac_arena_close(w.arena);
}

static void a_student_follows_its_teacher_and_its_hints(void **state) {
    (void)state;
    world w = open_world();
    lac_recipe recipe = {.epochs = 5, .batch = 32, .lr = 0.05f, .seed = 1};
    train(&w, w.graph, &recipe, NULL);
    lac_graph *student = synthetic_net(w.arena);
    int relu = value_named(student, "conv1.relu");
    const lac_hint hint = {relu, relu};
    lac_distillation lesson = {.teacher = w.graph, .weight = 1, .hints = &hint, .n_hints = 1};
    memset((void *)(uintptr_t)w.data.train.labels, 0,
           w.data.train.n); // the labels are wrong; the teacher is not
    lac_train_result result = train(&w, student, &recipe, &(lac_train_hook){.distillation = &lesson});
    if (!(result.validation_accuracy > 0.95)) fail_msg("validation accuracy %g", result.validation_accuracy);
    lac_arena_close(w.arena);
}

static void a_hint_brings_its_value_nearer_to_the_teachers(void **state) {
    (void)state;
    double distance[2];
    for (int hinted = 0; hinted < 2; hinted++) {
        world w = open_world();
        lac_net net = lac_net_start(w.arena, "other", 1, SYN_SIZE, SYN_SIZE, 99);
        int x = lac_net_conv_bn_relu(&net, "conv1", net.graph->input, 8, 3, 1);
        lac_graph *teacher =
            lac_net_done(&net, lac_net_linear(&net, "fc", lac_net_flatten(&net, "flatten", x), SYN_CLASSES));
        const lac_hint hint = {value_named(w.graph, "conv1.relu"), value_named(teacher, "conv1.relu")};
        lac_distillation lesson = {
            .teacher = teacher, .weight = 1e-6f, .hints = &hint, .n_hints = hinted, .hint_weight = 10};
        lac_recipe recipe = {.epochs = 4, .batch = 32, .lr = 0.05f, .seed = 1};
        train(&w, w.graph, &recipe, &(lac_train_hook){.distillation = &lesson});
        lac_plan *plans[2];
        for (int p = 0; p < 2; p++) {
            lac_graph *g = p ? teacher : w.graph;
            lac_plan_config config = {
                .batch = 32, .taps = p ? &hint.teacher_value : &hint.value, .n_taps = 1};
            assert_int_equal(lac_graph_infer(g, NULL), LAC_OK);
            assert_int_equal(lac_plan_open(g, &config, &plans[p], NULL), LAC_OK);
            lac_normalize(&w.data, w.data.train.pixels, 32, lac_plan_input(plans[p]));
            assert_int_equal(lac_plan_forward(plans[p], NULL), LAC_OK);
        }
        float gradient[32 * 8 * 64];
        distance[hinted] =
            lac_hint_loss(lac_plan_tap(plans[0], 0), lac_plan_tap(plans[1], 0), 32 * 8 * 64, 1, gradient);
        lac_plan_close(plans[0]);
        lac_plan_close(plans[1]);
        lac_arena_close(w.arena);
    }
    if (!(distance[1] < 0.5 * distance[0]))
        fail_msg("distance %g with the hint, %g without", distance[1], distance[0]);
}

// Training loss with a heavy hint of a wider teacher; the student's own weights may be held still.
static double loss_behind_a_regressor(bool student_learns, float epochs) {
    world w = open_world();
    lac_net net = lac_net_start(w.arena, "wider", 1, SYN_SIZE, SYN_SIZE, 99);
    int x = lac_net_conv_bn_relu(&net, "conv1", net.graph->input, 12, 3, 1);
    lac_graph *teacher =
        lac_net_done(&net, lac_net_linear(&net, "fc", lac_net_flatten(&net, "flatten", x), SYN_CLASSES));
    const lac_hint hint = {value_named(w.graph, "conv1.relu"), value_named(teacher, "conv1.relu")};
    lac_distillation lesson = {
        .teacher = teacher, .weight = 1e-6f, .hints = &hint, .n_hints = 1, .hint_weight = 100};
    lac_graph *best = lac_graph_copy(w.graph, w.arena);
    int n_nodes = w.graph->n_nodes, n_values = w.graph->n_values;
    for (int v = 0; v < n_values; v++) w.graph->values[v].trainable &= student_learns;
    lac_recipe recipe = {.epochs = epochs, .batch = 32, .lr = 0.004f, .seed = 1};
    lac_train_result result =
        train(&w, w.graph, &recipe, &(lac_train_hook){.distillation = &lesson, .best = best});
    assert_int_equal(w.graph->n_nodes, n_nodes); // the regressor is gone
    assert_int_equal(w.graph->n_values, n_values);
    assert_int_equal(lac_graph_check(w.graph, NULL), LAC_OK);
    lac_eval_result now = {0};
    assert_int_equal(lac_evaluate(w.graph, &w.data, &w.data.validation, 0, NULL, &now, NULL), LAC_OK);
    assert_true(now.accuracy == result.validation_accuracy);
    lac_arena_close(w.arena);
    return result.train_loss;
}

static void a_regressor_stands_between_maps_of_different_channels(void **state) {
    (void)state;
    double early = loss_behind_a_regressor(true, 1), late = loss_behind_a_regressor(true, 8),
           still = loss_behind_a_regressor(false, 8);
    if (!(late < 0.5 * early && late < 0.8 * still))
        fail_msg("loss %g after one epoch, %g after eight, %g of a student that holds still", early, late,
                 still);
}

static void teachers_that_do_not_fit_are_refused(void **state) {
    (void)state;
    world w = open_world();
    lac_error err = {0};
    lac_net net = lac_net_start(w.arena, "five", 1, SYN_SIZE, SYN_SIZE, 1);
    lac_graph *five =
        lac_net_done(&net, lac_net_linear(&net, "fc", lac_net_flatten(&net, "f", net.graph->input), 5));
    lac_distillation lesson = {.teacher = five};
    lac_train_hook hook = {.distillation = &lesson};
    assert_int_equal(lac_train(w.graph, &w.data, &base, &hook, NULL, NULL, &err), LAC_E_SHAPE);
    assert_non_null(strstr(err.text, "1x5"));
    lac_graph *twin = synthetic_net(w.arena);
    const lac_hint hint = {value_named(w.graph, "conv1.relu"), value_named(twin, "conv2.relu")};
    lesson = (lac_distillation){.teacher = twin, .hints = &hint, .n_hints = 1};
    assert_int_equal(lac_train(w.graph, &w.data, &base, &hook, NULL, NULL, &err), LAC_E_SHAPE);
    assert_non_null(strstr(err.text, "conv2.relu"));
    assert_int_equal(lac_graph_check(w.graph, NULL), LAC_OK);
    lac_arena_close(w.arena);
}

// ---- kill -9 --------------------------------------------------------------------------------------------

static void die_at_once(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *detail) {
    (void)stage;
    (void)total;
    (void)detail;
    if (done == *(const uint64_t *)ctx) raise(SIGKILL);
}

// Trains in a process of its own that is killed after the given step; true when it was.
static bool killed_after(world *w, const lac_recipe *recipe, uint64_t step) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        lac_graph *graph = synthetic_net(w->arena), *best = synthetic_net(w->arena);
        lac_talk talk = {.step = die_at_once, .ctx = &step};
        lac_train_hook hook = {.best = best};
        _exit(lac_train(graph, &w->data, recipe, &hook, &talk, NULL, NULL) == LAC_OK ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void a_killed_run_goes_on_and_ends_with_the_same_bits(void **state) {
    (void)state;
    world w = open_world();
    char checkpoint[64];
    snprintf(checkpoint, sizeof checkpoint, "test_learning_%d.ckpt", (int)getpid());
    lac_recipe recipe = base;
    recipe.ema = 0.9f;
    recipe.mixup = 0.2f;
    recipe.optimizer = LAC_ADAMW;
    recipe.lr = 0.01f;
    recipe.checkpoint = checkpoint;
    recipe.checkpoint_s = 1e-6f;                // after every step: what is lost is the step under way
    assert_true(killed_after(&w, &recipe, 14)); // before anything of this process has threads
    assert_int_equal(access(checkpoint, F_OK), 0);
    assert_true(killed_after(&w, &recipe, 21));
    lac_graph *resumed = synthetic_net(w.arena), *best = synthetic_net(w.arena),
              *whole_best = synthetic_net(w.arena);
    lac_train_result parts = train(&w, resumed, &recipe, &(lac_train_hook){.best = best});
    lac_train_result whole = train(&w, w.graph, &recipe, &(lac_train_hook){.best = whole_best});
    assert_true(same_constants(resumed, w.graph));
    assert_true(same_constants(best, whole_best));
    assert_true(parts.train_loss == whole.train_loss && parts.best_epoch == whole.best_epoch);
    lac_arena_close(w.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_run_goes_on_and_ends_with_the_same_bits), // first: it forks
        cmocka_unit_test(clipping_scales_large_gradients_alone),
        cmocka_unit_test(adam_decays_in_the_gradient_and_adamw_apart_from_it),
        cmocka_unit_test(schedules_step_and_cycle),
        cmocka_unit_test(cutout_sets_a_square_to_the_mean_and_nothing_else),
        cmocka_unit_test(erasing_fills_rectangles_in_the_asked_share_of_images),
        cmocka_unit_test(beta_variates_have_their_moments),
        cmocka_unit_test(batches_depend_on_the_step_alone),
        cmocka_unit_test(an_epoch_shows_each_image_at_most_once_and_mixup_blends_two),
        cmocka_unit_test(gradients_of_mixed_and_taught_losses_match_finite_differences),
        cmocka_unit_test(a_student_like_its_teacher_has_nothing_to_learn_from_it),
        cmocka_unit_test(every_part_of_a_recipe_learns),
        cmocka_unit_test(an_average_differs_from_the_last_step_and_lies_near_it),
        cmocka_unit_test(patience_ends_a_run_and_the_best_epoch_is_kept),
        cmocka_unit_test(a_student_follows_its_teacher_and_its_hints),
        cmocka_unit_test(a_hint_brings_its_value_nearer_to_the_teachers),
        cmocka_unit_test(a_regressor_stands_between_maps_of_different_channels),
        cmocka_unit_test(teachers_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
