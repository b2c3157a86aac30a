#include "quant_kit.h"

#include <math.h>

#include "scale_search.h"
#include "sites.h"

/// Where quantizers go, how wide they are, and what they share.

typedef struct fixture {
    lac_arena *arena;
    lac_graph *g;
    lac_rng rng;
    lac_quant_sites sites;
} fixture;

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = lac_arena_open();
    f->rng = lac_rng_make(5, 0);
    f->g = lac_graph_new(f->arena, "sites");
    f->g->input = lac_graph_add_value(f->g, "image", LAC_SHAPE(1, 2, 8, 8));
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    lac_arena_close(f->arena);
    free(f);
    return 0;
}

static int conv(fixture *f, const char *name, int x, int n_in, int n_out) {
    int w = kit_random(f->g, &f->rng, "w", LAC_SHAPE(n_out, n_in, 3, 3), 0.3f, 0);
    return kit_conv(f->g, name, x, w, -1, kit_window(3, 1, 1));
}

static int norm(fixture *f, const char *name, int x, int n) {
    const float one[] = {1, 1, 1, 1}, zero[] = {0, 0, 0, 0};
    return kit_norm(f->g, name, x, n, one, zero, zero, one);
}

static int relu(fixture *f, const char *name, int x) {
    return kit_op(f->g, LAC_OP_RELU, name, x);
}

static int head(fixture *f, int x, int n) {
    x = kit_op(f->g, LAC_OP_FLATTEN, "flat", kit_op(f->g, LAC_OP_GLOBAL_AVG_POOL, "gap", x));
    int w = kit_random(f->g, &f->rng, "fc_w", LAC_SHAPE(3, n), 0.3f, 0);
    return lac_graph_add_node(f->g, LAC_OP_LINEAR, "fc", (int[]){x, w}, 2, NULL);
}

static void plan(fixture *f, int output, const lac_quant_config *config) {
    f->g->output = output;
    ASSERT_OK(lac_graph_check(f->g, err));
    ASSERT_OK(lac_quant_sites_plan(f->g, config, f->arena, &f->sites, err));
}

static const lac_quant_site *site_of(const fixture *f, const char *value) {
    for (int i = 0; i < f->sites.n; i++)
        if (strcmp(f->g->values[f->sites.site[i].value].name, value) == 0) return &f->sites.site[i];
    return NULL;
}

static void assert_site(const fixture *f, const char *value, int bits, bool is_signed) {
    const lac_quant_site *s = site_of(f, value);
    if (!s) fail_msg("no site after '%s'", value);
    if (s->bits != bits || s->is_signed != is_signed)
        fail_msg("site '%s' is %s %d bits", value, s->is_signed ? "signed" : "unsigned", s->bits);
}

static int weight_bits(const fixture *f, const char *node) {
    for (int n = 0; n < f->g->n_nodes; n++)
        if (strcmp(f->g->nodes[n].name, node) == 0) return f->sites.weight_bits[n];
    return -1;
}

static void quantizers_stand_at_the_end_of_chains_before_max_pools(void **state) {
    fixture *f = *state;
    int x = relu(f, "relu1", norm(f, "bn1", conv(f, "conv1", f->g->input, 2, 4), 4));
    x = kit_pool(f->g, LAC_OP_MAX_POOL, "pool", x, kit_window(2, 2, 0));
    x = relu(f, "relu2", conv(f, "conv2", x, 4, 4));
    plan(f, head(f, norm(f, "bn3", conv(f, "conv3", x, 4, 4), 4), 4),
         &(lac_quant_config){.weight_bits = 4, .act_bits = 3, .first_bits = 8, .last_bits = 7});
    assert_int_equal(f->sites.n, 5);
    assert_site(f, "image", 8, false);
    assert_site(f, "relu1", 3, false);
    assert_site(f, "relu2", 3, false);
    assert_site(f, "bn3", 3, true);
    assert_site(f, "gap", 7, true); // it enters the last layer, and its input is signed
    assert_int_equal(weight_bits(f, "conv1"), 8);
    assert_int_equal(weight_bits(f, "conv2"), 4);
    assert_int_equal(weight_bits(f, "fc"), 7);
    assert_int_equal(weight_bits(f, "relu1"), 0);
}

