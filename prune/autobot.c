#include "autobot.h"

#include "gate_run.h"
#include "structured.h"

#include <math.h>
#include <string.h>

// Bottlenecks that are trained: a factor on every channel, the network frozen, the loss
//
//   cross-entropy + beta * G + gamma * H
//
// minimised by Adam over the factors alone. What differs from the authors' code: gates follow from the graph,
// so there are none without effect; grouped convolutions are counted; the best moment is told by a moving
// average of the loss instead of one batch's; weights get no gradient.

static const double first_lambda = 0.9, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
static const double snapshot_from = 0.6, average_keeps = 0.9;

double lac_autobot_alpha(double lambda) {
    return -log(1 / (lambda + 1e-8) - 1);
}

double lac_autobot_budget(double cost, double target, double most, double *slope) {
    bool over = cost > target;
    double per = over ? 1 / (most - target) : -1 / target;
    if (slope) *slope = per;
    return over ? (cost - target) * per : 1 + cost * per;
}

double lac_autobot_binary(const lac_gates *gates, const double *lambda, double *gradient) {
    double sum = 0;
    for (int v = 0; v < gates->n_vectors; v++) {
        int n = 0;
        double part = 0;
        for (int i = 0; i < gates->n; i++) {
            if (gates->vector[i] != v) continue;
            part += fabs(lambda[i] - (lambda[i] >= 0.5));
            n++;
        }
        sum += part / n / gates->n_vectors;
        for (int i = 0; gradient && i < gates->n; i++)
            if (gates->vector[i] == v) gradient[i] += (lambda[i] >= 0.5 ? -1.0 : 1.0) / n / gates->n_vectors;
    }
    return sum;
}

typedef struct trainer {
    const lac_structured *s;
    lac_gate_recipe recipe;
    int n;
    double *alpha, *lambda, *best; // best: lambda at the lowest average loss
    double *slope, *cost_slope, *binary_slope;
    double *m, *v;
    double average, best_average;
} trainer;

static lac_gate_recipe with_defaults(const lac_gate_recipe *given) {
    lac_gate_recipe r = *given;
    if (r.batches == 0) r.batches = 200;
    if (r.batch == 0) r.batch = 64;
    if (r.lr == 0) r.lr = 0.6f;
    if (r.beta == 0) r.beta = 6;
    if (r.gamma == 0) r.gamma = 0.4f;
    return r;
}

static trainer make_trainer(const lac_structured *s) {
    lac_arena *a = s->arena;
    int n = s->gates->n;
    trainer t = {.s = s, .recipe = with_defaults(&s->config->gates), .n = n, .best_average = INFINITY};
    double **vectors[] = {&t.alpha, &t.lambda, &t.best, &t.slope, &t.cost_slope, &t.binary_slope, &t.m, &t.v};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) *vectors[i] = LAC_NEW_ARRAY(a, double, n);
    for (int i = 0; i < n; i++) t.alpha[i] = lac_autobot_alpha(first_lambda);
    return t;
}

static void adam(trainer *t, int step) {
    double c1 = 1 - pow(beta1, step + 1), c2 = 1 - pow(beta2, step + 1);
    for (int i = 0; i < t->n; i++) {
        double lambda = t->lambda[i], slope = t->slope[i] * lambda * (1 - lambda);
        t->m[i] = beta1 * t->m[i] + (1 - beta1) * slope;
        t->v[i] = beta2 * t->v[i] + (1 - beta2) * slope * slope;
        t->alpha[i] -= (double)t->recipe.lr * (t->m[i] / c1) / (sqrt(t->v[i] / c2) + epsilon);
    }
}

// Remembers the gates where the moving average of the loss is lowest, late enough in the training.
static void remember(trainer *t, int step, double loss) {
    t->average = average_keeps * t->average + (1 - average_keeps) * loss;
    double average = t->average / (1 - pow(average_keeps, step + 1));
    if (step < snapshot_from * t->recipe.batches || average >= t->best_average) return;
    t->best_average = average;
    memcpy(t->best, t->lambda, (size_t)t->n * sizeof *t->best);
}

static lac_status train_step(trainer *t, lac_gate_run *run, int step, lac_error *err) {
    const lac_structured *s = t->s;
    double entropy, per;
    for (int i = 0; i < t->n; i++) t->lambda[i] = 1 / (1 + exp(-t->alpha[i]));
    LAC_TRY(lac_gate_run_step(run, (uint64_t)step, t->lambda, &entropy, t->slope, err));
    memset(t->cost_slope, 0, (size_t)t->n * sizeof *t->cost_slope);
    memset(t->binary_slope, 0, (size_t)t->n * sizeof *t->binary_slope);
    double cost = lac_gate_cost_of(&s->cost, t->lambda, t->cost_slope);
    double budget = lac_autobot_budget(cost, s->target, s->cost_before, &per);
    double binary = lac_autobot_binary(s->gates, t->lambda, t->binary_slope);
    double beta = (double)t->recipe.beta, gamma = (double)t->recipe.gamma;
    double loss = entropy + beta * budget + gamma * binary;
    if (!isfinite(loss))
        LAC_FAIL(err, LAC_E_RANGE,
                 "the gates' loss is no longer finite at batch %d; lower their learning rate", step);
    remember(t, step, loss);
    for (int i = 0; i < t->n; i++) t->slope[i] += beta * per * t->cost_slope[i] + gamma * t->binary_slope[i];
    adam(t, step);
    lac_talk_step(s->talk, "gates", (uint64_t)step + 1, (uint64_t)t->recipe.batches,
                  "loss %.3f + %.3f + %.3f, cost %.1f %%", entropy, beta * budget, gamma * binary,
                  100 * cost / s->cost_before);
    if (lac_talk_stop(s->talk))
        LAC_FAIL(err, LAC_E_INTERRUPTED, "stopped after %d of %d batches of training gates", step + 1,
                 t->recipe.batches);
    return LAC_OK;
}

static lac_status train_gates(trainer *t, lac_error *err) {
    lac_gate_run run;
    lac_status status = lac_gate_run_open(&run, t->s->gates, t->s->data, t->recipe.batch,
                                          &t->s->config->recipe, t->s->arena, err);
    if (status == LAC_OK && t->recipe.noise)
        status = lac_gate_run_add_noise(&run, t->s->gates, t->s->arena, err);
    for (int step = 0; status == LAC_OK && step < t->recipe.batches; step++)
        status = train_step(t, &run, step, err);
    lac_gate_run_close(&run);
    return status;
}

static lac_status prune(lac_structured *s, lac_error *err) {
    bool *open = LAC_NEW_ARRAY(s->arena, bool, s->gates->n);
    memset(open, true, (size_t)s->gates->n * sizeof *open);
    if (s->target < s->cost_before) {
        trainer t = make_trainer(s);
        LAC_TRY(train_gates(&t, err));
        LAC_TRY(lac_structured_select(s, t.best, open, err));
    }
    return lac_structured_finish(s, open, "autobot", err);
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config,
                      const lac_talk *talk, lac_error *err) {
    lac_structured s;
    lac_status status = lac_structured_open(&s, graph, data, config, false, talk, err);
    if (status == LAC_OK) status = prune(&s, err);
    lac_structured_close(&s);
    return status;
}

const lac_pruner_desc lac_pruner_autobot = {
    .name = "autobot",
    .help = "channels by trainable bottlenecks: gates learn on a frozen network to meet the budget",
    .source = "Castells, Yeom: Automatic neural network pruning that efficiently preserves the model "
              "accuracy, 2021",
    .run = run,
    .removes_channels = true,
};
