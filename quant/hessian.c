#include "float_plan.h"
#include "loss.h"
#include "mixed.h"
#include "op.h"
#include "prepare.h"
#include "rng.h"

#include <math.h>
#include <string.h>

enum { BATCH = 64 };

/// A graph whose weights are moved by +-e v and put back.
typedef struct probing {
    lac_graph *graph;
    lac_plan *plan;
    const lac_dataset *data;
    float **saved; // per node
    int8_t **sign;
} probing;

static lac_value *weights_of(const probing *p, int node) {
    const lac_node *n = &p->graph->nodes[node];
    return lac_has_weights(n) ? &p->graph->values[n->in[1]] : NULL;
}

// The step is a share of the layer's own weights, so that differences of float gradients keep some digits.
static double step_of(const lac_value *w) {
    double sum = 0;
    int64_t n = lac_shape_count(w->shape);
    for (int64_t i = 0; i < n; i++) sum += (double)w->data[i] * (double)w->data[i];
    return 1e-2 * sqrt(sum / (double)n) + 1e-8;
}

static void move(const probing *p, const double *step, double direction) {
    for (int n = 0; n < p->graph->n_nodes; n++) {
        lac_value *w = weights_of(p, n);
        int64_t count = w ? lac_shape_count(w->shape) : 0;
        for (int64_t i = 0; i < count; i++)
            w->data[i] = p->saved[n][i] + (float)(direction * step[n] * p->sign[n][i]);
    }
}

// Adds sign * v . gradient of each layer, the mean loss over a batch being differentiated.
static lac_status add_slopes(const probing *p, uint32_t first, double sign, double *sum, lac_error *err) {
    const lac_dataset *d = p->data;
    size_t pixels = (size_t)d->c * (size_t)d->h * (size_t)d->w;
    lac_normalize(d, d->train.pixels + first * pixels, BATCH, lac_plan_input(p->plan));
    LAC_TRY(lac_plan_forward(p->plan, err));
    (void)lac_softmax_cross_entropy(lac_plan_output(p->plan), d->train.labels + first, BATCH, d->n_classes, 0,
                                    lac_plan_output_gradient(p->plan));
    LAC_TRY(lac_plan_backward(p->plan, err));
    for (int n = 0; n < p->graph->n_nodes; n++) {
        const lac_value *w = weights_of(p, n);
        const float *g = w ? lac_plan_gradient(p->plan, p->graph->nodes[n].in[1]) : NULL;
        for (int64_t i = 0; g && i < lac_shape_count(w->shape); i++)
            sum[n] += sign * (double)g[i] * p->sign[n][i];
    }
    return LAC_OK;
}

static lac_status probe(const probing *p, uint32_t images, lac_rng *rng, const double *step, double *sum,
                        lac_error *err) {
    for (int n = 0; n < p->graph->n_nodes; n++) {
        const lac_value *w = weights_of(p, n);
        for (int64_t i = 0; w && i < lac_shape_count(w->shape); i++)
            p->sign[n][i] = lac_rng_below(rng, 2) ? 1 : -1;
    }
    for (int side = -1; side <= 1; side += 2) {
        move(p, step, side);
        for (uint32_t first = 0; first + BATCH <= images; first += BATCH)
            LAC_TRY(add_slopes(p, first, side, sum, err));
    }
    move(p, step, 0);
    return LAC_OK;
}

static lac_status traces(probing *p, uint32_t images, int n_probes, uint64_t seed, double *trace,
                         lac_arena *arena, lac_error *err) {
    int n_nodes = p->graph->n_nodes;
    double *step = LAC_NEW_ARRAY(arena, double, n_nodes), *sum = LAC_NEW_ARRAY(arena, double, n_nodes);
    p->saved = LAC_NEW_ARRAY(arena, float *, n_nodes);
    p->sign = LAC_NEW_ARRAY(arena, int8_t *, n_nodes);
    for (int n = 0; n < n_nodes; n++) {
        const lac_value *w = weights_of(p, n);
        if (!w) continue;
        size_t count = (size_t)lac_shape_count(w->shape);
        p->saved[n] = lac_arena_copy(arena, w->data, count * sizeof(float));
        p->sign[n] = LAC_NEW_ARRAY(arena, int8_t, count);
        step[n] = step_of(w);
    }
    lac_rng rng = lac_rng_make(seed, 0x7ACE);
    for (int i = 0; i < n_probes; i++) LAC_TRY(probe(p, images, &rng, step, sum, err));
    uint32_t n_batches = images / BATCH;
    for (int n = 0; n < n_nodes; n++)
        trace[n] = step[n] > 0 ? sum[n] / (2 * step[n] * n_probes * n_batches) : 0;
    return LAC_OK;
}

lac_status lac_hessian_traces(const lac_graph *graph, const lac_dataset *data, uint32_t images, int n_probes,
                              uint64_t seed, double *trace, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to probe graph '%s'", graph->name);
    if (images > data->train.n) images = data->train.n;
    probing p = {.graph = lac_graph_copy(graph, arena), .data = data};
    lac_status status = LAC_OK;
    if (images < BATCH) {
        lac_fail(err, LAC_E_RANGE, "traces need %d images, there are %u", BATCH, images);
        status = LAC_E_RANGE;
    }
    if (status == LAC_OK) status = lac_graph_infer(p.graph, err);
    const lac_plan_config config = {.batch = BATCH, .train = true, .freeze_batch_norm = true};
    if (status == LAC_OK) status = lac_plan_open(p.graph, &config, &p.plan, err);
    if (status == LAC_OK) status = traces(&p, images, n_probes, seed, trace, arena, err);
    lac_plan_close(p.plan);
    lac_arena_close(arena);
    return status;
}