static void ends_follow_the_rest_where_no_width_is_given(void **state) {
    fixture *f = *state;
    int x = relu(f, "relu1", conv(f, "conv1", f->g->input, 2, 4));
    plan(f, head(f, relu(f, "relu2", conv(f, "conv2", x, 4, 4)), 4),
         &(lac_quant_config){.weight_bits = 1, .act_bits = 1});
    assert_int_equal(weight_bits(f, "conv1"), 1);
    assert_int_equal(weight_bits(f, "fc"), 1);
    assert_site(f, "relu1", 1, false);
    assert_site(f, "gap", 1, false);
}

static void ternary_is_two_bits_and_one_signed_bit_becomes_two(void **state) {
    fixture *f = *state;
    int x = conv(f, "conv1", f->g->input, 2, 4);
    plan(f, head(f, relu(f, "relu2", conv(f, "conv2", x, 4, 4)), 4),
         &(lac_quant_config){.ternary = true, .act_bits = 1});
    assert_int_equal(weight_bits(f, "conv2"), 2);
    assert_site(f, "conv1", 2, true);
}

static void a_relu_after_a_max_pool_ends_the_chain(void **state) {
    fixture *f = *state;
    int x = kit_pool(f->g, LAC_OP_MAX_POOL, "pool", conv(f, "conv1", f->g->input, 2, 4), kit_window(2, 2, 0));
    plan(f, head(f, conv(f, "conv2", relu(f, "relu1", x), 4, 4), 4),
         &(lac_quant_config){.weight_bits = 4, .act_bits = 4});
    assert_null(site_of(f, "conv1"));
    assert_site(f, "relu1", 4, false);
}

static void operands_of_an_addition_have_8_bits_unless_also_convolved(void **state) {
    fixture *f = *state;
    int x = relu(f, "relu1", conv(f, "conv1", f->g->input, 2, 4));
    int y = conv(f, "conv2", x, 4, 4);
    int sum = relu(f, "relu2", lac_graph_add_node(f->g, LAC_OP_ADD, "sum", (int[]){y, x}, 2, NULL));
    plan(f, head(f, sum, 4), &(lac_quant_config){.weight_bits = 4, .act_bits = 4});
    assert_site(f, "relu1", 4, false);
    assert_site(f, "conv2", 8, true);
    assert_site(f, "relu2", 4, false);
    assert_null(site_of(f, "sum"));
}

static void a_batch_norm_of_a_shared_value_ends_a_chain_of_its_own(void **state) {
    fixture *f = *state;
    int x = conv(f, "conv1", f->g->input, 2, 4);
    int y = conv(f, "conv2", relu(f, "relu1", norm(f, "bn1", x, 4)), 4, 4);
    int sum = lac_graph_add_node(f->g, LAC_OP_ADD, "sum", (int[]){y, x}, 2, NULL);
    plan(f, head(f, relu(f, "relu2", norm(f, "bn2", sum, 4)), 4),
         &(lac_quant_config){.weight_bits = 4, .act_bits = 4});
    assert_site(f, "conv1", 8, true); // read by a batch norm and a sum alone
    assert_site(f, "relu1", 4, false);
    assert_null(site_of(f, "bn1"));
    assert_null(site_of(f, "sum")); // its only reader is a batch norm, which it takes
    assert_site(f, "relu2", 4, false);
}

static void a_sum_leaves_a_batch_norm_that_negates_to_itself(void **state) {
    fixture *f = *state;
    const float gamma[] = {1, -1, 1, 1}, zero[] = {0, 0, 0, 0}, one[] = {1, 1, 1, 1};
    int x = relu(f, "relu1", conv(f, "conv1", f->g->input, 2, 4)), y = conv(f, "conv2", x, 4, 4);
    int sum = lac_graph_add_node(f->g, LAC_OP_ADD, "sum", (int[]){y, x}, 2, NULL);
    plan(f, head(f, relu(f, "relu2", kit_norm(f->g, "bn", sum, 4, gamma, zero, zero, one)), 4),
         &(lac_quant_config){.weight_bits = 4, .act_bits = 4});
    assert_site(f, "sum", 8, true);
    assert_site(f, "relu2", 4, false);
}

