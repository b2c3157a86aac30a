#include "fold.h"
#include "lac_num.h"
#include "lower_view.h"
#include "multiplier.h"

#include <math.h>
#include <stdio.h>

/// One chain under way: where its codes come from and go to, and its law per channel.
typedef struct lowered_chain {
    lac_chain chain;
    const lac_node *node;
    lac_quant_params quant; ///< of the output; unused when raw
    bool raw;
    int in[2];
    lac_int_layer *layer;
    lac_view view;        ///< of the input
    int c, h, w;          ///< output, in memory
    int fold[2];          ///< rows and columns of the output that are one in memory
    lac_channel_law *law; ///< [c]
    lac_weight_codes codes;
    bool droppable; ///< weights of a constant channel may become zero
} lowered_chain;

static lac_status in_layer(const lac_node *node, lac_status status, lac_error *err) {
    char where[256];
    snprintf(where, sizeof where, "%s '%s'", lac_op_name(node->op), node->name);
    return lac_fail_in(err, status, where);
}

// ---- the sums: codes, ranges and real factors by kind --------------------------------------------------

static void conv_law(const lac_lowering *l, lowered_chain *x) {
    const lac_code_type *type = &l->out->tensors[x->in[0]].type;
    int64_t q_min = lac_code_min(type->bits, type->is_signed),
            q_max = lac_code_max(type->bits, type->is_signed);
    for (int o = 0; o < x->codes.n_out; o++) {
        const int8_t *code = x->codes.code + (size_t)o * (size_t)x->codes.n_per_out;
        lac_channel_law law = {.factor = x->codes.scale[o] * type->scale};
        for (int i = 0; i < x->codes.n_per_out; i++) {
            law.zero_term += (int64_t)code[i] * type->zero;
            law.lowest += code[i] * (code[i] > 0 ? q_min : q_max);
            law.highest += code[i] * (code[i] > 0 ? q_max : q_min);
        }
        x->law[o] = law;
    }
}

// A negative factor (a negative gamma) is moved into the codes, which have a negative each.
static void flip_channel(lowered_chain *x, int o) {
    lac_channel_law *law = &x->law[o];
    int8_t *code = x->codes.code + (size_t)o * (size_t)x->codes.n_per_out;
    for (int i = 0; i < x->codes.n_per_out; i++) code[i] = (int8_t)-code[i];
    int64_t lowest = law->lowest;
    law->lowest = -law->highest;
    law->highest = -lowest;
    law->zero_term = -law->zero_term;
    law->factor = -law->factor;
}

static lac_status apply_fold(const lac_lowering *l, lowered_chain *x, lac_error *err) {
    lac_fold fold;
    int phases = x->fold[0] * x->fold[1]; // channels in memory of one of the layer's
    LAC_TRY(lac_fold_chain(l->graph, &x->chain, x->c / phases, l->scratch, &fold, err));
    for (int o = 0; o < x->c; o++) {
        x->law[o].factor *= fold.factor[o / phases];
        x->law[o].offset = fold.offset[o / phases];
        if (x->law[o].factor >= 0) continue;
        if (!x->codes.code)
            LAC_FAIL(err, LAC_E_UNSUPPORTED,
                     "%s '%s': batch_norm '%s' has a negative factor in channel %d, and there are no weights "
                     "to negate; "
                     "put a convolution between",
                     lac_op_name(x->node->op), x->node->name, l->graph->nodes[x->chain.batch_norm].name, o);
        flip_channel(x, o);
    }
    return LAC_OK;
}

// ---- the layer --------------------------------------------------------------------------------------------

static lac_status requantize_channel(const lowered_chain *x, int o, lac_channel_result *r, lac_error *err) {
    if (x->raw) return lac_channel_raw(&x->law[o], x->droppable, r, err);
    int lo = x->quant.lowest - x->quant.zero, hi = x->quant.highest - x->quant.zero;
    if (x->chain.relu && lo < 0) lo = 0;
    if (lo > hi) lo = hi;
    return lac_channel_requantize(&x->law[o], x->quant.scale, lo, hi, x->droppable, r, err);
}

