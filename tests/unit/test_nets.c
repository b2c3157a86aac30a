// Every network of nets.def: its size as published, its output on one image, and the shortcuts of option A.
#include "float_plan.h"
#include "rng.h"
#include "train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const lac_net_desc *net_named(const char *name) {
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, name) == 0) return lac_net_row(i);
    fail_msg("no network '%s'", name);
    return NULL;
}

// Shapes inferred anew, so that they do not rest on what the builder noted.
static lac_graph *build(const lac_net_desc *net, lac_arena *arena, lac_shape image, int n_classes) {
    lac_error err = {0};
    lac_graph *graph =
        net->build(arena, (int)image.dim[1], (int)image.dim[2], (int)image.dim[3], n_classes, 1);
    if (!graph) fail_msg("%s is not built", net->name);
    if (lac_graph_infer(graph, &err) != LAC_OK || lac_graph_check(graph, &err) != LAC_OK)
        fail_msg("%s: %s", net->name, err.text);
    return graph;
}

typedef struct sizes {
    int64_t macs;      // as lac_graph_macs counts
    int64_t conv_macs; // convolutions and linear layers
    int64_t params;    // trainable
    int64_t biases;    // that publications have and ours leaves out, because batch norm cancels them
    int64_t statistics;
} sizes;

static bool takes_batch_norm(const lac_graph *graph, const lac_node *node) {
    int reader;
    return lac_graph_readers(graph, node->out, &reader, 1) == 1 &&
           graph->nodes[reader].op == LAC_OP_BATCH_NORM;
}

static sizes measure(const lac_graph *graph) {
    sizes s = {.macs = (int64_t)lac_graph_macs(graph), .conv_macs = (int64_t)lac_graph_conv_macs(graph)};
    for (int v = 0; v < graph->n_values; v++) {
        const lac_value *value = &graph->values[v];
        if (value->data) *(value->trainable ? &s.params : &s.statistics) += lac_shape_count(value->shape);
    }
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        if (node->op == LAC_OP_CONV2D && node->n_in == 2 && takes_batch_norm(graph, node))
            s.biases += graph->values[node->in[1]].shape.dim[0];
    }
    return s;
}

static sizes sizes_of(const char *name, lac_shape image, int n_classes) {
    lac_arena *arena = lac_arena_open();
    sizes s = measure(build(net_named(name), arena, image, n_classes));
    lac_arena_close(arena);
    return s;
}

static void expect(const char *net, const char *what, int64_t got, double published, double unit) {
    if (round((double)got / unit) != round(published / unit))
        fail_msg("%s has %lld %s, published are %.0f (to %g)", net, (long long)got, what, published, unit);
}

#define CIFAR LAC_SHAPE(1, 3, 32, 32)
#define MNIST LAC_SHAPE(1, 1, 28, 28)
#define IMAGENET LAC_SHAPE(1, 3, 224, 224)

// With batch norm and average pools counted, as "thop" does: AutoBot (Castells, Yeom 2023) and its code.
static void networks_have_the_published_counts_of_thop(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double macs, macs_unit, params, params_unit;
    } rows[] = {
        {"resnet56", 126554816, 1, 0.853e6, 1e3},
        {"resnet110", 254.99e6, 1e4, 1.728e6, 1e3},
        {"densenet40", 287.77e6, 1e4, 1.059e6, 1e3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sizes s = sizes_of(rows[i].name, CIFAR, 10);
        expect(rows[i].name, "MACs", s.macs, rows[i].macs, rows[i].macs_unit);
        expect(rows[i].name, "parameters", s.params, rows[i].params, rows[i].params_unit);
    }
    expect("resnet50", "MACs", sizes_of("resnet50", IMAGENET, 1000).macs, 4111514624, 1);
}

