#include "train.h"

#include "checkpoint.h"
#include "evaluate.h"
#include "loader.h"
#include "metrics.h"
#include "teacher.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

// One call of lac_train.
typedef struct session {
    lac_graph *graph;
    const lac_dataset *data;
    lac_recipe recipe; // defaults filled in
    const lac_train_hook *hook;
    const lac_distillation *distillation; // with regressors; NULL: none
    lac_distillation lesson;              // what it points to
    int n_nodes, n_values;                // of the graph without regressors
    const lac_talk *talk;
    lac_arena *arena;
    lac_plan *plan;
    lac_evaluator evaluator;
    lac_optimizer_state optimizer;
    lac_run_state run;
    lac_loader *loader;
    lac_teacher teacher;
    bool stopped_early;
    uint64_t n_steps, steps_per_epoch, hash;
    lac_progress progress;
    lac_metrics metrics;
    double began, saved; // seconds
} session;

static lac_recipe with_defaults(const lac_recipe *given) {
    lac_recipe r = *given;
    if (r.epochs == 0) r.epochs = 10;
    if (r.batch == 0) r.batch = 128;
    if (r.lr == 0) r.lr = r.optimizer == LAC_SGD ? 0.1f : 1e-3f;
    if (r.scale_lr == 0) r.scale_lr = 1;
    if (r.checkpoint_s == 0) r.checkpoint_s = 30;
    return r;
}

static lac_status check_recipe(const lac_recipe *r, const lac_dataset *data, lac_error *err) {
    if (!(r->epochs > 0) || !(r->lr > 0) || r->batch < 1)
        LAC_FAIL(err, LAC_E_RANGE, "recipe: epochs %g, lr %g and batch %d must be positive",
                 (double)r->epochs, (double)r->lr, r->batch);
    if (!(r->label_smoothing >= 0 && r->label_smoothing < 1) || r->crop_pad < 0 || !(r->weight_decay >= 0))
        LAC_FAIL(
            err, LAC_E_RANGE,
            "recipe: label smoothing %g must be in 0..1, crop padding %d and weight decay %g not negative",
            (double)r->label_smoothing, r->crop_pad, (double)r->weight_decay);
    if (r->cutout < 0 || !(r->erase >= 0 && r->erase <= 1) || !(r->mixup >= 0))
        LAC_FAIL(err, LAC_E_RANGE,
                 "recipe: cutout %d and mixup %g must not be negative, erase %g must be in 0..1", r->cutout,
                 (double)r->mixup, (double)r->erase);
    if (!(r->clip >= 0) || !(r->ema >= 0 && r->ema < 1) || r->patience < 0)
        LAC_FAIL(err, LAC_E_RANGE,
                 "recipe: clip %g and patience %d must not be negative, ema %g must be in 0..1",
                 (double)r->clip, r->patience, (double)r->ema);
    if (r->patience > 0 && data->validation.n == 0)
        LAC_FAIL(err, LAC_E_RANGE, "recipe: patience %d needs validation images, and none are held out",
                 r->patience);
    if ((uint32_t)r->batch > data->train.n)
        LAC_FAIL(err, LAC_E_RANGE, "recipe: batch %d is larger than the %u training images of '%s'", r->batch,
                 data->train.n, data->name);
    return LAC_OK;
}

static lac_status open_plan(session *s, lac_error *err) {
    const lac_recipe *r = &s->recipe;
    LAC_TRY(lac_teacher_open(s->distillation, s->graph, r->batch, &s->teacher, err));
    lac_plan_config config = {.batch = r->batch,
                              .train = true,
                              .freeze_batch_norm = r->freeze_batch_norm,
                              .precision = r->precision,
                              .taps = s->teacher.student_taps,
                              .n_taps = s->teacher.config.n_hints};
    return lac_plan_open(s->graph, &config, &s->plan, err);
}

static lac_status open_loader(session *s, lac_error *err) {
    const lac_recipe *r = &s->recipe;
    lac_loader_config config = {.augment = lac_augment_make(s->data, r->crop_pad, r->flip, r->seed),
                                .split = &s->data->train,
                                .batch = (uint32_t)r->batch,
                                .steps_per_epoch = s->steps_per_epoch,
                                .first_step = s->progress.step,
                                .n_steps = s->n_steps,
                                .seed = r->seed,
                                .mixup = r->mixup};
    config.augment.cutout = r->cutout;
    config.augment.erase = r->erase;
    return lac_loader_open(&config, &s->loader, err);
}

