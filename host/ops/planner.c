#include "planner.h"

#include <stdio.h>
#include <string.h>

// ---- errors and ownership -------------------------------------------------------------------------------

lac_status lac_plan_check(const lac_plan *plan, dnnl_status_t status, const char *what, lac_error *err) {
    if (status == dnnl_success) return LAC_OK;
    const char *name = plan->node ? plan->node->name : plan->graph->name;
    const char *op = plan->node ? lac_op_name(plan->node->op) : "graph";
    if (status == dnnl_out_of_memory)
        LAC_FAIL(err, LAC_E_MEMORY, "%s '%s': out of memory at batch %d; use a smaller batch", op, name,
                 plan->config.batch);
    if (status == dnnl_unimplemented)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "%s '%s': oneDNN has no kernel for it (%s)", op, name, what);
    LAC_FAIL(err, LAC_E_INTERNAL, "%s '%s': oneDNN fails with status %d (%s)", op, name, (int)status, what);
}

// Room for one more item: arrays double, the old copy stays in the arena.
static void *grown(lac_arena *arena, void *items, int n, int *capacity, size_t size) {
    if (n < *capacity) return items;
    *capacity = *capacity ? 2 * *capacity : 32;
    void *larger = lac_arena_array(arena, (size_t)*capacity, size);
    return n ? memcpy(larger, items, (size_t)n * size) : larger;
}

static void own(lac_plan *plan, void *handle, lac_own_kind kind) {
    plan->owned = grown(plan->arena, plan->owned, plan->n_owned, &plan->owned_capacity, sizeof *plan->owned);
    plan->owned[plan->n_owned++] = (lac_plan_owned){handle, kind};
}

// ---- tensors and layouts --------------------------------------------------------------------------------

lac_tensor *lac_plan_in(lac_plan *plan, const lac_node *node, int i) {
    return &plan->tensors[node->in[i]];
}

lac_tensor *lac_plan_out(lac_plan *plan, const lac_node *node) {
    return &plan->tensors[node->out];
}

lac_call_list *lac_plan_list(lac_plan *plan, const lac_tensor *tensor) {
    return tensor->constant ? &plan->refresh : &plan->forward;
}

static dnnl_memory_desc_t layout_of(lac_shape shape, bool any) {
    static const dnnl_format_tag_t plain[] = {dnnl_a, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd};
    dnnl_dims_t dims = {1};
    for (int i = 0; i < shape.n_dims; i++) dims[i] = shape.dim[i];
    int n_dims = shape.n_dims > 0 ? shape.n_dims : 1;
    dnnl_memory_desc_t layout = {0};
    dnnl_memory_desc_init_by_tag(&layout, n_dims, dims, dnnl_f32, any ? dnnl_format_tag_any : plain[n_dims]);
    return layout;
}

dnnl_memory_desc_t lac_layout_plain(lac_shape shape) {
    return layout_of(shape, false);
}

dnnl_memory_desc_t lac_layout_any(lac_shape shape) {
    return layout_of(shape, true);
}

size_t lac_layout_count(const dnnl_memory_desc_t *layout) {
    return dnnl_memory_desc_get_size(layout) / sizeof(float);
}

bool lac_layout_padded(const dnnl_memory_desc_t *layout) {
    for (int i = 0; i < layout->ndims; i++)
        if (layout->dims[i] != layout->padded_dims[i]) return true;
    return false;
}

lac_status lac_plan_buffer(lac_plan *plan, const dnnl_memory_desc_t *layout, dnnl_memory_t *out,
                           lac_error *err) {
    return lac_plan_view(plan, layout, lac_arena_alloc(plan->arena, dnnl_memory_desc_get_size(layout)), out,
                         err);
}

lac_status lac_plan_view(lac_plan *plan, const dnnl_memory_desc_t *layout, float *data, dnnl_memory_t *out,
                         lac_error *err) {
    LAC_DNNL(plan, dnnl_memory_create(out, layout, plan->engine, data), err);
    own(plan, *out, LAC_OWN_MEMORY);
    return LAC_OK;
}

