// The parts of training: loss, optimisers, schedule, augmentation, evaluation.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "augment.h"
#include "loss.h"
#include "optimizer.h"
#include "train_fixture.h"

static void close_to(double got, double wanted, double tolerance) {
    if (!(fabs(got - wanted) <= tolerance)) fail_msg("got %.9g, expected %.9g", got, wanted);
}

// ---- loss -----------------------------------------------------------------------------------------------

static void loss_of_known_logits(void **state) {
    (void)state;
    const float logits[] = {0, 0, 0, 0, 2, 0, 0, 0};
    const uint8_t labels[] = {3, 0};
    lac_loss loss = lac_softmax_cross_entropy(logits, labels, 2, 4, 0, NULL);
    close_to(loss.sum, log(4) + log(exp(2) + 3) - 2, 1e-12);
    assert_int_equal(loss.n_right, 1);
    const float huge[] = {1000, -1000};
    loss = lac_softmax_cross_entropy(huge, (uint8_t[]){1}, 1, 2, 0, NULL);
    close_to(loss.sum, 2000, 1e-6);
}

static void loss_gradient_matches_finite_differences(void **state) {
    (void)state;
    enum { N = 3, K = 5 };
    float logits[N * K], gradient[N * K];
    const uint8_t labels[N] = {4, 0, 2};
    lac_rng rng = lac_rng_make(1, 1);
    for (int smooth = 0; smooth < 2; smooth++) {
        float e = smooth ? 0.1f : 0;
        fill_uniform(logits, N * K, -2, 2, &rng);
        lac_softmax_cross_entropy(logits, labels, N, K, e, gradient);
        for (int i = 0; i < N * K; i++) {
            const float h = 1e-2f;
            float saved = logits[i];
            logits[i] = saved + h;
            double up = lac_softmax_cross_entropy(logits, labels, N, K, e, NULL).sum;
            logits[i] = saved - h;
            double down = lac_softmax_cross_entropy(logits, labels, N, K, e, NULL).sum;
            logits[i] = saved;
            close_to((double)gradient[i], (up - down) / (2 * (double)h) / N, 1e-5);
        }
    }
}

// ---- optimisers -----------------------------------------------------------------------------------------

// y = w x + b with x = 1, d loss / d y = 1 for output 0: the gradients of w[0] and b[0] are 1, others 0.
typedef struct line {
    lac_arena *arena;
    lac_graph *graph;
    lac_plan *plan;
    int w, b;
} line;

static line open_line(void) {
    line l = {.arena = lac_arena_open()};
    const float w[] = {1, -2}, b[] = {0.5f, 0};
    l.graph = start_graph(l.arena, LAC_SHAPE(1, 1));
    l.w = lac_graph_add_constant(l.graph, "w", LAC_SHAPE(2, 1), w, true);
    l.b = lac_graph_add_constant(l.graph, "b", LAC_SHAPE(2), b, true);
    l.graph->output =
        lac_graph_add_node(l.graph, LAC_OP_LINEAR, "fc", (int[]){l.graph->input, l.w, l.b}, 3, NULL);
    assert_int_equal(lac_graph_infer(l.graph, NULL), LAC_OK);
    lac_plan_config config = {.batch = 1, .train = true};
    assert_int_equal(lac_plan_open(l.graph, &config, &l.plan, NULL), LAC_OK);
    lac_plan_input(l.plan)[0] = 1;
    lac_plan_output_gradient(l.plan)[0] = 1;
    lac_plan_output_gradient(l.plan)[1] = 0;
    assert_int_equal(lac_plan_forward(l.plan, NULL), LAC_OK);
    assert_int_equal(lac_plan_backward(l.plan, NULL), LAC_OK);
    return l;
}

static void close_line(line *l) {
    lac_plan_close(l->plan);
    lac_arena_close(l->arena);
}

static void sgd_is_nesterov_and_decays_weights_alone(void **state) {
    (void)state;
    line l = open_line();
    lac_recipe recipe = {.optimizer = LAC_SGD, .weight_decay = 0.1f, .scale_lr = 1};
    lac_optimizer_state o = lac_optimizer_make(l.graph, &recipe, l.arena);
    double w = 1, w1 = -2, b = 0.5, vw = 0, vw1 = 0, vb = 0;
    for (uint64_t step = 0; step < 5; step++) {
        lac_optimizer_update(&o, l.graph, l.plan, 0.01f, step);
        double g = 1 + 0.1 * w, g1 = 0.1 * w1;
        vw = 0.9 * vw + g;
        vw1 = 0.9 * vw1 + g1;
        vb = 0.9 * vb + 1;
        w -= 0.01 * (g + 0.9 * vw);
        w1 -= 0.01 * (g1 + 0.9 * vw1);
        b -= 0.01 * (1 + 0.9 * vb);
        close_to((double)l.graph->values[l.w].data[0], w, 1e-6);
        close_to((double)l.graph->values[l.w].data[1], w1, 1e-6);
        close_to((double)l.graph->values[l.b].data[0], b, 1e-6);
        assert_true(l.graph->values[l.b].data[1] == 0);
    }
    close_line(&l);
}

