#include "optimizer.h"

#include <math.h>

static const float momentum = 0.9f, beta1 = 0.9f, beta2 = 0.999f, adam_epsilon = 1e-8f, scale_floor = 1e-8f;

static bool is_quantizer(lac_op op) {
    return op == LAC_OP_QUANT || op == LAC_OP_BIPOLAR_QUANT;
}

// Weights may reach their layer through a quantizer.
static bool is_weight(const lac_graph *graph, int value) {
    for (int i = 0; i < graph->n_nodes; i++) {
        const lac_node *node = &graph->nodes[i];
        bool layer = node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR;
        if (layer && node->in[1] == value) return true;
        if (is_quantizer(node->op) && node->in[0] == value && is_weight(graph, node->out)) return true;
    }
    return false;
}

static bool is_scale(const lac_graph *graph, int value) {
    for (int i = 0; i < graph->n_nodes; i++)
        if (is_quantizer(graph->nodes[i].op) && graph->nodes[i].in[1] == value) return true;
    return false;
}

lac_optimizer_state lac_optimizer_make(const lac_graph *graph, const lac_recipe *recipe, lac_arena *arena) {
    lac_optimizer_state o = {.kind = recipe->optimizer,
                             .n_memories = recipe->optimizer == LAC_ADAM ? 2 : 1,
                             .weight_decay = recipe->weight_decay,
                             .scale_lr = recipe->scale_lr};
    o.parameters = LAC_NEW_ARRAY(arena, lac_parameter, graph->n_values + 1);
    for (int v = 0; v < graph->n_values; v++) {
        const lac_value *value = &graph->values[v];
        if (!value->data || !value->trainable) continue;
        lac_parameter *p = &o.parameters[o.n_parameters++];
        *p = (lac_parameter){.value = v, .n = lac_shape_count(value->shape)};
        p->is_scale = is_scale(graph, v);
        p->is_weight = !p->is_scale && is_weight(graph, v);
        for (int m = 0; m < o.n_memories; m++) p->memory[m] = LAC_NEW_ARRAY(arena, float, p->n);
    }
    return o;
}

static void sgd(float *restrict w, const float *restrict g, float *restrict v, int64_t n, float lr,
                float decay) {
    for (int64_t i = 0; i < n; i++) {
        float slope = g[i] + decay * w[i];
        v[i] = momentum * v[i] + slope;
        w[i] -= lr * (slope + momentum * v[i]);
    }
}

typedef struct adam_step {
    float lr, decay, correct1, correct2; // corrections for moments that start at zero
} adam_step;

static void adam(float *restrict w, const float *restrict g, float *restrict m, float *restrict v, int64_t n,
                 adam_step s) {
    for (int64_t i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + (1.0f - beta1) * g[i];
        v[i] = beta2 * v[i] + (1.0f - beta2) * g[i] * g[i];
        w[i] -= s.lr * (m[i] * s.correct1 / (sqrtf(v[i] * s.correct2) + adam_epsilon) + s.decay * w[i]);
    }
}

static void mask_out(float *x, const uint8_t *mask, int64_t n) {
    for (int64_t i = 0; i < n; i++) x[i] = mask[i] ? x[i] : 0.0f;
}

void lac_masks_apply(lac_graph *graph) {
    for (int v = 0; v < graph->n_values; v++) {
        lac_value *value = &graph->values[v];
        if (value->data && value->mask) mask_out(value->data, value->mask, lac_shape_count(value->shape));
    }
}

static void update(lac_optimizer_state *o, lac_parameter *p, lac_value *value, const float *g, float lr,
                   uint64_t step) {
    float decay = p->is_weight ? o->weight_decay : 0.0f;
    if (p->is_scale) lr *= o->scale_lr;
    if (o->kind == LAC_SGD) {
        sgd(value->data, g, p->memory[0], p->n, lr, decay);
    } else {
        double t = (double)step + 1;
        adam_step s = {lr, decay, (float)(1.0 / (1.0 - pow((double)beta1, t))),
                       (float)(1.0 / (1.0 - pow((double)beta2, t)))};
        adam(value->data, g, p->memory[0], p->memory[1], p->n, s);
    }
    if (value->mask) {
        mask_out(value->data, value->mask, p->n);
        for (int m = 0; m < o->n_memories; m++) mask_out(p->memory[m], value->mask, p->n);
    }
    for (int64_t i = 0; p->is_scale && i < p->n; i++) value->data[i] = fmaxf(value->data[i], scale_floor);
}

void lac_optimizer_update(lac_optimizer_state *o, lac_graph *graph, const lac_plan *plan, float lr,
                          uint64_t step) {
    for (int i = 0; i < o->n_parameters; i++) {
        lac_parameter *p = &o->parameters[i];
        const float *gradient = lac_plan_gradient(plan, p->value);
        if (gradient) update(o, p, &graph->values[p->value], gradient, lr, step);
    }
}

float lac_schedule_lr(const lac_recipe *recipe, uint64_t step, uint64_t n_steps, uint64_t steps_per_epoch) {
    double lr = (double)recipe->lr, warmup = (double)recipe->warmup_epochs * (double)steps_per_epoch;
    double t = (double)step, n = (double)n_steps;
    if (t < warmup) return (float)(lr * (0.1 + 0.9 * t / warmup));
    if (recipe->schedule == LAC_CONSTANT || n <= warmup) return (float)lr;
    return (float)(lr * 0.5 * (1.0 + cos(3.14159265358979323846 * (t - warmup) / (n - warmup))));
}
