#include "mixed.h"
#include "draw_images.h"
#include "float_plan.h"
#include "loss.h"
#include "op.h"
#include "prepare.h"
#include "rounding.h"
#include "scale_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64, IMAGES = 256, PROBES = 8 };

static const int widths[] = {2, 3, 4, 5, 6, 8};
enum { N_WIDTHS = (int)(sizeof widths / sizeof *widths) };

const char *lac_budget_name(int kind) {
    static const char *const names[] = {
        [LAC_BUDGET_BYTES] = "bytes", [LAC_BUDGET_BOPS] = "bops", [LAC_BUDGET_CYCLES] = "cycles"};
    return kind < LAC_N_BUDGETS ? names[kind] : NULL;
}

const char *lac_sensitivity_name(int kind) {
    static const char *const names[] = {
        [LAC_SENSITIVITY_HESSIAN] = "hessian", [LAC_SENSITIVITY_MEASURED] = "measured"};
    return kind < LAC_N_SENSITIVITIES ? names[kind] : NULL;
}

/// A search under way: a graph whose weights are exchanged, and its plan for the loss.
typedef struct searching {
    lac_graph *graph;
    const lac_graph *given;
    const lac_dataset *data;
    const lac_quant_config *base;
    const lac_mixed_config *config;
    uint32_t images;
    lac_plan *plan;
    lac_arena *arena;
    double *trace; ///< per node
    double loss;   ///< of the float graph
    lac_error *err;
} searching;

// ---- loss -------------------------------------------------------------------------------------------------

static lac_status loss_of(const searching *s, lac_plan *plan, double *loss) {
    const lac_dataset *d = s->data;
    size_t pixels = (size_t)d->c * (size_t)d->h * (size_t)d->w;
    double sum = 0;
    LAC_TRY(lac_plan_refresh(plan, s->err));
    for (uint32_t first = 0; first + BATCH <= s->images; first += BATCH) {
        lac_normalize(d, d->train.pixels + first * pixels, BATCH, lac_plan_input(plan));
        LAC_TRY(lac_plan_forward(plan, s->err));
        sum += lac_softmax_cross_entropy(lac_plan_output(plan), d->train.labels + first, BATCH, d->n_classes,
                                         0, NULL)
                   .sum;
    }
    uint32_t counted = s->images / BATCH * BATCH;
    *loss = sum / counted;
    return LAC_OK;
}

// ---- one layer at one width -------------------------------------------------------------------------------

/// Weights of a layer at a width: their codes, and what they become.
typedef struct narrowed {
    float *w;
    int8_t *code;
    size_t n;
    double squared_error;
} narrowed;

static narrowed narrow(const lac_value *w, int bits, lac_arena *arena) {
    size_t n = (size_t)lac_shape_count(w->shape), n_out = (size_t)w->shape.dim[0], per = n / n_out;
    narrowed x = {LAC_NEW_ARRAY(arena, float, n), LAC_NEW_ARRAY(arena, int8_t, n), n, 0};
    int highest = (1 << (bits - 1)) - 1;
    for (size_t o = 0; o < n_out; o++) {
        float scale = lac_scale_search(w->data + o * per, per, -highest, highest);
        for (size_t i = o * per; scale > 0 && i < (o + 1) * per; i++) {
            float code = fminf(fmaxf(rintf(w->data[i] / scale), (float)-highest), (float)highest);
            x.code[i] = (int8_t)code;
            x.w[i] = code * scale;
        }
        for (size_t i = o * per; i < (o + 1) * per; i++) {
            double off = (double)(x.w[i] - w->data[i]);
            x.squared_error += off * off;
        }
    }
    return x;
}

static double out_pixels(const lac_graph *graph, const lac_node *node) {
    lac_shape shape = graph->values[node->out].shape;
    return shape.n_dims > 2 ? (double)(shape.dim[2] * shape.dim[3]) : 1;
}

