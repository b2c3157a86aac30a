#include "random_nets.h"

#include "block_loss.h"
#include "blocks.h"
#include "draw_images.h"
#include "float_plan.h"
#include "net.h"
#include "prepare.h"
#include "ptq.h"
#include "quant_codes.h"
#include "shards.h"
#include "soft_weights.h"

/// Reconstruction of blocks: where they are, their loss and its gradients, what is learned and drawn.

enum { N_IMAGES = 96, N_CLASSES = 4 };

typedef struct fixture {
    lac_arena *arena;
    lac_dataset data;
    lac_graph *g;
} fixture;

// A layer, a residual block, a depthwise layer and its 1x1, a classifier; with a long skip, all but the first
// and the last are one.
static lac_graph *make_net(fixture *f, bool long_skip) {
    lac_net net = lac_net_start(f->arena, "blocks", 2, 8, 8, 3);
    const lac_window depthwise = {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 8};
    int a = lac_net_relu(&net, "ra", lac_net_conv(&net, "a", net.graph->input, 8, 3, 1, 1, true));
    int b = lac_net_relu(&net, "rb", lac_net_conv(&net, "b", a, 8, 3, 1, 1, true));
    int c = lac_net_add(&net, "add", lac_net_conv(&net, "c", b, 8, 3, 1, 1, true), a);
    int d = lac_net_conv_window(&net, "d", lac_net_relu(&net, "rc", c), 8, depthwise, true);
    int e = lac_net_conv(&net, "e", lac_net_relu(&net, "rd", d), 8, 1, 1, 0, true);
    if (long_skip) e = lac_net_add(&net, "far", e, a);
    return lac_net_done(&net, lac_net_classify(&net, lac_net_relu(&net, "re", e), N_CLASSES));
}

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = lac_arena_open();
    f->data = make_noise_data(f->arena, 2, 8, 8, N_CLASSES, N_IMAGES, 5);
    f->g = make_net(f, false);
    ASSERT_OK(lac_graph_tidy(f->g, err));
    ASSERT_OK(lac_graph_infer(f->g, err));
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    lac_arena_close(f->arena);
    free(f);
    return 0;
}

static lac_quant_config config_of(int weight_bits, int act_bits, uint64_t seed) {
    return (lac_quant_config){.weight_bits = weight_bits,
                              .act_bits = act_bits,
                              .images = 64,
                              .iterations = 60,
                              .recipe = {.seed = seed}};
}

static lac_graph *prepared(fixture *f, const lac_graph *float_graph) {
    const lac_quant_config config = config_of(3, 4, 1);
    lac_graph *g = lac_graph_copy(float_graph, f->arena);
    ASSERT_OK(lac_quant_prepare(g, &f->data, &config, err));
    return g;
}

// ---- where blocks are -------------------------------------------------------------------------------------

static void blocks_are_found_from_the_graph(void **state) {
    fixture *f = *state;
    lac_block *blocks;
    int n;
    lac_graph *g = prepared(f, f->g);
    ASSERT_OK(lac_blocks_find(g, f->arena, &blocks, &n, err));
    const struct {
        const char *name;
        int n_layers;
    } wanted[] = {{"a", 1}, {"c", 2}, {"e", 2}, {"fc", 1}};
    assert_int_equal(n, 4);
    for (int i = 0; i < n; i++) {
        assert_string_equal(blocks[i].name, wanted[i].name);
        assert_int_equal(blocks[i].n_layers, wanted[i].n_layers);
        assert_int_equal(blocks[i].in, i ? blocks[i - 1].out : g->input);
    }
    assert_int_equal(blocks[n - 1].out, g->output);
    g = prepared(f, make_net(f, true));
    ASSERT_OK(lac_blocks_find(g, f->arena, &blocks, &n, err));
    assert_int_equal(n, 3);
    assert_int_equal(blocks[1].n_layers, 4);
}

static float *forward(fixture *f, const lac_graph *g, const float *x, uint32_t n) {
    const lac_graph *const parts[LAC_SHARDS] = {g, g, g, g};
    lac_shards *shards;
    float *y = LAC_NEW_ARRAY(f->arena, float, n *(size_t)lac_shape_count(g->values[g->output].shape));
    ASSERT_OK(lac_shards_open(parts, &(lac_plan_config){.batch = 4}, &shards, err));
    ASSERT_OK(lac_shards_forward(shards, x, n, y, err));
    lac_shards_close(shards);
    return y;
}

