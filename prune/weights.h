#ifndef LAC_WEIGHTS_H
#define LAC_WEIGHTS_H

#include "prune.h"

/// The prunable weights of a graph as one row of numbers, layer after layer, and masks made from scores.
typedef struct lac_weights {
    lac_graph *graph;
    int n_layers;
    int *value;    ///< [layer] constant
    size_t *first; ///< [layer] place of its first weight; first[n_layers] is n
    size_t n;
} lac_weights;

/// memory  from arena
lac_weights lac_weights_of(lac_graph *graph, lac_arena *arena);

static inline lac_value *lac_weights_value(const lac_weights *w, int layer) {
    return &w->graph->values[w->value[layer]];
}

/// How many weights each layer keeps, of `keep` in all.
///
///   UNIFORM  the same share of every layer
///   ERK      a share proportional to (n_out + n_in + k_h + k_w) / (n_out * n_in * k_h * k_w), at most all
///
/// source  Evci et al.: Rigging the lottery, ICML 2020, section 3
uint64_t *lac_layer_budgets(const lac_weights *w, uint64_t keep, lac_share share, lac_arena *arena);

/// Keeps the weights of largest score, ties in order of place; masks and zeroes the others. Every layer keeps
/// one weight.
///
/// shape   score [w->n]; scores may be of both signs, not NaN
/// errors  E_MEMORY
lac_status lac_mask_scores(const lac_weights *w, const float *score, uint64_t keep, lac_share share,
                           lac_error *err) LAC_MUST_CHECK;

/// The same for one layer: keeps `keep` of its weights.
lac_status lac_mask_layer(const lac_weights *w, int layer, const float *score, uint64_t keep,
                          lac_error *err) LAC_MUST_CHECK;

/// |w| of every weight.
void lac_weights_magnitudes(const lac_weights *w, float *score);

/// Sets a layer's mask and zeroes what it closes.
void lac_weights_set_mask(const lac_weights *w, int layer, const uint8_t *keep);

#endif