// The two were published with biases in front of batch norm, and thop counts one for each output that has
// one.
static int64_t bias_additions(const lac_graph *graph) {
    int64_t n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].op == LAC_OP_CONV2D)
            n += lac_shape_count(graph->values[graph->nodes[i].out].shape);
    return n;
}

static void vgg16_and_googlenet_have_the_published_counts_with_their_biases(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_graph *vgg = build(net_named("vgg16-bn"), arena, CIFAR, 10);
    lac_graph *google = build(net_named("googlenet"), arena, CIFAR, 10);
    sizes v = measure(vgg), g = measure(google);
    expect("vgg16-bn", "MACs", v.macs + bias_additions(vgg), 314294272, 1);
    expect("vgg16-bn", "parameters", v.params + v.biases, 14.99e6, 1e4);
    expect("googlenet", "MACs", g.macs + bias_additions(google), 1529.4e6, 1e5);
    expect("googlenet", "parameters", g.params + g.biases, 6.17e6, 1e4);
    lac_arena_close(arena);
}

// Convolutions and linear layers alone, as the papers count; 0 is not published.
static void networks_have_the_published_sizes_of_their_papers(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int pixels, n_classes;
        double macs, macs_unit, params, params_unit;
    } rows[] = {
        // He et al., table 6
        {"resnet20", 32, 10, 0, 1, 0.27e6, 1e4},
        // torchvision's table of weights: parameters and GFLOPS
        {"resnet18", 224, 1000, 1.81e9, 1e7, 11689512, 1},
        {"resnet50", 224, 1000, 4.09e9, 1e7, 25557032, 1},
        {"squeezenet", 224, 1000, 0.35e9, 1e7, 1235496, 1},
        {"shufflenet-v2", 224, 1000, 0.145e9, 1e6, 2278604, 1},
        // Hu et al., table 2 and the model of timm; Woo et al., table 4
        {"se-resnet50", 224, 1000, 0, 1, 28088024, 1},
        {"cbam-resnet50", 224, 1000, 0, 1, 28.09e6, 1e4},
        {"mobilenet-v2", 224, 1000, 0.30e9, 1e7, 3504872, 1},
        // Howard et al., tables 6 and 8
        {"mobilenet-v1", 224, 1000, 569e6, 1e6, 4.2e6, 1e5},
        {"mobilenet-v1-050", 224, 1000, 149e6, 1e6, 1.3e6, 1e5},
        {"mobilenet-v1-025", 224, 1000, 41e6, 1e6, 0.5e6, 1e5},
        // the list of models beside the authors' code
        {"mobilenet-v2-035", 224, 1000, 59e6, 1e6, 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sizes s = sizes_of(rows[i].name, LAC_SHAPE(1, 3, rows[i].pixels, rows[i].pixels), rows[i].n_classes);
        if (rows[i].macs > 0) expect(rows[i].name, "MACs", s.conv_macs, rows[i].macs, rows[i].macs_unit);
        if (rows[i].params > 0)
            expect(rows[i].name, "parameters", s.params, rows[i].params, rows[i].params_unit);
    }
}

// From torchvision's numbers: another kernel in the stem, and 10 classes instead of 1000.
static void stems_for_small_images_differ_by_their_kernel_alone(void **state) {
    (void)state;
    const int64_t stem = 3 * 64 * (7 * 7 - 3 * 3);
    assert_int_equal(sizes_of("resnet18-cifar", CIFAR, 10).params, 11689512 - stem - 990 * (512 + 1));
    assert_int_equal(sizes_of("resnet50-cifar", CIFAR, 10).params, 25557032 - stem - 990 * (2048 + 1));
}