static void a_batch_norm_after_relu_or_batch_norm_starts_again(void **state) {
    fixture *f = *state;
    int x = norm(f, "bn1", relu(f, "relu1", conv(f, "conv1", f->g->input, 2, 4)), 4);
    plan(f, head(f, conv(f, "conv2", norm(f, "bn2", x, 4), 4, 4), 4),
         &(lac_quant_config){.weight_bits = 4, .act_bits = 4});
    assert_site(f, "relu1", 8, false);
    assert_site(f, "bn1", 8, true);
    assert_site(f, "bn2", 4, true);
}

static void activations_end_at_a_quantizer_and_begin_at_one_of_8_bits(void **state) {
    fixture *f = *state;
    int x = norm(f, "n0", conv(f, "c0", f->g->input, 2, 4), 4);
    int s = conv(f, "c1", kit_op(f->g, LAC_OP_GLOBAL_AVG_POOL, "squeeze", x), 4, 4);
    s = kit_op(f->g, LAC_OP_SIGMOID, "sigmoid", s);
    int y = lac_graph_add_node(f->g, LAC_OP_MUL, "excite", (int[]){x, s}, 2, NULL);
    y = kit_op(f->g, LAC_OP_SILU, "silu", conv(f, "c2", relu(f, "r0", y), 4, 4));
    plan(f, head(f, y, 4), &(lac_quant_config){.weight_bits = 4, .act_bits = 4, .asymmetric = true});
    assert_site(f, "n0", 4, true); // a factor has no zero point
    assert_false(site_of(f, "n0")->is_asymmetric);
    assert_site(f, "c1", 8, false);
    assert_true(site_of(f, "c1")->is_asymmetric);
    assert_site(f, "sigmoid", 7, false); // a factor is a weight of 8 bits
    assert_false(site_of(f, "sigmoid")->is_asymmetric);
    assert_site(f, "r0", 4, false);
    assert_null(site_of(f, "excite"));
    assert_site(f, "c2", 8, false);
    assert_site(f, "silu", 4, false);
    assert_true(site_of(f, "silu")->is_asymmetric);
}

static void operands_of_a_concat_share_one_scale_constant(void **state) {
    fixture *f = *state;
    int x = relu(f, "relu1", conv(f, "conv1", f->g->input, 2, 4));
    int y = conv(f, "conv2", x, 4, 4);
    y = kit_pool(f->g, LAC_OP_MAX_POOL, "pool", y, kit_window(3, 1, 1));
    int both = lac_graph_add_node(f->g, LAC_OP_CONCAT, "join", (int[]){x, y}, 2, NULL);
    plan(f, head(f, conv(f, "conv3", both, 8, 4), 4), &(lac_quant_config){.weight_bits = 4, .act_bits = 4});
    assert_site(f, "conv2", 4, true);
    assert_site(f, "relu1", 4, true); // of the type of its family
    float scale[8] = {1, 0.5f, 0.5f, 1, 1, 1, 1, 1};
    int zero[8] = {100};
    ASSERT_OK(lac_quant_sites_insert(f->g, &f->sites, scale, zero, err));
    ASSERT_OK(lac_graph_infer(f->g, err));
    ASSERT_OK(lac_graph_check(f->g, err));
    int scales[2] = {-1, -2};
    for (int n = 0; n < f->g->n_nodes; n++) {
        const lac_node *node = &f->g->nodes[n];
        if (strcmp(node->name, "relu1_quant") == 0) scales[0] = node->in[1];
        if (strcmp(node->name, "conv2_quant") == 0) scales[1] = node->in[1];
    }
    assert_int_equal(scales[0], scales[1]);
    assert_true(f->g->values[scales[0]].trainable);
}

