#include "noise_fixture.h"

#include "quant_codes.h"
#include "quantize.h"
#include "ref.h"

/// The whole method on a small network and data that can be learnt.

static int open_fixture(void **state) {
    return open_noise_fixture(state, 400);
}

static lac_quant_config config_of(int weight_bits, int act_bits, float epochs) {
    return (lac_quant_config){
        .weight_bits = weight_bits,
        .act_bits = act_bits,
        .first_bits = 8,
        .last_bits = 8,
        .recipe = {.epochs = epochs, .batch = 16, .lr = 0.02f, .weight_decay = 1e-4f, .seed = 3}};
}

static void quantize(fixture *f, lac_quant_config config) {
    ASSERT_OK(lac_quantizer_row(0)->run(f->g, &f->data, &config, NULL, err));
    ASSERT_OK(lac_graph_check(f->g, err));
}

static double loss_of(fixture *f) {
    lac_eval_result result;
    ASSERT_OK(lac_evaluate(f->g, &f->data, &f->data.test, 0, NULL, &result, err));
    return result.loss;
}

static int weight_quant(const lac_graph *g, int layer) {
    return lac_graph_producer(g, g->nodes[layer].in[1]);
}

static bool has_weights(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR;
}

static void training_lowers_the_loss_and_moves_scales(void **state) {
    fixture *f = *state;
    lac_graph *untrained = lac_graph_copy(f->g, f->arena), *trained = f->g;
    f->g = untrained;
    quantize(f, config_of(4, 4, 0.001f)); // one step: as calibrated
    double before = loss_of(f);
    f->g = trained;
    quantize(f, config_of(4, 4, 3));
    assert_true(loss_of(f) < 0.8 * before);
    int moved = 0;
    for (int v = 0; v < f->g->n_values && v < untrained->n_values; v++) {
        assert_string_equal(f->g->values[v].name, untrained->values[v].name);
        if (!strstr(f->g->values[v].name, "_scale")) continue;
        moved += f->g->values[v].data[0] != untrained->values[v].data[0];
    }
    assert_true(moved > 3);
}

static void the_result_lowers_and_agrees_with_the_float_graph(void **state) {
    fixture *f = *state;
    quantize(f, config_of(4, 4, 2));
    lac_int_graph *ig;
    ASSERT_OK(lac_lower(f->g, &f->data, f->arena, &ig, err));
    const lac_split *split = &f->data.test;
    int32_t **values = LAC_NEW_ARRAY(f->arena, int32_t *, ig->n_tensors);
    for (int t = 0; t < ig->n_tensors; t++)
        values[t] = LAC_NEW_ARRAY(f->arena, int32_t, lac_int_tensor_count(&ig->tensors[t]));
    uint32_t n_right = 0;
    for (uint32_t i = 0; i < split->n; i++) {
        lac_input_codes(ig, split->pixels + i * 72, values[ig->input]);
        for (uint32_t p = 0; p < 72; p++) assert_int_equal(values[ig->input][p], split->pixels[i * 72 + p]);
        lac_ref_run(ig, values);
        n_right += lac_int_argmax(ig, values[ig->output]) == split->labels[i];
    }
    lac_eval_result result;
    ASSERT_OK(lac_evaluate(f->g, &f->data, split, 0, NULL, &result, err));
    assert_true(result.accuracy > 0.5);
    assert_true(abs((int)n_right - (int)result.n_right) <= 1);
}

// Zeros of a pruned model stay zero, and a weight has as many codes as its bits allow.
static void zeros_stay_zero_and_codes_fit_their_width(void **state) {
    fixture *f = *state;
    int conv = -1;
    for (int n = 0; n < f->g->n_nodes; n++)
        if (has_weights(&f->g->nodes[n])) conv = n;
    const char *name = f->g->nodes[conv].name;
    lac_value *w = &f->g->values[f->g->nodes[conv].in[1]];
    int64_t count = lac_shape_count(w->shape);
    uint8_t *zero = LAC_NEW_ARRAY(f->arena, uint8_t, count);
    for (int64_t i = 0; i < count; i++) {
        zero[i] = i % 3 != 0;
        if (zero[i]) w->data[i] = 0;
    }
    lac_quant_config config = config_of(3, 4, 1);
    config.last_bits = 3;
    quantize(f, config);
    for (int n = 0; n < f->g->n_nodes; n++) {
        if (strcmp(f->g->nodes[n].name, name) != 0) continue;
        lac_weight_codes codes;
        ASSERT_OK(lac_weight_codes_read(f->g, n, f->arena, &codes, err));
        const lac_value *after = &f->g->values[f->g->nodes[weight_quant(f->g, n)].in[0]];
        assert_non_null(after->mask);
        int used = 0;
        for (int64_t i = 0; i < count; i++) {
            if (zero[i]) assert_true(after->data[i] == 0 && codes.code[i] == 0 && after->mask[i] == 0);
            assert_true(codes.code[i] >= -3 && codes.code[i] <= 3);
            used |= 1 << (codes.code[i] + 3);
        }
        assert_true(__builtin_popcount((unsigned)used) >= 5);
    }
}

