#define _GNU_SOURCE // RTLD_DEFAULT
#include "planner.h"

#include <assert.h>
#include <dlfcn.h>
#include <string.h>

static bool depends_on_input(const lac_plan *plan, const lac_node *node) {
    for (int i = 0; i < node->n_in; i++)
        if (!plan->tensors[node->in[i]].constant) return true;
    return false;
}

static bool any_wants_grad(const lac_plan *plan, const lac_node *node) {
    for (int i = 0; i < node->n_in; i++)
        if (plan->tensors[node->in[i]].wants_grad) return true;
    return false;
}

static lac_status plan_constant(lac_plan *plan, int v, lac_error *err) {
    const lac_value *value = &plan->graph->values[v];
    lac_tensor *t = &plan->tensors[v];
    t->shape = value->shape;
    t->layout = lac_layout_plain(value->shape);
    t->constant = true;
    t->wants_grad = plan->config.train && value->trainable;
    LAC_TRY(lac_plan_view(plan, &t->layout, value->data, &t->data, err));
    return t->wants_grad ? lac_plan_buffer(plan, &t->layout, &t->grad, err) : LAC_OK;
}

static lac_status plan_input(lac_plan *plan, lac_error *err) {
    lac_tensor *t = &plan->tensors[plan->graph->input];
    t->shape = plan->graph->values[plan->graph->input].shape;
    t->shape.dim[0] = plan->config.batch;
    t->layout = lac_layout_plain(t->shape);
    t->wants_grad = plan->config.input_gradient;
    LAC_TRY(lac_plan_buffer(plan, &t->layout, &t->data, err));
    return t->wants_grad ? lac_plan_buffer(plan, &t->layout, &t->grad, err) : LAC_OK;
}

static void plan_standing(lac_plan *plan, const lac_node *node) {
    lac_tensor *t = &plan->tensors[node->out];
    t->shape = plan->graph->values[node->out].shape;
    t->constant = !depends_on_input(plan, node);
    if (!t->constant) t->shape.dim[0] = plan->config.batch;
    t->wants_grad = any_wants_grad(plan, node);
}

// ---- ops that know float32 alone ------------------------------------------------------------------------

static void swap_shadow(lac_plan *plan, int v) {
    lac_tensor real = plan->tensors[v];
    plan->tensors[v] = *plan->shadows[v];
    *plan->shadows[v] = real;
}

static bool needs_shadow(const lac_plan *plan, const lac_node *node, int i) {
    const lac_tensor *t = &plan->tensors[node->in[i]];
    if (lac_op_row(node->op)->any_type || t->layout.data_type == dnnl_f32) return false;
    for (int j = 0; j < i; j++)
        if (node->in[j] == node->in[i]) return false; // is there already
    return true;
}

static lac_status make_shadow(lac_plan *plan, int v, lac_error *err) {
    if (plan->shadows[v]) return LAC_OK;
    const lac_tensor *t = &plan->tensors[v];
    lac_tensor *shadow = LAC_NEW(plan->arena, lac_tensor);
    *shadow = *t;
    shadow->layout = lac_layout_typed(&t->layout, dnnl_f32);
    LAC_TRY(lac_plan_as(plan, &plan->forward, t->data, &shadow->layout, &shadow->data, err));
    plan->shadows[v] = shadow;
    return LAC_OK;
}

static lac_status enter_shadow(lac_plan *plan, int v, lac_error *err) {
    LAC_TRY(make_shadow(plan, v, err));
    plan->shadows[v]->grad = NULL;
    plan->shadows[v]->n_grads = 0;
    swap_shadow(plan, v);
    return LAC_OK;
}

// Plans one node, forward or backward, with its inputs in float32 where it cannot take them as they are.
static lac_status plan_node(lac_plan *plan, int n, bool backward, lac_error *err) {
    const lac_node *node = plan->node = &plan->graph->nodes[n];
    int *swapped = LAC_NEW_ARRAY(plan->arena, int, node->n_in + 1), n_swapped = 0;
    for (int i = 0; i < node->n_in; i++)
        if (needs_shadow(plan, node, i)) swapped[n_swapped++] = node->in[i];
    for (int i = 0; i < n_swapped; i++) LAC_TRY(enter_shadow(plan, swapped[i], err));
    const lac_op_desc *row = lac_op_row(node->op);
    lac_status status = backward ? row->plan_backward(plan, node, plan->states[n], err)
                                 : row->plan_forward(plan, node, &plan->states[n], err);
    for (int i = 0; i < n_swapped; i++) {
        swap_shadow(plan, swapped[i]);
        const lac_tensor *shadow = plan->shadows[swapped[i]];
        if (status == LAC_OK && shadow->n_grads > 0)
            status = lac_plan_grad_done(plan, &plan->tensors[swapped[i]], shadow->grad, err);
    }
    return status;
}

