#include "geometry.h"

static void max_pool_geometry(const lac_int_layer *pool, int axis, lac_geometry *g) {
    int dilation = pool->window.kernel[axis] == 1 ? 1 : pool->window.dilation[axis];
    g->stride = dilation;
    g->pool = pool->window.kernel[axis];
    g->pool_stride = pool->window.stride[axis] / dilation;
    g->first = g->last = -pool->window.pad[axis];
}

lac_status lac_step_geometry(const lac_int_graph *graph, const lac_plan_step *step, int axis,
                             lac_geometry *out, lac_error *err) {
    const lac_int_layer *layer = &graph->layers[step->layer];
    const lac_window *w = &layer->window;
    lac_geometry g = {.in_size = lac_tensor_size(&graph->tensors[layer->in[0]], axis),
                      .out_size = lac_tensor_size(&graph->tensors[step->out_tensor], axis),
                      .stride = 1,
                      .pool = 1,
                      .pool_stride = 1};
    if (layer->kind == LAC_INT_MAX_POOL) {
        max_pool_geometry(layer, axis, &g);
        if (g.out_size > 1 && g.stride * g.pool_stride != w->stride[axis])
            LAC_FAIL(
                err, LAC_E_UNSUPPORTED,
                "max_pool '%s': stride %d is not a multiple of dilation %d; use a window without dilation",
                layer->name, w->stride[axis], g.stride);
    } else if (lac_int_kind_has_window(layer->kind)) {
        g.stride = w->stride[axis];
        g.first = -w->pad[axis];
        g.last = (w->kernel[axis] - 1) * w->dilation[axis] - w->pad[axis];
    }
    if (step->pool_layer >= 0) {
        g.pool = graph->layers[step->pool_layer].window.kernel[axis];
        g.pool_stride = graph->layers[step->pool_layer].window.stride[axis];
    }
    // Strides of a single pixel are never taken.
    if (g.out_size == 1) g.pool_stride = 1;
    if (g.out_size == 1 && g.pool == 1) g.stride = 1;
    *out = g;
    return LAC_OK;
}

int lac_geometry_out_tile(const lac_geometry *g, int in_tile) {
    // One pixel is in lane 0 at place 0 whatever the tile.
    if (g->out_size == 1) return 1;
    int down = g->stride * g->pool_stride;
    return in_tile % down == 0 ? in_tile / down : 0;
}

void lac_geometry_reach(const lac_geometry *g, int out_tile, int in_tile, int *before, int *after) {
    int last_pixel = (out_tile - 1) * g->pool_stride + g->pool - 1;
    int last_row = last_pixel * g->stride + g->last;
    *before = g->first < 0 ? -g->first : 0;
    *after = last_row >= in_tile ? last_row - in_tile + 1 : 0;
}

static bool covers(const lac_window *w, const lac_int_tensor *in) {
    for (int axis = 0; axis < 2; axis++)
        if (w->dilation[axis] != 1 || w->kernel[axis] - w->pad[axis] < lac_tensor_size(in, axis))
            return false;
    return true;
}

static bool stays_inside(const lac_window *w, const lac_int_tensor *in) {
    for (int axis = 0; axis < 2; axis++)
        if (w->pad[axis] || (w->kernel[axis] - 1) * w->dilation[axis] >= lac_tensor_size(in, axis))
            return false;
    return true;
}

lac_mapping lac_step_shape_mapping(const lac_int_graph *graph, int l) {
    const lac_int_layer *layer = &graph->layers[l];
    const lac_int_tensor *in = &graph->tensors[layer->in[0]], *out = &graph->tensors[layer->out];
    bool collapses = out->h == 1 && out->w == 1 && (in->h > 1 || in->w > 1);
    if (!collapses) return LAC_MAP_TILES;
    if (layer->kind == LAC_INT_AVG_POOL && covers(&layer->window, in)) return LAC_MAP_SUM;
    if ((layer->kind == LAC_INT_AVG_POOL || layer->kind == LAC_INT_CONV2D) &&
        stays_inside(&layer->window, in))
        return LAC_MAP_LANES;
    return LAC_MAP_TILES;
}
