#include "agree.h"
#include "lac_num.h"
#include "quant_codes.h"
#include "ref.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32 };

/// A tensor of the integer graph and the float values that it stands for.
typedef struct twin {
    int value, before; ///< quantizer's output and input; -1: the float graph has no such value
    double scale, zero;
    float *after, *real; ///< of a batch
    int32_t *codes;      ///< of an image: the float graph's where it has them
    size_t n;
    double tolerance; ///< of the layer that makes it
} twin;

typedef struct comparing {
    const lac_graph *graph;
    const lac_int_graph *integers;
    twin *twins;
    int32_t *made, **whole;
    float *logits;
    lac_agreement *out;
} comparing;

static int value_named(const lac_graph *graph, const char *name) {
    for (int v = 0; v < graph->n_values; v++)
        if (strcmp(graph->values[v].name, name) == 0) return v;
    return -1;
}

static uint64_t terms_of(const lac_int_graph *g, const lac_int_layer *layer) {
    const lac_int_tensor *in = &g->tensors[layer->in[0]];
    uint64_t taps = (uint64_t)layer->window.kernel[0] * (uint64_t)layer->window.kernel[1];
    if (layer->kind == LAC_INT_CONV2D) return taps * (uint64_t)(in->c / layer->window.groups);
    return layer->kind == LAC_INT_ADD ? 2 : layer->kind == LAC_INT_MUL ? 1 : taps;
}

static double tolerance_of(const lac_int_graph *g, const lac_int_layer *layer) {
    int64_t lowest, highest;
    double most = 0;
    if (layer->raw || !layer->m) return 0;
    lac_int_layer_bounds(g, layer, &lowest, &highest);
    for (int o = 0; o < g->tensors[layer->out].c; o++)
        most = fmax(most, ldexp((double)layer->m[o], -layer->s[o]) * fmax((double)highest, -(double)lowest));
    return fmin(0x1p-24 * (double)(terms_of(g, layer) + 8) * (most + 256), 0.25);
}

static lac_status make_twin(comparing *c, int tensor, lac_arena *arena, lac_error *err) {
    const lac_int_tensor *t = &c->integers->tensors[tensor];
    twin *w = &c->twins[tensor];
    *w = (twin){.value = value_named(c->graph, t->name), .before = -1, .n = lac_int_tensor_count(t)};
    w->codes = LAC_NEW_ARRAY(arena, int32_t, w->n);
    c->whole[tensor] = LAC_NEW_ARRAY(arena, int32_t, w->n);
    if (w->value < 0 || t->type.bits == 32) return LAC_OK;
    int quant = lac_quantizer_of(c->graph, w->value);
    if (quant < 0) return LAC_OK;
    lac_quant_params q;
    LAC_TRY(lac_quant_params_read(c->graph, quant, &q, err));
    w->scale = q.scale;
    w->zero = q.zero -
              (t->type.is_signed && !c->graph->nodes[quant].attr.quant.is_signed ? 128 : 0); // lower_sign.c
    w->after = LAC_NEW_ARRAY(arena, float, BATCH * w->n);
    if (c->graph->nodes[quant].out != w->value) return LAC_OK; // codes that a pool or concat passed on
    w->before = c->graph->nodes[quant].in[0];
    w->real = LAC_NEW_ARRAY(arena, float, BATCH * w->n);
    return LAC_OK;
}

static void keep(void *ctx, int value, const float *data, lac_shape shape) {
    comparing *c = ctx;
    size_t bytes = (size_t)lac_shape_count(shape) * sizeof *data;
    for (int t = 0; t < c->integers->n_tensors; t++) {
        twin *w = &c->twins[t];
        if (w->after && w->value == value) memcpy(w->after, data, bytes);
        if (w->real && w->before == value) memcpy(w->real, data, bytes);
    }
    if (value == c->graph->output) memcpy(c->logits, data, bytes);
}

static void note_code(comparing *c, const lac_int_layer *layer, const twin *w, size_t image, size_t i,
                      int32_t off, uint32_t *ties) {
    c->out->codes++;
    if (off == 0) return;
    double from_half = 1;
    if (w->real) {
        double v = (double)w->real[image * w->n + i] / w->scale + w->zero;
        from_half = fabs(fabs(v - floor(v)) - 0.5);
    }
    if (abs((int)off) == 1 && from_half <= w->tolerance) {
        ++*ties;
        c->out->furthest = fmax(c->out->furthest, from_half);
        return;
    }
    if (c->out->beyond++ == 0) snprintf(c->out->where, sizeof c->out->where, "%s", layer->name);
}

