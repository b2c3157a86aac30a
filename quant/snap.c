#include "snap.h"
#include "fold.h"
#include "multiplier.h"
#include "quant_codes.h"

#include <math.h>

// ---- additions -----------------------------------------------------------------------------------------

// Both operands may already stand in a ratio to a third scale; then lowering takes the nearest integers.
static void snap_add(lac_graph *graph, const lac_node *node, bool *fixed) {
    int q[2] = {lac_quantizer_of(graph, node->in[0]), lac_quantizer_of(graph, node->in[1])}, v[2];
    if (q[0] < 0 || q[1] < 0) return;
    for (int i = 0; i < 2; i++) v[i] = graph->nodes[q[i]].in[1];
    if (v[0] == v[1] || (fixed[v[0]] && fixed[v[1]])) return;
    float *s0 = graph->values[v[0]].data, *s1 = graph->values[v[1]].data;
    if (!(*s0 > 0) || !(*s1 > 0)) return; // lowering refuses them with a sentence
    int8_t w[2];
    lac_add_ratio((double)*s0, (double)*s1, w);
    if (fixed[v[0]])
        *s1 = (float)((double)*s0 * w[1] / w[0]);
    else
        *s0 = (float)((double)*s1 * w[0] / w[1]);
    fixed[v[0]] = fixed[v[1]] = true;
}

static void snap_adds(lac_graph *graph, lac_arena *scratch) {
    bool *fixed = LAC_NEW_ARRAY(scratch, bool, graph->n_values);
    fixed[graph->input] = true;
    for (int n = 0; n < graph->n_nodes; n++)
        if (graph->nodes[n].op == LAC_OP_QUANT && graph->nodes[n].in[0] == graph->input)
            fixed[graph->nodes[n].in[1]] = true;
    for (int n = 0; n < graph->n_nodes; n++)
        if (graph->nodes[n].op == LAC_OP_ADD) snap_add(graph, &graph->nodes[n], fixed);
}

// ---- weights and offsets -------------------------------------------------------------------------------

/// A layer with weights, in the terms of its accumulator.
typedef struct snapping {
    lac_chain chain;
    const lac_node *node, *weight_quant;
    double scale_in, scale_out; // scale_out 0: raw
    lac_weight_codes codes;
    lac_fold fold;
    bool transposed; // the codes' first dimension is the input's; all scales are one
} snapping;

// How far a scale is from one whose requantisation is m * 2^-s: 1 when nothing is to be done.
static double snapping_factor(const snapping *x, int o) {
    double multiplier = x->codes.scale[o] * x->scale_in * fabs(x->fold.factor[o]) / x->scale_out;
    if (!(multiplier >= 0x1p-31 && multiplier < 0x1p14)) return 1;
    uint16_t m;
    uint8_t s;
    lac_multiplier(multiplier, &m, &s);
    return lac_multiplier_value(m, s) / multiplier;
}

// One scale for all channels can follow one factor alone: there must be no batch norm.
static void snap_weight_scales(lac_graph *graph, const snapping *x) {
    lac_value *scale = &graph->values[x->weight_quant->in[1]];
    bool shared = lac_shape_count(scale->shape) != x->codes.n_out;
    if (x->scale_out == 0 || (shared && x->chain.batch_norm >= 0)) return;
    for (int o = 0; o < (shared ? 1 : x->codes.n_out); o++)
        scale->data[o] = (float)(x->codes.scale[o] * snapping_factor(x, o));
    for (int o = 0; o < x->codes.n_out; o++) x->codes.scale[o] = (double)scale->data[shared ? 0 : o];
}

// A batch norm of codes has no scales: its gammas take their place.
static void snap_gammas(lac_graph *graph, const snapping *x) {
    lac_value *gamma = &graph->values[x->node->in[1]];
    for (int o = 0; x->scale_out != 0 && o < x->fold.n; o++)
        gamma->data[o] = (float)((double)gamma->data[o] * snapping_factor(x, o));
}

// Latent weights of 1 bit keep their size: the sign is the code.
static void snap_weights(lac_graph *graph, const snapping *x, int o) {
    if (x->codes.bits == 1) return;
    float *w = graph->values[x->weight_quant->in[0]].data + (size_t)o * (size_t)x->codes.n_per_out;
    for (int i = 0; i < x->codes.n_per_out; i++)
        w[i] = (float)(x->codes.code[o * x->codes.n_per_out + i] * x->codes.scale[o]);
}

