#ifndef LAC_SOFT_WEIGHTS_H
#define LAC_SOFT_WEIGHTS_H

#include "graph.h"

#include <math.h>

/// Learned rounding: every weight goes up or down by a relaxed choice h(v) in [0, 1], which a regulariser
/// drives to one of its ends.
///
///   w~ = s * clip(floor(w / s) + h(v)),   h(v) = clip(1.2 sigmoid(v) - 0.1, 0, 1)
///   pull = sum 1 - |2 h(v) - 1|^beta
///
/// source  Nagel et al.: Up or down?, ICML 2020, equations 21 to 24

static const float lac_stretch_low = -0.1f, lac_stretch_high = 1.1f;

static inline float lac_sigmoid(float v) {
    return 1 / (1 + expf(-v));
}

/// h(v).
static inline float lac_soft_choice(float v) {
    float up = lac_sigmoid(v) * (lac_stretch_high - lac_stretch_low) + lac_stretch_low;
    return fminf(fmaxf(up, 0), 1);
}

/// The v of a choice, which is kept off its ends.
static inline float lac_soft_start(float up) {
    float p = (fminf(fmaxf(up, 0.01f), 0.99f) - lac_stretch_low) / (lac_stretch_high - lac_stretch_low);
    return -logf(1 / p - 1);
}

/// d h / d v; as if there were no clip, so that a choice at its end can come back.
static inline float lac_soft_slope(float v) {
    float p = lac_sigmoid(v);
    return p * (1 - p) * (lac_stretch_high - lac_stretch_low);
}

/// d pull / d h.
static inline float lac_soft_pull(float up, float beta) {
    float off = 2 * up - 1;
    return -2 * beta * copysignf(powf(fabsf(off), beta - 1), off);
}

/// The weights of one quantizer while their rounding is learned. Arrays are [n].
typedef struct lac_soft_weights {
    int value, source; ///< what the quantizer makes; the constant that it reads
    size_t n, n_per_scale;
    const float *w, *scale; ///< a weight of 0 is pruned and stays 0
    float lowest, highest;
    float *down, *v; ///< code below; the choice
    float *made;     ///< w~
    float *m1, *m2;  ///< Adam's
} lac_soft_weights;

/// Starts where the float weights are. quant: a QUANT of graph that reads a constant.
///
/// memory  arrays from arena; w and scale stay the graph's
lac_soft_weights lac_soft_weights_make(const lac_graph *graph, const lac_node *quant, lac_arena *arena);

/// made, from the choices as they are / the nearest end of each / the nearest codes of w.
void lac_soft_relax(lac_soft_weights *s);
void lac_soft_harden(lac_soft_weights *s);
void lac_soft_nearest(lac_soft_weights *s);

/// One step of Adam on v. slope [n]: d loss / d made; pull: weight of the regulariser; step counts from 0.
void lac_soft_learn(lac_soft_weights *s, const float *slope, float rate, float beta, float pull, int step);

/// d (loss + pull) / d v of weight i.
static inline float lac_soft_gradient(const lac_soft_weights *s, size_t i, float slope, float beta,
                                      float pull) {
    float up = lac_soft_choice(s->v[i]);
    float g = s->down[i] + up > s->highest ? 0 : slope * s->scale[i / s->n_per_scale];
    if (pull > 0) g += pull * lac_soft_pull(up, beta);
    return g * lac_soft_slope(s->v[i]);
}

#endif
