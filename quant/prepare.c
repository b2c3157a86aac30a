#include "prepare.h"
#include "calibrate.h"
#include "op.h"
#include "sites.h"

#include <stdio.h>
#include <string.h>

bool lac_has_weights(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR;
}

int lac_node_named(const lac_graph *graph, const char *name) {
    for (int n = 0; n < graph->n_nodes; n++)
        if (strcmp(graph->nodes[n].name, name) == 0) return n;
    return -1;
}

// Zeros at the start are pruned weights: they stay away.
static void mask_zeros(lac_graph *graph) {
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        if (!lac_has_weights(node)) continue;
        lac_value *w = &graph->values[node->in[1]];
        int64_t count = lac_shape_count(w->shape), zeros = 0;
        for (int64_t i = 0; w->data && i < count; i++) zeros += w->data[i] == 0;
        if (zeros == 0) continue;
        if (!w->mask) w->mask = LAC_NEW_ARRAY(graph->arena, uint8_t, count);
        for (int64_t i = 0; i < count; i++) w->mask[i] = w->data[i] != 0;
    }
}

static lac_status prepare(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                          lac_arena *scratch, lac_error *err) {
    lac_quant_sites sites;
    float *scale;
    int *zero;
    LAC_TRY(lac_graph_tidy(graph, err));
    LAC_TRY(lac_graph_infer(graph, err));
    LAC_TRY(lac_quant_sites_plan(graph, config, scratch, &sites, err));
    LAC_TRY(lac_calibrate(graph, data, config, &sites, scratch, &scale, &zero, err));
    mask_zeros(graph);
    LAC_TRY(lac_quant_sites_insert(graph, &sites, scale, zero, err));
    LAC_TRY(lac_graph_infer(graph, err));
    return lac_graph_check(graph, err);
}

lac_status lac_quant_prepare(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                             lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to quantize graph '%s'", graph->name);
    lac_status status = prepare(graph, data, config, scratch, err);
    lac_arena_close(scratch);
    return status;
}

void lac_quant_note(lac_graph *graph, const char *method, const lac_quant_config *c) {
    char text[128];
    snprintf(text, sizeof text, "%s weights %s%d acts %d first %d last %d", method,
             c->ternary ? "ternary " : "", c->ternary ? 2 : c->weight_bits, c->act_bits, c->first_bits,
             c->last_bits);
    lac_graph_set_meta(graph, "lacuna.quantizer", text);
}
