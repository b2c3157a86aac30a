#include "equalize.h"
#include "prepare.h"
#include "ptq.h"

#include <string.h>

enum { CHUNK = 64 };

/// Sum of one value over images and places, per channel.
typedef struct channel_sums {
    int value;
    double *sum;
    double count; ///< elements a channel
} channel_sums;

static void add_up(void *ctx, int value, const float *data, lac_shape shape) {
    channel_sums *s = ctx;
    if (value != s->value) return;
    int64_t c = shape.dim[1], area = lac_shape_count(shape) / (shape.dim[0] * c);
    for (int64_t i = 0; i < shape.dim[0] * c; i++)
        for (int64_t k = 0; k < area; k++) s->sum[i % c] += (double)data[i * area + k];
    s->count += (double)(shape.dim[0] * area);
}

// The part of the graph that leads to the value, run on the first images.
static lac_status means(const lac_graph *graph, int value, const lac_dataset *data, uint32_t images,
                        lac_arena *scratch, double **out, lac_error *err) {
    lac_graph *cut = lac_graph_copy(graph, scratch);
    int64_t channels = graph->values[value].shape.dim[1];
    cut->output = value;
    LAC_TRY(lac_graph_tidy(cut, err));
    channel_sums s = {cut->output, LAC_NEW_ARRAY(scratch, double, channels), 0};
    size_t pixels = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    float *x = LAC_NEW_ARRAY(scratch, float, CHUNK *pixels);
    if (images > data->train.n) images = data->train.n;
    for (uint32_t first = 0; first < images; first += CHUNK) {
        uint32_t n = images - first < CHUNK ? images - first : CHUNK;
        lac_normalize(data, data->train.pixels + first * pixels, n, x);
        LAC_TRY(lac_infer_visit(cut, x, n, add_up, &s, err));
    }
    for (int64_t c = 0; c < channels; c++) s.sum[c] /= s.count;
    *out = s.sum;
    return LAC_OK;
}

// The value that the layer's bias moves: its output, or its batch norm's, whose beta then takes the
// correction.
static int moved_value(lac_graph *graph, int node, int *parameter) {
    int reader = -1, value = graph->nodes[node].out;
    if (value != graph->output && lac_graph_readers(graph, value, &reader, 1) == 1 &&
        graph->nodes[reader].op == LAC_OP_BATCH_NORM) {
        *parameter = graph->nodes[reader].in[2];
        return graph->nodes[reader].out;
    }
    *parameter = lac_layer_bias(graph, node);
    return value;
}

static lac_status correct(const lac_graph *float_graph, lac_graph *graph, int node, const lac_dataset *data,
                          uint32_t images, lac_arena *scratch, lac_error *err) {
    int parameter, value = moved_value(graph, node, &parameter);
    const char *maker = graph->nodes[lac_graph_producer(graph, value)].name;
    int model = lac_node_named(float_graph, maker);
    double *wanted, *is;
    LAC_TRY(means(float_graph, float_graph->nodes[model].out, data, images, scratch, &wanted, err));
    LAC_TRY(means(graph, value, data, images, scratch, &is, err));
    lac_value *b = &graph->values[parameter];
    for (int64_t c = 0; c < lac_shape_count(b->shape); c++) b->data[c] += (float)(wanted[c] - is[c]);
    return LAC_OK;
}

lac_status lac_correct_biases(const lac_graph *float_graph, lac_graph *graph, const lac_dataset *data,
                              uint32_t images, const lac_talk *talk, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to correct the biases of graph '%s'", graph->name);
    lac_status status = LAC_OK;
    for (int n = 0; n < graph->n_nodes && status == LAC_OK; n++) {
        if (!lac_has_weights(&graph->nodes[n])) continue;
        status = correct(float_graph, graph, n, data, images, scratch, err);
        lac_arena_reset(scratch);
        lac_talk_step(talk, "correct biases", (uint64_t)n + 1, (uint64_t)graph->n_nodes, "%s",
                      graph->nodes[n].name);
        if (status == LAC_OK && lac_talk_stop(talk))
            status = lac_fail(err, LAC_E_INTERRUPTED, "stopped while correcting biases");
    }
    lac_arena_close(scratch);
    return status;
}
