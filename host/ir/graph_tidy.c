#include "graph.h"

#include <string.h>

// What the walk over a graph needs to know; lives in a scratch arena.
typedef struct walk {
    lac_graph *graph;
    int *producer;    // of each value, -1 for none
    bool *live_node;  // leads to the output
    bool *live_value; // read or written by a live node
    lac_node *sorted;
    int n_sorted;
    int *stack;
} walk;

static lac_status index_values(walk *w, lac_error *err) {
    const lac_graph *graph = w->graph;
    for (int v = 0; v < graph->n_values; v++) w->producer[v] = -1;
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        for (int i = -1; i < node->n_in; i++) {
            int v = i < 0 ? node->out : node->in[i];
            if (v < 0 || v >= graph->n_values)
                LAC_FAIL(err, LAC_E_FORMAT, "%s '%s': value %d is outside the graph, which has %d",
                         lac_op_name(node->op), node->name, v, graph->n_values);
        }
        if (w->producer[node->out] >= 0)
            LAC_FAIL(err, LAC_E_FORMAT, "value '%s' is made by both '%s' and '%s'",
                     graph->values[node->out].name, graph->nodes[w->producer[node->out]].name, node->name);
        w->producer[node->out] = n;
    }
    return LAC_OK;
}

static void mark_live(walk *w) {
    const lac_graph *graph = w->graph;
    int depth = 0, first = w->producer[graph->output];
    w->live_value[graph->output] = true;
    if (graph->input >= 0) w->live_value[graph->input] = true;
    if (first < 0) return;
    w->live_node[first] = true;
    w->stack[depth++] = first;
    while (depth > 0) {
        const lac_node *node = &graph->nodes[w->stack[--depth]];
        w->live_value[node->out] = true;
        for (int i = 0; i < node->n_in; i++) {
            w->live_value[node->in[i]] = true;
            int p = w->producer[node->in[i]];
            if (p < 0 || w->live_node[p]) continue;
            w->live_node[p] = true;
            w->stack[depth++] = p;
        }
    }
}

// Depth first in the given order, so that a graph already in order keeps it. state: 0 new, 1 on the path,
// 2 done.
static lac_status sort_from(walk *w, int root, unsigned char *state, int *next, lac_error *err) {
    const lac_graph *graph = w->graph;
    int depth = 0;
    if (state[root] == 2) return LAC_OK;
    state[root] = 1;
    w->stack[depth++] = root;
    while (depth > 0) {
        int n = w->stack[depth - 1];
        const lac_node *node = &graph->nodes[n];
        if (next[n] == node->n_in) {
            state[n] = 2;
            w->sorted[w->n_sorted++] = *node;
            depth--;
            continue;
        }
        int p = w->producer[node->in[next[n]++]];
        if (p < 0 || state[p] == 2) continue;
        if (state[p] == 1)
            LAC_FAIL(err, LAC_E_FORMAT, "%s '%s' depends on its own output: the graph has a cycle",
                     lac_op_name(graph->nodes[p].op), graph->nodes[p].name);
        state[p] = 1;
        w->stack[depth++] = p;
    }
    return LAC_OK;
}

static void renumber(walk *w, int *renamed) {
    lac_graph *graph = w->graph;
    int n = 0;
    for (int v = 0; v < graph->n_values; v++) {
        if (!w->live_value[v]) continue;
        graph->values[n] = graph->values[v];
        renamed[v] = n++;
    }
    graph->n_values = n;
    graph->n_nodes = w->n_sorted;
    if (w->n_sorted) memcpy(graph->nodes, w->sorted, (size_t)w->n_sorted * sizeof *w->sorted);
    for (int i = 0; i < graph->n_nodes; i++) {
        lac_node *node = &graph->nodes[i];
        node->out = renamed[node->out];
        for (int j = 0; j < node->n_in; j++) node->in[j] = renamed[node->in[j]];
    }
    graph->output = renamed[graph->output];
    if (graph->input >= 0) graph->input = renamed[graph->input];
}

static lac_status tidy(lac_graph *graph, lac_arena *scratch, lac_error *err) {
    size_t n_nodes = (size_t)graph->n_nodes, n_values = (size_t)graph->n_values;
    walk w = {.graph = graph,
              .producer = LAC_NEW_ARRAY(scratch, int, n_values),
              .live_node = LAC_NEW_ARRAY(scratch, bool, n_nodes),
              .live_value = LAC_NEW_ARRAY(scratch, bool, n_values),
              .sorted = LAC_NEW_ARRAY(scratch, lac_node, n_nodes),
              .stack = LAC_NEW_ARRAY(scratch, int, n_nodes)};
    LAC_TRY(index_values(&w, err));
    mark_live(&w);
    unsigned char *state = LAC_NEW_ARRAY(scratch, unsigned char, n_nodes);
    int *next = LAC_NEW_ARRAY(scratch, int, n_nodes);
    for (int n = 0; n < graph->n_nodes; n++)
        if (w.live_node[n]) LAC_TRY(sort_from(&w, n, state, next, err));
    renumber(&w, LAC_NEW_ARRAY(scratch, int, n_values));
    return LAC_OK;
}

lac_status lac_graph_tidy(lac_graph *graph, lac_error *err) {
    if (graph->output < 0 || graph->output >= graph->n_values || graph->input >= graph->n_values)
        LAC_FAIL(err, LAC_E_FORMAT, "graph '%s': input %d or output %d is none of its %d values", graph->name,
                 graph->input, graph->output, graph->n_values);
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to tidy graph '%s'", graph->name);
    lac_status status = tidy(graph, scratch, err);
    lac_arena_close(scratch);
    return status;
}
