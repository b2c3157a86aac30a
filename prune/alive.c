#include "account.h"

#include "liveness.h"

#include <string.h>

// A channel is reached when something but a constant can arrive from the image, and counts when it can change
// the logits. Both are walks over the graph, channel by channel.
typedef struct walk {
    const lac_graph *graph;
    const int *n_of; // [value] channels
    bool **reached, **counts;
} walk;

static bool is_layer(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR;
}

// A weight [o][i][k] of a layer joins input channel `in` to output channel o.
typedef void joiner(walk *w, const lac_node *node, int64_t o, int64_t in);

int64_t lac_layer_input(const lac_graph *graph, const lac_node *node, int64_t o, int64_t i) {
    lac_shape w = graph->values[lac_constant_of(graph, node, 1)].shape;
    int64_t groups = node->op == LAC_OP_CONV2D ? node->attr.window.groups : 1;
    return o / (w.dim[0] / groups) * w.dim[1] + i;
}

static void each_weight(walk *w, const lac_node *node, joiner *join) {
    const lac_value *v = &w->graph->values[lac_constant_of(w->graph, node, 1)];
    int64_t n_out = v->shape.dim[0], per_group = v->shape.dim[1];
    int64_t places = lac_shape_count(v->shape) / n_out / per_group;
    for (int64_t o = 0; o < n_out; o++)
        for (int64_t i = 0; i < per_group; i++)
            for (int64_t k = 0; k < places; k++)
                if (v->data[(o * per_group + i) * places + k] != 0) {
                    join(w, node, o, lac_layer_input(w->graph, node, o, i));
                    break;
                }
}

static void reach(walk *w, const lac_node *node, int64_t o, int64_t in) {
    w->reached[node->out][o] = w->reached[node->out][o] || w->reached[node->in[0]][in];
}

static void count(walk *w, const lac_node *node, int64_t o, int64_t in) {
    w->counts[node->in[0]][in] = w->counts[node->in[0]][in] || w->counts[node->out][o];
}

// Ops without weights: calls pass(from, to) for channels that one output channel is made of.
typedef void passer(bool *in, bool *out);

static void reach_one(bool *in, bool *out) {
    *out = *out || *in;
}

static void count_one(bool *in, bool *out) {
    *in = *in || *out;
}

static void pass_channels(walk *w, const lac_node *node, bool **marks, passer *pass) {
    bool apart = lac_keeps_channels_apart(node->op);
    for (int c = 0; c < w->n_of[node->out]; c++)
        for (int i = 0; i < node->n_in; i++) {
            int from = apart ? lac_channel_source(w->n_of, node, i, c) : 0;
            int last = apart ? from : w->n_of[node->in[i]] - 1;
            for (; from >= 0 && from <= last; from++) pass(&marks[node->in[i]][from], &marks[node->out][c]);
        }
}

// A batch norm whose gamma is zero lets nothing through.
static void cut_norms(walk *w, const lac_node *node, bool **marks, int value) {
    if (node->op != LAC_OP_BATCH_NORM) return;
    const float *gamma = w->graph->values[node->in[1]].data;
    for (int c = 0; c < w->n_of[value]; c++) marks[value][c] = marks[value][c] && gamma[c] != 0;
}

static void walk_all(walk *w) {
    const lac_graph *graph = w->graph;
    memset(w->reached[graph->input], true, (size_t)w->n_of[graph->input]);
    memset(w->counts[graph->output], true, (size_t)w->n_of[graph->output]);
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        if (w->n_of[node->out] == 0) continue;
        if (is_layer(node))
            each_weight(w, node, reach);
        else
            pass_channels(w, node, w->reached, reach_one);
        cut_norms(w, node, w->reached, node->out);
    }
    for (int n = graph->n_nodes - 1; n >= 0; n--) {
        const lac_node *node = &graph->nodes[n];
        if (w->n_of[node->out] == 0) continue;
        cut_norms(w, node, w->counts, node->out);
        if (is_layer(node))
            each_weight(w, node, count);
        else
            pass_channels(w, node, w->counts, count_one);
    }
}

lac_liveness lac_liveness_of(const lac_graph *graph, lac_arena *arena) {
    lac_liveness out = {.channels = lac_channels_find(graph, arena),
                        .reached = LAC_NEW_ARRAY(arena, bool *, graph->n_values),
                        .counts = LAC_NEW_ARRAY(arena, bool *, graph->n_values)};
    walk w = {graph, out.channels->n_of, out.reached, out.counts};
    for (int v = 0; v < graph->n_values; v++) {
        w.reached[v] = LAC_NEW_ARRAY(arena, bool, w.n_of[v]);
        w.counts[v] = LAC_NEW_ARRAY(arena, bool, w.n_of[v]);
    }
    walk_all(&w);
    return out;
}

static void mark_weights(const lac_graph *graph, const lac_liveness *live, const lac_node *node,
                         uint8_t *alive) {
    const lac_value *v = &graph->values[lac_constant_of(graph, node, 1)];
    int64_t n_out = v->shape.dim[0], per_group = v->shape.dim[1];
    int64_t places = lac_shape_count(v->shape) / n_out / per_group;
    for (int64_t o = 0; o < n_out; o++)
        for (int64_t i = 0; i < per_group; i++) {
            bool joined =
                live->counts[node->out][o] && live->reached[node->in[0]][lac_layer_input(graph, node, o, i)];
            for (int64_t k = 0; k < places; k++) {
                int64_t at = (o * per_group + i) * places + k;
                alive[at] = alive[at] || (joined && v->data[at] != 0);
            }
        }
}

uint8_t **lac_alive_weights(const lac_graph *graph, const int *values, int n_values, lac_arena *arena) {
    lac_liveness live = lac_liveness_of(graph, arena);
    uint8_t **alive = LAC_NEW_ARRAY(arena, uint8_t *, n_values);
    for (int i = 0; i < n_values; i++)
        alive[i] = LAC_NEW_ARRAY(arena, uint8_t, lac_shape_count(graph->values[values[i]].shape));
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        if (!is_layer(node) || live.channels->n_of[node->out] == 0) continue;
        for (int i = 0; i < n_values; i++)
            if (values[i] == lac_constant_of(graph, node, 1)) mark_weights(graph, &live, node, alive[i]);
    }
    return alive;
}
