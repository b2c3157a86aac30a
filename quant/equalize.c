#include "equalize.h"
#include "fold.h"
#include "prepare.h"

#include <math.h>
#include <string.h>

int lac_layer_bias(lac_graph *graph, int index) {
    lac_node *node = &graph->nodes[index];
    if (node->n_in > 2) return node->in[2];
    const char *name = lac_arena_printf(graph->arena, "%s_bias", node->name);
    lac_shape shape = LAC_SHAPE(graph->values[node->in[1]].shape.dim[0]);
    int value = lac_graph_add_constant(graph, name, shape, NULL, true);
    int *in = LAC_NEW_ARRAY(graph->arena, int, 3);
    memcpy(in, node->in, 2 * sizeof *in);
    in[2] = value;
    node->in = in;
    node->n_in = 3;
    return value;
}

// ---- batch norms ------------------------------------------------------------------------------------------

static int only_reader(const lac_graph *graph, int value) {
    int reader = -1;
    return value != graph->output && lac_graph_readers(graph, value, &reader, 1) == 1 ? reader : -1;
}

static lac_status fold_norm(lac_graph *graph, int index, int norm, lac_arena *scratch, lac_error *err) {
    lac_value *w = &graph->values[graph->nodes[index].in[1]];
    int n_out = (int)w->shape.dim[0];
    int64_t n = lac_shape_count(w->shape) / n_out;
    const lac_chain chain = {.node = index, .batch_norm = norm, .quant = -1};
    lac_fold fold;
    LAC_TRY(lac_fold_chain(graph, &chain, n_out, scratch, &fold, err));
    for (int o = 0; o < n_out; o++)
        for (int64_t i = 0; i < n; i++)
            w->data[o * n + i] = (float)((double)w->data[o * n + i] * fold.factor[o]);
    int bias = lac_layer_bias(graph, index);
    for (int o = 0; o < n_out; o++) graph->values[bias].data[o] = (float)fold.offset[o];
    int from = graph->nodes[norm].out, to = graph->nodes[index].out;
    for (int n2 = 0; n2 < graph->n_nodes; n2++)
        for (int i = 0; i < graph->nodes[n2].n_in; i++)
            if (graph->nodes[n2].in[i] == from) graph->nodes[n2].in[i] = to;
    if (graph->output == from) graph->output = to;
    return LAC_OK;
}

static lac_status fold_all(lac_graph *graph, lac_arena *scratch, lac_error *err) {
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        if (!lac_has_weights(node) || !graph->values[node->in[1]].data) continue;
        int reader = only_reader(graph, node->out);
        if (reader >= 0 && graph->nodes[reader].op == LAC_OP_BATCH_NORM)
            LAC_TRY(fold_norm(graph, n, reader, scratch, err));
    }
    return lac_graph_tidy(graph, err);
}

lac_status lac_fold_norms(lac_graph *graph, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to fold the batch norms of graph '%s'", graph->name);
    lac_status status = fold_all(graph, scratch, err);
    lac_arena_close(scratch);
    return status;
}

// ---- pairs ------------------------------------------------------------------------------------------------

bool lac_layer_pair_find(const lac_graph *graph, int first, lac_layer_pair *out) {
    if (!lac_has_weights(&graph->nodes[first])) return false;
    lac_layer_pair pair = {.first = first};
    for (int value = graph->nodes[first].out;;) {
        int reader = only_reader(graph, value);
        if (reader < 0) return false;
        const lac_node *node = &graph->nodes[reader];
        if (node->op == LAC_OP_RELU)
            pair.relu = true;
        else if (node->op == LAC_OP_MAX_POOL || node->op == LAC_OP_AVG_POOL ||
                 node->op == LAC_OP_GLOBAL_AVG_POOL || node->op == LAC_OP_FLATTEN)
            pair.pool = true;
        else if (lac_has_weights(node) && node->in[0] == value) {
            pair.second = reader;
            *out = pair;
            return graph->values[node->in[1]].data != NULL;
        } else
            return false;
        value = node->out;
    }
}

/// The weights of a layer that read one input channel: n_rows rows, `run` elements at `first` + row * stride.
typedef struct column {
    float *first;
    int64_t n_rows, stride, run;
} column;

// Behind a flatten a channel is as many inputs as its map has pixels.
static column column_of(const lac_graph *graph, const lac_node *node, int64_t channel, int64_t n_channels) {
    const lac_value *w = &graph->values[node->in[1]];
    int64_t n_out = w->shape.dim[0], per_out = lac_shape_count(w->shape) / n_out;
    int64_t groups = node->op == LAC_OP_CONV2D ? node->attr.window.groups : 1;
    int64_t per_group = n_channels / groups, rows = n_out / groups, run = per_out / per_group;
    int64_t group = channel / per_group;
    return (column){w->data + group * rows * per_out + channel % per_group * run, rows, per_out, run};
}

static float largest(const column *c) {
    float most = 0;
    for (int64_t r = 0; r < c->n_rows; r++)
        for (int64_t i = 0; i < c->run; i++) most = fmaxf(most, fabsf(c->first[r * c->stride + i]));
    return most;
}

static void scale_by(const column *c, float factor) {
    for (int64_t r = 0; r < c->n_rows; r++)
        for (int64_t i = 0; i < c->run; i++) c->first[r * c->stride + i] *= factor;
}

