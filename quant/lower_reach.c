#include "lowering.h"

#include <stdlib.h>

// A kernel that reaches far in a small map. A lane sees its neighbours' tiles only, so that such a kernel
// would need large tiles, and with them few lanes for the whole network. Where the map has few channels,
// copies of it that are moved by a tile, by two and so on are further channels, and the kernel over all of
// them reaches no further than a tile.
//
//   x[y + dy] = moved[k][y + dy - k * tile],  moved[k][y] = x[y + k * tile], or real zero outside the map

enum { FEW_CHANNELS = 4 };

typedef struct axis_reach {
    int size, tile;
    int first, last;       ///< displacements of the kernel that can meet the map
    int n_before, n_after; ///< copies that are moved either way
} axis_reach;

typedef struct reaching {
    lac_lowering *l;
    const char *name;
    int n_layers;
    axis_reach axis[2];
} reaching;

int lac_lowering_most_of_reach(const lac_node *node) {
    return node->op == LAC_OP_CONV2D ? 2 * (2 * LAC_LOWERING_TILES + 1) : 0;
}

/// Moved copies that a displacement of that much needs.
static int copies(int displacement, int tile) {
    return displacement > tile ? (displacement - 1) / tile : 0;
}

static axis_reach reach_of(const lac_window *w, int axis, int size) {
    axis_reach r = {.size = size, .tile = (size + LAC_LOWERING_TILES - 1) / LAC_LOWERING_TILES};
    r.first = -w->pad[axis];
    r.last = w->kernel[axis] - 1 - w->pad[axis];
    if (r.first < 1 - size) r.first = 1 - size;
    if (r.last > size - 1) r.last = size - 1;
    r.n_before = copies(-r.first, r.tile);
    r.n_after = copies(r.last, r.tile);
    return r;
}

/// The copy k = -n_before .. n_after that a displacement reads; what is left of it has the same sign.
static int copy_for(const axis_reach *r, int displacement) {
    int k = copies(abs(displacement), r->tile);
    return displacement < 0 ? -k : k;
}

/// Moves all channels of a tensor by a tile.
static int move(reaching *m, int tensor, int axis, bool forward) {
    lac_lowering *l = m->l;
    const lac_int_tensor from = l->out->tensors[tensor];
    const int tile = m->axis[axis].tile, size = tile + 1;
    const char *name = lac_arena_printf(l->scratch, "%s.moved%d", m->name, m->n_layers++);
    lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_CONV2D, name, &tensor, 1);
    layer->window.groups = from.c;
    layer->window.kernel[axis] = size;
    layer->window.pad[forward ? axis + 2 : axis] = tile;
    layer->weight_bits = 2;
    layer->w = LAC_NEW_ARRAY(l->arena, int8_t, from.c * size);
    for (int c = 0; c < from.c; c++) layer->w[c * size + (forward ? tile : 0)] = 1;
    lac_int_layer_set_identity(layer, from.c, 1, &from.type, l->arena);
    layer->out = lac_lowering_add_tensor(l, name, from.c, from.h, from.w, from.type);
    return layer->out;
}

/// A tensor and its moved copies as one: copy 0 first, then 1, 2, .., then -1, -2, ..
static int join_copies(reaching *m, int tensor, int axis) {
    lac_lowering *l = m->l;
    const axis_reach *r = &m->axis[axis];
    const lac_int_tensor from = l->out->tensors[tensor];
    int parts[2 * LAC_LOWERING_TILES] = {tensor}, n = 1;
    for (int forward = 1; forward >= 0; forward--)
        for (int k = 0, last = tensor; k < (forward ? r->n_after : r->n_before); k++)
            parts[n++] = last = move(m, last, axis, forward);
    if (n == 1) return tensor;
    const char *name = lac_arena_printf(l->scratch, "%s.reach%d", m->name, axis);
    lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_CONCAT, name, parts, n);
    layer->out = lac_lowering_add_tensor(l, name, n * from.c, from.h, from.w, from.type);
    return layer->out;
}

static int place_of_copy(const axis_reach *r, int k) {
    return k < 0 ? r->n_after - k : k;
}

/// The kernel over the copies. Taps that never meet the map are left out.
static void spread(const reaching *m, int n_channels, lac_weight_codes *codes, lac_window *window) {
    const axis_reach *y = &m->axis[0], *x = &m->axis[1];
    const lac_window old = *window;
    const int rows = 1 + y->n_before + y->n_after, all = n_channels * rows * (1 + x->n_before + x->n_after);
    for (int a = 0; a < 2; a++) {
        const axis_reach *r = &m->axis[a];
        int before = -r->first < r->tile ? -r->first : r->tile, after = r->last < r->tile ? r->last : r->tile;
        window->kernel[a] = before + 1 + after;
        window->pad[a] = before;
        window->pad[a + 2] = after;
    }
    const int taps = window->kernel[0] * window->kernel[1];
    int8_t *to = LAC_NEW_ARRAY(m->l->arena, int8_t, (size_t)codes->n_out * (size_t)(all * taps));
    for (int i = 0; i < codes->n_out * codes->n_per_out; i++) {
        int kx = i % old.kernel[1], ky = i / old.kernel[1] % old.kernel[0];
        int c = i / (old.kernel[0] * old.kernel[1]) % n_channels, o = i / codes->n_per_out;
        int dy = ky - old.pad[0], dx = kx - old.pad[1];
        if (dy < y->first || dy > y->last || dx < x->first || dx > x->last) continue;
        int cy = copy_for(y, dy), cx = copy_for(x, dx);
        int channel = (place_of_copy(x, cx) * rows + place_of_copy(y, cy)) * n_channels + c;
        int row = dy - cy * y->tile + window->pad[0], col = dx - cx * x->tile + window->pad[1];
        to[((o * all + channel) * window->kernel[0] + row) * window->kernel[1] + col] = codes->code[i];
    }
    codes->code = to;
    codes->n_per_out = all * taps;
}

/// Output as large as the input, or a lane could not tell where a displacement of 0 is.
static bool keeps_size(const lac_window *w) {
    for (int a = 0; a < 2; a++)
        if (w->stride[a] != 1 || w->dilation[a] != 1 || w->pad[a] + w->pad[a + 2] != w->kernel[a] - 1)
            return false;
    return w->groups == 1;
}

void lac_lower_reach(lac_lowering *l, const char *name, int *tensor, lac_weight_codes *codes,
                     lac_window *window) {
    const lac_int_tensor from = l->out->tensors[*tensor];
    reaching m = {.l = l, .name = name, .axis = {reach_of(window, 0, from.h), reach_of(window, 1, from.w)}};
    bool far = false;
    for (int a = 0; a < 2; a++) far |= window->pad[a] > m.axis[a].tile || window->pad[a + 2] > m.axis[a].tile;
    if (!far || from.c > FEW_CHANNELS || !keeps_size(window)) return;
    for (int a = 0; a < 2; a++) *tensor = join_copies(&m, *tensor, a);
    spread(&m, from.c, codes, window);
}
