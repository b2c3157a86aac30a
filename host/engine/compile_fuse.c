#include "plan.h"

// One step for each layer that computes, together with the max pool that can ride in its drain.

static int n_readers(const lac_int_graph *graph, int tensor, int *last_reader) {
    int n = 0;
    for (int l = 0; l < graph->n_layers; l++)
        for (int i = 0; i < graph->layers[l].n_in; i++)
            if (graph->layers[l].in[i] == tensor) {
                *last_reader = l;
                n++;
            }
    return n;
}

/// Windows that do not overlap need every result once; padding would let results that are not there win.
static bool rides_in_drain(const lac_int_layer *pool) {
    const lac_window *w = &pool->window;
    for (int axis = 0; axis < 2; axis++)
        if (w->kernel[axis] > w->stride[axis] || w->pad[axis] || w->pad[axis + 2] ||
            (w->dilation[axis] != 1 && w->kernel[axis] != 1))
            return false;
    return true;
}

/// A pool that leaves one row or column. In the drain its lane makes all pixels of the window itself, and
/// what they read must be within a neighbour's reach; a step of its own reads them where they are.
static bool ends_in_one(const lac_int_graph *graph, const lac_int_layer *pool) {
    const lac_int_tensor *in = &graph->tensors[pool->in[0]], *out = &graph->tensors[pool->out];
    return (out->h == 1 && in->h > 1) || (out->w == 1 && in->w > 1);
}

static bool fusible(const lac_int_graph *graph, const lac_int_layer *layer, int *pool) {
    if (layer->raw || layer->kind == LAC_INT_MAX_POOL || layer->out == graph->output) return false;
    return n_readers(graph, layer->out, pool) == 1 && graph->layers[*pool].kind == LAC_INT_MAX_POOL &&
           rides_in_drain(&graph->layers[*pool]);
}

bool lac_has_last_pool(const lac_int_graph *graph) {
    int pool;
    for (int l = 0; l < graph->n_layers; l++)
        if (graph->layers[l].kind != LAC_INT_CONCAT && fusible(graph, &graph->layers[l], &pool) &&
            ends_in_one(graph, &graph->layers[pool]))
            return true;
    return false;
}

lac_status lac_pass_fuse(lac_plan *plan, lac_error *err) {
    (void)err;
    const lac_int_graph *graph = plan->graph;
    bool *fused = LAC_NEW_ARRAY(plan->scratch, bool, graph->n_layers);
    plan->steps = LAC_NEW_ARRAY(plan->arena, lac_plan_step, graph->n_layers);
    for (int l = 0; l < graph->n_layers; l++) {
        const lac_int_layer *layer = &graph->layers[l];
        if (layer->kind == LAC_INT_CONCAT || fused[l]) continue;
        lac_plan_step *step = &plan->steps[plan->n_steps++];
        *step = (lac_plan_step){.layer = l, .pool_layer = -1, .out_tensor = layer->out};
        int pool = -1;
        if (!fusible(graph, layer, &pool)) continue;
        if (plan->part_last_pools && ends_in_one(graph, &graph->layers[pool])) continue;
        fused[pool] = true;
        step->pool_layer = pool;
        step->out_tensor = graph->layers[pool].out;
    }
    return LAC_OK;
}
