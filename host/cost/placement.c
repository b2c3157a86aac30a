#include "placement.h"

enum { LARGEST_TILE = 63 };

static bool has_window(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_MAX_POOL || node->op == LAC_OP_AVG_POOL;
}

int64_t lac_pixels_of(const lac_graph *graph, int value, int axis) {
    lac_shape shape = graph->values[value].shape;
    return shape.n_dims == 4 ? shape.dim[2 + axis] : 1;
}

// How far a step reads past a tile of its input, of which a lane sees no more than its neighbours'.
static int reach_of(const lac_node *node, int axis, int in_tile) {
    const lac_window *w = &node->attr.window;
    int last = (w->kernel[axis] - 1) * w->dilation[axis] - w->pad[axis];
    int after = (in_tile / w->stride[axis] - 1) * w->stride[axis] + last - in_tile + 1;
    return after > w->pad[axis] ? after : w->pad[axis];
}

// Fills in the tiles of all values when the image's is `tile`; false when some stride does not divide.
static bool place(lac_placement *p, int axis, int tile) {
    const lac_graph *graph = p->graph;
    for (int v = 0; v < graph->n_values; v++) p->tile[axis][v] = 1;
    if (lac_pixels_of(graph, graph->input, axis) > 1) p->tile[axis][graph->input] = tile;
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        int in = p->tile[axis][node->in[0]], stride = has_window(node) ? node->attr.window.stride[axis] : 1;
        if (lac_pixels_of(graph, node->out, axis) == 1) continue;
        if (in % stride) return false;
        p->tile[axis][node->out] = in / stride;
        if (has_window(node) && reach_of(node, axis, in) > in) return false;
    }
    return true;
}

// The smallest tile of the image that the mesh holds and that all strides divide.
static void place_axis(lac_placement *p, int axis) {
    int mesh = p->mesh[axis],
        tile = (int)((lac_pixels_of(p->graph, p->graph->input, axis) + mesh - 1) / mesh);
    while (tile < LARGEST_TILE && !place(p, axis, tile)) tile++;
}

lac_placement lac_placement_of(const lac_graph *graph, int mesh_x, int mesh_y, lac_arena *arena) {
    lac_placement p = {
        graph,
        {mesh_y, mesh_x},
        {LAC_NEW_ARRAY(arena, int, graph->n_values), LAC_NEW_ARRAY(arena, int, graph->n_values)}};
    place_axis(&p, 0);
    place_axis(&p, 1);
    return p;
}
