#include "weights.h"

#include "masks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

lac_weights lac_weights_of(lac_graph *graph, lac_arena *arena) {
    lac_weights w = {.graph = graph, .value = LAC_NEW_ARRAY(arena, int, graph->n_values)};
    w.n_layers = lac_prunable(graph, w.value);
    w.first = LAC_NEW_ARRAY(arena, size_t, w.n_layers + 1);
    for (int l = 0; l < w.n_layers; l++) {
        w.first[l] = w.n;
        w.n += (size_t)lac_shape_count(lac_weights_value(&w, l)->shape);
    }
    w.first[w.n_layers] = w.n;
    return w;
}

static size_t size_of(const lac_weights *w, int layer) {
    return w->first[layer + 1] - w->first[layer];
}

void lac_weights_magnitudes(const lac_weights *w, float *score) {
    for (int l = 0; l < w->n_layers; l++)
        for (size_t i = 0; i < size_of(w, l); i++)
            score[w->first[l] + i] = fabsf(lac_weights_value(w, l)->data[i]);
}

void lac_weights_set_mask(const lac_weights *w, int layer, const uint8_t *keep) {
    lac_value *value = lac_weights_value(w, layer);
    size_t n = size_of(w, layer);
    if (!value->mask) value->mask = LAC_NEW_ARRAY(w->graph->arena, uint8_t, n);
    for (size_t i = 0; i < n; i++) {
        value->mask[i] = keep[i];
        if (!keep[i]) value->data[i] = 0;
    }
}

// ---- budgets --------------------------------------------------------------------------------------------

static double erk_share(const lac_weights *w, int layer) {
    lac_shape shape = lac_weights_value(w, layer)->shape;
    double sum = 0;
    for (int d = 0; d < shape.n_dims; d++) sum += (double)shape.dim[d];
    return sum / (double)size_of(w, layer);
}

// Layers whose share would be above 1 keep all; the others share what is left, until none is.
static void erk_budgets(const lac_weights *w, double keep, double *budget, bool *whole) {
    for (bool again = true; again;) {
        double left = keep, sum = 0;
        for (int l = 0; l < w->n_layers; l++) {
            if (whole[l])
                left -= (double)size_of(w, l);
            else
                sum += erk_share(w, l) * (double)size_of(w, l);
        }
        again = false;
        for (int l = 0; l < w->n_layers; l++) {
            double share = whole[l] ? 1 : erk_share(w, l) * left / sum;
            again |= !whole[l] && share >= 1;
            if (share >= 1) whole[l] = true;
            budget[l] = share * (double)size_of(w, l);
        }
    }
}

uint64_t *lac_layer_budgets(const lac_weights *w, uint64_t keep, lac_share share, lac_arena *arena) {
    uint64_t *out = LAC_NEW_ARRAY(arena, uint64_t, w->n_layers), total = 0;
    double *budget = LAC_NEW_ARRAY(arena, double, w->n_layers), carried = 0;
    bool *whole = LAC_NEW_ARRAY(arena, bool, w->n_layers);
    if (keep > w->n) keep = w->n;
    for (int l = 0; l < w->n_layers; l++) budget[l] = (double)keep * (double)size_of(w, l) / (double)w->n;
    if (share == LAC_SHARE_ERK) erk_budgets(w, (double)keep, budget, whole);
    // Fractions are carried on, so that the sum is met.
    for (int l = 0; l < w->n_layers; l++) {
        carried += budget[l];
        double rounded = round(carried - (double)total);
        out[l] = rounded < 1 ? 1 : (uint64_t)rounded;
        if (out[l] > size_of(w, l)) out[l] = size_of(w, l);
        total += out[l];
    }
    return out;
}

// ---- selection ------------------------------------------------------------------------------------------

typedef struct entry {
    float score;
    uint32_t place;
} entry;

static int by_score(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

// The `keep` largest of n scores; forced ones are marked already and come on top.
static void select_largest(const float *score, size_t n, uint64_t keep, entry *order, uint8_t *marks) {
    size_t n_free = 0;
    for (size_t i = 0; i < n; i++)
        if (!marks[i]) order[n_free++] = (entry){score[i], (uint32_t)i};
    qsort(order, n_free, sizeof *order, by_score);
    for (size_t i = 0; i < n_free && i < keep; i++) marks[order[i].place] = 1;
}

static void force_one(const lac_weights *w, const float *score, uint8_t *marks) {
    for (int l = 0; l < w->n_layers; l++) {
        size_t best = w->first[l];
        for (size_t i = w->first[l]; i < w->first[l + 1]; i++)
            if (score[i] > score[best]) best = i;
        marks[best] = 1;
    }
}

lac_status lac_mask_layer(const lac_weights *w, int layer, const float *score, uint64_t keep,
                          lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to mask a layer of '%s'", w->graph->name);
    size_t n = size_of(w, layer);
    uint8_t *marks = LAC_NEW_ARRAY(scratch, uint8_t, n);
    select_largest(score, n, keep, LAC_NEW_ARRAY(scratch, entry, n), marks);
    lac_weights_set_mask(w, layer, marks);
    lac_arena_close(scratch);
    return LAC_OK;
}

lac_status lac_mask_scores(const lac_weights *w, const float *score, uint64_t keep, lac_share share,
                           lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to mask '%s'", w->graph->name);
    lac_status status = LAC_OK;
    if (share == LAC_SHARE_UNIFORM || share == LAC_SHARE_ERK) {
        const uint64_t *budget = lac_layer_budgets(w, keep, share, scratch);
        for (int l = 0; l < w->n_layers && status == LAC_OK; l++)
            status = lac_mask_layer(w, l, score + w->first[l], budget[l], err);
    } else {
        uint8_t *marks = LAC_NEW_ARRAY(scratch, uint8_t, w->n);
        uint64_t forced = (uint64_t)w->n_layers;
        force_one(w, score, marks);
        select_largest(score, w->n, keep > forced ? keep - forced : 0, LAC_NEW_ARRAY(scratch, entry, w->n),
                       marks);
        for (int l = 0; l < w->n_layers; l++) lac_weights_set_mask(w, l, marks + w->first[l]);
    }
    lac_arena_close(scratch);
    return status;
}
