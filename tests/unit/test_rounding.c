#include "quant_kit.h"

#include <math.h>

#include "lac_num.h"
#include "rounding.h"

#include "arena_fixture.h"

/// Rounding methods against all codes that there are, on rows small enough to try them.

enum { N = 5 };

/// Moments of correlated inputs and of the outputs that float weights make of them.
typedef struct problem {
    double h[N * N], c[N];
    float w[N];
    lac_round_row row;
} problem;

static void make_problem(problem *p, uint64_t seed) {
    lac_rng rng = lac_rng_make(seed, 0);
    *p = (problem){.row = {.n = N, .scale = 0.25, .lowest = -3, .highest = 3}};
    for (int i = 0; i < N; i++) p->w[i] = 0.35f * lac_rng_normal(&rng);
    for (int s = 0; s < 40; s++) {
        double x[N], common = (double)lac_rng_normal(&rng), y = 0;
        for (int i = 0; i < N; i++) x[i] = common + 0.3 * (double)lac_rng_normal(&rng);
        for (int i = 0; i < N; i++) y += (double)p->w[i] * x[i];
        for (int i = 0; i < N; i++) {
            p->c[i] += y * x[i];
            for (int j = 0; j < N; j++) p->h[i * N + j] += x[i] * x[j];
        }
    }
    p->row.h = p->h;
    p->row.c = p->c;
    p->row.w = p->w;
}

static double best_error(const problem *p) {
    double least = INFINITY;
    for (int k = 0; k < 16807; k++) { // 7^5
        int8_t code[N];
        for (int i = 0, rest = k; i < N; i++, rest /= 7) code[i] = (int8_t)(rest % 7 - 3);
        least = fmin(least, lac_round_error(&p->row, code));
    }
    return least;
}

static void the_error_is_that_of_the_sums(void **state) {
    (void)state;
    const double h[] = {2, 1, 1, 3}, c[] = {4, 5};
    const float w[] = {1, 1};
    const lac_round_row row = {.n = 2, .h = h, .c = c, .w = w, .scale = 0.5, .lowest = -7, .highest = 7};
    const int8_t code[] = {2, -4}; // weights 1 and -2: 2 - 4 + 12 - 2 (4 - 10)
    assert_float_equal((float)lac_round_error(&row, code), 22, 1e-6f);
    assert_float_equal((float)lac_round_best_scale(&row, (const int8_t[]){1, 1}), 9.0f / 7, 1e-6f);
    assert_float_equal((float)lac_round_best_scale(&row, (const int8_t[]){-1, 0}), 0, 0);
}

// Two inputs that are always equal: the codes should add up to the sum, which nearest rounding misses by one.
static void equal_inputs_share_their_rounding(void **state) {
    (void)state;
    const double h[] = {1.001, 1, 1, 1.001}, c[] = {0.80042, 0.80038}; // h w
    const float w[] = {0.42f, 0.38f};
    const lac_round_row row = {.n = 2, .h = h, .c = c, .w = w, .scale = 1, .lowest = -3, .highest = 3};
    lac_rounding *const methods[] = {lac_round_descent, lac_round_gptq, lac_round_adaround};
    int8_t code[2];
    lac_round_nearest(&row, arena, code);
    assert_int_equal(code[0] + code[1], 0);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        methods[i](&row, arena, code);
        assert_int_equal(code[0] + code[1], 1);
    }
}

static void methods_beat_nearest_and_none_beats_the_best(void **state) {
    (void)state;
    lac_rounding *const methods[] = {lac_round_nearest, lac_round_descent, lac_round_gptq,
                                     lac_round_adaround};
    double sum[4] = {0}, best = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        problem p;
        make_problem(&p, seed);
        double least = best_error(&p), nearest = 0;
        best += least;
        for (int m = 0; m < 4; m++) {
            int8_t code[N];
            methods[m](&p.row, arena, code);
            for (int i = 0; i < N; i++) assert_in_range(code[i] + 3, 0, 6);
            double error = lac_round_error(&p.row, code);
            if (m == 0) nearest = error;
            assert_true(error >= least - 1e-9);
            if (m == 1) assert_true(error <= nearest + 1e-9);
            sum[m] += error;
        }
        lac_arena_reset(arena);
    }
    print_message("best %.3f nearest %.3f descent %.3f gptq %.3f adaround %.3f\n", best, sum[0], sum[1],
                  sum[2], sum[3]);
    for (int m = 1; m < 4; m++) assert_true(sum[m] < sum[0]);
}

