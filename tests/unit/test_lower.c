#include "quant_kit.h"

#include "quantize.h"
#include "ref.h"

#include <math.h>

/// Lowering on graphs small enough to check by hand.

typedef struct fixture {
    lac_arena *arena;
    lac_graph *g;
    int x; // quantized input: scale 0.5, zero 3, 8 bits unsigned
    lac_int_graph *out;
} fixture;

static int open_fixture(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = lac_arena_open();
    *state = f;
    return f->arena ? 0 : -1;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    lac_arena_close(f->arena);
    free(f);
    return 0;
}

static void start(fixture *f, int c, int h, int w) {
    f->g = lac_graph_new(f->arena, "hand");
    f->g->input = lac_graph_add_value(f->g, "image", LAC_SHAPE(1, c, h, w));
    f->x = kit_quant(f->g, "image_quant", f->g->input, 0.5f, 3, 8, false);
}

static void lower(fixture *f, int output) {
    f->g->output = output;
    ASSERT_OK(lac_graph_check(f->g, err));
    ASSERT_OK(lac_lower(f->g, NULL, f->arena, &f->out, err));
}

static void lower_fails(fixture *f, int output, lac_status expected, const char *part) {
    lac_error err = {0};
    f->g->output = output;
    f->out = NULL;
    lac_status status = lac_lower(f->g, NULL, f->arena, &f->out, &err);
    assert_fails_with(status, &err, expected, part);
    assert_null(f->out);
}

// 1x1 convolution from one channel, weight codes w[o] times scales[o].
static int conv1(fixture *f, int x, int n, const float *w, const float *scales, int bits) {
    int weights = kit_weights(f->g, "w", LAC_SHAPE(n, 1, 1, 1), w, scales, bits);
    return kit_conv(f->g, "conv", x, weights, -1, kit_window(1, 1, 0));
}

static int raw_end(fixture *f, int x) {
    return kit_op(f->g, LAC_OP_GLOBAL_AVG_POOL, "mean", x);
}

static int norm(fixture *f, int x, int n, const float *gamma, const float *beta, const float *mean,
                const float *variance) {
    int out = kit_norm(f->g, "norm", x, n, gamma, beta, mean, variance);
    f->g->nodes[f->g->n_nodes - 1].attr.epsilon = 0;
    return out;
}

// ---- what comes out ------------------------------------------------------------------------------------

static void batch_norm_folds_exactly_and_negative_gamma_flips_codes(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int conv = conv1(f, f->x, 2, (float[]){0.5f, -0.5f}, (float[]){0.25f, 0.5f}, 4);
    int bn = norm(f, conv, 2, (float[]){2, -4}, (float[]){-0.5f + 1, 3}, (float[]){1, 0}, (float[]){4, 16});
    int q = kit_quant(f->g, "act", kit_op(f->g, LAC_OP_RELU, "relu", bn), 0.25f, 0, 4, false);
    lower(f, raw_end(f, q));
    const lac_int_layer *l = &f->out->layers[0];
    assert_int_equal(l->kind, LAC_INT_CONV2D);
    assert_int_equal(l->weight_bits, 4);
    // Channel 0: factor 2/sqrt(4) = 1, offset 0.5 - 1 = -0.5; one accumulator unit is 0.25 * 0.5 = 0.125.
    assert_int_equal(l->w[0], 2);
    assert_int_equal(l->bias[0], -4 - 3 * 2);
    assert_int_equal(l->m[0], 0x8000);
    assert_int_equal(l->s[0], 16); // 0.125 / 0.25 = 1/2
    // Channel 1: factor -4/sqrt(16) = -1 goes into the code, offset 3; one unit is 0.5 * 0.5 = 0.25.
    assert_int_equal(l->w[1], 1);
    assert_int_equal(l->bias[1], 12 - 3 * 1);
    assert_int_equal(l->m[1], 0x8000);
    assert_int_equal(l->s[1], 15);
    assert_int_equal(l->lo, 0);
    assert_int_equal(l->hi, 15);
    assert_false(l->raw);
    // The mean of 4 codes of 0.25 each, raw.
    const lac_int_layer *mean = &f->out->layers[1];
    assert_int_equal(mean->kind, LAC_INT_AVG_POOL);
    assert_int_equal(mean->window.kernel[0], 2);
    assert_true(mean->raw);
    assert_true(mean->raw_scale[1] == 0.0625);
    assert_int_equal(mean->bias[1], 0);
}

static void the_lowered_layer_computes_the_hand_computed_codes(void **state) {
    fixture *f = *state;
    start(f, 1, 1, 3);
    int conv = conv1(f, f->x, 2, (float[]){0.5f, -0.5f}, (float[]){0.25f, 0.5f}, 4);
    int bn = norm(f, conv, 2, (float[]){2, -4}, (float[]){0.5f, 3}, (float[]){1, 0}, (float[]){4, 16});
    int q = kit_quant(f->g, "act", kit_op(f->g, LAC_OP_RELU, "relu", bn), 0.25f, 0, 4, false);
    lower(f, raw_end(f, q));
    int32_t x[] = {3, 10, 255}, y[6], sum[2];
    lac_ref_layer(f->out, &f->out->layers[0], (const int32_t *const[]){x}, y);
    // real x: 0, 3.5, 126. Channel 0: 0.5x - 0.5, clamped at 15 steps of 0.25. Channel 1: 0.5x + 3.
    assert_int_equal(y[0], 0);
    assert_int_equal(y[1], 5);
    assert_int_equal(y[2], 15);
    assert_int_equal(y[3], 12);
    assert_int_equal(y[4], 15);
    lac_ref_layer(f->out, &f->out->layers[1], (const int32_t *const[]){y}, sum);
    assert_int_equal(sum[0], 20);
    assert_int_equal(sum[1], 12 + 15 + 15);
}

