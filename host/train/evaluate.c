#include "evaluate.h"

#include "loss.h"

#include <string.h>

enum { EVAL_BATCH = 128 };

lac_status lac_graph_fits(const lac_graph *graph, const lac_dataset *data, lac_error *err) {
    lac_shape image = LAC_SHAPE(1, data->c, data->h, data->w), classes = LAC_SHAPE(1, data->n_classes);
    lac_shape in = graph->values[graph->input].shape, out = graph->values[graph->output].shape;
    char a[96], b[96];
    if (!lac_shape_equal(in, image))
        LAC_FAIL(err, LAC_E_SHAPE, "graph '%s' takes %s, images of '%s' are %s", graph->name,
                 lac_shape_print(in, a), data->name, lac_shape_print(image, b));
    if (!lac_shape_equal(out, classes))
        LAC_FAIL(err, LAC_E_SHAPE, "graph '%s' gives %s, '%s' has %d classes: expected %s", graph->name,
                 lac_shape_print(out, a), data->name, data->n_classes, lac_shape_print(classes, b));
    return LAC_OK;
}

lac_status lac_evaluator_open(const lac_graph *graph, const lac_dataset *data, int batch, lac_evaluator *out,
                              lac_error *err) {
    *out = (lac_evaluator){.batch = batch, .n_classes = data->n_classes};
    out->pixels = lac_augment_make(data, 0, false, 0);
    return lac_plan_open(graph, &(lac_plan_config){.batch = batch}, &out->plan, err);
}

void lac_evaluator_close(lac_evaluator *evaluator) {
    lac_plan_close(evaluator->plan);
    evaluator->plan = NULL;
}

// Images first .. first + n - 1; the rest of the batch keeps what was there.
static lac_status run_batch(lac_evaluator *e, const lac_split *split, uint32_t first, uint32_t n,
                            lac_loss *sum, lac_error *err) {
    size_t size = (size_t)e->pixels.c * (size_t)e->pixels.h * (size_t)e->pixels.w;
    lac_augment_batch(&e->pixels, split->pixels + first * size, NULL, n, -1, lac_plan_input(e->plan));
    LAC_TRY(lac_plan_forward(e->plan, err));
    lac_loss loss = lac_softmax_cross_entropy(lac_plan_output(e->plan), split->labels + first, n,
                                              e->n_classes, 0.0f, NULL);
    sum->sum += loss.sum;
    sum->n_right += loss.n_right;
    return LAC_OK;
}

lac_status lac_evaluator_run(lac_evaluator *e, const lac_split *split, uint32_t limit, const lac_talk *talk,
                             const char *stage, lac_eval_result *result, lac_error *err) {
    uint32_t n = limit && limit < split->n ? limit : split->n;
    lac_loss sum = {0};
    LAC_TRY(lac_plan_refresh(e->plan, err));
    for (uint32_t first = 0; first < n;) {
        uint32_t n_now = n - first < (uint32_t)e->batch ? n - first : (uint32_t)e->batch;
        LAC_TRY(run_batch(e, split, first, n_now, &sum, err));
        first += n_now;
        lac_talk_step(talk, stage, first, n, "accuracy %.2f %%", 100.0 * sum.n_right / first);
        if (first < n && lac_talk_stop(talk))
            LAC_FAIL(err, LAC_E_INTERRUPTED, "stopped after %u of %u images", first, n);
    }
    if (n == 0) LAC_FAIL(err, LAC_E_RANGE, "there are no images to evaluate on");
    *result = (lac_eval_result){sum.sum / n, (double)sum.n_right / n, sum.n_right, n};
    return LAC_OK;
}