static void adamw_moves_by_lr_at_first_and_decays_apart(void **state) {
    (void)state;
    line l = open_line();
    lac_recipe recipe = {.optimizer = LAC_ADAMW, .weight_decay = 0.1f, .scale_lr = 1};
    lac_optimizer_state o = lac_optimizer_make(l.graph, &recipe, l.arena);
    lac_optimizer_update(&o, l.graph, l.plan, 0.01f, 0);
    close_to((double)l.graph->values[l.w].data[0], 1 - 0.01 * (1 + 0.1 * 1), 1e-6);
    close_to((double)l.graph->values[l.w].data[1], -2 - 0.01 * 0.1 * -2, 1e-6);
    close_to((double)l.graph->values[l.b].data[0], 0.5 - 0.01, 1e-6);
    lac_optimizer_update(&o, l.graph, l.plan, 0.01f, 1); // a constant gradient keeps the corrected step
    close_to((double)l.graph->values[l.b].data[0], 0.5 - 0.02, 1e-6);
    close_line(&l);
}

static void schedule_warms_up_then_falls_as_a_cosine(void **state) {
    (void)state;
    lac_recipe recipe = {.schedule = LAC_COSINE, .lr = 0.2f, .warmup_epochs = 1};
    close_to((double)lac_schedule_lr(&recipe, 0, 100, 20), 0.02, 1e-7);
    close_to((double)lac_schedule_lr(&recipe, 10, 100, 20), 0.11, 1e-7);
    close_to((double)lac_schedule_lr(&recipe, 20, 100, 20), 0.2, 1e-7);
    close_to((double)lac_schedule_lr(&recipe, 60, 100, 20), 0.1, 1e-7);
    close_to((double)lac_schedule_lr(&recipe, 100, 100, 20), 0, 1e-7);
    recipe.schedule = LAC_CONSTANT;
    close_to((double)lac_schedule_lr(&recipe, 99, 100, 20), 0.2, 1e-7);
}

// ---- augmentation ---------------------------------------------------------------------------------------

static void untouched_images_are_just_normalised(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_dataset data = synthetic_dataset(arena);
    float x[2 * 64];
    lac_normalize(&data, data.test.pixels, 2, x);
    for (int i = 0; i < 128; i++) close_to((double)x[i], (data.test.pixels[i] - 85.0) / 55.0, 1e-6);
    lac_arena_close(arena);
}

// True if `moved` is `from` shifted by (dy, dx), mirrored or not, with byte 0 around.
static bool is_move(const uint8_t *from, const float *moved, int dy, int dx, bool mirror) {
    for (int y = 0; y < SYN_SIZE; y++)
        for (int x = 0; x < SYN_SIZE; x++) {
            int ys = y + dy, xs = (mirror ? SYN_SIZE - 1 - x : x) + dx;
            bool inside = ys >= 0 && ys < SYN_SIZE && xs >= 0 && xs < SYN_SIZE;
            float byte = inside ? from[ys * SYN_SIZE + xs] : 0;
            if (!(fabsf(moved[y * SYN_SIZE + x] - (byte - 85.0f) / 55.0f) <= 1e-5f)) return false;
        }
    return true;
}

static void augmented_images_are_shifts_and_mirrors_and_all_of_them_occur(void **state) {
    (void)state;
    enum { PAD = 1, N = SYN_TRAIN };
    lac_arena *arena = lac_arena_open();
    lac_dataset data = synthetic_dataset(arena);
    lac_augment a = lac_augment_make(&data, PAD, true, 77);
    float *x = LAC_NEW_ARRAY(arena, float, N * 64);
    int seen[3][3][2] = {0};
    lac_augment_batch(&a, data.train.pixels, NULL, N, 4, x);
    for (int i = 0; i < N; i++) {
        bool found = false;
        for (int m = 0; m < 18 && !found; m++) {
            int dy = m / 6 - PAD, dx = m / 2 % 3 - PAD;
            found = is_move(data.train.pixels + i * 64, x + i * 64, dy, dx, m & 1);
            if (found) seen[dy + PAD][dx + PAD][m & 1]++;
        }
        assert_true(found);
    }
    for (int m = 0; m < 18; m++) assert_true(seen[m / 6][m / 2 % 3][m & 1] > 4); // 18 expected
    lac_arena_close(arena);
}

