// Plans as a whole: shared memory, fusion and bf16 change how a step is computed and not what it is.
#include "float_fixture.h"
#include "float_plan.h"
#include "train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 4 };

static const lac_net_desc *net_named(const char *name) {
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, name) == 0) return lac_net_row(i);
    fail_msg("no network '%s'", name);
    return NULL;
}

static lac_graph *build(lac_arena *arena, const char *name, int channels, int pixels) {
    lac_graph *graph = net_named(name)->build(arena, channels, pixels, pixels, 10, 3);
    assert_non_null(graph);
    assert_int_equal(lac_graph_infer(graph, NULL), LAC_OK);
    return graph;
}

static lac_plan *open_plan(const lac_graph *graph, lac_plan_config config) {
    lac_plan *plan = NULL;
    lac_error err = {0};
    config.batch = BATCH;
    if (lac_plan_open(graph, &config, &plan, &err) != LAC_OK) fail_msg("%s", err.text);
    return plan;
}

// One step on fixed inputs and output gradients.
static void step(const lac_graph *graph, lac_plan *plan) {
    lac_rng rng = lac_rng_make(5, 5);
    int64_t n_x = BATCH * lac_shape_count(graph->values[graph->input].shape);
    int64_t n_y = BATCH * lac_shape_count(graph->values[graph->output].shape);
    fill_uniform(lac_plan_input(plan), n_x, -1, 1, &rng);
    assert_int_equal(lac_plan_forward(plan, NULL), LAC_OK);
    fill_uniform(lac_plan_output_gradient(plan), n_y, -1, 1, &rng);
    assert_int_equal(lac_plan_backward(plan, NULL), LAC_OK);
}

// What the angle between two gradients is made of.
typedef struct products {
    double ab, aa, bb;
} products;

static void multiply(const float *a, const float *b, int64_t n, products *p) {
    for (int64_t i = 0; i < n; i++) {
        p->ab += (double)a[i] * (double)b[i];
        p->aa += (double)a[i] * (double)a[i];
        p->bb += (double)b[i] * (double)b[i];
    }
}

// 1 - cosine; 0 for two that vanish.
static double angle(products p) {
    return p.aa == 0 && p.bb == 0 ? 0 : 1 - p.ab / sqrt(p.aa * p.bb);
}

// One step of two plans of a graph: the largest angle of any parameter's gradient, and that of all as one
// vector. The latter passes over parameters whose gradient is rounding alone, such as a scale in front of a
// batch norm.
static double worst_angle(const lac_graph *graph, lac_plan *a, lac_plan *b, double *overall) {
    double worst = 0;
    products all = {0};
    step(graph, a);
    step(graph, b);
    for (int v = 0; v < graph->n_values; v++) {
        const float *x = lac_plan_gradient(a, v), *y = lac_plan_gradient(b, v);
        if (!graph->values[v].trainable) continue;
        assert_true(x && y);
        products own = {0};
        multiply(x, y, lac_shape_count(graph->values[v].shape), &own);
        multiply(x, y, lac_shape_count(graph->values[v].shape), &all);
        double now = angle(own);
        if (!(now <= worst)) worst = now; // also when it is not a number
    }
    *overall = angle(all);
    return worst;
}

static void sharing_memory_and_fusing_change_no_gradient(void **state) {
    (void)state;
    static const struct {
        const char *net;
        int channels, pixels;
    } rows[] = {{"resnet8", 3, 16}, {"resnet20", 3, 16}, {"lenet5", 1, 28},    {"mobilenet-v2-035", 3, 32},
                {"ds-cnn", 1, 28},  {"mlp", 1, 8},       {"squeezenet", 3, 32}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lac_arena *arena = lac_arena_open();
        lac_graph *graph = build(arena, rows[i].net, rows[i].channels, rows[i].pixels);
        lac_plan *shared = open_plan(graph, (lac_plan_config){.train = true});
        lac_plan *apart = open_plan(graph, (lac_plan_config){.train = true, .keep_all = true});
        double overall, worst = worst_angle(graph, shared, apart, &overall);
        if (!(worst < 1e-6)) fail_msg("%s: gradients differ, 1 - cosine is %g", rows[i].net, worst);
        lac_plan_close(shared);
        lac_plan_close(apart);
        lac_arena_close(arena);
    }
}

static void buffers_of_different_times_share_memory(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = build(arena, "resnet20", 3, 32);
    lac_plan *shared = open_plan(graph, (lac_plan_config){.train = true});
    lac_plan *apart = open_plan(graph, (lac_plan_config){.train = true, .keep_all = true});
    lac_plan *inference = open_plan(graph, (lac_plan_config){0});
    assert_true(2 * lac_plan_memory_bytes(shared) < lac_plan_memory_bytes(apart));
    assert_true(4 * lac_plan_memory_bytes(inference) < lac_plan_memory_bytes(shared));
    lac_plan_close(shared);
    lac_plan_close(apart);
    lac_plan_close(inference);
    lac_arena_close(arena);
}