// MLPerf Tiny's reference models in Keras have biases before batch norm, and Keras counts running statistics.
static void mlperf_tiny_networks_have_the_parameters_of_their_references(void **state) {
    (void)state;
    sizes ic = sizes_of("resnet8", CIFAR, 10);
    sizes kws = sizes_of("ds-cnn", LAC_SHAPE(1, 1, 49, 10), 12);
    sizes vww = sizes_of("mobilenet-v1-025", LAC_SHAPE(1, 3, 96, 96), 2);
    assert_int_equal(ic.params + ic.biases + ic.statistics, 78666);
    assert_int_equal(kws.params + kws.biases + kws.statistics, 24908);
    assert_int_equal(vww.params + vww.biases + vww.statistics, 221794);
    // 25x5 pixels behind the 10x4 convolution
    assert_int_equal(kws.conv_macs, 25 * 5 * (40 * 64 + 4 * (9 * 64 + 64 * 64)) + 64 * 12);
}

static int64_t n_weights(const char *name, lac_shape image) {
    lac_arena *arena = lac_arena_open();
    lac_graph *graph = build(net_named(name), arena, image, 10);
    int64_t n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].op == LAC_OP_CONV2D || graph->nodes[i].op == LAC_OP_LINEAR)
            n += lac_shape_count(graph->values[graph->nodes[i].in[1]].shape);
    lac_arena_close(arena);
    return n;
}

// FINN, section 5: layers of 256 and 1024 on 784 inputs; CNV's as written down in Brevitas' CNV.py.
static void finn_networks_have_the_weights_of_their_layers(void **state) {
    (void)state;
    const int64_t cnv = 9 * (3 * 64 + 64 * 64 + 64 * 128 + 128 * 128 + 128 * 256 + 256 * 256) + 256 * 512 +
                        512 * 512 + 512 * 10;
    assert_int_equal(n_weights("cnv", CIFAR), cnv);
    assert_int_equal(n_weights("tfc", MNIST), 784 * 64 + 2 * 64 * 64 + 64 * 10);
    assert_int_equal(n_weights("sfc", MNIST), 784 * 256 + 2 * 256 * 256 + 256 * 10);
    assert_int_equal(n_weights("lfc", MNIST), 784 * 1024 + 2 * 1024 * 1024 + 1024 * 10);
}

// The template of Xie et al., section 5.3, layer by layer: 3x3 convolutions see one group of channels.
static void resnext29_has_grouped_convolutions(void **state) {
    (void)state;
    int64_t weights = 9 * 3 * 64 + 1024 * 10, in = 64;
    for (int s = 0; s < 3; s++)
        for (int b = 0; b < 3; b++) {
            int64_t inner = 128 << s, out = 256 << s;
            weights += in * inner + 9 * inner * (inner / 32) + inner * out + (b == 0 ? in * out : 0);
            in = out;
        }
    assert_int_equal(n_weights("resnext29-32x4d", CIFAR), weights);
}

// Table 1 of Zagoruyko and Komodakis with N = 2 and k = 4, layer by layer; the shortcuts that change shape
// are 1x1.
static void wrn_16_4_has_the_weights_of_its_table(void **state) {
    (void)state;
    int64_t weights = 9 * 3 * 16 + 256 * 10, in = 16;
    for (int s = 0; s < 3; s++)
        for (int b = 0; b < 2; b++) {
            int64_t out = 64 << s;
            weights += 9 * in * out + 9 * out * out + (in == out ? 0 : in * out);
            in = out;
        }
    assert_int_equal(n_weights("wrn-16-4", CIFAR), weights);
}

// The counts above would notice: one class more, one residual block less.
static void other_networks_have_other_counts(void **state) {
    (void)state;
    sizes more = sizes_of("resnet56", CIFAR, 11), less = sizes_of("resnet20", CIFAR, 10);
    assert_int_equal(more.macs - 126554816, 64);
    assert_int_equal(more.params - 853018, 65);
    assert_true(less.macs < 126554816 && less.params < 853018);
}

enum { PIXELS = 3 * 32 * 32, CLASSES = 7, BATCH = 4 };