static void augmentation_depends_on_seed_epoch_and_image_alone(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_dataset data = synthetic_dataset(arena);
    lac_augment a = lac_augment_make(&data, 2, true, 77);
    float in_order[4 * 64], alone[64], later[4 * 64];
    lac_augment_batch(&a, data.train.pixels, (uint32_t[]){5, 6, 7, 8}, 4, 1, in_order);
    lac_augment_batch(&a, data.train.pixels, (uint32_t[]){7}, 1, 1, alone);
    assert_memory_equal(alone, in_order + 2 * 64, sizeof alone);
    lac_augment_batch(&a, data.train.pixels, (uint32_t[]){5, 6, 7, 8}, 4, 2, later);
    assert_memory_not_equal(later, in_order, sizeof later);
    lac_arena_close(arena);
}

// ---- evaluation -----------------------------------------------------------------------------------------

static void evaluation_counts_every_image_once_and_agrees_with_inference(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_dataset data = synthetic_dataset(arena);
    lac_graph *graph = synthetic_net(arena);
    const uint32_t limits[] = {1, 50, 128, 129, SYN_TRAIN, 0};
    float *x = LAC_NEW_ARRAY(arena, float, SYN_TRAIN * 64);
    float *logits = LAC_NEW_ARRAY(arena, float, SYN_TRAIN *SYN_CLASSES);
    lac_normalize(&data, data.train.pixels, SYN_TRAIN, x);
    assert_int_equal(lac_infer(graph, x, SYN_TRAIN, logits, NULL), LAC_OK);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        uint32_t n = limits[i] ? limits[i] : SYN_TRAIN;
        lac_eval_result result = {0};
        assert_int_equal(lac_evaluate(graph, &data, &data.train, limits[i], NULL, &result, NULL), LAC_OK);
        lac_loss loss = lac_softmax_cross_entropy(logits, data.train.labels, n, SYN_CLASSES, 0, NULL);
        assert_int_equal(result.n, n);
        assert_int_equal(result.n_right, loss.n_right);
        close_to(result.loss, loss.sum / n, 1e-5);
    }
    lac_arena_close(arena);
}

typedef struct visits {
    const lac_graph *graph;
    int n_images[64];
    float largest_relu;
} visits;

static void count_visit(void *ctx, int value, const float *data, lac_shape shape) {
    visits *v = ctx;
    v->n_images[value] += (int)shape.dim[0];
    assert_null(v->graph->values[value].data);
    if (strcmp(v->graph->values[value].name, "conv1.relu") != 0) return;
    assert_true(lac_shape_equal(shape, LAC_SHAPE(shape.dim[0], 8, SYN_SIZE, SYN_SIZE)));
    for (int64_t i = 0; i < lac_shape_count(shape); i++) {
        assert_true(data[i] >= 0);
        v->largest_relu = fmaxf(v->largest_relu, data[i]);
    }
}

static void visits_every_activation_of_every_image(void **state) {
    (void)state;
    enum { N = 200 };
    lac_arena *arena = lac_arena_open();
    lac_dataset data = synthetic_dataset(arena);
    lac_graph *graph = synthetic_net(arena);
    visits v = {.graph = graph};
    float *x = LAC_NEW_ARRAY(arena, float, N * 64);
    lac_normalize(&data, data.train.pixels, N, x);
    assert_int_equal(lac_infer_visit(graph, x, N, count_visit, &v, NULL), LAC_OK);
    for (int i = 0; i < graph->n_values; i++) assert_int_equal(v.n_images[i], graph->values[i].data ? 0 : N);
    assert_true(v.largest_relu > 0);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_of_known_logits),
        cmocka_unit_test(loss_gradient_matches_finite_differences),
        cmocka_unit_test(sgd_is_nesterov_and_decays_weights_alone),
        cmocka_unit_test(adamw_moves_by_lr_at_first_and_decays_apart),
        cmocka_unit_test(schedule_warms_up_then_falls_as_a_cosine),
        cmocka_unit_test(untouched_images_are_just_normalised),
        cmocka_unit_test(augmented_images_are_shifts_and_mirrors_and_all_of_them_occur),
        cmocka_unit_test(augmentation_depends_on_seed_epoch_and_image_alone),
        cmocka_unit_test(evaluation_counts_every_image_once_and_agrees_with_inference),
        cmocka_unit_test(visits_every_activation_of_every_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
