#include "plan.h"

#include <stdlib.h>

// Activation memory: tensors whose lives do not overlap share words. A concat and its inputs are one block,
// so that concatenation costs nothing.

typedef struct block {
    int tensor;      ///< the whole that is not inside another concat
    int first, last; ///< steps during which it is alive, both included
    int words, base;
    bool used;
} block;

bool lac_plan_inside_concat(const lac_plan *plan, int tensor, int *whole, int *first_channel) {
    for (int l = 0; l < plan->graph->n_layers; l++) {
        const lac_int_layer *layer = &plan->graph->layers[l];
        if (layer->kind != LAC_INT_CONCAT) continue;
        int channel = 0;
        for (int i = 0; i < layer->n_in; i++) {
            if (layer->in[i] == tensor) {
                *whole = layer->out;
                *first_channel = channel;
                return true;
            }
            channel += plan->graph->tensors[layer->in[i]].c;
        }
    }
    return false;
}

/// The outermost concat that holds a tensor, or the tensor itself, and the channel where it begins there.
static int outermost(const lac_plan *plan, int tensor, int *first_channel) {
    int whole, channel;
    *first_channel = 0;
    while (lac_plan_inside_concat(plan, tensor, &whole, &channel)) {
        *first_channel += channel;
        tensor = whole;
    }
    return tensor;
}

static void live_at(block *b, int step) {
    if (!b->used || step < b->first) b->first = step;
    if (!b->used || step > b->last) b->last = step;
    b->used = true;
}

/// Blocks by tensor number; those of tensors that never stand in memory stay unused.
static block *find_lives(const lac_plan *plan) {
    const lac_int_graph *graph = plan->graph;
    block *blocks = LAC_NEW_ARRAY(plan->scratch, block, graph->n_tensors);
    int channel;
    live_at(&blocks[outermost(plan, graph->input, &channel)], 0);
    for (int s = 0; s < plan->n_steps; s++) {
        const lac_int_layer *layer = &graph->layers[plan->steps[s].layer];
        for (int i = 0; i < layer->n_in; i++) live_at(&blocks[outermost(plan, layer->in[i], &channel)], s);
        if (!layer->raw) live_at(&blocks[outermost(plan, plan->steps[s].out_tensor, &channel)], s);
    }
    for (int t = 0; t < graph->n_tensors; t++) {
        blocks[t].tensor = t;
        blocks[t].words = graph->tensors[t].c * lac_layout_channel_words(&plan->layouts[t]);
    }
    return blocks;
}

static int larger_first(const void *a, const void *b) {
    const block *x = *(block *const *)a, *y = *(block *const *)b;
    if (x->words != y->words) return x->words < y->words ? 1 : -1;
    return x->tensor - y->tensor;
}

/// The lowest base at which a block collides with none of those placed: either 0 or the end of another.
static int lowest_base(const block *b, block *const *placed, int n_placed) {
    int base = 0;
    for (int i = 0; i < n_placed; i++) {
        const block *other = placed[i];
        bool meet = b->first <= other->last && other->first <= b->last;
        if (!meet || base + b->words <= other->base || other->base + other->words <= base) continue;
        base = other->base + other->words;
        i = -1; // the move may meet one already passed
    }
    return base;
}

static lac_status place(const lac_plan *plan, block **sorted, int n, lac_error *err) {
    for (int i = 0; i < n; i++) {
        block *b = sorted[i];
        b->base = lowest_base(b, sorted, i);
        if (b->base + b->words > plan->engine.act_words)
            LAC_FAIL(err, LAC_E_CAPACITY,
                     "tensor '%s' needs activation words %d..%d, the engine has %d; raise ACT_WORDS or use a "
                     "larger "
                     "mesh",
                     plan->graph->tensors[b->tensor].name, b->base, b->base + b->words - 1,
                     plan->engine.act_words);
    }
    return LAC_OK;
}

lac_status lac_pass_memory(lac_plan *plan, lac_error *err) {
    block *blocks = find_lives(plan);
    block **sorted = LAC_NEW_ARRAY(plan->scratch, block *, plan->graph->n_tensors);
    int n = 0;
    for (int t = 0; t < plan->graph->n_tensors; t++)
        if (blocks[t].used) sorted[n++] = &blocks[t];
    qsort(sorted, (size_t)n, sizeof *sorted, larger_first);
    LAC_TRY(place(plan, sorted, n, err));
    for (int t = 0; t < plan->graph->n_tensors; t++) {
        int channel;
        const block *b = &blocks[outermost(plan, t, &channel)];
        if (b->used) plan->layouts[t].base = b->base + channel * lac_layout_channel_words(&plan->layouts[t]);
    }
    return LAC_OK;
}
