#include "structured.h"

#include "op.h"

#include <stdio.h>
#include <stdlib.h>

static lac_status find_target(lac_structured *s, lac_error *err) {
    const lac_budget *b = &s->config->budget;
    double amount = b->amount != 0 ? b->amount : s->config->density;
    if (!(amount > 0))
        LAC_FAIL(err, LAC_E_USAGE, "the budget is %g, must be above 0: a share up to 1, or an amount",
                 amount);
    s->target = amount <= 1 ? amount * s->cost_before : amount;
    return LAC_OK;
}

static lac_status prepare(lac_structured *s, bool linears, lac_error *err) {
    LAC_TRY(lac_graph_infer(s->graph, err));
    if (s->config->distill > 0) s->teacher = lac_graph_copy(s->graph, s->arena);
    lac_channels *channels = lac_channels_find(s->graph, s->arena);
    lac_gate_rules rules = lac_gate_rules_for(s->graph, linears);
    s->gates = lac_gates_find(s->graph, channels, &rules, s->arena);
    if (s->gates->n == 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "graph '%s' has no channels that could go: all are the image's or the logits'",
                 s->graph->name);
    s->cost = lac_gate_cost_make(s->gates, s->config->budget.unit, &s->config->engine, s->arena);
    s->cost_before = lac_gate_cost_of(&s->cost, NULL, NULL);
    return find_target(s, err);
}

lac_status lac_structured_open(lac_structured *s, lac_graph *graph, const lac_dataset *data,
                               const lac_prune_config *config, bool linears, const lac_talk *talk,
                               lac_error *err) {
    *s = (lac_structured){.graph = graph,
                          .data = data,
                          .config = config,
                          .talk = talk,
                          .arena = lac_arena_open(),
                          .began_s = lac_now_s()};
    if (!s->arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to prune graph '%s'", graph->name);
    return prepare(s, linears, err);
}

void lac_structured_close(lac_structured *s) {
    lac_arena_close(s->arena);
    s->arena = NULL;
}

// ---- selection ------------------------------------------------------------------------------------------

typedef struct ranked {
    double score;
    int gate;
} ranked;

static int by_score(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    return y->gate - x->gate; // of equals the later goes first
}

static double close_lowest(const lac_gate_cost *cost, const double *score, const ranked *order, int n_closed,
                           bool *open) {
    for (int i = 0; i < cost->gates->n; i++) open[order[i].gate] = i >= n_closed;
    lac_gates_keep_one(cost->gates, score, open);
    return lac_gate_cost_open(cost, open);
}

lac_status lac_gates_select(const lac_gate_cost *cost, const double *score, double target, bool *open,
                            lac_error *err) {
    int n = cost->gates->n, low = 0, high = n; // so many closed: too dear at low - 1, within at high
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to order %d gates", n);
    ranked *order = LAC_NEW_ARRAY(scratch, ranked, n);
    for (int i = 0; i < n; i++) order[i] = (ranked){score[i], i};
    qsort(order, (size_t)n, sizeof *order, by_score);
    double least = close_lowest(cost, score, order, n, open);
    while (low < high && least <= target) {
        int middle = (low + high) / 2;
        if (close_lowest(cost, score, order, middle, open) <= target)
            high = middle;
        else
            low = middle + 1;
    }
    if (least <= target) close_lowest(cost, score, order, high, open);
    lac_arena_close(scratch);
    if (least > target)
        LAC_FAIL(err, LAC_E_RANGE,
                 "the budget is %.0f, but one channel a layer already costs %.0f; raise the budget", target,
                 least);
    return LAC_OK;
}

// ---- comparing layers -----------------------------------------------------------------------------------

void lac_gates_rank(const lac_gates *gates, double *score) {
    ranked *order = calloc((size_t)gates->n + 1, sizeof *order);
    int *size = calloc((size_t)gates->n_vectors + 1, sizeof *size);
    int *place = calloc((size_t)gates->n_vectors + 1, sizeof *place);
    for (int i = 0; order && size && place && i < gates->n; i++) {
        order[i] = (ranked){score[i], i};
        size[gates->vector[i]]++;
    }
    if (order && size && place) {
        qsort(order, (size_t)gates->n, sizeof *order, by_score);
        for (int i = 0; i < gates->n; i++) {
            int v = gates->vector[order[i].gate];
            score[order[i].gate] = (place[v]++ + 0.5) / size[v];
        }
    }
    free(order);
    free(size);
    free(place);
}

void lac_gates_normalize(const lac_gates *gates, double *score) {
    for (int v = 0; v < gates->n_vectors; v++) {
        double sum = 0;
        int n = 0;
        for (int i = 0; i < gates->n; i++)
            if (gates->vector[i] == v) {
                sum += score[i];
                n++;
            }
        for (int i = 0; i < gates->n; i++)
            if (gates->vector[i] == v && sum > 0) score[i] *= n / sum;
    }
}

void lac_gates_visit_rows(const lac_gates *gates, lac_row_visitor *visit, void *ctx) {
    const lac_graph *graph = gates->graph;
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        if ((node->op != LAC_OP_CONV2D && node->op != LAC_OP_LINEAR) || !gates->channels->n_of[node->out])
            continue;
        const lac_value *w = &graph->values[lac_constant_of(graph, node, 1)];
        int64_t n_out = w->shape.dim[0], each = lac_shape_count(w->shape) / n_out;
        for (int64_t o = 0; o < n_out; o++)
            if (gates->at[node->out][o] >= 0)
                visit(ctx, gates->at[node->out][o], node, w->data + o * each, each);
    }
}

