#include "random_nets.h"

#include "agree.h"
#include "net.h"
#include "op.h"
#include "prepare.h"
#include "qat.h"
#include "quant_codes.h"

#include "arena_fixture.h"

/// Bi-Real's shortcuts: where they go, what they carry, and the integers that come out.

enum { N_CLASSES = 3 };

// A first layer, a residual block of two convolutions, and a classifier. stride 2 in the block keeps no
// shape.
static lac_graph *make_net(int stride) {
    lac_net net = lac_net_start(arena, "binary", 1, 8, 8, 4);
    int a = lac_net_conv_bn_relu(&net, "a", net.graph->input, 8, 3, 1);
    int b = lac_net_conv_bn_relu(&net, "b", a, 8, 3, stride);
    int c = lac_net_conv(&net, "c", b, 8, 3, 1, 1, false);
    int sum = lac_net_add(&net, "sum", lac_net_batch_norm(&net, "cn", c), stride == 1 ? a : b);
    lac_graph *g = lac_net_done(&net, lac_net_classify(&net, lac_net_relu(&net, "end", sum), N_CLASSES));
    ASSERT_OK(lac_graph_tidy(g, err));
    ASSERT_OK(lac_graph_infer(g, err));
    return g;
}

static lac_quant_config config_of(void) {
    return (lac_quant_config){.weight_bits = 1,
                              .act_bits = 1,
                              .first_bits = 8,
                              .last_bits = 8,
                              .recipe = {.epochs = 6, .batch = 16, .lr = 0.02f, .seed = 1}};
}

static int n_nodes_of(const lac_graph *g, lac_op op) {
    int n = 0;
    for (int i = 0; i < g->n_nodes; i++) n += g->nodes[i].op == op;
    return n;
}

static const lac_quantizer_desc *bireal(void) {
    for (int i = 0; i < lac_n_quantizers(); i++)
        if (strcmp(lac_quantizer_row(i)->name, "bireal") == 0) return lac_quantizer_row(i);
    fail_msg("no quantizer 'bireal'");
    return NULL;
}

static float *logits_of(const lac_graph *g, const lac_dataset *data, uint32_t n) {
    float *x = LAC_NEW_ARRAY(arena, float, n * 64), *y = LAC_NEW_ARRAY(arena, float, n *N_CLASSES);
    lac_normalize(data, data->train.pixels, n, x);
    ASSERT_OK(lac_infer(g, x, n, y, err));
    return y;
}

// With both batch norms of the block at zero its input passes, once: before and after. Where the sum behind
// the second convolution kept the block's input beside the new shortcut, it would come out twice.
static void shortcuts_carry_the_input_once(void **state) {
    (void)state;
    enum { N = 8 };
    const lac_quant_config config = config_of();
    lac_dataset data = make_noise_data(arena, 1, 8, 8, N_CLASSES, 64, 2);
    lac_graph *g = make_net(1);
    const char *const norms[] = {"b.bn", "cn"};
    for (int i = 0; i < 2; i++) {
        float *gamma = g->values[g->nodes[lac_node_named(g, norms[i])].in[1]].data;
        for (int c = 0; c < 8; c++) gamma[c] = 0;
    }
    const float *before = logits_of(g, &data, N);
    int n = 0;
    ASSERT_OK(lac_bireal_shortcuts(g, &config, &n, err));
    assert_int_equal(n, 2);
    assert_int_equal(n_nodes_of(g, LAC_OP_ADD), 2);
    const float *after = logits_of(g, &data, N);
    for (int i = 0; i < N * N_CLASSES; i++) assert_float_equal(after[i], before[i], 1e-4f);
    const lac_node *sum = &g->nodes[lac_node_named(g, "sum")];
    int end_of_b = g->nodes[lac_node_named(g, "b.relu")].out;
    assert_true(sum->in[0] == end_of_b || sum->in[1] == end_of_b);
    lac_node *again = &g->nodes[lac_node_named(g, "sum")]; // the check can fail
    again->in[again->in[0] == end_of_b ? 1 : 0] = end_of_b;
    after = logits_of(g, &data, N);
    float furthest = 0;
    for (int i = 0; i < N * N_CLASSES; i++) furthest = fmaxf(furthest, fabsf(after[i] - before[i]));
    assert_true(furthest > 1e-2f);
}

static void what_keeps_no_shape_has_none(void **state) {
    (void)state;
    const lac_quant_config config = config_of();
    lac_graph *g = make_net(2);
    int n = 0;
    ASSERT_OK(lac_bireal_shortcuts(g, &config, &n, err));
    assert_int_equal(n, 1); // c, whose sum has b's result as it is
    assert_int_equal(n_nodes_of(g, LAC_OP_ADD), 1);
    lac_quant_config wide = config;
    lac_error err = {0};
    lac_dataset data = make_noise_data(arena, 1, 8, 8, N_CLASSES, 64, 2);
    const lac_layer_widths own = {"c", 4, 4};
    wide.layers = &own;
    wide.n_layers = 1;
    assert_fails_with(bireal()->run(make_net(2), &data, &wide, NULL, &err), &err, LAC_E_UNSUPPORTED,
                      "take xnor");
}

static int quantizer_bits(const lac_graph *g, int value) {
    return g->nodes[lac_quantizer_of(g, value)].attr.quant.bits;
}

static void it_trains_to_integers_that_agree(void **state) {
    (void)state;
    const lac_quant_config config = config_of();
    lac_dataset data = make_noise_data(arena, 1, 8, 8, N_CLASSES, 256, 2);
    lac_graph *g = make_net(1);
    lac_int_graph *integers;
    lac_agreement a;
    lac_eval_result result;
    ASSERT_OK(bireal()->run(g, &data, &config, NULL, err));
    const char *const layers[] = {"b", "c"};
    for (int i = 0; i < 2; i++) {
        const lac_node *layer = &g->nodes[lac_node_named(g, layers[i])];
        assert_int_equal(g->nodes[lac_graph_producer(g, layer->in[1])].op, LAC_OP_BIPOLAR_QUANT);
        assert_int_equal(quantizer_bits(g, layer->in[0]), 1);
    }
    for (int n = 0; n < g->n_nodes; n++) {
        const lac_node *node = &g->nodes[n];
        assert_true(node->op != LAC_OP_QUANT || !node->attr.quant.rule);
        for (int i = 0; i < 2 && node->op == LAC_OP_ADD; i++)
            assert_int_equal(quantizer_bits(g, node->in[i]), 8);
    }
    ASSERT_OK(lac_lower(g, &data, arena, &integers, err));
    ASSERT_OK(lac_agreement_measure(g, integers, &data, &data.test, 0, NULL, &a, err));
    assert_true(a.beyond * 10000 < a.codes); // a sum of 8 bits has a factor of 16 bits, which is not snapped
    assert_int_equal(a.different_without_tie, 0);
    ASSERT_OK(lac_evaluate(g, &data, &data.test, 0, NULL, &result, err));
    print_message("accuracy %.3f, %llu ties of %llu codes\n", result.accuracy, (unsigned long long)a.ties,
                  (unsigned long long)a.codes);
    assert_true(result.accuracy > 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shortcuts_carry_the_input_once),
        cmocka_unit_test(what_keeps_no_shape_has_none),
        cmocka_unit_test(it_trains_to_integers_that_agree),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
