#include "blocks.h"

#include <string.h>

static bool has_weights(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR || node->op == LAC_OP_CONV_TRANSPOSE;
}

static bool is_depthwise(const lac_graph *graph, const lac_node *node) {
    return node->op == LAC_OP_CONV2D && node->attr.window.groups > 1 &&
           graph->values[node->in[0]].shape.dim[1] == node->attr.window.groups;
}

/// Which values depend on the input, and the last node that reads each.
typedef struct lifetimes {
    bool *is_activation;
    int *last;
} lifetimes;

static lifetimes find_lifetimes(const lac_graph *graph, lac_arena *arena) {
    lifetimes t = {LAC_NEW_ARRAY(arena, bool, graph->n_values), LAC_NEW_ARRAY(arena, int, graph->n_values)};
    t.is_activation[graph->input] = true;
    for (int n = 0; n < graph->n_nodes; n++)
        for (int i = 0; i < graph->nodes[n].n_in; i++) {
            int v = graph->nodes[n].in[i];
            t.last[v] = n;
            t.is_activation[graph->nodes[n].out] |= t.is_activation[v];
        }
    t.last[graph->output] = graph->n_nodes;
    return t;
}

static int later(int a, int b) {
    return a > b ? a : b;
}

// Is this a place to end a block with the layers that it has so far?
static bool may_end(const lac_graph *graph, const lac_block *block, const lac_node *layer) {
    return block->n_layers > 1 || (block->n_layers == 1 && !is_depthwise(graph, layer));
}

lac_status lac_blocks_find(const lac_graph *graph, lac_arena *arena, lac_block **out, int *n,
                           lac_error *err) {
    lifetimes t = find_lifetimes(graph, arena);
    lac_block *blocks = LAC_NEW_ARRAY(arena, lac_block, graph->n_nodes + 1), now = {.in = graph->input};
    const lac_node *layer = NULL;
    int n_blocks = 0, reach = t.last[graph->input]; // the last reader of all that was made before this node
    for (int i = 0; i < graph->n_nodes; i++) {
        const lac_node *node = &graph->nodes[i];
        if (!t.is_activation[node->out]) continue;
        if (has_weights(node)) {
            now.n_layers++;
            layer = node;
            now.name = node->name;
        }
        if (node->op == LAC_OP_QUANT && reach <= i && may_end(graph, &now, layer)) {
            now.out = node->out;
            blocks[n_blocks++] = now;
            now = (lac_block){.in = node->out};
        }
        reach = later(reach, t.last[node->out]);
    }
    if (now.n_layers > 0)
        blocks[n_blocks++] = now;
    else if (n_blocks == 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "graph '%s' has no layer with weights: there is nothing to round",
                 graph->name);
    blocks[n_blocks - 1].out = graph->output;
    *out = blocks;
    *n = n_blocks;
    return LAC_OK;
}

// ---- a part of a graph ------------------------------------------------------------------------------------

static void mark(const lac_graph *graph, bool *wanted, int from, int to) {
    wanted[to] = true;
    for (int n = graph->n_nodes - 1; n >= 0; n--) {
        const lac_node *node = &graph->nodes[n];
        if (!wanted[node->out] || node->out == from) continue;
        for (int i = 0; i < node->n_in; i++) wanted[node->in[i]] = true;
    }
}

lac_graph *lac_graph_part(const lac_graph *graph, int from, int to, lac_arena *arena) {
    lac_graph *part = lac_arena_copy(arena, graph, sizeof *graph);
    bool *wanted = LAC_NEW_ARRAY(arena, bool, graph->n_values);
    mark(graph, wanted, from, to);
    part->arena = arena;
    part->values = lac_arena_copy(arena, graph->values, (size_t)graph->n_values * sizeof *graph->values);
    part->values_capacity = graph->n_values;
    part->nodes = LAC_NEW_ARRAY(arena, lac_node, graph->n_nodes + 1);
    part->nodes_capacity = graph->n_nodes + 1;
    part->n_nodes = 0;
    part->input = from;
    part->output = to;
    for (int v = 0; v < part->n_values; v++) {
        lac_value *value = &part->values[v];
        value->trainable = false;
        value->mask = NULL;
    }
    for (int n = 0; n < graph->n_nodes; n++)
        if (wanted[graph->nodes[n].out] && graph->nodes[n].out != from)
            part->nodes[part->n_nodes++] = graph->nodes[n];
    return part;
}
