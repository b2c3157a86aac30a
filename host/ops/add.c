#include "planner.h"

static lac_status infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    const lac_value *a = &graph->values[node->in[0]], *b = &graph->values[node->in[1]];
    char a_text[96], b_text[96];
    if (!lac_shape_equal(a->shape, b->shape))
        LAC_FAIL(err, LAC_E_SHAPE, "add '%s': '%s' is %s, '%s' is %s; both must be of one shape", node->name,
                 a->name, lac_shape_print(a->shape, a_text), b->name, lac_shape_print(b->shape, b_text));
    *out = a->shape;
    return LAC_OK;
}

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    const lac_node *relu = lac_plan_fusible_relu(plan, node);
    lac_tensor *a = lac_plan_in(plan, node, 0), *b = lac_plan_in(plan, node, 1),
               *y = lac_plan_final_out(plan, node, relu);
    dnnl_memory_t b_data = NULL;
    dnnl_binary_desc_t desc;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    (void)state;
    LAC_TRY(lac_plan_as(plan, &plan->forward, b->data, &a->layout, &b_data, err));
    LAC_DNNL(plan, dnnl_binary_desc_init(&desc, dnnl_binary_add, &a->layout, &a->layout, &a->layout), err);
    LAC_TRY(lac_plan_relu_attr(plan, relu, &attr, err));
    lac_status status = lac_plan_describe_with(plan, &desc, attr, NULL, &pd, err);
    dnnl_primitive_attr_destroy(attr);
    LAC_TRY(status);
    LAC_TRY(lac_plan_set_out(plan, y, &a->layout, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC_0, a->data}, {DNNL_ARG_SRC_1, b_data}, {DNNL_ARG_DST, y->data}};
    return LAC_CALL(plan, &plan->forward, pd, args, err);
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    const lac_node *relu = lac_plan_fusible_relu(plan, node);
    lac_tensor *y = lac_plan_final_out(plan, node, relu);
    dnnl_memory_t grad = y->grad;
    (void)state;
    if (relu) LAC_TRY(lac_plan_relu_back(plan, y, &grad, err));
    for (int i = 0; i < 2; i++) {
        lac_tensor *in = lac_plan_in(plan, node, i);
        if (in->wants_grad) LAC_TRY(lac_plan_grad_pass(plan, in, grad, err));
    }
    return LAC_OK;
}

const lac_op_desc lac_op_add = {
    .op = LAC_OP_ADD,
    .law = "y = a + b, elementwise",
    .infer = infer,
    .any_type = true,
    .plan_forward = forward,
    .plan_backward = backward,
};
