#include "channels.h"

// Union-find over the channels of all activations.
typedef struct finder {
    const lac_graph *graph;
    int *first; // [value] slot of its channel 0
    int *n_of;  // [value]
    int *parent;
    bool *fixed; // [root]
} finder;

static int root_of(finder *f, int slot) {
    while (f->parent[slot] != slot) slot = f->parent[slot] = f->parent[f->parent[slot]];
    return slot;
}

static void join(finder *f, int a, int b) {
    a = root_of(f, a);
    b = root_of(f, b);
    if (a == b) return;
    int low = a < b ? a : b, high = a < b ? b : a; // the earliest slot leads: classes come in graph order
    f->parent[high] = low;
    f->fixed[low] = f->fixed[low] || f->fixed[high];
}

static int slot_of(const finder *f, int value, int channel) {
    return f->first[value] + channel;
}

static void fix(finder *f, int value) {
    for (int c = 0; c < f->n_of[value]; c++) f->fixed[root_of(f, slot_of(f, value, c))] = true;
}

lac_group_kind lac_conv_groups(const lac_graph *graph, const lac_node *node) {
    if (node->op != LAC_OP_CONV2D || node->attr.window.groups == 1) return LAC_ONE_GROUP;
    int w = lac_constant_of(graph, node, 1);
    return graph->values[w].shape.dim[1] == 1 ? LAC_DEPTHWISE : LAC_GROUPED;
}

int lac_constant_of(const lac_graph *graph, const lac_node *node, int i) {
    int value = node->in[i];
    while (!graph->values[value].data) value = graph->nodes[lac_graph_producer(graph, value)].in[0];
    return value;
}

static int concat_source(const int *n_of, const lac_node *node, int i, int c) {
    for (int before = 0; before < i; before++) c -= n_of[node->in[before]];
    return c >= 0 && c < n_of[node->in[i]] ? c : -1;
}

int lac_channel_source(const int *n_of, const lac_node *node, int i, int c) {
    int n_in = n_of[node->in[i]], n_out = n_of[node->out], groups = node->attr.move.groups;
    if (n_in == 0) return -1; // a constant
    switch (node->op) {
    case LAC_OP_CONCAT:
        return concat_source(n_of, node, i, c);
    case LAC_OP_FLATTEN:
        return c / (n_out / n_in);
    case LAC_OP_SLICE:
        return node->attr.move.begin + c;
    case LAC_OP_CHANNEL_SHUFFLE:
        return c % groups * (n_in / groups) + c / groups;
    default:
        return n_in == 1 ? 0 : c < n_in ? c : -1;
    }
}

// ---- one rule a kind of op ------------------------------------------------------------------------------

typedef void rule(finder *f, const lac_node *node);

static bool is_spread(const int *n_of, const lac_node *node, int i) {
    return n_of[node->in[i]] == 1 && n_of[node->out] > 1;
}

static void join_sources(finder *f, const lac_node *node) {
    for (int c = 0; c < f->n_of[node->out]; c++)
        for (int i = 0; i < node->n_in; i++) {
            int from = lac_channel_source(f->n_of, node, i, c);
            if (from >= 0 && (node->op != LAC_OP_MUL || !is_spread(f->n_of, node, i)))
                join(f, slot_of(f, node->in[i], from), slot_of(f, node->out, c));
        }
}

static void join_places(finder *f, int value, int n_groups) {
    int each = f->n_of[value] / n_groups;
    for (int c = each; c < f->n_of[value]; c++) join(f, slot_of(f, value, c % each), slot_of(f, value, c));
}

static void join_conv(finder *f, const lac_node *node) {
    int groups = node->attr.window.groups, x = node->in[0];
    lac_group_kind kind = lac_conv_groups(f->graph, node);
    if (kind == LAC_DEPTHWISE)
        for (int o = 0; o < f->n_of[node->out]; o++)
            join(f, slot_of(f, x, o / (f->n_of[node->out] / groups)), slot_of(f, node->out, o));
    if (kind == LAC_GROUPED) {
        join_places(f, x, groups);
        join_places(f, node->out, groups);
    }
}

// What is left of every group is as long, so that what is left of a shuffle is one.
static void join_shuffle(finder *f, const lac_node *node) {
    join_places(f, node->in[0], node->attr.move.groups);
    join_sources(f, node);
}

static void join_nothing(finder *f, const lac_node *node) {
    (void)f;
    (void)node;
}

