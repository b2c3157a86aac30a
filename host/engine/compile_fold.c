#include "plan.h"

#include "lac_num.h"

#include <string.h>

// Channels that need not be computed leave the graph. Two kinds: those whose codes are the same at every
// pixel of every input, because no weight that is left reaches a code that is not (their constant goes into
// the biases of the layers that read them), and those that no weight reads.
//
// A padded map reads its zero point at the border, so a constant channel is folded into a layer only where it
// is that code, or where the weight's tap never leaves the map. What any layer cannot fold stays for all of
// them.
//
// Every tensor holds the same codes as before in the channels that are left; tensors keep their names, and
// inputs and outputs of the graph all their channels.

typedef struct channel {
    bool constant, kept;
    int code; ///< where constant
} channel;

typedef struct fold {
    lac_int_graph *graph;
    channel **channels; ///< [tensor][channel]
    bool changed;
} fold;

static void keep(fold *f, int tensor, int c) {
    channel *it = &f->channels[tensor][c];
    f->changed |= !it->kept;
    it->kept = true;
}

// ---- which channels are constant --------------------------------------------------------------------------

/// Whether tap k of an axis reads a pixel of the map at every output position.
static bool tap_stays_inside(const lac_window *w, int axis, int k, int in_size, int out_size) {
    int first = k * w->dilation[axis] - w->pad[axis];
    return first >= 0 && first + (out_size - 1) * w->stride[axis] < in_size;
}

/// Whether the tap reads the same code of this channel everywhere.
static bool reads_constant(const fold *f, const lac_int_layer *layer, int c, int ky, int kx) {
    const lac_int_tensor *in = &f->graph->tensors[layer->in[0]], *out = &f->graph->tensors[layer->out];
    const channel *it = &f->channels[layer->in[0]][c];
    // The codes of weights of one bit have no zero to put in a weight's place.
    if (!it->constant || (layer->kind == LAC_INT_CONV2D && layer->weight_bits == 1)) return false;
    return it->code == in->type.zero || (tap_stays_inside(&layer->window, 0, ky, in->h, out->h) &&
                                         tap_stays_inside(&layer->window, 1, kx, in->w, out->w));
}

static int weights_per_channel(const fold *f, const lac_int_layer *layer) {
    return f->graph->tensors[layer->in[0]].c / layer->window.groups * layer->window.kernel[0] *
           layer->window.kernel[1];
}

/// The input channel and the tap of weight i of output channel o.
typedef struct place {
    int c, ky, kx;
} place;

static place place_of(const fold *f, const lac_int_layer *layer, int o, int i) {
    const int *kernel = layer->window.kernel;
    int taps = kernel[0] * kernel[1], groups = layer->window.groups;
    int group = o / (f->graph->tensors[layer->out].c / groups);
    return (place){group * (f->graph->tensors[layer->in[0]].c / groups) + i / taps, i % taps / kernel[1],
                   i % kernel[1]};
}

static channel code_of_sum(const fold *f, const lac_int_layer *layer, int o, int64_t acc) {
    int zero = f->graph->tensors[layer->out].type.zero;
    return (channel){.constant = true,
                     .code = lac_requantize((int32_t)acc, layer->bias[o], layer->m[o], layer->s[o],
                                            (int16_t)layer->lo, (int16_t)layer->hi, (int16_t)zero)};
}

static channel of_conv(const fold *f, const lac_int_layer *layer, int o) {
    int n = weights_per_channel(f, layer);
    const int8_t *w = layer->w + (size_t)o * (size_t)n;
    int64_t acc = 0;
    if (layer->raw) return (channel){.constant = false};
    for (int i = 0; i < n; i++) {
        place at = place_of(f, layer, o, i);
        if (w[i] == 0) continue;
        if (!reads_constant(f, layer, at.c, at.ky, at.kx)) return (channel){.constant = false};
        acc += w[i] * f->channels[layer->in[0]][at.c].code;
    }
    return code_of_sum(f, layer, o, acc);
}

static channel of_avg_pool(const fold *f, const lac_int_layer *layer, int o) {
    const int *kernel = layer->window.kernel;
    if (layer->raw) return (channel){.constant = false};
    for (int ky = 0; ky < kernel[0]; ky++)
        for (int kx = 0; kx < kernel[1]; kx++)
            if (!reads_constant(f, layer, o, ky, kx)) return (channel){.constant = false};
    return code_of_sum(f, layer, o, (int64_t)kernel[0] * kernel[1] * f->channels[layer->in[0]][o].code);
}