static void a_batch_norm_of_codes_is_a_weight_a_channel(void **state) {
    fixture *f = *state;
    start(f, 2, 1, 2);
    int bn = norm(f, f->x, 2, (float[]){2, -4}, (float[]){-0.5f, 3}, (float[]){0, 0}, (float[]){4, 16});
    int q = kit_quant(f->g, "act", kit_op(f->g, LAC_OP_RELU, "relu", bn), 0.25f, 0, 4, false);
    lower(f, raw_end(f, q));
    const lac_int_layer *l = &f->out->layers[0];
    assert_int_equal(l->kind, LAC_INT_CONV2D);
    assert_int_equal(l->window.groups, 2);
    assert_int_equal(l->window.kernel[0] * l->window.kernel[1], 1);
    // Factors 1 and -1, which goes into the code; a unit of the sums is 0.5 / 8. The bias undoes the zero
    // of 3.
    assert_int_equal(l->w[0], 8);
    assert_int_equal(l->w[1], -8);
    assert_int_equal(l->bias[0], -8 - 3 * 8);
    assert_int_equal(l->bias[1], 48 + 3 * 8);
    int32_t x[] = {3, 8, 3, 8}, y[4];
    lac_ref_layer(f->out, l, (const int32_t *const[]){x}, y);
    // real x: 0, 2.5. Channel 0: x - 0.5, channel 1: 3 - x, in steps of 0.25, at most 15.
    assert_int_equal(y[0], 0);
    assert_int_equal(y[1], 8);
    assert_int_equal(y[2], 12);
    assert_int_equal(y[3], 2);
}

static void a_linear_layer_is_the_convolution_over_the_whole_map(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int flat = kit_op(f->g, LAC_OP_FLATTEN, "flat", f->x);
    float w[8] = {1, -1, 2, 0, 3, 3, -3, 0.5f}, s[2] = {1, 0.5f}, b[2] = {2, -1.26f};
    int weights = kit_weights(f->g, "w", LAC_SHAPE(2, 4), w, s, 8);
    int bias = lac_graph_add_constant(f->g, "b", LAC_SHAPE(2), b, true);
    lower(f, lac_graph_add_node(f->g, LAC_OP_LINEAR, "fc", (int[]){flat, weights, bias}, 3, NULL));
    const lac_int_layer *l = &f->out->layers[0];
    assert_int_equal(l->window.kernel[0], 2);
    assert_int_equal(l->window.kernel[1], 2);
    assert_int_equal(l->window.groups, 1);
    const int8_t codes[8] = {1, -1, 2, 0, 6, 6, -6, 1};
    assert_memory_equal(l->w, codes, 8);
    assert_true(l->raw);
    assert_true(l->raw_scale[0] == 0.5 && l->raw_scale[1] == 0.25);
    assert_int_equal(l->bias[0], 4 - 3 * 2);
    assert_int_equal(l->bias[1], -5 - 3 * 7); // -1.26 / 0.25 = -5.04
    assert_int_equal(f->out->tensors[f->out->output].type.bits, 32);
    assert_int_equal(f->out->tensors[f->out->output].c, 2);
}

static void an_addition_aligns_its_operands_by_small_integers(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int a = kit_quant(f->g, "a", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 0.375f, 2, 8, true);
    int b = kit_quant(f->g, "b", conv1(f, f->x, 1, (float[]){-1}, (float[]){1}, 8), 0.25f, 0, 8, true);
    int sum = lac_graph_add_node(f->g, LAC_OP_ADD, "sum", (int[]){a, b}, 2, NULL);
    lower(f, raw_end(f, kit_quant(f->g, "c", sum, 1, -1, 6, true)));
    const lac_int_layer *l = &f->out->layers[2];
    assert_int_equal(l->kind, LAC_INT_ADD);
    assert_int_equal(l->add_w[0], 3);
    assert_int_equal(l->add_w[1], 2);
    assert_int_equal(l->bias[0], -2 * 3);
    assert_int_equal(l->m[0], 0x8000);
    assert_int_equal(l->s[0], 15 + 3); // 0.125 / 1
    assert_int_equal(l->lo, -32 + 1);
    assert_int_equal(l->hi, 31 + 1);
    assert_int_equal(f->out->tensors[l->out].type.zero, -1);
}

static void weights_of_one_bit_are_minus_one_and_one(void **state) {
    fixture *f = *state;
    start(f, 1, 1, 1);
    int conv = conv1(f, f->x, 3, (float[]){-0.1f, 0.0f, 7}, (float[]){0.5f, 0.5f, 2}, 1);
    lower(f, raw_end(f, kit_quant(f->g, "act", conv, 1, 0, 8, true)));
    const int8_t codes[3] = {-1, 1, 1};
    assert_memory_equal(f->out->layers[0].w, codes, 3);
    assert_int_equal(f->out->layers[0].weight_bits, 1);
    assert_int_equal(f->out->layers[0].s[2], 15); // 2 * 0.5 / 1
}

static void a_channel_that_nothing_changes_loses_its_weights(void **state) {
    fixture *f = *state;
    start(f, 1, 1, 1);
    // gamma 0; all weights pruned; never above zero before ReLU; an ordinary one.
    float w[4] = {1, 0, 0.25f, 1}, s[4] = {0.25f, 0.25f, 0.25f, 0.25f};
    float gamma[4] = {0, 1, 1, 1}, beta[4] = {0.8f, -0.6f, -100, 0}, mean[4] = {9, 0, 0, 0},
          variance[4] = {1, 1, 1, 1};
    int bn = norm(f, conv1(f, f->x, 4, w, s, 4), 4, gamma, beta, mean, variance);
    int q = kit_quant(f->g, "act", kit_op(f->g, LAC_OP_RELU, "relu", bn), 0.25f, 0, 4, false);
    lower(f, raw_end(f, q));
    const lac_int_layer *l = &f->out->layers[0];
    const int8_t codes[4] = {0, 0, 0, 4};
    assert_memory_equal(l->w, codes, 4);
    const int32_t expected[4] = {3, 0, 0, 0};
    for (int32_t x = 0; x < 256; x += 51) {
        int32_t y[4];
        lac_ref_layer(f->out, l, (const int32_t *const[]){&x}, y);
        for (int o = 0; o < 3; o++) assert_int_equal(y[o], expected[o]);
    }
}

static void a_constant_addition_stays_constant(void **state) {
    fixture *f = *state;
    start(f, 1, 1, 1);
    int a = kit_quant(f->g, "a", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 0.5f, 0, 8, true);
    int sum = lac_graph_add_node(f->g, LAC_OP_ADD, "sum", (int[]){a, a}, 2, NULL);
    int bn = norm(f, sum, 1, (float[]){0}, (float[]){-1.4f}, (float[]){0}, (float[]){1});
    lower(f, raw_end(f, kit_quant(f->g, "act", bn, 0.5f, 1, 4, true)));
    for (int32_t q = -128; q < 128; q++) {
        int32_t y;
        lac_ref_layer(f->out, &f->out->layers[1], (const int32_t *const[]){&q, &q}, &y);
        assert_int_equal(y, -3 + 1); // -1.4 / 0.5 = -2.8
    }
}

