#include "random_nets.h"

#include "digit_pull.h"
#include "lac_num.h"
#include "quant_codes.h"

#include "arena_fixture.h"

/// The penalty on digits: its codes, its slope, and what it does to a training.

static int code_at(const int8_t *level, double v) {
    return level[(int)floor(2 * v) + 256];
}

// 21 = 16 + 4 + 1 has three digits, 20 two, 16 one: two digits saved are worth sqrt(2) * reach codes.
static void a_digit_is_worth_its_reach(void **state) {
    (void)state;
    const int8_t *none = lac_digit_levels(-127, 127, 0, 0, arena);
    for (int c = -127; c <= 127; c++) assert_int_equal(code_at(none, c + 0.1), c);
    assert_int_equal(code_at(lac_digit_levels(-127, 127, 0, 0.8, arena), 21.1), 21);
    assert_int_equal(code_at(lac_digit_levels(-127, 127, 0, 1.5, arena), 21.1), 20);
    assert_int_equal(code_at(lac_digit_levels(-127, 127, 0, 6, arena), 21.1), 16);
    assert_int_equal(code_at(lac_digit_levels(-127, 127, 1, 0, arena), 85.1), 64);
}

enum { N = 240, SCALES = 4 };

typedef struct sample {
    float w[N], scale[SCALES];
} sample;

static sample make_sample(void) {
    sample s;
    lac_rng rng = lac_rng_make(17, 3);
    for (int o = 0; o < SCALES; o++) s.scale[o] = 0.01f * (float)(1 + o);
    for (int i = 0; i < N; i++) { // away from the halves, where the code changes
        double half = (double)(int)lac_rng_below(&rng, 500) - 250;
        s.w[i] = s.scale[i / (N / SCALES)] * (float)(half / 2 + 0.1 + 0.3 * (double)lac_rng_uniform(&rng));
    }
    return s;
}

static const double pull = 0.7, reach = 5;

// Is the gradient by `claimed` that of the penalty by `level`, by differences?
static bool slope_is_right(const int8_t *level, const int8_t *claimed) {
    sample s = make_sample();
    float gradient[N] = {0};
    (void)lac_digit_pull(claimed, pull, reach, s.w, N, s.scale, SCALES, gradient);
    for (int i = 0; i < N; i++) {
        const float keep = s.w[i], h = 0.02f * s.scale[i / (N / SCALES)], up = keep + h, down = keep - h;
        s.w[i] = up;
        double more = lac_digit_pull(level, pull, reach, s.w, N, s.scale, SCALES, NULL);
        s.w[i] = down;
        double less = lac_digit_pull(level, pull, reach, s.w, N, s.scale, SCALES, NULL);
        s.w[i] = keep;
        double slope = (more - less) / ((double)up - (double)down);
        if (!(fabs(slope - (double)gradient[i]) <= 1e-4 * fabs(slope) + 1e-6)) return false;
    }
    return true;
}

static void the_slope_leads_to_the_cheap_code(void **state) {
    (void)state;
    const int8_t *level = lac_digit_levels(-127, 127, 0, reach, arena);
    assert_true(slope_is_right(level, level));
    // The check can fail: the slope to the nearest code is another.
    assert_false(slope_is_right(level, lac_digit_levels(-127, 127, 0, 0, arena)));
}

// ---- in training ------------------------------------------------------------------------------------------

typedef struct outcome {
    double digits, loss; // a weight; on the validation part
} outcome;

static outcome outcome_of(lac_graph *g, const lac_dataset *data) {
    outcome o = {0, 0};
    int64_t n = 0;
    lac_eval_result result;
    for (int l = 0; l < g->n_nodes; l++) {
        lac_weight_codes codes;
        if (g->nodes[l].op != LAC_OP_CONV2D && g->nodes[l].op != LAC_OP_LINEAR) continue;
        ASSERT_OK(lac_weight_codes_read(g, l, arena, &codes, err));
        for (int i = 0; i < codes.n_out * codes.n_per_out; i++) o.digits += lac_digit_count(codes.code[i]);
        n += codes.n_out * codes.n_per_out;
    }
    o.digits /= (double)n;
    ASSERT_OK(lac_evaluate(g, data, &data->validation, 0, NULL, &result, err));
    o.loss = result.loss;
    return o;
}

static const lac_quantizer_desc *method(const char *name) {
    for (int i = 0; i < lac_n_quantizers(); i++)
        if (strcmp(lac_quantizer_row(i)->name, name) == 0) return lac_quantizer_row(i);
    fail_msg("no quantizer '%s'", name);
    return NULL;
}

static outcome after(const char *name, const lac_graph *base, const lac_dataset *data,
                     const lac_quant_config *config) {
    lac_graph *g = lac_graph_copy(base, arena);
    ASSERT_OK(method(name)->run(g, data, config, NULL, err));
    return outcome_of(g, data);
}

// The same network: trained as it is; then rounded to as few digits as the penalty leaves; trained with the
// penalty.
static void training_with_the_penalty_goes_further_than_rounding(void **state) {
    (void)state;
    lac_dataset data = make_noise_data(arena, 1, 8, 9, 3, 400, 1);
    data.validation = data.test;
    lac_graph *base = make_random_net(arena, 21, &data);
    lac_quant_config config = {
        .weight_bits = 8,
        .act_bits = 8,
        .recipe = {.epochs = 4, .batch = 16, .lr = 0.02f, .weight_decay = 1e-4f, .seed = 3}};
    lac_train_result trained;
    ASSERT_OK(lac_train(base, &data, &config.recipe, NULL, NULL, &trained, err));
    outcome plain = after("lsq", base, &data, &config);
    config.digit_pull = 0.1f, config.digit_reach = 16;
    outcome pulled = after("lsq", base, &data, &config);
    config.digit_pull = 0;
    outcome nearest = after("nearest", base, &data, &config);
    config.digits = pulled.digits / nearest.digits;
    outcome rounded = after("nearest", base, &data, &config);
    print_message("digits a weight, validation loss: trained %.3f %.4f, with the penalty %.3f %.4f, rounded "
                  "%.3f %.4f\n",
                  plain.digits, plain.loss, pulled.digits, pulled.loss, rounded.digits, rounded.loss);
    assert_true(pulled.digits < 0.6 * plain.digits);
    assert_true(pulled.loss < plain.loss + 0.02);
    // Rounding meets the target from below, by how much depends on the last bits of the training.
    assert_true(rounded.digits >= 0.95 * pulled.digits && rounded.loss > pulled.loss);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digit_is_worth_its_reach),
        cmocka_unit_test(the_slope_leads_to_the_cheap_code),
        cmocka_unit_test(training_with_the_penalty_goes_further_than_rounding),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