static lac_status plan_forwards(lac_plan *plan, lac_error *err) {
    const lac_graph *graph = plan->graph;
    for (int i = 0; i < graph->n_nodes; i++) plan_standing(plan, &graph->nodes[i]);
    for (int i = 0; i < graph->n_nodes; i++)
        if (!plan->fused[i]) LAC_TRY(plan_node(plan, i, false, err));
    return LAC_OK;
}

// The logits leave, and their gradient enters, row-major.
static lac_status plan_output(lac_plan *plan, lac_error *err) {
    lac_tensor *t = &plan->tensors[plan->graph->output];
    dnnl_memory_desc_t plain = lac_layout_plain(t->shape);
    LAC_TRY(lac_plan_as(plan, &plan->forward, t->data, &plain, &plan->logits, err));
    if (!plan->config.train) return LAC_OK;
    LAC_TRY(lac_plan_buffer(plan, &plain, &plan->logits_grad, err));
    return t->wants_grad ? lac_plan_grad_done(plan, t, plan->logits_grad, err) : LAC_OK;
}

static lac_status plan_tap(lac_plan *plan, int i, lac_error *err) {
    int v = plan->config.taps[i];
    lac_tensor *t = &plan->tensors[v];
    if (!t->data || t->constant)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "value '%s' is no activation that can be read; choose another",
                 plan->graph->values[v].name);
    dnnl_memory_desc_t plain = lac_layout_plain(t->shape);
    LAC_TRY(lac_plan_as(plan, &plan->forward, t->data, &plain, &plan->taps[i], err));
    if (!plan->config.train || !t->wants_grad) return LAC_OK;
    LAC_TRY(lac_plan_buffer(plan, &plain, &plan->taps_grad[i], err));
    return lac_plan_grad_done(plan, t, plan->taps_grad[i], err);
}

static lac_status plan_taps(lac_plan *plan, lac_error *err) {
    plan->taps = LAC_NEW_ARRAY(plan->arena, dnnl_memory_t, plan->config.n_taps + 1);
    plan->taps_grad = LAC_NEW_ARRAY(plan->arena, dnnl_memory_t, plan->config.n_taps + 1);
    for (int i = 0; i < plan->config.n_taps; i++) LAC_TRY(plan_tap(plan, i, err));
    return LAC_OK;
}

static lac_status plan_backwards(lac_plan *plan, lac_error *err) {
    const lac_graph *graph = plan->graph;
    plan->in_backward = true;
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const lac_node *node = &graph->nodes[i];
        const lac_node *tail = plan->fused[i] ? NULL : lac_plan_fusible_relu(plan, node);
        int out = tail ? tail->out : node->out;
        if (plan->fused[i] || !any_wants_grad(plan, node) || plan->tensors[out].n_grads == 0) continue;
        LAC_TRY(plan_node(plan, i, true, err));
    }
    return LAC_OK;
}

static lac_status plan_all(lac_plan *plan, lac_error *err) {
    const lac_graph *graph = plan->graph;
    plan->node = NULL;
    plan->tensors = LAC_NEW_ARRAY(plan->arena, lac_tensor, graph->n_values);
    plan->shadows = LAC_NEW_ARRAY(plan->arena, lac_tensor *, graph->n_values);
    plan->states = LAC_NEW_ARRAY(plan->arena, void *, graph->n_nodes + 1);
    plan->fused = LAC_NEW_ARRAY(plan->arena, bool, graph->n_nodes + 1);
    for (int v = 0; v < graph->n_values; v++)
        if (graph->values[v].data) LAC_TRY(plan_constant(plan, v, err));
    LAC_TRY(plan_input(plan, err));
    LAC_TRY(plan_forwards(plan, err));
    plan->node = NULL;
    LAC_TRY(plan_output(plan, err));
    LAC_TRY(plan_taps(plan, err));
    return plan->config.train ? plan_backwards(plan, err) : LAC_OK;
}

