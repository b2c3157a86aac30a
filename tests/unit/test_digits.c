#include "digits.h"
#include "lac_num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

static int nonzero(int weight) {
    int8_t digits[LAC_MOST_PLANES];
    lac_digits_of(weight, digits);
    int n = 0;
    for (int p = 0; p < LAC_MOST_PLANES; p++) n += digits[p] != 0;
    return n;
}

static void digits_add_up_to_the_weight_and_end_with_the_last_plane(void **state) {
    (void)state;
    for (int weight = -128; weight <= 127; weight++) {
        int8_t digits[LAC_MOST_PLANES];
        int n_planes = lac_digits_of(weight, digits), sum = 0;
        for (int p = LAC_MOST_PLANES - 1; p >= 0; p--) {
            assert_in_range(digits[p] + 2, 0, 4);
            if (p >= n_planes) assert_int_equal(digits[p], 0);
            sum = 4 * sum + digits[p];
        }
        assert_int_equal(sum, weight);
        if (n_planes) assert_int_not_equal(digits[n_planes - 1], 0);
    }
}

/// Against all 5^4 digit strings.
static void no_other_digits_are_fewer(void **state) {
    (void)state;
    int fewest[256];
    for (int i = 0; i < 256; i++) fewest[i] = LAC_MOST_PLANES;
    for (int string = 0; string < 625; string++) {
        int sum = 0, n = 0;
        for (int p = 0, rest = string; p < LAC_MOST_PLANES; p++, rest /= 5) {
            sum += (rest % 5 - 2) * (1 << 2 * p);
            n += rest % 5 != 2;
        }
        if (sum >= -128 && sum <= 127 && n < fewest[sum + 128]) fewest[sum + 128] = n;
    }
    for (int weight = -128; weight <= 127; weight++) assert_int_equal(nonzero(weight), fewest[weight + 128]);
}

/// The price that quantizers put on a code is what the compiler lists.
static void quantizers_count_what_the_compiler_lists(void **state) {
    (void)state;
    for (int weight = -128; weight <= 127; weight++)
        assert_int_equal(lac_digit_count(weight), nonzero(weight));
}

/// Digits a weight over the symmetric codes of a width, uniform, and bell-shaped with three deviations to the
/// end.
static void averages(int bits, double *uniform, double *bell) {
    double sum = 0, weighted = 0, total = 0;
    int limit = 1 << (bits - 1);
    for (int w = 1 - limit; w < limit; w++) {
        double x = 3.0 * w / (limit - 1), density = exp(-x * x / 2);
        sum += nonzero(w);
        weighted += density * nonzero(w);
        total += density;
    }
    *uniform = sum / (2 * limit - 1);
    *bell = weighted / total;
}

static void a_weight_takes_as_many_digits_as_the_design_expects(void **state) {
    (void)state;
    static const struct {
        int bits;
        double uniform, bell;
    } rows[] = {{8, 2.78, 2.42}, {6, 2.13, 1.75}, {5, 1.81, 1.39}, {4, 1.47, 1.03}, {3, 1.14, 0.61}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double uniform, bell;
        averages(rows[i].bits, &uniform, &bell);
        print_message("%d bits: %.3f digits uniform, %.3f bell-shaped\n", rows[i].bits, uniform, bell);
        assert_true(fabs(uniform - rows[i].uniform) < 0.01 && fabs(bell - rows[i].bell) < 0.01);
    }
    for (int w = -1; w <= 1; w++) assert_int_equal(nonzero(w), abs(w)); // ternary: a cycle a weight
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_add_up_to_the_weight_and_end_with_the_last_plane),
        cmocka_unit_test(no_other_digits_are_fewer),
        cmocka_unit_test(quantizers_count_what_the_compiler_lists),
        cmocka_unit_test(a_weight_takes_as_many_digits_as_the_design_expects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
