#include "plan.h"

#include <string.h>

// Circular padding is a convolution of ones with three taps a map apart (quant/lower_view.c). A lane sees no
// further than its neighbours, so the far side comes tile by tile: copies that each move the map by at most a
// tile, downwards and upwards, and sums of what arrives. Where nothing arrives there is zero.

typedef struct wrapping {
    lac_plan *plan;
    const lac_int_layer *layer; ///< the convolution that is taken apart
    lac_int_tensor shape;       ///< of every copy: the padded map
    int axis, at;               ///< where the next layer goes
    int n;                      ///< layers so far
} wrapping;

static bool wraps(const lac_int_graph *graph, const lac_int_layer *layer, int axis) {
    const lac_window *w = &layer->window;
    const int size = lac_tensor_size(&graph->tensors[layer->in[0]], axis);
    return layer->kind == LAC_INT_CONV2D && w->kernel[axis] == 3 && w->dilation[axis] == size &&
           w->stride[axis] == 1 && w->pad[axis] >= size && w->pad[axis + 2] >= size;
}

/// Only copies of ones: other convolutions with taps so far apart keep their form.
static bool is_copy(const lac_int_graph *graph, const lac_int_layer *layer) {
    const int c = graph->tensors[layer->out].c;
    const size_t n = (size_t)c * (size_t)layer->window.kernel[0] * (size_t)layer->window.kernel[1];
    if (layer->raw || layer->window.groups != c || graph->tensors[layer->in[0]].c != c) return false;
    for (size_t i = 0; i < n; i++)
        if (layer->w[i] != 1) return false;
    return true;
}

/// Adds a layer whose requantization is the identity: sum_w weights of one.
static int add_identity(wrapping *w, lac_int_layer layer, lac_int_tensor to, int sum_w) {
    to.name =
        lac_arena_printf(w->plan->arena, "%s.%s%d", w->layer->name, w->axis ? "columns" : "rows", ++w->n);
    layer.name = to.name;
    lac_int_layer_set_identity(&layer, to.c, sum_w, &to.type, w->plan->arena);
    layer.out = lac_plan_add_tensor(w->plan, &to);
    lac_plan_insert_layer(w->plan, w->at++, &layer);
    return layer.out;
}

/// Every row (column) from `by` places before it, or after it where `by` is negative: one of two taps.
static int add_move(wrapping *w, int from, int by) {
    const int a = w->axis, far = by < 0 ? -by : by;
    const int grows = lac_tensor_size(&w->shape, a) - lac_tensor_size(&w->plan->graph->tensors[from], a);
    lac_int_tensor to = w->plan->graph->tensors[from];
    *(a ? &to.w : &to.h) += grows;
    lac_window window = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = to.c};
    window.kernel[a] = far ? 2 : 1;
    window.dilation[a] = far ? far : 1;
    window.pad[a] = by > 0 ? far : 0;
    window.pad[a + 2] = grows + (by < 0 ? far : 0);
    lac_int_layer layer = {.kind = LAC_INT_CONV2D, .n_in = 1, .window = window, .weight_bits = 2};
    layer.in = lac_arena_copy(w->plan->arena, &from, sizeof from);
    layer.w = LAC_NEW_ARRAY(w->plan->arena, int8_t, 2 * to.c);
    for (int o = 0; o < to.c; o++) layer.w[far ? 2 * o + (by < 0) : o] = 1;
    return add_identity(w, layer, to, 1);
}

static int add_sum(wrapping *w, int x, int y) {
    const int in[2] = {x, y};
    lac_int_layer layer = {.kind = LAC_INT_ADD, .n_in = 2, .add_w = {1, 1}};
    layer.window = (lac_window){.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    layer.in = lac_arena_copy(w->plan->arena, in, sizeof in);
    return add_identity(w, layer, w->shape, 2);
}

/// A whole map's length away, in moves of a tile.
static int add_moves(wrapping *w, int from, int length, int sign) {
    const int mesh = w->axis ? lac_plan_cols(w->plan) : lac_plan_rows(w->plan);
    const int tile = (lac_tensor_size(&w->shape, w->axis) + mesh - 1) / mesh;
    for (int left = length; left > 0; left -= tile)
        from = add_move(w, from, sign * (left < tile ? left : tile));
    return from;
}

/// Layers for one axis before layer `at`; returns the map that is padded along it.
static int wrap_axis(wrapping *w, int from) {
    const int a = w->axis, length = w->layer->window.dilation[a];
    const int before = w->layer->window.pad[a] - length, after = w->layer->window.pad[a + 2] - length;
    w->shape = w->plan->graph->tensors[from];
    *(a ? &w->shape.w : &w->shape.h) += before + after;
    int whole = add_move(w, from, before), placed = whole;
    if (after) whole = add_sum(w, whole, add_moves(w, placed, length, 1));
    if (before) whole = add_sum(w, whole, add_moves(w, placed, length, -1));
    return whole;
}

static void take_apart(lac_plan *plan, int l) {
    const lac_int_layer layer = plan->graph->layers[l];
    wrapping w = {.plan = plan, .layer = &layer, .at = l};
    int value = layer.in[0];
    for (w.axis = 0; w.axis < 2; w.axis++)
        if (wraps(plan->graph, &layer, w.axis)) value = wrap_axis(&w, value);
    // The last layer makes what the convolution made.
    lac_int_layer *last = &plan->graph->layers[w.at - 1];
    last->out = layer.out;
    last->name = layer.name;
    lac_int_layer *layers = plan->graph->layers;
    plan->graph->n_tensors--; // its own, the newest
    memmove(layers + w.at, layers + w.at + 1, (size_t)(plan->graph->n_layers - w.at - 1) * sizeof *layers);
    plan->graph->n_layers--;
}

lac_status lac_pass_wraps(lac_plan *plan, lac_error *err) {
    (void)err;
    for (int l = 0; l < plan->graph->n_layers; l++) {
        const lac_int_layer *layer = &plan->graph->layers[l];
        if ((wraps(plan->graph, layer, 0) || wraps(plan->graph, layer, 1)) && is_copy(plan->graph, layer))
            take_apart(plan, l);
    }
    return LAC_OK;
}