static void a_raw_channel_with_gamma_zero_keeps_its_offset(void **state) {
    fixture *f = *state;
    start(f, 1, 1, 1);
    int conv = conv1(f, f->x, 2, (float[]){1, 1}, (float[]){1, 1}, 4);
    lower(f, norm(f, conv, 2, (float[]){0, 0}, (float[]){-1.5f, 0}, (float[]){0, 0}, (float[]){1, 1}));
    const lac_int_layer *l = &f->out->layers[0];
    assert_int_equal(l->w[0], 0);
    assert_true(l->raw_scale[0] * l->bias[0] == -1.5);
    assert_true(l->raw_scale[1] * l->bias[1] == 0);
}

static void a_max_pool_before_relu_and_quantizer_comes_after(void **state) {
    fixture *f = *state;
    start(f, 1, 4, 4);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 4);
    int pool = kit_pool(f->g, LAC_OP_MAX_POOL, "pool", conv, kit_window(2, 2, 0));
    int q = kit_quant(f->g, "act", kit_op(f->g, LAC_OP_RELU, "relu", pool), 0.5f, 0, 8, false);
    lower(f, raw_end(f, q));
    assert_int_equal(f->out->n_layers, 3);
    assert_int_equal(f->out->layers[0].lo, 0);
    assert_int_equal(f->out->layers[1].kind, LAC_INT_MAX_POOL);
    assert_int_equal(f->out->tensors[f->out->layers[0].out].h, 4);
    assert_int_equal(f->out->tensors[f->out->layers[1].out].h, 2);
    assert_string_equal(f->out->tensors[f->out->layers[1].out].name, "act");
}

static void a_second_equal_quantizer_is_dropped(void **state) {
    fixture *f = *state;
    start(f, 1, 4, 4);
    int pool = kit_pool(f->g, LAC_OP_MAX_POOL, "pool", f->x, kit_window(2, 2, 0));
    int again = kit_quant(f->g, "again", pool, 0.5f, 3, 8, false);
    lower(f, raw_end(f, again));
    assert_int_equal(f->out->n_layers, 2);
}

static void concat_joins_tensors_of_one_type(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int a = kit_quant(f->g, "a", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 0.5f, 0, 4, true);
    int b = kit_quant(f->g, "b", conv1(f, f->x, 2, (float[]){1, 2}, (float[]){1, 1}, 8), 0.5f, 0, 4, true);
    int joined = lac_graph_add_node(f->g, LAC_OP_CONCAT, "join", (int[]){a, b}, 2, NULL);
    lower(f, raw_end(f, joined));
    assert_int_equal(f->out->layers[2].kind, LAC_INT_CONCAT);
    assert_int_equal(f->out->tensors[f->out->layers[2].out].c, 3);
}

static void nodes_that_lead_nowhere_do_not_disturb(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8);
    (void)kit_op(f->g, LAC_OP_RELU, "dead", conv);
    lower(f, raw_end(f, kit_quant(f->g, "act", conv, 0.5f, 0, 4, true)));
    assert_int_equal(f->out->n_layers, 2);
}

// ---- what is refused -----------------------------------------------------------------------------------

static void refuses_float_weights(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int w = lac_graph_add_constant(f->g, "w", LAC_SHAPE(1, 1, 1, 1), (float[]){1}, true);
    lower_fails(f, kit_conv(f->g, "conv", f->x, w, -1, kit_window(1, 1, 0)), LAC_E_UNSUPPORTED,
                "conv2d 'conv': weights 'w' are float");
}

static void refuses_float_activations(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 4);
    lower_fails(f, conv1(f, conv, 1, (float[]){1}, (float[]){1}, 4), LAC_E_UNSUPPORTED,
                "put a quantizer between");
    start(f, 1, 2, 2);
    lower_fails(f, conv1(f, f->g->input, 1, (float[]){1}, (float[]){1}, 4), LAC_E_UNSUPPORTED,
                "input 'image' has no quantizer");
    start(f, 1, 2, 2);
    lower_fails(f, raw_end(f, f->g->input), LAC_E_UNSUPPORTED, "graph 'hand' is in float");
}

static void refuses_a_branch_before_the_quantizer(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 4);
    int a = kit_quant(f->g, "a", conv, 1, 0, 4, true), b = kit_quant(f->g, "b", conv, 1, 0, 4, true);
    lower_fails(f, lac_graph_add_node(f->g, LAC_OP_ADD, "sum", (int[]){a, b}, 2, NULL), LAC_E_UNSUPPORTED,
                "2 readers before its quantizer");
}

static void refuses_bipolar_activations(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 4), s = kit_scalar(f->g, "s", 1);
    int q = lac_graph_add_node(f->g, LAC_OP_BIPOLAR_QUANT, "sign", (int[]){conv, s}, 2, NULL);
    lower_fails(f, raw_end(f, q), LAC_E_UNSUPPORTED, "bipolar_quant 'sign'");
}

static void refuses_zero_points_that_are_no_codes(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 4);
    lower_fails(f, raw_end(f, kit_quant(f->g, "act", conv, 1, 0.5f, 4, true)), LAC_E_UNSUPPORTED,
                "zero point 0.5");
    start(f, 1, 2, 2);
    conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 4);
    lower_fails(f, raw_end(f, kit_quant(f->g, "act", conv, 1, 9, 4, true)), LAC_E_UNSUPPORTED,
                "zero point 9 is not one of its codes -8..7");
}

static void refuses_scales_that_are_not_positive(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 4);
    lower_fails(f, raw_end(f, kit_quant(f->g, "act", conv, -1, 0, 4, true)), LAC_E_RANGE, "must be above 0");
    start(f, 1, 2, 2);
    lower_fails(f, conv1(f, f->x, 1, (float[]){1}, (float[]){0}, 4), LAC_E_RANGE, "must be above 0");
}

static void refuses_weights_without_a_negative(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int conv = conv1(f, f->x, 1, (float[]){-8}, (float[]){1}, 4);
    for (int n = 0; n < f->g->n_nodes; n++) f->g->nodes[n].attr.quant.narrow = false;
    lower_fails(f, conv, LAC_E_UNSUPPORTED, "weight code -8 of channel 0");
}

