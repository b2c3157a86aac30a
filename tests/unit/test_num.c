#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lac_num.h"
#include "rng.h"

// The law once more in exact rationals: y = floor(v * m / 2^s + 1/2), by 128-bit division instead of shifts.
static int32_t requantize_by_division(int64_t v, uint16_t m, int s, int lo, int hi, int zero) {
    __extension__ typedef __int128 wide;
    wide numerator = 2 * (wide)v * m + ((wide)1 << s), denominator = (wide)1 << (s + 1);
    wide quotient = numerator / denominator;
    if (numerator % denominator < 0) quotient--;
    return (int32_t)(quotient < lo ? lo : quotient > hi ? hi : quotient) + zero;
}

static void requantize_equals_the_rational_law(void **state) {
    (void)state;
    lac_rng rng = lac_rng_make(11, 0);
    for (int i = 0; i < 2000000; i++) {
        int bits = 1 + (int)lac_rng_below(&rng, 31);
        int32_t acc = (int32_t)(lac_rng_u64(&rng) >> 32) >> (32 - bits);
        int32_t bias = (int32_t)(lac_rng_u64(&rng) >> 32) >> 12;
        if ((int64_t)acc + bias > INT32_MAX || (int64_t)acc + bias < INT32_MIN) continue;
        uint16_t m = (uint16_t)(lac_rng_u64(&rng) >> 48);
        uint8_t s = (uint8_t)(1 + lac_rng_below(&rng, 46));
        int32_t y = lac_requantize(acc, bias, m, s, -128, 127, 3);
        assert_int_equal(y, requantize_by_division((int64_t)acc + bias, m, s, -128, 127, 3));
    }
}

static void a_half_rounds_up_on_both_sides_of_zero(void **state) {
    (void)state;
    assert_int_equal(lac_requantize(1, 0, 1, 1, -128, 127, 0), 1);   // 0.5 -> 1
    assert_int_equal(lac_requantize(-1, 0, 1, 1, -128, 127, 0), 0);  // -0.5 -> 0
    assert_int_equal(lac_requantize(-3, 0, 1, 1, -128, 127, 0), -1); // -1.5 -> -1
    assert_int_equal(lac_requantize(-3, 0, 1, 1, 0, 127, 5), 5);     // ReLU, then the zero point
    assert_int_equal(lac_requantize(1000, 0, 0xFFFF, 16, 0, 15, 0), 15);
}

static void codes_have_the_range_of_their_type(void **state) {
    (void)state;
    assert_int_equal(lac_code_min(4, 1), -8);
    assert_int_equal(lac_code_max(4, 1), 7);
    assert_int_equal(lac_code_min(4, 0), 0);
    assert_int_equal(lac_code_max(8, 0), 255);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requantize_equals_the_rational_law),
        cmocka_unit_test(a_half_rounds_up_on_both_sides_of_zero),
        cmocka_unit_test(codes_have_the_range_of_their_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