static lac_status fill_channels(lac_lowering *l, lowered_chain *x, lac_error *err) {
    lac_int_layer *layer = x->layer;
    layer->bias = LAC_NEW_ARRAY(l->arena, int32_t, x->c);
    layer->m = x->raw ? NULL : LAC_NEW_ARRAY(l->arena, uint16_t, x->c);
    layer->s = x->raw ? NULL : LAC_NEW_ARRAY(l->arena, uint8_t, x->c);
    layer->raw = x->raw;
    layer->raw_scale = x->raw ? LAC_NEW_ARRAY(l->arena, double, x->c) : NULL;
    layer->lo = x->raw ? 0 : x->quant.lowest - x->quant.zero;
    layer->hi = x->raw ? 0 : x->quant.highest - x->quant.zero;
    if (x->chain.relu && layer->lo < 0) layer->lo = 0;
    if (layer->lo > layer->hi) layer->lo = layer->hi;
    for (int o = 0; o < x->c; o++) {
        lac_channel_result r;
        lac_status status = requantize_channel(x, o, &r, err);
        if (status != LAC_OK) return in_layer(x->node, status, err);
        layer->bias[o] = r.bias;
        if (x->raw)
            layer->raw_scale[o] = r.raw_scale;
        else
            layer->m[o] = r.m, layer->s[o] = r.s;
        if (!r.constant || !x->droppable) continue;
        int8_t *code = x->codes.code + (size_t)o * (size_t)x->codes.n_per_out;
        for (int i = 0; i < x->codes.n_per_out; i++) code[i] = 0;
    }
    return LAC_OK;
}

static lac_code_type code_type(const lac_quant_params *q) {
    return (lac_code_type){.bits = q->bits, .is_signed = q->is_signed, .zero = q->zero, .scale = q->scale};
}

static lac_status add_output(lac_lowering *l, lowered_chain *x, lac_error *err) {
    lac_code_type type =
        x->raw ? (lac_code_type){.bits = 32, .is_signed = true, .scale = 1} : code_type(&x->quant);
    const char *end = l->graph->values[x->chain.end].name;
    const char *name = x->chain.n_pools ? lac_arena_printf(l->scratch, "%s.unpooled", end) : end;
    int tensor = lac_lowering_add_tensor(l, name, x->c, x->h, x->w, type);
    x->layer->out = tensor;
    bool folded = x->fold[0] * x->fold[1] > 1;
    if (folded && (x->chain.n_pools > 0 || x->raw))
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "%s '%s': %d x %d pixels of its output lie in one place of memory, which %s cannot take apart; "
            "put a convolution with a stride between",
            lac_op_name(x->node->op), x->node->name, x->fold[0], x->fold[1],
            x->raw ? "the raw output" : "a max pool");
    for (int i = 0; i < x->chain.n_pools; i++) {
        const lac_node *pool = &l->graph->nodes[x->chain.pool[i]];
        const lac_window *window = &pool->attr.window;
        lac_int_tensor from = l->out->tensors[tensor];
        int64_t h = lac_window_out(window, 0, from.h), w = lac_window_out(window, 1, from.w);
        if (h < 1 || w < 1)
            LAC_FAIL(err, LAC_E_SHAPE, "max_pool '%s': its window does not fit %d x %d", pool->name, from.h,
                     from.w);
        lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_MAX_POOL, pool->name, &tensor, 1);
        layer->window = *window;
        layer->window.groups = 1;
        name = i + 1 < x->chain.n_pools ? lac_arena_printf(l->scratch, "%s.pooled%d", end, i) : end;
        tensor = layer->out = lac_lowering_add_tensor(l, name, from.c, (int)h, (int)w, type);
    }
    lac_view view = lac_view_of(l, tensor);
    view.n_channels = x->c / (x->fold[0] * x->fold[1]);
    for (int a = 0; a < 2; a++) view.fold[a] = x->fold[a];
    l->view_of[x->chain.end] = view;
    return LAC_OK;
}

