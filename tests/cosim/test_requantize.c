#include "lac_num.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/// rtl/lane/requantize.v against lac_requantize, in Icarus: every combination of corners, then random values.

typedef struct vector {
    int32_t acc, bias;
    uint16_t m;
    int s, lo, hi, zero;
} vector;

static const int32_t corner_acc[] = {
    0,    1,       -1,       2,       -2,         127,        -128,        255,        -256,       511,
    -512, 8388607, -8388608, 1 << 29, -(1 << 29), 2147483646, -2147483647, 1431655765, -1431655765};
static const uint16_t corner_m[] = {0, 1, 2, 32767, 32768, 32769, 65535};
static const int corner_range[][3] = {{0, 255, 0}, {-128, 127, 0}, {-256, 255, 0},
                                      {0, 15, 0},  {-8, 7, 120},   {5, 5, -3}};
enum { N_RANDOM = 40000, S_MAX = 46 };

static void write_vector(FILE *out, const vector *v, size_t *n) {
    int32_t y = lac_requantize(v->acc, v->bias, v->m, (uint8_t)v->s, (int16_t)v->lo, (int16_t)v->hi,
                               (int16_t)v->zero);
    fprintf(out, "%02x%04x%04x%04x%02x%04x%08x%08x\n", (unsigned)y & 0xff, (unsigned)v->zero & 0x1ff,
            (unsigned)v->hi & 0x1ff, (unsigned)v->lo & 0x1ff, (unsigned)v->s, v->m, (unsigned)v->bias,
            (unsigned)v->acc);
    (*n)++;
}

static size_t write_corners(FILE *out) {
    size_t n = 0;
    for (size_t r = 0; r < sizeof corner_range / sizeof corner_range[0]; r++) {
        for (size_t i = 0; i < sizeof corner_acc / sizeof corner_acc[0] * (sizeof corner_m / 2) * S_MAX;
             i++) {
            size_t a = i / S_MAX / (sizeof corner_m / 2);
            vector v = {.acc = corner_acc[a], .m = corner_m[i / S_MAX % (sizeof corner_m / 2)]};
            v.s = (int)(i % S_MAX) + 1;
            v.lo = corner_range[r][0];
            v.hi = corner_range[r][1];
            v.zero = corner_range[r][2];
            write_vector(out, &v, &n);
        }
    }
    return n;
}

/// Half the values are near a tie: (acc + bias) * m is close to a multiple of 2^(s-1).
static size_t write_random(FILE *out, uint64_t seed) {
    lac_rng rng = lac_rng_make(seed, 0);
    size_t n = 0;
    vector v = {.hi = 255};
    for (int i = 0; i < N_RANDOM; i++) {
        if (i % 500 == 0) {
            v.lo = (int)lac_rng_below(&rng, 512) - 256;
            v.hi = v.lo + (int)lac_rng_below(&rng, (uint32_t)(256 - v.lo));
            v.zero = (int)lac_rng_below(&rng, 512) - 256;
        }
        int32_t sum = (int32_t)lac_rng_u64(&rng) >> lac_rng_below(&rng, 31);
        v.m = (uint16_t)(lac_rng_u64(&rng) >> lac_rng_below(&rng, 4));
        v.s = 1 + (int)lac_rng_below(&rng, S_MAX);
        if (i % 2) {
            v.m = (uint16_t)(1u << lac_rng_below(&rng, 16));
            v.s = 1 + (int)lac_rng_below(&rng, 24);
            sum = (int32_t)(lac_rng_below(&rng, 1024) - 512) * (1 << (v.s - 1)) / (v.m > 64 ? 64 : v.m);
        }
        v.bias = (int32_t)lac_rng_u64(&rng) / 4;
        v.acc = sum / 4 * 3 - v.bias;
        write_vector(out, &v, &n);
    }
    return n;
}

/// Runs the bench on the vectors; define is an extra option of the compiler, or "".
static void run_bench(const char *vectors, size_t n, const char *define, size_t *checked, size_t *wrong) {
    char command[2048];
    snprintf(command, sizeof command,
             "iverilog -g2005 %s -Prequantize_tb.N=%zu -s requantize_tb -o %s.vvp '%s/rtl/lane/requantize.v' "
             "'%s/tests/cosim/requantize_tb.v' && vvp -n %s.vvp +vectors=%s",
             define, n, vectors, LAC_RTL_SOURCE_DIR, LAC_RTL_SOURCE_DIR, vectors, vectors);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    char line[256] = "", last[256] = "";
    while (fgets(line, sizeof line, out)) memcpy(last, line, sizeof last);
    assert_int_equal(pclose(out), 0);
    if (sscanf(last, "%zu checked, %zu wrong", checked, wrong) != 2) fail_msg("unexpected output: %s", last);
}

static size_t write_all(const char *path) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    size_t n = write_corners(out) + write_random(out, 20);
    assert_int_equal(fclose(out), 0);
    return n;
}

static void equals_the_law_of_numbers(void **state) {
    (void)state;
    size_t n = write_all("requantize.hex"), checked, wrong;
    run_bench("requantize.hex", n, "", &checked, &wrong);
    print_message("%zu vectors, seed 20\n", n);
    assert_int_equal(checked, n);
    assert_int_equal(wrong, 0);
}

static void a_wrong_rounding_is_noticed(void **state) {
    (void)state;
    size_t n = write_all("requantize_fault.hex"), checked, wrong;
    run_bench("requantize_fault.hex", n, "-DLAC_FAULT_ROUNDING", &checked, &wrong);
    assert_int_equal(checked, n);
    assert_true(wrong > n / 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_law_of_numbers),
        cmocka_unit_test(a_wrong_rounding_is_noticed),
    };
    return cmocka_run_group_tests_name("requantize", tests, NULL, NULL);
}
