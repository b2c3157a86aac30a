#include "lower_view.h"
#include "lac_num.h"
#include "rearrange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

lac_view lac_view_of(const lac_lowering *l, int tensor) {
    return (lac_view){.tensor = tensor, .n_channels = l->out->tensors[tensor].c, .fold = {1, 1}};
}

int lac_view_size(const lac_lowering *l, const lac_view *view, int axis) {
    const lac_int_tensor *t = &l->out->tensors[view->tensor];
    return (axis ? t->w : t->h) * view->fold[axis] + view->pad[axis] + view->pad[2 + axis];
}

static bool is_padded(const lac_view *view) {
    return view->pad[0] || view->pad[1] || view->pad[2] || view->pad[3];
}

bool lac_view_is_plain(const lac_view *view) {
    return !view->channel && !is_padded(view) && view->fold[0] == 1 && view->fold[1] == 1;
}

static int folded_channels(const lac_view *view) {
    return view->n_channels * view->fold[0] * view->fold[1];
}

static int tensor_channel(const lac_view *view, int folded) {
    return view->channel ? view->channel[folded] : folded;
}

lac_status lac_lowering_view(const lac_lowering *l, const lac_node *reader, int value, lac_view *out,
                             lac_error *err) {
    *out = l->view_of[value];
    if (out->tensor >= 0) return LAC_OK;
    LAC_FAIL(err, LAC_E_UNSUPPORTED,
             "%s '%s': input '%s' has no quantizer before it; run `lacuna quantize` on the model",
             lac_op_name(reader->op), reader->name, l->graph->values[value].name);
}

// ---- kernels over a view --------------------------------------------------------------------------------

/// One axis of a kernel over a folded value.
typedef struct axis_law {
    int kernel, stride, dilation, pad;
    bool transposed;
    int fold_in, fold_out;
    int first;          ///< smallest offset of a tap in the tensor
    int n, stride_here; ///< kernel and stride over the tensor
} axis_law;

static int floor_div(int a, int b) {
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

/// Row of the value that tap k reads for phase p of the output, relative to the output's folded row; false
/// when a transposed kernel has no such tap.
static bool tap_at(const axis_law *a, int p, int k, int *row) {
    if (!a->transposed) {
        *row = a->stride * p + k * a->dilation - a->pad;
        return true;
    }
    int over = p + a->pad - k * a->dilation;
    *row = floor_div(over, a->stride);
    return over == *row * a->stride;
}

static lac_status choose_folds(const lac_node *node, axis_law *a, int out_size, lac_error *err) {
    int f = a->fold_in, t = a->stride;
    a->stride_here = a->fold_out = 1;
    if (a->transposed)
        a->fold_out = t * f;
    else if (out_size > 1 && t % f == 0)
        a->stride_here = t / f;
    else if (out_size > 1)
        a->fold_out = f / t;
    bool fits = a->transposed || out_size == 1 || t % f == 0 || f % t == 0;
    if (!fits || out_size % a->fold_out || a->fold_out > LAC_MOST_FOLD)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "%s '%s': %d rows or columns of its input lie in one place of memory, with stride %d and %d "
                 "out; supported are strides and outputs that divide by them, at most %d",
                 lac_op_name(node->op), node->name, f, t, out_size, LAC_MOST_FOLD);
    return LAC_OK;
}

static void find_reach(axis_law *a) {
    int first = INT32_MAX, last = INT32_MIN, row;
    for (int p = 0; p < a->fold_out; p++)
        for (int k = 0; k < a->kernel; k++) {
            if (!tap_at(a, p, k, &row)) continue;
            int at = floor_div(row, a->fold_in);
            if (at < first) first = at;
            if (at > last) last = at;
        }
    a->first = first < 0 ? first : 0; // a window begins inside its padding
    a->n = (last > 0 ? last : 0) - a->first + 1;
}

