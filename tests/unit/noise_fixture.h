#ifndef LAC_NOISE_FIXTURE_H
#define LAC_NOISE_FIXTURE_H

#include "random_nets.h"

/// A small network, and noise of three classes that it can learn.
typedef struct fixture {
    lac_arena *arena;
    lac_graph *g;
    lac_dataset data;
} fixture;

static inline int open_noise_fixture(void **state, uint32_t n_images) {
    fixture *f = calloc(1, sizeof *f);
    f->arena = lac_arena_open();
    f->data = make_noise_data(f->arena, 1, 8, 9, 3, n_images, 1);
    f->g = make_random_net(f->arena, 21, &f->data);
    *state = f;
    return 0;
}

static inline int close_fixture(void **state) {
    fixture *f = *state;
    lac_arena_close(f->arena);
    free(f);
    return 0;
}

#endif