static double cost_of(const searching *s, const lac_node *node, const narrowed *x, int weights, int acts) {
    double pixels = out_pixels(s->graph, node);
    switch (s->config->budget) {
    case LAC_BUDGET_BYTES:
        return (double)x->n * weights / 8;
    case LAC_BUDGET_BOPS:
        return (double)x->n * pixels * weights * acts;
    default:
        return (double)lac_codes_digits(x->code, x->n) * pixels;
    }
}

static lac_status weight_loss(searching *s, int node, const narrowed *x, double *loss) {
    lac_value *w = &s->graph->values[s->graph->nodes[node].in[1]];
    if (s->config->sensitivity == LAC_SENSITIVITY_HESSIAN) {
        *loss = 0.5 * fmax(s->trace[node], 0) / (double)x->n * x->squared_error;
        return LAC_OK;
    }
    const float *own = s->given->values[s->given->nodes[node].in[1]].data;
    memcpy(w->data, x->w, x->n * sizeof *x->w);
    lac_status status = loss_of(s, s->plan, loss);
    memcpy(w->data, own, x->n * sizeof *own);
    *loss = fmax(*loss - s->loss, 0);
    return status;
}

// The loss that narrower activations at one layer add, all else having 8 bits.
static lac_status act_loss(const searching *s, const char *layer, int bits, double *loss) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(s->err, LAC_E_MEMORY, "no memory to measure layer '%s'", layer);
    const lac_layer_widths own = {layer, 8, bits};
    lac_quant_config c = {.weight_bits = 8, .act_bits = 8, .images = BATCH, .layers = &own, .n_layers = 1};
    lac_graph *g = lac_graph_copy(s->given, arena);
    lac_plan *plan = NULL;
    lac_status status = lac_quant_prepare(g, s->data, &c, s->err);
    if (status == LAC_OK) status = lac_plan_open(g, &(lac_plan_config){.batch = BATCH}, &plan, s->err);
    if (status == LAC_OK) status = loss_of(s, plan, loss);
    *loss = fmax(*loss - s->loss, 0);
    lac_plan_close(plan);
    lac_arena_close(arena);
    return status;
}

// ---- all layers -------------------------------------------------------------------------------------------

static void fixed_widths(const searching *s, int node, int first, int last, int *weights, int *acts) {
    const lac_quant_config *b = s->base;
    *weights = node == first && b->first_bits ? b->first_bits : node == last ? b->last_bits : 0;
    *acts = node == first ? 8 : node == last ? b->last_bits : 0; // pixels are 8 bits wide
    if (!*acts && s->config->budget != LAC_BUDGET_BOPS) *acts = b->act_bits;
}

static lac_status measure_layer(searching *s, int node, int fixed_weights, int fixed_acts,
                                lac_mixed_layer *out) {
    const lac_node *n = &s->graph->nodes[node];
    const lac_value *w = &s->given->values[s->given->nodes[node].in[1]];
    double of_acts[N_WIDTHS] = {0};
    *out = (lac_mixed_layer){.name = lac_arena_strdup(s->arena, n->name), .trace = NAN};
    if (s->trace) out->trace = s->trace[node] / (double)lac_shape_count(w->shape);
    out->choices = LAC_NEW_ARRAY(s->arena, lac_mixed_choice, N_WIDTHS * N_WIDTHS);
    for (int a = 0; a < N_WIDTHS && !fixed_acts; a++) LAC_TRY(act_loss(s, n->name, widths[a], &of_acts[a]));
    for (int i = 0; i < (fixed_weights ? 1 : N_WIDTHS); i++) {
        int bits = fixed_weights ? fixed_weights : widths[i];
        narrowed x = narrow(w, bits, s->arena);
        double loss;
        LAC_TRY(weight_loss(s, node, &x, &loss));
        for (int a = 0; a < (fixed_acts ? 1 : N_WIDTHS); a++) {
            int acts = fixed_acts ? fixed_acts : widths[a];
            out->choices[out->n_choices++] =
                (lac_mixed_choice){bits, acts, loss + of_acts[a], cost_of(s, n, &x, bits, acts)};
        }
    }
    return LAC_OK;
}

