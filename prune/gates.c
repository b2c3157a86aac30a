#include "gates.h"

#include <string.h>

typedef struct scout {
    const lac_graph *graph;
    const lac_channels *channels;
    lac_gate_rules rules;
    lac_gates *gates;
    bool *wanted; // [class] gets a gate
    lac_arena *arena;
} scout;

static bool makes_channels(const lac_graph *graph, const lac_node *node) {
    if (node->op == LAC_OP_LINEAR) return true;
    return node->op == LAC_OP_CONV2D && lac_conv_groups(graph, node) != LAC_DEPTHWISE;
}

static bool has_channels(const lac_channels *channels, int value) {
    return channels->n_of[value] > 0;
}

// Classes that some convolution makes, or any layer where linears count.
static void find_wanted(scout *s) {
    for (int n = 0; n < s->graph->n_nodes; n++) {
        const lac_node *node = &s->graph->nodes[n];
        if (!makes_channels(s->graph, node) || (node->op == LAC_OP_LINEAR && !s->rules.linears)) continue;
        for (int c = 0; c < s->channels->n_of[node->out]; c++) {
            int k = s->channels->class_of[node->out][c];
            s->wanted[k] = !s->channels->fixed[k];
        }
    }
}

// The classes of residual streams are not gated where their branches are.
static void unwant_streams(scout *s) {
    for (int n = 0; n < s->graph->n_nodes; n++) {
        const lac_node *node = &s->graph->nodes[n];
        if (node->op != LAC_OP_ADD) continue;
        for (int c = 0; c < s->channels->n_of[node->out]; c++)
            s->wanted[s->channels->class_of[node->out][c]] = false;
    }
}

static void gate_classes(scout *s) {
    lac_gates *g = s->gates;
    int *gate_of = LAC_NEW_ARRAY(s->arena, int, s->channels->n_classes);
    for (int k = 0; k < s->channels->n_classes; k++) {
        gate_of[k] = s->wanted[k] ? g->n : -1;
        if (s->wanted[k]) g->class_of[g->n++] = k;
    }
    for (int v = 0; v < s->graph->n_values; v++) {
        g->at[v] = LAC_NEW_ARRAY(s->arena, int, s->channels->n_of[v]);
        for (int c = 0; c < s->channels->n_of[v]; c++) g->at[v][c] = gate_of[s->channels->class_of[v][c]];
    }
}

// ---- branches -------------------------------------------------------------------------------------------

// The convolution whose result alone, through batch norm and ReLU, is `value`; NULL when there is none, or
// when somebody else reads on the way.
static const lac_node *branch_end(const lac_graph *graph, int value, int *path, int *n_path) {
    *n_path = 0;
    while (lac_graph_n_readers(graph, value) == 1 && *n_path < 3) {
        int producer = lac_graph_producer(graph, value);
        if (producer < 0) return NULL;
        const lac_node *node = &graph->nodes[producer];
        path[(*n_path)++] = value;
        if (node->op == LAC_OP_CONV2D) return lac_conv_groups(graph, node) == LAC_DEPTHWISE ? NULL : node;
        if (node->op != LAC_OP_BATCH_NORM && node->op != LAC_OP_RELU) return NULL;
        value = node->in[0];
    }
    return NULL;
}

static bool is_in_stream(const scout *s, int value) {
    for (int n = 0; n < s->graph->n_nodes; n++) {
        const lac_node *add = &s->graph->nodes[n];
        for (int c = 0; add->op == LAC_OP_ADD && c < s->channels->n_of[add->out]; c++)
            if (s->channels->class_of[add->out][c] == s->channels->class_of[value][0]) return true;
    }
    return false;
}

static void gate_branch(scout *s, int value) {
    int path[3], n_path;
    const lac_node *conv = branch_end(s->graph, value, path, &n_path);
    if (!conv || s->gates->at[value][0] >= 0 || !is_in_stream(s, value)) return;
    if (lac_conv_groups(s->graph, conv) != LAC_ONE_GROUP) return;
    for (int c = 0; c < s->channels->n_of[value]; c++) {
        if (s->channels->fixed[s->channels->class_of[value][c]]) continue;
        for (int i = 0; i < n_path; i++) s->gates->at[path[i]][c] = s->gates->n;
        s->gates->class_of[s->gates->n++] = -1;
    }
}