static void inserted_nodes_have_the_planned_attributes(void **state) {
    fixture *f = *state;
    int x = relu(f, "relu1", conv(f, "conv1", f->g->input, 2, 4));
    plan(f, head(f, x, 4), &(lac_quant_config){.weight_bits = 1, .act_bits = 3, .last_bits = 5});
    float scale[3] = {0.1f, 0.2f, 0.3f};
    int zero[3] = {73, 0, 0};
    ASSERT_OK(lac_quant_sites_insert(f->g, &f->sites, scale, zero, err));
    ASSERT_OK(lac_graph_check(f->g, err));
    int n_quant = 0, n_bipolar = 0;
    for (int n = 0; n < f->g->n_nodes; n++) {
        const lac_node *node = &f->g->nodes[n];
        n_bipolar += node->op == LAC_OP_BIPOLAR_QUANT;
        n_quant += node->op == LAC_OP_QUANT;
        if (node->op != LAC_OP_QUANT) continue;
        const lac_value *s = &f->g->values[node->in[1]], *z = &f->g->values[node->in[2]];
        if (node->in[0] == f->g->input) {
            assert_true(z->data[0] == 73 && !z->trainable && !s->trainable && s->data[0] == 0.1f);
        } else if (f->g->values[node->in[0]].data) {
            assert_true(node->attr.quant.narrow && node->attr.quant.is_signed && node->attr.quant.bits == 5);
            assert_int_equal(lac_shape_count(s->shape), 3);
            assert_int_equal(s->shape.n_dims, 2);
        } else {
            assert_int_equal(lac_shape_count(s->shape), 1);
            assert_false(node->attr.quant.is_signed);
        }
    }
    assert_int_equal(n_bipolar, 1);
    assert_int_equal(n_quant, 4);
}

static void expect_refusal(fixture *f, int output, const lac_quant_config *config, lac_status status,
                           const char *part) {
    lac_error err = {0};
    f->g->output = output;
    assert_fails_with(lac_quant_sites_plan(f->g, config, f->arena, &f->sites, &err), &err, status, part);
}

static void refuses_widths_outside_1_to_8(void **state) {
    fixture *f = *state;
    int out = head(f, conv(f, "conv1", f->g->input, 2, 4), 4);
    expect_refusal(f, out, &(lac_quant_config){.weight_bits = 9, .act_bits = 4}, LAC_E_USAGE,
                   "weights: 9 bits");
    expect_refusal(f, out, &(lac_quant_config){.weight_bits = 4}, LAC_E_USAGE, "acts: 0 bits");
    expect_refusal(f, out, &(lac_quant_config){.weight_bits = 4, .act_bits = 4, .last_bits = 16}, LAC_E_USAGE,
                   "last: 16 bits");
}

static void refuses_to_join_the_image_with_activations(void **state) {
    fixture *f = *state;
    int x = relu(f, "relu1", conv(f, "conv1", f->g->input, 2, 4));
    int both = lac_graph_add_node(f->g, LAC_OP_CONCAT, "join", (int[]){f->g->input, x}, 2, NULL);
    expect_refusal(f, head(f, both, 6), &(lac_quant_config){.weight_bits = 4, .act_bits = 4},
                   LAC_E_UNSUPPORTED, "operand 'image' is the graph's input");
}

static void refuses_a_model_that_is_quantized_already(void **state) {
    fixture *f = *state;
    int x = kit_quant(f->g, "q", conv(f, "conv1", f->g->input, 2, 4), 1, 0, 4, true);
    expect_refusal(f, head(f, x, 4), &(lac_quant_config){.weight_bits = 4, .act_bits = 4}, LAC_E_UNSUPPORTED,
                   "quant 'q': the model is quantized already");
}

