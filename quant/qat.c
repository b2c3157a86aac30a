#include "qat.h"
#include "digit_pull.h"
#include "op.h"
#include "optimizer.h"
#include "prepare.h"
#include "quant_codes.h"
#include "sites.h"
#include "snap.h"

#include <math.h>

bool lac_quantizes_weights(const lac_graph *graph, int node) {
    return graph->values[graph->nodes[node].in[0]].data != NULL;
}

static bool is_quantizer(const lac_node *node) {
    return node->op == LAC_OP_QUANT || node->op == LAC_OP_BIPOLAR_QUANT;
}

// A step that overshoots must not turn a scale around: the codes would change sign at once.
static void keep_positive(lac_value *scale) {
    const float least = 1e-7f;
    int64_t count = lac_shape_count(scale->shape);
    for (int64_t i = 0; i < count; i++)
        if (scale->data[i] < least) scale->data[i] = least;
}

// Scale of a wide weight quantizer: its largest weight gets the largest code. An empty channel keeps its
// scale.
static void track_range(const lac_value *w, lac_value *scale, int highest) {
    int64_t n_out = lac_shape_count(scale->shape), n = lac_shape_count(w->shape) / n_out;
    for (int64_t o = 0; o < n_out; o++) {
        float largest = 0;
        for (int64_t i = 0; i < n; i++) largest = fmaxf(largest, fabsf(w->data[o * n + i]));
        if (largest > 0) scale->data[o] = largest / (float)highest;
    }
}

void lac_settle_scales(lac_graph *graph, int index, double decay) {
    const lac_node *node = &graph->nodes[index];
    lac_value *scale = &graph->values[node->in[1]];
    (void)decay;
    if (lac_quantizes_weights(graph, index) && node->op == LAC_OP_QUANT && !scale->trainable &&
        node->attr.quant.bits >= LAC_TRACKED_WEIGHT_BITS)
        track_range(&graph->values[node->in[0]], scale, lac_quant_highest(node->attr.quant));
    keep_positive(scale);
}

const int8_t *lac_level_table(const bool allowed[256], lac_arena *arena) {
    int8_t *table = LAC_NEW_ARRAY(arena, int8_t, 512);
    for (int i = 0; i < 512; i++) {
        double v = i / 2.0 - 128 + 0.25, least = INFINITY; // the middle of the half: never a tie of integers
        for (int c = -128; c < 128; c++)
            if (allowed[c + 128] && fabs(v - c) < least) least = fabs(v - c), table[i] = (int8_t)c;
    }
    return table;
}

// ---- the run ----------------------------------------------------------------------------------------------

typedef struct session {
    const lac_qat_method *method;
    const lac_quant_config *config;
    uint64_t steps_per_epoch;
} session;

static void settle(const session *s, lac_graph *graph, double decay) {
    for (int n = 0; n < graph->n_nodes; n++)
        if (is_quantizer(&graph->nodes[n])) s->method->settle(graph, n, decay);
}

static lac_status before_step(void *ctx, lac_graph *graph, uint64_t step, uint64_t n_steps, lac_error *err) {
    const session *s = ctx;
    (void)err;
    float lr = lac_schedule_lr(&s->config->recipe, step, n_steps, s->steps_per_epoch);
    settle(s, graph, (double)lr * (double)s->config->recipe.weight_decay);
    return LAC_OK;
}

double lac_qat_digit_reach(const lac_quant_config *config) {
    return config->digit_reach > 0 ? (double)config->digit_reach : 4;
}

// The penalty on digits, over all weights whose codes it knows.
static lac_status after_backward(void *ctx, lac_graph *graph, const lac_gradients *gradients, uint64_t step,
                                 uint64_t n_steps, lac_error *err) {
    const session *s = ctx;
    (void)step, (void)n_steps, (void)err;
    for (int n = 0; n < graph->n_nodes && s->config->digit_pull > 0; n++) {
        const lac_node *node = &graph->nodes[n];
        const lac_quant_rule *rule = node->op == LAC_OP_QUANT ? node->attr.quant.rule : NULL;
        if (!rule || !rule->level || !lac_quantizes_weights(graph, n)) continue;
        const lac_value *w = &graph->values[node->in[0]], *scale = &graph->values[node->in[1]];
        float *gradient = lac_gradient_of(gradients, node->in[0]);
        if (!gradient) continue;
        (void)lac_digit_pull(rule->level, (double)s->config->digit_pull, lac_qat_digit_reach(s->config),
                             w->data, (size_t)lac_shape_count(w->shape), scale->data,
                             (int)lac_shape_count(scale->shape), gradient);
    }
    return LAC_OK;
}