static channel of_add(const fold *f, const lac_int_layer *layer, int o) {
    const channel *a = &f->channels[layer->in[0]][o], *b = &f->channels[layer->in[1]][o];
    if (layer->raw || !a->constant || !b->constant) return (channel){.constant = false};
    return code_of_sum(f, layer, o, (int64_t)layer->add_w[0] * a->code + (int64_t)layer->add_w[1] * b->code);
}

/// The channel of an input that channel o of a concat is.
static int concat_source(const lac_int_graph *graph, const lac_int_layer *layer, int o, int *c) {
    int i = 0;
    for (*c = o; *c >= graph->tensors[layer->in[i]].c; i++) *c -= graph->tensors[layer->in[i]].c;
    return layer->in[i];
}

static channel result_of(const fold *f, const lac_int_layer *layer, int o) {
    int c;
    switch (layer->kind) {
    case LAC_INT_CONV2D:
        return of_conv(f, layer, o);
    case LAC_INT_AVG_POOL:
        return of_avg_pool(f, layer, o);
    case LAC_INT_ADD:
        return of_add(f, layer, o);
    case LAC_INT_TABLE: {
        channel it = f->channels[layer->in[0]][o];
        it.code = lac_table_code(layer->table, it.code, f->graph->tensors[layer->out].type.is_signed);
        return it;
    }
    case LAC_INT_MAX_POOL: // padding never wins
        return f->channels[layer->in[0]][o];
    case LAC_INT_CONCAT: {
        int source = concat_source(f->graph, layer, o, &c);
        return f->channels[source][c];
    }
    default:
        return (channel){.constant = false};
    }
}

// ---- which channels stay ----------------------------------------------------------------------------------

static void keep_what_conv_reads(fold *f, const lac_int_layer *layer) {
    int n = weights_per_channel(f, layer);
    for (int o = 0; o < f->graph->tensors[layer->out].c; o++) {
        if (!f->channels[layer->out][o].kept) continue;
        for (int i = 0; i < n; i++) {
            place at = place_of(f, layer, o, i);
            if (layer->w[(size_t)o * (size_t)n + (size_t)i] && !reads_constant(f, layer, at.c, at.ky, at.kx))
                keep(f, layer->in[0], at.c);
        }
    }
}

static bool any_kept(const fold *f, int tensor, int first, int n) {
    for (int c = first; c < first + n; c++)
        if (f->channels[tensor][c].kept) return true;
    return false;
}

static void keep_all(fold *f, int tensor, int first, int n) {
    for (int c = first; c < first + n; c++) keep(f, tensor, c);
}

/// Groups are equally wide: one that is needed anywhere stays as it is.
static void keep_groups(fold *f, const lac_int_layer *layer) {
    int groups = layer->window.groups, in = layer->in[0], out = layer->out;
    int n_in = f->graph->tensors[in].c / groups, n_out = f->graph->tensors[out].c / groups;
    for (int g = 0; g < groups; g++) {
        if (!any_kept(f, in, g * n_in, n_in) && !any_kept(f, out, g * n_out, n_out)) continue;
        keep_all(f, in, g * n_in, n_in);
        keep_all(f, out, g * n_out, n_out);
    }
}

/// Channel for channel: what is kept of one is kept of the other.
static void keep_alike(fold *f, int a, int first, int b) {
    for (int c = 0; c < f->graph->tensors[b].c; c++) {
        if (f->channels[a][first + c].kept) keep(f, b, c);
        if (f->channels[b][c].kept) keep(f, a, first + c);
    }
}

static void keep_for_layer(fold *f, const lac_int_layer *layer) {
    const lac_int_tensor *tensors = f->graph->tensors;
    switch (layer->kind) {
    case LAC_INT_CONV2D:
        if (layer->window.groups > 1)
            keep_groups(f, layer);
        else
            keep_what_conv_reads(f, layer);
        break;
    case LAC_INT_CONCAT:
        for (int i = 0, first = 0; i < layer->n_in; first += tensors[layer->in[i++]].c)
            keep_alike(f, layer->out, first, layer->in[i]);
        break;
    case LAC_INT_MUL:
        keep_alike(f, layer->out, 0, layer->in[0]);
        if (lac_int_factors_are_of_pixels(f->graph, layer))
            keep(f, layer->in[1], 0);
        else
            keep_alike(f, layer->out, 0, layer->in[1]);
        break;
    case LAC_INT_ADD:
    case LAC_INT_TABLE:
    case LAC_INT_MAX_POOL:
    case LAC_INT_AVG_POOL:
        for (int i = 0; i < layer->n_in; i++) keep_alike(f, layer->out, 0, layer->in[i]);
        break;
    default:
        keep_all(f, layer->out, 0, tensors[layer->out].c);
        for (int i = 0; i < layer->n_in; i++) keep_all(f, layer->in[i], 0, tensors[layer->in[i]].c);
    }
}

