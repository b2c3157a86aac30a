#include "lac_num.h"
#include "lowering.h"

// The engine reads all operands of a layer as signed, or all as unsigned. A sum of unsigned codes of 8 bits
// and signed ones is neither; codes that are 128 less, with a zero point that is 128 less, say the same in
// signed ones. Readers get it back in their biases, so it costs nothing.

enum { SHIFT = 128 };

static bool is_unsigned_8(const lac_int_graph *graph, int tensor) {
    const lac_code_type *type = &graph->tensors[tensor].type;
    return type->bits == 8 && !type->is_signed;
}

static bool has_mixed_sum(const lac_int_graph *graph) {
    for (int l = 0; l < graph->n_layers; l++) {
        const lac_int_layer *layer = &graph->layers[l];
        for (int i = 0; i < layer->n_in && layer->kind == LAC_INT_ADD; i++)
            if (is_unsigned_8(graph, layer->in[i]) && graph->tensors[layer->in[1 - i]].type.is_signed)
                return true;
    }
    return false;
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

static lac_status adjust_biases(const lac_int_graph *graph, const lac_int_layer *layer, lac_error *err) {
    for (int o = 0; layer->bias && o < graph->tensors[layer->out].c; o++) {
        int64_t bias = layer->bias[o];
        for (int i = 0; i < layer->n_in; i++)
            if (is_unsigned_8(graph, layer->in[i])) bias += SHIFT * weight_sum(graph, layer, o, i);
        if (bias < INT32_MIN || bias > INT32_MAX)
            LAC_FAIL(err, LAC_E_RANGE,
                     "layer '%s': bias %lld of channel %d is beyond 32 bits for signed codes; quantize "
                     "activations to 7 bits",
                     layer->name, (long long)bias, o);
        layer->bias[o] = (int32_t)bias;
    }
    return LAC_OK;
}

lac_status lac_lower_signs(lac_int_graph *graph, lac_error *err) {
    if (!has_mixed_sum(graph)) return LAC_OK;
    for (int l = 0; l < graph->n_layers; l++) LAC_TRY(adjust_biases(graph, &graph->layers[l], err));
    for (int t = 0; t < graph->n_tensors; t++) {
        if (!is_unsigned_8(graph, t)) continue;
        graph->tensors[t].type.is_signed = true;
        graph->tensors[t].type.zero -= SHIFT;
    }
    return LAC_OK;
}
