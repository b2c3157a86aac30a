#include "gather.h"

#include <string.h>

typedef struct run_of {
    size_t to, from, n; // from SIZE_MAX: zeros
} run_of;

typedef struct gather {
    const float *x, *dy;
    float *y, *dx;
    int n_images;
    size_t n_x, n_y; // elements of an image
    run_of *runs;
    size_t n_runs;
} gather;

static void run(void *ctx) {
    const gather *g = ctx;
    LAC_PARALLEL
    for (int i = 0; i < g->n_images; i++) {
        const float *x = g->x + (size_t)i * g->n_x;
        float *y = g->y + (size_t)i * g->n_y;
        for (const run_of *r = g->runs; r < g->runs + g->n_runs; r++)
            if (r->from == SIZE_MAX)
                memset(y + r->to, 0, r->n * sizeof *y);
            else
                memcpy(y + r->to, x + r->from, r->n * sizeof *y);
    }
}

static inline void add_up(const float *restrict from, float *restrict to, size_t n) {
    for (size_t i = 0; i < n; i++) to[i] += from[i];
}

static void run_back(void *ctx) {
    const gather *g = ctx;
    LAC_PARALLEL
    for (int i = 0; i < g->n_images; i++) {
        const float *dy = g->dy + (size_t)i * g->n_y;
        float *dx = g->dx + (size_t)i * g->n_x;
        memset(dx, 0, g->n_x * sizeof *dx);
        for (const run_of *r = g->runs; r < g->runs + g->n_runs; r++)
            if (r->from != SIZE_MAX) add_up(dy + r->to, dx + r->from, r->n);
    }
}

// A map of N x C has one pixel.
static lac_shape as_map(lac_shape s) {
    return s.n_dims == 4 ? s : (lac_shape){4, {s.dim[0], s.dim[1], 1, 1}};
}

static size_t index_of(lac_shape x, lac_place p) {
    if (p.channel < 0) return SIZE_MAX;
    return ((size_t)p.channel * (size_t)x.dim[2] + (size_t)p.row) * (size_t)x.dim[3] + (size_t)p.column;
}

// Visits the output in order and joins what is in order in the input too; counts only when runs is NULL.
static size_t find_runs(const lac_node *node, lac_shape x, lac_shape y, run_of *runs) {
    size_t n_runs = 0, at = 0, next = SIZE_MAX - 1;
    for (int c = 0; c < y.dim[1]; c++)
        for (int row = 0; row < y.dim[2]; row++)
            for (int column = 0; column < y.dim[3]; column++, at++) {
                size_t from = index_of(x, lac_rearrange_source(node, x, (lac_place){c, row, column}));
                bool joins = from == next;
                next = from == SIZE_MAX ? SIZE_MAX : from + 1;
                if (!joins) n_runs++;
                if (!runs) continue;
                if (joins)
                    runs[n_runs - 1].n++;
                else
                    runs[n_runs - 1] = (run_of){at, from, 1};
            }
    return n_runs;
}

lac_status lac_gather_infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    return lac_rearrange_shape(node, graph->values[node->in[0]].shape, out, err);
}

lac_status lac_gather_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_memory_t from = NULL;
    LAC_TRY(lac_plan_plain_ends(plan, x, y, &from, err));
    gather *g = *state = LAC_NEW(plan->arena, gather);
    lac_shape x_map = as_map(x->shape), y_map = as_map(y->shape);
    *g = (gather){.x = lac_memory_data(from),
                  .y = lac_memory_data(y->data),
                  .n_images = (int)x->shape.dim[0],
                  .n_x = (size_t)(lac_shape_count(x_map) / x_map.dim[0]),
                  .n_y = (size_t)(lac_shape_count(y_map) / y_map.dim[0]),
                  .n_runs = find_runs(node, x_map, y_map, NULL)};
    g->runs = LAC_NEW_ARRAY(plan->arena, run_of, g->n_runs);
    (void)find_runs(node, x_map, y_map, g->runs);
    lac_plan_run(plan, &plan->forward, run, g);
    return LAC_OK;
}

lac_status lac_gather_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t plain = lac_layout_plain(x->shape);
    dnnl_memory_t dx = NULL;
    gather *g = state;
    LAC_TRY(lac_plan_grad(plan, x, &plain, &dx, err));
    g->dy = lac_memory_data(y->grad);
    g->dx = lac_memory_data(dx);
    lac_plan_run(plan, &plan->backward, run_back, g);
    return lac_plan_grad_done(plan, x, dx, err);
}