static void find_kept(fold *f) {
    const lac_int_graph *graph = f->graph;
    keep_all(f, graph->input, 0, graph->tensors[graph->input].c);
    keep_all(f, graph->output, 0, graph->tensors[graph->output].c);
    do {
        f->changed = false;
        for (int l = graph->n_layers - 1; l >= 0; l--) {
            int out = graph->layers[l].out;
            if (!any_kept(f, out, 0, graph->tensors[out].c)) keep(f, out, 0); // no tensor without channels
            keep_for_layer(f, &graph->layers[l]);
        }
    } while (f->changed);
}

// ---- the smaller graph ------------------------------------------------------------------------------------

/// Constants become bias; then the weights of channels that stay move together.
static void shrink_weights(fold *f, lac_int_layer *layer) {
    int n = weights_per_channel(f, layer), n_out = f->graph->tensors[layer->out].c;
    int8_t *to = layer->w;
    for (int o = 0; o < n_out; o++) {
        if (!f->channels[layer->out][o].kept) continue;
        for (int i = 0; i < n; i++) {
            place at = place_of(f, layer, o, i);
            const channel *in = &f->channels[layer->in[0]][at.c];
            int8_t w = layer->w[(size_t)o * (size_t)n + (size_t)i];
            if (w && reads_constant(f, layer, at.c, at.ky, at.kx)) {
                layer->bias[o] += w * in->code;
                w = 0;
            }
            if (in->kept) *to++ = w;
        }
    }
}

static int count_kept(const fold *f, int tensor) {
    int n = 0;
    for (int c = 0; c < f->graph->tensors[tensor].c; c++) n += f->channels[tensor][c].kept;
    return n;
}

static void shrink_results(fold *f, lac_int_layer *layer) {
    int n = 0;
    for (int o = 0; o < f->graph->tensors[layer->out].c; o++) {
        if (!f->channels[layer->out][o].kept) continue;
        if (layer->bias) layer->bias[n] = layer->bias[o];
        if (layer->m) layer->m[n] = layer->m[o];
        if (layer->s) layer->s[n] = layer->s[o];
        if (layer->raw_scale) layer->raw_scale[n] = layer->raw_scale[o];
        n++;
    }
}

static void shrink(fold *f) {
    lac_int_graph *graph = f->graph;
    for (int l = 0; l < graph->n_layers; l++) {
        lac_int_layer *layer = &graph->layers[l];
        if (layer->kind == LAC_INT_CONV2D) {
            int per_group = graph->tensors[layer->in[0]].c / layer->window.groups;
            shrink_weights(f, layer);
            if (layer->window.groups > 1) layer->window.groups = count_kept(f, layer->in[0]) / per_group;
        }
        shrink_results(f, layer);
    }
    for (int t = 0; t < graph->n_tensors; t++) graph->tensors[t].c = count_kept(f, t);
}

lac_status lac_pass_fold(lac_plan *plan, lac_error *err) {
    if (plan->keep_channels) return LAC_OK;
    fold f = {.graph = plan->graph};
    f.channels = LAC_NEW_ARRAY(plan->scratch, channel *, plan->graph->n_tensors);
    for (int t = 0; t < plan->graph->n_tensors; t++)
        f.channels[t] = LAC_NEW_ARRAY(plan->scratch, channel, plan->graph->tensors[t].c);
    for (int l = 0; l < plan->graph->n_layers; l++) {
        const lac_int_layer *layer = &plan->graph->layers[l];
        for (int o = 0; o < plan->graph->tensors[layer->out].c; o++)
            f.channels[layer->out][o] = result_of(&f, layer, o);
    }
    find_kept(&f);
    shrink(&f);
    return lac_int_graph_check(plan->graph, err);
}