// Block after block makes what the whole makes, each reading the one before alone; 31 images leave shards
// unequal.
static void blocks_in_a_row_are_the_graph(void **state) {
    fixture *f = *state;
    enum { N = 31 };
    lac_graph *g = prepared(f, f->g);
    lac_block *blocks;
    int n;
    ASSERT_OK(lac_blocks_find(g, f->arena, &blocks, &n, err));
    float *x = LAC_NEW_ARRAY(f->arena, float, N * 128), *whole = LAC_NEW_ARRAY(f->arena, float, N *N_CLASSES);
    lac_normalize(&f->data, f->data.train.pixels, N, x);
    ASSERT_OK(lac_infer(g, x, N, whole, err));
    for (int i = 0; i < n; i++)
        x = forward(f, lac_graph_part(g, blocks[i].in, blocks[i].out, f->arena), x, N);
    for (int i = 0; i < N * N_CLASSES; i++) assert_float_equal(x[i], whole[i], 1e-5f);
}

// ---- loss and gradients -----------------------------------------------------------------------------------

/// The residual block of the float graph, whose weights are being rounded to 3 bits.
typedef struct block_bench {
    lac_graph *part;
    lac_soft_weights w;
    lac_plan *plan;
    float x[512], wanted[512], weight[512];
} block_bench;

static double loss_at(block_bench *b, float *gradient) {
    lac_soft_relax(&b->w);
    memcpy(lac_plan_input(b->plan), b->x, sizeof b->x);
    assert_int_equal(lac_plan_forward(b->plan, NULL), LAC_OK);
    return lac_block_loss(lac_plan_output(b->plan), b->wanted, b->weight, 512, 1, gradient);
}

static void open_bench(fixture *f, block_bench *b) {
    lac_graph *g = prepared(f, f->g);
    lac_block *blocks;
    int n, quant = -1;
    lac_rng rng = lac_rng_make(9, 9);
    ASSERT_OK(lac_blocks_find(g, f->arena, &blocks, &n, err));
    int from = f->g->nodes[lac_node_named(f->g, "ra")].out, to = f->g->nodes[lac_node_named(f->g, "rc")].out;
    b->part = lac_graph_part(f->g, from, to, f->arena);
    quant = lac_graph_producer(g, g->nodes[lac_node_named(g, "b")].in[1]);
    b->w = lac_soft_weights_make(g, &g->nodes[quant], f->arena);
    lac_value *w = &b->part->values[b->part->nodes[lac_node_named(b->part, "b")].in[1]];
    b->w.value = (int)(w - b->part->values);
    w->data = b->w.made;
    w->trainable = true;
    for (int i = 0; i < 512; i++) {
        b->x[i] = lac_rng_uniform(&rng);
        b->wanted[i] = lac_rng_normal(&rng);
        b->weight[i] = lac_rng_uniform(&rng);
    }
    ASSERT_OK(lac_plan_open(b->part, &(lac_plan_config){.batch = 1, .train = true}, &b->plan, err));
}

// Do slopes by the choices agree with differences of the loss, pull and all? factor is what the loss's own
// part is taken by: 1 is right.
static bool slopes_agree(block_bench *b, float factor) {
    const float beta = 3, pull = 0.2f, h = 2e-3f;
    int n_off = 0, n = 0;
    (void)loss_at(b, lac_plan_output_gradient(b->plan));
    assert_int_equal(lac_plan_backward(b->plan, NULL), LAC_OK);
    const float *g = lac_plan_gradient(b->plan, b->w.value);
    for (size_t i = 0; i < b->w.n; i += 7) {
        float v = b->w.v[i], up = lac_soft_choice(v);
        if (up < 0.05f || up > 0.95f) continue;
        double slope = (double)lac_soft_gradient(&b->w, i, factor * g[i], beta, pull), side[2];
        for (int k = 0; k < 2; k++) {
            b->w.v[i] = v + (k ? h : -h);
            double off = fabs(2 * (double)lac_soft_choice(b->w.v[i]) - 1);
            side[k] = loss_at(b, NULL) + (double)pull * (1 - pow(off, (double)beta));
        }
        b->w.v[i] = v;
        double difference = (side[1] - side[0]) / (2 * (double)h);
        n_off += fabs(difference - slope) > 0.02 * fabs(difference) + 0.02;
        n++;
    }
    assert_true(n > 20);
    return n_off <= n / 20; // a ReLU may bend within the difference
}

