#ifndef LAC_FLOAT_FIXTURE_H
#define LAC_FLOAT_FIXTURE_H

#include "graph.h"
#include "rng.h"

/// Small graphs and numbers for the tests of the float rooms.

static inline void fill_uniform(float *x, int64_t n, float lo, float hi, lac_rng *rng) {
    for (int64_t i = 0; i < n; i++) x[i] = lo + (hi - lo) * lac_rng_uniform(rng);
}

/// Numbers at least `gap` apart from each other and from zero, in random order: no kink of a ReLU or a max
/// pool lies within reach of a finite difference.
static inline void fill_apart(float *x, int64_t n, float gap, lac_rng *rng) {
    for (int64_t i = 0; i < n; i++) x[i] = gap * ((float)i - (float)(n / 2) + 0.5f);
    for (int64_t i = n; i > 1; i--) {
        int64_t j = lac_rng_below(rng, (uint32_t)i);
        float swap = x[i - 1];
        x[i - 1] = x[j];
        x[j] = swap;
    }
}

static inline int add_uniform(lac_graph *graph, const char *name, lac_shape shape, float lo, float hi,
                              bool trainable, lac_rng *rng) {
    int v = lac_graph_add_constant(graph, name, shape, NULL, trainable);
    fill_uniform(graph->values[v].data, lac_shape_count(shape), lo, hi, rng);
    return v;
}

static inline lac_graph *start_graph(lac_arena *arena, lac_shape input) {
    lac_graph *graph = lac_graph_new(arena, "test");
    graph->input = lac_graph_add_value(graph, "x", input);
    return graph;
}

static inline lac_window square_window(int kernel, int stride, int pad) {
    return (lac_window){.kernel = {kernel, kernel},
                        .stride = {stride, stride},
                        .pad = {pad, pad, pad, pad},
                        .dilation = {1, 1},
                        .groups = 1};
}

#endif
