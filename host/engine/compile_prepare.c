#include "plan.h"

#include <stdio.h>
#include <string.h>

// Passes that put a graph into the form that the engine can execute, and its deep copy.

static void *copy_array(lac_arena *arena, const void *from, size_t n, size_t size) {
    return from && n ? lac_arena_copy(arena, from, n * size) : NULL;
}

static lac_int_layer copy_layer(const lac_int_graph *graph, const lac_int_layer *from, lac_arena *arena) {
    lac_int_layer to = *from;
    size_t n = (size_t)graph->tensors[from->out].c;
    to.name = lac_arena_strdup(arena, from->name);
    to.in = copy_array(arena, from->in, (size_t)from->n_in, sizeof *to.in);
    to.w = from->kind == LAC_INT_CONV2D
               ? copy_array(arena, from->w, lac_int_layer_weights(graph, from, false), sizeof *to.w)
               : NULL;
    to.table = from->kind == LAC_INT_TABLE ? copy_array(arena, from->table, LAC_TABLE_CODES, 1) : NULL;
    to.bias = copy_array(arena, from->bias, n, sizeof *to.bias);
    to.m = copy_array(arena, from->raw ? NULL : from->m, n, sizeof *to.m);
    to.s = copy_array(arena, from->raw ? NULL : from->s, n, sizeof *to.s);
    to.raw_scale = copy_array(arena, from->raw ? from->raw_scale : NULL, n, sizeof *to.raw_scale);
    return to;
}

lac_int_graph *lac_int_graph_copy(const lac_int_graph *graph, lac_arena *arena) {
    lac_int_graph *copy = lac_arena_copy(arena, graph, sizeof *graph);
    copy->arena = arena;
    copy->name = lac_arena_strdup(arena, graph->name ? graph->name : "");
    copy->tensors = copy_array(arena, graph->tensors, (size_t)graph->n_tensors, sizeof *graph->tensors);
    for (int t = 0; t < graph->n_tensors; t++)
        copy->tensors[t].name = lac_arena_strdup(arena, graph->tensors[t].name);
    copy->layers = LAC_NEW_ARRAY(arena, lac_int_layer, graph->n_layers);
    for (int l = 0; l < graph->n_layers; l++) copy->layers[l] = copy_layer(graph, &graph->layers[l], arena);
    return copy;
}

int lac_plan_add_tensor(lac_plan *plan, const lac_int_tensor *tensor) {
    lac_int_graph *graph = plan->graph;
    lac_int_tensor *tensors = LAC_NEW_ARRAY(plan->arena, lac_int_tensor, graph->n_tensors + 1);
    memcpy(tensors, graph->tensors, (size_t)graph->n_tensors * sizeof *tensors);
    tensors[graph->n_tensors] = *tensor;
    graph->tensors = tensors;
    return graph->n_tensors++;
}

void lac_plan_insert_layer(lac_plan *plan, int at, const lac_int_layer *layer) {
    lac_int_graph *graph = plan->graph;
    lac_int_layer *layers = LAC_NEW_ARRAY(plan->arena, lac_int_layer, graph->n_layers + 1);
    memcpy(layers, graph->layers, (size_t)at * sizeof *layers);
    layers[at] = *layer;
    memcpy(layers + at + 1, graph->layers + at, (size_t)(graph->n_layers - at) * sizeof *layers);
    graph->layers = layers;
    graph->n_layers++;
}

