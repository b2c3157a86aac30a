// Twenty thousand damaged files: each gives a status and a sentence or a sound graph, none a crash or a leak.
// The sanitized build is where this bites.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "every_op.h"
#include "onnx.h"

enum { MUTANTS = 20000, SEED = 20260 };

// Flips, overwrites, cuts, doubles or drops a few bytes.
static size_t mutate(uint8_t *data, size_t n, size_t capacity, lac_rng *rng) {
    uint32_t n_edits = 1 + lac_rng_below(rng, 4);
    for (uint32_t edit = 0; edit < n_edits && n > 1; edit++) {
        uint32_t at = lac_rng_below(rng, (uint32_t)n);
        uint32_t length = 1 + lac_rng_below(rng, 16);
        if (length > n - at) length = (uint32_t)n - at;
        static const uint8_t odd[] = {0, 1, 0x7F, 0x80, 0xFF, 8, 0x0A, 0x12};
        switch (lac_rng_below(rng, 6)) {
        case 0:
            data[at] ^= (uint8_t)(1u << lac_rng_below(rng, 8));
            break;
        case 1:
            data[at] = odd[lac_rng_below(rng, sizeof odd)];
            break;
        case 2:
            memset(data + at, 0xFF, length);
            break;
        case 3:
            memmove(data + at, data + at + length, n - at - length);
            n -= length;
            break;
        case 4:
            if (n + length > capacity) break;
            memmove(data + at + length, data + at, n - at);
            n += length;
            break;
        default:
            if (lac_rng_below(rng, 8) == 0)
                n = at; // most cuts end the story early, so few
            else
                data[at] = (uint8_t)lac_rng_below(rng, 256);
        }
    }
    return n;
}

static bool try_bytes(const uint8_t *data, size_t n, lac_arena *arena) {
    lac_error err = {0};
    lac_graph *graph = NULL, *again = NULL;
    lac_bytes bytes;
    // An exact allocation, so that reading one byte too far is seen.
    uint8_t *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, data, n);
    lac_status status = lac_onnx_parse(exact, n, arena, &graph, &err);
    free(exact);
    assert_int_equal(graph != NULL, status == LAC_OK);
    assert_int_equal(err.status, status);
    if (status != LAC_OK) {
        assert_true(strlen(err.text) > 10);
        return false;
    }
    assert_int_equal(lac_graph_check(graph, NULL), LAC_OK);
    if (lac_onnx_serialize(graph, arena, &bytes, &err) != LAC_OK) fail_msg("%s", err.text);
    if (lac_onnx_parse(bytes.data, bytes.n, arena, &again, &err) != LAC_OK) fail_msg("%s", err.text);
    return true;
}

static void twenty_thousand_mutants_give_a_status(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open(), *scratch = lac_arena_open();
    lac_rng rng = lac_rng_make(SEED, 0);
    lac_bytes good[2];
    for (int quantized = 0; quantized < 2; quantized++)
        assert_int_equal(lac_onnx_serialize(every_op_graph(arena, quantized), arena, &good[quantized], NULL),
                         LAC_OK);
    size_t capacity = good[1].n + 256;
    uint8_t *data = lac_arena_alloc(arena, capacity);
    int n_accepted = 0;
    for (int i = 0; i < MUTANTS; i++) {
        const lac_bytes *from = &good[i & 1];
        memcpy(data, from->data, from->n);
        size_t n = mutate(data, from->n, capacity, &rng);
        n_accepted += try_bytes(data, n, scratch);
        lac_arena_reset(scratch);
    }
    print_message("seed %d: %d of %d mutants are still models\n", SEED, n_accepted, MUTANTS);
    assert_true(n_accepted > 0 && n_accepted < MUTANTS);
    lac_arena_close(scratch);
    lac_arena_close(arena);
}

static void every_truncation_gives_a_status(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open(), *scratch = lac_arena_open();
    lac_bytes good;
    assert_int_equal(lac_onnx_serialize(every_op_graph(arena, true), arena, &good, NULL), LAC_OK);
    for (size_t n = 0; n < good.n; n++) {
        try_bytes(good.data, n, scratch);
        lac_arena_reset(scratch);
    }
    lac_arena_close(scratch);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_thousand_mutants_give_a_status),
        cmocka_unit_test(every_truncation_gives_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