static void refuses_asymmetric_and_unsigned_weights(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 4);
    lac_node *quant = &f->g->nodes[lac_graph_producer(f->g, f->g->nodes[f->g->n_nodes - 1].in[1])];
    quant->attr.quant.is_signed = false;
    lower_fails(f, conv, LAC_E_UNSUPPORTED, "unsigned weights");
    quant->attr.quant.is_signed = true;
    f->g->values[quant->in[2]].data[0] = 1;
    lower_fails(f, conv, LAC_E_UNSUPPORTED, "weights with zero point 1");
}

static void refuses_a_negative_factor_without_weights(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int mean = kit_pool(f->g, LAC_OP_AVG_POOL, "mean", f->x, kit_window(2, 1, 0));
    int bn = norm(f, mean, 1, (float[]){-1}, (float[]){0}, (float[]){0}, (float[]){1});
    lower_fails(f, raw_end(f, kit_quant(f->g, "act", bn, 1, 0, 4, true)), LAC_E_UNSUPPORTED,
                "negative factor in channel 0");
}

static void refuses_batch_norm_after_relu_or_pool(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int relu = kit_op(f->g, LAC_OP_RELU, "relu", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 4));
    int bn = norm(f, relu, 1, (float[]){1}, (float[]){0}, (float[]){0}, (float[]){1});
    lower_fails(f, raw_end(f, kit_quant(f->g, "act", bn, 1, 0, 4, true)), LAC_E_UNSUPPORTED,
                "batch_norm 'norm' follows a relu");
}

static void refuses_batch_norm_before_any_quantizer(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int bn = norm(f, f->g->input, 1, (float[]){1}, (float[]){0}, (float[]){0}, (float[]){1});
    lower_fails(f, raw_end(f, kit_quant(f->g, "act", bn, 1, 0, 4, true)), LAC_E_UNSUPPORTED,
                "batch_norm 'norm': input 'image' has no quantizer before it");
}

static void refuses_relu_on_codes(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int relu = kit_op(f->g, LAC_OP_RELU, "relu", f->x);
    lower_fails(f, raw_end(f, relu), LAC_E_UNSUPPORTED, "relu 'relu' reads quantized codes");
}

static void refuses_concat_of_two_types(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int a = kit_quant(f->g, "a", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 0.5f, 0, 4, true);
    int b = kit_quant(f->g, "b", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 0.25f, 0, 4, true);
    int joined = lac_graph_add_node(f->g, LAC_OP_CONCAT, "join", (int[]){a, b}, 2, NULL);
    lower_fails(f, raw_end(f, joined), LAC_E_UNSUPPORTED, "concat 'join': 'a' has scale 0.5");
}

static void refuses_additions_of_scales_far_apart(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int a = kit_quant(f->g, "a", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 128, 0, 4, true);
    int b = kit_quant(f->g, "b", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 0.5f, 0, 4, true);
    int sum = lac_graph_add_node(f->g, LAC_OP_ADD, "sum", (int[]){a, b}, 2, NULL);
    lower_fails(f, raw_end(f, kit_quant(f->g, "c", sum, 1, 0, 4, true)), LAC_E_RANGE, "add 'sum': scales");
}

static void refuses_average_pools_whose_divisor_varies(void **state) {
    fixture *f = *state;
    start(f, 1, 4, 4);
    int pool = kit_pool(f->g, LAC_OP_AVG_POOL, "mean", f->x, kit_window(3, 1, 1));
    f->g->nodes[f->g->n_nodes - 1].attr.count_include_pad = false;
    lower_fails(f, raw_end(f, kit_quant(f->g, "act", pool, 1, 0, 4, true)), LAC_E_UNSUPPORTED,
                "avg_pool 'mean': padding that is not counted");
}

static void refuses_a_quantized_or_rectified_output(void **state) {
    fixture *f = *state;
    start(f, 1, 1, 1);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8);
    lower_fails(f, kit_quant(f->g, "act", conv, 1, 0, 4, true), LAC_E_UNSUPPORTED,
                "graph output 'act' is quantized");
    start(f, 1, 1, 1);
    conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8);
    lower_fails(f, kit_op(f->g, LAC_OP_RELU, "relu", conv), LAC_E_UNSUPPORTED, "passes a relu");
}

static void refuses_two_different_quantizers_in_a_row(void **state) {
    fixture *f = *state;
    start(f, 1, 4, 4);
    lower_fails(f, raw_end(f, kit_quant(f->g, "again", f->x, 0.25f, 3, 8, false)), LAC_E_UNSUPPORTED,
                "quant 'again': its input 'image_quant' is quantized already");
}

static void refuses_offsets_beyond_the_accumulator(void **state) {
    fixture *f = *state;
    start(f, 1, 1, 1);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8);
    lower_fails(f, norm(f, conv, 1, (float[]){1e-9f}, (float[]){3}, (float[]){0}, (float[]){1}), LAC_E_RANGE,
                "conv2d 'conv': bias");
}

static void refuses_values_that_are_not_finite(void **state) {
    fixture *f = *state;
    start(f, 1, 1, 1);
    int conv = conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8);
    lower_fails(f, norm(f, conv, 1, (float[]){1}, (float[]){0}, (float[]){0}, (float[]){-1}), LAC_E_RANGE,
                "batch norm and bias of channel 0");
}

// 8 bits unsigned and 8 bits signed: the unsigned codes, and the input's, become signed ones with a zero
// point that is 128 less, and the sum's bias makes up for it.
static void a_sum_of_both_signs_is_one_of_signed_codes(void **state) {
    fixture *f = *state;
    start(f, 1, 1, 1);
    int a = kit_quant(f->g, "a", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 1, 0, 8, false);
    int b = kit_quant(f->g, "b", conv1(f, f->x, 1, (float[]){-1}, (float[]){1}, 8), 1, 0, 8, true);
    int sum = lac_graph_add_node(f->g, LAC_OP_ADD, "sum", (int[]){a, b}, 2, NULL);
    lower(f, raw_end(f, kit_quant(f->g, "s", sum, 1, 0, 8, true)));
    assert_int_equal(f->out->tensors[f->out->input].type.zero, 3); // in no sum
    int32_t values[5] = {103}, *of[5] = {&values[0], &values[1], &values[2], &values[3], &values[4]};
    assert_int_equal(f->out->n_tensors, 5);
    lac_ref_run(f->out, of);
    assert_int_equal(values[1], 50 - 128); // (103 - 3) / 2
    assert_int_equal(values[2], -50);
    assert_int_equal(values[3], 0);
}

