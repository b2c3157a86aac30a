#include "engine_cost.h"

#include "list_cost.h"

// Lengths of the engine's pipelines, as docs/engine.md lists them.
enum { PIPELINE = 9 + 6 + 1, SUM_CYCLES = 2, LARGEST_TILE = 63, DEFAULT_SIDE = 7, DEFAULT_WEIGHT_BITS = 4 };

static int or_default(int given) {
    return given ? given : DEFAULT_SIDE;
}

static int mesh_of(const lac_cost_engine *e, int axis) {
    return or_default(axis ? e->mesh_x : e->mesh_y);
}

static uint64_t groups_of(const lac_cost_engine *e) {
    int lanes = or_default(e->mesh_x) * or_default(e->mesh_y), drain = or_default(e->drain);
    return (uint64_t)(lanes > drain ? lanes / drain : 1);
}

static bool has_window(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_MAX_POOL || node->op == LAC_OP_AVG_POOL;
}

static int64_t pixels_of(const lac_graph *graph, int value, int axis) {
    lac_shape shape = graph->values[value].shape;
    return shape.n_dims == 4 ? shape.dim[2 + axis] : 1;
}

// ---- tiles ----------------------------------------------------------------------------------------------

// A graph on an engine: tile of every value, by axis.
typedef struct placement {
    const lac_graph *graph;
    const lac_cost_engine *engine;
    int *tile[2];
} placement;

// How far a step reads past a tile of its input, of which a lane sees no more than its neighbours'.
static int reach_of(const lac_node *node, int axis, int in_tile) {
    const lac_window *w = &node->attr.window;
    int last = (w->kernel[axis] - 1) * w->dilation[axis] - w->pad[axis];
    int after = (in_tile / w->stride[axis] - 1) * w->stride[axis] + last - in_tile + 1;
    return after > w->pad[axis] ? after : w->pad[axis];
}

// Fills in the tiles of all values when the image's is `tile`; false when some stride does not divide.
static bool place(placement *p, int axis, int tile) {
    const lac_graph *graph = p->graph;
    for (int v = 0; v < graph->n_values; v++) p->tile[axis][v] = 1;
    if (pixels_of(graph, graph->input, axis) > 1) p->tile[axis][graph->input] = tile;
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *node = &graph->nodes[n];
        int in = p->tile[axis][node->in[0]], stride = has_window(node) ? node->attr.window.stride[axis] : 1;
        if (pixels_of(graph, node->out, axis) == 1) continue;
        if (in % stride) return false;
        p->tile[axis][node->out] = in / stride;
        if (has_window(node) && reach_of(node, axis, in) > in) return false;
    }
    return true;
}

// The smallest tile of the image that the mesh holds and that all strides divide.
static void place_axis(placement *p, int axis) {
    int mesh = mesh_of(p->engine, axis),
        tile = (int)((pixels_of(p->graph, p->graph->input, axis) + mesh - 1) / mesh);
    while (tile < LARGEST_TILE && !place(p, axis, tile)) tile++;
}

// Pixels of a value in one lane's tile.
static uint64_t visits_of(const placement *p, int value) {
    return (uint64_t)p->tile[0][value] * (uint64_t)p->tile[1][value];
}

// ---- nodes ----------------------------------------------------------------------------------------------

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static const lac_value *weights_of(const lac_graph *graph, const lac_node *node) {
    int value = node->in[1];
    while (!graph->values[value].data) value = graph->nodes[lac_graph_producer(graph, value)].in[0];
    return &graph->values[value];
}

static uint64_t layer_cycles(const placement *p, const lac_node *node) {
    const lac_value *w = weights_of(p->graph, node);
    int64_t n_out = w->shape.dim[0], each = lac_shape_count(w->shape) / n_out;
    uint64_t visits = visits_of(p, node->out), pace = groups_of(p->engine), sum = 0;
    for (int64_t o = 0; o < n_out; o++) {
        uint64_t n = 0;
        for (int64_t i = 0; i < each; i++) n += w->data[o * each + i] != 0.0f;
        sum += visits * larger(n, pace);
    }
    int64_t places = each / w->shape.dim[1];
    int weight_bits = p->engine->weight_bits ? p->engine->weight_bits : DEFAULT_WEIGHT_BITS;
    lac_list_cost list = lac_list_cost_of(w->data, n_out, w->shape.dim[1], places, weight_bits);
    // Over a map, a fully connected layer's list counts lanes as well as channels, with wider gaps than here.
    uint64_t decoding = node->op == LAC_OP_LINEAR ? list.slots : list.least_cycles;
    return larger(sum, decoding) + groups_of(p->engine) + PIPELINE;
}

static uint64_t channel_cycles(const placement *p, const lac_node *node, uint64_t entries) {
    uint64_t channels = (uint64_t)p->graph->values[node->out].shape.dim[1];
    return channels * visits_of(p, node->out) * larger(entries, groups_of(p->engine)) + groups_of(p->engine) +
           PIPELINE;
}

// Lanes sum their tiles side by side.
static uint64_t whole_map_cycles(const placement *p, const lac_node *node) {
    uint64_t channels = (uint64_t)p->graph->values[node->out].shape.dim[1];
    uint64_t tile = visits_of(p, node->in[0]);
    return channels * larger(tile, groups_of(p->engine)) + groups_of(p->engine) + PIPELINE + SUM_CYCLES;
}

// The drain takes a pool along whose windows do not overlap and have no padding.
static bool rides_in_drain(const lac_graph *graph, const lac_node *pool) {
    const lac_window *w = &pool->attr.window;
    for (int axis = 0; axis < 2; axis++)
        if (w->kernel[axis] > w->stride[axis] || w->pad[axis] || w->pad[axis + 2]) return false;
    return lac_graph_n_readers(graph, pool->in[0]) == 1 && pool->in[0] != graph->input;
}

static uint64_t pool_cycles(const placement *p, const lac_node *node) {
    const lac_window *w = &node->attr.window;
    uint64_t area = (uint64_t)w->kernel[0] * (uint64_t)w->kernel[1];
    bool whole = pixels_of(p->graph, node->out, 0) == 1 && pixels_of(p->graph, node->out, 1) == 1;
    if (node->op == LAC_OP_AVG_POOL) return whole ? whole_map_cycles(p, node) : channel_cycles(p, node, area);
    if (rides_in_drain(p->graph, node)) return 0;
    return area * channel_cycles(p, node, 1);
}

static uint64_t node_cycles(const placement *p, const lac_node *node) {
    switch (node->op) {
    case LAC_OP_CONV2D:
    case LAC_OP_LINEAR:
        return layer_cycles(p, node);
    case LAC_OP_ADD:
        return channel_cycles(p, node, 2);
    case LAC_OP_MAX_POOL:
    case LAC_OP_AVG_POOL:
        return pool_cycles(p, node);
    case LAC_OP_GLOBAL_AVG_POOL:
        return whole_map_cycles(p, node);
    default:
        return 0;
    }
}

uint64_t lac_engine_cycles(const lac_graph *graph, const lac_cost_engine *engine, uint64_t *by_node) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) return 0;
    placement p = {
        graph,
        engine,
        {LAC_NEW_ARRAY(scratch, int, graph->n_values), LAC_NEW_ARRAY(scratch, int, graph->n_values)}};
    place_axis(&p, 0);
    place_axis(&p, 1);
    uint64_t total = 0;
    for (int n = 0; n < graph->n_nodes; n++) {
        uint64_t cycles = node_cycles(&p, &graph->nodes[n]);
        if (by_node) by_node[n] = cycles;
        total += cycles;
    }
    lac_arena_close(scratch);
    return total;
}