static lac_status finish(lac_lowering *l, lowered_chain *x, lac_int_kind kind, int n_in, lac_error *err) {
    LAC_TRY(apply_fold(l, x, err));
    x->layer = lac_lowering_add_layer(l, kind, x->node->name, x->in, n_in);
    LAC_TRY(fill_channels(l, x, err));
    x->layer->w = x->codes.code;
    x->layer->weight_bits = x->codes.bits;
    return add_output(l, x, err);
}

// ---- by op ------------------------------------------------------------------------------------------------

// A fully connected layer is the convolution whose kernel is the whole map.
static lac_status window_of(const lac_lowering *l, lowered_chain *x, lac_window *out, lac_error *err) {
    const lac_node *node = x->node;
    int size[2] = {lac_view_size(l, &x->view, 0), lac_view_size(l, &x->view, 1)}, to[2];
    bool convolves = node->op == LAC_OP_CONV2D || node->op == LAC_OP_CONV_TRANSPOSE;
    *out = node->attr.window;
    if (node->op == LAC_OP_LINEAR || node->op == LAC_OP_GLOBAL_AVG_POOL)
        *out = (lac_window){.kernel = {size[0], size[1]}, .stride = {1, 1}, .dilation = {1, 1}};
    if (!convolves) out->groups = 1;
    for (int a = 0; a < 2; a++)
        to[a] = (int)(node->op == LAC_OP_CONV_TRANSPOSE
                          ? lac_window_transposed_out(out, node->attr.out_pad[a], a, size[a])
                          : lac_window_out(out, a, size[a]));
    if (to[0] < 1 || to[1] < 1)
        LAC_FAIL(err, LAC_E_SHAPE, "%s '%s': a window of %d x %d does not fit the input's %d x %d",
                 lac_op_name(node->op), node->name, out->kernel[0], out->kernel[1], size[0], size[1]);
    x->h = to[0];
    x->w = to[1];
    return LAC_OK;
}

// Takes the view of the input into the codes; where that needs more than 8 bits, the input is copied first.
static lac_status take_view(lac_lowering *l, lowered_chain *x, int n_out, lac_window *window,
                            lac_error *err) {
    bool transposed = x->node->op == LAC_OP_CONV_TRANSPOSE, fits;
    if (lac_view_is_plain(&x->view) && !transposed) return LAC_OK;
    lac_view_kernel kernel = {
        .window = *window, .transposed = transposed, .n_out = n_out, .out_size = {x->h, x->w}};
    if (transposed && lac_view_size(l, &x->view, 0) * lac_view_size(l, &x->view, 1) !=
                          l->out->tensors[x->view.tensor].h * x->view.fold[0] *
                              l->out->tensors[x->view.tensor].w * x->view.fold[1])
        LAC_TRY(lac_lowering_stored(l, x->node, x->node->in[0], &x->view, err));
    LAC_TRY(lac_view_expand(l, x->node, &x->view, &kernel, &x->codes, window, x->fold, &fits, err));
    if (!fits) {
        LAC_TRY(lac_lowering_stored(l, x->node, x->node->in[0], &x->view, err));
        LAC_TRY(lac_view_expand(l, x->node, &x->view, &kernel, &x->codes, window, x->fold, &fits, err));
    }
    if (!fits)
        LAC_FAIL(err, LAC_E_INTERNAL, "%s '%s': weights of a stored input add up", lac_op_name(x->node->op),
                 x->node->name);
    x->in[0] = x->view.tensor;
    x->h /= x->fold[0];
    x->w /= x->fold[1];
    return LAC_OK;
}

// From codes over a value, of n_out channels, to the layer.
static lac_status lower_codes(lac_lowering *l, lowered_chain *x, int n_out, lac_window window,
                              lac_error *err) {
    LAC_TRY(take_view(l, x, n_out, &window, err));
    lac_lower_reach(l, l->graph->values[x->chain.end].name, &x->in[0], &x->codes, &window);
    x->c = n_out * x->fold[0] * x->fold[1];
    x->droppable = true;
    x->law = LAC_NEW_ARRAY(l->scratch, lac_channel_law, x->c);
    conv_law(l, x);
    LAC_TRY(finish(l, x, LAC_INT_CONV2D, 1, err));
    x->layer->window = window;
    return LAC_OK;
}