static void expect_logits(const lac_graph *graph, lac_rng *rng) {
    float x[PIXELS], logits[CLASSES + 1];
    lac_error err = {0};
    bool differ = false;
    for (int p = 0; p < PIXELS; p++) x[p] = lac_rng_normal(rng);
    logits[CLASSES] = 12345.0f;
    if (lac_infer(graph, x, 1, logits, &err) != LAC_OK) fail_msg("%s: %s", graph->name, err.text);
    for (int k = 0; k < CLASSES; k++) {
        if (!isfinite(logits[k])) fail_msg("%s: logit %d is %g", graph->name, k, (double)logits[k]);
        differ = differ || logits[k] != logits[0];
    }
    if (!differ) fail_msg("%s: all logits are %g", graph->name, (double)logits[0]);
    assert_true(logits[CLASSES] == 12345.0f);
}

static void expect_gradients(const lac_graph *graph, lac_plan *plan) {
    for (int v = 0; v < graph->n_values; v++) {
        const lac_value *value = &graph->values[v];
        if (!value->trainable) continue;
        const float *gradient = lac_plan_gradient(plan, v);
        bool any = false;
        if (!gradient) fail_msg("%s: '%s' has no gradient", graph->name, value->name);
        for (int64_t i = 0; i < lac_shape_count(value->shape); i++) {
            if (!isfinite(gradient[i])) fail_msg("%s: gradient of '%s'", graph->name, value->name);
            any = any || gradient[i] != 0.0f;
        }
        if (!any) fail_msg("%s: the gradient of '%s' is zero", graph->name, value->name);
    }
}

static void expect_step(const lac_graph *graph, lac_rng *rng) {
    lac_plan_config config = {.batch = BATCH, .train = true};
    lac_plan *plan = NULL;
    lac_error err = {0};
    if (lac_plan_open(graph, &config, &plan, &err) != LAC_OK) fail_msg("%s: %s", graph->name, err.text);
    for (int p = 0; p < BATCH * PIXELS; p++) lac_plan_input(plan)[p] = lac_rng_normal(rng);
    assert_int_equal(lac_plan_forward(plan, NULL), LAC_OK);
    for (int k = 0; k < BATCH * CLASSES; k++) lac_plan_output_gradient(plan)[k] = lac_rng_normal(rng);
    assert_int_equal(lac_plan_backward(plan, NULL), LAC_OK);
    expect_gradients(graph, plan);
    lac_plan_close(plan);
}

// The backward of large networks is left to the small ones of their family: under a sanitizer it takes
// seconds.
static void every_network_gives_finite_logits_and_every_layer_a_gradient(void **state) {
    (void)state;
    for (int i = 0; i < lac_n_nets(); i++) {
        lac_arena *arena = lac_arena_open();
        lac_rng rng = lac_rng_make(3, (uint64_t)i);
        lac_graph *graph = build(lac_net_row(i), arena, CIFAR, CLASSES);
        expect_logits(graph, &rng);
        if (measure(graph).params < 3000000 && graph->n_nodes < 150) expect_step(graph, &rng);
        lac_arena_close(arena);
    }
}

// Their attention has weights that two branches share; no layer of theirs may be left out of the gradient.
static void attention_learns_in_every_layer(void **state) {
    (void)state;
    static const char *const names[] = {"se-resnet18-cifar", "cbam-resnet18-cifar"};
    for (int i = 0; i < 2; i++) {
        lac_arena *arena = lac_arena_open();
        lac_rng rng = lac_rng_make(4, (uint64_t)i);
        expect_step(build(net_named(names[i]), arena, CIFAR, CLASSES), &rng);
        lac_arena_close(arena);
    }
}

static void networks_carry_name_help_and_source(void **state) {
    (void)state;
    for (int i = 0; i < lac_n_nets(); i++) {
        const lac_net_desc *net = lac_net_row(i);
        assert_true(net->name[0] && net->help[0] && net->source[0]);
        assert_true(strlen(net->source) < 150); // a cell of `lacuna list nets`
        for (int j = 0; j < i; j++) assert_string_not_equal(net->name, lac_net_row(j)->name);
    }
}

