#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "lac_status.h"
#include "rng.h"

static void hands_out_zeroed_aligned_memory(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    for (size_t n = 1; n < 200000; n = n * 3 + 1) {
        unsigned char *p = lac_arena_alloc(arena, n);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0);
        memset(p, 0xA5, n);
    }
    lac_arena_close(arena);
}

static void allocations_do_not_overlap(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    unsigned char *p[100];
    for (int i = 0; i < 100; i++) p[i] = memset(lac_arena_alloc(arena, 1000), i, 1000);
    for (int i = 0; i < 100; i++)
        for (int k = 0; k < 1000; k++) assert_int_equal(p[i][k], i);
    lac_arena_close(arena);
}

static void prints_text_of_any_length(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    const char *text = lac_arena_printf(arena, "%0500d|%s", 7, "end");
    assert_int_equal(strlen(text), 504);
    assert_string_equal(text + 499, "7|end");
    lac_arena_close(arena);
}

static void errors_carry_context_and_survive_null(void **state) {
    (void)state;
    lac_error err = {0};
    assert_int_equal(lac_fail(&err, LAC_E_SHAPE, "%d is not %d", 3, 4), LAC_E_SHAPE);
    assert_int_equal(lac_fail_in(&err, err.status, "conv 'a'"), LAC_E_SHAPE);
    assert_string_equal(err.text, "conv 'a': 3 is not 4");
    assert_int_equal(lac_fail(NULL, LAC_E_IO, "nobody listens"), LAC_E_IO);
    assert_string_equal(lac_status_name(LAC_E_IO), "LAC_E_IO");
    assert_int_equal(lac_status_exit_code(LAC_E_INTERRUPTED), 130);
}

static void random_numbers_are_reproducible_and_streams_differ(void **state) {
    (void)state;
    lac_rng a = lac_rng_make(1, 2), b = lac_rng_make(1, 2), c = lac_rng_make(1, 3);
    int n_equal = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t x = lac_rng_u64(&a);
        assert_true(x == lac_rng_u64(&b));
        n_equal += x == lac_rng_u64(&c);
    }
    assert_int_equal(n_equal, 0);
}

static void shuffle_is_a_permutation_and_below_is_uniform(void **state) {
    (void)state;
    lac_rng rng = lac_rng_make(5, 0);
    uint32_t items[1000], seen[1000] = {0}, histogram[10] = {0};
    for (uint32_t i = 0; i < 1000; i++) items[i] = i;
    lac_rng_shuffle(&rng, items, 1000);
    int n_fixed = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        seen[items[i]]++;
        n_fixed += items[i] == i;
    }
    for (int i = 0; i < 1000; i++) assert_int_equal(seen[i], 1);
    assert_in_range(n_fixed, 0, 20);
    for (int i = 0; i < 100000; i++) histogram[lac_rng_below(&rng, 10)]++;
    for (int d = 0; d < 10; d++) assert_in_range(histogram[d], 9500, 10500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_zeroed_aligned_memory),
        cmocka_unit_test(allocations_do_not_overlap),
        cmocka_unit_test(prints_text_of_any_length),
        cmocka_unit_test(errors_carry_context_and_survive_null),
        cmocka_unit_test(random_numbers_are_reproducible_and_streams_differ),
        cmocka_unit_test(shuffle_is_a_permutation_and_below_is_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
