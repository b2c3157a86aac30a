#include "group_mask.h"

#include <math.h>

size_t lac_groups_of(lac_shape shape, lac_group_rule *rule, size_t *group) {
    int64_t n_in = shape.n_dims > 1 ? shape.dim[1] : 1;
    int64_t n_k = lac_shape_count(shape) / shape.dim[0] / n_in;
    size_t n = 0, at = 0;
    for (int64_t o = 0; o < shape.dim[0]; o++)
        for (int64_t i = 0; i < n_in; i++)
            for (int64_t k = 0; k < n_k; k++) {
                group[at] = rule(o, i, k, n_in, n_k);
                if (group[at] >= n) n = group[at] + 1;
                at++;
            }
    return n;
}

// The score of a weight is that of its group, so that groups stay together in the order; a hair apart, so
// that two groups of equal score do not mix.
static void score_layer(lac_sparse *s, int layer, lac_group_rule *rule, lac_arena *scratch) {
    const lac_value *v = lac_weights_value(&s->weights, layer);
    size_t first = s->weights.first[layer], n = s->weights.first[layer + 1] - first;
    size_t *group = LAC_NEW_ARRAY(scratch, size_t, n), n_groups = lac_groups_of(v->shape, rule, group);
    double *sum = LAC_NEW_ARRAY(scratch, double, n_groups);
    int *size = LAC_NEW_ARRAY(scratch, int, n_groups);
    for (size_t i = 0; i < n; i++) {
        sum[group[i]] += (double)v->data[i] * (double)v->data[i];
        size[group[i]]++;
    }
    for (size_t i = 0; i < n; i++) s->score[first + i] = (float)(sum[group[i]] / size[group[i]]);
}

// A budget may end within a group: its last weights are too few to be of use, so all of it goes, but the
// first group of a layer stays whole.
static void whole_groups(lac_sparse *s, int layer, lac_group_rule *rule, lac_arena *scratch) {
    lac_value *v = lac_weights_value(&s->weights, layer);
    size_t first = s->weights.first[layer], n = s->weights.first[layer + 1] - first, best = 0;
    size_t *group = LAC_NEW_ARRAY(scratch, size_t, n), n_groups = lac_groups_of(v->shape, rule, group);
    bool *cut = LAC_NEW_ARRAY(scratch, bool, n_groups);
    for (size_t i = 0; i < n; i++) {
        cut[group[i]] = cut[group[i]] || !v->mask[i];
        if (s->score[first + i] > s->score[first + best]) best = i;
    }
    cut[group[best]] = false;
    for (size_t i = 0; i < n; i++) {
        v->mask[i] = !cut[group[i]];
        if (cut[group[i]]) v->data[i] = 0;
    }
}

static float *saved_weights(const lac_weights *w, lac_arena *arena) {
    float *saved = LAC_NEW_ARRAY(arena, float, w->n);
    for (int l = 0; l < w->n_layers; l++)
        for (size_t i = w->first[l]; i < w->first[l + 1]; i++)
            saved[i] = lac_weights_value(w, l)->data[i - w->first[l]];
    return saved;
}

lac_status lac_mask_groups(lac_sparse *s, double density, lac_group_rule *rule, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to mask groups of '%s'", s->graph->name);
    const float *saved = saved_weights(&s->weights, scratch);
    for (int l = 0; l < s->weights.n_layers; l++) score_layer(s, l, rule, scratch);
    lac_status status = lac_sparse_mask_scores(s, density, err);
    for (int l = 0; l < s->weights.n_layers && status == LAC_OK; l++) {
        lac_value *v = lac_weights_value(&s->weights, l);
        whole_groups(s, l, rule, scratch);
        for (size_t i = s->weights.first[l]; i < s->weights.first[l + 1];
             i++) // the layer's best group is back
            if (v->mask[i - s->weights.first[l]]) v->data[i - s->weights.first[l]] = saved[i];
    }
    lac_arena_close(scratch);
    return status;
}