static lac_window window_of_one(void) {
    return (lac_window){.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
}

/// Raw results are the only ones that leave the engine: an output of codes is sent as it is, in 32 bits.
static void append_raw_copy(lac_plan *plan) {
    const lac_int_tensor *codes = &plan->graph->tensors[plan->graph->output];
    lac_int_tensor raw = *codes;
    raw.name = lac_arena_printf(plan->arena, "%s.raw", codes->name);
    raw.type = (lac_code_type){.bits = 32, .scale = codes->type.scale};
    size_t n = (size_t)codes->c;
    lac_int_layer layer = {.kind = LAC_INT_AVG_POOL,
                           .name = raw.name,
                           .n_in = 1,
                           .in = lac_arena_copy(plan->arena, &plan->graph->output, sizeof(int)),
                           .window = window_of_one(),
                           .bias = LAC_NEW_ARRAY(plan->arena, int32_t, n),
                           .raw = true,
                           .raw_scale = LAC_NEW_ARRAY(plan->arena, double, n)};
    for (size_t i = 0; i < n; i++) layer.raw_scale[i] = codes->type.scale;
    layer.out = lac_plan_add_tensor(plan, &raw);
    plan->graph->output = layer.out;
    lac_plan_insert_layer(plan, plan->graph->n_layers, &layer);
}

static lac_status check_kinds(const lac_plan *plan, lac_error *err) {
    for (int l = 0; l < plan->graph->n_layers; l++) {
        const lac_int_layer *layer = &plan->graph->layers[l];
        if (layer->kind == LAC_INT_TABLE && !plan->engine.table)
            LAC_FAIL(err, LAC_E_UNSUPPORTED,
                     "layer '%s' is an activation by table, and the engine has none; set TABLE to 1",
                     layer->name);
        if (layer->kind != LAC_INT_MUL) continue;
        const int needed = lac_int_factors_are_of_pixels(plan->graph, layer) ? 2 : 1;
        if (plan->engine.scale < needed)
            LAC_FAIL(err, LAC_E_UNSUPPORTED,
                     "layer '%s' multiplies a map by factors%s, which the engine cannot; set SCALE to %d",
                     layer->name, needed == 2 ? " of its pixels" : "", needed);
        if (plan->split_y || plan->split_x)
            LAC_FAIL(err, LAC_E_UNSUPPORTED,
                     "layer '%s' multiplies a map by factors, which %d images in one mesh cannot have each; "
                     "compile for 1 image",
                     layer->name, 1 << (plan->split_y + plan->split_x));
    }
    return LAC_OK;
}

lac_status lac_pass_codes(lac_plan *plan, lac_error *err) {
    LAC_TRY(check_kinds(plan, err));
    for (int t = 0; t < plan->graph->n_tensors; t++) {
        const lac_int_tensor *tensor = &plan->graph->tensors[t];
        if (tensor->type.bits != 32 && tensor->type.bits > plan->engine.act_bits)
            LAC_FAIL(
                err, LAC_E_RANGE,
                "tensor '%s' has codes of %d bits, the engine's lanes take %d; quantize it to fewer bits or "
                "raise ACT_BITS",
                tensor->name, tensor->type.bits, plan->engine.act_bits);
    }
    return LAC_OK;
}

lac_status lac_pass_results(lac_plan *plan, lac_error *err) {
    if (plan->graph->tensors[plan->graph->output].type.bits != 32) append_raw_copy(plan);
    for (int l = 0; l < plan->graph->n_layers; l++) {
        const lac_int_layer *layer = &plan->graph->layers[l];
        if (layer->raw && layer->out != plan->graph->output)
            LAC_FAIL(err, LAC_E_UNSUPPORTED,
                     "layer '%s' makes raw results but is not the output; requantise it or remove it",
                     layer->name);
    }
    return LAC_OK;
}

/// The first concat that reads a tensor has it in place; every further one, and a second reading by the same
/// one, needs a copy.
static bool is_taken(const lac_int_graph *graph, int l, int i) {
    for (int other = 0; other <= l; other++) {
        const lac_int_layer *layer = &graph->layers[other];
        if (layer->kind != LAC_INT_CONCAT) continue;
        for (int k = 0; k < (other == l ? i : layer->n_in); k++)
            if (layer->in[k] == graph->layers[l].in[i]) return true;
    }
    return false;
}

/// A max pool over one pixel is the identity on codes.
static void insert_copy(lac_plan *plan, int l, int i) {
    lac_int_layer *concat = &plan->graph->layers[l];
    lac_int_tensor copied = plan->graph->tensors[concat->in[i]];
    copied.name = lac_arena_printf(plan->arena, "%s.in%d", concat->name, i);
    lac_int_layer layer = {.kind = LAC_INT_MAX_POOL,
                           .name = copied.name,
                           .n_in = 1,
                           .in = lac_arena_copy(plan->arena, &concat->in[i], sizeof(int)),
                           .window = window_of_one()};
    layer.out = lac_plan_add_tensor(plan, &copied);
    concat->in[i] = layer.out;
    lac_plan_insert_layer(plan, l, &layer);
}

lac_status lac_pass_concats(lac_plan *plan, lac_error *err) {
    (void)err;
    for (int l = 0; l < plan->graph->n_layers; l++) {
        if (plan->graph->layers[l].kind != LAC_INT_CONCAT) continue;
        for (int i = 0; i < plan->graph->layers[l].n_in; i++)
            if (is_taken(plan->graph, l, i)) insert_copy(plan, l++, i);
    }
    return LAC_OK;
}

lac_status lac_pass_bounds(lac_plan *plan, lac_error *err) {
    for (int l = 0; l < plan->graph->n_layers; l++) {
        const lac_int_layer *layer = &plan->graph->layers[l];
        int64_t low, high;
        lac_int_layer_bounds(plan->graph, layer, &low, &high);
        int bits = lac_int_layer_acc_bits(plan->graph, layer);
        if (bits > plan->engine.acc_bits)
            LAC_FAIL(err, LAC_E_RANGE,
                     "layer '%s': sums reach %lld..%lld and need %d bits, the engine's accumulators have %d; "
                     "use fewer bits or fewer weights, or raise ACC_BITS",
                     layer->name, (long long)low, (long long)high, bits, plan->engine.acc_bits);
    }
    return LAC_OK;
}
