#include "sparse.h"

#include "augment.h"
#include "float_plan.h"
#include "loss.h"
#include "magnitude.h"
#include "masks.h"
#include "rng.h"

#include <math.h>
#include <stdio.h>

/// Masks follow the schedule in so many moves; between moves the weights recover.
enum { MOVES = 100 };

uint64_t lac_sparse_keep(const lac_sparse *s, double density) {
    return (uint64_t)llround(density * (double)s->weights.n);
}

lac_status lac_sparse_mask_scores(lac_sparse *s, double density, lac_error *err) {
    return lac_mask_scores(&s->weights, s->score, lac_sparse_keep(s, density), s->share, err);
}

typedef struct session {
    lac_sparse s;
    const lac_sparsifier *method;
    double begin, end, density;
    const lac_graph *teacher; // the network before pruning, when it is to teach
} session;

static lac_status check(const session *t, lac_error *err) {
    double density = t->s.config->density;
    if (!(density > 0) || density > 1)
        LAC_FAIL(err, LAC_E_USAGE, "density %g of the weights is to stay, must be above 0 and at most 1",
                 density);
    if (!(t->begin >= 0) || !(t->end <= 1) || t->begin > t->end)
        LAC_FAIL(err, LAC_E_USAGE,
                 "the pruning schedule runs from %g to %g of the training; begin must not be after end, both "
                 "in 0..1",
                 t->begin, t->end);
    if (t->s.weights.n == 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "the graph has no trainable weights of convolutions or linear layers");
    return LAC_OK;
}

static lac_status before_step(void *ctx, lac_graph *graph, uint64_t step, uint64_t n_steps, lac_error *err) {
    session *t = ctx;
    (void)graph;
    if (t->method->gradual) {
        double progress = (double)step / (double)n_steps, span = (t->end - t->begin) * (double)n_steps;
        uint64_t interval = span > MOVES ? (uint64_t)(span / MOVES) : 1;
        uint64_t last = (uint64_t)ceil(t->end * (double)n_steps);
        double density = lac_cubic_density(progress, t->begin, t->end, t->s.initial, t->density);
        if (progress >= t->begin && step <= last && (step == last || step % interval == 0))
            LAC_TRY(t->method->mask(&t->s, density, err));
    }
    return t->method->tick ? t->method->tick(&t->s, step, n_steps, err) : LAC_OK;
}

static lac_status after_backward(void *ctx, lac_graph *graph, const lac_gradients *gradients, uint64_t step,
                                 uint64_t n_steps, lac_error *err) {
    session *t = ctx;
    (void)graph;
    return t->method->watch(&t->s, gradients, step, n_steps, err);
}

static lac_status train(session *t, lac_error *err) {
    const lac_distillation lesson = {.teacher = t->teacher, .weight = t->s.config->distill};
    const lac_train_hook hook = {.before_step = before_step,
                                 .after_backward = t->method->watch ? after_backward : NULL,
                                 .ctx = t,
                                 .memory = t->s.memory,
                                 .n_memory = t->s.n_memory,
                                 .distillation = t->teacher ? &lesson : NULL};
    return lac_train(t->s.graph, t->s.data, &t->s.config->recipe, &hook, t->s.talk, NULL, err);
}

static lac_status measure(session *t, lac_error *err) {
    lac_prune_result *r = t->s.config->result;
    lac_eval_result result;
    if (!r || t->method->gradual || t->s.data->validation.n == 0) return LAC_OK;
    LAC_TRY(lac_evaluate(t->s.graph, t->s.data, &t->s.data->validation, 0, t->s.talk, &result, err));
    r->pruned_accuracy = result.accuracy;
    r->prune_seconds = lac_now_s() - t->s.began_s;
    return LAC_OK;
}

static lac_status prune(session *t, lac_error *err) {
    lac_sparse *s = &t->s;
    if (t->method->open) LAC_TRY(t->method->open(s, err));
    bool once = !t->method->gradual || s->config->no_training;
    if (once) LAC_TRY(t->method->mask(s, t->density, err));
    LAC_TRY(measure(t, err));
    if (!s->config->no_training) LAC_TRY(train(t, err));
    if (t->method->gradual && !s->config->no_training) LAC_TRY(t->method->mask(s, t->density, err));
    char text[96];
    snprintf(text, sizeof text, "%s density %g", t->method->name, s->config->density);
    lac_graph_set_meta(s->graph, "lacuna.pruner", text);
    return LAC_OK;
}

