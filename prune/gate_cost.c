#include "gate_cost.h"

#include "op.h"

static int n_channels(const lac_gates *gates, int value) {
    return gates->channels->n_of[value];
}

// A layer with weights: so much a pair of channels; depthwise: so much a channel.
static lac_cost_term layer_term(const lac_gates *gates, const lac_node *node, double total) {
    lac_cost_term t = {.in = node->in[0], .out = node->out};
    double n_out = n_channels(gates, node->out), n_in = n_channels(gates, node->in[0]);
    if (lac_conv_groups(gates->graph, node) == LAC_DEPTHWISE)
        t.channel = total / n_out;
    else
        t.pair = total / (n_out * n_in);
    return t;
}

static bool is_layer(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR;
}

static lac_cost_term macs_term(const lac_gates *gates, const lac_node *node) {
    const lac_op_desc *desc = lac_op_row(node->op);
    double total = desc->macs ? (double)desc->macs(gates->graph, node) : 0;
    if (is_layer(node)) return layer_term(gates, node, total);
    return (lac_cost_term){.out = node->out, .channel = total / n_channels(gates, node->out)};
}

static lac_cost_term bytes_term(const lac_gates *gates, const lac_node *node) {
    const lac_graph *graph = gates->graph;
    if (is_layer(node)) {
        int64_t n = lac_shape_count(graph->values[lac_constant_of(graph, node, 1)].shape);
        lac_cost_term t = layer_term(gates, node, (double)n * sizeof(float));
        if (node->n_in > 2) t.channel += sizeof(float);
        return t;
    }
    return (lac_cost_term){.out = node->out,
                           .channel = node->op == LAC_OP_BATCH_NORM ? 4 * sizeof(float) : 0};
}

// The engine pays for entries, one at least for every channel: with a density of entries that does not
// change, entries go with pairs of channels.
static lac_cost_term cycles_term(const lac_gates *gates, const lac_node *node, double total) {
    if (is_layer(node)) return layer_term(gates, node, total);
    return (lac_cost_term){.out = node->out, .channel = total / n_channels(gates, node->out)};
}

lac_gate_cost lac_gate_cost_make(const lac_gates *gates, lac_cost_unit unit, const lac_cost_engine *engine,
                                 lac_arena *arena) {
    const lac_graph *graph = gates->graph;
    lac_gate_cost cost = {.gates = gates, .terms = LAC_NEW_ARRAY(arena, lac_cost_term, graph->n_nodes)};
    uint64_t *cycles = LAC_NEW_ARRAY(arena, uint64_t, graph->n_nodes);
    if (unit == LAC_COST_CYCLES) lac_engine_cycles(graph, engine, cycles);
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        if (n_channels(gates, node->out) == 0) continue;
        lac_cost_term t = unit == LAC_COST_MACS    ? macs_term(gates, node)
                          : unit == LAC_COST_BYTES ? bytes_term(gates, node)
                                                   : cycles_term(gates, node, (double)cycles[n]);
        t.node = n;
        if (t.pair > 0 || t.channel > 0) cost.terms[cost.n_terms++] = t;
    }
    return cost;
}

static double sum_of(const lac_gates *gates, int value, const double *lambda) {
    double sum = 0;
    for (int c = 0; c < n_channels(gates, value); c++) {
        int gate = gates->at[value][c];
        sum += gate < 0 || !lambda ? 1 : lambda[gate];
    }
    return sum;
}

static void spread(const lac_gates *gates, int value, double slope, double *gradient) {
    for (int c = 0; c < n_channels(gates, value); c++)
        if (gates->at[value][c] >= 0) gradient[gates->at[value][c]] += slope;
}

double lac_gate_cost_of(const lac_gate_cost *cost, const double *lambda, double *gradient) {
    double total = cost->constant;
    for (int i = 0; i < cost->n_terms; i++) {
        const lac_cost_term *t = &cost->terms[i];
        double n_out = sum_of(cost->gates, t->out, lambda);
        double n_in = t->pair > 0 ? sum_of(cost->gates, t->in, lambda) : 0;
        total += t->pair * n_in * n_out + t->channel * n_out;
        if (!gradient) continue;
        spread(cost->gates, t->out, t->pair * n_in + t->channel, gradient);
        if (t->pair > 0) spread(cost->gates, t->in, t->pair * n_out, gradient);
    }
    return total;
}

double lac_gate_cost_open(const lac_gate_cost *cost, const bool *open) {
    double total = cost->constant;
    const lac_gates *gates = cost->gates;
    for (int i = 0; i < cost->n_terms; i++) {
        const lac_cost_term *t = &cost->terms[i];
        double n[2] = {0, 0};
        const int values[2] = {t->out, t->in};
        for (int k = 0; k < (t->pair > 0 ? 2 : 1); k++)
            for (int c = 0; c < n_channels(gates, values[k]); c++) {
                int gate = gates->at[values[k]][c];
                n[k] += gate < 0 || open[gate];
            }
        total += t->pair * n[0] * n[1] + t->channel * n[0];
    }
    return total;
}
