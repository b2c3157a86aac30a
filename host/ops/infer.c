#include "op.h"

#include <assert.h>
#include <stddef.h>

static const lac_op_desc *const rows[LAC_N_OPS] = {
#define LAC_OP(id, name, onnx, domain, help) [LAC_OP_##id] = &lac_op_##name,
#include "ops.def"
#undef LAC_OP
};

const lac_op_desc *lac_op_row(lac_op op) {
    assert((unsigned)op < LAC_N_OPS && rows[op]->op == op);
    return rows[op];
}

static lac_status infer_node(lac_graph *graph, const lac_node *node, lac_error *err) {
    for (int i = 0; i < node->n_in; i++) {
        const lac_value *in = &graph->values[node->in[i]];
        if (!in->data && in->shape.n_dims == 0)
            LAC_FAIL(err, LAC_E_SHAPE,
                     "%s '%s': the shape of its input '%s' is not known; sort the graph first",
                     lac_op_name(node->op), node->name, in->name);
    }
    lac_shape out = {0};
    LAC_TRY(lac_op_row(node->op)->infer(graph, node, &out, err));
    graph->values[node->out].shape = out;
    return LAC_OK;
}

lac_status lac_graph_infer(lac_graph *graph, lac_error *err) {
    char text[96];
    const lac_value *input = &graph->values[graph->input];
    if ((input->shape.n_dims != 4 && input->shape.n_dims != 2) || input->shape.dim[0] != 1)
        LAC_FAIL(err, LAC_E_SHAPE, "input '%s' is %s: expected 1xCxHxW or 1xC, one image", input->name,
                 lac_shape_print(input->shape, text));
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].out != graph->input) graph->values[graph->nodes[i].out].shape.n_dims = 0;
    for (int i = 0; i < graph->n_nodes; i++) LAC_TRY(infer_node(graph, &graph->nodes[i], err));
    return LAC_OK;
}

uint64_t lac_graph_macs(const lac_graph *graph) {
    uint64_t total = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const lac_op_desc *desc = lac_op_row(graph->nodes[i].op);
        if (desc->macs) total += desc->macs(graph, &graph->nodes[i]);
    }
    return total;
}

uint64_t lac_graph_conv_macs(const lac_graph *graph) {
    uint64_t total = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const lac_node *node = &graph->nodes[i];
        if (node->op == LAC_OP_CONV2D || node->op == LAC_OP_CONV_TRANSPOSE || node->op == LAC_OP_LINEAR)
            total += lac_op_row(node->op)->macs(graph, node);
    }
    return total;
}
