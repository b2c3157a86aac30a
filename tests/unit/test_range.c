#include "quant_kit.h"

#include <math.h>

#include "range.h"

#include "arena_fixture.h"

/// Each rule for ranges on values that can be worked out by hand.

static void fit(lac_range_kind kind, const lac_range_samples *s, lac_code_grid grid, float *scale,
                int *zero) {
    lac_range_fit(kind, 90, s, grid, arena, scale, zero);
}

static const lac_code_grid signed4 = {.lowest = -8, .highest = 7}, unsigned8 = {.lowest = 0, .highest = 255};

static void minmax_clips_nothing(void **state) {
    (void)state;
    const float x[] = {-4, 0.5f, 3.5f};
    float scale;
    int zero;
    fit(LAC_RANGE_MINMAX, &(lac_range_samples){.x = x, .n = 3}, signed4, &scale, &zero);
    assert_float_equal(scale, 0.5f, 0);
    assert_int_equal(zero, 0);
    const float low[] = {0, 0}, high[] = {10, 510}; // the samples missed an extreme that the batch saw
    fit(LAC_RANGE_MINMAX, &(lac_range_samples){x, 3, low, high, 2}, unsigned8, &scale, &zero);
    assert_float_equal(scale, 2, 0);
}

static void the_moving_average_forgets_a_tenth_a_batch(void **state) {
    (void)state;
    const float x[] = {1}, low[] = {0, 0, 0}, high[] = {100, 200, 0};
    float scale;
    int zero;
    fit(LAC_RANGE_AVERAGE, &(lac_range_samples){x, 1, low, high, 3}, unsigned8, &scale, &zero);
    assert_float_equal(scale, (0.9f * (0.9f * 100 + 0.1f * 200)) / 255, 1e-6f);
}

static void the_percentile_leaves_the_outlier_out(void **state) {
    (void)state;
    float x[11]; // 0, 1 .. 9, 1000: 90 % is the value 9
    for (int i = 0; i < 10; i++) x[i] = (float)i;
    x[10] = 1000;
    float scale;
    int zero;
    fit(LAC_RANGE_PERCENTILE, &(lac_range_samples){.x = x, .n = 11}, unsigned8, &scale, &zero);
    assert_float_equal(scale, 9.0f / 255, 1e-6f);
}

static void an_asymmetric_range_has_real_zero_as_a_code(void **state) {
    (void)state;
    const float x[] = {-1, 3};
    const lac_code_grid grid = {.lowest = 0, .highest = 15, .asymmetric = true};
    float scale;
    int zero;
    fit(LAC_RANGE_MINMAX, &(lac_range_samples){.x = x, .n = 2}, grid, &scale, &zero);
    assert_float_equal(scale, 4.0f / 15, 1e-6f);
    assert_int_equal(zero, 4); // 1 / scale = 3.75
    fit(LAC_RANGE_MSE, &(lac_range_samples){.x = x, .n = 2}, grid, &scale, &zero);
    for (int i = 0; i < 2; i++) assert_true(fabsf(rintf(x[i] / scale) * scale - x[i]) <= scale / 2 + 1e-6f);
}

static double error_of(const float *x, size_t n, float scale, int lowest, int highest) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double code = fmin(fmax(rint((double)x[i] / (double)scale), lowest), highest);
        double off = (double)x[i] - code * (double)scale;
        sum += off * off;
    }
    return sum;
}

static void least_error_clips_an_outlier_that_minmax_serves(void **state) {
    (void)state;
    float x[400], exact, clipped;
    lac_rng rng = lac_rng_make(1, 0);
    for (int i = 0; i < 400; i++) x[i] = lac_rng_normal(&rng);
    x[7] = 12;
    const lac_range_samples s = {.x = x, .n = 400};
    int zero;
    fit(LAC_RANGE_MINMAX, &s, signed4, &exact, &zero);
    fit(LAC_RANGE_MSE, &s, signed4, &clipped, &zero);
    assert_true(clipped < 0.8f * exact);
    assert_true(error_of(x, 400, clipped, -8, 7) < error_of(x, 400, exact, -8, 7));
}

