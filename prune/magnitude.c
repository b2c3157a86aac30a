#include "magnitude.h"
#include "masks.h"
#include "prune.h"

#include <math.h>
#include <stdio.h>

/// Masks follow the schedule in so many moves; between moves the weights recover.
enum { MOVES = 100, MIN_PER_LAYER = 1 };

double lac_cubic_density(double progress, double begin, double end, double initial, double final) {
    double t = end > begin ? (progress - begin) / (end - begin) : progress >= end;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return final + (initial - final) * (1 - t) * (1 - t) * (1 - t);
}

typedef struct schedule {
    double initial, density, begin, end;
    uint64_t n_weights;
} schedule;

static lac_status mask_to(const schedule *s, lac_graph *graph, double density, lac_error *err) {
    return lac_mask_largest(graph, (uint64_t)llround(density * (double)s->n_weights), MIN_PER_LAYER, err);
}

static lac_status before_step(void *ctx, lac_graph *graph, uint64_t step, uint64_t n_steps, lac_error *err) {
    const schedule *s = ctx;
    double progress = (double)step / (double)n_steps, span = (s->end - s->begin) * (double)n_steps;
    uint64_t interval = span > MOVES ? (uint64_t)(span / MOVES) : 1;
    uint64_t last = (uint64_t)ceil(s->end * (double)n_steps);
    if (progress < s->begin || step > last || (step != last && step % interval != 0)) return LAC_OK;
    return mask_to(s, graph, lac_cubic_density(progress, s->begin, s->end, s->initial, s->density), err);
}

static lac_status check_config(const lac_prune_config *config, const schedule *s, lac_error *err) {
    if (!(config->density > 0) || config->density > 1)
        LAC_FAIL(err, LAC_E_USAGE, "density %g of the weights is to stay, must be above 0 and at most 1",
                 config->density);
    if (!(s->begin >= 0) || !(s->end <= 1) || s->begin > s->end)
        LAC_FAIL(
            err, LAC_E_USAGE,
            "the pruning schedule runs from %g to %g of the training; begin must not be after end, both in "
            "0..1",
            s->begin, s->end);
    if (s->n_weights == 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "the graph has no trainable weights of convolutions or linear layers");
    return LAC_OK;
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    bool given = config->begin != 0 || config->end != 0;
    schedule s = {.density = config->density,
                  .begin = given ? config->begin : 0,
                  .end = given ? config->end : 0.6,
                  .n_weights = lac_prunable_count(graph, false)};
    LAC_TRY(check_config(config, &s, err));
    s.initial = (double)lac_prunable_count(graph, true) / (double)s.n_weights;
    if (s.density > s.initial) s.density = s.initial; // weights that are gone do not grow again
    const lac_train_hook hook = {.before_step = before_step, .ctx = &s};
    lac_train_result result;
    LAC_TRY(lac_train(graph, data, &config->recipe, &hook, talk, &result, err));
    LAC_TRY(mask_to(&s, graph, s.density, err)); // exact even when the schedule ends with the last step
    char text[64];
    snprintf(text, sizeof text, "magnitude density %g", config->density);
    lac_graph_set_meta(graph, "lacuna.pruner", text);
    return LAC_OK;
}

const lac_pruner_desc lac_pruner_magnitude = {
    .name = "magnitude",
    .help = "global magnitude with a cubic schedule while training goes on",
    .source = "Zhu and Gupta, To prune, or not to prune, 2017",
    .run = run,
};
