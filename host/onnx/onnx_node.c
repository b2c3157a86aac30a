#include "onnx_reader.h"

#include <stdio.h>
#include <string.h>

// ---- what an importer asks of its node ------------------------------------------------------------------

const char *onnx_node_name(const Onnx__NodeProto *node) {
    if (node->name && *node->name) return node->name;
    return node->n_output > 0 && *node->output[0] ? node->output[0] : "(without a name)";
}

void onnx_fail_in(const onnx_node *node, lac_status status) {
    char where[256];
    const char *type = node->proto->op_type ? node->proto->op_type : "node";
    snprintf(where, sizeof where, "%.60s '%.180s'", type, onnx_node_name(node->proto));
    lac_fail_in(node->r->err, status, where);
}

const char *onnx_input_name(const onnx_node *node, size_t i) {
    return i < node->proto->n_input && *node->proto->input[i] ? node->proto->input[i] : NULL;
}

lac_status onnx_n_inputs(const onnx_node *node, size_t least, size_t most) {
    for (size_t i = 0; i < least; i++)
        if (!onnx_input_name(node, i))
            ONNX_FAIL(node, LAC_E_FORMAT, "input %zu is missing; the standard asks for %zu", i, least);
    if (node->proto->n_input > most)
        ONNX_FAIL(node, LAC_E_FORMAT, "has %zu inputs, the standard allows %zu", node->proto->n_input, most);
    return LAC_OK;
}

lac_status onnx_input_binding(const onnx_node *node, size_t i, onnx_binding **out) {
    const char *name = onnx_input_name(node, i);
    if (!name) ONNX_FAIL(node, LAC_E_FORMAT, "input %zu is missing", i);
    onnx_binding *b = onnx_names_find(&node->r->names, name);
    if (!b || (!b->initializer && !b->tensor && b->value == LAC_NO_VALUE))
        ONNX_FAIL(node, LAC_E_FORMAT, "input '%.180s' is made by no node and is no initializer", name);
    if (!b->tensor && b->initializer)
        LAC_TRY(onnx_tensor_decode(b->initializer, b->name, node->r->scratch, &b->tensor, node->r->err));
    *out = b;
    return LAC_OK;
}

bool onnx_is_parameter(const lac_graph *graph, int value) {
    while (!graph->values[value].data) {
        int p = lac_graph_producer(graph, value);
        if (p < 0) return false;
        lac_op op = graph->nodes[p].op;
        if (op != LAC_OP_QUANT && op != LAC_OP_BIPOLAR_QUANT) return false;
        value = graph->nodes[p].in[0];
    }
    return true;
}

lac_status onnx_activation(const onnx_node *node, size_t i, int *value) {
    onnx_binding *b;
    LAC_TRY(onnx_input_binding(node, i, &b));
    if (b->tensor || onnx_is_parameter(node->r->graph, b->value))
        ONNX_FAIL(
            node, LAC_E_UNSUPPORTED,
            "input '%.180s' is a constant where an activation is expected; fold constants before exporting",
            b->name);
    *value = b->value;
    return LAC_OK;
}

lac_status onnx_const(const onnx_node *node, size_t i, onnx_tensor **out) {
    onnx_binding *b;
    LAC_TRY(onnx_input_binding(node, i, &b));
    if (!b->tensor)
        ONNX_FAIL(
            node, LAC_E_UNSUPPORTED,
            "input '%.180s' is computed by the model where a constant is expected; fold constants before "
            "exporting",
            b->name);
    *out = b->tensor;
    return LAC_OK;
}

lac_status onnx_parameter(const onnx_node *node, size_t i, int *value, onnx_tensor **tensor) {
    onnx_binding *b;
    LAC_TRY(onnx_input_binding(node, i, &b));
    *tensor = b->tensor;
    if (b->tensor) {
        if (b->tensor->f) return LAC_OK;
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "input '%.180s' holds integers; export the model in 32-bit floats",
                  b->name);
    }
    if (!onnx_is_parameter(node->r->graph, b->value))
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "input '%.180s' is computed by the model; weights and biases must be initializers",
                  b->name);
    *value = b->value;
    return LAC_OK;
}

// ---- what an importer gives back ------------------------------------------------------------------------

lac_status onnx_bind_output(const onnx_node *node, int value) {
    onnx_names_get(&node->r->names, node->proto->output[0])->value = value;
    return LAC_OK;
}

lac_status onnx_emit_output(const onnx_node *node, size_t i, lac_op op, const int *in, int n_in,
                            const lac_attr *attr) {
    lac_graph *graph = node->r->graph;
    int value = lac_graph_add_node(graph, op, onnx_node_name(node->proto), in, n_in, attr);
    const char *name = node->proto->output[i];
    if (strcmp(graph->values[value].name, name) != 0 && onnx_name_is_free(graph, name))
        graph->values[value].name = lac_arena_strdup(graph->arena, name);
    LAC_TRY(onnx_infer(graph, &graph->nodes[graph->n_nodes - 1], &graph->values[value].shape, node->r->err));
    onnx_names_get(&node->r->names, name)->value = value;
    return LAC_OK;
}

lac_status onnx_emit(const onnx_node *node, lac_op op, const int *in, int n_in, const lac_attr *attr) {
    return onnx_emit_output(node, 0, op, in, n_in, attr);
}
