#include "planner.h"

static lac_status infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    lac_shape first = graph->values[node->in[0]].shape, sum = first;
    char first_text[96], text[96];
    if (first.n_dims < 2)
        LAC_FAIL(err, LAC_E_SHAPE, "concat '%s': input is %s, expected channels in dimension 1", node->name,
                 lac_shape_print(first, text));
    for (int i = 1; i < node->n_in; i++) {
        const lac_value *in = &graph->values[node->in[i]];
        bool fits = in->shape.n_dims == first.n_dims;
        for (int d = 0; fits && d < first.n_dims; d++) fits = d == 1 || in->shape.dim[d] == first.dim[d];
        if (!fits)
            LAC_FAIL(err, LAC_E_SHAPE,
                     "concat '%s': the first input is %s, '%s' is %s; only channels may differ", node->name,
                     lac_shape_print(first, first_text), in->name, lac_shape_print(in->shape, text));
        sum.dim[1] += in->shape.dim[1];
    }
    *out = sum;
    return LAC_OK;
}

// The part of the joined tensor that input i fills, as a view.
static dnnl_status_t part_layout(lac_plan *plan, const lac_node *node, int i, const dnnl_memory_desc_t *whole,
                                 dnnl_memory_desc_t *part) {
    dnnl_dims_t dims = {0}, offsets = {0};
    lac_shape shape = lac_plan_in(plan, node, i)->shape;
    for (int d = 0; d < shape.n_dims; d++) dims[d] = shape.dim[d];
    for (int j = 0; j < i; j++) offsets[1] += lac_plan_in(plan, node, j)->shape.dim[1];
    return dnnl_memory_desc_init_submemory(part, whole, dims, offsets);
}

// Blocked like the first input where every part then starts and ends on a block, else row-major.
static dnnl_memory_desc_t joined_layout(lac_plan *plan, const lac_node *node) {
    lac_tensor *first = lac_plan_in(plan, node, 0), *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t plain = lac_layout_plain(y->shape), whole = plain, part;
    const dnnl_blocking_desc_t *b = &first->layout.format_desc.blocking;
    if (y->shape.n_dims != 4 || b->inner_nblks != 1 || b->inner_idxs[0] != 1) return plain;
    dnnl_format_tag_t tag = b->inner_blks[0] == 16 ? dnnl_aBcd16b : dnnl_aBcd8b;
    dnnl_dims_t dims;
    for (int d = 0; d < 4; d++) dims[d] = y->shape.dim[d];
    if (dnnl_memory_desc_init_by_tag(&whole, 4, dims, first->layout.data_type, tag) != dnnl_success)
        return plain;
    for (int i = 0; i < node->n_in; i++)
        if (lac_plan_in(plan, node, i)->shape.dim[1] % b->inner_blks[0] ||
            part_layout(plan, node, i, &whole, &part) != dnnl_success)
            return plain;
    return whole;
}

static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {
    lac_tensor *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t whole = joined_layout(plan, node), part;
    (void)state;
    LAC_TRY(lac_plan_set_out(plan, y, &whole, err));
    for (int i = 0; i < node->n_in; i++) {
        dnnl_memory_t view = NULL;
        LAC_DNNL(plan, part_layout(plan, node, i, &whole, &part), err);
        LAC_TRY(lac_plan_view(plan, &part, lac_memory_data(y->data), &view, err));
        LAC_TRY(lac_plan_copy(plan, &plan->forward, lac_plan_in(plan, node, i)->data, view, err));
    }
    return LAC_OK;
}

static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {
    lac_tensor *y = lac_plan_out(plan, node);
    dnnl_memory_desc_t part;
    (void)state;
    for (int i = 0; i < node->n_in; i++) {
        lac_tensor *in = lac_plan_in(plan, node, i);
        dnnl_memory_t view = NULL;
        if (!in->wants_grad) continue;
        LAC_DNNL(plan, part_layout(plan, node, i, &y->layout, &part), err);
        LAC_TRY(lac_plan_view(plan, &part, lac_memory_data(y->grad), &view, err));
        LAC_TRY(lac_plan_grad_done(plan, in, view, err));
    }
    return LAC_OK;
}

const lac_op_desc lac_op_concat = {
    .op = LAC_OP_CONCAT,
    .law = "y = the channels of all inputs, one after the other",
    .infer = infer,
    .any_type = true,
    .plan_forward = forward,
    .plan_backward = backward,
};