// An offset becomes the zero point that it stood for; quantizers that share it share their scale.
static void bake_offset(lac_graph *graph, lac_node *node) {
    lac_value *zero = &graph->values[node->in[2]];
    float lowest = (float)lac_quant_lowest(node->attr.quant),
          highest = (float)lac_quant_highest(node->attr.quant);
    if (zero->trainable) {
        float code = rintf(-zero->data[0] / graph->values[node->in[1]].data[0]);
        zero->data[0] = fminf(fmaxf(code, lowest), highest);
    }
    zero->trainable = false;
    node->attr.quant.rule = NULL;
}

// Two scales become the codes that stood for them, as wide as the largest, of one scale.
static void bake_pair(lac_graph *graph, lac_node *node) {
    const lac_quant_rule *rule = node->attr.quant.rule;
    lac_value *scale = &graph->values[node->in[1]], *third = &graph->values[node->in[2]];
    int64_t n = lac_shape_count(scale->shape);
    int largest = 1, bits = 2;
    for (int64_t o = 0; o < n; o++) {
        scale->data[o] = rule->step[o];
        third->data[o] = 0;
        for (int k = 0; k < 2; k++)
            if (rule->pair[o][k] > largest) largest = rule->pair[o][k];
    }
    while ((1 << (bits - 1)) - 1 < largest) bits++;
    scale->trainable = third->trainable = false;
    node->attr.quant.bits = bits;
}

// Weights become what their rule makes of them, so that a plain quantizer gives the same.
static void bake(lac_graph *graph) {
    for (int n = 0; n < graph->n_nodes; n++) {
        lac_node *node = &graph->nodes[n];
        if (node->op != LAC_OP_QUANT || !node->attr.quant.rule) continue;
        if (node->attr.quant.rule->learns_offset) {
            bake_offset(graph, node);
            continue;
        }
        if (node->attr.quant.rule->pair) bake_pair(graph, node);
        lac_value *w = &graph->values[node->in[0]], *scale = &graph->values[node->in[1]];
        size_t n_scales = (size_t)lac_shape_count(scale->shape),
               count = w->data ? (size_t)lac_shape_count(w->shape) : 0;
        if (count) lac_quant_codes(node->attr.quant, w->data, count, scale->data, (int)n_scales, w->data);
        for (size_t i = 0; i < count; i++) w->data[i] *= scale->data[i / (count / n_scales)];
        node->attr.quant.rule = NULL;
    }
}

static lac_status train(lac_graph *graph, const lac_graph *teacher, const lac_dataset *data, session *s,
                        const lac_talk *talk, lac_error *err) {
    const lac_quant_config *config = s->config;
    const lac_distillation lesson = {
        .teacher = teacher, .weight = config->distill, .temperature = config->temperature};
    const lac_train_hook hook = {.before_step = before_step,
                                 .after_backward = after_backward,
                                 .ctx = s,
                                 .distillation = config->distill > 0 ? &lesson : NULL};
    lac_train_result result;
    return lac_train(graph, data, &config->recipe, &hook, talk, &result, err);
}

lac_status lac_qat_run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *given,
                       const lac_qat_method *method, const lac_talk *talk, lac_error *err) {
    lac_quant_config own = *given;
    own.ternary |= method->ternary;
    own.asymmetric |= method->asymmetric;
    const lac_quant_config *config = &own;
    const lac_graph *teacher = config->teacher;
    if (config->distill > 0 && !teacher) teacher = lac_graph_copy(graph, graph->arena);
    LAC_TRY(lac_quant_prepare(graph, data, config, err));
    for (int n = 0; n < graph->n_nodes; n++)
        if (is_quantizer(&graph->nodes[n]) && method->start) method->start(graph, n, config);
    uint32_t batch = config->recipe.batch > 0 ? (uint32_t)config->recipe.batch : 128;
    session s = {method, config, data->train.n / batch > 0 ? data->train.n / batch : 1};
    LAC_TRY(train(graph, teacher, data, &s, talk, err));
    settle(&s, graph, 0);
    bake(graph);
    LAC_TRY(lac_snap(graph, err));
    lac_quant_note(graph, method->name, config);
    return LAC_OK;
}
