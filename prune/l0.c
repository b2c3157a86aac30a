#include "hard_concrete.h"
#include "sparse.h"

#include "rng.h"

#include <math.h>

// A gate on every weight, drawn anew for each step and learned along with the weights until the schedule's
// end. The penalty on open gates counts while more are expected to be open than the density allows. Then
// gates are multiplied into the weights, the likeliest stay, and the training goes on without gates.
static const double first_log_alpha = 2.2; // open with a probability of 0.98
static const double rate = 0.05, penalty = 3;

typedef struct gates {
    double *square;            // [weights.n] Adam's second moment, of log_alpha; begins the memory
    float *log_alpha;          // [weights.n], in the memory, too
    bool *done;                // likewise: gates have been multiplied into the weights
    float *weight, *z, *slope; // [weights.n] of a step; slope: d z / d log_alpha
    double open;               // expected share
} gates;

static lac_status open_gates(lac_sparse *s, lac_error *err) {
    size_t n = s->weights.n;
    gates *g = s->state = LAC_NEW(s->arena, gates);
    (void)err;
    float **rows[] = {&g->weight, &g->z, &g->slope};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) *rows[i] = LAC_NEW_ARRAY(s->arena, float, n);
    s->n_memory = n * (sizeof *g->square + sizeof *g->log_alpha) + sizeof *g->done;
    s->memory = lac_arena_alloc(s->arena, s->n_memory);
    g->square = s->memory;
    g->log_alpha = (float *)(g->square + n);
    g->done = (bool *)(g->log_alpha + n);
    for (size_t i = 0; i < n; i++) g->log_alpha[i] = (float)first_log_alpha;
    return LAC_OK;
}

static float *weight_at(const lac_sparse *s, int layer) {
    return lac_weights_value(&s->weights, layer)->data;
}

static lac_status draw(lac_sparse *s, uint64_t step, uint64_t n_steps, lac_error *err) {
    gates *g = s->state;
    lac_rng rng = lac_rng_make(s->config->recipe.seed ^ 0x10, step);
    double open = 0;
    (void)n_steps, (void)err;
    if (*g->done) return LAC_OK;
    for (int l = 0; l < s->weights.n_layers; l++)
        for (size_t i = s->weights.first[l]; i < s->weights.first[l + 1]; i++) {
            float *w = weight_at(s, l) + (i - s->weights.first[l]);
            double u = 1e-6 + (1 - 2e-6) * (double)lac_rng_uniform(&rng), slope;
            g->weight[i] = *w;
            g->z[i] = (float)lac_hard_concrete((double)g->log_alpha[i], u, &slope);
            g->slope[i] = (float)slope;
            *w *= g->z[i];
            open += lac_hard_concrete_open((double)g->log_alpha[i], NULL);
        }
    g->open = open / (double)s->weights.n;
    return LAC_OK;
}

// The weights come back, their gradients pass the gates, and the gates move on.
static lac_status watch(lac_sparse *s, const lac_gradients *gradients, uint64_t step, uint64_t n_steps,
                        lac_error *err) {
    gates *g = s->state;
    (void)n_steps, (void)err;
    if (*g->done) return LAC_OK;
    double excess = g->open - s->config->density, weight = excess > 0 ? penalty * excess : 0;
    double correct = 1 - pow(0.99, (double)step + 1);
    for (int l = 0; l < s->weights.n_layers; l++) {
        float *slopes = lac_gradient_of(gradients, s->weights.value[l]), *w = weight_at(s, l);
        for (size_t i = s->weights.first[l]; i < s->weights.first[l + 1]; i++) {
            size_t at = i - s->weights.first[l];
            double open_slope,
                d = slopes ? (double)slopes[at] * (double)g->weight[i] * (double)g->slope[i] : 0;
            lac_hard_concrete_open((double)g->log_alpha[i], &open_slope);
            d = d * (double)s->weights.n + weight * open_slope; // per weight, as the share is
            g->square[i] = 0.99 * g->square[i] + 0.01 * d * d;
            g->log_alpha[i] -= (float)(rate * d / (sqrt(g->square[i] / correct) + 1e-8));
            if (slopes) slopes[at] *= g->z[i];
            w[at] = g->weight[i];
        }
    }
    return LAC_OK;
}

// Until the schedule's end nothing is cut; then once, and from then on what is gone stays so.
static lac_status mask(lac_sparse *s, double density, lac_error *err) {
    gates *g = s->state;
    if (density > s->config->density && !s->config->no_training) return LAC_OK;
    for (int l = 0; l < s->weights.n_layers; l++)
        for (size_t i = s->weights.first[l]; i < s->weights.first[l + 1]; i++) {
            float *w = weight_at(s, l) + (i - s->weights.first[l]);
            double mean = *g->done ? 1 : lac_hard_concrete_mean((double)g->log_alpha[i]);
            *w *= (float)mean;
            s->score[i] = *g->done ? fabsf(*w) : g->log_alpha[i] + 1e-3f * fabsf(*w);
            if (*w == 0) s->score[i] = -INFINITY;
        }
    *g->done = true;
    return lac_sparse_mask_scores(s, density, err);
}

static const lac_sparsifier method = {.name = "l0",
                                      .share = LAC_SHARE_GLOBAL,
                                      .gradual = true,
                                      .open = open_gates,
                                      .mask = mask,
                                      .watch = watch,
                                      .tick = draw};

LAC_SPARSE_PRUNER(l0, "l0", "weights whose gates, drawn anew each step, learn to stay shut",
                  "Louizos et al.: Learning sparse neural networks through L0 regularization, ICLR 2018");