float *lac_memory_data(const_dnnl_memory_t memory) {
    void *data = NULL;
    dnnl_memory_get_data_handle(memory, &data);
    return data;
}

const dnnl_memory_desc_t *lac_memory_layout(const_dnnl_memory_t memory) {
    const dnnl_memory_desc_t *layout = NULL;
    dnnl_memory_get_memory_desc(memory, &layout);
    return layout;
}

lac_status lac_plan_set_out(lac_plan *plan, lac_tensor *out, const dnnl_memory_desc_t *layout,
                            lac_error *err) {
    out->layout = *layout;
    return lac_plan_buffer(plan, layout, &out->data, err);
}

// ---- calls ----------------------------------------------------------------------------------------------

static void append(lac_plan *plan, lac_call_list *list, const lac_call *call) {
    list->calls = grown(plan->arena, list->calls, list->n, &list->capacity, sizeof *list->calls);
    list->calls[list->n++] = *call;
}

lac_status lac_plan_describe(lac_plan *plan, const void *op_desc, const_dnnl_primitive_desc_t hint,
                             dnnl_primitive_desc_t *out, lac_error *err) {
    LAC_DNNL(plan, dnnl_primitive_desc_create(out, op_desc, NULL, plan->engine, hint), err);
    own(plan, *out, LAC_OWN_PRIMITIVE_DESC);
    return LAC_OK;
}

const dnnl_memory_desc_t *lac_plan_chosen(const_dnnl_primitive_desc_t desc, dnnl_query_t what) {
    return dnnl_primitive_desc_query_md(desc, what, 0);
}

lac_status lac_plan_call(lac_plan *plan, lac_call_list *list, const_dnnl_primitive_desc_t desc,
                         const dnnl_exec_arg_t *args, int n_args, lac_error *err) {
    lac_call call = {.n_args = n_args, .node = plan->node};
    LAC_DNNL(plan, dnnl_primitive_create(&call.primitive, desc), err);
    own(plan, call.primitive, LAC_OWN_PRIMITIVE);
    memcpy(call.args, args, (size_t)n_args * sizeof *args);
    append(plan, list, &call);
    return LAC_OK;
}

void lac_plan_run(lac_plan *plan, lac_call_list *list, void (*run)(void *), void *ctx) {
    append(plan, list, &(lac_call){.run = run, .ctx = ctx, .node = plan->node});
}

static lac_status reorder(lac_plan *plan, lac_call_list *list, dnnl_memory_t from, dnnl_memory_t to,
                          const_dnnl_primitive_attr_t attr, lac_error *err) {
    dnnl_primitive_desc_t desc = NULL;
    LAC_DNNL(plan,
             dnnl_reorder_primitive_desc_create(&desc, lac_memory_layout(from), plan->engine,
                                                lac_memory_layout(to), plan->engine, attr),
             err);
    own(plan, desc, LAC_OWN_PRIMITIVE_DESC);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    return LAC_CALL(plan, list, desc, args, err);
}

lac_status lac_plan_copy(lac_plan *plan, lac_call_list *list, dnnl_memory_t from, dnnl_memory_t to,
                         lac_error *err) {
    return reorder(plan, list, from, to, NULL, err);
}

lac_status lac_plan_accumulate(lac_plan *plan, lac_call_list *list, dnnl_memory_t from, dnnl_memory_t to,
                               lac_error *err) {
    dnnl_primitive_attr_t attr = NULL;
    dnnl_post_ops_t post_ops = NULL;
    dnnl_status_t s = dnnl_primitive_attr_create(&attr);
    if (s == dnnl_success) s = dnnl_post_ops_create(&post_ops);
    if (s == dnnl_success) s = dnnl_post_ops_append_sum(post_ops, 1.0f);
    if (s == dnnl_success) s = dnnl_primitive_attr_set_post_ops(attr, post_ops);
    lac_status status = lac_plan_check(plan, s, "sum of gradients", err);
    if (status == LAC_OK) status = reorder(plan, list, from, to, attr, err);
    dnnl_post_ops_destroy(post_ops);
    dnnl_primitive_attr_destroy(attr);
    return status;
}

