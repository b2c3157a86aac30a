#include "depthwise.h"

#include <string.h>

enum { BLOCK = 16, MAX_TAPS = 49 };

typedef struct depthwise {
    const float *x, *dy;
    float *dw; // [channels][kernel y][kernel x]
    lac_window window;
    int n_images, n_blocks, n_channels, h, w, out_h, out_w;
} depthwise;

static bool in_blocks(const dnnl_memory_desc_t *layout) {
    dnnl_memory_desc_t same;
    return layout->ndims == 4 &&
           dnnl_memory_desc_init_by_tag(&same, 4, layout->dims, layout->data_type, dnnl_aBcd16b) ==
               dnnl_success &&
           dnnl_memory_desc_equal(&same, layout);
}

bool lac_depthwise_fits(const lac_node *node, const dnnl_memory_desc_t *src, const dnnl_memory_desc_t *grad) {
    const lac_window *w = &node->attr.window;
    return w->groups > 1 && w->groups == src->dims[1] && src->dims[1] == grad->dims[1] &&
           w->kernel[0] * w->kernel[1] <= MAX_TAPS && in_blocks(src) && in_blocks(grad);
}

static inline void multiply_add(const float *restrict x, const float *restrict dy, float *restrict sum) {
    LAC_VECTOR
    for (int c = 0; c < BLOCK; c++) sum[c] += x[c] * dy[c];
}

// The outputs [*first, *last) whose tap k falls inside n inputs along an axis.
static void valid(const lac_window *win, int axis, int k, int n, int n_out, int *first, int *last) {
    int start = k * win->dilation[axis] - win->pad[axis], stride = win->stride[axis];
    *first = start < 0 ? (-start + stride - 1) / stride : 0;
    *last = n - 1 - start < 0 ? 0 : (n - 1 - start) / stride + 1;
    if (*last > n_out) *last = n_out;
}

// One tap over one plane of 16 channels.
static void tap_plane(const depthwise *d, const float *x, const float *dy, int ky, int kx, float *sum) {
    const lac_window *win = &d->window;
    int y0, y1, x0, x1;
    float local[BLOCK];
    valid(win, 0, ky, d->h, d->out_h, &y0, &y1);
    valid(win, 1, kx, d->w, d->out_w, &x0, &x1);
    memcpy(local, sum, sizeof local);
    for (int oy = y0; oy < y1; oy++) {
        int iy = oy * win->stride[0] + ky * win->dilation[0] - win->pad[0];
        for (int ox = x0; ox < x1; ox++) {
            int ix = ox * win->stride[1] + kx * win->dilation[1] - win->pad[1];
            multiply_add(x + (size_t)(iy * d->w + ix) * BLOCK, dy + (size_t)(oy * d->out_w + ox) * BLOCK,
                         local);
        }
    }
    memcpy(sum, local, sizeof local);
}

static void block_gradient(const depthwise *d, int block) {
    const int kh = d->window.kernel[0], kw = d->window.kernel[1];
    const size_t in = (size_t)(d->h * d->w) * BLOCK, out = (size_t)(d->out_h * d->out_w) * BLOCK;
    float sums[MAX_TAPS][BLOCK] = {{0}};
    for (int n = 0; n < d->n_images; n++) {
        size_t plane = (size_t)n * (size_t)d->n_blocks + (size_t)block;
        for (int k = 0; k < kh * kw; k++)
            tap_plane(d, d->x + plane * in, d->dy + plane * out, k / kw, k % kw, sums[k]);
    }
    for (int c = 0; c < BLOCK && block * BLOCK + c < d->n_channels; c++)
        for (int k = 0; k < kh * kw; k++) d->dw[(block * BLOCK + c) * kh * kw + k] = sums[k][c];
}

static void run(void *ctx) {
    const depthwise *d = ctx;
    LAC_PARALLEL
    for (int block = 0; block < d->n_blocks; block++) block_gradient(d, block);
}

lac_status lac_depthwise_backward_weights(lac_plan *plan, const lac_node *node, lac_tensor *w,
                                          dnnl_memory_t src, dnnl_memory_t grad, lac_error *err) {
    dnnl_memory_desc_t src_f32 = lac_layout_typed(lac_memory_layout(src), dnnl_f32);
    dnnl_memory_desc_t grad_f32 = lac_layout_typed(lac_memory_layout(grad), dnnl_f32);
    dnnl_memory_t part = NULL;
    LAC_TRY(lac_plan_as(plan, &plan->backward, src, &src_f32, &src, err));
    LAC_TRY(lac_plan_as(plan, &plan->backward, grad, &grad_f32, &grad, err));
    LAC_TRY(lac_plan_grad(plan, w, NULL, &part, err));
    depthwise *d = LAC_NEW(plan->arena, depthwise);
    *d = (depthwise){.x = lac_memory_data(src),
                     .dy = lac_memory_data(grad),
                     .dw = lac_memory_data(part),
                     .window = node->attr.window,
                     .n_images = (int)src_f32.dims[0],
                     .n_blocks = (int)src_f32.padded_dims[1] / BLOCK,
                     .n_channels = (int)src_f32.dims[1],
                     .h = (int)src_f32.dims[2],
                     .w = (int)src_f32.dims[3],
                     .out_h = (int)grad_f32.dims[2],
                     .out_w = (int)grad_f32.dims[3]};
    lac_plan_run(plan, &plan->backward, run, d);
    return lac_plan_grad_done(plan, w, part, err);
}
