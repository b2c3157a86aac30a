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

dnnl_memory_desc_t lac_layout_typed(const dnnl_memory_desc_t *layout, dnnl_data_type_t type) {
    dnnl_memory_desc_t typed = *layout;
    typed.data_type = type;
    return typed;
}

dnnl_memory_desc_t lac_layout_activation(const lac_plan *plan, lac_shape shape) {
    dnnl_memory_desc_t any = lac_layout_any(shape);
    return plan->config.precision == LAC_BF16 ? lac_layout_typed(&any, dnnl_bf16) : any;
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
    return lac_plan_view(plan, layout, lac_plan_memory_take(plan, dnnl_memory_desc_get_size(layout)), out,
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
    return lac_plan_describe_with(plan, op_desc, NULL, hint, out, err);
}

lac_status lac_plan_describe_with(lac_plan *plan, const void *op_desc, const_dnnl_primitive_attr_t attr,
                                  const_dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out,
                                  lac_error *err) {
    LAC_DNNL(plan, dnnl_primitive_desc_create(out, op_desc, attr, plan->engine, hint), err);
    own(plan, *out, LAC_OWN_PRIMITIVE_DESC);
    return LAC_OK;
}

bool lac_plan_is_slow(const_dnnl_primitive_desc_t desc) {
    const char *kernel = "";
    dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, (void *)&kernel);
    return strncmp(kernel, "ref", 3) == 0;
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

// A second contribution to a gradient that others have too: the sum goes where the contribution is.
static lac_status add_shared(lac_plan *plan, lac_tensor *in, dnnl_memory_t part, lac_error *err) {
    dnnl_memory_t sum = part;
    if (!dnnl_memory_desc_equal(lac_memory_layout(part), &in->layout)) {
        LAC_TRY(lac_plan_buffer(plan, &in->layout, &sum, err));
        LAC_TRY(lac_plan_copy(plan, &plan->backward, part, sum, err));
    }
    LAC_TRY(lac_plan_accumulate(plan, &plan->backward, in->grad, sum, err));
    in->grad = sum;
    in->grad_shared = false;
    return LAC_OK;
}

lac_status lac_plan_grad_done(lac_plan *plan, lac_tensor *in, dnnl_memory_t part, lac_error *err) {
    LAC_TRY(own_grad(plan, in, err));
    bool first = in->n_grads++ == 0;
    if (part == in->grad) return LAC_OK;
    if (in->grad_shared) return add_shared(plan, in, part, err);
    return first ? lac_plan_copy(plan, &plan->backward, part, in->grad, err)
                 : lac_plan_accumulate(plan, &plan->backward, part, in->grad, err);
}

// Only what is not read from outside may live in another tensor's buffer.
static bool may_share(const lac_plan *plan, const lac_tensor *in, dnnl_memory_t grad) {
    return !in->grad && !in->constant && in != &plan->tensors[plan->graph->input] &&
           dnnl_memory_desc_equal(lac_memory_layout(grad), &in->layout);
}

lac_status lac_plan_grad_pass(lac_plan *plan, lac_tensor *in, dnnl_memory_t grad, lac_error *err) {
    if (may_share(plan, in, grad)) {
        in->grad = grad;
        in->grad_shared = true;
        in->n_grads++;
        return LAC_OK;
    }
    if (!in->grad_shared) return lac_plan_grad_done(plan, in, grad, err);
    dnnl_memory_t part = NULL; // both are others' too
    LAC_TRY(lac_plan_buffer(plan, &in->layout, &part, err));
    LAC_TRY(lac_plan_copy(plan, &plan->backward, grad, part, err));
    return lac_plan_grad_done(plan, in, part, err);
}

lac_status lac_plan_weights_grad(lac_plan *plan, dnnl_primitive_desc_t desc, dnnl_memory_t src,
                                 dnnl_memory_t grad, lac_tensor *b, dnnl_memory_t *part, lac_error *err) {
    dnnl_memory_t b_part = NULL;
    lac_call_list *list = &plan->backward;
    LAC_TRY(lac_plan_as(plan, list, src, lac_plan_chosen(desc, dnnl_query_src_md), &src, err));
    LAC_TRY(lac_plan_as(plan, list, grad, lac_plan_chosen(desc, dnnl_query_diff_dst_md), &grad, err));
    LAC_TRY(lac_plan_buffer(plan, lac_plan_chosen(desc, dnnl_query_diff_weights_md), part, err));
    if (b) LAC_TRY(lac_plan_grad(plan, b, NULL, &b_part, err));
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, src},
                              {DNNL_ARG_DIFF_DST, grad},
                              {DNNL_ARG_DIFF_WEIGHTS, *part},
                              {DNNL_ARG_DIFF_BIAS, b_part}};
    LAC_TRY(lac_plan_call(plan, list, desc, args, b ? 4 : 3, err));
    return b ? lac_plan_grad_done(plan, b, b_part, err) : LAC_OK;
}

