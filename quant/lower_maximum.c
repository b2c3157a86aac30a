#include "lac_num.h"
#include "lower_view.h"

// Maxima over all pixels and over channels, on codes, from layers that every engine has.
//
// Over pixels: windows side by side where tiles are multiples of them, then a window that slides by one
// pixel, with padding behind the map, keeps the map and its tiles and makes every pixel the maximum of those
// behind it, until one pixel says it all. Rows come first, so that columns have one row left to slide over.
//
// Over channels: max(a, b) = a + relu(b - a). A level turns every two values into a and relu(b - a), the next
// one adds them up as it takes its own differences, so that each is one convolution of weights 1 and -1.

int lac_lowering_most_of_maximum(const lac_node *node) {
    enum { MOST_SLIDES = 2 * LAC_LOWERING_TILES, MOST_LEVELS = 17 };
    if (node->op == LAC_OP_GLOBAL_MAX_POOL) return MOST_SLIDES + 3;
    return node->op == LAC_OP_CHANNEL_MAX ? MOST_LEVELS + 1 : 0;
}

// ---- over pixels ------------------------------------------------------------------------------------------

typedef struct sliding {
    lac_lowering *l;
    const char *name;
    int tensor, axis;
    int *n_layers;
} sliding;

/// How many times an axis is as long as the graph's shortest one of several pixels, if it is a multiple: its
/// tiles are multiples of that, too, so that windows of as many pixels apart fit them.
static int strides_after(const lac_graph *graph, int axis, int size) {
    enum { LARGEST_POOL = 15 };
    int least = size;
    for (int v = 0; v < graph->n_values; v++) {
        const lac_shape *shape = &graph->values[v].shape;
        bool is_map = shape->n_dims == 4 && !graph->values[v].data && shape->dim[2 + axis] > 1;
        if (is_map && shape->dim[2 + axis] < least) least = (int)shape->dim[2 + axis];
    }
    int times = size % least ? 1 : size / least;
    while (times > LARGEST_POOL) times = times % 2 ? 1 : times / 2;
    return times;
}

/// Windows side by side.
static void shrink(sliding *s) {
    lac_lowering *l = s->l;
    const lac_int_tensor from = l->out->tensors[s->tensor];
    const int times[2] = {strides_after(l->graph, 0, from.h), strides_after(l->graph, 1, from.w)};
    if (times[0] == 1 && times[1] == 1) return;
    const char *name = lac_arena_printf(l->scratch, "%s.%d", s->name, (*s->n_layers)++);
    lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_MAX_POOL, name, &s->tensor, 1);
    for (int a = 0; a < 2; a++) layer->window.kernel[a] = layer->window.stride[a] = times[a];
    layer->out = s->tensor =
        lac_lowering_add_tensor(l, name, from.c, from.h / times[0], from.w / times[1], from.type);
}

static void slide(sliding *s, int kernel, bool to_one) {
    lac_lowering *l = s->l;
    const lac_int_tensor from = l->out->tensors[s->tensor];
    const int size[2] = {from.h, from.w};
    const char *name = lac_arena_printf(l->scratch, "%s.%d", s->name, (*s->n_layers)++);
    lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_MAX_POOL, name, &s->tensor, 1);
    layer->window.kernel[s->axis] = kernel;
    if (to_one)
        layer->window.stride[s->axis] = size[s->axis];
    else
        layer->window.pad[s->axis + 2] = kernel - 1;
    const int h = to_one && s->axis == 0 ? 1 : from.h, w = to_one && s->axis == 1 ? 1 : from.w;
    layer->out = s->tensor = lac_lowering_add_tensor(l, name, from.c, h, w, from.type);
}

/// A lane of a tile of `tile` reads as many pixels behind it; where an axis has more lanes, tiles are as
/// large all the same.
static void slide_axis(sliding *s) {
    const lac_int_tensor *t = &s->l->out->tensors[s->tensor];
    const int size = s->axis ? t->w : t->h, tile = (size + LAC_LOWERING_TILES - 1) / LAC_LOWERING_TILES;
    int window = 1;
    if (size == 1) return;
    for (; window + 2 * tile - 1 < size; window += tile) slide(s, tile + 1, false);
    slide(s, size - window + 1, true);
}