/// The window over the tensor: begins at the first tap and gives the wanted number of rows.
static lac_status set_axis(const lac_node *node, const axis_law *a, int axis, int in_size, int out_size,
                           lac_window *w, lac_error *err) {
    w->kernel[axis] = a->n;
    w->stride[axis] = a->stride_here;
    w->dilation[axis] = 1;
    w->pad[axis] = -a->first;
    int end = (out_size / a->fold_out - 1) * a->stride_here + a->n - in_size + a->first;
    w->pad[2 + axis] = end > 0 ? end : 0;
    if (lac_window_out(w, axis, in_size) == out_size / a->fold_out) return LAC_OK;
    LAC_FAIL(
        err, LAC_E_UNSUPPORTED,
        "%s '%s': its output of %d rows or columns does not follow from the %d it has in memory; crop or pad "
        "less",
        lac_op_name(node->op), node->name, out_size, in_size);
}

/// A kernel without folds keeps its window, dilation and all.
static bool keeps_window(const axis_law a[2]) {
    return !a[0].transposed && a[0].fold_in == 1 && a[1].fold_in == 1 && a[0].fold_out == 1 &&
           a[1].fold_out == 1;
}

static lac_status plan_axes(const lac_lowering *l, const lac_node *node, const lac_view *view,
                            const lac_view_kernel *kernel, axis_law a[2], lac_window *window,
                            lac_error *err) {
    const lac_window *w = &kernel->window;
    const lac_int_tensor *in = &l->out->tensors[view->tensor];
    for (int i = 0; i < 2; i++) {
        a[i] = (axis_law){.kernel = w->kernel[i],
                          .stride = w->stride[i],
                          .dilation = w->dilation[i],
                          .pad = w->pad[i] + (kernel->transposed ? 0 : view->pad[i]),
                          .transposed = kernel->transposed,
                          .fold_in = view->fold[i]};
        LAC_TRY(choose_folds(node, &a[i], kernel->out_size[i], err));
        find_reach(&a[i]);
    }
    *window = *w;
    if (keeps_window(a)) {
        for (int i = 0; i < 4; i++) window->pad[i] += view->pad[i];
        for (int i = 0; i < 2; i++) a[i].n = a[i].kernel;
        return LAC_OK;
    }
    LAC_TRY(set_axis(node, &a[0], 0, in->h, kernel->out_size[0], window, err));
    return set_axis(node, &a[1], 1, in->w, kernel->out_size[1], window, err);
}

/// What expanding works on.
typedef struct expansion {
    const lac_view *view;
    const lac_view_kernel *kernel;
    const lac_weight_codes *codes;
    axis_law axis[2];
    int n_in;              // channels of the value in a group
    int n_here, n_per_out; // channels of the tensor in a group, weights of an output
    bool keeps_window, grouped;
    int16_t *sum;
} expansion;

static int code_at(const expansion *e, int o, int i, int ky, int kx) {
    const lac_window *w = &e->kernel->window;
    int per_group = e->kernel->n_out / w->groups;
    int row = o, column = i, n_columns = e->n_in;
    if (e->kernel->transposed) {
        row = o / per_group * e->n_in + i;
        column = o % per_group;
        n_columns = per_group;
    }
    return e->codes->code[((row * n_columns + column) * w->kernel[0] + ky) * w->kernel[1] + kx];
}