lac_status lac_plan_plain_ends(lac_plan *plan, lac_tensor *x, lac_tensor *y, dnnl_memory_t *x_plain,
                               lac_error *err) {
    dnnl_memory_desc_t in = lac_layout_plain(x->shape), out = lac_layout_plain(y->shape);
    LAC_TRY(lac_plan_as(plan, &plan->forward, x->data, &in, x_plain, err));
    return lac_plan_set_out(plan, y, &out, err);
}

// ---- fusion and shapes ----------------------------------------------------------------------------------

static bool does_relu(lac_op op) {
    return op == LAC_OP_BATCH_NORM || op == LAC_OP_ADD || op == LAC_OP_CONV2D;
}

bool lac_plan_is_tap(const lac_plan *plan, int value) {
    for (int i = 0; i < plan->config.n_taps; i++)
        if (plan->config.taps[i] == value) return true;
    return false;
}

const lac_node *lac_plan_fusible_relu(const lac_plan *plan, const lac_node *node) {
    const lac_graph *graph = plan->graph;
    int reader = -1;
    if (!does_relu(node->op) || plan->config.keep_all || node->out == graph->output) return NULL;
    if (lac_plan_is_tap(plan, node->out)) return NULL;
    if (lac_graph_readers(graph, node->out, &reader, 1) != 1) return NULL;
    return graph->nodes[reader].op == LAC_OP_RELU ? &graph->nodes[reader] : NULL;
}

lac_tensor *lac_plan_final_out(lac_plan *plan, const lac_node *node, const lac_node *relu) {
    if (relu) plan->fused[relu - plan->graph->nodes] = true;
    return lac_plan_out(plan, relu ? relu : node);
}

lac_status lac_plan_relu_attr(lac_plan *plan, const lac_node *relu, dnnl_primitive_attr_t *out,
                              lac_error *err) {
    dnnl_post_ops_t post_ops = NULL;
    *out = NULL;
    if (!relu) return LAC_OK;
    dnnl_status_t s = dnnl_primitive_attr_create(out);
    if (s == dnnl_success) s = dnnl_post_ops_create(&post_ops);
    if (s == dnnl_success) s = dnnl_post_ops_append_eltwise(post_ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
    if (s == dnnl_success) s = dnnl_primitive_attr_set_post_ops(*out, post_ops);
    dnnl_post_ops_destroy(post_ops);
    return lac_plan_check(plan, s, "ReLU after it", err);
}

lac_status lac_plan_relu_back(lac_plan *plan, lac_tensor *y, dnnl_memory_t *out, lac_error *err) {
    dnnl_eltwise_desc_t forward, backward;
    dnnl_primitive_desc_t hint = NULL, pd = NULL;
    LAC_DNNL(plan,
             dnnl_eltwise_forward_desc_init(&forward, dnnl_forward_training,
                                            dnnl_eltwise_relu_use_dst_for_bwd, &y->layout, 0.0f, 0.0f),
             err);
    LAC_TRY(lac_plan_describe(plan, &forward, NULL, &hint, err));
    LAC_DNNL(plan,
             dnnl_eltwise_backward_desc_init(&backward, dnnl_eltwise_relu_use_dst_for_bwd, &y->layout,
                                             &y->layout, 0.0f, 0.0f),
             err);
    LAC_TRY(lac_plan_describe(plan, &backward, hint, &pd, err));
    *out = y->grad;
    if (y->grad_shared) LAC_TRY(lac_plan_buffer(plan, &y->layout, out, err));
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_DST, y->data}, {DNNL_ARG_DIFF_DST, y->grad}, {DNNL_ARG_DIFF_SRC, *out}};
    return LAC_CALL(plan, &plan->backward, pd, args, err);
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