// Returns how far the furthest channel was from balance.
static float equalize_pair(lac_graph *graph, const lac_layer_pair *pair) {
    const lac_node *first = &graph->nodes[pair->first], *second = &graph->nodes[pair->second];
    lac_value *w = &graph->values[first->in[1]];
    float *bias = first->n_in > 2 ? graph->values[first->in[2]].data : NULL, furthest = 0;
    int64_t n = w->shape.dim[0], per_out = lac_shape_count(w->shape) / n;
    for (int64_t i = 0; i < n; i++) {
        const column row = {w->data + i * per_out, 1, per_out, per_out};
        const column next = column_of(graph, second, i, n);
        float r1 = largest(&row), r2 = largest(&next);
        if (!(r1 > 0) || !(r2 > 0)) continue; // a channel that is not there
        float s = sqrtf(r1 / r2);
        scale_by(&row, 1 / s);
        if (bias) bias[i] /= s;
        scale_by(&next, s);
        furthest = fmaxf(furthest, fabsf(logf(s)));
    }
    return furthest;
}

int lac_equalize(lac_graph *graph) {
    enum { ROUNDS = 40 };
    int n_pairs = 0;
    float furthest = INFINITY;
    for (int round = 0; round < ROUNDS && furthest > 1e-3f; round++) {
        furthest = 0;
        n_pairs = 0;
        for (int n = 0; n < graph->n_nodes; n++) {
            lac_layer_pair pair;
            if (!lac_layer_pair_find(graph, n, &pair) || !graph->values[graph->nodes[n].in[1]].data) continue;
            furthest = fmaxf(furthest, equalize_pair(graph, &pair));
            n_pairs++;
        }
    }
    return n_pairs;
}

// ---- biases -----------------------------------------------------------------------------------------------

typedef struct smallest {
    int value;
    float *of; // per channel
} smallest;

static void note_smallest(void *ctx, int value, const float *data, lac_shape shape) {
    smallest *s = ctx;
    if (value != s->value) return;
    int64_t c = shape.dim[1], area = lac_shape_count(shape) / (shape.dim[0] * c);
    for (int64_t i = 0; i < shape.dim[0] * c * area; i++) {
        float *least = &s->of[i / area % c];
        *least = data[i] < *least ? data[i] : *least;
    }
}

static bool can_absorb(const lac_graph *graph, const lac_layer_pair *pair) {
    const lac_node *second = &graph->nodes[pair->second];
    const int *pad = second->attr.window.pad;
    bool padded = second->op == LAC_OP_CONV2D && (pad[0] || pad[1] || pad[2] || pad[3]);
    return pair->relu && !pair->pool && !padded;
}

static int absorb(lac_graph *graph, const lac_layer_pair *pair, const float *least) {
    int b1 = lac_layer_bias(graph, pair->first), b2 = lac_layer_bias(graph, pair->second), moved = 0;
    const lac_node *second = &graph->nodes[pair->second];
    int64_t n = graph->values[b1].shape.dim[0];
    int64_t groups = second->op == LAC_OP_CONV2D ? second->attr.window.groups : 1;
    int64_t rows = graph->values[b2].shape.dim[0] / groups;
    for (int64_t i = 0; i < n; i++) {
        if (!(least[i] > 0)) continue;
        graph->values[b1].data[i] -= least[i];
        const column c = column_of(graph, second, i, n);
        for (int64_t r = 0; r < c.n_rows; r++) {
            float sum = 0;
            for (int64_t k = 0; k < c.run; k++) sum += c.first[r * c.stride + k];
            graph->values[b2].data[i / (n / groups) * rows + r] += sum * least[i];
        }
        moved++;
    }
    return moved;
}

static lac_status absorb_pair(lac_graph *graph, const lac_dataset *data, uint32_t images,
                              const lac_layer_pair *pair, lac_arena *scratch, int *n_channels,
                              lac_error *err) {
    int value = graph->nodes[pair->first].out;
    int64_t n = graph->values[graph->nodes[pair->first].in[1]].shape.dim[0];
    smallest s = {value, LAC_NEW_ARRAY(scratch, float, n)};
    for (int64_t i = 0; i < n; i++) s.of[i] = INFINITY;
    size_t pixels = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    float *x = LAC_NEW_ARRAY(scratch, float, images *pixels);
    lac_normalize(data, data->train.pixels, images, x);
    LAC_TRY(lac_infer_visit(graph, x, images, note_smallest, &s, err));
    *n_channels += absorb(graph, pair, s.of);
    return LAC_OK;
}

lac_status lac_absorb_biases(lac_graph *graph, const lac_dataset *data, uint32_t images, int *n_channels,
                             lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to absorb the biases of graph '%s'", graph->name);
    lac_status status = LAC_OK;
    if (images > data->train.n) images = data->train.n;
    for (int n = 0; n < graph->n_nodes && status == LAC_OK; n++) {
        lac_layer_pair pair;
        if (!lac_layer_pair_find(graph, n, &pair) || !can_absorb(graph, &pair)) continue;
        status = absorb_pair(graph, data, images, &pair, scratch, n_channels, err);
        lac_arena_reset(scratch);
    }
    lac_arena_close(scratch);
    return status;
}