// A copy whose shapes are inferred, so that callers may pass a graph that was just read.
static lac_status inferred_copy(const lac_graph *graph, lac_arena **arena, lac_graph **out, lac_error *err) {
    *arena = lac_arena_open();
    if (!*arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to run graph '%s'", graph->name);
    *out = lac_graph_copy(graph, *arena);
    return lac_graph_infer(*out, err);
}

lac_status lac_evaluate(const lac_graph *graph, const lac_dataset *data, const lac_split *split,
                        uint32_t limit, const lac_talk *talk, lac_eval_result *result, lac_error *err) {
    lac_arena *arena = NULL;
    lac_graph *copy = NULL;
    lac_evaluator evaluator = {0};
    lac_status status = inferred_copy(graph, &arena, &copy, err);
    if (status == LAC_OK) status = lac_graph_fits(copy, data, err);
    if (status == LAC_OK) status = lac_evaluator_open(copy, data, EVAL_BATCH, &evaluator, err);
    if (status == LAC_OK) status = lac_evaluator_run(&evaluator, split, limit, talk, "evaluate", result, err);
    lac_evaluator_close(&evaluator);
    lac_arena_close(arena);
    return status;
}

void lac_normalize(const lac_dataset *data, const uint8_t *pixels, uint32_t n, float *x) {
    lac_augment a = lac_augment_make(data, 0, false, 0);
    lac_augment_batch(&a, pixels, NULL, n, -1, x);
}

// ---- inference on given floats --------------------------------------------------------------------------

typedef struct sink {
    float *out; // logits, or NULL
    lac_value_visitor *visit;
    void *ctx;
    float *scratch; // largest activation of a batch
} sink;

static lac_status visit_values(lac_plan *plan, const lac_graph *graph, uint32_t n, const sink *s,
                               lac_error *err) {
    for (int i = -1; i < graph->n_nodes; i++) {
        int v = i < 0 ? graph->input : graph->nodes[i].out;
        if (!lac_plan_is_activation(plan, v)) continue;
        LAC_TRY(lac_plan_read(plan, v, s->scratch, err));
        lac_shape shape = graph->values[v].shape;
        shape.dim[0] = n;
        s->visit(s->ctx, v, s->scratch, shape);
    }
    return LAC_OK;
}

static lac_status infer_batches(const lac_graph *graph, lac_plan *plan, const float *x, uint32_t n,
                                uint32_t batch, const sink *s, lac_error *err) {
    size_t in = (size_t)lac_shape_count(graph->values[graph->input].shape);
    size_t out = (size_t)lac_shape_count(graph->values[graph->output].shape);
    for (uint32_t first = 0; first < n; first += batch) {
        uint32_t n_now = n - first < batch ? n - first : batch;
        memcpy(lac_plan_input(plan), x + first * in, n_now * in * sizeof *x);
        LAC_TRY(lac_plan_forward(plan, err));
        if (s->out) memcpy(s->out + first * out, lac_plan_output(plan), n_now * out * sizeof *x);
        if (s->visit) LAC_TRY(visit_values(plan, graph, n_now, s, err));
    }
    return LAC_OK;
}

static size_t largest_value(const lac_graph *graph) {
    int64_t most = 0;
    for (int v = 0; v < graph->n_values; v++) {
        int64_t n = lac_shape_count(graph->values[v].shape);
        if (n > most) most = n;
    }
    return (size_t)most;
}

static lac_status infer(const lac_graph *graph, const float *x, uint32_t n, sink *s, lac_error *err) {
    lac_arena *arena = NULL;
    lac_graph *copy = NULL;
    lac_plan *plan = NULL;
    uint32_t batch = n < EVAL_BATCH ? n : EVAL_BATCH;
    if (n == 0) return LAC_OK;
    lac_status status = inferred_copy(graph, &arena, &copy, err);
    lac_plan_config config = {.batch = (int)batch, .keep_all = s->visit != NULL};
    if (status == LAC_OK && s->visit) s->scratch = LAC_NEW_ARRAY(arena, float, batch *largest_value(copy));
    if (status == LAC_OK) status = lac_plan_open(copy, &config, &plan, err);
    if (status == LAC_OK) status = infer_batches(copy, plan, x, n, batch, s, err);
    lac_plan_close(plan);
    lac_arena_close(arena);
    return status;
}

lac_status lac_infer(const lac_graph *graph, const float *x, uint32_t n, float *out, lac_error *err) {
    return infer(graph, x, n, &(sink){.out = out}, err);
}

lac_status lac_infer_visit(const lac_graph *graph, const float *x, uint32_t n, lac_value_visitor *visit,
                           void *ctx, lac_error *err) {
    return infer(graph, x, n, &(sink){.visit = visit, .ctx = ctx}, err);
}
