#include "structured.h"

#include "op.h"
#include "reconstruct.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

// Cycles of what would be left: lists of a few weights cost more than their share, so the sum over terms that
// chooses is not the whole truth.
static lac_status cycles_left(const lac_structured *s, const bool *open, double *cycles, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to prune graph '%s'", s->graph->name);
    lac_graph *copy = lac_graph_copy(s->graph, scratch);
    lac_status status = lac_gates_remove(copy, s->gates, open, err);
    if (status == LAC_OK) *cycles = (double)lac_engine_cycles(copy, &s->config->engine, NULL);
    lac_arena_close(scratch);
    return status;
}

// Aims the sum of terms higher or lower until the cycles that are left are within the target and near it.
static lac_status select_cycles(const lac_structured *s, const double *score, bool *open, lac_error *err) {
    enum { MOST_AIMS = 10 };
    size_t n_bytes = (size_t)s->gates->n * sizeof *open;
    bool *nearest = LAC_NEW_ARRAY(s->arena, bool, s->gates->n);
    double aim = s->target, cycles = 0, best = 0;
    for (int i = 0; i < MOST_AIMS && best < s->target * (1 - LAC_BUDGET_TOLERANCE); i++) {
        LAC_TRY(lac_gates_select(&s->cost, score, aim, open, err));
        LAC_TRY(cycles_left(s, open, &cycles, err));
        if (cycles <= s->target && cycles > best) {
            best = cycles;
            memcpy(nearest, open, n_bytes);
        }
        // A little short of the target, which must not be passed.
        aim = lac_gate_cost_open(&s->cost, open) * s->target / cycles * (1 - LAC_BUDGET_TOLERANCE / 4);
    }
    if (best == 0)
        LAC_FAIL(err, LAC_E_RANGE,
                 "the budget is %.0f cycles, but %.0f are the fewest found; raise the budget", s->target,
                 cycles);
    memcpy(open, nearest, n_bytes);
    return LAC_OK;
}

lac_status lac_structured_select(const lac_structured *s, const double *score, bool *open, lac_error *err) {
    if (s->config->budget.unit == LAC_COST_CYCLES) return select_cycles(s, score, open, err);
    return lac_gates_select(&s->cost, score, s->target, open, err);
}

// ---- comparing layers -----------------------------------------------------------------------------------

void lac_gates_rank(const lac_gates *gates, double *score) {
    lac_ranked *order = calloc((size_t)gates->n + 1, sizeof *order);
    int *size = calloc((size_t)gates->n_vectors + 1, sizeof *size);
    int *place = calloc((size_t)gates->n_vectors + 1, sizeof *place);
    if (order && size && place) {
        for (int i = 0; i < gates->n; i++) size[gates->vector[i]]++;
        lac_gates_order(score, gates->n, order);
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
    if (r->n_closed > 0 && r->cost_after < r->target * (1 - LAC_BUDGET_TOLERANCE))
        lac_talk_note(s->talk,
                      "%.1f %% of the target stay unused: no channel of this network is small enough",
                      100 * (1 - r->cost_after / r->target));
    if (s->config->result) *s->config->result = *r;
}

lac_status lac_structured_finish(lac_structured *s, const bool *open, const char *method, lac_error *err) {
    lac_prune_result r = {.cost_before = s->cost_before, .target = s->target, .n_gates = s->gates->n};
    r.cost_after = lac_gate_cost_open(&s->cost, open);
    for (int i = 0; i < s->gates->n; i++) r.n_closed += !open[i];
    if (s->config->reconstruct) LAC_TRY(lac_reconstruct(s, open, err));
    LAC_TRY(lac_gates_remove(s->graph, s->gates, open, err));
    if (s->config->budget.unit == LAC_COST_CYCLES)
        r.cost_after = (double)lac_engine_cycles(s->graph, &s->config->engine, NULL);
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
    LAC_TRY(lac_structured_select(s, score, open, err));
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
