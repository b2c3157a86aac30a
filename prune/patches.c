#include "patches.h"

#include "channels.h"
#include "rng.h"

#include <string.h>

enum { IMAGES = 128, SAMPLES = 2048, BLOCK = 512 };

typedef struct collector {
    lac_patches *m;
    int n;
    lac_rng rng;
    const lac_graph *graph;
} collector;

static double *block_of(const lac_patches *m, int group, int b) {
    return m->sum + ((size_t)group * (size_t)m->n_blocks + (size_t)b) * (size_t)m->block * (size_t)m->block;
}

// The inputs of one output pixel in one group, row-major as the weights are.
static void read_patch(const lac_patches *m, const float *x, lac_shape shape, int group, int y, int at) {
    const lac_window *w = &m->node->attr.window;
    if (m->node->op == LAC_OP_LINEAR) {
        memcpy(m->patch, x, (size_t)m->n_in * sizeof *x);
        return;
    }
    int area = w->kernel[0] * w->kernel[1], channels = m->n_in / area, height = (int)shape.dim[2],
        width = (int)shape.dim[3];
    for (int i = 0; i < m->n_in; i++) {
        int c = group * channels + i / area, ky = i % area / w->kernel[1], kx = i % w->kernel[1];
        int row = y * w->stride[0] + ky * w->dilation[0] - w->pad[0];
        int column = at * w->stride[1] + kx * w->dilation[1] - w->pad[1];
        bool inside = row >= 0 && row < height && column >= 0 && column < width;
        m->patch[i] = inside ? x[(c * height + row) * width + column] : 0.0f;
    }
}

static void add_patch(lac_patches *m, int group) {
    for (int b = 0; b < m->n_blocks; b++) {
        double *sum = block_of(m, group, b);
        const float *p = m->patch + b * m->block;
        int n = m->n_in - b * m->block < m->block ? m->n_in - b * m->block : m->block;
        for (int i = 0; i < n; i++)
            for (int j = 0; p[i] != 0 && j <= i; j++) sum[i * m->block + j] += (double)p[i] * (double)p[j];
    }
}

static void sample(collector *c, lac_patches *m, const float *data, lac_shape shape) {
    lac_shape out = c->graph->values[m->node->out].shape;
    int64_t size = lac_shape_count(shape) / shape.dim[0];
    uint32_t height = out.n_dims == 4 ? (uint32_t)out.dim[2] : 1,
             width = out.n_dims == 4 ? (uint32_t)out.dim[3] : 1;
    int64_t each = SAMPLES / IMAGES;
    for (int64_t n = 0; n < shape.dim[0]; n++)
        for (int64_t k = 0; k < each; k++) {
            int y = (int)lac_rng_below(&c->rng, height), x = (int)lac_rng_below(&c->rng, width);
            for (int g = 0; g < m->groups; g++) {
                read_patch(m, data + n * size, shape, g, y, x);
                add_patch(m, g);
            }
            m->n_samples++;
        }
}

static void look(void *ctx, int value, const float *data, lac_shape shape) {
    collector *c = ctx;
    for (int i = 0; i < c->n; i++)
        if (c->m[i].node->in[0] == value) sample(c, &c->m[i], data, shape);
}

lac_patches lac_patches_of(const lac_graph *graph, const lac_node *node, lac_arena *arena) {
    lac_shape w = graph->values[lac_constant_of(graph, node, 1)].shape;
    lac_patches m = {.node = node, .groups = node->op == LAC_OP_CONV2D ? node->attr.window.groups : 1};
    m.n_in = (int)(lac_shape_count(w) / w.dim[0]);
    m.block = m.n_in < BLOCK ? m.n_in : BLOCK;
    m.n_blocks = (m.n_in + m.block - 1) / m.block;
    m.sum =
        LAC_NEW_ARRAY(arena, double, (size_t)m.groups *(size_t)m.n_blocks *(size_t)m.block *(size_t)m.block);
    m.patch = LAC_NEW_ARRAY(arena, float, m.n_in);
    return m;
}

lac_status lac_patches_collect(const lac_graph *graph, const lac_dataset *data, uint64_t seed,
                               lac_patches *patches, int n, lac_arena *arena, lac_error *err) {
    uint32_t n_images = data->train.n < IMAGES ? data->train.n : IMAGES;
    float *x = LAC_NEW_ARRAY(arena, float, (size_t)n_images *(size_t)(data->c * data->h * data->w));
    collector c = {.graph = graph, .m = patches, .n = n, .rng = lac_rng_make(seed, 0x0B5)};
    lac_normalize(data, data->train.pixels, n_images, x);
    return lac_infer_visit(graph, x, n_images, look, &c, err);
}

void lac_patches_hessian(const lac_patches *m, int group, int b, double *out) {
    int n = m->block, used = m->n_in - b * n < n ? m->n_in - b * n : n;
    const double *sum = block_of(m, group, b);
    double trace = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            out[i * n + j] = out[j * n + i] = 2 * sum[i * n + j] / (double)m->n_samples;
    for (int i = 0; i < used; i++) trace += out[i * n + i];
    for (int i = 0; i < n; i++) out[i * n + i] += i < used ? 1e-2 * trace / used + 1e-9 : 1;
}