// ---- tables and factors -----------------------------------------------------------------------------------

// One quantized value through an activation to codes of scale 1/100 and zero point 20.
static const uint8_t *table_of(fixture *f, lac_op op, int bits, bool is_signed, float alpha, float beta) {
    const lac_attr attr = {.alpha = alpha, .beta = beta};
    start(f, 1, 1, 1);
    int a = kit_quant(f->g, "a", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 0.25f, 0, bits, is_signed);
    int y = lac_graph_add_node(f->g, op, "act", &a, 1, &attr);
    lower(f, raw_end(f, kit_quant(f->g, "y", y, 0.01f, 20, 8, false)));
    assert_int_equal(f->out->layers[1].kind, LAC_INT_TABLE);
    return f->out->layers[1].table;
}

static int expected_code(double y) {
    double code = nearbyint(y / 0.01 + 20);
    return (int)(code < 0 ? 0 : code > 255 ? 255 : code);
}

// Every code of a signed quantizer of 8 bits and scale 1/4, against the C library.
static void an_activation_between_quantizers_is_a_table_of_every_code(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 6; i++) {
        static const lac_op ops[] = {LAC_OP_SIGMOID,    LAC_OP_TANH, LAC_OP_HARD_SIGMOID,
                                     LAC_OP_HARD_SWISH, LAC_OP_SILU, LAC_OP_GELU};
        const uint8_t *table = table_of(f, ops[i], 8, true, 0.2f, 0.5f);
        for (int q = -128; q < 128; q++) {
            double x = 0.25 * q, line = fmin(fmax(x / 6 + 0.5, 0), 1);
            const double y[] = {1 / (1 + exp(-x)), tanh(x),           fmin(fmax(0.2 * x + 0.5, 0), 1),
                                x * line,          x / (1 + exp(-x)), x * 0.5 * erfc(-x / sqrt(2))};
            double from_half = fabs(y[i] * 100 - floor(y[i] * 100) - 0.5);
            int off = table[q & 0xFF] - expected_code(y[i]);
            if (off != 0 && (from_half > 1e-4 || abs(off) > 1))
                fail_msg("%s, code %d: %d, not %d", lac_op_name(ops[i]), q, table[q & 0xFF],
                         expected_code(y[i]));
        }
        lac_arena_reset(f->arena);
    }
}

// Codes of 3 bits: the other places repeat what is next to them.
static void a_table_has_codes_where_its_input_has_none(void **state) {
    fixture *f = *state;
    const uint8_t *table = table_of(f, LAC_OP_SIGMOID, 3, true, 0, 0);
    for (int q = 3; q < 128; q++) assert_int_equal(table[q], expected_code(1 / (1 + exp(-0.75))));
    for (int q = -128; q < -4; q++) assert_int_equal(table[q & 0xFF], expected_code(1 / (1 + exp(1))));
}

static void a_map_times_one_number_a_channel(void **state) {
    fixture *f = *state;
    start(f, 2, 2, 2);
    int x = kit_quant(
        f->g, "x",
        kit_conv(f->g, "id", f->x,
                 kit_weights(f->g, "w", LAC_SHAPE(2, 2, 1, 1), (float[]){1, 0, 0, 1}, (float[]){1, 1}, 8), -1,
                 kit_window(1, 1, 0)),
        0.5f, 0, 8, true);
    int s = kit_quant(f->g, "s", kit_op(f->g, LAC_OP_GLOBAL_AVG_POOL, "gap", x), 0.25f, 7, 7, false);
    int y = lac_graph_add_node(f->g, LAC_OP_MUL, "mul", (int[]){x, s}, 2, NULL);
    lower(f, raw_end(f, kit_quant(f->g, "y", kit_op(f->g, LAC_OP_RELU, "relu", y), 1, 0, 8, true)));
    const lac_int_layer *mul = &f->out->layers[2];
    assert_int_equal(mul->kind, LAC_INT_MUL);
    assert_int_equal(mul->lo, 0); // the ReLU
    int32_t values[5][8] = {{11, 3, -5 + 3, 7, 3, 3, 3, 11}}, *of[5];
    for (int t = 0; t < 5; t++) of[t] = values[t];
    lac_ref_run(f->out, of);
    for (int i = 0; i < 8; i++) { // both means have code 7 + 4, which is 1
        double exact = 0.5 * (values[0][i] - 3);
        assert_int_equal(values[3][i], exact < 0 ? 0 : (int)floor(exact + 0.5));
    }
}

// 8 bits unsigned after a sigmoid, and added to signed codes: the table gives them as signed ones.
static void signed_codes_of_a_table(void **state) {
    fixture *f = *state;
    start(f, 1, 1, 1);
    int a = kit_quant(f->g, "a", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 0.25f, 0, 8, true);
    int u = kit_quant(f->g, "u", kit_op(f->g, LAC_OP_SIGMOID, "act", a), 0.01f, 0, 8, false);
    int v = kit_quant(f->g, "v", kit_op(f->g, LAC_OP_TANH, "other", u), 0.01f, 0, 8, true);
    int sum = lac_graph_add_node(f->g, LAC_OP_ADD, "sum", (int[]){u, v}, 2, NULL);
    lower(f, raw_end(f, kit_quant(f->g, "s", sum, 0.02f, 0, 8, true)));
    const lac_int_layer *first = &f->out->layers[1], *second = &f->out->layers[2];
    assert_true(f->out->tensors[first->out].type.is_signed);
    assert_int_equal(f->out->tensors[first->out].type.zero, -128);
    assert_int_equal((int8_t)first->table[0], 50 - 128);            // sigmoid(0)
    assert_int_equal((int8_t)second->table[(50 - 128) & 0xFF], 46); // tanh(0.5)
}

