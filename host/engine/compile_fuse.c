#include "plan.h"

// One step for each layer that computes, together with the table and the max pool that can ride in its drain.

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

/// The layer of a kind that alone reads a tensor; -1: none. The graph's output is read by the host, too.
static int only_reader(const lac_int_graph *graph, int tensor, lac_int_kind kind) {
    int reader = -1;
    if (tensor == graph->output || n_readers(graph, tensor, &reader) != 1) return -1;
    return graph->layers[reader].kind == kind ? reader : -1;
}

/// Drains requantise; what only moves codes on has no need to, but for a table.
static bool has_followers(const lac_int_layer *layer) {
    return !layer->raw && layer->kind != LAC_INT_MAX_POOL && layer->kind != LAC_INT_CONCAT;
}

static int table_after(const lac_int_graph *graph, const lac_int_layer *layer) {
    return layer->kind == LAC_INT_TABLE ? -1 : only_reader(graph, layer->out, LAC_INT_TABLE);
}

/// The max pool that can ride in the drain of a layer, behind its table; -1: none.
static int pool_after(const lac_int_graph *graph, const lac_int_layer *layer, int table) {
    int pool = only_reader(graph, table < 0 ? layer->out : graph->layers[table].out, LAC_INT_MAX_POOL);
    return pool >= 0 && rides_in_drain(&graph->layers[pool]) ? pool : -1;
}

static int fuse(lac_plan_step *step, const lac_int_graph *graph, int next, bool *fused) {
    fused[next] = true;
    step->out_tensor = graph->layers[next].out;
    return next;
}

/// In the drain, the table comes before the pool.
static void fuse_followers(const lac_plan *plan, lac_plan_step *step, bool *fused) {
    const lac_int_graph *graph = plan->graph;
    const lac_int_layer *layer = &graph->layers[step->layer];
    if (!has_followers(layer)) return;
    int table = table_after(graph, layer), pool = pool_after(graph, layer, table);
    if (table >= 0) step->table_layer = fuse(step, graph, table, fused);
    if (pool < 0 || (plan->part_last_pools && ends_in_one(graph, &graph->layers[pool]))) return;
    step->pool_layer = fuse(step, graph, pool, fused);
}

bool lac_has_last_pool(const lac_int_graph *graph) {
    for (int l = 0; l < graph->n_layers; l++) {
        const lac_int_layer *layer = &graph->layers[l];
        if (!has_followers(layer)) continue;
        int pool = pool_after(graph, layer, table_after(graph, layer));
        if (pool >= 0 && ends_in_one(graph, &graph->layers[pool])) return true;
    }
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
        *step = (lac_plan_step){.layer = l, .table_layer = -1, .pool_layer = -1, .out_tensor = layer->out};
        fuse_followers(plan, step, fused);
    }
    return LAC_OK;
}
