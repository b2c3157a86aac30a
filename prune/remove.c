#include "channels.h"

#include "op.h"

#include <string.h>

// Which of the items along an axis stay.
typedef struct axis_cut {
    const bool *keep;
    int n, n_kept;
} axis_cut;

typedef struct cutter {
    lac_graph *graph;
    const lac_channels *channels;
    const bool *keep; // [class]
    lac_arena *scratch;
} cutter;

static axis_cut cut_of(const cutter *c, int value, int n) {
    bool *keep = LAC_NEW_ARRAY(c->scratch, bool, n);
    axis_cut cut = {.keep = keep, .n = n};
    for (int i = 0; i < n; i++) cut.n_kept += keep[i] = c->keep[c->channels->class_of[value][i]];
    return cut;
}

static bool all_stay(const axis_cut *cut) {
    return cut->n_kept == cut->n;
}

// Copies the kept rows and columns of items of `size` bytes.
static void *cut_items(lac_arena *arena, const void *from, const axis_cut *rows, const axis_cut *columns,
                       size_t size) {
    const char *source = from;
    char *to = lac_arena_array(arena, (size_t)rows->n_kept * (size_t)columns->n_kept, size), *at = to;
    for (int r = 0; r < rows->n; r++)
        for (int k = 0; k < columns->n && rows->keep[r]; k++) {
            if (!columns->keep[k]) continue;
            memcpy(at, source + ((size_t)r * (size_t)columns->n + (size_t)k) * size, size);
            at += size;
        }
    return to;
}

static axis_cut whole_axis(const cutter *c, int n) {
    bool *keep = LAC_NEW_ARRAY(c->scratch, bool, n);
    memset(keep, true, (size_t)n * sizeof *keep);
    return (axis_cut){keep, n, n};
}

static void cut_constant(const cutter *c, int v, const axis_cut *rows, const axis_cut *columns) {
    lac_value *value = &c->graph->values[v];
    if (all_stay(rows) && all_stay(columns)) return;
    size_t area = (size_t)lac_shape_count(value->shape) / (size_t)rows->n / (size_t)columns->n;
    value->data = cut_items(c->graph->arena, value->data, rows, columns, area * sizeof *value->data);
    if (value->mask) value->mask = cut_items(c->graph->arena, value->mask, rows, columns, area);
    value->shape.dim[0] = rows->n_kept;
    if (value->shape.n_dims > 1) value->shape.dim[1] = columns->n_kept;
}

// Weights, and the scales of their quantizer when there is one a row.
static void cut_weights(const cutter *c, const lac_node *node, const axis_cut *rows,
                        const axis_cut *columns) {
    lac_graph *graph = c->graph;
    axis_cut one = whole_axis(c, 1);
    cut_constant(c, lac_constant_of(graph, node, 1), rows, columns);
    for (int v = node->in[1]; !graph->values[v].data;) {
        const lac_node *quantizer = &graph->nodes[lac_graph_producer(graph, v)];
        for (int i = 1; i < quantizer->n_in; i++)
            if (rows->n > 1 && lac_shape_count(graph->values[quantizer->in[i]].shape) == rows->n)
                cut_constant(c, quantizer->in[i], rows, &one);
        v = quantizer->in[0];
    }
    if (node->n_in > 2) cut_constant(c, lac_constant_of(graph, node, 2), rows, &one);
}

static void cut_layer(const cutter *c, lac_node *node) {
    const lac_value *w = &c->graph->values[lac_constant_of(c->graph, node, 1)];
    axis_cut rows = cut_of(c, node->out, (int)w->shape.dim[0]);
    lac_group_kind kind = lac_conv_groups(c->graph, node);
    axis_cut columns =
        kind == LAC_DEPTHWISE ? whole_axis(c, 1) : cut_of(c, node->in[0], (int)w->shape.dim[1]);
    cut_weights(c, node, &rows, &columns);
    if (kind == LAC_DEPTHWISE)
        node->attr.window.groups = cut_of(c, node->in[0], node->attr.window.groups).n_kept;
}

static void cut_norm(const cutter *c, const lac_node *node) {
    axis_cut rows = cut_of(c, node->out, c->channels->n_of[node->out]), one = whole_axis(c, 1);
    for (int i = 1; i < node->n_in; i++) cut_constant(c, node->in[i], &rows, &one);
}

// A slice begins and ends behind what stays of the channels in front.
static void cut_slice(const cutter *c, lac_node *node) {
    lac_rearrange_attr *move = &node->attr.move;
    axis_cut cut = cut_of(c, node->in[0], c->channels->n_of[node->in[0]]);
    int begin = 0, end = 0;
    for (int i = 0; i < move->end; i++) {
        begin += i < move->begin && cut.keep[i];
        end += cut.keep[i];
    }
    move->begin = begin;
    move->end = end;
}

static lac_status check_cut(const lac_graph *graph, const lac_channels *channels, const bool *keep,
                            lac_error *err) {
    for (int i = 0; i < channels->n_classes; i++)
        if (channels->fixed[i] && !keep[i])
            LAC_FAIL(err, LAC_E_RANGE, "graph '%s': channel class %d is fixed and cannot be removed",
                     graph->name, i);
    for (int n = 0; n < graph->n_nodes; n++) {
        int out = graph->nodes[n].out, n_kept = 0;
        for (int c = 0; c < channels->n_of[out]; c++) n_kept += keep[channels->class_of[out][c]];
        if (channels->n_of[out] > 0 && n_kept == 0)
            LAC_FAIL(err, LAC_E_RANGE, "%s '%s': none of its %d channels would stay; keep at least one",
                     lac_op_name(graph->nodes[n].op), graph->nodes[n].name, channels->n_of[out]);
    }
    return LAC_OK;
}

// Channels of a value are dimension 1; those of a flattened one are its features. Nodes are walked in order,
// and a rule only looks at constants of its own, so shapes of activations may be out of date until the end.
static void cut_nodes(const cutter *c) {
    for (int n = 0; n < c->graph->n_nodes; n++) {
        lac_node *node = &c->graph->nodes[n];
        if (c->channels->n_of[node->out] == 0) continue;
        if (node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR) cut_layer(c, node);
        if (node->op == LAC_OP_BATCH_NORM) cut_norm(c, node);
        if (node->op == LAC_OP_SLICE) cut_slice(c, node);
    }
}

lac_status lac_channels_remove(lac_graph *graph, const lac_channels *channels, const bool *keep,
                               lac_error *err) {
    LAC_TRY(check_cut(graph, channels, keep, err));
    cutter c = {graph, channels, keep, lac_arena_open()};
    if (!c.scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to cut graph '%s'", graph->name);
    cut_nodes(&c);
    lac_arena_close(c.scratch);
    return lac_graph_infer(graph, err);
}