static void refuses_factors_of_every_value_and_of_other_zeros(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int pair =
        kit_quant(f->g, "pair", conv1(f, f->x, 2, (float[]){1, 1}, (float[]){1, 1}, 8), 0.5f, 0, 8, true);
    int twice = lac_graph_add_node(f->g, LAC_OP_MUL, "twice", (int[]){pair, pair}, 2, NULL);
    lower_fails(f, raw_end(f, kit_quant(f->g, "y0", twice, 1, 0, 8, true)), LAC_E_UNSUPPORTED,
                "one number for each of its 2 channels or of its 2 x 2 pixels");
    int x = kit_quant(f->g, "x", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8), 0.5f, 0, 8, true);
    int s = kit_quant(f->g, "s", kit_op(f->g, LAC_OP_GLOBAL_AVG_POOL, "gap", f->x), 0.5f, 0, 8, true);
    int odd = lac_graph_add_node(f->g, LAC_OP_MUL, "odd", (int[]){f->x, s}, 2, NULL);
    lower_fails(f, raw_end(f, kit_quant(f->g, "y2", odd, 1, 0, 8, true)), LAC_E_UNSUPPORTED, "zero point 3");
    int wide = kit_quant(f->g, "wide", kit_op(f->g, LAC_OP_GLOBAL_AVG_POOL, "gap2", f->x), 0.5f, 0, 8, false);
    int large = lac_graph_add_node(f->g, LAC_OP_MUL, "large", (int[]){x, wide}, 2, NULL);
    lower_fails(f, raw_end(f, kit_quant(f->g, "y3", large, 1, 0, 8, true)), LAC_E_UNSUPPORTED,
                "codes 0..255 above zero");
}

static void refuses_an_activation_without_a_quantizer_on_either_side(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 2);
    int y = kit_op(f->g, LAC_OP_SIGMOID, "act", f->x);
    lower_fails(f, y, LAC_E_UNSUPPORTED, "nothing but one quantizer may read");
    int z = kit_op(f->g, LAC_OP_TANH, "float", conv1(f, f->x, 1, (float[]){1}, (float[]){1}, 8));
    lower_fails(f, raw_end(f, kit_quant(f->g, "z", z, 1, 0, 8, true)), LAC_E_UNSUPPORTED,
                "put a quantizer between");
}

// ---- maxima, and kernels that reach far
// ---------------------------------------------------------------------

// Codes of the input, and of the value that was quantized last, for random codes.
typedef struct outcome {
    const lac_int_tensor *in, *out;
    int32_t *input, *output;
} outcome;

static outcome run_to(fixture *f, const char *name, uint64_t seed) {
    const lac_int_graph *g = f->out;
    int32_t **values = LAC_NEW_ARRAY(f->arena, int32_t *, g->n_tensors);
    outcome r = {.in = &g->tensors[g->input], .input = NULL};
    for (int t = 0; t < g->n_tensors; t++)
        values[t] = LAC_NEW_ARRAY(f->arena, int32_t, lac_int_tensor_count(&g->tensors[t]));
    lac_rng rng = lac_rng_make(seed, 3);
    r.input = values[g->input];
    for (size_t i = 0; i < lac_int_tensor_count(r.in); i++) r.input[i] = (int32_t)lac_rng_below(&rng, 256);
    lac_ref_run(g, values);
    for (int t = 0; t < g->n_tensors; t++)
        if (strcmp(g->tensors[t].name, name) == 0) r.out = &g->tensors[t], r.output = values[t];
    assert_non_null(r.out);
    return r;
}

static int32_t largest(const int32_t *codes, int n, int step) {
    int32_t most = codes[0];
    for (int i = 1; i < n; i++) most = codes[i * step] > most ? codes[i * step] : most;
    return most;
}

// Sizes that the windows divide, and such that they do not; the last channel of an odd number has no partner.
static void maxima_are_those_of_the_codes(void **state) {
    fixture *f = *state;
    for (int c = 1; c <= 13; c++) {
        const int h = 1 + c * 5 % 19, w = 1 + c * 7 % 11;
        start(f, c, h, w);
        int most = kit_op(f->g, LAC_OP_CHANNEL_MAX, "most", f->x);
        lower(f, raw_end(f, most));
        outcome of_pixels = run_to(f, c > 1 ? f->g->values[most].name : f->g->values[f->x].name, (uint64_t)c);
        for (int p = 0; p < h * w; p++)
            assert_int_equal(of_pixels.output[p], largest(of_pixels.input + p, c, h * w));
        start(f, c, h, w);
        most = kit_op(f->g, LAC_OP_GLOBAL_MAX_POOL, "most", f->x);
        lower(f, raw_end(f, most));
        outcome of_maps = run_to(f, f->g->values[most].name, (uint64_t)c);
        for (int o = 0; o < c; o++)
            assert_int_equal(of_maps.output[o], largest(of_maps.input + o * h * w, h * w, 1));
    }
}

static void signed_codes_have_a_maximum_over_channels(void **state) {
    fixture *f = *state;
    start(f, 1, 3, 4);
    float weight[5] = {-1, 1, -0.5f, 0.25f, -1}, scale[5] = {0.01f, 0.01f, 0.01f, 0.01f, 0.01f};
    int x = kit_quant(f->g, "x", conv1(f, f->x, 5, weight, scale, 8), 0.5f, 0, 8, true);
    int most = kit_op(f->g, LAC_OP_CHANNEL_MAX, "most", x);
    lower(f, raw_end(f, most));
    outcome all = run_to(f, f->g->values[x].name, 5), one = run_to(f, f->g->values[most].name, 5);
    assert_true(all.out->type.is_signed && one.out->type.is_signed);
    for (int p = 0; p < 12; p++) assert_int_equal(one.output[p], largest(all.output + p, 5, 12));
}

// A kernel of 7 x 7 over maps that it covers several times, against the sum over all pixels; and no step
// reaches further than a tile.
static void a_kernel_that_reaches_far_sums_the_same(void **state) {
    fixture *f = *state;
    enum { SIZE = 7 };
    float weights[2 * SIZE * SIZE];
    lac_rng rng = lac_rng_make(1, 1);
    for (int i = 0; i < 2 * SIZE * SIZE; i++) weights[i] = (float)lac_rng_below(&rng, 15) - 7;
    for (int h = 1; h <= 24; h += h < 5 ? 1 : 5) {
        const int w = 1 + h * 3 % 10, tile[2] = {(h + 7) / 8, (w + 7) / 8};
        start(f, 2, h, w);
        int k = kit_weights(f->g, "w", LAC_SHAPE(1, 2, SIZE, SIZE), weights, (float[]){1}, 8);
        int conv = kit_conv(f->g, "far", f->x, k, -1, kit_window(SIZE, 1, SIZE / 2));
        int y8 = kit_quant(f->g, "y", conv, 16, 0, 8, true);
        lower(f, raw_end(f, y8));
        outcome r = run_to(f, f->g->values[y8].name, (uint64_t)h);
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                double sum = 0;
                for (int i = 0; i < 2 * SIZE * SIZE; i++) {
                    int ky = y + i / SIZE % SIZE - SIZE / 2, kx = x + i % SIZE - SIZE / 2;
                    if (ky < 0 || ky >= h || kx < 0 || kx >= w) continue;
                    sum += (double)weights[i] * 0.5 * (r.input[(i / (SIZE * SIZE) * h + ky) * w + kx] - 3);
                }
                double code = fmin(fmax(floor(sum / 16 + 0.5), -128), 127);
                assert_int_equal(r.output[y * w + x], (int)code);
            }
        for (int l = 0; l < f->out->n_layers - 1; l++)
            for (int a = 0; a < 2 && f->out->layers[l].kind == LAC_INT_CONV2D; a++)
                assert_in_range(f->out->layers[l].window.pad[a], 0, tile[a]);
    }
}

