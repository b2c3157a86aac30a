#include "pool.h"

#include <string.h>

// The 2x2 pool with stride 2 is what most networks use, and oneDNN walks it at a third of memory speed: here
// are loops of our own for layouts with channels in blocks. Everything else goes to oneDNN.
typedef struct pool2 {
    const float *x, *dy;
    float *y, *dx;
    int n_planes, h, w, block; // a plane is h x w pixels of `block` channels
} pool2;

// Four pixels of one window, each `block` floats, and where they start in a plane.
static inline size_t corner(const pool2 *p, int yo, int xo, size_t block) {
    return ((size_t)(2 * yo) * (size_t)p->w + (size_t)(2 * xo)) * block;
}

// The channels of one window. Parameters, not locals, so that `restrict` counts and the loop becomes vectors.
static inline void window_forward(const float *restrict v, float *restrict y, size_t row, size_t block) {
    LAC_VECTOR
    for (size_t c = 0; c < block; c++) {
        float top = v[c] >= v[block + c] ? v[c] : v[block + c];
        float bottom = v[row + c] >= v[row + block + c] ? v[row + c] : v[row + block + c];
        y[c] = top >= bottom ? top : bottom;
    }
}

// The first of equal maxima takes the gradient.
static inline void window_backward(const float *restrict v, const float *restrict y, const float *restrict dy,
                                   float *restrict d, size_t row, size_t block) {
    LAC_VECTOR
    for (size_t c = 0; c < block; c++) {
        float m = y[c], g = dy[c];
        float first = v[c] == m ? g : 0.0f;
        float rest = v[c] == m ? 0.0f : g;
        float second = v[block + c] == m ? rest : 0.0f;
        rest = v[block + c] == m ? 0.0f : rest;
        float third = v[row + c] == m ? rest : 0.0f;
        d[c] = first;
        d[block + c] = second;
        d[row + c] = third;
        d[row + block + c] = v[row + c] == m ? 0.0f : rest;
    }
}

static inline void plane_forward(const pool2 *p, int plane, const size_t block) {
    const size_t row = (size_t)p->w * block;
    const float *x = p->x + (size_t)plane * (size_t)p->h * row;
    float *y = p->y + (size_t)plane * (size_t)(p->h / 2) * (size_t)(p->w / 2) * block;
    for (int yo = 0; yo < p->h / 2; yo++)
        for (int xo = 0; xo < p->w / 2; xo++, y += block)
            window_forward(x + corner(p, yo, xo, block), y, row, block);
}

static inline void plane_backward(const pool2 *p, int plane, const size_t block) {
    const size_t row = (size_t)p->w * block, out = (size_t)(p->h / 2) * (size_t)(p->w / 2) * block;
    const float *x = p->x + (size_t)plane * (size_t)p->h * row;
    const float *y = p->y + (size_t)plane * out, *dy = p->dy + (size_t)plane * out;
    float *dx = p->dx + (size_t)plane * (size_t)p->h * row;
    if (p->h % 2 || p->w % 2) memset(dx, 0, (size_t)p->h * row * sizeof *dx); // the rim no window reaches
    for (int yo = 0; yo < p->h / 2; yo++)
        for (int xo = 0; xo < p->w / 2; xo++, y += block, dy += block) {
            size_t at = corner(p, yo, xo, block);
            window_backward(x + at, y, dy, dx + at, row, block);
        }
}

static void run(void *ctx) {
    const pool2 *p = ctx;
    LAC_PARALLEL
    for (int plane = 0; plane < p->n_planes; plane++)
        if (p->block == 16) // a constant, so that the compiler makes one vector of it
            plane_forward(p, plane, 16);
        else
            plane_forward(p, plane, (size_t)p->block);
}

static void run_back(void *ctx) {
    const pool2 *p = ctx;
    LAC_PARALLEL
    for (int plane = 0; plane < p->n_planes; plane++)
        if (p->block == 16)
            plane_backward(p, plane, 16);
        else
            plane_backward(p, plane, (size_t)p->block);
}

// Channels per block of N x C/block x H x W x block without gaps; 0 for any other layout.
static int channel_block(const dnnl_memory_desc_t *layout) {
    const dnnl_blocking_desc_t *b = &layout->format_desc.blocking;
    dnnl_memory_desc_t same;
    if (layout->ndims != 4 || b->inner_nblks != 1 || b->inner_idxs[0] != 1) return 0;
    dnnl_format_tag_t tag = b->inner_blks[0] == 16 ? dnnl_aBcd16b : dnnl_aBcd8b;
    if (dnnl_memory_desc_init_by_tag(&same, 4, layout->dims, dnnl_f32, tag) != dnnl_success) return 0;
    return dnnl_memory_desc_equal(&same, layout) ? (int)b->inner_blks[0] : 0;
}

static bool is_2x2(const lac_window *w) {
    for (int a = 0; a < 2; a++)
        if (w->kernel[a] != 2 || w->stride[a] != 2 || w->dilation[a] != 1 || w->pad[a] || w->pad[2 + a])
            return false;
    return true;
}

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    int block = is_2x2(&node->attr.window) ? channel_block(&x->layout) : 0;
    if (block == 0) return lac_pool_forward(plan, node, dnnl_pooling_max, &node->attr.window, state, err);
    dnnl_memory_desc_t layout;
    dnnl_dims_t dims;
    for (int d = 0; d < 4; d++) dims[d] = y->shape.dim[d];
    LAC_DNNL(
        plan,
        dnnl_memory_desc_init_by_tag(&layout, 4, dims, dnnl_f32, block == 16 ? dnnl_aBcd16b : dnnl_aBcd8b),
        err);
    LAC_TRY(lac_plan_set_out(plan, y, &layout, err));
    pool2 *p = *state = LAC_NEW(plan->arena, pool2);
    *p = (pool2){.x = lac_memory_data(x->data),
                 .y = lac_memory_data(y->data),
                 .n_planes = (int)(x->layout.padded_dims[0] * x->layout.padded_dims[1]) / block,
                 .h = (int)x->shape.dim[2],
                 .w = (int)x->shape.dim[3],
                 .block = block};
    lac_plan_run(plan, &plan->forward, run, p);
    return LAC_OK;
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_tensor *x = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    bool ours = is_2x2(&node->attr.window) && channel_block(&x->layout) > 0;
    if (!ours) return lac_pool_backward(plan, node, dnnl_pooling_max, &node->attr.window, state, err);
    dnnl_memory_t dx = NULL;
    pool2 *p = state;
    LAC_TRY(lac_plan_grad(plan, x, NULL, &dx, err));
    p->dy = lac_memory_data(y->grad);
    p->dx = lac_memory_data(dx);
    lac_plan_run(plan, &plan->backward, run_back, p);
    return lac_plan_grad_done(plan, x, dx, err);
}

const lac_op_desc lac_op_max_pool = {
    .op = LAC_OP_MAX_POOL,
    .law = "y[p] = max over k of x[p * stride + k * dilation - pad]; padding never wins",
    .infer = lac_pool_infer,
    .any_type = true,
    .plan_forward = forward,
    .plan_backward = backward,
};
