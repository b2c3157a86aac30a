#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "multiplier.h"
#include "rng.h"

static void a_multiplier_is_within_two_to_the_minus_16(void **state) {
    (void)state;
    lac_rng rng = lac_rng_make(3, 0);
    for (int i = 0; i < 100000; i++) {
        double scale = ldexp(1 + (double)lac_rng_uniform(&rng), (int)lac_rng_below(&rng, 46) - 31);
        uint16_t m;
        uint8_t s;
        lac_multiplier(scale, &m, &s);
        assert_true(s >= 1 && s <= 46);
        assert_true(m >= 0x8000);
        assert_true(fabs(lac_multiplier_value(m, s) - scale) <= scale * 0x1p-16);
    }
}

static void powers_of_two_are_exact(void **state) {
    (void)state;
    for (int e = -31; e < 15; e++) {
        uint16_t m;
        uint8_t s;
        lac_multiplier(ldexp(1, e), &m, &s);
        assert_int_equal(m, 0x8000);
        assert_int_equal(s, 15 - e);
    }
}

static void rounding_up_to_a_power_of_two_keeps_16_bits(void **state) {
    (void)state;
    uint16_t m;
    uint8_t s;
    lac_multiplier(1 - 0x1p-20, &m, &s);
    assert_int_equal(m, 0x8000);
    assert_int_equal(s, 15);
}

static void the_ends_of_the_range_saturate(void **state) {
    (void)state;
    uint16_t m;
    uint8_t s;
    lac_multiplier(0, &m, &s);
    assert_int_equal(m, 0);
    assert_int_equal(s, 46);
    lac_multiplier(1e-12, &m, &s);
    assert_int_equal(s, 46);
    assert_int_equal(m, 70); // 1e-12 * 2^46 = 70.37
    lac_multiplier(1e9, &m, &s);
    assert_int_equal(m, 65535);
    assert_int_equal(s, 1);
}

static void ratios_of_small_integers_are_found(void **state) {
    (void)state;
    int8_t w[2];
    lac_add_ratio(0.3, 0.2, w);
    assert_int_equal(w[0], 3);
    assert_int_equal(w[1], 2);
    lac_add_ratio(0.125, 0.125, w);
    assert_int_equal(w[0], 1);
    assert_int_equal(w[1], 1);
    lac_add_ratio((double)(float)(0.01 * 126 / 127), (double)0.01f, w);
    assert_int_equal(w[0], 126);
    assert_int_equal(w[1], 127);
}

static void any_ratio_up_to_a_hundred_is_near(void **state) {
    (void)state;
    lac_rng rng = lac_rng_make(4, 0);
    for (int i = 0; i < 300; i++) {
        double ratio = exp(log(20) * (2 * (double)lac_rng_uniform(&rng) - 1));
        int8_t w[2];
        lac_add_ratio(ratio, 1, w);
        assert_true(fabs((double)w[0] / w[1] / ratio - 1) < 0.04);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_multiplier_is_within_two_to_the_minus_16),
        cmocka_unit_test(powers_of_two_are_exact),
        cmocka_unit_test(rounding_up_to_a_power_of_two_keeps_16_bits),
        cmocka_unit_test(the_ends_of_the_range_saturate),
        cmocka_unit_test(ratios_of_small_integers_are_found),
        cmocka_unit_test(any_ratio_up_to_a_hundred_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