static void disown(const lac_plan_owned *o) {
    switch (o->kind) {
    case LAC_OWN_MEMORY:
        dnnl_memory_destroy(o->handle);
        break;
    case LAC_OWN_PRIMITIVE:
        dnnl_primitive_destroy(o->handle);
        break;
    case LAC_OWN_PRIMITIVE_DESC:
        dnnl_primitive_desc_destroy(o->handle);
        break;
    }
}

// Frees what a planning made, but not the engine.
static void forget(lac_plan *plan) {
    for (int i = plan->n_owned - 1; i >= 0; i--) disown(&plan->owned[i]);
    *plan = (lac_plan){.graph = plan->graph,
                       .config = plan->config,
                       .arena = plan->arena,
                       .engine = plan->engine,
                       .stream = plan->stream,
                       .memory = plan->memory};
}

static bool has_convolution(dnnl_engine_t engine, dnnl_data_type_t type) {
    dnnl_memory_desc_t map, weights;
    dnnl_convolution_desc_t op;
    const dnnl_dims_t map_dims = {1, 16, 8, 8}, weight_dims = {16, 16, 3, 3}, ones = {1, 1}, none = {0, 0};
    dnnl_primitive_desc_t desc = NULL;
    bool has =
        dnnl_memory_desc_init_by_tag(&map, 4, map_dims, type, dnnl_format_tag_any) == dnnl_success &&
        dnnl_memory_desc_init_by_tag(&weights, 4, weight_dims, type, dnnl_format_tag_any) == dnnl_success &&
        dnnl_dilated_convolution_forward_desc_init(&op, dnnl_forward_training, dnnl_convolution_direct, &map,
                                                   &weights, NULL, &map, ones, none, ones,
                                                   ones) == dnnl_success &&
        dnnl_primitive_desc_create(&desc, &op, NULL, engine, NULL) == dnnl_success;
    if (desc) dnnl_primitive_desc_destroy(desc);
    return has;
}

bool lac_precision_usable(lac_precision precision) {
    dnnl_engine_t engine;
    if (precision == LAC_F32) return true;
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) return false;
    bool usable = has_convolution(engine, dnnl_bf16);
    dnnl_engine_destroy(engine);
    return usable;
}

// Plans for the lifetimes of buffers, and again for good.
static lac_status plan_twice(lac_plan *plan, lac_error *err) {
    dnnl_status_t status = dnnl_engine_create(&plan->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl_stream_create(&plan->stream, plan->engine, dnnl_stream_default_flags);
    LAC_TRY(lac_plan_check(plan, status, "engine", err));
    LAC_TRY(lac_plan_memory_reserve(plan, err));
    LAC_TRY(plan_all(plan, err));
    lac_plan_memory_measure(plan);
    forget(plan);
    LAC_TRY(lac_plan_memory_commit(plan, err));
    LAC_TRY(plan_all(plan, err));
    return plan->config.train ? LAC_OK : lac_plan_refresh(plan, err);
}

lac_status lac_plan_open(const lac_graph *graph, const lac_plan_config *config, lac_plan **out,
                         lac_error *err) {
    assert(config->batch > 0);
    if (!lac_precision_usable(config->precision))
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "graph '%s' in bf16: oneDNN has no bfloat16 convolutions for this processor (on x86 they need "
            "AVX-512); use precision f32",
            graph->name);
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to plan graph '%s'", graph->name);
    lac_plan *plan = LAC_NEW(arena, lac_plan);
    *plan = (lac_plan){.graph = graph, .config = *config, .arena = arena};
    lac_status status = plan_twice(plan, err);
    if (status != LAC_OK) {
        lac_plan_close(plan);
        return status;
    }
    *out = plan;
    return LAC_OK;
}

void lac_plan_close(lac_plan *plan) {
    if (!plan) return;
    forget(plan);
    lac_plan_memory_release(&plan->memory);
    if (plan->stream) dnnl_stream_destroy(plan->stream);
    if (plan->engine) dnnl_engine_destroy(plan->engine);
    lac_arena_close(plan->arena);
}

size_t lac_plan_memory_bytes(const lac_plan *plan) {
    return plan->memory.top_bytes;
}