static void settle(session *t) {
    lac_sparse *s = &t->s;
    const lac_prune_config *c = s->config;
    bool given = c->begin != 0 || c->end != 0;
    t->begin = given ? c->begin : 0;
    t->end = given ? c->end : 0.6;
    t->density = c->density;
    s->weights = lac_weights_of(s->graph, s->arena);
    s->share = c->share == LAC_SHARE_METHOD ? t->method->share : c->share;
    s->score = LAC_NEW_ARRAY(s->arena, float, s->weights.n);
    s->initial = s->weights.n ? (double)lac_prunable_count(s->graph, true) / (double)s->weights.n : 1;
    // Weights that are gone do not grow again, but where the method says so.
    if (!t->method->regrows && t->density > s->initial) t->density = s->initial;
}

lac_status lac_sparse_run(const lac_sparsifier *method, lac_graph *graph, const lac_dataset *data,
                          const lac_prune_config *config, const lac_talk *talk, lac_error *err) {
    session t = {.method = method,
                 .s = {.graph = graph,
                       .data = data,
                       .config = config,
                       .talk = talk,
                       .arena = lac_arena_open(),
                       .began_s = lac_now_s()}};
    if (!t.s.arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to prune graph '%s'", graph->name);
    settle(&t);
    if (config->distill > 0) t.teacher = lac_graph_copy(graph, t.s.arena);
    lac_status status = check(&t, err);
    if (status == LAC_OK) status = prune(&t, err);
    lac_arena_close(t.s.arena);
    return status;
}

// ---- gradients over batches -----------------------------------------------------------------------------

static lac_status one_batch(lac_plan *plan, const lac_dataset *data, const lac_augment *pixels,
                            uint32_t *items, uint8_t *labels, int batch, lac_rng *rng, lac_error *err) {
    for (int i = 0; i < batch; i++) {
        items[i] = lac_rng_below(rng, data->train.n);
        labels[i] = data->train.labels[items[i]];
    }
    lac_augment_batch(pixels, data->train.pixels, items, (uint32_t)batch, -1, lac_plan_input(plan));
    LAC_TRY(lac_plan_forward(plan, err));
    lac_softmax_cross_entropy(lac_plan_output(plan), labels, (uint32_t)batch, data->n_classes, 0.0f,
                              lac_plan_output_gradient(plan));
    return lac_plan_backward(plan, err);
}

lac_status lac_gradient_batches(lac_graph *graph, const lac_dataset *data, int batch, int n_batches,
                                uint64_t seed, lac_batch_taker *take, void *ctx, lac_error *err) {
    lac_plan *plan = NULL;
    LAC_TRY(lac_graph_infer(graph, err));
    LAC_TRY(lac_plan_open(graph, &(lac_plan_config){.batch = batch, .train = true, .freeze_batch_norm = true},
                          &plan, err));
    lac_arena *scratch = lac_arena_open();
    lac_status status = LAC_OK;
    if (scratch) {
        uint32_t *items = LAC_NEW_ARRAY(scratch, uint32_t, batch);
        uint8_t *labels = LAC_NEW_ARRAY(scratch, uint8_t, batch);
        lac_augment pixels = lac_augment_make(data, 0, false, seed);
        lac_rng rng = lac_rng_make(seed, 0x9AD);
        const lac_gradients gradients = {plan};
        for (int b = 0; b < n_batches && status == LAC_OK; b++) {
            status = one_batch(plan, data, &pixels, items, labels, batch, &rng, err);
            if (status == LAC_OK) status = take(ctx, &gradients, err);
        }
    } else {
        status = lac_fail(err, LAC_E_MEMORY, "no memory for gradients of '%s'", graph->name);
    }
    lac_arena_close(scratch);
    lac_plan_close(plan);
    return status;
}
