#include "gates.h"

#include "op.h"

#include <string.h>

// ---- where factors stand --------------------------------------------------------------------------------

// A layer mixes channels: it does not pass a gate on.
static bool mixes(const lac_graph *graph, const lac_node *node) {
    return node->op == LAC_OP_LINEAR ||
           (node->op == LAC_OP_CONV2D && lac_conv_groups(graph, node) != LAC_DEPTHWISE);
}

static bool carries(const lac_gates *gates, int value, int gate) {
    for (int c = 0; c < gates->channels->n_of[value]; c++)
        if (gates->at[value][c] == gate) return true;
    return false;
}

// A value needs factors when a reader mixes its channels, or goes on without its gates.
static bool needs_factors(const lac_gates *gates, const lac_node *reader, int value) {
    int gate = -1;
    for (int c = 0; c < gates->channels->n_of[value] && gate < 0; c++) gate = gates->at[value][c];
    if (gate < 0) return false;
    return mixes(gates->graph, reader) || !carries(gates, reader->out, gate);
}

// ---- the copy -------------------------------------------------------------------------------------------

typedef struct gater {
    const lac_gates *gates;
    lac_graph *to;
    int *renamed; // [value of the original] in the copy
    int *gated;   // [value of the original] behind its factors, -1 before there are any
    lac_gated_graph *out;
} gater;

static int add_vector(lac_graph *graph, const char *name, const char *part, int n, float fill,
                      bool trainable) {
    int v = lac_graph_add_constant(graph, lac_arena_printf(graph->arena, "%s.gate.%s", name, part),
                                   LAC_SHAPE(n), NULL, trainable);
    for (int i = 0; i < n; i++) graph->values[v].data[i] = fill;
    return v;
}

static int add_factors(gater *g, int value) {
    const char *name = g->gates->graph->values[value].name;
    int n = g->gates->channels->n_of[value], site = g->out->n_sites++;
    g->out->gamma[site] = add_vector(g->to, name, "lambda", n, 1, true);
    g->out->beta[site] = add_vector(g->to, name, "noise", n, 0, true);
    g->out->value[site] = value;
    g->out->gate_of[site] = g->gates->at[value];
    g->out->n_of[site] = n;
    int in[] = {g->renamed[value], g->out->gamma[site], g->out->beta[site],
                add_vector(g->to, name, "mean", n, 0, false), add_vector(g->to, name, "one", n, 1, false)};
    lac_attr attr = {.epsilon = 0, .momentum = 1};
    return lac_graph_add_node(g->to, LAC_OP_BATCH_NORM, lac_arena_printf(g->to->arena, "%s.gate", name), in,
                              5, &attr);
}

static int reading(gater *g, const lac_node *reader, int value) {
    if (!needs_factors(g->gates, reader, value)) return g->renamed[value];
    if (g->gated[value] < 0) g->gated[value] = add_factors(g, value);
    return g->gated[value];
}

static void copy_node(gater *g, const lac_node *node) {
    int *in = LAC_NEW_ARRAY(g->to->arena, int, node->n_in);
    for (int i = 0; i < node->n_in; i++) in[i] = reading(g, node, node->in[i]);
    g->renamed[node->out] = lac_graph_add_node(g->to, node->op, node->name, in, node->n_in, &node->attr);
}

static void copy_leaf(gater *g, int v) {
    const lac_value *value = &g->gates->graph->values[v];
    g->renamed[v] = lac_graph_add_value(g->to, value->name, value->shape);
    g->to->values[g->renamed[v]].data = value->data; // shared: both read it, neither writes
}

lac_status lac_gated_graph_make(const lac_gates *gates, lac_arena *arena, lac_gated_graph *out,
                                lac_error *err) {
    const lac_graph *from = gates->graph;
    *out = (lac_gated_graph){.graph = lac_graph_new(arena, from->name),
                             .n_gates = gates->n,
                             .gamma = LAC_NEW_ARRAY(arena, int, from->n_values),
                             .beta = LAC_NEW_ARRAY(arena, int, from->n_values),
                             .value = LAC_NEW_ARRAY(arena, int, from->n_values),
                             .gate_of = LAC_NEW_ARRAY(arena, int *, from->n_values),
                             .n_of = LAC_NEW_ARRAY(arena, int, from->n_values)};
    gater g = {gates, out->graph, LAC_NEW_ARRAY(arena, int, from->n_values),
               LAC_NEW_ARRAY(arena, int, from->n_values), out};
    for (int v = 0; v < from->n_values; v++) {
        g.gated[v] = -1;
        if (from->values[v].data || v == from->input) copy_leaf(&g, v);
    }
    for (int n = 0; n < from->n_nodes; n++) copy_node(&g, &from->nodes[n]);
    out->graph->input = g.renamed[from->input];
    out->graph->output = g.renamed[from->output];
    return lac_graph_infer(out->graph, err);
}

void lac_gated_graph_set(const lac_gated_graph *gated, const double *lambda) {
    for (int s = 0; s < gated->n_sites; s++) {
        float *gamma = gated->graph->values[gated->gamma[s]].data;
        for (int c = 0; c < gated->n_of[s]; c++) {
            int gate = gated->gate_of[s][c];
            gamma[c] = gate < 0 ? 1.0f : (float)lambda[gate];
        }
    }
}

// ---- for good -------------------------------------------------------------------------------------------

static void clear_row(lac_graph *graph, int v, int row) {
    lac_value *value = &graph->values[v];
    size_t n = (size_t)lac_shape_count(value->shape), each = n / (size_t)value->shape.dim[0];
    if (value->trainable && !value->mask) {
        value->mask = LAC_NEW_ARRAY(graph->arena, uint8_t, n);
        memset(value->mask, 1, n);
    }
    memset(value->data + (size_t)row * each, 0, each * sizeof *value->data);
    if (value->mask) memset(value->mask + (size_t)row * each, 0, each);
}

// Weights, bias, gamma and beta of a channel become zero and stay so.
static void hollow_out(lac_graph *graph, const lac_node *node, int channel) {
    int last = node->op == LAC_OP_BATCH_NORM ? 2 : node->n_in - 1;
    if (node->op != LAC_OP_CONV2D && node->op != LAC_OP_BATCH_NORM) return;
    for (int i = 1; i <= last; i++) clear_row(graph, lac_constant_of(graph, node, i), channel);
}

static void hollow_all(lac_graph *graph, const lac_gates *gates, const bool *open) {
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        for (int c = 0; c < gates->channels->n_of[node->out]; c++) {
            int gate = gates->at[node->out][c];
            if (gate >= 0 && gates->class_of[gate] < 0 && !open[gate]) hollow_out(graph, node, c);
        }
    }
}

lac_status lac_gates_remove(lac_graph *graph, const lac_gates *gates, const bool *open, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to prune graph '%s'", graph->name);
    bool *keep = LAC_NEW_ARRAY(scratch, bool, gates->channels->n_classes);
    memset(keep, true, (size_t)gates->channels->n_classes * sizeof *keep);
    for (int i = 0; i < gates->n; i++)
        if (gates->class_of[i] >= 0) keep[gates->class_of[i]] = open[i];
    hollow_all(graph, gates, open);
    lac_status status = lac_channels_remove(graph, gates->channels, keep, err);
    lac_arena_close(scratch);
    return status;
}