// ---- ops that rearrange -----------------------------------------------------------------------------------

static int moved(fixture *f, lac_op op, const char *name, int x, lac_rearrange_attr move) {
    const lac_attr attr = {.move = move};
    return lac_graph_add_node(f->g, op, name, &x, 1, &attr);
}

// A 1x1 convolution from n channels to one, with codes 1, 2, ... n of scale 1.
static int counting_conv(fixture *f, int x, int n) {
    float w[8];
    for (int i = 0; i < n; i++) w[i] = (float)(i + 1);
    int weights = kit_weights(f->g, "count", LAC_SHAPE(1, n, 1, 1), w, (float[]){1}, 8);
    return kit_conv(f->g, "count", x, weights, -1, kit_window(1, 1, 0));
}

static void slices_and_shuffles_cost_no_layer_and_no_weight(void **state) {
    fixture *f = *state;
    start(f, 6, 1, 1);
    int x = moved(f, LAC_OP_CHANNEL_SHUFFLE, "shuffle", f->x, (lac_rearrange_attr){.groups = 2});
    lower(f, counting_conv(f, moved(f, LAC_OP_SLICE, "slice", x, (lac_rearrange_attr){.begin = 1, .end = 4}),
                           3));
    assert_int_equal(f->out->n_layers, 1);
    const int8_t expected[6] = {0, 2, 0,
                                1, 3, 0}; // shuffled channels are 0 3 1 4 2 5, of which 3 1 4 are left
    assert_memory_equal(f->out->layers[0].w, expected, 6);
}

static void a_rim_of_zeros_becomes_padding(void **state) {
    fixture *f = *state;
    start(f, 1, 4, 4);
    int x = moved(f, LAC_OP_PAD, "rim", f->x, (lac_rearrange_attr){.pad = {1, 0, 2, 3}});
    lower(f, raw_end(f, kit_quant(f->g, "q", counting_conv(f, x, 1), 1, 0, 8, false)));
    const int expected[4] = {1, 0, 2, 3};
    assert_int_equal(f->out->n_layers, 2);
    assert_memory_equal(f->out->layers[0].window.pad, expected, sizeof expected);
}

// Depth to space lies in memory as it was; a convolution over it has weights on the channels it was.
static void more_pixels_than_places_are_channels(void **state) {
    fixture *f = *state;
    start(f, 4, 1, 1);
    int x = moved(f, LAC_OP_DEPTH_TO_SPACE, "space", f->x, (lac_rearrange_attr){.block = 2});
    float w[4] = {1, 2, 3, 4};
    int weights = kit_weights(f->g, "w", LAC_SHAPE(1, 1, 2, 2), w, (float[]){1}, 8);
    lower(f, kit_conv(f->g, "conv", x, weights, -1, kit_window(2, 1, 0)));
    const int8_t expected[4] = {1, 2, 3, 4};
    assert_int_equal(f->out->n_layers, 1);
    assert_int_equal(f->out->tensors[f->out->input].c, 4);
    assert_memory_equal(f->out->layers[0].w, expected, 4);
}