// A histogram that fits its levels exactly has no divergence; mass far out that spoils the levels is clipped.
static void divergence_keeps_what_the_levels_hold(void **state) {
    (void)state;
    double bins[64];
    for (int i = 0; i < 64; i++) bins[i] = i < 16 ? 100 + i * i : 0;
    bins[63] = 1;
    int kept = lac_range_kl_bins(bins, 64, 16);
    assert_true(kept >= 16 && kept < 40);
    for (int i = 0; i < 64; i++) bins[i] = 10;
    assert_int_equal(lac_range_kl_bins(bins, 64, 16), 64); // flat: nothing to gain
}

// What a ReLU sets to zero has its code in any range, so it must not decide what is clipped.
static void zeros_do_not_move_the_divergence(void **state) {
    (void)state;
    enum { N = 3000 };
    static float x[2 * N];
    lac_rng rng = lac_rng_make(2, 0);
    for (int i = 0; i < N; i++) x[i] = fabsf(lac_rng_normal(&rng));
    const lac_code_grid grid = {.lowest = 0, .highest = 15};
    float alone, among_zeros;
    int zero;
    fit(LAC_RANGE_KL, &(lac_range_samples){.x = x, .n = N}, grid, &alone, &zero);
    fit(LAC_RANGE_KL, &(lac_range_samples){.x = x, .n = 2 * N}, grid, &among_zeros, &zero);
    assert_float_equal(alone, among_zeros, 0);
    assert_true(alone * 15 > 1.5f && alone * 15 < 4); // deviations of a normal distribution
}

static void a_power_of_two_is_the_better_neighbour(void **state) {
    (void)state;
    const float small[] = {0.7f, -0.7f, 0.1f}, many[] = {5, 5, 5, 5};
    assert_float_equal(lac_scale_power_of_two(small, 3, 0.1f, -8, 7), 0.125f,
                       0); // 1/16 would clip 0.7 at 7/16
    assert_float_equal(lac_scale_power_of_two(many, 4, 0.7f, -8, 7), 1, 0);
    assert_float_equal(lac_scale_power_of_two(many, 4, 0.25f, -8, 7), 0.25f, 0); // is one already
    for (int kind = 0; kind < LAC_N_RANGES; kind++) {
        float x[50], scale;
        int zero, exponent;
        for (int i = 0; i < 50; i++) x[i] = (float)(i - 20) * 0.13f;
        lac_code_grid grid = {.lowest = 0, .highest = 255, .power_of_two = true, .asymmetric = true};
        fit((lac_range_kind)kind, &(lac_range_samples){.x = x, .n = 50}, grid, &scale, &zero);
        assert_float_equal(frexpf(scale, &exponent), 0.5f, 0);
        assert_true(zero >= 0 && zero <= 255);
    }
}

static void nothing_to_see_is_scale_zero_by_every_rule(void **state) {
    (void)state;
    const float x[] = {0, 0, 0, 0};
    for (int kind = 0; kind < LAC_N_RANGES; kind++) {
        float scale = 5;
        int zero = 5;
        fit((lac_range_kind)kind, &(lac_range_samples){.x = x, .n = 4}, unsigned8, &scale, &zero);
        assert_float_equal(scale, 0, 0);
        assert_int_equal(zero, 0);
        assert_non_null(lac_range_name(kind));
    }
    assert_null(lac_range_name(LAC_N_RANGES));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minmax_clips_nothing),
        cmocka_unit_test(the_moving_average_forgets_a_tenth_a_batch),
        cmocka_unit_test(the_percentile_leaves_the_outlier_out),
        cmocka_unit_test(an_asymmetric_range_has_real_zero_as_a_code),
        cmocka_unit_test(least_error_clips_an_outlier_that_minmax_serves),
        cmocka_unit_test(divergence_keeps_what_the_levels_hold),
        cmocka_unit_test(zeros_do_not_move_the_divergence),
        cmocka_unit_test(a_power_of_two_is_the_better_neighbour),
        cmocka_unit_test(nothing_to_see_is_scale_zero_by_every_rule),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