typedef struct collector {
    const lac_graph *graph;
    lac_arena *arena;
    struct {
        const char *name;
        float *data;
        lac_shape shape;
    } wanted[4];
} collector;

static void collect(void *ctx, int value, const float *data, lac_shape shape) {
    collector *c = ctx;
    for (int i = 0; i < 4; i++)
        if (strcmp(c->graph->values[value].name, c->wanted[i].name) == 0) {
            c->wanted[i].shape = shape;
            c->wanted[i].data = lac_arena_copy(c->arena, data, (size_t)lac_shape_count(shape) * sizeof *data);
        }
}

// y = relu(f + x at every second pixel, with zeros for the channels that x does not have): the law of the
// paper, applied to what the graph computes. Images of odd size show where the pixels lie.
static void option_a_adds_every_second_pixel_and_zeros(void **state) {
    (void)state;
    enum { SIZE = 9, HALF = 5, IN = 16, OUT = 32 };
    lac_arena *arena = lac_arena_open();
    lac_rng rng = lac_rng_make(5, 5);
    lac_graph *graph = build(net_named("resnet20"), arena, LAC_SHAPE(1, 1, SIZE, SIZE), 10);
    collector c = {graph,
                   arena,
                   {{.name = "stage1.3.relu"},
                    {.name = "stage2.1.conv2.low.bn"},
                    {.name = "stage2.1.conv2.high.bn"},
                    {.name = "stage2.1.concat"}}};
    float image[SIZE * SIZE];
    for (int p = 0; p < SIZE * SIZE; p++) image[p] = lac_rng_normal(&rng);
    assert_int_equal(lac_infer_visit(graph, image, 1, collect, &c, NULL), LAC_OK);
    for (int i = 0; i < 4; i++)
        if (!c.wanted[i].data) fail_msg("no value '%s'", c.wanted[i].name);
    assert_true(lac_shape_equal(c.wanted[0].shape, LAC_SHAPE(1, IN, SIZE, SIZE)));
    assert_true(lac_shape_equal(c.wanted[3].shape, LAC_SHAPE(1, OUT, HALF, HALF)));
    for (int o = 0; o < OUT; o++)
        for (int y = 0; y < HALF; y++)
            for (int x = 0; x < HALF; x++) {
                int at = (o % IN * HALF + y) * HALF + x;
                float f = c.wanted[o < IN ? 1 : 2].data[at];
                float shortcut = o < IN ? c.wanted[0].data[(o * SIZE + 2 * y) * SIZE + 2 * x] : 0.0f;
                float law = fmaxf(f + shortcut, 0.0f), got = c.wanted[3].data[(o * HALF + y) * HALF + x];
                if (!(fabsf(got - law) <= 1e-5f))
                    fail_msg("channel %d: %g is not %g", o, (double)got, (double)law);
            }
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_have_the_published_counts_of_thop),
        cmocka_unit_test(vgg16_and_googlenet_have_the_published_counts_with_their_biases),
        cmocka_unit_test(networks_have_the_published_sizes_of_their_papers),
        cmocka_unit_test(stems_for_small_images_differ_by_their_kernel_alone),
        cmocka_unit_test(mlperf_tiny_networks_have_the_parameters_of_their_references),
        cmocka_unit_test(finn_networks_have_the_weights_of_their_layers),
        cmocka_unit_test(resnext29_has_grouped_convolutions),
        cmocka_unit_test(wrn_16_4_has_the_weights_of_its_table),
        cmocka_unit_test(other_networks_have_other_counts),
        cmocka_unit_test(every_network_gives_finite_logits_and_every_layer_a_gradient),
        cmocka_unit_test(attention_learns_in_every_layer),
        cmocka_unit_test(networks_carry_name_help_and_source),
        cmocka_unit_test(option_a_adds_every_second_pixel_and_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
