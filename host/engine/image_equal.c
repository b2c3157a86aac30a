#include "image_equal.h"

#include <inttypes.h>
#include <string.h>

static lac_status compare(const char *layer, const char *what, const void *a, const void *b, size_t n_bytes,
                          lac_error *err) {
    if (!a != !b) LAC_FAIL(err, LAC_E_INTERNAL, "layer '%s': only one of two graphs has %s", layer, what);
    if (!a || memcmp(a, b, n_bytes) == 0) return LAC_OK;
    size_t i = 0;
    while (((const uint8_t *)a)[i] == ((const uint8_t *)b)[i]) i++;
    LAC_FAIL(err, LAC_E_INTERNAL, "layer '%s': %s differ at byte %zu of %zu", layer, what, i, n_bytes);
}

static bool same_window(const lac_window *a, const lac_window *b) {
    return memcmp(a->kernel, b->kernel, sizeof a->kernel) == 0 &&
           memcmp(a->stride, b->stride, sizeof a->stride) == 0 &&
           memcmp(a->pad, b->pad, sizeof a->pad) == 0 &&
           memcmp(a->dilation, b->dilation, sizeof a->dilation) == 0 && a->groups == b->groups;
}

static lac_status compare_layers(const lac_int_graph *graph, const lac_int_layer *a, const lac_int_layer *b,
                                 lac_error *err) {
    size_t n = (size_t)graph->tensors[a->out].c;
    bool conv = a->kind == LAC_INT_CONV2D;
    if (a->kind != b->kind || strcmp(a->name, b->name) != 0 || a->n_in != b->n_in || a->out != b->out ||
        memcmp(a->in, b->in, (size_t)a->n_in * sizeof *a->in) != 0)
        LAC_FAIL(err, LAC_E_INTERNAL, "layers '%s' and '%s' differ in kind or wiring", a->name, b->name);
    if (lac_int_kind_has_window(a->kind) && !same_window(&a->window, &b->window))
        LAC_FAIL(err, LAC_E_INTERNAL, "layer '%s': windows differ", a->name);
    if (a->kind == LAC_INT_TABLE)
        LAC_TRY(compare(a->name, "tables", a->table, b->table, LAC_TABLE_CODES, err));
    if (lac_int_kind_moves_codes(a->kind)) return LAC_OK;
    if (a->raw != b->raw || (!a->raw && (a->lo != b->lo || a->hi != b->hi)))
        LAC_FAIL(err, LAC_E_INTERNAL, "layer '%s': clamps are %d..%d and %d..%d", a->name, a->lo, a->hi,
                 b->lo, b->hi);
    if (conv && a->weight_bits != b->weight_bits)
        LAC_FAIL(err, LAC_E_INTERNAL, "layer '%s': weights have %d and %d bits", a->name, a->weight_bits,
                 b->weight_bits);
    if (conv) LAC_TRY(compare(a->name, "weights", a->w, b->w, lac_int_layer_weights(graph, a, false), err));
    if (a->kind == LAC_INT_ADD)
        LAC_TRY(compare(a->name, "weights", a->add_w, b->add_w, sizeof a->add_w, err));
    LAC_TRY(compare(a->name, "biases", a->bias, b->bias, n * sizeof *a->bias, err));
    LAC_TRY(compare(a->name, "raw scales", a->raw_scale, b->raw_scale, n * sizeof *a->raw_scale, err));
    LAC_TRY(compare(a->name, "multipliers", a->m, b->m, n * sizeof *a->m, err));
    return compare(a->name, "shifts", a->s, b->s, n * sizeof *a->s, err);
}

static bool same_tensor(const lac_int_tensor *a, const lac_int_tensor *b) {
    return strcmp(a->name, b->name) == 0 && a->c == b->c && a->h == b->h && a->w == b->w &&
           a->type.bits == b->type.bits && a->type.is_signed == b->type.is_signed &&
           a->type.zero == b->type.zero && memcmp(&a->type.scale, &b->type.scale, sizeof a->type.scale) == 0;
}

lac_status lac_int_graph_equal(const lac_int_graph *a, const lac_int_graph *b, lac_error *err) {
    if (strcmp(a->name, b->name) != 0 || a->n_tensors != b->n_tensors || a->n_layers != b->n_layers ||
        a->input != b->input || a->output != b->output ||
        memcmp(a->input_mean, b->input_mean, sizeof a->input_mean) != 0 ||
        memcmp(a->input_std, b->input_std, sizeof a->input_std) != 0)
        LAC_FAIL(err, LAC_E_INTERNAL, "graphs '%s' and '%s' differ in size, ends or normalisation", a->name,
                 b->name);
    for (int t = 0; t < a->n_tensors; t++)
        if (!same_tensor(&a->tensors[t], &b->tensors[t]))
            LAC_FAIL(err, LAC_E_INTERNAL, "tensors '%s' and '%s' differ", a->tensors[t].name,
                     b->tensors[t].name);
    for (int l = 0; l < a->n_layers; l++) LAC_TRY(compare_layers(a, &a->layers[l], &b->layers[l], err));
    return LAC_OK;
}