static rule *const rules[LAC_N_OPS] = {
    [LAC_OP_CONV2D] = join_conv,
    [LAC_OP_LINEAR] = join_nothing,
    [LAC_OP_BATCH_NORM] = join_sources,
    [LAC_OP_RELU] = join_sources,
    [LAC_OP_SIGMOID] = join_sources,
    [LAC_OP_TANH] = join_sources,
    [LAC_OP_HARD_SIGMOID] = join_sources,
    [LAC_OP_HARD_SWISH] = join_sources,
    [LAC_OP_SILU] = join_sources,
    [LAC_OP_GELU] = join_sources,
    [LAC_OP_MAX_POOL] = join_sources,
    [LAC_OP_AVG_POOL] = join_sources,
    [LAC_OP_GLOBAL_AVG_POOL] = join_sources,
    [LAC_OP_GLOBAL_MAX_POOL] = join_sources,
    [LAC_OP_UPSAMPLE] = join_sources,
    [LAC_OP_PAD] = join_sources,
    [LAC_OP_ADD] = join_sources,
    [LAC_OP_MUL] = join_sources,
    [LAC_OP_CONCAT] = join_sources,
    [LAC_OP_FLATTEN] = join_sources,
    [LAC_OP_SLICE] = join_sources,
    [LAC_OP_CHANNEL_SHUFFLE] = join_shuffle,
    [LAC_OP_QUANT] = join_sources,
    [LAC_OP_BIPOLAR_QUANT] = join_sources,
};

bool lac_keeps_channels_apart(lac_op op) {
    return rules[op] == join_sources || op == LAC_OP_CHANNEL_SHUFFLE;
}

// A layer whose constants others read as well cannot be cut alone.
static bool shares_constants(const lac_graph *graph, const lac_node *node) {
    if (node->op != LAC_OP_CONV2D && node->op != LAC_OP_LINEAR && node->op != LAC_OP_BATCH_NORM) return false;
    for (int i = 1; i < node->n_in; i++)
        if (lac_graph_n_readers(graph, node->in[i]) > 1 ||
            lac_graph_n_readers(graph, lac_constant_of(graph, node, i)) > 1)
            return true;
    return false;
}

// A constant operand has channels that nobody here would cut.
static bool has_constant_operand(const finder *f, const lac_node *node) {
    return node->op == LAC_OP_MUL && (f->n_of[node->in[0]] == 0 || f->n_of[node->in[1]] == 0);
}

static void apply_rule(finder *f, const lac_node *node) {
    rule *apply = rules[node->op];
    if (apply) apply(f, node);
    if (apply && !shares_constants(f->graph, node) && !has_constant_operand(f, node)) return;
    for (int i = 0; i < node->n_in; i++) fix(f, node->in[i]);
    fix(f, node->out);
}

// ---- the whole ------------------------------------------------------------------------------------------

static int channels_of(const lac_graph *graph, int value, const bool *is_activation) {
    lac_shape shape = graph->values[value].shape;
    return is_activation[value] && shape.n_dims >= 2 ? (int)shape.dim[1] : 0;
}

static int count_slots(finder *f, lac_arena *arena) {
    const lac_graph *graph = f->graph;
    bool *is_activation = LAC_NEW_ARRAY(arena, bool, graph->n_values);
    int n = 0;
    is_activation[graph->input] = true;
    for (int i = 0; i < graph->n_nodes; i++) {
        const lac_node *node = &graph->nodes[i];
        for (int j = 0; j < node->n_in; j++) is_activation[node->out] |= is_activation[node->in[j]];
    }
    for (int v = 0; v < graph->n_values; v++) {
        f->first[v] = n;
        n += f->n_of[v] = channels_of(graph, v, is_activation);
    }
    return n;
}

static void number_classes(finder *f, int n_slots, lac_channels *out, lac_arena *arena) {
    int *class_of_root = LAC_NEW_ARRAY(arena, int, n_slots);
    for (int s = 0; s < n_slots; s++)
        if (root_of(f, s) == s) {
            out->fixed[out->n_classes] = f->fixed[s];
            class_of_root[s] = out->n_classes++;
        }
    for (int v = 0; v < f->graph->n_values; v++) {
        out->class_of[v] = LAC_NEW_ARRAY(arena, int, f->n_of[v]);
        for (int c = 0; c < f->n_of[v]; c++)
            out->class_of[v][c] = class_of_root[root_of(f, slot_of(f, v, c))];
    }
}

lac_channels *lac_channels_find(const lac_graph *graph, lac_arena *arena) {
    finder f = {.graph = graph,
                .first = LAC_NEW_ARRAY(arena, int, graph->n_values),
                .n_of = LAC_NEW_ARRAY(arena, int, graph->n_values)};
    int n_slots = count_slots(&f, arena);
    f.parent = LAC_NEW_ARRAY(arena, int, n_slots);
    f.fixed = LAC_NEW_ARRAY(arena, bool, n_slots);
    for (int s = 0; s < n_slots; s++) f.parent[s] = s;
    for (int i = 0; i < graph->n_nodes; i++)
        if (f.n_of[graph->nodes[i].out] > 0) apply_rule(&f, &graph->nodes[i]);
    fix(&f, graph->input);
    fix(&f, graph->output);
    lac_channels *out = LAC_NEW(arena, lac_channels);
    out->n_of = f.n_of;
    out->class_of = LAC_NEW_ARRAY(arena, int *, graph->n_values);
    out->fixed = LAC_NEW_ARRAY(arena, bool, n_slots);
    number_classes(&f, n_slots, out, arena);
    return out;
}