static void slopes_of_the_block_loss_are_its_differences(void **state) {
    block_bench *b = calloc(1, sizeof *b);
    open_bench(*state, b);
    assert_true(slopes_agree(b, 1));
    assert_false(slopes_agree(b, 0.5f)); // the check can fail
    lac_plan_close(b->plan);
    free(b);
}

// E[v v'] = diag(p) - p p'; without taking p away it would be diag(p) + sqrt(p p') of equal signs.
static void draws_have_the_hessian_of_the_loss(void **state) {
    (void)state;
    enum { DRAWS = 20000 };
    const float logits[] = {0.5f, -1, 1.5f, 0};
    double p[4], sum = 0, product[4][4] = {{0}};
    for (int k = 0; k < 4; k++) sum += p[k] = exp((double)logits[k]);
    for (int d = 0; d < DRAWS; d++) {
        float v[4];
        lac_fisher_draw(logits, 4, 1, (uint64_t)d, v);
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 4; j++) product[i][j] += (double)(v[i] * v[j]) / DRAWS;
    }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            double wanted = (i == j ? p[i] / sum : 0) - p[i] * p[j] / sum / sum;
            assert_true(fabs(product[i][j] - wanted) < 0.01);
        }
}

// Behind the block is a mean and a linear layer: every place of a channel matters alike, and a channel that
// the classifier does not read matters least.
static void weights_are_squared_gradients(void **state) {
    fixture *f = *state;
    enum { N = 12, AREA = 64 };
    lac_graph *g = lac_graph_copy(f->g, f->arena);
    int value = g->nodes[lac_node_named(g, "re")].out;
    float *fc = g->values[g->nodes[lac_node_named(g, "fc")].in[1]].data;
    for (int k = 0; k < N_CLASSES; k++) fc[k * 8 + 5] = 0;
    float *y = LAC_NEW_ARRAY(f->arena, float, N * 8 * AREA),
          *w = LAC_NEW_ARRAY(f->arena, float, N * 8 * AREA);
    lac_rng rng = lac_rng_make(1, 1);
    for (int i = 0; i < N * 8 * AREA; i++) y[i] = lac_rng_uniform(&rng);
    ASSERT_OK(lac_fisher_weights(g, value, y, N, 1, f->arena, w, err));
    double mean = 0;
    for (int i = 0; i < N * 8 * AREA; i++) {
        mean += (double)w[i] / (N * 8 * AREA);
        assert_float_equal(w[i], w[i / AREA * AREA], 1e-5f);
        assert_true(i / AREA % 8 == 5 ? w[i] == 0.5f : w[i] >= 0.5f);
    }
    assert_true(fabs(mean - 1) < 1e-4);
}

// ---- what is learned and drawn ----------------------------------------------------------------------------

static const lac_quantizer_desc *method(const char *name) {
    for (int i = 0; i < lac_n_quantizers(); i++)
        if (strcmp(lac_quantizer_row(i)->name, name) == 0) return lac_quantizer_row(i);
    fail_msg("no quantizer '%s'", name);
    return NULL;
}

static lac_graph *quantized(fixture *f, const char *name, const lac_quant_config *config, double *distance) {
    enum { N = 64 };
    float *x = LAC_NEW_ARRAY(f->arena, float, N * 128), *y[2];
    lac_graph *g = lac_graph_copy(f->g, f->arena);
    lac_int_graph *integers;
    ASSERT_OK(method(name)->run(g, &f->data, config, NULL, err));
    ASSERT_OK(lac_lower(g, &f->data, f->arena, &integers, err));
    lac_normalize(&f->data, f->data.train.pixels, N, x);
    for (int i = 0; i < 2; i++) {
        y[i] = LAC_NEW_ARRAY(f->arena, float, N *N_CLASSES);
        ASSERT_OK(lac_infer(i ? g : f->g, x, N, y[i], err));
    }
    *distance = 0;
    for (int i = 0; i < N * N_CLASSES; i++) *distance += pow((double)y[0][i] - (double)y[1][i], 2);
    return g;
}