static double uniform_cost(const lac_mixed_layer *layers, int n, int bits) {
    double sum = 0;
    for (int l = 0; l < n; l++) {
        const lac_mixed_choice *best = &layers[l].choices[0];
        for (int c = 0; c < layers[l].n_choices; c++) {
            const lac_mixed_choice *x = &layers[l].choices[c];
            int off = abs(x->weights - bits) + abs(x->acts - bits);
            if (off < abs(best->weights - bits) + abs(best->acts - bits)) best = x;
        }
        sum += best->cost;
    }
    return sum;
}

static lac_status measure_all(searching *s, const lac_talk *talk, lac_mixed_layer *layers, int *n_layers) {
    int first = -1, last = -1, n = 0;
    for (int i = 0; i < s->graph->n_nodes; i++) {
        if (!lac_has_weights(&s->graph->nodes[i])) continue;
        if (first < 0) first = i;
        last = i;
    }
    for (int i = 0; i < s->graph->n_nodes; i++) {
        if (!lac_has_weights(&s->graph->nodes[i])) continue;
        int weights, acts;
        fixed_widths(s, i, first, last, &weights, &acts);
        LAC_TRY(measure_layer(s, i, weights, acts, &layers[n++]));
        lac_talk_step(talk, "widths", (uint64_t)i + 1, (uint64_t)s->graph->n_nodes, "%s",
                      s->graph->nodes[i].name);
        if (lac_talk_stop(talk)) LAC_FAIL(s->err, LAC_E_INTERRUPTED, "stopped while measuring widths");
    }
    *n_layers = n;
    return LAC_OK;
}

static lac_status search(searching *s, const lac_talk *talk, lac_mixed_layer **layers, int *n_layers,
                         double *limit) {
    LAC_TRY(lac_graph_infer(s->graph, s->err));
    LAC_TRY(lac_plan_open(s->graph, &(lac_plan_config){.batch = BATCH}, &s->plan, s->err));
    LAC_TRY(loss_of(s, s->plan, &s->loss));
    if (s->config->sensitivity == LAC_SENSITIVITY_HESSIAN) {
        s->trace = LAC_NEW_ARRAY(s->arena, double, s->graph->n_nodes);
        LAC_TRY(lac_hessian_traces(s->graph, s->data, s->images, PROBES, s->config->seed, s->trace, s->err));
    }
    *layers = LAC_NEW_ARRAY(s->arena, lac_mixed_layer, s->graph->n_nodes);
    LAC_TRY(measure_all(s, talk, *layers, n_layers));
    *limit = s->config->uniform_bits ? uniform_cost(*layers, *n_layers, s->config->uniform_bits)
                                     : s->config->limit;
    return lac_mixed_solve(*layers, *n_layers, *limit, s->config->search, s->err);
}

lac_status lac_mixed_search(const lac_graph *graph, const lac_dataset *data, const lac_quant_config *base,
                            const lac_mixed_config *config, const lac_talk *talk, lac_arena *arena,
                            lac_mixed_layer **layers, int *n_layers, double *limit, lac_error *err) {
    searching s = {.graph = lac_graph_copy(graph, arena),
                   .given = graph,
                   .base = base,
                   .config = config,
                   .images = config->images ? config->images : IMAGES,
                   .arena = arena,
                   .err = err};
    if (s.images > data->train.n) s.images = data->train.n;
    if (s.images < BATCH)
        LAC_FAIL(err, LAC_E_RANGE, "mixed precision measures on %d images at least, there are %u", BATCH,
                 s.images);
    const lac_dataset drawn = lac_draw_images(data, s.images, config->seed, arena);
    s.data = &drawn;
    lac_status status = search(&s, talk, layers, n_layers, limit);
    lac_plan_close(s.plan);
    return status;
}