// Transposed weights are [in][out / groups][..]: the first dimension, along which scales go, is not the
// output.
static lac_status check_transposed_scales(const lowered_chain *x, lac_error *err) {
    for (int i = 1; i < x->codes.n_out; i++)
        if (x->codes.scale[i] != x->codes.scale[0])
            LAC_FAIL(
                err, LAC_E_UNSUPPORTED,
                "conv_transpose '%s': weights have one scale an input channel; quantize them with one scale",
                x->node->name);
    return LAC_OK;
}

static lac_status lower_weights(lac_lowering *l, lowered_chain *x, lac_error *err) {
    lac_window window;
    bool transposed = x->node->op == LAC_OP_CONV_TRANSPOSE;
    LAC_TRY(window_of(l, x, &window, err));
    LAC_TRY(lac_weight_codes_read(l->graph, x->chain.node, l->arena, &x->codes, err));
    int taps = window.kernel[0] * window.kernel[1], n_in = x->view.n_channels, n_out = x->codes.n_out;
    int expected = n_in / window.groups * taps;
    if (transposed) {
        LAC_TRY(check_transposed_scales(x, err));
        n_out = x->codes.n_per_out / taps * window.groups;
        expected = x->codes.n_out == n_in ? x->codes.n_per_out : -1;
    }
    if (n_in % window.groups != 0 || x->codes.n_per_out != expected)
        LAC_FAIL(err, LAC_E_SHAPE, "%s '%s': %d weights an output, its input of %d x %d x %d needs %d",
                 lac_op_name(x->node->op), x->node->name, x->codes.n_per_out, n_in,
                 lac_view_size(l, &x->view, 0), lac_view_size(l, &x->view, 1), expected);
    return lower_codes(l, x, n_out, window, err);
}

/// A convolution of ones: codes 1 of 2 bits, and the same scale for all.
static void take_ones(lac_lowering *l, lowered_chain *x, int n_out, int n_per_out) {
    x->codes = (lac_weight_codes){.bits = 2,
                                  .n_out = n_out,
                                  .n_per_out = n_per_out,
                                  .code = LAC_NEW_ARRAY(l->arena, int8_t, n_out * n_per_out),
                                  .scale = LAC_NEW_ARRAY(l->arena, double, n_out)};
    for (int i = 0; i < n_out * n_per_out; i++) x->codes.code[i] = 1;
    for (int o = 0; o < n_out; o++) x->codes.scale[o] = 1.0 / n_per_out;
}

// The average over a view is the convolution of ones.
static lac_status lower_average_of_view(lac_lowering *l, lowered_chain *x, lac_window window,
                                        lac_error *err) {
    int c = x->view.n_channels;
    take_ones(l, x, c, window.kernel[0] * window.kernel[1]);
    window.groups = c;
    return lower_codes(l, x, c, window, err);
}

// A batch norm of codes is the depthwise 1x1 convolution whose weights are all one.
static lac_status lower_norm(lac_lowering *l, lowered_chain *x, lac_error *err) {
    int c = x->view.n_channels;
    const lac_window window = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = c};
    x->codes = (lac_weight_codes){.bits = LAC_NORM_WEIGHT_BITS,
                                  .n_out = c,
                                  .n_per_out = 1,
                                  .code = LAC_NEW_ARRAY(l->arena, int8_t, c),
                                  .scale = LAC_NEW_ARRAY(l->arena, double, c)};
    for (int o = 0; o < c; o++) x->codes.code[o] = LAC_NORM_WEIGHT, x->codes.scale[o] = 1.0 / LAC_NORM_WEIGHT;
    for (int a = 0; a < 2; a++) *(a ? &x->w : &x->h) = lac_view_size(l, &x->view, a);
    return lower_codes(l, x, c, window, err);
}

static lac_status lower_channel_mean(lac_lowering *l, lowered_chain *x, lac_error *err) {
    const lac_window window = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    for (int a = 0; a < 2; a++) *(a ? &x->w : &x->h) = lac_view_size(l, &x->view, a);
    take_ones(l, x, 1, x->view.n_channels);
    return lower_codes(l, x, 1, window, err);
}