// A learnt scale of 8-bit weights would be a few thousandths that steps made for weights throw about.
static void wide_weight_scales_follow_the_largest_weight(void **state) {
    fixture *f = *state;
    lac_quant_config config = config_of(4, 4, 1);
    config.recipe.lr = 0.05f;
    quantize(f, config);
    int n_wide = 0;
    for (int n = 0; n < f->g->n_nodes; n++) {
        if (!has_weights(&f->g->nodes[n])) continue;
        const lac_node *quant = &f->g->nodes[weight_quant(f->g, n)];
        assert_int_equal(f->g->values[quant->in[1]].trainable, quant->attr.quant.bits < 6);
        if (quant->attr.quant.bits < 6) continue;
        lac_weight_codes codes;
        ASSERT_OK(lac_weight_codes_read(f->g, n, f->arena, &codes, err));
        for (int o = 0; o < codes.n_out; o++) {
            int largest = 0;
            for (int i = 0; i < codes.n_per_out; i++)
                if (abs(codes.code[o * codes.n_per_out + i]) > largest)
                    largest = abs(codes.code[o * codes.n_per_out + i]);
            assert_true(largest == 127 || largest == 0);
        }
        n_wide++;
    }
    assert_int_equal(n_wide, 2);
}

static void ternary_weights_have_three_codes(void **state) {
    fixture *f = *state;
    lac_quant_config config = config_of(4, 4, 0.5f);
    config.ternary = true;
    config.first_bits = config.last_bits = 0;
    quantize(f, config);
    for (int n = 0; n < f->g->n_nodes; n++) {
        if (!has_weights(&f->g->nodes[n])) continue;
        lac_weight_codes codes;
        ASSERT_OK(lac_weight_codes_read(f->g, n, f->arena, &codes, err));
        assert_int_equal(codes.bits, 2);
        for (int i = 0; i < codes.n_out * codes.n_per_out; i++)
            assert_true(codes.code[i] >= -1 && codes.code[i] <= 1);
    }
    assert_string_equal(lac_graph_meta(f->g, "lacuna.quantizer"),
                        "lsq weights ternary 2 acts 4 first 0 last 0");
}

static void two_runs_are_equal_bit_for_bit(void **state) {
    fixture *f = *state;
    lac_graph *first = f->g, *second = lac_graph_copy(f->g, f->arena);
    quantize(f, config_of(2, 3, 0.5f));
    f->g = second;
    quantize(f, config_of(2, 3, 0.5f));
    assert_int_equal(first->n_values, second->n_values);
    for (int v = 0; v < first->n_values; v++)
        if (first->values[v].data)
            assert_memory_equal(first->values[v].data, second->values[v].data,
                                (size_t)lac_shape_count(first->values[v].shape) * sizeof(float));
}

static void scales_stay_positive_under_a_wild_learning_rate(void **state) {
    fixture *f = *state;
    lac_quant_config config = config_of(4, 4, 0.3f);
    config.recipe.scale_lr = 1000;
    lac_error err = {0};
    lac_status status = lac_quantizer_row(0)->run(f->g, &f->data, &config, NULL, &err);
    if (status != LAC_OK) { // divergence is an error with a sentence, never a negative scale
        assert_int_equal(status, LAC_E_RANGE);
        return;
    }
    for (int n = 0; n < f->g->n_nodes; n++) {
        const lac_node *node = &f->g->nodes[n];
        if (node->op != LAC_OP_QUANT) continue;
        const lac_value *s = &f->g->values[node->in[1]];
        for (int64_t i = 0; i < lac_shape_count(s->shape); i++) assert_true(s->data[i] > 0);
    }
}

static bool stop_at_once(void *ctx) {
    (void)ctx;
    return true;
}

static void an_interrupt_is_passed_on(void **state) {
    fixture *f = *state;
    lac_quant_config config = config_of(4, 4, 2);
    const lac_talk talk = {.stop = stop_at_once};
    lac_error err = {0};
    assert_fails_with(lac_quantizer_row(0)->run(f->g, &f->data, &config, &talk, &err), &err,
                      LAC_E_INTERRUPTED, "stopped");
}

static void refuses_a_width_before_any_training(void **state) {
    fixture *f = *state;
    lac_quant_config config = config_of(12, 4, 2);
    lac_error err = {0};
    assert_fails_with(lac_quantizer_row(0)->run(f->g, &f->data, &config, NULL, &err), &err, LAC_E_USAGE,
                      "weights: 12 bits, supported are 1 to 8");
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(training_lowers_the_loss_and_moves_scales),
        WITH_FIXTURE(the_result_lowers_and_agrees_with_the_float_graph),
        WITH_FIXTURE(zeros_stay_zero_and_codes_fit_their_width),
        WITH_FIXTURE(wide_weight_scales_follow_the_largest_weight),
        WITH_FIXTURE(ternary_weights_have_three_codes),
        WITH_FIXTURE(two_runs_are_equal_bit_for_bit),
        WITH_FIXTURE(scales_stay_positive_under_a_wild_learning_rate),
        WITH_FIXTURE(an_interrupt_is_passed_on),
        WITH_FIXTURE(refuses_a_width_before_any_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
