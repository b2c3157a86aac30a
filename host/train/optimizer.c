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

static bool is_quantizer_input(const lac_graph *graph, int value, int input) {
    for (int i = 0; i < graph->n_nodes; i++)
        if (is_quantizer(graph->nodes[i].op) && input < graph->nodes[i].n_in &&
            graph->nodes[i].in[input] == value)
            return true;
    return false;
}

lac_optimizer_state lac_optimizer_make(const lac_graph *graph, const lac_recipe *recipe, lac_arena *arena) {
    lac_optimizer_state o = {.kind = recipe->optimizer,
                             .n_memories = recipe->optimizer == LAC_SGD ? 1 : 2,
                             .weight_decay = recipe->weight_decay,
                             .scale_lr = recipe->scale_lr,
                             .clip = recipe->clip};
    o.parameters = LAC_NEW_ARRAY(arena, lac_parameter, graph->n_values + 1);
    for (int v = 0; v < graph->n_values; v++) {
        const lac_value *value = &graph->values[v];
        if (!value->data || !value->trainable) continue;
        lac_parameter *p = &o.parameters[o.n_parameters++];
        *p = (lac_parameter){.value = v, .n = lac_shape_count(value->shape)};
        p->is_scale = is_quantizer_input(graph, v, 1);
        p->is_offset = is_quantizer_input(graph, v, 2);
        p->is_weight = !p->is_scale && is_weight(graph, v);
        for (int m = 0; m < o.n_memories; m++) p->memory[m] = LAC_NEW_ARRAY(arena, float, p->n);
    }
    return o;
}

static void sgd(float *restrict w, const float *restrict g, float *restrict v, int64_t n, float lr,
                float decay, float share) {
    for (int64_t i = 0; i < n; i++) {
        float slope = share * g[i] + decay * w[i];
        v[i] = momentum * v[i] + slope;
        w[i] -= lr * (slope + momentum * v[i]);
    }
}

typedef struct adam_step {
    float lr, share;            // of the gradient, where it is clipped
    float decay, coupled_decay; // apart from the gradient, and in it
    float correct1, correct2;   // corrections for moments that start at zero
} adam_step;

static void adam(float *restrict w, const float *restrict g, float *restrict m, float *restrict v, int64_t n,
                 adam_step s) {
    for (int64_t i = 0; i < n; i++) {
        float slope = s.share * g[i] + s.coupled_decay * w[i];
        m[i] = beta1 * m[i] + (1.0f - beta1) * slope;
        v[i] = beta2 * v[i] + (1.0f - beta2) * slope * slope;
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
                   float share, uint64_t step) {
    float decay = p->is_weight ? o->weight_decay : 0.0f;
    if (p->is_scale || p->is_offset) lr *= o->scale_lr;
    if (o->kind == LAC_SGD) {
        sgd(value->data, g, p->memory[0], p->n, lr, decay, share);
    } else {
        double t = (double)step + 1;
        bool coupled = o->kind == LAC_ADAM;
        adam_step s = {lr,
                       share,
                       coupled ? 0 : decay,
                       coupled ? decay : 0,
                       (float)(1.0 / (1.0 - pow((double)beta1, t))),
                       (float)(1.0 / (1.0 - pow((double)beta2, t)))};
        adam(value->data, g, p->memory[0], p->memory[1], p->n, s);
    }
    if (value->mask) {
        mask_out(value->data, value->mask, p->n);
        for (int m = 0; m < o->n_memories; m++) mask_out(p->memory[m], value->mask, p->n);
    }
    for (int64_t i = 0; p->is_scale && i < p->n; i++) value->data[i] = fmaxf(value->data[i], scale_floor);
}

// What is left of the gradients after clipping, 0..1.
static float clip_share(const lac_optimizer_state *o, const lac_plan *plan) {
    double sum = 0;
    for (int i = 0; i < o->n_parameters; i++) {
        const float *g = lac_plan_gradient(plan, o->parameters[i].value);
        for (int64_t k = 0; g && k < o->parameters[i].n; k++) sum += (double)g[k] * (double)g[k];
    }
    double norm = sqrt(sum);
    return norm > (double)o->clip ? (float)((double)o->clip / norm) : 1.0f;
}

void lac_optimizer_update(lac_optimizer_state *o, lac_graph *graph, const lac_plan *plan, float lr,
                          uint64_t step) {
    float share = o->clip > 0 ? clip_share(o, plan) : 1.0f;
    for (int i = 0; i < o->n_parameters; i++) {
        lac_parameter *p = &o->parameters[i];
        const float *gradient = lac_plan_gradient(plan, p->value);
        if (gradient) update(o, p, &graph->values[p->value], gradient, lr, share, step);
    }
}

static const double pi = 3.14159265358979323846;

// From a to b along half a cosine; t in 0..1.
static double along_cosine(double a, double b, double t) {
    return b + (a - b) * 0.5 * (1.0 + cos(pi * t));
}

static double one_cycle(double lr, double t) {
    const double up = 0.3, first = lr / 25, last = first / 1e4;
    return t < up ? along_cosine(first, lr, t / up) : along_cosine(lr, last, (t - up) / (1 - up));
}

static double in_steps(const lac_recipe *recipe, double t, double n, double steps_per_epoch) {
    double every = recipe->step_epochs > 0 ? (double)recipe->step_epochs * steps_per_epoch : n / 3;
    double factor = recipe->step_factor > 0 ? (double)recipe->step_factor : 0.1;
    return (double)recipe->lr * pow(factor, floor(t / every));
}

float lac_schedule_lr(const lac_recipe *recipe, uint64_t step, uint64_t n_steps, uint64_t steps_per_epoch) {
    double lr = (double)recipe->lr, warmup = (double)recipe->warmup_epochs * (double)steps_per_epoch;
    double t = (double)step, n = (double)n_steps;
    if (recipe->schedule == LAC_ONE_CYCLE) return (float)one_cycle(lr, t / n);
    if (t < warmup) return (float)(lr * (0.1 + 0.9 * t / warmup));
    if (recipe->schedule == LAC_CONSTANT || n <= warmup) return (float)lr;
    if (recipe->schedule == LAC_STEP) return (float)in_steps(recipe, t, n, (double)steps_per_epoch);
    return (float)(lr * 0.5 * (1.0 + cos(pi * (t - warmup) / (n - warmup))));
}