// What is added to a stream, and what is joined to one.
static void gate_branches(scout *s) {
    for (int n = 0; n < s->graph->n_nodes; n++) {
        const lac_node *node = &s->graph->nodes[n];
        if (node->op != LAC_OP_ADD && node->op != LAC_OP_CONCAT) continue;
        for (int i = 0; i < node->n_in; i++)
            if (has_channels(s->channels, node->in[i])) gate_branch(s, node->in[i]);
    }
}

// ---- vectors --------------------------------------------------------------------------------------------

static int root_of(int *parent, int i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

// Gates that one layer makes are of one vector.
static void find_vectors(scout *s) {
    lac_gates *g = s->gates;
    int *parent = LAC_NEW_ARRAY(s->arena, int, g->n + 1), *number = LAC_NEW_ARRAY(s->arena, int, g->n + 1);
    for (int i = 0; i < g->n; i++) parent[i] = i;
    for (int n = 0; n < s->graph->n_nodes; n++) {
        const lac_node *node = &s->graph->nodes[n];
        if (!makes_channels(s->graph, node)) continue;
        int leader = -1;
        for (int c = 0; c < s->channels->n_of[node->out]; c++) {
            int gate = g->at[node->out][c];
            if (gate < 0) continue;
            int root = root_of(parent, gate);
            if (leader >= 0) parent[root] = root_of(parent, leader);
            leader = root_of(parent, gate);
        }
    }
    memset(number, -1, (size_t)(g->n + 1) * sizeof *number);
    for (int i = 0; i < g->n; i++) {
        int root = root_of(parent, i);
        if (number[root] < 0) number[root] = g->n_vectors++;
        g->vector[i] = number[root];
    }
}

lac_gates *lac_gates_find(const lac_graph *graph, const lac_channels *channels, const lac_gate_rules *rules,
                          lac_arena *arena) {
    int n_most = channels->n_classes;
    for (int v = 0; v < graph->n_values; v++) n_most += channels->n_of[v];
    lac_gates *g = LAC_NEW(arena, lac_gates);
    *g = (lac_gates){.graph = graph, .channels = channels};
    g->class_of = LAC_NEW_ARRAY(arena, int, n_most);
    g->at = LAC_NEW_ARRAY(arena, int *, graph->n_values);
    scout s = {graph, channels, *rules, g, LAC_NEW_ARRAY(arena, bool, n_most), arena};
    find_wanted(&s);
    if (rules->branches) unwant_streams(&s);
    gate_classes(&s);
    if (rules->branches) gate_branches(&s);
    g->vector = LAC_NEW_ARRAY(arena, int, g->n + 1);
    find_vectors(&s);
    return g;
}

// A shortcut that ends in a pool or in the value itself, added to something that is then joined to new
// channels.
static bool widens_without_weights(const lac_graph *graph, const lac_node *concat) {
    for (int i = 0; i < concat->n_in; i++) {
        int producer = lac_graph_producer(graph, concat->in[i]);
        while (producer >= 0 && graph->nodes[producer].op == LAC_OP_RELU)
            producer = lac_graph_producer(graph, graph->nodes[producer].in[0]);
        if (producer < 0 || graph->nodes[producer].op != LAC_OP_ADD) continue;
        for (int j = 0; j < 2; j++) {
            int shortcut = lac_graph_producer(graph, graph->nodes[producer].in[j]);
            if (shortcut >= 0 && (graph->nodes[shortcut].op == LAC_OP_MAX_POOL ||
                                  graph->nodes[shortcut].op == LAC_OP_AVG_POOL))
                return true;
        }
    }
    return false;
}

lac_gate_rules lac_gate_rules_for(const lac_graph *graph, bool linears) {
    lac_gate_rules rules = {.linears = linears};
    bool any_conv = false;
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        any_conv |= node->op == LAC_OP_CONV2D;
        if (node->op == LAC_OP_CONCAT) rules.branches |= widens_without_weights(graph, node);
    }
    rules.linears |= !any_conv;
    return rules;
}

// ---- at least one channel everywhere --------------------------------------------------------------------

void lac_gates_keep_one(const lac_gates *gates, const double *score, bool *open) {
    for (int n = 0; n < gates->graph->n_nodes; n++) {
        int out = gates->graph->nodes[n].out, best = -1;
        bool any = false;
        for (int c = 0; c < gates->channels->n_of[out]; c++) {
            int gate = gates->at[out][c];
            any |= gate < 0 || open[gate];
            if (gate >= 0 && (best < 0 || score[gate] > score[best])) best = gate;
        }
        if (!any && best >= 0) open[best] = true;
    }
}