// What the run changes, and where it was left if there is a checkpoint.
static lac_status resume(session *s, lac_error *err) {
    const lac_recipe *r = &s->recipe;
    bool resumed = false;
    s->optimizer = lac_optimizer_make(s->graph, r, s->arena);
    s->run = (lac_run_state){.graph = s->graph, .optimizer = &s->optimizer};
    if (r->ema > 0) s->run.ema = lac_snapshot_new(s->graph, s->arena);
    if (s->hook && s->hook->best) s->run.best = lac_snapshot_new(s->graph, s->arena);
    if (s->hook) s->run.memory = s->hook->memory, s->run.n_memory = s->hook->n_memory;
    if (r->checkpoint)
        LAC_TRY(lac_checkpoint_load(r->checkpoint, s->hash, &s->run, &s->progress, &resumed, err));
    if (resumed)
        lac_talk_note(s->talk, "resuming from '%s' at step %llu of %llu", r->checkpoint,
                      (unsigned long long)s->progress.step, (unsigned long long)s->n_steps);
    return lac_metrics_open(&s->metrics, r->metrics, s->progress.metrics_bytes, err);
}

static lac_status add_regressors(session *s, uint64_t seed, lac_error *err) {
    if (!s->hook || !s->hook->distillation) return LAC_OK;
    s->distillation = &s->lesson;
    return lac_teacher_regressors(s->hook->distillation, s->graph, seed, &s->lesson, err);
}

static void remove_regressors(session *s) {
    s->graph->n_nodes = s->n_nodes;
    s->graph->n_values = s->n_values;
}

static lac_status open_session(session *s, const lac_recipe *recipe, lac_error *err) {
    LAC_TRY(lac_graph_infer(s->graph, err));
    LAC_TRY(lac_graph_fits(s->graph, s->data, err));
    s->recipe = with_defaults(recipe);
    const lac_recipe *r = &s->recipe;
    LAC_TRY(check_recipe(r, s->data, err));
    LAC_TRY(add_regressors(s, r->seed, err));
    s->steps_per_epoch = s->data->train.n / (uint32_t)r->batch;
    s->n_steps = (uint64_t)llround((double)r->epochs * (double)s->steps_per_epoch);
    if (s->n_steps == 0) s->n_steps = 1;
    s->hash = lac_run_hash(s->graph, r, s->data, s->distillation);
    LAC_TRY(resume(s, err));
    LAC_TRY(open_plan(s, err));
    LAC_TRY(open_loader(s, err));
    if (s->data->validation.n == 0) return LAC_OK;
    return lac_evaluator_open(s->graph, s->data, r->batch, &s->evaluator, err);
}

static void close_session(session *s) {
    lac_metrics_close(&s->metrics);
    lac_evaluator_close(&s->evaluator);
    lac_loader_close(s->loader);
    lac_teacher_close(&s->teacher);
    lac_plan_close(s->plan);
    lac_arena_close(s->arena);
}

// Forward and backward of a batch; the loss is the mean over its images.
static lac_status learn(session *s, const lac_batch *batch, lac_loss *loss, lac_error *err) {
    const lac_dataset *d = s->data;
    lac_targets targets = {.labels = batch->labels,
                           .partners = batch->partners,
                           .partner_share = batch->partner_share,
                           .smoothing = s->recipe.label_smoothing,
                           .n = (uint32_t)s->recipe.batch,
                           .n_classes = d->n_classes};
    size_t n_x = targets.n * (size_t)d->c * (size_t)d->h * (size_t)d->w;
    memcpy(lac_plan_input(s->plan), batch->x, n_x * sizeof(float));
    LAC_TRY(lac_teacher_run(&s->teacher, batch->x, n_x, &targets, err));
    LAC_TRY(lac_plan_forward(s->plan, err));
    *loss = lac_softmax_loss(lac_plan_output(s->plan), &targets, lac_plan_output_gradient(s->plan));
    loss->sum += lac_teacher_hints(&s->teacher, s->plan) * targets.n;
    if (!isfinite(loss->sum))
        LAC_FAIL(err, LAC_E_RANGE, "the loss of '%s' is no longer finite at step %llu; lower lr",
                 s->graph->name, (unsigned long long)s->progress.step);
    return lac_plan_backward(s->plan, err);
}

