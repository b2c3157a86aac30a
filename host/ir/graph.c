#include "graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_names[LAC_N_OPS] = {
#define LAC_OP(id, name, onnx, domain, help) #name,
#include "ops.def"
#undef LAC_OP
};

const char *lac_op_name(lac_op op) {
    assert(op < LAC_N_OPS);
    return op_names[op];
}

lac_graph *lac_graph_new(lac_arena *arena, const char *name) {
    lac_graph *graph = LAC_NEW(arena, lac_graph);
    *graph = (lac_graph){.arena = arena,
                         .name = lac_arena_strdup(arena, name ? name : "graph"),
                         .input = LAC_NO_VALUE,
                         .output = LAC_NO_VALUE};
    return graph;
}

// Room for one more item: arrays double, the old copy stays in the arena.
static void *grown(lac_arena *arena, void *items, int n, int *capacity, size_t size) {
    if (n < *capacity) return items;
    *capacity = *capacity ? 2 * *capacity : 16;
    void *larger = lac_arena_array(arena, (size_t)*capacity, size);
    return n ? memcpy(larger, items, (size_t)n * size) : larger;
}

static const char *value_name(const lac_graph *graph, int i) {
    return graph->values[i].name;
}

static const char *node_name(const lac_graph *graph, int i) {
    return graph->nodes[i].name;
}

// 1 for the name itself, k for name_k, 0 for any other.
static int suffix_of(const char *taken, const char *name, size_t length) {
    if (strncmp(taken, name, length) != 0) return 0;
    if (!taken[length]) return 1;
    const char *digits = taken + length + 1;
    size_t n_digits = strspn(digits, "0123456789");
    if (taken[length] != '_' || n_digits == 0 || n_digits > 8 || digits[n_digits]) return 0;
    return atoi(digits);
}

// The name itself when it is free, else name_k with k above all there are: one pass, so that a file in which
// all names are the same is no trap.
static const char *unique_name(const lac_graph *graph, const char *name, int n_taken,
                               const char *(*taken)(const lac_graph *, int)) {
    int highest = 0;
    bool is_taken = false;
    size_t length = strlen(name);
    for (int i = 0; i < n_taken; i++) {
        int suffix = suffix_of(taken(graph, i), name, length);
        is_taken |= strcmp(taken(graph, i), name) == 0;
        if (suffix > highest) highest = suffix;
    }
    return is_taken ? lac_arena_printf(graph->arena, "%s_%d", name, highest + 1)
                    : lac_arena_strdup(graph->arena, name);
}

int lac_graph_add_value(lac_graph *graph, const char *name, lac_shape shape) {
    const char *unique = unique_name(graph, name && *name ? name : "value", graph->n_values, value_name);
    graph->values =
        grown(graph->arena, graph->values, graph->n_values, &graph->values_capacity, sizeof *graph->values);
    graph->values[graph->n_values] = (lac_value){.name = unique, .shape = shape};
    return graph->n_values++;
}

int lac_graph_add_constant(lac_graph *graph, const char *name, lac_shape shape, const float *data,
                           bool trainable) {
    int index = lac_graph_add_value(graph, name, shape);
    lac_value *value = &graph->values[index];
    size_t n = (size_t)lac_shape_count(shape);
    value->data = LAC_NEW_ARRAY(graph->arena, float, n);
    if (data && n) memcpy(value->data, data, n * sizeof *data);
    value->trainable = trainable;
    return index;
}

int lac_graph_add_node(lac_graph *graph, lac_op op, const char *name, const int *in, int n_in,
                       const lac_attr *attr) {
    assert(op < LAC_N_OPS && n_in >= 0);
    lac_node node = {.op = op, .n_in = n_in};
    node.name = unique_name(graph, name && *name ? name : lac_op_name(op), graph->n_nodes, node_name);
    node.in = lac_arena_copy(graph->arena, in, (size_t)n_in * sizeof *in);
    if (attr) node.attr = *attr;
    node.out = lac_graph_add_value(graph, node.name, (lac_shape){0});
    graph->nodes =
        grown(graph->arena, graph->nodes, graph->n_nodes, &graph->nodes_capacity, sizeof *graph->nodes);
    graph->nodes[graph->n_nodes++] = node;
    return node.out;
}

static lac_value copy_value(const lac_value *from, lac_arena *arena) {
    size_t n = (size_t)lac_shape_count(from->shape);
    lac_value to = *from;
    to.name = lac_arena_strdup(arena, from->name);
    if (from->data) to.data = lac_arena_copy(arena, from->data, n * sizeof *from->data);
    if (from->mask) to.mask = lac_arena_copy(arena, from->mask, n);
    return to;
}

lac_graph *lac_graph_copy(const lac_graph *graph, lac_arena *arena) {
    lac_graph *to = lac_graph_new(arena, graph->name);
    to->input = graph->input;
    to->output = graph->output;
    to->n_values = to->values_capacity = graph->n_values;
    to->values = LAC_NEW_ARRAY(arena, lac_value, graph->n_values);
    for (int i = 0; i < graph->n_values; i++) to->values[i] = copy_value(&graph->values[i], arena);
    to->n_nodes = to->nodes_capacity = graph->n_nodes;
    to->nodes = LAC_NEW_ARRAY(arena, lac_node, graph->n_nodes);
    for (int i = 0; i < graph->n_nodes; i++) {
        const lac_node *from = &graph->nodes[i];
        to->nodes[i] = *from;
        to->nodes[i].name = lac_arena_strdup(arena, from->name);
        to->nodes[i].in = lac_arena_copy(arena, from->in, (size_t)from->n_in * sizeof *from->in);
    }
    for (int i = 0; i < graph->n_meta; i++) lac_graph_set_meta(to, graph->meta[i].key, graph->meta[i].text);
    return to;
}

int lac_graph_producer(const lac_graph *graph, int value) {
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].out == value) return i;
    return -1;
}

int lac_graph_n_readers(const lac_graph *graph, int value) {
    return lac_graph_readers(graph, value, NULL, 0);
}

int lac_graph_readers(const lac_graph *graph, int value, int *out, int n_max) {
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        for (int j = 0; j < graph->nodes[i].n_in; j++) {
            if (graph->nodes[i].in[j] != value) continue;
            if (n < n_max) out[n] = i;
            n++;
        }
    return n;
}

void lac_graph_set_meta(lac_graph *graph, const char *key, const char *text) {
    const char *own = lac_arena_strdup(graph->arena, text);
    for (int i = 0; i < graph->n_meta; i++)
        if (strcmp(graph->meta[i].key, key) == 0) {
            graph->meta[i].text = own;
            return;
        }
    graph->meta = grown(graph->arena, graph->meta, graph->n_meta, &graph->meta_capacity, sizeof *graph->meta);
    graph->meta[graph->n_meta++] = (lac_meta){lac_arena_strdup(graph->arena, key), own};
}

const char *lac_graph_meta(const lac_graph *graph, const char *key) {
    for (int i = 0; i < graph->n_meta; i++)
        if (strcmp(graph->meta[i].key, key) == 0) return graph->meta[i].text;
    return NULL;
}