// Rows of one h, more than fit one tile.
static void rows_at_once_are_rounded_as_alone(void **state) {
    (void)state;
    enum { ROWS = 19 };
    problem p[ROWS];
    lac_round_row rows[ROWS];
    int8_t together[ROWS * N], alone[N];
    for (int o = 0; o < ROWS; o++) {
        make_problem(&p[o], 30 + (uint64_t)o);
        rows[o] = p[o].row;
        rows[o].h = p[0].h;
    }
    int n_changed = 0;
    lac_round_adaround_block(rows, ROWS, arena, together);
    for (int o = 0; o < ROWS; o++) {
        lac_round_adaround(&rows[o], arena, alone);
        assert_memory_equal(together + o * N, alone, N);
        lac_round_nearest(&rows[o], arena, alone);
        n_changed += memcmp(together + o * N, alone, N) != 0;
    }
    assert_true(n_changed > 0);
}

static void pruned_weights_stay_away(void **state) {
    (void)state;
    lac_rounding *const methods[] = {lac_round_nearest, lac_round_descent, lac_round_gptq,
                                     lac_round_adaround};
    problem p;
    make_problem(&p, 3);
    p.w[1] = p.w[4] = 0;
    for (int m = 0; m < 4; m++) {
        int8_t code[N];
        methods[m](&p.row, arena, code);
        assert_true(code[1] == 0 && code[4] == 0);
    }
}

static void inputs_that_are_always_zero_do_no_harm(void **state) {
    (void)state;
    lac_rounding *const methods[] = {lac_round_nearest, lac_round_descent, lac_round_gptq,
                                     lac_round_adaround};
    problem p;
    make_problem(&p, 4);
    memset(p.h, 0, sizeof p.h);
    memset(p.c, 0, sizeof p.c);
    for (int m = 0; m < 4; m++) {
        int8_t code[N];
        methods[m](&p.row, arena, code);
        for (int i = 0; i < N; i++) assert_in_range(code[i] + 3, 0, 6);
    }
}

static void digits_are_as_few_as_there_can_be(void **state) {
    (void)state;
    for (int code = -128; code < 128; code++) {
        int fewest = 9;
        for (int k = 0; k < 625; k++) {
            int sum = 0, digits = 0;
            for (int i = 0, rest = k, unit = 1; i < 4; i++, rest /= 5, unit *= 4) {
                sum += (rest % 5 - 2) * unit;
                digits += rest % 5 != 2;
            }
            if (sum == code && digits < fewest) fewest = digits;
        }
        assert_int_equal(lac_digit_count(code), fewest);
    }
    assert_int_equal(lac_codes_digits((const int8_t[]){0, 1, 3, 127, -85}, 5),
                     0 + 1 + 2 + 2 + 4); // 3 = 4 - 1, 127 = 2 * 64 - 1
}

// 0.62 of scale 1/8 is code 5 (two digits: 4 + 1); 4 is cheaper by one digit and errs by 0.12^2 h.
static void a_digit_is_saved_when_its_price_is_above_the_error(void **state) {
    (void)state;
    const double h[] = {1}, c[] = {0.625};
    const float w[] = {0.625f};
    lac_round_row row = {.n = 1, .h = h, .c = c, .w = w, .scale = 0.125, .lowest = -127, .highest = 127};
    int8_t code;
    lac_round_descent(&row, arena, &code);
    assert_int_equal(code, 5);
    row.digit_price = 0.9 * 0.125 * 0.125;
    lac_round_descent(&row, arena, &code);
    assert_int_equal(code, 5);
    row.digit_price = 1.1 * 0.125 * 0.125;
    lac_round_descent(&row, arena, &code);
    assert_int_equal(code, 4);
    row.digit_price = 1;
    lac_round_descent(&row, arena, &code);
    assert_int_equal(code, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_error_is_that_of_the_sums),
        cmocka_unit_test(equal_inputs_share_their_rounding),
        cmocka_unit_test(methods_beat_nearest_and_none_beats_the_best),
        cmocka_unit_test(rows_at_once_are_rounded_as_alone),
        cmocka_unit_test(pruned_weights_stay_away),
        cmocka_unit_test(inputs_that_are_always_zero_do_no_harm),
        cmocka_unit_test(digits_are_as_few_as_there_can_be),
        cmocka_unit_test(a_digit_is_saved_when_its_price_is_above_the_error),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