/// Adds the taps of one pair of channels for one phase of the output.
static void expand_pair(const expansion *e, int o, int i, int py, int px) {
    const axis_law *y = &e->axis[0], *x = &e->axis[1];
    int group = o / (e->kernel->n_out / e->kernel->window.groups), row, column;
    int out = (o * y->fold_out + py) * x->fold_out + px;
    for (int ky = 0; ky < y->kernel; ky++)
        for (int kx = 0; kx < x->kernel; kx++) {
            if (!tap_at(y, py, ky, &row) || !tap_at(x, px, kx, &column)) continue;
            int at_y = floor_div(row, y->fold_in), at_x = floor_div(column, x->fold_in);
            int phase = (row - at_y * y->fold_in) * x->fold_in + column - at_x * x->fold_in;
            int c = tensor_channel(e->view, (group * e->n_in + i) * y->fold_in * x->fold_in + phase);
            if (e->grouped) c -= group * e->n_here;
            int dy = e->keeps_window ? ky : at_y - y->first, dx = e->keeps_window ? kx : at_x - x->first;
            e->sum[out * e->n_per_out + (c * y->n + dy) * x->n + dx] += (int16_t)code_at(e, o, i, ky, kx);
        }
}

/// Bits that hold the sums and their negatives; 0: more than 8.
static int bits_of(const int16_t *sum, int n, int at_least) {
    int most = 0, bits = at_least > 2 ? at_least : 2;
    for (int i = 0; i < n; i++)
        if (abs(sum[i]) > most) most = abs(sum[i]);
    while (bits <= 8 && most > lac_code_max(bits, 1)) bits++;
    return bits <= 8 ? bits : 0;
}

static void store(const lac_lowering *l, const expansion *e, int bits, lac_weight_codes *codes) {
    int fold = e->axis[0].fold_out * e->axis[1].fold_out, n_out = e->kernel->n_out * fold;
    lac_weight_codes to = {.bits = bits,
                           .n_out = n_out,
                           .n_per_out = e->n_per_out,
                           .code = LAC_NEW_ARRAY(l->arena, int8_t, (size_t)n_out * (size_t)e->n_per_out),
                           .scale = LAC_NEW_ARRAY(l->arena, double, n_out)};
    for (int i = 0; i < n_out * e->n_per_out; i++) to.code[i] = (int8_t)e->sum[i];
    for (int o = 0; o < n_out; o++) to.scale[o] = e->codes->scale[e->kernel->transposed ? 0 : o / fold];
    *codes = to;
}

static lac_status plan_expansion(const lac_lowering *l, const lac_node *node, lac_window *window,
                                 expansion *e, lac_error *err) {
    const lac_int_tensor *in = &l->out->tensors[e->view->tensor];
    int groups = e->kernel->window.groups;
    if (e->view->n_channels % groups || e->kernel->n_out % groups)
        LAC_FAIL(err, LAC_E_SHAPE, "%s '%s': %d input and %d output channels do not divide into %d groups",
                 lac_op_name(node->op), node->name, e->view->n_channels, e->kernel->n_out, groups);
    LAC_TRY(plan_axes(l, node, e->view, e->kernel, e->axis, window, err));
    e->keeps_window = keeps_window(e->axis);
    e->grouped = !e->view->channel;
    e->n_in = e->view->n_channels / groups;
    e->n_here = e->grouped ? folded_channels(e->view) / groups : in->c;
    if (!e->grouped) window->groups = 1;
    int64_t per_out = (int64_t)e->n_here * e->axis[0].n * e->axis[1].n;
    int64_t n = per_out * e->kernel->n_out * e->axis[0].fold_out * e->axis[1].fold_out;
    if (n > INT32_MAX)
        LAC_FAIL(err, LAC_E_CAPACITY, "%s '%s': %lld weights once its input's view is taken into them",
                 lac_op_name(node->op), node->name, (long long)n);
    e->n_per_out = (int)per_out;
    e->sum = LAC_NEW_ARRAY(l->scratch, int16_t, (size_t)n);
    return LAC_OK;
}