// Two taps on one pixel of an upsampled row add up.
static void weights_on_one_code_add_up_while_they_fit(void **state) {
    for (int large = 0; large < 2; large++) {
        fixture *f = *state;
        start(f, 1, 1, 1);
        int x = moved(f, LAC_OP_UPSAMPLE, "up", f->x, (lac_rearrange_attr){.factor = {1, 2}});
        float w[2] = {large ? 100 : 3, large ? 100 : 4};
        int weights = kit_weights(f->g, "w", LAC_SHAPE(1, 1, 1, 2), w, (float[]){1}, 8);
        lac_window window = {{1, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1};
        lower(f, kit_conv(f->g, "conv", x, weights, -1, window));
        assert_int_equal(f->out->n_layers, 1 + large); // 200 is no code of 8 bits: the input is stored first
        assert_int_equal(f->out->layers[large].w[0], large ? 100 : 7);
    }
}

static void a_circular_rim_is_copied_by_taps_a_map_apart(void **state) {
    fixture *f = *state;
    start(f, 1, 2, 3);
    int x = moved(f, LAC_OP_PAD, "ring", f->x, (lac_rearrange_attr){.pad = {1, 2, 0, 0}, .circular = true});
    lower(f, counting_conv(f, x, 1));
    const lac_int_layer *l = &f->out->layers[0];
    int32_t in[] = {1, 2, 3, 4, 5, 6}, out[15];
    const int32_t expected[] = {5, 6, 4, 5, 6, 2, 3, 1, 2, 3, 5, 6, 4, 5, 6};
    lac_ref_layer(f->out, l, (const int32_t *const[]){in}, out);
    assert_memory_equal(out, expected, sizeof out);
    assert_true(f->out->tensors[l->out].type.zero == 3);
}

static void refuses_a_circular_rim_wider_than_the_map(void **state) {
    fixture *f = *state;
    start(f, 1, 4, 4);
    int x = moved(f, LAC_OP_PAD, "ring", f->x, (lac_rearrange_attr){.pad = {1, 5, 1, 1}, .circular = true});
    lower_fails(f, counting_conv(f, x, 1), LAC_E_SHAPE, "pad 'ring': a rim of 5 and 1 around 4");
}

static void refuses_what_cannot_take_folded_pixels_apart(void **state) {
    fixture *f = *state;
    start(f, 1, 4, 4);
    int x = moved(f, LAC_OP_UPSAMPLE, "up", f->x, (lac_rearrange_attr){.factor = {2, 2}});
    lower_fails(f, kit_pool(f->g, LAC_OP_MAX_POOL, "pool", x, kit_window(2, 2, 0)), LAC_E_UNSUPPORTED,
                "max_pool 'pool': 2 x 2 pixels of 'up'");
    start(f, 1, 4, 4);
    x = moved(f, LAC_OP_UPSAMPLE, "up", f->x, (lac_rearrange_attr){.factor = {2, 2}});
    lower_fails(f, counting_conv(f, x, 1), LAC_E_UNSUPPORTED, "2 x 2 pixels of its output");
    start(f, 1, 4, 4);
    x = moved(f, LAC_OP_UPSAMPLE, "up", f->x, (lac_rearrange_attr){.factor = {9, 1}});
    lower_fails(f, counting_conv(f, x, 1), LAC_E_UNSUPPORTED, "upsample 'up': its output has 9 x 1 pixels");
    start(f, 1, 6, 6);
    x = moved(f, LAC_OP_UPSAMPLE, "up", f->x, (lac_rearrange_attr){.factor = {2, 2}});
    int w = kit_weights(f->g, "w", LAC_SHAPE(1, 1, 1, 1), (float[]){1}, (float[]){1}, 8);
    lower_fails(f, kit_conv(f->g, "third", x, w, -1, kit_window(1, 3, 0)), LAC_E_UNSUPPORTED,
                "conv2d 'third': 2 rows or columns of its input");
}

static void refuses_a_scale_for_each_input_of_a_transposed_convolution(void **state) {
    fixture *f = *state;
    start(f, 2, 4, 4);
    float w[8] = {1, 1, 1, 1, 2, 2, 2, 2};
    int in[2] = {f->x, kit_weights(f->g, "w", LAC_SHAPE(2, 1, 2, 2), w, (float[]){1, 2}, 8)};
    const lac_attr attr = {.window = kit_window(2, 2, 0)};
    int x = lac_graph_add_node(f->g, LAC_OP_CONV_TRANSPOSE, "deconv", in, 2, &attr);
    lower_fails(f, raw_end(f, kit_quant(f->g, "q", x, 1, 0, 8, false)), LAC_E_UNSUPPORTED,
                "conv_transpose 'deconv': weights have one scale an input channel");
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(batch_norm_folds_exactly_and_negative_gamma_flips_codes),
        WITH_FIXTURE(the_lowered_layer_computes_the_hand_computed_codes),
        WITH_FIXTURE(a_batch_norm_of_codes_is_a_weight_a_channel),
        WITH_FIXTURE(a_linear_layer_is_the_convolution_over_the_whole_map),
        WITH_FIXTURE(an_addition_aligns_its_operands_by_small_integers),
        WITH_FIXTURE(weights_of_one_bit_are_minus_one_and_one),
        WITH_FIXTURE(a_channel_that_nothing_changes_loses_its_weights),
        WITH_FIXTURE(a_constant_addition_stays_constant),
        WITH_FIXTURE(a_raw_channel_with_gamma_zero_keeps_its_offset),
        WITH_FIXTURE(a_max_pool_before_relu_and_quantizer_comes_after),
        WITH_FIXTURE(a_second_equal_quantizer_is_dropped),
        WITH_FIXTURE(concat_joins_tensors_of_one_type),
        WITH_FIXTURE(nodes_that_lead_nowhere_do_not_disturb),
        WITH_FIXTURE(a_sum_of_both_signs_is_one_of_signed_codes),
        WITH_FIXTURE(an_activation_between_quantizers_is_a_table_of_every_code),
        WITH_FIXTURE(a_table_has_codes_where_its_input_has_none),
        WITH_FIXTURE(a_map_times_one_number_a_channel),
        WITH_FIXTURE(signed_codes_of_a_table),
        WITH_FIXTURE(refuses_factors_of_every_value_and_of_other_zeros),
        WITH_FIXTURE(maxima_are_those_of_the_codes),
        WITH_FIXTURE(signed_codes_have_a_maximum_over_channels),
        WITH_FIXTURE(a_kernel_that_reaches_far_sums_the_same),
        WITH_FIXTURE(refuses_an_activation_without_a_quantizer_on_either_side),
        WITH_FIXTURE(slices_and_shuffles_cost_no_layer_and_no_weight),
        WITH_FIXTURE(a_rim_of_zeros_becomes_padding),
        WITH_FIXTURE(more_pixels_than_places_are_channels),
        WITH_FIXTURE(weights_on_one_code_add_up_while_they_fit),
        WITH_FIXTURE(a_circular_rim_is_copied_by_taps_a_map_apart),
        WITH_FIXTURE(refuses_a_circular_rim_wider_than_the_map),
        WITH_FIXTURE(refuses_what_cannot_take_folded_pixels_apart),
        WITH_FIXTURE(refuses_a_scale_for_each_input_of_a_transposed_convolution),
        WITH_FIXTURE(refuses_float_weights),
        WITH_FIXTURE(refuses_float_activations),
        WITH_FIXTURE(refuses_a_branch_before_the_quantizer),
        WITH_FIXTURE(refuses_bipolar_activations),
        WITH_FIXTURE(refuses_zero_points_that_are_no_codes),
        WITH_FIXTURE(refuses_scales_that_are_not_positive),
        WITH_FIXTURE(refuses_weights_without_a_negative),
        WITH_FIXTURE(refuses_asymmetric_and_unsigned_weights),
        WITH_FIXTURE(refuses_a_negative_factor_without_weights),
        WITH_FIXTURE(refuses_batch_norm_after_relu_or_pool),
        WITH_FIXTURE(refuses_batch_norm_before_any_quantizer),
        WITH_FIXTURE(refuses_relu_on_codes),
        WITH_FIXTURE(refuses_concat_of_two_types),
        WITH_FIXTURE(refuses_additions_of_scales_far_apart),
        WITH_FIXTURE(refuses_average_pools_whose_divisor_varies),
        WITH_FIXTURE(refuses_a_quantized_or_rectified_output),
        WITH_FIXTURE(refuses_two_different_quantizers_in_a_row),
        WITH_FIXTURE(refuses_offsets_beyond_the_accumulator),
        WITH_FIXTURE(refuses_values_that_are_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
