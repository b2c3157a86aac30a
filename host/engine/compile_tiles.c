#include "geometry.h"

#include <string.h>

// Tiles: one size for the input decides all others, since a step's tile follows from its input's. The two
// axes are independent. The smallest tile that works keeps the most lanes busy.

enum { LARGEST_TILE = 63 };

typedef struct axis_tiles {
    const lac_plan *plan;
    int axis, mesh;
    int *tile; ///< [tensor]
} axis_tiles;

static const char *along(const axis_tiles *a) {
    return a->axis ? "columns" : "rows";
}

static lac_status check_fit(const axis_tiles *a, int tensor, lac_error *err) {
    const lac_int_tensor *t = &a->plan->graph->tensors[tensor];
    int size = lac_tensor_size(t, a->axis), tile = a->tile[tensor];
    if (tile > LARGEST_TILE || (size + tile - 1) / tile > a->mesh)
        LAC_FAIL(err, LAC_E_CAPACITY,
                 "tensor '%s' has %d %s: a mesh of %d with tiles of at most %d holds %d; raise MESH_%c",
                 t->name, size, along(a), a->mesh, tile > LARGEST_TILE ? LARGEST_TILE : tile, a->mesh * tile,
                 a->axis ? 'X' : 'Y');
    return LAC_OK;
}

static lac_status check_reach(const axis_tiles *a, const lac_plan_step *step, const lac_geometry *g,
                              int in_tile, int out_tile, lac_error *err) {
    int before, after;
    lac_geometry_reach(g, out_tile, in_tile, &before, &after);
    int reach = before > after ? before : after;
    if (reach > in_tile)
        LAC_FAIL(
            err, LAC_E_CAPACITY,
            "layer '%s' reaches %d %s beyond a tile of %d, but a lane sees only its direct neighbors; use a "
            "smaller kernel or dilation, or a mesh with fewer lanes and larger tiles",
            a->plan->graph->layers[step->layer].name, reach, along(a), in_tile);
    return LAC_OK;
}

static lac_status tile_step(const axis_tiles *a, const lac_plan_step *step, lac_error *err) {
    const lac_int_graph *graph = a->plan->graph;
    const lac_int_layer *layer = &graph->layers[step->layer];
    lac_geometry g;
    LAC_TRY(lac_step_geometry(graph, step, a->axis, &g, err));
    int in_tile = a->tile[layer->in[0]], out_tile = lac_geometry_out_tile(&g, in_tile);
    bool tiles_are_one = layer->kind == LAC_INT_ADD ||
                         (layer->kind == LAC_INT_MUL && lac_int_factors_are_of_pixels(graph, layer));
    if (tiles_are_one && a->tile[layer->in[1]] != in_tile)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "%s '%s': its operands come in tiles of %d and %d %s",
                 lac_int_kind_name(layer->kind), layer->name, in_tile, a->tile[layer->in[1]], along(a));
    if (out_tile == 0)
        LAC_FAIL(err, LAC_E_CAPACITY, "layer '%s' takes every %dth of a tile of %d %s, which does not divide",
                 layer->name, g.stride * g.pool_stride, in_tile, along(a));
    a->tile[layer->out] = step->pool_layer < 0 ? out_tile : in_tile % g.stride == 0 ? in_tile / g.stride : 1;
    if (step->table_layer >= 0) a->tile[graph->layers[step->table_layer].out] = a->tile[layer->out];
    a->tile[step->out_tensor] = out_tile;
    LAC_TRY(check_fit(a, step->out_tensor, err));
    return step->mapping == LAC_MAP_TILES ? check_reach(a, step, &g, in_tile, out_tile, err) : LAC_OK;
}

static lac_status tile_concat(const axis_tiles *a, const lac_int_layer *layer, lac_error *err) {
    for (int i = 1; i < layer->n_in; i++)
        if (a->tile[layer->in[i]] != a->tile[layer->in[0]])
            LAC_FAIL(err, LAC_E_UNSUPPORTED, "concat '%s': its inputs come in tiles of %d and %d %s",
                     layer->name, a->tile[layer->in[0]], a->tile[layer->in[i]], along(a));
    a->tile[layer->out] = a->tile[layer->in[0]];
    return LAC_OK;
}

static lac_status try_tile(const axis_tiles *a, int tile, lac_error *err) {
    const lac_int_graph *graph = a->plan->graph;
    a->tile[graph->input] = lac_tensor_size(&graph->tensors[graph->input], a->axis) == 1 ? 1 : tile;
    LAC_TRY(check_fit(a, graph->input, err));
    int s = 0;
    for (int l = 0; l < graph->n_layers; l++) {
        if (graph->layers[l].kind == LAC_INT_CONCAT) LAC_TRY(tile_concat(a, &graph->layers[l], err));
        if (s < a->plan->n_steps && a->plan->steps[s].layer == l)
            LAC_TRY(tile_step(a, &a->plan->steps[s++], err));
    }
    return LAC_OK;
}

/// Of all the reasons against all tiles, the one of the largest is the one that no tile cures.
static lac_status tile_axis(const axis_tiles *a, lac_error *err) {
    lac_error last = {0};
    lac_status status = LAC_E_INTERNAL;
    int size = lac_tensor_size(&a->plan->graph->tensors[a->plan->graph->input], a->axis);
    int least = (size + a->mesh - 1) / a->mesh;
    for (int tile = least; status != LAC_OK; tile++) {
        lac_error why = {0};
        status = try_tile(a, tile, &why);
        // Indivisible tiles say the least: keep a reason of another kind.
        if (status != LAC_OK && (!last.text[0] || !strstr(why.text, "does not divide"))) last = why;
        if (status == LAC_OK) break;
        if (tile >= LARGEST_TILE) {
            if (err) *err = last;
            return last.status;
        }
    }
    return LAC_OK;
}

lac_status lac_pass_tiles(lac_plan *plan, lac_error *err) {
    int n = plan->graph->n_tensors;
    for (int s = 0; s < plan->n_steps; s++)
        plan->steps[s].mapping = lac_step_shape_mapping(plan->graph, plan->steps[s].layer);
    axis_tiles y = {plan, 0, lac_plan_rows(plan), LAC_NEW_ARRAY(plan->scratch, int, n)};
    axis_tiles x = {plan, 1, lac_plan_cols(plan), LAC_NEW_ARRAY(plan->scratch, int, n)};
    LAC_TRY(tile_axis(&y, err));
    LAC_TRY(tile_axis(&x, err));
    plan->layouts = LAC_NEW_ARRAY(plan->arena, lac_layout, n);
    for (int t = 0; t < n; t++)
        plan->layouts[t] = (lac_layout){.base = LAC_NOT_IN_MEMORY, .tile_h = y.tile[t], .tile_w = x.tile[t]};
    return LAC_OK;
}
