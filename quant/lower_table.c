#include "lac_num.h"
#include "lower_view.h"

#include <math.h>

// An activation between two quantizers is a table from codes to codes. Its input is a value of the first one,
// which float arithmetic says exactly; the function itself is computed in double.

static double activation(const lac_node *node, float value) {
    const double x = (double)value;
    switch (node->op) {
    case LAC_OP_SIGMOID:
        return 1 / (1 + exp(-x));
    case LAC_OP_TANH:
        return tanh(x);
    case LAC_OP_HARD_SIGMOID:
        return (double)fminf(fmaxf(node->attr.alpha * value + node->attr.beta, 0.0f), 1.0f);
    case LAC_OP_HARD_SWISH:
        return x * fmin(fmax(x / 6 + 0.5, 0), 1);
    case LAC_OP_SILU:
        return x / (1 + exp(-x));
    default:
        return x / 2 * (1 + erf(x / sqrt(2)));
    }
}

static uint8_t code_byte(double real, const lac_quant_params *q) {
    float code = rintf((float)real / (float)q->scale + (float)q->zero);
    if (code < (float)q->lowest) code = (float)q->lowest;
    if (code > (float)q->highest) code = (float)q->highest;
    return (uint8_t)(int)code;
}

/// What stands at codes that the input never has is the table's value next to them.
static void fill(const lac_node *node, const lac_code_type *in, const lac_quant_params *out, uint8_t *table) {
    const int low = lac_code_min(in->bits, in->is_signed), high = lac_code_max(in->bits, in->is_signed);
    for (int i = 0; i < LAC_TABLE_CODES; i++) {
        int code = in->is_signed && i > 127 ? i - LAC_TABLE_CODES : i;
        code = code < low ? low : code > high ? high : code;
        table[i] = code_byte(activation(node, (float)(code - in->zero) * (float)in->scale), out);
    }
}

/// The quantizer that alone reads a value.
static lac_status quantizer_after(const lac_lowering *l, const lac_node *node, int *out, lac_error *err) {
    int n = lac_graph_readers(l->graph, node->out, out, 1);
    if (n == 1 && node->out != l->graph->output && l->graph->nodes[*out].op == LAC_OP_QUANT) return LAC_OK;
    LAC_FAIL(err, LAC_E_UNSUPPORTED,
             "%s '%s': nothing but one quantizer may read its output '%s'; `lacuna quantize` puts one there",
             lac_op_name(node->op), node->name, l->graph->values[node->out].name);
}

lac_status lac_lower_table(lac_lowering *l, const lac_node *node, lac_error *err) {
    lac_view view;
    int quant = -1;
    lac_quant_params q;
    LAC_TRY(lac_lowering_stored(l, node, node->in[0], &view, err));
    LAC_TRY(quantizer_after(l, node, &quant, err));
    LAC_TRY(lac_quant_params_read(l->graph, quant, &q, err));
    const lac_int_tensor from = l->out->tensors[view.tensor];
    if (from.type.bits > 8)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "%s '%s' reads raw sums; put a quantizer before it",
                 lac_op_name(node->op), node->name);
    lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_TABLE, node->name, &view.tensor, 1);
    layer->table = LAC_NEW_ARRAY(l->arena, uint8_t, LAC_TABLE_CODES);
    fill(node, &from.type, &q, layer->table);
    const int made = l->graph->nodes[quant].out;
    const lac_code_type type = {q.bits, q.is_signed, q.zero, q.scale};
    layer->out = lac_lowering_add_tensor(l, l->graph->values[made].name, from.c, from.h, from.w, type);
    view.tensor = layer->out;
    l->view_of[made] = view;
    l->taken[quant] = true;
    return LAC_OK;
}
