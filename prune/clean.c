#include "clean.h"

#include "liveness.h"

#include <math.h>
#include <string.h>

static bool is_layer(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR;
}

// ---- what constant channels hold ------------------------------------------------------------------------

typedef struct cleaner {
    lac_graph *graph;
    lac_liveness live;
    float **constant; // [value][channel] of channels that are not reached
    lac_arena *scratch;
    lac_clean_result *result;
} cleaner;

static float bias_of(const lac_graph *graph, const lac_node *node, int64_t o) {
    return node->n_in > 2 ? graph->values[lac_constant_of(graph, node, 2)].data[o] : 0.0f;
}

static bool has_padding(const lac_node *node) {
    const int *pad = node->attr.window.pad;
    return (node->op == LAC_OP_CONV2D || node->op == LAC_OP_AVG_POOL) &&
           (pad[0] || pad[1] || pad[2] || pad[3]);
}

// A layer's constant channel: its bias, and what it makes of constant inputs. Behind padding, a constant
// other than zero gives no constant at the edge: NAN says so.
static float layer_constant(const cleaner *c, const lac_node *node, int64_t o) {
    const lac_value *w = &c->graph->values[lac_constant_of(c->graph, node, 1)];
    int64_t per_group = w->shape.dim[1], places = lac_shape_count(w->shape) / w->shape.dim[0] / per_group;
    double sum = (double)bias_of(c->graph, node, o);
    for (int64_t i = 0; i < per_group; i++)
        for (int64_t k = 0; k < places; k++) {
            double weight = (double)w->data[(o * per_group + i) * places + k];
            double x = (double)c->constant[node->in[0]][lac_layer_input(c->graph, node, o, i)];
            if (weight == 0 || x == 0) continue;
            if (has_padding(node)) return NAN;
            sum += weight * x;
        }
    return (float)sum;
}

static float norm_constant(const lac_graph *graph, const lac_node *node, int64_t ch, float x) {
    const float *p[5] = {NULL};
    for (int i = 1; i < 5; i++) p[i] = graph->values[node->in[i]].data;
    double scale = (double)p[1][ch] / sqrt((double)p[4][ch] + (double)node->attr.epsilon);
    if (scale == 0) return p[2][ch];
    return (float)(scale * ((double)x - (double)p[3][ch]) + (double)p[2][ch]);
}

static float passed(const cleaner *c, const lac_node *node, int64_t ch) {
    if (ch >= c->live.channels->n_of[node->in[0]]) return NAN;
    float x = c->constant[node->in[0]][ch];
    switch (node->op) {
    case LAC_OP_BATCH_NORM:
        return norm_constant(c->graph, node, ch, x);
    case LAC_OP_RELU:
        return x < 0 ? 0.0f : x;
    case LAC_OP_ADD:
        return x + c->constant[node->in[1]][ch];
    case LAC_OP_AVG_POOL:
        return x != 0 && node->attr.count_include_pad && has_padding(node) ? NAN : x;
    case LAC_OP_MAX_POOL:
    case LAC_OP_GLOBAL_AVG_POOL:
        return x;
    default:
        return NAN; // quantizers, and ops that nobody described here
    }
}

static void find_constants(cleaner *c) {
    const lac_graph *graph = c->graph;
    const int *n_of = c->live.channels->n_of;
    for (int v = 0; v < graph->n_values; v++) c->constant[v] = LAC_NEW_ARRAY(c->scratch, float, n_of[v]);
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        float *out = c->constant[node->out];
        int at = 0;
        for (int i = 0; i < node->n_in && node->op == LAC_OP_CONCAT; i++)
            for (int ch = 0; ch < n_of[node->in[i]]; ch++) out[at++] = c->constant[node->in[i]][ch];
        for (int ch = 0; ch < n_of[node->out] && node->op != LAC_OP_CONCAT; ch++) {
            if (node->op == LAC_OP_FLATTEN)
                out[ch] = c->constant[node->in[0]][ch / (n_of[node->out] / n_of[node->in[0]])];
            else if (!c->live.reached[node->out][ch])
                out[ch] = is_layer(node) ? layer_constant(c, node, ch) : passed(c, node, ch);
        }
    }
}

// ---- 1. constants into biases ---------------------------------------------------------------------------

static void clear_weight(lac_graph *graph, lac_value *w, int64_t at) {
    size_t n = (size_t)lac_shape_count(w->shape);
    if (w->trainable && !w->mask) {
        w->mask = LAC_NEW_ARRAY(graph->arena, uint8_t, n);
        memset(w->mask, 1, n);
    }
    if (w->mask) w->mask[at] = 0;
    w->data[at] = 0;
}

