#include "random_nets.h"

#include "agree.h"
#include "prepare.h"
#include "quant_report.h"
#include "snap.h"

/// Float and integer graph compared code by code, and the report by layer.

typedef struct fixture {
    lac_arena *arena;
    lac_graph *float_graph, *g;
    lac_int_graph *integers;
    lac_dataset data;
} fixture;

static void make(fixture *f, uint64_t seed) {
    f->g = make_random_net(f->arena, seed, &f->data);
    f->float_graph = lac_graph_copy(f->g, f->arena);
    const lac_quant_config config = {.weight_bits = 4, .act_bits = 4, .images = 64};
    ASSERT_OK(lac_quant_prepare(f->g, &f->data, &config, err));
    ASSERT_OK(lac_snap(f->g, err));
    ASSERT_OK(lac_lower(f->g, &f->data, f->arena, &f->integers, err));
}

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = lac_arena_open();
    f->data = make_noise_data(f->arena, 1, 8, 9, 3, 200, 1);
    make(f, 21);
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    lac_arena_close(f->arena);
    free(f);
    return 0;
}

static lac_agreement compare(fixture *f) {
    lac_agreement a = {0};
    ASSERT_OK(lac_agreement_measure(f->g, f->integers, &f->data, &f->data.validation, 40, NULL, &a, err));
    assert_int_equal(a.images, 40);
    return a;
}

static void every_difference_is_a_tie(void **state) {
    fixture *f = *state;
    for (uint64_t seed = 1; seed < 8; seed++) {
        make(f, seed);
        lac_agreement a = compare(f);
        assert_true(a.codes > 1000);
        assert_int_equal(a.beyond, 0);
        assert_int_equal(a.different_without_tie, 0);
        assert_true(a.ties < a.codes / 1000);
    }
}

// Batch norm first, dense and residual: what lsq trains and what rounding after training makes.
static lac_graph *norms_first(fixture *f) {
    random_net net = {
        .g = lac_graph_new(f->arena, "norms"), .rng = lac_rng_make(4, 0), .c = 1, .h = 8, .w = 9};
    net.g->input = lac_graph_add_value(net.g, "image", LAC_SHAPE(1, 1, 8, 9));
    int x = net_conv(&net, net.g->input, 4, true, false);
    for (int i = 0; i < 6; i++) x = net_preactivated(&net, x);
    net.g->output = net_head(&net, x, 3);
    ASSERT_OK(lac_graph_check(net.g, err));
    ASSERT_OK(lac_graph_infer(net.g, err));
    return net.g;
}

static int n_layers_named(const lac_int_graph *g, const char *name) {
    int n = 0;
    for (int l = 0; l < g->n_layers; l++) n += strncmp(g->layers[l].name, name, strlen(name)) == 0;
    return n;
}

static void so_it_is_for_batch_norms_of_codes_whatever_the_method(void **state) {
    fixture *f = *state;
    const lac_quant_config config = {
        .weight_bits = 4,
        .act_bits = 4,
        .images = 64,
        .equalize = true,
        .correct_bias = true,
        .recipe = {.epochs = 1, .batch = 16, .lr = 0.01f, .seed = 3},
    };
    for (int i = 0; i < lac_n_quantizers(); i++) {
        const lac_quantizer_desc *method = lac_quantizer_row(i);
        if (strcmp(method->name, "lsq") != 0 && strcmp(method->name, "nearest") != 0) continue;
        f->g = norms_first(f);
        ASSERT_OK(method->run(f->g, &f->data, &config, NULL, err));
        ASSERT_OK(lac_lower(f->g, &f->data, f->arena, &f->integers, err));
        assert_true(n_layers_named(f->integers, "norm") >= 3);
        lac_agreement a = compare(f);
        assert_true(a.codes > 1000);
        assert_int_equal(a.beyond, 0);
        assert_int_equal(a.different_without_tie, 0);
    }
}

static lac_int_layer *first_requantized(fixture *f) {
    for (int l = 0; l < f->integers->n_layers; l++)
        if (f->integers->layers[l].kind == LAC_INT_CONV2D && !f->integers->layers[l].raw)
            return &f->integers->layers[l];
    return NULL;
}

static void a_wrong_bias_is_beyond_and_is_named(void **state) {
    fixture *f = *state;
    lac_int_layer *layer = first_requantized(f);
    for (int o = 0; o < f->integers->tensors[layer->out].c; o++)
        layer->bias[o] += (1 << layer->s[o]) / layer->m[o] + 1; // one code more
    lac_agreement a = compare(f);
    assert_true(a.beyond > 0);
    assert_string_equal(a.where, layer->name);
}

// A float graph that rounds at a half where the integers do not: one unit of the accumulator is no tie.
static void half_a_code_off_is_no_tie(void **state) {
    fixture *f = *state;
    lac_int_layer *layer = first_requantized(f);
    for (int o = 0; o < f->integers->tensors[layer->out].c; o++)
        layer->bias[o] += (1 << layer->s[o]) / layer->m[o] / 2;
    assert_true(compare(f).beyond > 0);
}

static void the_report_counts_and_measures(void **state) {
    fixture *f = *state;
    lac_quant_row *rows;
    int n;
    ASSERT_OK(lac_quant_report(f->float_graph, f->g, f->integers, &f->data, 32, f->arena, &rows, &n, err));
    assert_true(n >= 3);
    for (int i = 0; i < n; i++) {
        assert_true(rows[i].n_weights > 0 && rows[i].n_zeros < rows[i].n_weights);
        assert_int_equal(rows[i].weight_bits, 4);
        assert_true(rows[i].digits <= 2 * (int64_t)(rows[i].n_weights - rows[i].n_zeros));
        assert_true(rows[i].digits >= (int64_t)(rows[i].n_weights - rows[i].n_zeros));
        assert_true(rows[i].acc_bits > 4 && rows[i].low < rows[i].high);
        assert_true(rows[i].weight_sqnr_db > 8 && rows[i].weight_sqnr_db < 35);
        assert_true(rows[i].sqnr_db > 0 && rows[i].sqnr_db < 60);
    }
    assert_int_equal(rows[n - 1].out_bits, 32);
}

// A layer whose weights are spoilt has less signal over noise, and the one before it has not.
static void the_report_sees_a_spoilt_layer(void **state) {
    fixture *f = *state;
    lac_quant_row *before, *after;
    int n;
    ASSERT_OK(lac_quant_report(f->float_graph, f->g, f->integers, &f->data, 32, f->arena, &before, &n, err));
    int node = lac_node_named(f->g, before[n - 1].name);
    int quant = lac_graph_producer(f->g, f->g->nodes[node].in[1]);
    lac_value *w = &f->g->values[f->g->nodes[quant].in[0]];
    for (int64_t i = 0; i < lac_shape_count(w->shape); i++) w->data[i] = -w->data[i];
    ASSERT_OK(lac_quant_report(f->float_graph, f->g, f->integers, &f->data, 32, f->arena, &after, &n, err));
    assert_true(after[n - 1].sqnr_db < before[n - 1].sqnr_db - 5);
    assert_true(after[n - 1].weight_sqnr_db < 0);
    assert_float_equal((float)after[0].sqnr_db, (float)before[0].sqnr_db, 0);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(every_difference_is_a_tie),
        WITH_FIXTURE(so_it_is_for_batch_norms_of_codes_whatever_the_method),
        WITH_FIXTURE(a_wrong_bias_is_beyond_and_is_named),
        WITH_FIXTURE(half_a_code_off_is_no_tie),
        WITH_FIXTURE(the_report_counts_and_measures),
        WITH_FIXTURE(the_report_sees_a_spoilt_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
