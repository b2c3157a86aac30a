#ifndef LAC_TRAIN_FIXTURE_H
#define LAC_TRAIN_FIXTURE_H

#include "dataset.h"
#include "float_fixture.h"
#include "net.h"
#include "train.h"

/// A data set that a small network learns in seconds: class k is a bright square in quadrant k, under noise.
enum { SYN_SIZE = 8, SYN_CLASSES = 4, SYN_TRAIN = 330, SYN_VALIDATION = 77, SYN_TEST = 50 };

static inline lac_split synthetic_split(lac_arena *arena, uint32_t n, uint64_t seed) {
    lac_rng rng = lac_rng_make(seed, 0);
    uint8_t *pixels = lac_arena_alloc(arena, (size_t)n * SYN_SIZE * SYN_SIZE),
            *labels = lac_arena_alloc(arena, n);
    for (uint32_t i = 0; i < n; i++) {
        labels[i] = (uint8_t)lac_rng_below(&rng, SYN_CLASSES);
        for (int y = 0; y < SYN_SIZE; y++)
            for (int x = 0; x < SYN_SIZE; x++) {
                int quadrant = y / (SYN_SIZE / 2) * 2 + x / (SYN_SIZE / 2);
                uint32_t noise = lac_rng_below(&rng, 120);
                pixels[(i * SYN_SIZE + (uint32_t)y) * SYN_SIZE + (uint32_t)x] =
                    (uint8_t)(noise + (quadrant == labels[i] ? 100 : 0));
            }
    }
    return (lac_split){pixels, labels, n};
}

static inline lac_dataset synthetic_dataset(lac_arena *arena) {
    lac_dataset data = {.name = "synthetic",
                        .c = 1,
                        .h = SYN_SIZE,
                        .w = SYN_SIZE,
                        .n_classes = SYN_CLASSES,
                        .mean = {85},
                        .std = {55}};
    data.train = synthetic_split(arena, SYN_TRAIN, 1);
    data.validation = synthetic_split(arena, SYN_VALIDATION, 2);
    data.test = synthetic_split(arena, SYN_TEST, 3);
    data.data_crc = 0x5EED;
    return data;
}

/// conv-bn-relu, pool, conv-bn-relu, flatten, linear: every kind of parameter.
static inline lac_graph *synthetic_net(lac_arena *arena) {
    lac_net net = lac_net_start(arena, "small", 1, SYN_SIZE, SYN_SIZE, 11);
    int x = lac_net_conv_bn_relu(&net, "conv1", net.graph->input, 8, 3, 1);
    x = lac_net_max_pool(&net, "pool1", x, 2, 2);
    x = lac_net_conv_bn_relu(&net, "conv2", x, 16, 3, 1);
    return lac_net_done(&net, lac_net_linear(&net, "fc", lac_net_flatten(&net, "flatten", x), SYN_CLASSES));
}

static inline int value_named(const lac_graph *graph, const char *name) {
    for (int v = 0; v < graph->n_values; v++)
        if (strcmp(graph->values[v].name, name) == 0) return v;
    return LAC_NO_VALUE;
}

/// True when all constants of two graphs are equal bit for bit.
static inline bool same_constants(const lac_graph *a, const lac_graph *b) {
    for (int v = 0; v < a->n_values; v++) {
        size_t n = (size_t)lac_shape_count(a->values[v].shape) * sizeof(float);
        if (a->values[v].data && memcmp(a->values[v].data, b->values[v].data, n) != 0) return false;
    }
    return true;
}

#endif
