#include "channel_reduce.h"

#include <string.h>

typedef struct reduce {
    const float *x, *dy;
    float *y, *dx;
    int n_images, n_channels;
    size_t n_pixels;
    int *from; // of each output the channel that won; NULL for a mean
} reduce;

static void mean_of(const reduce *r, const float *x, float *y) {
    memset(y, 0, r->n_pixels * sizeof *y);
    for (int c = 0; c < r->n_channels; c++, x += r->n_pixels)
        for (size_t p = 0; p < r->n_pixels; p++) y[p] += x[p];
    for (size_t p = 0; p < r->n_pixels; p++) y[p] /= (float)r->n_channels;
}

// The first of equal maxima wins, and takes the gradient.
static void max_of(const reduce *r, const float *x, float *y, int *from) {
    for (size_t p = 0; p < r->n_pixels; p++) {
        y[p] = x[p];
        from[p] = 0;
    }
    for (int c = 1; c < r->n_channels; c++) {
        x += r->n_pixels;
        for (size_t p = 0; p < r->n_pixels; p++)
            if (x[p] > y[p]) {
                y[p] = x[p];
                from[p] = c;
            }
    }
}

static void run(void *ctx) {
    const reduce *r = ctx;
    LAC_PARALLEL
    for (int i = 0; i < r->n_images; i++) {
        size_t at = (size_t)i * r->n_pixels;
        const float *x = r->x + at * (size_t)r->n_channels;
        if (r->from)
            max_of(r, x, r->y + at, r->from + at);
        else
            mean_of(r, x, r->y + at);
    }
}

static void run_back(void *ctx) {
    const reduce *r = ctx;
    LAC_PARALLEL
    for (int i = 0; i < r->n_images; i++) {
        size_t at = (size_t)i * r->n_pixels;
        const float *dy = r->dy + at;
        float *dx = r->dx + at * (size_t)r->n_channels;
        for (int c = 0; c < r->n_channels; c++, dx += r->n_pixels)
            for (size_t p = 0; p < r->n_pixels; p++)
                dx[p] = !r->from ? dy[p] / (float)r->n_channels : r->from[at + p] == c ? dy[p] : 0.0f;
    }
}

lac_status lac_channel_reduce_infer(const lac_graph *graph, const lac_node *node, lac_shape *out,
                                    lac_error *err) {
    LAC_TRY(lac_need_dims(graph, node, 4, err));
    *out = graph->values[node->in[0]].shape;
    out->dim[1] = 1;
    return LAC_OK;
}

lac_status lac_channel_reduce_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_memory_t from = NULL;
    LAC_TRY(lac_plan_plain_ends(plan, x, y, &from, err));
    reduce *r = *state = LAC_NEW(plan->arena, reduce);
    *r = (reduce){.x = lac_memory_data(from),
                  .y = lac_memory_data(y->data),
                  .n_images = (int)x->shape.dim[0],
                  .n_channels = (int)x->shape.dim[1],
                  .n_pixels = (size_t)(x->shape.dim[2] * x->shape.dim[3])};
    if (node->op == LAC_OP_CHANNEL_MAX)
        r->from = LAC_NEW_ARRAY(plan->arena, int, (size_t)r->n_images * r->n_pixels);
    lac_plan_run(plan, &plan->forward, run, r);
    return LAC_OK;
}

lac_status lac_channel_reduce_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t plain = lac_layout_plain(x->shape);
    dnnl_memory_t dx = NULL;
    reduce *r = state;
    LAC_TRY(lac_plan_grad(plan, x, &plain, &dx, err));
    r->dy = lac_memory_data(y->grad);
    r->dx = lac_memory_data(dx);
    lac_plan_run(plan, &plan->backward, run_back, r);
    return lac_plan_grad_done(plan, x, dx, err);
}
