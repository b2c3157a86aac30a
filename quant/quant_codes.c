#include "quant_codes.h"
#include "chain.h"
#include "lac_num.h"
#include "rearrange.h"

#include <math.h>

int lac_quant_lowest(lac_quant_attr attr) {
    int lowest = lac_code_min(attr.bits, attr.is_signed);
    return attr.is_signed && attr.narrow ? lowest + 1 : lowest;
}

int lac_quant_highest(lac_quant_attr attr) {
    int highest = lac_code_max(attr.bits, attr.is_signed);
    return !attr.is_signed && attr.narrow ? highest - 1 : highest;
}

static lac_status check_scale(const lac_node *node, const lac_value *scale, lac_error *err) {
    int64_t n = lac_shape_count(scale->shape);
    for (int64_t i = 0; i < n; i++)
        if (!(scale->data[i] > 0) || !isfinite(scale->data[i]))
            LAC_FAIL(err, LAC_E_RANGE,
                     "%s '%s': scale '%s' has %g at %lld, must be above 0; quantize the float model again",
                     lac_op_name(node->op), node->name, scale->name, (double)scale->data[i], (long long)i);
    return LAC_OK;
}

lac_status lac_quant_params_read(const lac_graph *graph, int index, lac_quant_params *out, lac_error *err) {
    const lac_node *node = &graph->nodes[index];
    if (node->op == LAC_OP_BIPOLAR_QUANT)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "bipolar_quant '%s': activations of {-1,+1} have no zero for padding; use a quant of 1 bit, "
                 "unsigned, or of 2 bits",
                 node->name);
    const lac_value *scale = &graph->values[node->in[1]], *zero = &graph->values[node->in[2]];
    if (lac_shape_count(scale->shape) != 1 || lac_shape_count(zero->shape) != 1)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "quant '%s': %lld scales and %lld zero points on an activation, the engine has 1 a tensor; "
                 "quantize activations per tensor",
                 node->name, (long long)lac_shape_count(scale->shape),
                 (long long)lac_shape_count(zero->shape));
    LAC_TRY(check_scale(node, scale, err));
    int lowest = lac_quant_lowest(node->attr.quant), highest = lac_quant_highest(node->attr.quant);
    float z = zero->data[0];
    if (z != rintf(z) || z < (float)lowest || z > (float)highest)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "quant '%s': zero point %g is not one of its codes %d..%d; round it when quantizing",
                 node->name, (double)z, lowest, highest);
    *out = (lac_quant_params){.bits = node->attr.quant.bits,
                              .is_signed = node->attr.quant.is_signed,
                              .lowest = lowest,
                              .highest = highest,
                              .zero = (int)z,
                              .scale = (double)scale->data[0]};
    return LAC_OK;
}

// The quantizer before the weights of a layer, checked for what the law allows.
static lac_status weight_quantizer(const lac_graph *graph, const lac_node *layer, const lac_node **out,
                                   lac_error *err) {
    int producer = lac_graph_producer(graph, layer->in[1]);
    if (producer < 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "%s '%s': weights '%s' are float, without a quantizer; run `lacuna quantize` on the model",
                 lac_op_name(layer->op), layer->name, graph->values[layer->in[1]].name);
    const lac_node *node = &graph->nodes[producer];
    if (!graph->values[node->in[0]].data)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "%s '%s': weights pass more than one quantizer; keep one Quant between constant and layer",
                 lac_op_name(layer->op), layer->name);
    const lac_value *scale = &graph->values[node->in[1]];
    int64_t n = lac_shape_count(scale->shape), n_out = graph->values[node->in[0]].shape.dim[0];
    if (n != 1 && n != n_out)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "%s '%s': %lld scales for %lld output channels; use one, or one per output channel",
                 lac_op_name(node->op), node->name, (long long)n, (long long)n_out);
    LAC_TRY(check_scale(node, scale, err));
    const lac_value *zero = node->op == LAC_OP_QUANT ? &graph->values[node->in[2]] : NULL;
    for (int64_t i = 0; zero && i < lac_shape_count(zero->shape); i++)
        if (zero->data[i] != 0)
            LAC_FAIL(err, LAC_E_UNSUPPORTED,
                     "quant '%s': weights with zero point %g; quantize weights symmetrically, with 0",
                     node->name, (double)zero->data[i]);
    *out = node;
    return LAC_OK;
}

static int code_of(const lac_node *node, float w, float scale) {
    if (node->op == LAC_OP_BIPOLAR_QUANT) return w >= 0 ? 1 : -1;
    float code = rintf(w / scale);
    float lowest = (float)lac_quant_lowest(node->attr.quant);
    float highest = (float)lac_quant_highest(node->attr.quant);
    return (int)(code < lowest ? lowest : code > highest ? highest : code);
}

lac_status lac_weight_codes_read(const lac_graph *graph, int index, lac_arena *arena, lac_weight_codes *out,
                                 lac_error *err) {
    const lac_node *layer = &graph->nodes[index], *quant = NULL;
    LAC_TRY(weight_quantizer(graph, layer, &quant, err));
    const lac_value *w = &graph->values[quant->in[0]], *scale = &graph->values[quant->in[1]];
    bool bipolar = quant->op == LAC_OP_BIPOLAR_QUANT;
    if (!bipolar && !quant->attr.quant.is_signed)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "quant '%s': unsigned weights; quantize them signed and narrow",
                 quant->name);
    int n_out = (int)w->shape.dim[0], n_per_out = (int)(lac_shape_count(w->shape) / n_out);
    lac_weight_codes codes = {.bits = bipolar ? 1 : quant->attr.quant.bits,
                              .n_out = n_out,
                              .n_per_out = n_per_out,
                              .code = LAC_NEW_ARRAY(arena, int8_t, n_out * n_per_out),
                              .scale = LAC_NEW_ARRAY(arena, double, n_out)};
    for (int o = 0; o < n_out; o++) {
        float s = scale->data[lac_shape_count(scale->shape) == 1 ? 0 : o];
        codes.scale[o] = (double)s;
        for (int i = 0; i < n_per_out; i++) {
            int code = code_of(quant, w->data[o * n_per_out + i], s);
            if (!bipolar && code == lac_code_min(codes.bits, 1))
                LAC_FAIL(err, LAC_E_UNSUPPORTED,
                         "quant '%s': weight code %d of channel %d has no negative in %d bits; quantize "
                         "weights with narrow = 1",
                         quant->name, code, o, codes.bits);
            codes.code[o * n_per_out + i] = (int8_t)code;
        }
    }
    *out = codes;
    return LAC_OK;
}

int lac_quantizer_of(const lac_graph *graph, int value) {
    for (;;) {
        int producer = lac_graph_producer(graph, value);
        if (producer < 0) return -1;
        lac_op op = graph->nodes[producer].op;
        if (op == LAC_OP_QUANT) return producer;
        if (!lac_passes_codes(op) && op != LAC_OP_CONCAT) return -1;
        value = graph->nodes[producer].in[0];
    }
}
