#include "quant_report.h"
#include "prepare.h"
#include "quant_codes.h"
#include "rounding.h"

#include <math.h>
#include <string.h>

enum { BATCH = 32 };

/// The values that the layers of one graph end with.
typedef struct ends {
    int *value; ///< per row
    float **data;
    int n;
} ends;

static void keep(void *ctx, int value, const float *data, lac_shape shape) {
    const ends *e = ctx;
    for (int i = 0; i < e->n; i++)
        if (e->value[i] == value) memcpy(e->data[i], data, (size_t)lac_shape_count(shape) * sizeof *data);
}

// Follows a layer through batch norm, ReLU and quantizer.
static int end_of(const lac_graph *graph, int node) {
    int value = graph->nodes[node].out;
    for (;;) {
        int reader = -1;
        if (value == graph->output || lac_graph_readers(graph, value, &reader, 1) != 1) return value;
        lac_op op = graph->nodes[reader].op;
        if (op != LAC_OP_BATCH_NORM && op != LAC_OP_RELU && op != LAC_OP_QUANT) return value;
        value = graph->nodes[reader].out;
    }
}

static void weight_facts(const lac_graph *float_graph, int model, const lac_weight_codes *codes,
                         lac_quant_row *row) {
    const lac_value *w = &float_graph->values[float_graph->nodes[model].in[1]];
    double signal = 0, noise = 0;
    row->n_weights = (uint64_t)codes->n_out * (uint64_t)codes->n_per_out;
    row->weight_bits = codes->bits;
    row->digits = lac_codes_digits(codes->code, row->n_weights);
    for (uint64_t i = 0; i < row->n_weights; i++) {
        double is = codes->code[i] * codes->scale[i / (uint64_t)codes->n_per_out];
        row->n_zeros += codes->code[i] == 0;
        if (!w->data) continue;
        signal += (double)w->data[i] * (double)w->data[i];
        noise += ((double)w->data[i] - is) * ((double)w->data[i] - is);
    }
    row->weight_sqnr_db = noise > 0 && signal > 0 ? 10 * log10(signal / noise) : INFINITY;
}

static void integer_facts(const lac_int_graph *integers, lac_quant_row *row) {
    for (int l = 0; l < integers->n_layers; l++) {
        const lac_int_layer *layer = &integers->layers[l];
        if (strcmp(layer->name, row->name) != 0) continue;
        row->in_bits = integers->tensors[layer->in[0]].type.bits;
        row->out_bits = integers->tensors[layer->out].type.bits;
        row->acc_bits = lac_int_layer_acc_bits(integers, layer);
    }
}

/// Sums over images for one row.
typedef struct noise {
    double signal, error;
} noise;

static void add_up(const float *y, const float *is, size_t n, lac_quant_row *row, noise *sum) {
    for (size_t i = 0; i < n; i++) {
        double v = (double)y[i], off = v - (double)is[i];
        row->low = fmin(row->low, v);
        row->high = fmax(row->high, v);
        sum->signal += v * v;
        sum->error += off * off;
    }
}

static lac_status measure(const lac_graph *graphs[2], ends e[2], const lac_dataset *data, uint32_t images,
                          lac_quant_row *rows, lac_arena *scratch, lac_error *err) {
    size_t pixels = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    float *x = LAC_NEW_ARRAY(scratch, float, BATCH *pixels);
    noise *sums = LAC_NEW_ARRAY(scratch, noise, e[0].n);
    if (images > data->validation.n) images = data->validation.n;
    for (uint32_t first = 0; first < images; first += BATCH) {
        uint32_t n = images - first < BATCH ? images - first : BATCH;
        lac_normalize(data, data->validation.pixels + first * pixels, n, x);
        for (int g = 0; g < 2; g++) LAC_TRY(lac_infer_visit(graphs[g], x, n, keep, &e[g], err));
        for (int i = 0; i < e[0].n; i++)
            add_up(e[0].data[i], e[1].data[i],
                   n * (size_t)lac_shape_count(graphs[0]->values[e[0].value[i]].shape), &rows[i], &sums[i]);
    }
    for (int i = 0; i < e[0].n; i++)
        rows[i].sqnr_db = sums[i].error > 0 ? 10 * log10(sums[i].signal / sums[i].error) : INFINITY;
    return LAC_OK;
}

static lac_status report(const lac_graph *graphs[2], const lac_int_graph *integers, const lac_dataset *data,
                         uint32_t images, lac_arena *arena, lac_arena *scratch, lac_quant_row *rows,
                         int *n_rows, lac_error *err) {
    ends e[2] = {0};
    for (int g = 0; g < 2; g++) {
        e[g].value = LAC_NEW_ARRAY(scratch, int, graphs[1]->n_nodes);
        e[g].data = LAC_NEW_ARRAY(scratch, float *, graphs[1]->n_nodes);
    }
    int n = 0;
    for (int node = 0; node < graphs[1]->n_nodes; node++) {
        const char *name = graphs[1]->nodes[node].name;
        int at[2] = {lac_node_named(graphs[0], name), node};
        if (!lac_has_weights(&graphs[1]->nodes[node]) || at[0] < 0) continue;
        lac_weight_codes codes;
        LAC_TRY(lac_weight_codes_read(graphs[1], node, scratch, &codes, err));
        rows[n] = (lac_quant_row){.name = lac_arena_strdup(arena, name), .low = INFINITY, .high = -INFINITY};
        weight_facts(graphs[0], at[0], &codes, &rows[n]);
        integer_facts(integers, &rows[n]);
        for (int g = 0; g < 2; g++) {
            e[g].value[n] = end_of(graphs[g], at[g]);
            int64_t count = lac_shape_count(graphs[g]->values[e[g].value[n]].shape);
            e[g].data[n] = LAC_NEW_ARRAY(scratch, float, BATCH *count);
        }
        n++;
    }
    e[0].n = e[1].n = *n_rows = n;
    return measure(graphs, e, data, images, rows, scratch, err);
}

lac_status lac_quant_report(const lac_graph *float_graph, const lac_graph *quantized,
                            const lac_int_graph *integers, const lac_dataset *data, uint32_t images,
                            lac_arena *arena, lac_quant_row **rows, int *n_rows, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to report on graph '%s'", quantized->name);
    const lac_graph *graphs[2] = {float_graph, quantized};
    *rows = LAC_NEW_ARRAY(arena, lac_quant_row, quantized->n_nodes);
    lac_status status = report(graphs, integers, data, images, arena, scratch, *rows, n_rows, err);
    lac_arena_close(scratch);
    return status;
}
