#include "obs_row.h"
#include "patches.h"
#include "sparse.h"

#include "channels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Optimal brain compression: in every layer rows are pruned one weight at a time with compensation, and rows
// compete by what each removal costs. Inputs are those of the dense network. Rows are cut in blocks
// (patches.h).

// ---- layers ---------------------------------------------------------------------------------------------

static lac_status collect(lac_sparse *s, lac_patches *seen, int *layer, int *n, lac_arena *arena,
                          lac_error *err) {
    *n = 0;
    for (int i = 0; i < s->graph->n_nodes; i++) {
        const lac_node *node = &s->graph->nodes[i];
        if (node->op != LAC_OP_CONV2D && node->op != LAC_OP_LINEAR) continue;
        for (int l = 0; l < s->weights.n_layers; l++)
            if (s->weights.value[l] == lac_constant_of(s->graph, node, 1)) {
                layer[*n] = l;
                seen[(*n)++] = lac_patches_of(s->graph, node, arena);
            }
    }
    return lac_patches_collect(s->graph, s->data, s->config->recipe.seed, seen, *n, arena, err);
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
    const lac_patches *m;
    float *w; // of the layer
    int rows;
    stretch *stretches;
    double *inverse, *row, *scratch; // of one block
    uint8_t *gone;
    lac_arena *arena;
} surgeon;

// Removes n of a stretch's weights: for good, or only to see what that costs.
static void operate(surgeon *g, const stretch *t, int n_remove, double *cost, bool for_good) {
    const lac_patches *m = g->m;
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
    const lac_patches *m = g->m;
    int per_group = g->rows / m->groups;
    for (int group = 0; group < m->groups; group++)
        for (int b = 0; b < m->n_blocks; b++) {
            lac_patches_hessian(m, group, b, g->inverse);
            if (!lac_invert_symmetric(g->inverse, m->block))
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

static lac_status prune_layer(lac_sparse *s, const lac_patches *m, int layer, uint64_t keep, lac_arena *arena,
                              lac_error *err) {
    lac_value *v = lac_weights_value(&s->weights, layer);
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
    lac_weights_set_mask(&s->weights, layer, mask);
    return LAC_OK;
}

static lac_status prune_layers(lac_sparse *s, double density, lac_arena *arena, lac_error *err) {
    lac_patches *seen = LAC_NEW_ARRAY(arena, lac_patches, s->graph->n_nodes);
    int *layer = LAC_NEW_ARRAY(arena, int, s->graph->n_nodes), n;
    LAC_TRY(collect(s, seen, layer, &n, arena, err));
    const uint64_t *budget = lac_layer_budgets(&s->weights, lac_sparse_keep(s, density), s->share, arena);
    for (int i = 0; i < n; i++) {
        LAC_TRY(prune_layer(s, &seen[i], layer[i], budget[layer[i]], arena, err));
        lac_talk_step(s->talk, "obs", (uint64_t)i + 1, (uint64_t)n, "%s", seen[i].node->name);
        if (lac_talk_stop(s->talk))
            LAC_FAIL(err, LAC_E_INTERRUPTED, "stopped after %d of %d layers", i + 1, n);
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