lac_status lac_view_expand(const lac_lowering *l, const lac_node *node, const lac_view *view,
                           const lac_view_kernel *kernel, lac_weight_codes *codes, lac_window *window,
                           int fold_out[2], bool *fits, lac_error *err) {
    expansion e = {.view = view, .kernel = kernel, .codes = codes};
    lac_window to;
    LAC_TRY(plan_expansion(l, node, &to, &e, err));
    for (int o = 0; o < kernel->n_out; o++)
        for (int i = 0; i < e.n_in; i++)
            for (int p = 0; p < e.axis[0].fold_out; p++)
                for (int q = 0; q < e.axis[1].fold_out; q++) expand_pair(&e, o, i, p, q);
    int n = kernel->n_out * e.axis[0].fold_out * e.axis[1].fold_out * e.n_per_out;
    int bits = bits_of(e.sum, n, codes->bits);
    *fits = bits > 0;
    if (!*fits) return LAC_OK;
    store(l, &e, bits, codes);
    for (int i = 0; i < 2; i++) fold_out[i] = e.axis[i].fold_out;
    *window = to;
    return LAC_OK;
}

// ---- copies -----------------------------------------------------------------------------------------------

/// A convolution of single ones whose requantisation is the identity.
static lac_status copy_view(lac_lowering *l, const lac_node *reader, const char *name, const lac_view *view,
                            lac_view *out, lac_error *err) {
    int n = view->n_channels;
    lac_weight_codes codes = {.bits = 2,
                              .n_out = n,
                              .n_per_out = 1,
                              .code = LAC_NEW_ARRAY(l->scratch, int8_t, n),
                              .scale = LAC_NEW_ARRAY(l->scratch, double, n)};
    memset(codes.code, 1, (size_t)n);
    lac_view_kernel kernel = {.window = {{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, n},
                              .n_out = n,
                              .out_size = {lac_view_size(l, view, 0), lac_view_size(l, view, 1)}};
    lac_window window;
    int fold[2] = {1, 1};
    bool fits = false;
    LAC_TRY(lac_view_expand(l, reader, view, &kernel, &codes, &window, fold, &fits, err));
    assert(fits); // single ones do not add up
    const lac_code_type type = l->out->tensors[view->tensor].type;
    lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_CONV2D, name, &view->tensor, 1);
    layer->window = window;
    layer->w = codes.code;
    layer->weight_bits = codes.bits;
    lac_int_layer_set_identity(layer, codes.n_out, 1, &type, l->arena);
    layer->out = lac_lowering_add_tensor(l, name, codes.n_out, kernel.out_size[0] / fold[0],
                                         kernel.out_size[1] / fold[1], type);
    *out = (lac_view){.tensor = layer->out, .n_channels = n, .fold = {fold[0], fold[1]}};
    return LAC_OK;
}

lac_status lac_lowering_stored(lac_lowering *l, const lac_node *reader, int value, lac_view *out,
                               lac_error *err) {
    LAC_TRY(lac_lowering_view(l, reader, value, out, err));
    if (!out->channel && !is_padded(out)) return LAC_OK;
    lac_view from = *out;
    LAC_TRY(copy_view(l, reader, l->graph->values[value].name, &from, out, err));
    l->view_of[value] = *out;
    return LAC_OK;
}

// ---- ops that make views ----------------------------------------------------------------------------------

/// Views of more rows or columns in one place.
static lac_status fold_more(const lac_node *node, lac_view *view, int y, int x, lac_error *err) {
    view->fold[0] *= y;
    view->fold[1] *= x;
    if (view->fold[0] <= LAC_MOST_FOLD && view->fold[1] <= LAC_MOST_FOLD) return LAC_OK;
    LAC_FAIL(
        err, LAC_E_UNSUPPORTED,
        "%s '%s': its output has %d x %d pixels for one in memory, supported are %d x %d; put a convolution "
        "with a stride between",
        lac_op_name(node->op), node->name, view->fold[0], view->fold[1], LAC_MOST_FOLD, LAC_MOST_FOLD);
}

/// The tensor channel behind a place of the output, of which the phase is all that counts.
static int source_channel(const lac_node *node, const lac_view *from, int c, int py, int px) {
    // A value of one place in memory: rows and columns are the phases.
    lac_shape x = {4, {1, from->n_channels, from->fold[0], from->fold[1]}};
    lac_place at = lac_rearrange_source(node, x, (lac_place){c, py, px});
    return tensor_channel(from, (at.channel * from->fold[0] + at.row) * from->fold[1] + at.column);
}