lac_status lac_lower_global_max(lac_lowering *l, const lac_node *node, lac_error *err) {
    int tensor, n_layers = 0;
    LAC_TRY(lac_lowering_tensor(l, node, node->in[0], &tensor, err));
    const char *name = l->graph->values[node->out].name;
    sliding s = {.l = l, .name = name, .tensor = tensor, .n_layers = &n_layers};
    shrink(&s);
    for (s.axis = 0; s.axis < 2; s.axis++) slide_axis(&s);
    if (n_layers > 0) l->out->tensors[s.tensor].name = lac_arena_strdup(l->arena, name);
    l->view_of[node->out] = lac_view_of(l, s.tensor);
    return LAC_OK;
}

// ---- over channels ----------------------------------------------------------------------------------------

/// Values that are left: value i is the sum of the `terms` channels from i * terms on; the last one may have
/// only one.
typedef struct values {
    int tensor, n, terms;
    bool last_is_single;
} values;

static int n_terms(const values *v, int i) {
    return v->last_is_single && i == v->n - 1 ? 1 : v->terms;
}

/// A convolution of 1x1 whose weights are zero so far; requantisation is the identity, up to the clamp.
static lac_int_layer *add_sum(lac_lowering *l, const values *from, const char *name, int n_out, int groups,
                              lac_code_type type) {
    const lac_int_tensor in = l->out->tensors[from->tensor];
    lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_CONV2D, name, &from->tensor, 1);
    layer->window.groups = groups;
    layer->weight_bits = 2;
    layer->w = LAC_NEW_ARRAY(l->arena, int8_t, n_out * (in.c / groups));
    lac_int_layer_set_identity(layer, n_out, 0, &type, l->arena);
    layer->out = lac_lowering_add_tensor(l, name, n_out, in.h, in.w, type);
    return layer;
}

static void add_value(const lac_lowering *l, lac_int_layer *layer, const values *from, int o, int value,
                      int weight) {
    const int n_out = l->out->tensors[layer->out].c, groups = layer->window.groups;
    const int n_in = l->out->tensors[from->tensor].c / groups, first = o / (n_out / groups) * n_in;
    for (int i = 0; i < n_terms(from, value); i++)
        layer->w[o * n_in + value * from->terms + i - first] = (int8_t)weight;
}

/// Halves the number of values. Codes of the first level count from the lowest one of its input on.
static values pair_up(lac_lowering *l, values from, const char *name, int lowest, lac_code_type type) {
    const bool odd = from.n % 2 != 0;
    const int groups = odd || from.last_is_single ? 1 : from.n / 2;
    lac_int_layer *layer = add_sum(l, &from, name, from.n, groups, type);
    for (int i = 0; i < from.n; i += 2) {
        add_value(l, layer, &from, i, i, 1);
        layer->bias[i] = -lowest;
        if (i + 1 == from.n) break;
        add_value(l, layer, &from, i + 1, i, -1);
        add_value(l, layer, &from, i + 1, i + 1, 1);
    }
    return (values){.tensor = layer->out, .n = (from.n + 1) / 2, .terms = 2, .last_is_single = odd};
}

lac_status lac_lower_channel_max(lac_lowering *l, const lac_node *node, lac_error *err) {
    int tensor;
    LAC_TRY(lac_lowering_tensor(l, node, node->in[0], &tensor, err));
    const lac_int_tensor from = l->out->tensors[tensor];
    const char *name = l->graph->values[node->out].name;
    const lac_code_type above = {.bits = from.type.bits, .scale = from.type.scale}; // the lowest code
    int lowest = lac_code_min(from.type.bits, from.type.is_signed);
    values left = {.tensor = tensor, .n = from.c, .terms = 1};
    for (int level = 0; left.n > 1; level++)
        left =
            pair_up(l, left, lac_arena_printf(l->scratch, "%s.%d", name, level), level ? 0 : lowest, above);
    if (from.c > 1) {
        lac_int_layer *layer = add_sum(l, &left, name, 1, 1, from.type);
        add_value(l, layer, &left, 0, 0, 1);
        layer->bias[0] = lowest - from.type.zero;
        left.tensor = layer->out;
    }
    l->view_of[node->out] = lac_view_of(l, left.tensor);
    return LAC_OK;
}