lac_status lac_plan_as(lac_plan *plan, lac_call_list *list, dnnl_memory_t from,
                       const dnnl_memory_desc_t *wanted, dnnl_memory_t *out, lac_error *err) {
    if (dnnl_memory_desc_equal(lac_memory_layout(from), wanted)) {
        *out = from;
        return LAC_OK;
    }
    LAC_TRY(lac_plan_buffer(plan, wanted, out, err));
    return lac_plan_copy(plan, list, from, *out, err);
}

// ---- gradients ------------------------------------------------------------------------------------------

static lac_status own_grad(lac_plan *plan, lac_tensor *t, lac_error *err) {
    return t->grad ? LAC_OK : lac_plan_buffer(plan, &t->layout, &t->grad, err);
}

lac_status lac_plan_grad(lac_plan *plan, lac_tensor *in, const dnnl_memory_desc_t *wanted, dnnl_memory_t *out,
                         lac_error *err) {
    if (!wanted) wanted = &in->layout;
    if (in->n_grads > 0 || !dnnl_memory_desc_equal(wanted, &in->layout))
        return lac_plan_buffer(plan, wanted, out, err);
    LAC_TRY(own_grad(plan, in, err));
    *out = in->grad;
    return LAC_OK;
}

lac_status lac_plan_grad_done(lac_plan *plan, lac_tensor *in, dnnl_memory_t part, lac_error *err) {
    LAC_TRY(own_grad(plan, in, err));
    bool first = in->n_grads++ == 0;
    if (part == in->grad) return LAC_OK;
    return first ? lac_plan_copy(plan, &plan->backward, part, in->grad, err)
                 : lac_plan_accumulate(plan, &plan->backward, part, in->grad, err);
}

// ---- fusion and shapes ----------------------------------------------------------------------------------

const lac_node *lac_plan_fusible_relu(const lac_plan *plan, const lac_node *node) {
    const lac_graph *graph = plan->graph;
    int reader = -1;
    if (node->op != LAC_OP_BATCH_NORM || plan->config.keep_all || node->out == graph->output) return NULL;
    if (lac_graph_readers(graph, node->out, &reader, 1) != 1) return NULL;
    return graph->nodes[reader].op == LAC_OP_RELU ? &graph->nodes[reader] : NULL;
}

int lac_n_pieces(size_t n) {
    return (int)((n + LAC_PIECE - 1) / LAC_PIECE);
}

lac_status lac_infer_same(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err) {
    (void)err;
    *out = graph->values[node->in[0]].shape;
    return LAC_OK;
}

lac_status lac_infer_window(const lac_graph *graph, const lac_node *node, int64_t channels, lac_shape *out,
                            lac_error *err) {
    lac_shape x = graph->values[node->in[0]].shape;
    const lac_window *w = &node->attr.window;
    *out = (lac_shape){4, {x.dim[0], channels, 0, 0}};
    for (int a = 0; a < 2; a++) {
        out->dim[2 + a] = lac_window_out(w, a, x.dim[2 + a]);
        if (out->dim[2 + a] < 1)
            LAC_FAIL(
                err, LAC_E_SHAPE,
                "%s '%s': the window covers %d pixels in %s, the input with padding has %lld; use a larger "
                "image or more padding",
                lac_op_name(node->op), node->name, w->dilation[a] * (w->kernel[a] - 1) + 1, a ? "x" : "y",
                (long long)x.dim[2 + a] + w->pad[a] + w->pad[a + 2]);
    }
    return LAC_OK;
}

lac_status lac_need_dims(const lac_graph *graph, const lac_node *node, int n_dims, lac_error *err) {
    const lac_value *x = &graph->values[node->in[0]];
    char text[96];
    if (x->shape.n_dims == n_dims) return LAC_OK;
    LAC_FAIL(err, LAC_E_SHAPE, "%s '%s': input '%s' is %s, expected %d dimensions%s", lac_op_name(node->op),
             node->name, x->name, lac_shape_print(x->shape, text), n_dims,
             n_dims == 2 ? "; flatten it first" : "");
}
