#ifndef LAC_ARENA_FIXTURE_H
#define LAC_ARENA_FIXTURE_H

#include "arena.h"

/// An arena for each test: cmocka_unit_test_setup_teardown(test, open_arena, close_arena).

static lac_arena *arena;

static inline int open_arena(void **state) {
    (void)state;
    arena = lac_arena_open();
    return arena ? 0 : -1;
}

static inline int close_arena(void **state) {
    (void)state;
    lac_arena_close(arena);
    return 0;
}

#endif
