#ifndef LAC_PRUNE_KIT_H
#define LAC_PRUNE_KIT_H

#include "gate_cost.h"
#include "gates.h"
#include "net.h"
#include "op.h"
#include "train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/// What the tests of the pruners share.

#define ASSERT_FINE(call)                                                                                    \
    do {                                                                                                     \
        lac_error kit_err = {0}, *err = &kit_err;                                                            \
        if ((call) != LAC_OK) fail_msg("%s", kit_err.text);                                                  \
    } while (0)

static inline const lac_net_desc *kit_net(const char *name) {
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, name) == 0) return lac_net_row(i);
    fail_msg("no network '%s'", name);
    return NULL;
}

static inline lac_graph *kit_build(lac_arena *arena, const char *name, int c, int size, int n_classes) {
    lac_graph *graph = kit_net(name)->build(arena, c, size, size, n_classes, 1);
    if (!graph) fail_msg("%s is not built", name);
    ASSERT_FINE(lac_graph_infer(graph, err));
    return graph;
}

/// Batch norms as after a training, so that removed channels would matter, and biases.
static inline void kit_season(lac_graph *graph, uint64_t seed) {
    lac_rng rng = lac_rng_make(seed, 3);
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        bool biased = (node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR) && node->n_in > 2;
        for (int64_t i = 0; biased && i < graph->values[node->in[2]].shape.dim[0]; i++)
            graph->values[node->in[2]].data[i] = 0.3f * lac_rng_uniform(&rng);
        if (node->op != LAC_OP_BATCH_NORM) continue;
        for (int64_t i = 0; i < graph->values[node->in[1]].shape.dim[0]; i++) {
            graph->values[node->in[1]].data[i] = 0.7f + 0.6f * lac_rng_uniform(&rng);
            graph->values[node->in[2]].data[i] = 0.5f * lac_rng_normal(&rng);
            graph->values[node->in[3]].data[i] = 0.2f * lac_rng_normal(&rng);
            graph->values[node->in[4]].data[i] = 0.5f + lac_rng_uniform(&rng);
        }
    }
}

static inline float *kit_logits(lac_arena *arena, const lac_graph *graph, uint32_t n_images, int64_t *n) {
    lac_rng rng = lac_rng_make(5, 5);
    size_t n_x = n_images * (size_t)lac_shape_count(graph->values[graph->input].shape);
    *n = n_images * lac_shape_count(graph->values[graph->output].shape);
    float *x = LAC_NEW_ARRAY(arena, float, n_x), *out = LAC_NEW_ARRAY(arena, float, *n);
    for (size_t i = 0; i < n_x; i++) x[i] = lac_rng_normal(&rng);
    ASSERT_FINE(lac_infer(graph, x, n_images, out, err));
    return out;
}

/// Largest difference of logits, relative to the largest logit.
static inline double kit_distance(lac_arena *arena, const lac_graph *a, const lac_graph *b,
                                  uint32_t n_images) {
    int64_t n, n_b;
    const float *x = kit_logits(arena, a, n_images, &n), *y = kit_logits(arena, b, n_images, &n_b);
    assert_int_equal(n, n_b);
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) {
        assert_true(isfinite(x[i]) && isfinite(y[i])); // fmax passes over what is no number
        worst = fmax(worst, fabs((double)x[i] - (double)y[i]));
        largest = fmax(largest, fabs((double)x[i]));
    }
    return worst / largest;
}

#endif