static lac_status lower_average(lac_lowering *l, lowered_chain *x, lac_error *err) {
    lac_window window;
    LAC_TRY(window_of(l, x, &window, err));
    bool padded = window.pad[0] || window.pad[1] || window.pad[2] || window.pad[3];
    if (padded && !x->node->attr.count_include_pad)
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "avg_pool '%s': padding that is not counted makes the divisor vary; set count_include_pad or "
            "drop the padding",
            x->node->name);
    if (!lac_view_is_plain(&x->view)) return lower_average_of_view(l, x, window, err);
    const lac_int_tensor *in = &l->out->tensors[x->in[0]];
    int n = window.kernel[0] * window.kernel[1];
    x->c = in->c;
    x->law = LAC_NEW_ARRAY(l->scratch, lac_channel_law, x->c);
    for (int o = 0; o < x->c; o++)
        x->law[o] =
            (lac_channel_law){.factor = in->type.scale / n,
                              .zero_term = (int64_t)n * in->type.zero,
                              .lowest = (int64_t)n * lac_code_min(in->type.bits, in->type.is_signed),
                              .highest = (int64_t)n * lac_code_max(in->type.bits, in->type.is_signed)};
    LAC_TRY(finish(l, x, LAC_INT_AVG_POOL, 1, err));
    x->layer->window = window;
    return LAC_OK;
}

static lac_status check_operands(const lac_node *node, const lac_int_tensor *a, const lac_int_tensor *b,
                                 lac_error *err) {
    if (a->c != b->c || a->h != b->h || a->w != b->w)
        LAC_FAIL(err, LAC_E_SHAPE, "add '%s': operands of %d x %d x %d and %d x %d x %d; make them equal",
                 node->name, a->c, a->h, a->w, b->c, b->h, b->w);
    double ratio = a->type.scale / b->type.scale;
    if (ratio > 127.5 || ratio < 1 / 127.5)
        LAC_FAIL(err, LAC_E_RANGE,
                 "add '%s': scales %g and %g of its operands differ by more than 127; quantize again with "
                 "scales nearer to each other",
                 node->name, a->type.scale, b->type.scale);
    return LAC_OK;
}

static lac_status lower_add(lac_lowering *l, lowered_chain *x, lac_error *err) {
    lac_view second;
    LAC_TRY(lac_lowering_stored(l, x->node, x->node->in[0], &x->view, err));
    LAC_TRY(lac_lowering_stored(l, x->node, x->node->in[1], &second, err));
    x->in[0] = x->view.tensor;
    x->in[1] = second.tensor;
    for (int a = 0; a < 2; a++) x->fold[a] = x->view.fold[a];
    const lac_int_tensor *t[2] = {&l->out->tensors[x->in[0]], &l->out->tensors[x->in[1]]};
    LAC_TRY(check_operands(x->node, t[0], t[1], err));
    int8_t w[2];
    lac_add_ratio(t[0]->type.scale, t[1]->type.scale, w);
    lac_channel_law law = {.factor = sqrt(t[0]->type.scale / w[0] * (t[1]->type.scale / w[1]))};
    for (int i = 0; i < 2; i++) {
        law.zero_term += (int64_t)w[i] * t[i]->type.zero;
        law.lowest += (int64_t)w[i] * lac_code_min(t[i]->type.bits, t[i]->type.is_signed);
        law.highest += (int64_t)w[i] * lac_code_max(t[i]->type.bits, t[i]->type.is_signed);
    }
    x->c = t[0]->c, x->h = t[0]->h, x->w = t[0]->w;
    x->law = LAC_NEW_ARRAY(l->scratch, lac_channel_law, x->c);
    for (int o = 0; o < x->c; o++) x->law[o] = law;
    LAC_TRY(finish(l, x, LAC_INT_ADD, 2, err));
    x->layer->add_w[0] = w[0];
    x->layer->add_w[1] = w[1];
    return LAC_OK;
}