static void refuses_to_binarise_pruned_weights(void **state) {
    fixture *f = *state;
    int out = head(f, conv(f, "conv1", f->g->input, 2, 4), 4);
    f->g->values[f->g->nodes[0].in[1]].data[5] = 0;
    plan(f, out, &(lac_quant_config){.weight_bits = 1, .act_bits = 4});
    float scale[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    int zero[8] = {0};
    lac_error err = {0};
    assert_fails_with(lac_quant_sites_insert(f->g, &f->sites, scale, zero, &err), &err, LAC_E_UNSUPPORTED,
                      "conv2d 'conv1': 1 of 72 weights are pruned to zero");
}

// ---- scales --------------------------------------------------------------------------------------------

static double error_of(const float *x, int n, double s, int lowest, int highest) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double code = fmin(fmax(rint((double)x[i] / s), lowest), highest);
        sum += ((double)x[i] - s * code) * ((double)x[i] - s * code);
    }
    return sum;
}

static void the_search_finds_the_scale_that_codes_were_made_with(void **state) {
    (void)state;
    float x[64];
    lac_rng rng = lac_rng_make(9, 0);
    for (int i = 0; i < 64; i++) x[i] = 0.05f * (float)((int)lac_rng_below(&rng, 15) - 7);
    x[0] = 0.35f;
    assert_true(fabsf(lac_scale_search(x, 64, -7, 7) - 0.05f) < 1e-6f);
}

static void the_search_is_no_worse_than_the_formula_of_lsq(void **state) {
    (void)state;
    lac_rng rng = lac_rng_make(10, 0);
    for (int bits = 2; bits <= 8; bits++) {
        float x[500];
        double mean = 0;
        for (int i = 0; i < 500; i++) {
            x[i] = lac_rng_normal(&rng);
            mean += fabs((double)x[i]) / 500;
        }
        int top = (1 << (bits - 1)) - 1;
        double ours = error_of(x, 500, (double)lac_scale_search(x, 500, -top, top), -top, top);
        assert_true(ours <= 1.01 * error_of(x, 500, 2 * mean / sqrt(top), -top, top));
    }
}

static void nothing_to_represent_gives_zero(void **state) {
    (void)state;
    const float zeros[3] = {0}, negative[2] = {-1, -2};
    assert_true(lac_scale_search(zeros, 3, -7, 7) == 0);
    assert_true(lac_scale_search(negative, 2, 0, 15) == 0);
    assert_true(lac_scale_search(NULL, 0, 0, 15) == 0);
    assert_true(lac_scale_bipolar((const float[]){-1, 3}, 2) == 2);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(quantizers_stand_at_the_end_of_chains_before_max_pools),
        WITH_FIXTURE(ends_follow_the_rest_where_no_width_is_given),
        WITH_FIXTURE(ternary_is_two_bits_and_one_signed_bit_becomes_two),
        WITH_FIXTURE(a_relu_after_a_max_pool_ends_the_chain),
        WITH_FIXTURE(operands_of_an_addition_have_8_bits_unless_also_convolved),
        WITH_FIXTURE(a_batch_norm_of_a_shared_value_ends_a_chain_of_its_own),
        WITH_FIXTURE(a_sum_leaves_a_batch_norm_that_negates_to_itself),
        WITH_FIXTURE(a_batch_norm_after_relu_or_batch_norm_starts_again),
        WITH_FIXTURE(operands_of_a_concat_share_one_scale_constant),
        WITH_FIXTURE(activations_end_at_a_quantizer_and_begin_at_one_of_8_bits),
        WITH_FIXTURE(inserted_nodes_have_the_planned_attributes),
        WITH_FIXTURE(refuses_widths_outside_1_to_8),
        WITH_FIXTURE(refuses_to_join_the_image_with_activations),
        WITH_FIXTURE(refuses_a_model_that_is_quantized_already),
        WITH_FIXTURE(refuses_to_binarise_pruned_weights),
        cmocka_unit_test(the_search_finds_the_scale_that_codes_were_made_with),
        cmocka_unit_test(the_search_is_no_worse_than_the_formula_of_lsq),
        cmocka_unit_test(nothing_to_represent_gives_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