// The average starts as a plain mean of what there is, so that the first steps do not weigh on it.
static void average(session *s) {
    double t = (double)s->progress.step, start = (1 + t) / (10 + t), decay = (double)s->recipe.ema;
    if (s->run.ema) lac_snapshot_average(s->run.ema, s->graph, (float)(start < decay ? start : decay));
}

float *lac_gradient_of(const lac_gradients *gradients, int value) {
    return (float *)lac_plan_gradient(gradients->plan, value); // the plan's own buffer
}

static lac_status train_step(session *s, float lr, lac_error *err) {
    lac_progress *p = &s->progress;
    lac_loss loss = {0};
    if (s->hook && s->hook->before_step)
        LAC_TRY(s->hook->before_step(s->hook->ctx, s->graph, p->step, s->n_steps, err));
    lac_masks_apply(s->graph);
    LAC_TRY(learn(s, lac_loader_next(s->loader), &loss, err));
    const lac_gradients gradients = {s->plan};
    if (s->hook && s->hook->after_backward)
        LAC_TRY(s->hook->after_backward(s->hook->ctx, s->graph, &gradients, p->step, s->n_steps, err));
    lac_optimizer_update(&s->optimizer, s->graph, s->plan, lr, p->step);
    average(s);
    p->step++;
    p->epoch_loss += loss.sum;
    p->epoch_right += loss.n_right;
    p->epoch_images += (uint32_t)s->recipe.batch;
    return LAC_OK;
}

static double train_loss(const lac_progress *p) {
    return p->epoch_images ? p->epoch_loss / (double)p->epoch_images : 0;
}

static double train_accuracy(const lac_progress *p) {
    return p->epoch_images ? (double)p->epoch_right / (double)p->epoch_images : 0;
}

// Measures what would be kept now: the running average where there is one.
static lac_status validate(session *s, double epoch, lac_eval_result *result, lac_error *err) {
    lac_progress *p = &s->progress;
    if (!s->evaluator.plan) return LAC_OK;
    if (s->run.ema) lac_snapshot_swap(s->run.ema, s->graph);
    lac_masks_apply(s->graph);
    lac_status status =
        lac_evaluator_run(&s->evaluator, &s->data->validation, 0, NULL, "validate", result, err);
    bool better = status == LAC_OK && result->accuracy > p->best_validation_accuracy;
    if (better && s->run.best) lac_snapshot_take(s->run.best, s->graph);
    if (s->run.ema) lac_snapshot_swap(s->run.ema, s->graph);
    LAC_TRY(status);
    p->validation_loss = result->loss;
    p->validation_accuracy = result->accuracy;
    p->bad_epochs = better ? 0 : p->bad_epochs + 1;
    if (better) p->best_validation_accuracy = result->accuracy;
    if (better) p->best_epoch = epoch;
    return LAC_OK;
}

static void tell_epoch(const session *s, double epoch) {
    const lac_progress *p = &s->progress;
    if (s->evaluator.plan)
        lac_talk_note(s->talk, "epoch %.4g: loss %.4f, train accuracy %.2f %%, validation accuracy %.2f %%",
                      epoch, p->train_loss, 100 * train_accuracy(p), 100 * p->validation_accuracy);
    else
        lac_talk_note(s->talk, "epoch %.4g: loss %.4f, train accuracy %.2f %%", epoch, p->train_loss,
                      100 * train_accuracy(p));
}

static lac_status end_epoch(session *s, float lr, lac_error *err) {
    lac_progress *p = &s->progress;
    lac_eval_result validation = {0};
    double epoch = (double)p->step / (double)s->steps_per_epoch;
    p->train_loss = train_loss(p);
    LAC_TRY(validate(s, epoch, &validation, err));
    tell_epoch(s, epoch);
    lac_metrics_line line = {
        p->step,           epoch,           (double)lr,          p->train_loss,
        train_accuracy(p), validation.loss, validation.accuracy, s->evaluator.plan != NULL};
    lac_metrics_write(&s->metrics, &line);
    p->epoch_loss = 0;
    p->epoch_right = p->epoch_images = 0;
    s->stopped_early = s->recipe.patience > 0 && p->bad_epochs >= (uint64_t)s->recipe.patience;
    return LAC_OK;
}

