#include "account.h"

#include "channels.h"

#include <math.h>

static bool is_layer(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR;
}

static lac_layer_account account_layer(const lac_graph *graph, const lac_node *node, const uint8_t *alive,
                                       int weight_bits) {
    const lac_value *w = &graph->values[lac_constant_of(graph, node, 1)];
    lac_shape y = graph->values[node->out].shape;
    int64_t n = lac_shape_count(w->shape), places = n / w->shape.dim[0] / w->shape.dim[1];
    uint64_t pixels = y.n_dims == 4 ? (uint64_t)(y.dim[2] * y.dim[3]) : 1;
    lac_layer_account a = {.name = node->name, .kind = lac_op_name(node->op), .n_weights = (uint64_t)n};
    a.n_in = graph->values[node->in[0]].shape.dim[1];
    a.n_out = w->shape.dim[0];
    for (int64_t i = 0; i < n; i++) {
        a.n_nonzero += w->data[i] != 0;
        a.n_effective += alive[i];
    }
    a.macs = a.n_weights * pixels;
    a.nonzero_macs = a.n_nonzero * pixels;
    a.bytes = lac_coded_bytes_of(w->data, a.n_out, w->shape.dim[1], places, weight_bits);
    return a;
}

static void add_bytes(lac_coded_bytes *sum, const lac_coded_bytes *b) {
    sum->dense += b->dense;
    sum->bitmap += b->bitmap;
    sum->run += b->run;
    sum->delta += b->delta;
    sum->csr += b->csr;
    sum->stream += b->stream;
}

static void add_layer(lac_layer_account *sum, const lac_layer_account *a) {
    sum->n_weights += a->n_weights;
    sum->n_nonzero += a->n_nonzero;
    sum->n_effective += a->n_effective;
    sum->macs += a->macs;
    sum->nonzero_macs += a->nonzero_macs;
    add_bytes(&sum->bytes, &a->bytes);
}

lac_account lac_account_of(const lac_graph *graph, const lac_account_config *config, lac_arena *arena) {
    lac_account out = {.layers = LAC_NEW_ARRAY(arena, lac_layer_account, graph->n_nodes),
                       .total = {.name = "all"}};
    int weight_bits = config->weight_bits ? config->weight_bits : 8;
    int act_bits = config->act_bits ? config->act_bits : 8;
    uint64_t *cycles = LAC_NEW_ARRAY(arena, uint64_t, graph->n_nodes);
    int *values = LAC_NEW_ARRAY(arena, int, graph->n_nodes), n_values = 0;
    for (int n = 0; n < graph->n_nodes; n++)
        if (is_layer(&graph->nodes[n])) values[n_values++] = lac_constant_of(graph, &graph->nodes[n], 1);
    uint8_t **alive = lac_alive_weights(graph, values, n_values, arena);
    lac_cost_engine engine = config->engine;
    engine.weight_bits = weight_bits;
    out.total.cycles = lac_engine_cycles(graph, &engine, cycles);
    for (int n = 0; n < graph->n_nodes; n++) {
        if (!is_layer(&graph->nodes[n])) continue;
        lac_layer_account *a = &out.layers[out.n_layers];
        *a = account_layer(graph, &graph->nodes[n], alive[out.n_layers++], weight_bits);
        a->cycles = cycles[n];
        add_layer(&out.total, a);
    }
    for (int v = 0; v < graph->n_values; v++)
        if (graph->values[v].data && graph->values[v].trainable)
            out.n_parameters += (uint64_t)lac_shape_count(graph->values[v].shape);
    out.bops = out.total.nonzero_macs * (uint64_t)weight_bits * (uint64_t)act_bits;
    return out;
}

lac_efficiency lac_efficiency_of(const lac_account *account, double accuracy, uint32_t n_correct) {
    double n = (double)account->total.n_nonzero;
    return (lac_efficiency){.accuracy_per_parameter = accuracy / n,
                            .correct_per_parameter = n_correct / n,
                            .accuracy_per_byte = accuracy / (double)account->total.bytes.stream,
                            .log_efficiency = -log10(1 - accuracy) / log10(n)};
}
