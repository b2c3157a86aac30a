#include "soft_weights.h"
#include "quant_codes.h"

lac_soft_weights lac_soft_weights_make(const lac_graph *graph, const lac_node *quant, lac_arena *arena) {
    const lac_value *w = &graph->values[quant->in[0]], *scale = &graph->values[quant->in[1]];
    size_t n = (size_t)lac_shape_count(w->shape);
    lac_soft_weights s = {.value = quant->out,
                          .source = quant->in[0],
                          .n = n,
                          .n_per_scale = n / (size_t)lac_shape_count(scale->shape),
                          .w = w->data,
                          .scale = scale->data,
                          .lowest = (float)lac_quant_lowest(quant->attr.quant),
                          .highest = (float)lac_quant_highest(quant->attr.quant)};
    float **arrays[] = {&s.down, &s.v, &s.made, &s.m1, &s.m2};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) *arrays[i] = LAC_NEW_ARRAY(arena, float, n);
    for (size_t i = 0; i < n; i++) {
        float real = s.w[i] / s.scale[i / s.n_per_scale];
        s.down[i] = fminf(fmaxf(floorf(real), s.lowest), s.highest);
        s.v[i] = lac_soft_start(real - s.down[i]);
    }
    return s;
}

static void make(lac_soft_weights *s, size_t i, float code) {
    s->made[i] = s->w[i] == 0 ? 0 : fminf(fmaxf(code, s->lowest), s->highest) * s->scale[i / s->n_per_scale];
}

void lac_soft_relax(lac_soft_weights *s) {
    for (size_t i = 0; i < s->n; i++) make(s, i, s->down[i] + lac_soft_choice(s->v[i]));
}

void lac_soft_harden(lac_soft_weights *s) {
    for (size_t i = 0; i < s->n; i++)
        make(s, i, s->down[i] + (lac_soft_choice(s->v[i]) >= 0.5f ? 1.0f : 0.0f));
}

void lac_soft_nearest(lac_soft_weights *s) {
    for (size_t i = 0; i < s->n; i++) make(s, i, rintf(s->w[i] / s->scale[i / s->n_per_scale]));
}

void lac_soft_learn(lac_soft_weights *s, const float *slope, float rate, float beta, float pull, int step) {
    float c1 = 1 / (1 - powf(0.9f, (float)step + 1)), c2 = 1 / (1 - powf(0.999f, (float)step + 1));
    for (size_t i = 0; i < s->n; i++) {
        float g = lac_soft_gradient(s, i, slope[i], beta, pull);
        s->m1[i] = 0.9f * s->m1[i] + 0.1f * g;
        s->m2[i] = 0.999f * s->m2[i] + 0.001f * g * g;
        s->v[i] -= rate * s->m1[i] * c1 / (sqrtf(s->m2[i] * c2) + 1e-8f);
    }
}
