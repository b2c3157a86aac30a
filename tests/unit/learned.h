#ifndef LAC_LEARNED_H
#define LAC_LEARNED_H

#include "prune_kit.h"
#include "train_fixture.h"

/// A network that has learned synthetic images, for tests of whole pruners; state of a group of tests.
typedef struct learned {
    lac_arena *arena;
    lac_dataset data;
    lac_graph *graph;
} learned;

static inline int learn_with(void **state, lac_graph *(*build)(lac_arena *arena), float epochs) {
    learned *l = calloc(1, sizeof *l);
    l->arena = lac_arena_open();
    l->data = synthetic_dataset(l->arena);
    l->graph = build(l->arena);
    ASSERT_FINE(lac_graph_infer(l->graph, err));
    lac_recipe recipe = {.epochs = epochs, .batch = 30, .lr = 0.05f, .seed = 1};
    ASSERT_FINE(lac_train(l->graph, &l->data, &recipe, NULL, NULL, NULL, err));
    *state = l;
    return 0;
}

static inline int learn(void **state) {
    return learn_with(state, synthetic_net, 8);
}

static inline int forget(void **state) {
    learned *l = *state;
    lac_arena_close(l->arena);
    free(l);
    return 0;
}

#endif
