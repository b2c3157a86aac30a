#include "moments.h"
#include "dense.h"
#include "prepare.h"
#include "rng.h"

#include <string.h>

enum { CHUNK = 64, PATCHES = 8192 };

/// One value of a graph for a chunk of images.
typedef struct kept {
    int value;
    float *data;
    lac_shape shape;
} kept;

static void keep(void *ctx, int value, const float *data, lac_shape shape) {
    kept *k = ctx;
    if (value != k->value) return;
    memcpy(k->data, data, (size_t)lac_shape_count(shape) * sizeof *data);
    k->shape = shape;
}

// The part of a graph that leads to a value, so that nothing behind it is computed.
static lac_status prefix(const lac_graph *graph, int value, lac_arena *scratch, lac_graph **out, kept *k,
                         lac_error *err) {
    lac_graph *cut = lac_graph_copy(graph, scratch);
    cut->output = value;
    LAC_TRY(lac_graph_tidy(cut, err));
    *k = (kept){.value = cut->output};
    k->data = LAC_NEW_ARRAY(scratch, float, CHUNK *lac_shape_count(graph->values[value].shape));
    *out = cut;
    return LAC_OK;
}

typedef struct measuring {
    lac_moments *m;
    lac_window window;
    const float *bias; // of the float layer, or NULL
    float *patch;
    lac_rng rng;
} measuring;

// Inputs of one output element; padding is zero.
static void gather(const measuring *x, const kept *in, int64_t image, int group, int oy, int ox) {
    const lac_window *w = &x->window;
    int64_t c = in->shape.dim[1], h = in->shape.n_dims > 2 ? in->shape.dim[2] : 1,
            wide = in->shape.n_dims > 2 ? in->shape.dim[3] : 1, per_group = c / x->m->n_groups;
    const float *base = in->data + (image * c + group * per_group) * h * wide;
    float *to = x->patch;
    for (int64_t i = 0; i < per_group; i++)
        for (int ky = 0; ky < w->kernel[0]; ky++)
            for (int kx = 0; kx < w->kernel[1]; kx++) {
                int64_t y = (int64_t)oy * w->stride[0] - w->pad[0] + ky * w->dilation[0];
                int64_t at = (int64_t)ox * w->stride[1] - w->pad[1] + kx * w->dilation[1];
                bool inside = y >= 0 && y < h && at >= 0 && at < wide;
                *to++ = inside ? base[(i * h + y) * wide + at] : 0;
            }
}

// The upper triangle only; the lower is copied at the end.
static void add_patch(const measuring *x, int group) {
    int n = x->m->n;
    double *h = x->m->h + (size_t)group * (size_t)n * (size_t)n;
    for (int i = 0; i < n; i++) {
        double v = (double)x->patch[i];
        if (v == 0) continue;
        double *row = h + (size_t)i * (size_t)n;
        for (int j = i; j < n; j++) row[j] += v * (double)x->patch[j];
    }
}

static void add_wanted(const measuring *x, const kept *out, int64_t image, int group, int64_t place) {
    lac_moments *m = x->m;
    int64_t c = out->shape.dim[1], area = lac_shape_count(out->shape) / (out->shape.dim[0] * c);
    for (int r = 0; r < m->rows; r++) {
        int o = group * m->rows + r;
        double y = (double)out->data[(image * c + o) * area + place];
        if (x->bias) y -= (double)x->bias[o];
        double *to = m->c + (size_t)o * (size_t)m->n;
        for (int i = 0; i < m->n; i++) to[i] += y * (double)x->patch[i];
        m->yy[o] += y * y;
    }
}

static void add_image(measuring *x, const kept *in, const kept *out, int64_t image, int n_places) {
    int h = out->shape.n_dims > 2 ? (int)out->shape.dim[2] : 1,
        w = out->shape.n_dims > 2 ? (int)out->shape.dim[3] : 1;
    bool all = h * w <= n_places;
    for (int p = 0; p < (all ? h * w : n_places); p++) {
        int place = all ? p : (int)lac_rng_below(&x->rng, (uint32_t)(h * w));
        for (int g = 0; g < x->m->n_groups; g++) {
            gather(x, in, image, g, place / w, place % w);
            add_patch(x, g);
            add_wanted(x, out, image, g, place);
        }
    }
}

