#include "lac_num.h"
#include "lowering.h"

// The engine reads both operands of a sum as signed, or both as unsigned. A sum of unsigned codes of 8 bits
// and signed ones is neither; codes that are 128 less, with a zero point that is 128 less, say the same in
// signed ones. Readers get it back in their biases or tables, so it costs nothing.

enum { SHIFT = 128 };

static bool is_unsigned_8(const lac_int_graph *graph, int tensor) {
    const lac_code_type *type = &graph->tensors[tensor].type;
    return type->bits == 8 && !type->is_signed;
}

/// Marks a tensor where another one wants it; true when it is news.
static bool mark(const lac_int_graph *graph, bool *shifted, int tensor) {
    bool news = is_unsigned_8(graph, tensor) && !shifted[tensor];
    if (news) shifted[tensor] = true;
    return news;
}

/// Layers that pass codes on have one type; operands of a sum become signed when one of them is.
static bool spread(const lac_int_graph *graph, const lac_int_layer *layer, bool *shifted) {
    bool any = false, news = false;
    bool passes = layer->kind == LAC_INT_MAX_POOL || layer->kind == LAC_INT_CONCAT;
    if (!passes && layer->kind != LAC_INT_ADD) return false;
    for (int i = 0; i < layer->n_in; i++) {
        any = any || shifted[layer->in[i]];
        any = any || (!passes && graph->tensors[layer->in[i]].type.is_signed);
    }
    any = any || (passes && shifted[layer->out]);
    for (int i = 0; any && i < layer->n_in; i++) news |= mark(graph, shifted, layer->in[i]);
    return news | (any && passes && mark(graph, shifted, layer->out));
}

/// Which tensors are shifted: none, in most graphs.
static bool *shifted_tensors(const lac_int_graph *graph, lac_arena *scratch) {
    bool *shifted = LAC_NEW_ARRAY(scratch, bool, graph->n_tensors);
    for (bool news = true; news;) {
        news = false;
        for (int l = 0; l < graph->n_layers; l++) news |= spread(graph, &graph->layers[l], shifted);
    }
    return shifted;
}

/// Sum of the weights of an output channel on operand i.
static int64_t weight_sum(const lac_int_graph *graph, const lac_int_layer *layer, int o, int i) {
    int64_t taps = (int64_t)layer->window.kernel[0] * layer->window.kernel[1], sum = 0;
    if (layer->kind == LAC_INT_ADD) return layer->add_w[i];
    if (layer->kind == LAC_INT_AVG_POOL) return taps;
    int64_t n = graph->tensors[layer->in[0]].c / layer->window.groups * taps;
    for (int64_t k = 0; k < n; k++) sum += layer->w[o * n + k];
    return sum;
}

static lac_status adjust_biases(const lac_int_graph *graph, const lac_int_layer *layer, const bool *shifted,
                                lac_error *err) {
    for (int o = 0; layer->bias && o < graph->tensors[layer->out].c; o++) {
        int64_t bias = layer->bias[o];
        for (int i = 0; i < layer->n_in; i++)
            if (shifted[layer->in[i]]) bias += SHIFT * weight_sum(graph, layer, o, i);
        if (bias < INT32_MIN || bias > INT32_MAX)
            LAC_FAIL(err, LAC_E_RANGE,
                     "layer '%s': bias %lld of channel %d is beyond 32 bits for signed codes; quantize "
                     "activations to 7 bits",
                     layer->name, (long long)bias, o);
        layer->bias[o] = (int32_t)bias;
    }
    return LAC_OK;
}

/// Codes that are SHIFT less have the other top bit.
static void adjust_table(const lac_int_layer *layer, const bool *shifted) {
    for (int i = 0; shifted[layer->in[0]] && i < SHIFT; i++) {
        uint8_t kept = layer->table[i];
        layer->table[i] = layer->table[i + SHIFT];
        layer->table[i + SHIFT] = kept;
    }
    for (int i = 0; shifted[layer->out] && i < LAC_TABLE_CODES; i++) layer->table[i] ^= SHIFT;
}

static lac_status adjust(const lac_int_graph *graph, const lac_int_layer *layer, const bool *shifted,
                         lac_error *err) {
    if (layer->kind == LAC_INT_TABLE) adjust_table(layer, shifted);
    if (layer->kind != LAC_INT_MUL) return adjust_biases(graph, layer, shifted, err);
    // The second operand's zero point is in the product's law; the first has none.
    if (!shifted[layer->in[0]]) return LAC_OK;
    LAC_FAIL(err, LAC_E_UNSUPPORTED,
             "mul '%s': its operand '%s' has unsigned codes of 8 bits and is also added to signed ones; "
             "quantize activations to 7 bits",
             layer->name, graph->tensors[layer->in[0]].name);
}

lac_status lac_lower_signs(lac_int_graph *graph, lac_arena *scratch, lac_error *err) {
    const bool *shifted = shifted_tensors(graph, scratch);
    for (int l = 0; l < graph->n_layers; l++) LAC_TRY(adjust(graph, &graph->layers[l], shifted, err));
    for (int t = 0; t < graph->n_tensors; t++) {
        if (!shifted[t]) continue;
        graph->tensors[t].type.is_signed = true;
        graph->tensors[t].type.zero -= SHIFT;
    }
    return LAC_OK;
}