// A rim of the other side's pixels: every tap but one of three, a map apart, reads zero.
static lac_status lower_circular(lac_lowering *l, const lac_node *node, lac_error *err) {
    int in;
    LAC_TRY(lac_lowering_tensor(l, node, node->in[0], &in, err));
    const lac_int_tensor from = l->out->tensors[in];
    const int size[2] = {from.h, from.w}, *pad = node->attr.move.pad;
    int to[2], taps = 1;
    lac_window w = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = from.c};
    for (int a = 0; a < 2; a++) {
        to[a] = size[a] + pad[a] + pad[2 + a];
        if (pad[a] > size[a] || pad[2 + a] > size[a])
            LAC_FAIL(err, LAC_E_SHAPE, "pad '%s': a rim of %d and %d around %d rows or columns; at most %d",
                     node->name, pad[a], pad[2 + a], size[a], size[a]);
        if (pad[a] == 0 && pad[2 + a] == 0) continue;
        w.kernel[a] = 3;
        w.dilation[a] = size[a];
        for (int side = a; side < 4; side += 2) w.pad[side] = pad[side] + size[a];
        taps *= 3;
    }
    lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_CONV2D, node->name, &in, 1);
    layer->window = w;
    layer->weight_bits = 2;
    layer->w = LAC_NEW_ARRAY(l->arena, int8_t, from.c * taps);
    memset(layer->w, 1, (size_t)(from.c * taps));
    lac_int_layer_set_identity(layer, from.c, taps, &from.type, l->arena);
    layer->out =
        lac_lowering_add_tensor(l, l->graph->values[node->out].name, from.c, to[0], to[1], from.type);
    l->view_of[node->out] = lac_view_of(l, layer->out);
    return LAC_OK;
}

static void lower_pad(const lac_node *node, lac_view *view) {
    for (int i = 0; i < 4; i++) view->pad[i] += node->attr.move.pad[i];
}

lac_status lac_lower_rearrange(lac_lowering *l, const lac_node *node, lac_error *err) {
    lac_view from, to;
    if (node->op == LAC_OP_PAD && node->attr.move.circular) return lower_circular(l, node, err);
    LAC_TRY(lac_lowering_view(l, node, node->in[0], &from, err));
    bool folds = node->op == LAC_OP_UPSAMPLE || node->op == LAC_OP_DEPTH_TO_SPACE;
    if (folds && is_padded(&from)) LAC_TRY(lac_lowering_stored(l, node, node->in[0], &from, err));
    to = from;
    if (node->op == LAC_OP_PAD) {
        lower_pad(node, &to);
        l->view_of[node->out] = to;
        return LAC_OK;
    }
    const lac_rearrange_attr *m = &node->attr.move;
    lac_shape shape = {4, {1, from.n_channels, lac_view_size(l, &from, 0), lac_view_size(l, &from, 1)}};
    LAC_TRY(lac_rearrange_shape(node, shape, &shape, err));
    if (node->op == LAC_OP_UPSAMPLE) LAC_TRY(fold_more(node, &to, m->factor[0], m->factor[1], err));
    if (node->op == LAC_OP_DEPTH_TO_SPACE) LAC_TRY(fold_more(node, &to, m->block, m->block, err));
    to.n_channels = (int)shape.dim[1];
    int *channel = LAC_NEW_ARRAY(l->scratch, int, folded_channels(&to)), *at = channel;
    for (int c = 0; c < to.n_channels; c++)
        for (int y = 0; y < to.fold[0]; y++)
            for (int x = 0; x < to.fold[1]; x++) *at++ = source_channel(node, &from, c, y, x);
    to.channel = channel;
    l->view_of[node->out] = to;
    return LAC_OK;
}