// ---- after the choice -----------------------------------------------------------------------------------

static lac_status measure(const lac_structured *s, double *accuracy, lac_error *err) {
    lac_eval_result result;
    *accuracy = -1;
    if (s->data->validation.n == 0) return LAC_OK;
    LAC_TRY(lac_evaluate(s->graph, s->data, &s->data->validation, 0, s->talk, &result, err));
    *accuracy = result.accuracy;
    return LAC_OK;
}

static void record(const lac_structured *s, const char *method, const lac_prune_result *r) {
    static const char *const units[LAC_N_COST_UNITS] = {"MACs", "bytes", "cycles"};
    char text[160];
    snprintf(text, sizeof text, "%s %.0f of %.0f %s", method, r->cost_after, r->cost_before,
             units[s->config->budget.unit]);
    lac_graph_set_meta(s->graph, "lacuna.pruner", text);
    lac_talk_note(s->talk, "%s, target %.0f: %d of %d channels closed, validation accuracy %.2f %%", text,
                  r->target, r->n_closed, r->n_gates, 100 * r->pruned_accuracy);
    if (s->config->result) *s->config->result = *r;
}

lac_status lac_structured_finish(lac_structured *s, const bool *open, const char *method, lac_error *err) {
    lac_prune_result r = {.cost_before = s->cost_before, .target = s->target, .n_gates = s->gates->n};
    r.cost_after = lac_gate_cost_open(&s->cost, open);
    for (int i = 0; i < s->gates->n; i++) r.n_closed += !open[i];
    LAC_TRY(lac_gates_remove(s->graph, s->gates, open, err));
    if (s->config->reestimate_batches > 0)
        LAC_TRY(
            lac_norms_measure(s->graph, s->data, s->config->reestimate_batches, s->config->recipe.seed, err));
    LAC_TRY(measure(s, &r.pruned_accuracy, err));
    r.prune_seconds = lac_now_s() - s->began_s;
    record(s, method, &r);
    if (s->config->no_training) return LAC_OK;
    const lac_distillation lesson = {.teacher = s->teacher, .weight = s->config->distill};
    const lac_train_hook hook = {.distillation = s->teacher ? &lesson : NULL};
    return lac_train(s->graph, s->data, &s->config->recipe, &hook, s->talk, NULL, err);
}

static lac_status score_and_finish(const lac_criterion *criterion, lac_structured *s, lac_error *err) {
    double *score = LAC_NEW_ARRAY(s->arena, double, s->gates->n);
    bool *open = LAC_NEW_ARRAY(s->arena, bool, s->gates->n);
    LAC_TRY(criterion->score(s, score, err));
    lac_scope scope = s->config->scope == LAC_SCOPE_METHOD ? criterion->scope : s->config->scope;
    if (scope == LAC_SCOPE_LAYER)
        lac_gates_rank(s->gates, score);
    else if (!criterion->comparable)
        lac_gates_normalize(s->gates, score);
    LAC_TRY(lac_gates_select(&s->cost, score, s->target, open, err));
    return lac_structured_finish(s, open, criterion->name, err);
}

lac_status lac_structured_run(const lac_criterion *criterion, lac_graph *graph, const lac_dataset *data,
                              const lac_prune_config *config, const lac_talk *talk, lac_error *err) {
    lac_structured s;
    lac_status status = lac_structured_open(&s, graph, data, config, true, talk, err);
    if (status == LAC_OK) status = score_and_finish(criterion, &s, err);
    lac_structured_close(&s);
    return status;
}
