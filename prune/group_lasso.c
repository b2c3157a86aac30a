#include "group_lasso.h"

#include "structured.h"

#include <math.h>
#include <string.h>

// Structured sparsity learning: while the network trains by the recipe, every gate's filters are shortened as
// one group after each step, so that those that do not defend themselves fade. Then the shortest are cut for
// the budget, and the recipe's training follows as after any other criterion.

static const double strength = 5e-4; // of the penalty, per root of the group's size, times the learning rate

double lac_shrink_group(double length, double by) {
    return length > by ? 1 - by / length : 0;
}

typedef struct shrinker {
    const lac_structured *s;
    double *square, *size; // [gate]
    double by;             // of this step
} shrinker;

static void add_square(void *ctx, int gate, const lac_node *layer, const float *row, int64_t n) {
    shrinker *k = ctx;
    (void)layer;
    for (int64_t i = 0; i < n; i++) k->square[gate] += (double)row[i] * (double)row[i];
    k->size[gate] += (double)n;
}

static void measure(shrinker *k) {
    int n = k->s->gates->n;
    memset(k->square, 0, (size_t)n * sizeof *k->square);
    memset(k->size, 0, (size_t)n * sizeof *k->size);
    lac_gates_visit_rows(k->s->gates, add_square, k);
}

static void shorten(void *ctx, int gate, const lac_node *layer, const float *row, int64_t n) {
    const shrinker *k = ctx;
    lac_value *w = &k->s->graph->values[lac_constant_of(k->s->graph, layer, 1)];
    float *own = w->data + (row - w->data);
    double factor = lac_shrink_group(sqrt(k->square[gate]), k->by * sqrt(k->size[gate]));
    for (int64_t i = 0; i < n; i++) own[i] *= (float)factor;
}

static lac_status before_step(void *ctx, lac_graph *graph, uint64_t step, uint64_t n_steps, lac_error *err) {
    shrinker *k = ctx;
    (void)graph, (void)step, (void)n_steps, (void)err;
    measure(k);
    lac_gates_visit_rows(k->s->gates, shorten, k);
    return LAC_OK;
}

// The mean square of what is left.
static lac_status score(const lac_structured *s, double *score, lac_error *err) {
    shrinker k = {.s = s,
                  .square = LAC_NEW_ARRAY(s->arena, double, s->gates->n),
                  .size = LAC_NEW_ARRAY(s->arena, double, s->gates->n)};
    lac_recipe recipe = s->config->recipe;
    k.by = strength * (recipe.lr > 0 ? (double)recipe.lr : 0.1);
    const lac_train_hook hook = {.before_step = before_step, .ctx = &k};
    recipe.checkpoint = NULL; // that of the training afterwards
    if (!s->config->no_training) LAC_TRY(lac_train(s->graph, s->data, &recipe, &hook, s->talk, NULL, err));
    measure(&k);
    for (int i = 0; i < s->gates->n; i++) score[i] = k.size[i] > 0 ? k.square[i] / k.size[i] : 0;
    return LAC_OK;
}

static const lac_criterion criterion = {
    .name = "group-lasso", .scope = LAC_SCOPE_GLOBAL, .comparable = false, .score = score};

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    return lac_structured_run(&criterion, graph, data, config, talk, err);
}

const lac_pruner_desc lac_pruner_group_lasso = {
    .name = "group-lasso",
    .help = "channels that a penalty on their length fades out during a training before the cut",
    .source = "Wen et al.: Learning structured sparsity in deep neural networks, NeurIPS 2016",
    .run = run,
    .removes_channels = true,
};