static lac_status check_factor(const lac_node *node, const lac_int_tensor *a, const lac_int_tensor *b,
                               lac_error *err) {
    bool of_channels = b->c == a->c && b->h == 1 && b->w == 1;
    bool of_pixels = b->c == 1 && b->h == a->h && b->w == a->w;
    if (!of_channels && !of_pixels)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "mul '%s': the second operand '%s' is %d x %d x %d; the engine multiplies a map by one "
                 "number for each of its %d channels or of its %d x %d pixels",
                 node->name, b->name, b->c, b->h, b->w, a->c, a->h, a->w);
    const int low = lac_code_min(b->type.bits, b->type.is_signed) - b->type.zero;
    const int high = lac_code_max(b->type.bits, b->type.is_signed) - b->type.zero;
    if (low < INT8_MIN || high > INT8_MAX)
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "mul '%s': its factors '%s' are codes %d..%d above zero, the engine multiplies by -128..127; "
            "quantize them to 7 bits",
            node->name, b->name, low, high);
    if (a->type.zero != 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "mul '%s': its first operand '%s' has zero point %d; quantize it with zero point 0",
                 node->name, a->name, a->type.zero);
    return LAC_OK;
}

static lac_status lower_mul(lac_lowering *l, lowered_chain *x, lac_error *err) {
    for (int i = 0; i < 2; i++) LAC_TRY(lac_lowering_tensor(l, x->node, x->node->in[i], &x->in[i], err));
    const lac_int_tensor *a = &l->out->tensors[x->in[0]], *b = &l->out->tensors[x->in[1]];
    LAC_TRY(check_factor(x->node, a, b, err));
    lac_channel_law law = {.factor = a->type.scale * b->type.scale};
    const int64_t low = lac_code_min(b->type.bits, b->type.is_signed) - b->type.zero;
    const int64_t high = lac_code_max(b->type.bits, b->type.is_signed) - b->type.zero;
    for (int q = 0; q < 2; q++) {
        int64_t code =
            q ? lac_code_max(a->type.bits, a->type.is_signed) : lac_code_min(a->type.bits, a->type.is_signed);
        law.lowest = code * low < law.lowest ? code * low : law.lowest;
        law.lowest = code * high < law.lowest ? code * high : law.lowest;
        law.highest = code * low > law.highest ? code * low : law.highest;
        law.highest = code * high > law.highest ? code * high : law.highest;
    }
    x->c = a->c, x->h = a->h, x->w = a->w;
    x->law = LAC_NEW_ARRAY(l->scratch, lac_channel_law, x->c);
    for (int o = 0; o < x->c; o++) x->law[o] = law;
    return finish(l, x, LAC_INT_MUL, 2, err);
}

static void mark_taken(lac_lowering *l, const lac_chain *chain) {
    for (int value = l->graph->nodes[chain->node].out; value != chain->end;) {
        int reader = -1;
        (void)lac_graph_readers(l->graph, value, &reader, 1);
        l->taken[reader] = true;
        value = l->graph->nodes[reader].out;
    }
}

lac_status lac_lower_chain(lac_lowering *l, int node, lac_error *err) {
    lowered_chain x = {.node = &l->graph->nodes[node], .fold = {1, 1}};
    LAC_TRY(lac_chain_match(l->graph, node, &x.chain, err));
    x.raw = x.chain.quant < 0;
    if (!x.raw) LAC_TRY(lac_quant_params_read(l->graph, x.chain.quant, &x.quant, err));
    LAC_TRY(lac_lowering_view(l, x.node, x.node->in[0], &x.view, err));
    x.in[0] = x.view.tensor;
    mark_taken(l, &x.chain);
    if (x.node->op == LAC_OP_ADD) return lower_add(l, &x, err);
    if (x.node->op == LAC_OP_MUL) return lower_mul(l, &x, err);
    if (x.node->op == LAC_OP_CONV2D || x.node->op == LAC_OP_CONV_TRANSPOSE || x.node->op == LAC_OP_LINEAR)
        return lower_weights(l, &x, err);
    if (x.node->op == LAC_OP_BATCH_NORM) return lower_norm(l, &x, err);
    if (x.node->op == LAC_OP_CHANNEL_MEAN) return lower_channel_mean(l, &x, err);
    return lower_average(l, &x, err);
}