static void compare_layer(comparing *c, const lac_int_layer *layer, size_t image, uint32_t *ties) {
    const int32_t *in[64];
    twin *w = &c->twins[layer->out];
    for (int i = 0; i < layer->n_in && i < 64; i++) in[i] = c->twins[layer->in[i]].codes;
    lac_ref_layer(c->integers, layer, in, c->made);
    for (size_t i = 0; i < w->n; i++) {
        w->codes[i] =
            w->after ? (int32_t)lrint((double)w->after[image * w->n + i] / w->scale + w->zero) : c->made[i];
        if (w->after) note_code(c, layer, w, image, i, c->made[i] - w->codes[i], ties);
    }
}

static int float_class(const float *logits, int n, bool *equal) {
    int best = 0;
    for (int i = 1; i < n; i++)
        if (logits[i] > logits[best]) best = i;
    *equal = false;
    for (int i = 0; i < n; i++)
        if (i != best && fabsf(logits[best] - logits[i]) <= 1e-5f * fmaxf(1, fabsf(logits[best])))
            *equal = true;
    return best;
}

static void compare_image(comparing *c, const uint8_t *pixels, size_t image, int n_classes) {
    const lac_int_graph *g = c->integers;
    uint32_t ties = 0;
    uint64_t beyond = c->out->beyond;
    lac_input_codes(g, pixels, c->twins[g->input].codes);
    memcpy(c->whole[g->input], c->twins[g->input].codes, c->twins[g->input].n * sizeof **c->whole);
    for (int l = 0; l < g->n_layers; l++) compare_layer(c, &g->layers[l], image, &ties);
    lac_ref_run(g, c->whole);
    bool equal;
    int theirs = float_class(c->logits + image * (size_t)n_classes, n_classes, &equal);
    c->out->ties += ties;
    c->out->images++;
    if (theirs == lac_int_argmax(g, c->whole[g->output])) return;
    c->out->different++;
    if (ties == 0 && c->out->beyond == beyond && !equal) c->out->different_without_tie++;
}

static lac_status compare_batches(comparing *c, const lac_dataset *data, const lac_split *split,
                                  uint32_t n_images, lac_arena *arena, const lac_talk *talk, lac_error *err) {
    size_t pixels = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    float *x = LAC_NEW_ARRAY(arena, float, BATCH *pixels);
    for (uint32_t first = 0; first < n_images; first += BATCH) {
        uint32_t n = n_images - first < BATCH ? n_images - first : BATCH;
        lac_normalize(data, split->pixels + first * pixels, n, x);
        LAC_TRY(lac_infer_visit(c->graph, x, n, keep, c, err));
        for (uint32_t i = 0; i < n; i++)
            compare_image(c, split->pixels + (first + i) * pixels, i, data->n_classes);
        lac_talk_step(talk, "compare", first + n, n_images, "%llu ties, %llu beyond",
                      (unsigned long long)c->out->ties, (unsigned long long)c->out->beyond);
        if (lac_talk_stop(talk))
            LAC_FAIL(err, LAC_E_INTERRUPTED, "stopped after %u of %u images", first, n_images);
    }
    return LAC_OK;
}

static lac_status measure(comparing *c, const lac_dataset *data, const lac_split *split, uint32_t limit,
                          lac_arena *arena, const lac_talk *talk, lac_error *err) {
    const lac_int_graph *g = c->integers;
    size_t most = 0;
    c->twins = LAC_NEW_ARRAY(arena, twin, g->n_tensors);
    c->whole = LAC_NEW_ARRAY(arena, int32_t *, g->n_tensors);
    c->logits = LAC_NEW_ARRAY(arena, float, BATCH * data->n_classes);
    for (int t = 0; t < g->n_tensors; t++) {
        LAC_TRY(make_twin(c, t, arena, err));
        if (c->twins[t].n > most) most = c->twins[t].n;
    }
    for (int l = 0; l < g->n_layers; l++)
        c->twins[g->layers[l].out].tolerance = tolerance_of(g, &g->layers[l]);
    c->made = LAC_NEW_ARRAY(arena, int32_t, most);
    return compare_batches(c, data, split, limit && limit < split->n ? limit : split->n, arena, talk, err);
}

lac_status lac_agreement_measure(const lac_graph *graph, const lac_int_graph *integers,
                                 const lac_dataset *data, const lac_split *split, uint32_t limit,
                                 const lac_talk *talk, lac_agreement *out, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to compare graph '%s' with its integers", graph->name);
    lac_agreement found = {0};
    comparing c = {.graph = graph, .integers = integers, .out = &found};
    lac_status status = measure(&c, data, split, limit, arena, talk, err);
    lac_arena_close(arena);
    if (status == LAC_OK) *out = found;
    return status;
}
