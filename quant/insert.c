#include "quant_codes.h"
#include "range.h"
#include "scale_search.h"
#include "sites.h"

#include <math.h>

static const char *named(const lac_graph *graph, const char *base, const char *suffix) {
    return lac_arena_printf(graph->arena, "%s_%s", base, suffix);
}

// Every reader of a value but one node now reads another.
static void redirect(lac_graph *graph, int from, int to, int but) {
    for (int n = 0; n < graph->n_nodes; n++)
        for (int i = 0; n != but && i < graph->nodes[n].n_in; i++)
            if (graph->nodes[n].in[i] == from) graph->nodes[n].in[i] = to;
}

static void insert_site(lac_graph *graph, const lac_quant_site *site, int scale, int zero) {
    const lac_attr attr = {.quant = {.bits = site->bits, .is_signed = site->is_signed}};
    const char *name = named(graph, graph->values[site->value].name, "quant");
    int out = lac_graph_add_node(graph, LAC_OP_QUANT, name, (int[]){site->value, scale, zero}, 3, &attr);
    redirect(graph, site->value, out, graph->n_nodes - 1);
}

// ---- weights -------------------------------------------------------------------------------------------

static lac_status check_zeros(const lac_graph *graph, const lac_node *node, int bits, lac_error *err) {
    const lac_value *w = &graph->values[node->in[1]];
    int64_t n = lac_shape_count(w->shape), zeros = 0;
    for (int64_t i = 0; i < n; i++) zeros += w->data[i] == 0;
    if (bits > 1 || zeros == 0) return LAC_OK;
    LAC_FAIL(err, LAC_E_UNSUPPORTED,
             "%s '%s': %lld of %lld weights are pruned to zero, and {-1,+1} has no zero; use ternary weights",
             lac_op_name(node->op), node->name, (long long)zeros, (long long)n);
}

static float scale_of_weights(const lac_quant_sites *sites, const float *w, size_t n, int bits,
                              lac_arena *scratch) {
    int highest = bits > 1 ? (1 << (bits - 1)) - 1 : 1, zero;
    float scale;
    if (bits == 1) {
        scale = lac_scale_bipolar(w, n);
        return sites->power_of_two ? lac_scale_power_of_two(w, n, scale, -1, 1) : scale;
    }
    const lac_range_samples samples = {.x = w, .n = n};
    const lac_code_grid grid = {.lowest = -highest, .highest = highest, .power_of_two = sites->power_of_two};
    lac_range_fit(sites->weight_range, sites->percentile, &samples, grid, scratch, &scale, &zero);
    return scale;
}

// One scale an output channel; a channel without weights left takes the mean of the others, or the power of
// two next to it.
static void search_scales(const lac_quant_sites *sites, const lac_value *w, int bits, lac_value *scales,
                          lac_arena *scratch) {
    int64_t n_scales = lac_shape_count(scales->shape), n = lac_shape_count(w->shape) / n_scales, found = 0;
    double sum = 0;
    for (int64_t o = 0; o < n_scales; o++) {
        scales->data[o] = scale_of_weights(sites, w->data + o * n, (size_t)n, bits, scratch);
        sum += (double)scales->data[o];
        found += scales->data[o] > 0;
    }
    float mean = found ? (float)(sum / (double)found) : 1;
    if (sites->power_of_two) mean = exp2f(rintf(log2f(mean)));
    for (int64_t o = 0; o < n_scales; o++)
        if (!(scales->data[o] > 0)) scales->data[o] = mean;
}

// The first dimension of transposed weights is not the output's: they have one scale.
static int add_scales(lac_graph *graph, const lac_quant_sites *sites, const lac_value *w, bool transposed,
                      int bits) {
    lac_shape shape = w->shape;
    for (int i = 1; i < shape.n_dims; i++) shape.dim[i] = 1;
    if (sites->per_tensor || transposed) shape = (lac_shape){0};
    bool learnt = bits < LAC_TRACKED_WEIGHT_BITS;
    return lac_graph_add_constant(graph, named(graph, w->name, "scale"), shape, NULL, learnt);
}

static lac_status insert_weights(lac_graph *graph, const lac_quant_sites *sites, int index, int zero,
                                 lac_arena *scratch, lac_error *err) {
    int bits = sites->weight_bits[index];
    lac_node node = graph->nodes[index];
    if (!graph->values[node.in[1]].data)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "%s '%s': weights '%s' are computed; they must be a constant",
                 lac_op_name(node.op), node.name, graph->values[node.in[1]].name);
    LAC_TRY(check_zeros(graph, &node, bits, err));
    lac_value w = graph->values[node.in[1]];
    int scale = add_scales(graph, sites, &w, node.op == LAC_OP_CONV_TRANSPOSE, bits);
    search_scales(sites, &w, bits, &graph->values[scale], scratch);
    const lac_attr attr = {.quant = {.bits = bits, .is_signed = true, .narrow = true}};
    lac_op op = bits == 1 ? LAC_OP_BIPOLAR_QUANT : LAC_OP_QUANT;
    const char *name = named(graph, w.name, "quant");
    int out = lac_graph_add_node(graph, op, name, (int[]){node.in[1], scale, zero}, bits == 1 ? 2 : 3, &attr);
    graph->nodes[index].in[1] = out;
    return LAC_OK;
}

// ---- the graph -----------------------------------------------------------------------------------------

static lac_status insert_all_weights(lac_graph *graph, const lac_quant_sites *sites, int zero,
                                     lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to quantize graph '%s'", graph->name);
    lac_status status = LAC_OK;
    for (int n = 0, n_nodes = graph->n_nodes; n < n_nodes && status == LAC_OK; n++)
        if (sites->weight_bits[n]) status = insert_weights(graph, sites, n, zero, scratch, err);
    lac_arena_close(scratch);
    return status;
}

lac_status lac_quant_sites_insert(lac_graph *graph, const lac_quant_sites *sites, const float *scale,
                                  const int *zero, lac_error *err) {
    const lac_shape scalar = {0};
    int no_zero = lac_graph_add_constant(graph, "zero", scalar, NULL, false);
    LAC_TRY(insert_all_weights(graph, sites, no_zero, err));
    int *scale_of = LAC_NEW_ARRAY(graph->arena, int, sites->n),
        *zero_of = LAC_NEW_ARRAY(graph->arena, int, sites->n);
    for (int i = 0; i < sites->n; i++) {
        const lac_quant_site *site = &sites->site[i];
        const char *name = graph->values[site->value].name;
        bool leads = site->family == i;
        scale_of[i] = leads ? lac_graph_add_constant(graph, named(graph, name, "scale"), scalar, &scale[i],
                                                     !site->is_input)
                            : scale_of[site->family];
        const float z = (float)zero[i];
        zero_of[i] = no_zero;
        if (zero[i])
            zero_of[i] = leads ? lac_graph_add_constant(graph, named(graph, name, "zero"), scalar, &z, false)
                               : zero_of[site->family];
        insert_site(graph, site, scale_of[i], zero_of[i]);
    }
    return lac_graph_tidy(graph, err);
}
