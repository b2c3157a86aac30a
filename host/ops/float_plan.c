#include "planner.h"

#include <assert.h>
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

static lac_status plan_forwards(lac_plan *plan, lac_error *err) {
    const lac_graph *graph = plan->graph;
    for (int i = 0; i < graph->n_nodes; i++) plan_standing(plan, &graph->nodes[i]);
    for (int i = 0; i < graph->n_nodes; i++) {
        if (plan->fused[i]) continue;
        const lac_node *node = plan->node = &graph->nodes[i];
        LAC_TRY(lac_op_row(node->op)->plan_forward(plan, node, &plan->states[i], err));
    }
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

static lac_status plan_backwards(lac_plan *plan, lac_error *err) {
    const lac_graph *graph = plan->graph;
    for (int i = graph->n_nodes - 1; i >= 0; i--) {
        const lac_node *node = plan->node = &graph->nodes[i];
        const lac_node *tail = plan->fused[i] ? NULL : lac_plan_fusible_relu(plan, node);
        int out = tail ? tail->out : node->out;
        if (plan->fused[i] || !any_wants_grad(plan, node) || plan->tensors[out].n_grads == 0) continue;
        LAC_TRY(lac_op_row(node->op)->plan_backward(plan, node, plan->states[i], err));
    }
    return LAC_OK;
}

static lac_status plan_all(lac_plan *plan, lac_error *err) {
    const lac_graph *graph = plan->graph;
    dnnl_status_t status = dnnl_engine_create(&plan->engine, dnnl_cpu, 0);
    if (status == dnnl_success)
        status = dnnl_stream_create(&plan->stream, plan->engine, dnnl_stream_default_flags);
    LAC_TRY(lac_plan_check(plan, status, "engine", err));
    for (int v = 0; v < graph->n_values; v++)
        if (graph->values[v].data) LAC_TRY(plan_constant(plan, v, err));
    LAC_TRY(plan_input(plan, err));
    LAC_TRY(plan_forwards(plan, err));
    LAC_TRY(plan_output(plan, err));
    if (plan->config.train) return plan_backwards(plan, err);
    return lac_plan_refresh(plan, err);
}

lac_status lac_plan_open(const lac_graph *graph, const lac_plan_config *config, lac_plan **out,
                         lac_error *err) {
    assert(config->batch > 0);
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to plan graph '%s'", graph->name);
    lac_plan *plan = LAC_NEW(arena, lac_plan);
    *plan = (lac_plan){.graph = graph, .config = *config, .arena = arena};
    plan->tensors = LAC_NEW_ARRAY(arena, lac_tensor, graph->n_values);
    plan->states = LAC_NEW_ARRAY(arena, void *, graph->n_nodes + 1);
    plan->fused = LAC_NEW_ARRAY(arena, bool, graph->n_nodes + 1);
    lac_status status = plan_all(plan, err);
    if (status != LAC_OK) {
        lac_plan_close(plan);
        return status;
    }
    *out = plan;
    return LAC_OK;
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

void lac_plan_close(lac_plan *plan) {
    if (!plan) return;
    for (int i = plan->n_owned - 1; i >= 0; i--) disown(&plan->owned[i]);
    if (plan->stream) dnnl_stream_destroy(plan->stream);
    if (plan->engine) dnnl_engine_destroy(plan->engine);
    lac_arena_close(plan->arena);
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

float *lac_plan_input(lac_plan *plan) {
    return lac_memory_data(plan->tensors[plan->graph->input].data);
}

const float *lac_plan_output(lac_plan *plan) {
    return lac_memory_data(plan->logits);
}

float *lac_plan_output_gradient(lac_plan *plan) {
    return lac_memory_data(plan->logits_grad);
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
    if (!t->data)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "value '%s' was fused into its reader; plan with keep_all to read it",
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