static float *own_bias(lac_graph *graph, lac_node *node) {
    if (node->n_in > 2) return graph->values[lac_constant_of(graph, node, 2)].data;
    int *in = LAC_NEW_ARRAY(graph->arena, int, 3);
    memcpy(in, node->in, 2 * sizeof *in);
    int64_t n = graph->values[lac_constant_of(graph, node, 1)].shape.dim[0];
    in[2] = lac_graph_add_constant(graph, lac_arena_printf(graph->arena, "%s.bias", node->name), LAC_SHAPE(n),
                                   NULL, true);
    node->in = in;
    node->n_in = 3;
    return graph->values[in[2]].data;
}

// Adds a constant channel's part to the bias of every output that reads it.
static void fold_input(cleaner *c, lac_node *node, int64_t o, int64_t i) {
    int w_index = lac_constant_of(c->graph, node, 1);
    lac_shape shape = c->graph->values[w_index].shape;
    int64_t places = lac_shape_count(shape) / shape.dim[0] / shape.dim[1],
            first = (o * shape.dim[1] + i) * places;
    int64_t channel = lac_layer_input(c->graph, node, o, i);
    float x = c->constant[node->in[0]][channel];
    if (c->live.reached[node->in[0]][channel]) return;
    double sum = 0;
    uint64_t n = 0;
    for (int64_t k = 0; k < places; k++) {
        sum += (double)c->graph->values[w_index].data[first + k] * (double)x;
        n += c->graph->values[w_index].data[first + k] != 0;
    }
    if (n == 0) return;
    if (isnan(x) || (x != 0 && has_padding(node))) {
        c->result->n_constant += n;
        return;
    }
    if (x != 0) own_bias(c->graph, node)[o] += (float)sum;
    for (int64_t k = 0; k < places; k++) clear_weight(c->graph, &c->graph->values[w_index], first + k);
    c->result->n_folded += n;
}

// Weights behind a quantizer are codes: a bias in front of them would have to be one, too.
static bool is_plain(const lac_graph *graph, const lac_node *node) {
    return is_layer(node) && graph->values[node->in[1]].data && lac_graph_n_readers(graph, node->in[1]) == 1;
}

static void fold_all(cleaner *c) {
    for (int n = 0; n < c->graph->n_nodes; n++) {
        lac_node *node = &c->graph->nodes[n];
        if (!is_plain(c->graph, node) || c->live.channels->n_of[node->out] == 0) continue;
        lac_shape w = c->graph->values[node->in[1]].shape;
        for (int64_t o = 0; o < w.dim[0]; o++)
            for (int64_t i = 0; i < w.dim[1]; i++) fold_input(c, node, o, i);
    }
}

// ---- 2. weights that lead nowhere, 3. channels that nobody reads ----------------------------------------

static void clear_dead(cleaner *c) {
    for (int n = 0; n < c->graph->n_nodes; n++) {
        const lac_node *node = &c->graph->nodes[n];
        if (!is_plain(c->graph, node) || c->live.channels->n_of[node->out] == 0) continue;
        lac_value *w = &c->graph->values[node->in[1]];
        int64_t n_out = w->shape.dim[0], each = lac_shape_count(w->shape) / n_out;
        for (int64_t at = 0; at < n_out * each; at++) {
            if (c->live.counts[node->out][at / each] || w->data[at] == 0) continue;
            clear_weight(c->graph, w, at);
            c->result->n_dead++;
        }
    }
}

static lac_status remove_unread(cleaner *c, lac_error *err) {
    const lac_channels *ch = c->live.channels;
    bool *keep = LAC_NEW_ARRAY(c->scratch, bool, ch->n_classes);
    for (int k = 0; k < ch->n_classes; k++) keep[k] = ch->fixed[k];
    for (int v = 0; v < c->graph->n_values; v++)
        for (int i = 0; i < ch->n_of[v]; i++) keep[ch->class_of[v][i]] |= c->live.counts[v][i];
    for (int n = 0; n < c->graph->n_nodes; n++) { // every value keeps a channel
        int out = c->graph->nodes[n].out, n_kept = 0;
        for (int i = 0; i < ch->n_of[out]; i++) n_kept += keep[ch->class_of[out][i]];
        if (ch->n_of[out] > 0 && n_kept == 0) keep[ch->class_of[out][0]] = true;
    }
    for (int k = 0; k < ch->n_classes; k++) c->result->n_channels += !keep[k];
    return lac_channels_remove(c->graph, ch, keep, err);
}

lac_status lac_clean(lac_graph *graph, lac_clean_result *result, lac_error *err) {
    lac_clean_result own = {0};
    cleaner c = {.graph = graph, .scratch = lac_arena_open(), .result = result ? result : &own};
    if (!c.scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to clean graph '%s'", graph->name);
    *c.result = (lac_clean_result){0};
    c.live = lac_liveness_of(graph, c.scratch);
    c.constant = LAC_NEW_ARRAY(c.scratch, float *, graph->n_values);
    find_constants(&c);
    fold_all(&c);
    c.live = lac_liveness_of(graph, c.scratch);
    clear_dead(&c);
    lac_status status = remove_unread(&c, err);
    lac_arena_close(c.scratch);
    return status;
}