static void learned_blocks_beat_nearest_codes(void **state) {
    fixture *f = *state;
    const lac_quant_config config = config_of(2, 3, 1);
    double nearest, brecq, qdrop;
    (void)quantized(f, "nearest", &config, &nearest);
    (void)quantized(f, "brecq", &config, &brecq);
    (void)quantized(f, "qdrop", &config, &qdrop);
    print_message("squared distance of logits: nearest %.4f, brecq %.4f, qdrop %.4f\n", nearest, brecq,
                  qdrop);
    assert_true(brecq < 0.5 * nearest && qdrop < 0.9 * nearest);
}

static bool same_codes(fixture *f, const lac_graph *a, const lac_graph *b) {
    bool same = true;
    for (int n = 0; n < a->n_nodes; n++) {
        if (!lac_has_weights(&a->nodes[n])) continue;
        lac_weight_codes x, y;
        ASSERT_OK(lac_weight_codes_read(a, n, f->arena, &x, err));
        ASSERT_OK(lac_weight_codes_read(b, n, f->arena, &y, err));
        same = same && memcmp(x.code, y.code, (size_t)x.n_out * (size_t)x.n_per_out) == 0;
    }
    return same;
}

static void a_seed_says_it_all(void **state) {
    fixture *f = *state;
    lac_quant_config one = config_of(3, 4, 1), two = config_of(3, 4, 2);
    one.iterations = two.iterations = 10;
    double d;
    const lac_graph *a = quantized(f, "qdrop", &one, &d);
    lac_plan_threads(3);
    const lac_graph *again = quantized(f, "qdrop", &one, &d);
    lac_plan_threads(1);
    assert_true(same_codes(f, a, again));
    assert_false(same_codes(f, a, quantized(f, "qdrop", &two, &d)));
}

static void images_are_drawn_by_the_seed(void **state) {
    fixture *f = *state;
    const size_t bytes = 128;
    lac_dataset drawn = lac_draw_images(&f->data, 40, 1, f->arena),
                again = lac_draw_images(&f->data, 40, 1, f->arena),
                other = lac_draw_images(&f->data, 40, 2, f->arena),
                all = lac_draw_images(&f->data, 10000, 1, f->arena);
    assert_int_equal(drawn.train.n, 40);
    assert_int_equal(all.train.n, f->data.train.n);
    assert_memory_equal(drawn.train.pixels, again.train.pixels, 40 * bytes);
    assert_memory_equal(drawn.train.pixels, all.train.pixels, 40 * bytes);
    assert_memory_not_equal(drawn.train.pixels, other.train.pixels, 40 * bytes);
    int found[N_IMAGES] = {0};
    for (uint32_t i = 0; i < all.train.n; i++)
        for (uint32_t k = 0; k < f->data.train.n; k++)
            if (memcmp(all.train.pixels + i * bytes, f->data.train.pixels + k * bytes, bytes) == 0) {
                found[k]++;
                assert_int_equal(all.train.labels[i], f->data.train.labels[k]);
            }
    for (uint32_t k = 0; k < f->data.train.n; k++) assert_int_equal(found[k], 1);
}

static bool stop_at_once(void *ctx) {
    (void)ctx;
    return true;
}

static void it_stops_and_refuses_with_a_sentence(void **state) {
    fixture *f = *state;
    lac_error err = {0};
    lac_quant_config config = config_of(3, 4, 1);
    const lac_talk talk = {.stop = stop_at_once};
    lac_graph *g = lac_graph_copy(f->g, f->arena);
    assert_fails_with(method("brecq")->run(g, &f->data, &config, &talk, &err), &err, LAC_E_INTERRUPTED,
                      "block 1 of 4, at layer 'a'");
    config.digits = 0.6;
    g = lac_graph_copy(f->g, f->arena);
    assert_fails_with(method("brecq")->run(g, &f->data, &config, NULL, &err), &err, LAC_E_USAGE,
                      "take reconstruct");
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(blocks_are_found_from_the_graph),
        WITH_FIXTURE(blocks_in_a_row_are_the_graph),
        WITH_FIXTURE(slopes_of_the_block_loss_are_its_differences),
        WITH_FIXTURE(draws_have_the_hessian_of_the_loss),
        WITH_FIXTURE(weights_are_squared_gradients),
        WITH_FIXTURE(learned_blocks_beat_nearest_codes),
        WITH_FIXTURE(a_seed_says_it_all),
        WITH_FIXTURE(images_are_drawn_by_the_seed),
        WITH_FIXTURE(it_stops_and_refuses_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