static lac_status run(lac_plan *plan, const lac_call_list *list, lac_error *err) {
    for (int i = 0; i < list->n; i++) {
        const lac_call *call = &list->calls[i];
        if (call->run) {
            call->run(call->ctx);
            continue;
        }
        dnnl_status_t status =
            dnnl_primitive_execute(call->primitive, plan->stream, call->n_args, call->args);
        plan->node = call->node;
        if (status != dnnl_success) return lac_plan_check(plan, status, "execution", err);
    }
    return lac_plan_check(plan, dnnl_stream_wait(plan->stream), "execution", err);
}

lac_status lac_plan_refresh(lac_plan *plan, lac_error *err) {
    return run(plan, &plan->refresh, err);
}

lac_status lac_plan_forward(lac_plan *plan, lac_error *err) {
    if (plan->config.train) LAC_TRY(run(plan, &plan->refresh, err));
    return run(plan, &plan->forward, err);
}

lac_status lac_plan_backward(lac_plan *plan, lac_error *err) {
    assert(plan->config.train);
    return run(plan, &plan->backward, err);
}

// Asked of the OpenMP that libdnnl runs on, whichever compiler this is.
void lac_plan_threads(int n) {
    void (*set)(int) = NULL;
    *(void **)&set = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (set) set(n);
}

float *lac_plan_input(lac_plan *plan) {
    return lac_memory_data(plan->tensors[plan->graph->input].data);
}

const float *lac_plan_output(lac_plan *plan) {
    return lac_memory_data(plan->logits);
}

float *lac_plan_output_gradient(lac_plan *plan) {
    return lac_memory_data(plan->logits_grad);
}

const float *lac_plan_tap(const lac_plan *plan, int i) {
    return lac_memory_data(plan->taps[i]);
}

float *lac_plan_tap_gradient(lac_plan *plan, int i) {
    return plan->taps_grad[i] ? lac_memory_data(plan->taps_grad[i]) : NULL;
}

const float *lac_plan_gradient(const lac_plan *plan, int value) {
    const lac_tensor *t = &plan->tensors[value];
    return t->n_grads > 0 ? lac_memory_data(t->grad) : NULL;
}

bool lac_plan_is_activation(const lac_plan *plan, int value) {
    return plan->tensors[value].shape.n_dims > 0 && !plan->tensors[value].constant;
}

lac_status lac_plan_read(lac_plan *plan, int value, float *out, lac_error *err) {
    const lac_tensor *t = &plan->tensors[value];
    bool kept = plan->config.keep_all || value == plan->graph->input || value == plan->graph->output;
    if (!t->data || !kept)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "value '%s' is not kept after a run; plan with keep_all to read it",
                 plan->graph->values[value].name);
    dnnl_memory_desc_t plain = lac_layout_plain(t->shape);
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_memory_t target = NULL;
    dnnl_status_t s =
        dnnl_reorder_primitive_desc_create(&desc, &t->layout, plan->engine, &plain, plan->engine, NULL);
    if (s == dnnl_success) s = dnnl_primitive_create(&reorder, desc);
    if (s == dnnl_success) s = dnnl_memory_create(&target, &plain, plan->engine, out);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, t->data}, {DNNL_ARG_TO, target}};
    if (s == dnnl_success) s = dnnl_primitive_execute(reorder, plan->stream, 2, args);
    if (s == dnnl_success) s = dnnl_stream_wait(plan->stream);
    dnnl_memory_destroy(target);
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(desc);
    return lac_plan_check(plan, s, "reading a value", err);
}

void lac_plan_kernels(const lac_plan *plan, void (*visit)(void *ctx, const char *node, const char *kernel),
                      void *ctx) {
    const lac_call_list *lists[] = {&plan->refresh, &plan->forward, &plan->backward};
    for (int l = 0; l < 3; l++)
        for (int i = 0; i < lists[l]->n; i++) {
            const lac_call *call = &lists[l]->calls[i];
            const_dnnl_primitive_desc_t desc = NULL;
            const char *kernel = "lacuna";
            if (call->primitive) dnnl_primitive_get_primitive_desc(call->primitive, &desc);
            if (desc) dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &kernel);
            visit(ctx, call->node ? call->node->name : "output", kernel);
        }
}