static void mirror(lac_moments *m) {
    for (int g = 0; g < m->n_groups; g++)
        for (int i = 0; i < m->n; i++)
            for (int j = 0; j < i; j++) {
                double *h = m->h + (size_t)g * (size_t)m->n * (size_t)m->n;
                h[(size_t)i * (size_t)m->n + (size_t)j] = h[(size_t)j * (size_t)m->n + (size_t)i];
            }
}

static lac_status measure_chunks(measuring *x, const lac_graph *from, kept *in, const lac_graph *wanted,
                                 kept *out, const lac_dataset *data, uint32_t images, lac_arena *scratch,
                                 lac_error *err) {
    size_t pixels = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    float *image = LAC_NEW_ARRAY(scratch, float, CHUNK *pixels);
    int n_places = (int)(PATCHES / images) > 0 ? (int)(PATCHES / images) : 1;
    for (uint32_t first = 0; first < images; first += CHUNK) {
        uint32_t n = images - first < CHUNK ? images - first : CHUNK;
        lac_normalize(data, data->train.pixels + first * pixels, n, image);
        LAC_TRY(lac_infer_visit(from, image, n, keep, in, err));
        LAC_TRY(lac_infer_visit(wanted, image, n, keep, out, err));
        for (uint32_t i = 0; i < n; i++) add_image(x, in, out, i, n_places);
    }
    return LAC_OK;
}

lac_status lac_moments_measure(const lac_graph *float_graph, const lac_graph *quantized, int node,
                               const lac_dataset *data, uint32_t images, uint64_t seed, lac_arena *arena,
                               lac_arena *scratch, lac_moments *out, lac_error *err) {
    const lac_node *layer = &quantized->nodes[node];
    const lac_node *model = &float_graph->nodes[lac_node_named(float_graph, layer->name)];
    lac_shape w = quantized->values[layer->in[1]].shape;
    lac_moments m = {.n_groups = layer->op == LAC_OP_CONV2D ? layer->attr.window.groups : 1};
    m.rows = (int)w.dim[0] / m.n_groups;
    m.n = (int)(lac_shape_count(w) / w.dim[0]);
    m.h = LAC_NEW_ARRAY(arena, double, m.n_groups *m.n *m.n);
    m.c = LAC_NEW_ARRAY(arena, double, w.dim[0] * m.n);
    m.yy = LAC_NEW_ARRAY(arena, double, w.dim[0]);
    measuring x = {.m = &m, .window = layer->attr.window, .rng = lac_rng_make(seed, (uint64_t)node)};
    if (layer->op == LAC_OP_LINEAR)
        x.window = (lac_window){.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    if (model->n_in > 2) x.bias = float_graph->values[model->in[2]].data;
    x.patch = LAC_NEW_ARRAY(scratch, float, m.n);
    lac_graph *from = NULL, *wanted = NULL;
    kept in = {0}, made = {0};
    LAC_TRY(prefix(quantized, layer->in[0], scratch, &from, &in, err));
    LAC_TRY(prefix(float_graph, model->out, scratch, &wanted, &made, err));
    if (images > data->train.n) images = data->train.n;
    LAC_TRY(measure_chunks(&x, from, &in, wanted, &made, data, images, scratch, err));
    mirror(&m);
    *out = m;
    return LAC_OK;
}

double lac_moments_error(const lac_moments *m, int channel, const double *w) {
    const double *h = m->h + (size_t)(channel / m->rows) * (size_t)m->n * (size_t)m->n;
    const double *c = m->c + (size_t)channel * (size_t)m->n;
    double sum = m->yy[channel];
    for (int i = 0; i < m->n; i++) {
        double row = lac_dot(h + (size_t)i * (size_t)m->n, w, (size_t)m->n);
        sum += w[i] * (row - 2 * c[i]);
    }
    return sum;
}