static void what_is_not_kept_cannot_be_read(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = build(arena, "mlp", 1, 8);
    lac_plan *plan = open_plan(graph, (lac_plan_config){0});
    lac_error err = {0};
    float out[BATCH * 1024];
    assert_int_equal(lac_plan_forward(plan, NULL), LAC_OK);
    assert_int_equal(lac_plan_read(plan, graph->nodes[1].out, out, &err), LAC_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "keep_all"));
    assert_int_equal(lac_plan_read(plan, graph->output, out, NULL), LAC_OK);
    assert_memory_equal(out, lac_plan_output(plan), BATCH * 10 * sizeof(float));
    lac_plan_close(plan);
    lac_arena_close(arena);
}

// The gradient of a float step and of a bf16 step point the same way: 8 bits of mantissa, a few layers deep,
// and batch norms over few images.
static void check_bf16(const lac_graph *graph, const char *name) {
    lac_plan *f32 = open_plan(graph, (lac_plan_config){.train = true});
    lac_plan *bf16 = open_plan(graph, (lac_plan_config){.train = true, .precision = LAC_BF16});
    double overall;
    (void)worst_angle(graph, f32, bf16, &overall);
    if (!(overall < 0.05)) fail_msg("%s: 1 - cosine is %g", name, overall);
    if (!(overall > 1e-9)) fail_msg("%s: bf16 gives float's gradients to the last bit; is it used?", name);
    lac_plan_close(f32);
    lac_plan_close(bf16);
}

// Where the processor has no bfloat16, a plan that asks for it is refused and says what to do.
static void need_bf16(void) {
    if (lac_precision_usable(LAC_BF16)) return;
    lac_arena *arena = lac_arena_open();
    lac_plan *plan = NULL;
    lac_error err = {0};
    lac_plan_config config = {.batch = 1, .train = true, .precision = LAC_BF16};
    assert_int_equal(lac_plan_open(build(arena, "mlp", 1, 8), &config, &plan, &err), LAC_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "use precision f32"));
    lac_arena_close(arena);
    print_message("this processor has no bfloat16\n");
    skip();
}

static void gradients_in_bf16_point_where_those_in_float_do(void **state) {
    (void)state;
    need_bf16();
    static const char *const nets[] = {"resnet8", "lacuna-tiny", "ds-cnn"};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        lac_arena *arena = lac_arena_open();
        check_bf16(build(arena, nets[i], 1, 28), nets[i]);
        lac_arena_close(arena);
    }
}

// A quantizer knows float32 alone; it is given copies, and its gradient comes back.
static void ops_that_know_float_alone_work_within_a_bf16_plan(void **state) {
    (void)state;
    need_bf16();
    lac_arena *arena = lac_arena_open();
    lac_rng rng = lac_rng_make(9, 9);
    lac_graph *graph = start_graph(arena, LAC_SHAPE(1, 3, 8, 8));
    int w1[] = {graph->input, add_uniform(graph, "w1", LAC_SHAPE(16, 3, 3, 3), -1, 1, true, &rng)};
    int x = lac_graph_add_node(graph, LAC_OP_CONV2D, "conv1", w1, 2,
                               &(lac_attr){.window = square_window(3, 1, 1)});
    const float scale = 0.5f, zero = 0;
    int q[] = {x, lac_graph_add_constant(graph, "scale", (lac_shape){0}, &scale, true),
               lac_graph_add_constant(graph, "zero", (lac_shape){0}, &zero, false)};
    int y = lac_graph_add_node(graph, LAC_OP_QUANT, "quant", q, 3,
                               &(lac_attr){.quant = {.bits = 4, .is_signed = true}});
    y = lac_graph_add_node(graph, LAC_OP_ADD, "add", (int[]){y, x}, 2, NULL);
    y = lac_graph_add_node(graph, LAC_OP_FLATTEN, "flatten", &y, 1, NULL);
    int w2[] = {y, add_uniform(graph, "w2", LAC_SHAPE(10, 1024), -1, 1, true, &rng)};
    graph->output = lac_graph_add_node(graph, LAC_OP_LINEAR, "fc", w2, 2, NULL);
    assert_int_equal(lac_graph_infer(graph, NULL), LAC_OK);
    check_bf16(graph, "quantized");
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sharing_memory_and_fusing_change_no_gradient),
        cmocka_unit_test(buffers_of_different_times_share_memory),
        cmocka_unit_test(what_is_not_kept_cannot_be_read),
        cmocka_unit_test(gradients_in_bf16_point_where_those_in_float_do),
        cmocka_unit_test(ops_that_know_float_alone_work_within_a_bf16_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