static lac_status save(session *s, lac_error *err) {
    if (!s->recipe.checkpoint) return LAC_OK;
    lac_progress now = s->progress;
    now.seconds += lac_now_s() - s->began;
    LAC_TRY(lac_metrics_flush(&s->metrics, &now.metrics_bytes, err));
    s->saved = lac_now_s();
    return lac_checkpoint_save(s->recipe.checkpoint, s->hash, &s->run, &now, err);
}

static lac_status stop_here(session *s, lac_error *err) {
    const unsigned long long step = s->progress.step, n = s->n_steps;
    LAC_TRY(save(s, err));
    if (!s->recipe.checkpoint)
        LAC_FAIL(err, LAC_E_INTERRUPTED, "training stopped at step %llu of %llu; no checkpoint was asked for",
                 step, n);
    LAC_FAIL(err, LAC_E_INTERRUPTED, "training stopped at step %llu of %llu; the same call resumes from '%s'",
             step, n, s->recipe.checkpoint);
}

static void report(const session *s, float lr) {
    const lac_progress *p = &s->progress;
    lac_talk_step(s->talk, "train", p->step, s->n_steps, "epoch %.2f, lr %.4f, loss %.4f, accuracy %.2f %%",
                  (double)p->step / (double)s->steps_per_epoch, (double)lr, train_loss(p),
                  100 * train_accuracy(p));
}

static lac_status run_steps(session *s, lac_error *err) {
    enum { METRICS_EVERY = 50 };
    lac_progress *p = &s->progress;
    while (p->step < s->n_steps) {
        float lr = lac_schedule_lr(&s->recipe, p->step, s->n_steps, s->steps_per_epoch);
        LAC_TRY(train_step(s, lr, err));
        report(s, lr);
        if (p->step % METRICS_EVERY == 0) {
            double epoch = (double)p->step / (double)s->steps_per_epoch;
            lac_metrics_line line = {p->step,           epoch, (double)lr, train_loss(p),
                                     train_accuracy(p), 0,     0,          false};
            lac_metrics_write(&s->metrics, &line);
        }
        bool epoch_ends = p->step % s->steps_per_epoch == 0 || p->step == s->n_steps;
        if (epoch_ends) LAC_TRY(end_epoch(s, lr, err));
        if (p->step == s->n_steps || s->stopped_early) break;
        if (lac_talk_stop(s->talk)) return stop_here(s, err);
        if (epoch_ends || lac_now_s() - s->saved > (double)s->recipe.checkpoint_s) LAC_TRY(save(s, err));
    }
    return lac_metrics_flush(&s->metrics, NULL, err);
}

static void fill_result(const session *s, lac_train_result *result) {
    const lac_progress *p = &s->progress;
    double seconds = p->seconds + lac_now_s() - s->began;
    *result = (lac_train_result){.epochs = (double)p->step / (double)s->steps_per_epoch,
                                 .best_epoch = p->best_epoch,
                                 .stopped_early = s->stopped_early,
                                 .train_loss = p->train_loss,
                                 .validation_loss = p->validation_loss,
                                 .validation_accuracy = p->validation_accuracy,
                                 .best_validation_accuracy = p->best_validation_accuracy,
                                 .seconds = seconds};
    if (seconds > 0) result->images_per_s = (double)(p->step * (uint64_t)s->recipe.batch) / seconds;
}

// What the caller gets: the last average, the best epoch.
static void hand_over(session *s) {
    if (s->run.ema) lac_snapshot_give(s->run.ema, s->graph);
    lac_masks_apply(s->graph);
    if (s->run.best) lac_snapshot_give(s->run.best, s->hook->best);
}

lac_status lac_train(lac_graph *graph, const lac_dataset *data, const lac_recipe *recipe,
                     const lac_train_hook *hook, const lac_talk *talk, lac_train_result *result,
                     lac_error *err) {
    session s = {.graph = graph,
                 .data = data,
                 .hook = hook,
                 .n_nodes = graph->n_nodes,
                 .n_values = graph->n_values,
                 .talk = talk,
                 .arena = lac_arena_open()};
    if (!s.arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to train graph '%s'", graph->name);
    s.began = s.saved = lac_now_s();
    lac_status status = open_session(&s, recipe, err);
    if (status == LAC_OK) status = run_steps(&s, err);
    if (status == LAC_OK) hand_over(&s);
    if (status == LAC_OK && result) fill_result(&s, result);
    if (status == LAC_OK && s.recipe.checkpoint) unlink(s.recipe.checkpoint);
    close_session(&s);
    remove_regressors(&s);
    return status;
}