static void snap_offset(lac_graph *graph, const snapping *x, int o) {
    bool has_norm = x->chain.batch_norm >= 0;
    if (!has_norm && x->node->n_in < 3) return;
    double unit = x->codes.scale[x->transposed ? 0 : o] * x->scale_in * x->fold.factor[o];
    double units = x->fold.offset[o] / unit;
    if (unit == 0 || !(fabs(units) < 0x1p24)) return;
    double move = rint(units) * unit - x->fold.offset[o];
    int value = has_norm ? graph->nodes[x->chain.batch_norm].in[2] : x->node->in[2];
    graph->values[value].data[o] = (float)((double)graph->values[value].data[o] + move);
}

static lac_status read_scales(const lac_graph *graph, snapping *x, lac_error *err) {
    int in = lac_quantizer_of(graph, x->node->in[0]);
    if (in < 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "%s '%s': input '%s' has no quantizer before it",
                 lac_op_name(x->node->op), x->node->name, graph->values[x->node->in[0]].name);
    lac_quant_params q;
    LAC_TRY(lac_quant_params_read(graph, in, &q, err));
    x->scale_in = q.scale;
    if (x->chain.quant < 0) return LAC_OK;
    LAC_TRY(lac_quant_params_read(graph, x->chain.quant, &q, err));
    x->scale_out = q.scale;
    return LAC_OK;
}

static lac_status snap_layer(lac_graph *graph, int index, lac_arena *scratch, lac_error *err) {
    snapping x = {.node = &graph->nodes[index]};
    LAC_TRY(lac_chain_match(graph, index, &x.chain, err));
    LAC_TRY(lac_weight_codes_read(graph, index, scratch, &x.codes, err));
    x.transposed = x.node->op == LAC_OP_CONV_TRANSPOSE;
    x.weight_quant = &graph->nodes[lac_graph_producer(graph, x.node->in[1])];
    int64_t per_group = graph->values[x.weight_quant->in[0]].shape.dim[1];
    int n_out = x.transposed ? (int)per_group * x.node->attr.window.groups : x.codes.n_out;
    LAC_TRY(lac_fold_chain(graph, &x.chain, n_out, scratch, &x.fold, err));
    LAC_TRY(read_scales(graph, &x, err));
    snap_weight_scales(graph, &x);
    for (int o = 0; o < x.codes.n_out; o++) snap_weights(graph, &x, o);
    for (int o = 0; o < n_out; o++) snap_offset(graph, &x, o);
    return LAC_OK;
}

static lac_status snap_norm(lac_graph *graph, int index, lac_arena *scratch, lac_error *err) {
    snapping x = {.node = &graph->nodes[index]};
    int n = (int)lac_shape_count(graph->values[x.node->in[1]].shape);
    LAC_TRY(lac_chain_match(graph, index, &x.chain, err));
    LAC_TRY(lac_fold_chain(graph, &x.chain, n, scratch, &x.fold, err));
    LAC_TRY(read_scales(graph, &x, err));
    x.codes = (lac_weight_codes){.n_out = n, .scale = LAC_NEW_ARRAY(scratch, double, n)};
    for (int o = 0; o < n; o++) x.codes.scale[o] = 1.0 / LAC_NORM_WEIGHT;
    snap_gammas(graph, &x);
    LAC_TRY(lac_fold_chain(graph, &x.chain, n, scratch, &x.fold, err));
    for (int o = 0; o < n; o++) snap_offset(graph, &x, o);
    return LAC_OK;
}

static bool has_weights(lac_op op) {
    return op == LAC_OP_CONV2D || op == LAC_OP_CONV_TRANSPOSE || op == LAC_OP_LINEAR;
}

lac_status lac_snap(lac_graph *graph, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to snap graph '%s'", graph->name);
    snap_adds(graph, scratch);
    lac_status status = LAC_OK;
    for (int n = 0; status == LAC_OK && n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        if (has_weights(node->op)) status = snap_layer(graph, n, scratch, err);
        if (node->op == LAC_OP_BATCH_NORM && lac_quantizer_of(graph, node->in[0]) >= 0)
            status = snap_norm(graph, n, scratch, err);
    }
    lac_arena_close(scratch);
    return status;
}
