#include "obs_row.h"
#include "sparse.h"

#include "channels.h"
#include "rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Optimal brain compression: in every layer rows are pruned one weight at a time with compensation, and rows
// compete by what each removal costs. Inputs are those of the dense network. Rows of more than BLOCK inputs
// are cut in blocks that do not know each other.
enum { IMAGES = 128, SAMPLES = 2048, BLOCK = 512 };

// ---- second moments of inputs ---------------------------------------------------------------------------

// What a layer sees: sums of products of its inputs, by group and block.
typedef struct moments {
    const lac_node *node;
    int layer, groups, n_in, n_blocks, block; // inputs a row, and their blocks of `block`
    double *sum;                              // [groups][n_blocks][block][block]
    uint64_t n_samples;
    float *patch; // [n_in]
} moments;

typedef struct collector {
    const lac_graph *graph;
    moments *m;
    int n;
    lac_rng rng;
} collector;

static double *block_of(const moments *m, int group, int b) {
    return m->sum + ((size_t)group * (size_t)m->n_blocks + (size_t)b) * (size_t)m->block * (size_t)m->block;
}

// The inputs of one output pixel in one group, row-major as the weights are.
static void read_patch(const moments *m, const float *x, lac_shape shape, int group, int y, int at) {
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

static void add_patch(moments *m, int group) {
    for (int b = 0; b < m->n_blocks; b++) {
        double *sum = block_of(m, group, b);
        const float *p = m->patch + b * m->block;
        int n = m->n_in - b * m->block < m->block ? m->n_in - b * m->block : m->block;
        for (int i = 0; i < n; i++)
            for (int j = 0; p[i] != 0 && j <= i; j++) sum[i * m->block + j] += (double)p[i] * (double)p[j];
    }
}

static void sample(collector *c, moments *m, const float *data, lac_shape shape) {
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

static moments moments_of(const lac_sparse *s, int layer, const lac_node *node, lac_arena *arena) {
    lac_shape w = lac_weights_value(&s->weights, layer)->shape;
    moments m = {
        .node = node, .layer = layer, .groups = node->op == LAC_OP_CONV2D ? node->attr.window.groups : 1};
    m.n_in = (int)(lac_shape_count(w) / w.dim[0]);
    m.block = m.n_in < BLOCK ? m.n_in : BLOCK;
    m.n_blocks = (m.n_in + m.block - 1) / m.block;
    m.sum =
        LAC_NEW_ARRAY(arena, double, (size_t)m.groups *(size_t)m.n_blocks *(size_t)m.block *(size_t)m.block);
    m.patch = LAC_NEW_ARRAY(arena, float, m.n_in);
    return m;
}

static lac_status collect(lac_sparse *s, collector *c, lac_arena *arena, lac_error *err) {
    const lac_dataset *d = s->data;
    uint32_t n = d->train.n < IMAGES ? d->train.n : IMAGES;
    float *x = LAC_NEW_ARRAY(arena, float, (size_t)n *(size_t)(d->c * d->h * d->w));
    *c = (collector){.graph = s->graph, .m = LAC_NEW_ARRAY(arena, moments, s->graph->n_nodes)};
    c->rng = lac_rng_make(s->config->recipe.seed, 0x0B5);
    for (int i = 0; i < s->graph->n_nodes; i++) {
        const lac_node *node = &s->graph->nodes[i];
        if (node->op != LAC_OP_CONV2D && node->op != LAC_OP_LINEAR) continue;
        for (int l = 0; l < s->weights.n_layers; l++)
            if (s->weights.value[l] == lac_constant_of(s->graph, node, 1))
                c->m[c->n++] = moments_of(s, l, node, arena);
    }
    lac_normalize(d, d->train.pixels, n, x);
    return lac_infer_visit(s->graph, x, n, look, c, err);
}

// H = 2 / n * sum + a little on the diagonal, inverted; blocks at the end are filled up with ones.
static bool invert(const moments *m, int group, int b, double *out) {
    int n = m->block, used = m->n_in - b * n < n ? m->n_in - b * n : n;
    const double *sum = block_of(m, group, b);
    double trace = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            out[i * n + j] = out[j * n + i] = 2 * sum[i * n + j] / (double)m->n_samples;
    for (int i = 0; i < used; i++) trace += out[i * n + i];
    for (int i = 0; i < n; i++) out[i * n + i] += i < used ? 1e-2 * trace / used + 1e-9 : 1;
    return lac_invert_symmetric(out, n);
}

// ---- rows -----------------------------------------------------------------------------------------------

// A row's block: a place where weights can be removed.
typedef struct stretch {
    int row, block, n, n_before; // weights in it, and how many of them are zero already
    int n_remove;
    double *cost; // of each removal, made to rise
} stretch;

typedef struct candidate {
    double cost;
    int stretch;
} candidate;

static int by_cost(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
    return x->stretch - y->stretch;
}

typedef struct surgeon {
    lac_sparse *s;
    const moments *m;
    float *w; // of the layer
    int rows;
    stretch *stretches;
    double *inverse, *row, *scratch; // of one block
    uint8_t *gone;
    lac_arena *arena;
} surgeon;

// Removes n of a stretch's weights: for good, or only to see what that costs.
static void operate(surgeon *g, const stretch *t, int n_remove, double *cost, bool for_good) {
    const moments *m = g->m;
    float *w = g->w + (size_t)t->row * (size_t)m->n_in + (size_t)(t->block * m->block);
    size_t size = (size_t)m->block * (size_t)m->block;
    memcpy(g->scratch, g->inverse, size * sizeof *g->scratch);
    for (int i = 0; i < m->block; i++) {
        g->row[i] = i < t->n ? (double)w[i] : 0;
        g->gone[i] = i >= t->n;
    }
    // What is zero goes first, at no cost: the inverse must know.
    lac_obs_row(g->row, g->scratch, m->block, t->n_before, g->gone, NULL);
    lac_obs_row(g->row, g->scratch, m->block, n_remove, g->gone, cost);
    for (int i = 0; for_good && i < t->n; i++) w[i] = g->gone[i] ? 0.0f : (float)g->row[i];
}

static int zeros_in(const float *w, int n) {
    int zeros = 0;
    for (int i = 0; i < n; i++) zeros += w[i] == 0;
    return zeros;
}

static void measure_stretch(surgeon *g, stretch *t) {
    int most = t->n - t->n_before;
    operate(g, t, most, t->cost, false);
    for (int i = 1; i < most; i++) t->cost[i] = fmax(t->cost[i], t->cost[i - 1]);
}

// Shares out a number of removals among the stretches, cheapest first.
static void share_out(surgeon *g, int n_stretches, uint64_t n_remove) {
    size_t n = 0;
    for (int i = 0; i < n_stretches; i++) n += (size_t)(g->stretches[i].n - g->stretches[i].n_before);
    candidate *all = LAC_NEW_ARRAY(g->arena, candidate, n + 1);
    n = 0;
    for (int i = 0; i < n_stretches; i++)
        for (int k = 0; k < g->stretches[i].n - g->stretches[i].n_before; k++)
            all[n++] = (candidate){g->stretches[i].cost[k], i};
    qsort(all, n, sizeof *all, by_cost);
    for (size_t i = 0; i < n && i < n_remove; i++) g->stretches[all[i].stretch].n_remove++;
}

// Calls for every stretch with the inverse of its block in place.
static lac_status each_stretch(surgeon *g, bool for_good, lac_error *err) {
    const moments *m = g->m;
    int per_group = g->rows / m->groups;
    for (int group = 0; group < m->groups; group++)
        for (int b = 0; b < m->n_blocks; b++) {
            if (!invert(m, group, b, g->inverse))
                LAC_FAIL(err, LAC_E_RANGE, "layer '%s': its inputs are not finite", m->node->name);
            for (int r = group * per_group; r < (group + 1) * per_group; r++) {
                stretch *t = &g->stretches[r * m->n_blocks + b];
                if (for_good)
                    operate(g, t, t->n_remove, NULL, true);
                else
                    measure_stretch(g, t);
            }
        }
    return LAC_OK;
}

static lac_status prune_layer(lac_sparse *s, const moments *m, uint64_t keep, lac_arena *arena,
                              lac_error *err) {
    lac_value *v = lac_weights_value(&s->weights, m->layer);
    size_t area = (size_t)m->block * (size_t)m->block, n = (size_t)lac_shape_count(v->shape);
    surgeon g = {.s = s, .m = m, .w = v->data, .rows = (int)v->shape.dim[0], .arena = arena};
    int n_stretches = g.rows * m->n_blocks;
    uint64_t n_zero = 0;
    g.stretches = LAC_NEW_ARRAY(arena, stretch, n_stretches);
    g.inverse = LAC_NEW_ARRAY(arena, double, area);
    g.scratch = LAC_NEW_ARRAY(arena, double, area);
    g.row = LAC_NEW_ARRAY(arena, double, m->block);
    g.gone = LAC_NEW_ARRAY(arena, uint8_t, m->block);
    for (int i = 0; i < n_stretches; i++) {
        stretch *t = &g.stretches[i];
        *t = (stretch){.row = i / m->n_blocks, .block = i % m->n_blocks};
        int left = m->n_in - t->block * m->block;
        t->n = left < m->block ? left : m->block;
        t->n_before = zeros_in(g.w + (size_t)t->row * (size_t)m->n_in + (size_t)(t->block * m->block), t->n);
        t->cost = LAC_NEW_ARRAY(arena, double, t->n - t->n_before + 1);
        n_zero += (uint64_t)t->n_before;
    }
    LAC_TRY(each_stretch(&g, false, err));
    share_out(&g, n_stretches, (uint64_t)n > keep + n_zero ? (uint64_t)n - keep - n_zero : 0);
    LAC_TRY(each_stretch(&g, true, err));
    uint8_t *mask = LAC_NEW_ARRAY(arena, uint8_t, n);
    for (size_t i = 0; i < n; i++) mask[i] = v->data[i] != 0;
    lac_weights_set_mask(&s->weights, m->layer, mask);
    return LAC_OK;
}

static lac_status prune_layers(lac_sparse *s, double density, lac_arena *arena, lac_error *err) {
    collector c;
    LAC_TRY(collect(s, &c, arena, err));
    const uint64_t *budget = lac_layer_budgets(&s->weights, lac_sparse_keep(s, density), s->share, arena);
    for (int i = 0; i < c.n; i++) {
        LAC_TRY(prune_layer(s, &c.m[i], budget[c.m[i].layer], arena, err));
        lac_talk_step(s->talk, "obs", (uint64_t)i + 1, (uint64_t)c.n, "%s", c.m[i].node->name);
        if (lac_talk_stop(s->talk))
            LAC_FAIL(err, LAC_E_INTERRUPTED, "stopped after %d of %d layers", i + 1, c.n);
    }
    return LAC_OK;
}

static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory for Hessians of '%s'", s->graph->name);
    lac_status status = prune_layers(s, density, arena, err);
    lac_arena_close(arena);
    return status;
}

static const lac_sparsifier method = {.name = "obs", .share = LAC_SHARE_UNIFORM, .mask = mask};

LAC_SPARSE_PRUNER(obs, "obs",
                  "weights with the least change of a layer's results, the others making up for it",
                  "Hassibi, Stork, 1993; Frantar, Alistarh: Optimal brain compression, NeurIPS 2022");
