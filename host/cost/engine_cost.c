#include "engine_cost.h"

#include "list_code.h"
#include "placement.h"
#include "step_clock.h"

// Steps, lists and times as the compiler has them (host/engine), from the float graph: the same clock, the
// same coding of lists, the same choice among formats.

enum { DEFAULT_SIDE = 7, DEFAULT_WEIGHT_BITS = 4, DEFAULT_LIST_WORDS = 2048 };
enum {
    LEAST_WEIGHT_BITS = 2,
    WIDEST_ENTRY = 16,
    MOST_FORMATS = 6,
    ADD_WEIGHT_BITS = 8,
    NORM_WEIGHT_BITS = 5
};

typedef enum list_order { BY_CHANNEL, BY_TAP, BY_LANE } list_order;

// A node's lists: its weights, or ones.
typedef struct step {
    lac_step_shape shape;
    const float *w; // [n_out][inputs][places]; NULL: as many ones a channel as there are taps
    int64_t inputs, places;
    int *taps; // places that have a weight anywhere
    bool one_group;
    int64_t *at_lane, span; // [list position] a weight, or -1, where a list entry names a pixel of a map
    int weight_bits;
} step;

typedef struct pricer {
    const lac_graph *graph;
    lac_placement place;
    lac_step_engine engine;
    lac_engine_clock clock;
    int weight_bits;
    int *pool_of; // [node] the max pool that its drain takes along, -1 for none
    lac_arena *scratch;
} pricer;

// ---- lists ----------------------------------------------------------------------------------------------

static void add_item(const lac_list_format *f, int64_t position, int64_t *at, lac_channel_work *work) {
    work->n_entries++;
    work->n_skips += (uint32_t)lac_list_skips(f, position - *at);
    *at = position;
}

static void measure_lanes(const step *s, const float *row, const lac_list_format *f, lac_channel_work *work) {
    int64_t at = -1;
    for (int64_t q = 0; q < s->span; q++)
        if (s->at_lane[q] >= 0 && row[s->at_lane[q]] != 0) add_item(f, q, &at, work);
}

static void measure_row(const step *s, const float *row, list_order order, const lac_list_format *f,
                        lac_channel_work *work) {
    int64_t n_taps = s->shape.n_taps, at = -1;
    for (int64_t q = 0; q < s->inputs * n_taps; q++) {
        int64_t i = order == BY_TAP ? q / n_taps : q % s->inputs;
        int64_t t = order == BY_TAP ? q % n_taps : q / s->inputs;
        if (!row || row[i * s->places + s->taps[t]] != 0) add_item(f, q, &at, work);
    }
}

static uint64_t measure(const step *s, list_order order, const lac_list_format *f, lac_channel_work *work) {
    uint64_t n_words = 0;
    for (int o = 0; o < s->shape.n_out; o++) {
        const float *row = s->w ? s->w + o * s->inputs * s->places : NULL;
        work[o] = (lac_channel_work){0};
        if (!row && o > 0)
            work[o] = work[0];
        else if (order == BY_LANE)
            measure_lanes(s, row, f, &work[o]);
        else
            measure_row(s, row, order, f, &work[o]);
        work[o].n_words = (uint32_t)lac_list_words(f, (uint64_t)work[o].n_entries + work[o].n_skips);
        n_words += work[o].n_words;
    }
    return n_words;
}

static int minor_of(const pricer *p, const step *s, list_order order) {
    return order == BY_LANE ? (int)p->engine.lanes : order == BY_TAP ? s->shape.n_taps : (int)s->inputs;
}

static bool is_legal(const step *s, list_order order) {
    if (s->at_lane || order == BY_LANE) return s->at_lane && order == BY_LANE;
    return order == BY_CHANNEL || s->one_group || s->inputs == 1;
}

// A list that list memory cannot hold comes again for every pixel.
static bool is_streamed(const pricer *p, const step *s, const lac_channel_work *work) {
    uint64_t longest = 0;
    for (int o = 0; o < s->shape.n_out; o++)
        if (work[o].n_entries > longest) longest = work[o].n_entries;
    return s->shape.visits > 1 && longest > p->engine.list_words;
}

// The step in the best of its formats.
static uint64_t price(pricer *p, const step *s) {
    lac_list_price prices[MOST_FORMATS];
    lac_engine_clock after[MOST_FORMATS];
    uint64_t before = p->clock.drained;
    lac_channel_work *work = LAC_NEW_ARRAY(p->scratch, lac_channel_work, s->shape.n_out);
    int n = 0;
    for (list_order order = BY_CHANNEL; order <= BY_LANE; order++)
        for (int bits = 4; bits <= WIDEST_ENTRY; bits *= 2) {
            const lac_list_format f = {bits, s->weight_bits, minor_of(p, s, order)};
            lac_step_cost cost;
            if (!is_legal(s, order) || bits <= s->weight_bits) continue;
            prices[n].n_words = measure(s, order, &f, work);
            after[n] = p->clock;
            lac_step_shape shape = s->shape;
            shape.streamed = is_streamed(p, s, work);
            lac_step_time(&p->engine, &shape, work, &after[n], p->scratch, &cost);
            prices[n++].cycles = cost.total;
        }
    p->clock = after[lac_list_best(prices, n)];
    return p->clock.drained - before;
}

// ---- steps ----------------------------------------------------------------------------------------------

static bool is_pool(const lac_node *node) {
    return node->op == LAC_OP_MAX_POOL || node->op == LAC_OP_AVG_POOL;
}

static bool computes(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR || node->op == LAC_OP_ADD ||
           node->op == LAC_OP_AVG_POOL || node->op == LAC_OP_GLOBAL_AVG_POOL;
}

// A batch norm that nothing right before it takes.
static bool is_first_norm(const lac_graph *graph, const lac_node *node) {
    if (node->op != LAC_OP_BATCH_NORM) return false;
    int maker = lac_graph_producer(graph, node->in[0]);
    return maker < 0 || !computes(&graph->nodes[maker]) || lac_graph_n_readers(graph, node->in[0]) != 1;
}

// Nodes that the compiler folds into the step before them.
static bool is_folded(const lac_graph *graph, const lac_node *node) {
    return (node->op == LAC_OP_BATCH_NORM && !is_first_norm(graph, node)) || node->op == LAC_OP_RELU ||
           node->op == LAC_OP_QUANT || node->op == LAC_OP_BIPOLAR_QUANT;
}

static bool makes_step(const lac_graph *graph, const lac_node *node) {
    return computes(node) || is_first_norm(graph, node);
}

static bool windows_are_apart(const lac_window *w) {
    for (int axis = 0; axis < 2; axis++)
        if (w->kernel[axis] > w->stride[axis] || w->pad[axis] || w->pad[axis + 2]) return false;
    return true;
}

// The drain takes a pool along whose windows do not overlap and have no padding.
static void find_pools(pricer *p) {
    const lac_graph *graph = p->graph;
    p->pool_of = LAC_NEW_ARRAY(p->scratch, int, graph->n_nodes);
    for (int n = 0; n < graph->n_nodes; n++) p->pool_of[n] = -1;
    for (int n = 0; n < graph->n_nodes; n++) {
        const lac_node *pool = &graph->nodes[n];
        if (pool->op != LAC_OP_MAX_POOL || !windows_are_apart(&pool->attr.window)) continue;
        int value = pool->in[0], maker = lac_graph_producer(graph, value);
        while (maker >= 0 && is_folded(graph, &graph->nodes[maker]) &&
               lac_graph_n_readers(graph, value) == 1) {
            value = graph->nodes[maker].in[0];
            maker = lac_graph_producer(graph, value);
        }
        if (maker >= 0 && makes_step(graph, &graph->nodes[maker]) && lac_graph_n_readers(graph, value) == 1)
            p->pool_of[maker] = n;
    }
}

static bool rides(const pricer *p, int pool) {
    for (int n = 0; n < p->graph->n_nodes; n++)
        if (p->pool_of[n] == pool) return true;
    return false;
}

static bool is_map(const lac_graph *graph, int value) {
    return lac_pixels_of(graph, value, 0) > 1 || lac_pixels_of(graph, value, 1) > 1;
}

static uint64_t tile_pixels(const pricer *p, int value) {
    return (uint64_t)p->place.tile[0][value] * (uint64_t)p->place.tile[1][value];
}

static uint64_t visits_of(const pricer *p, int n) {
    int pool = p->pool_of[n];
    if (pool < 0) return tile_pixels(p, p->graph->nodes[n].out);
    const lac_window *w = &p->graph->nodes[pool].attr.window;
    return tile_pixels(p, p->graph->nodes[pool].out) * (uint64_t)w->kernel[0] * (uint64_t)w->kernel[1];
}

// The logits, before they are only moved.
static bool is_raw(const lac_graph *graph, const lac_node *node) {
    int value = graph->output, maker = lac_graph_producer(graph, value);
    while (maker >= 0 && graph->nodes[maker].op == LAC_OP_FLATTEN) {
        value = graph->nodes[maker].in[0];
        maker = lac_graph_producer(graph, value);
    }
    return value == node->out;
}

static const lac_value *weights_of(const lac_graph *graph, const lac_node *node) {
    int value = node->in[1];
    while (!graph->values[value].data) value = graph->nodes[lac_graph_producer(graph, value)].in[0];
    return &graph->values[value];
}

// The map that a linear layer reads flattened, or its input itself.
static int source_of(const lac_graph *graph, int value) {
    for (;;) {
        int maker = lac_graph_producer(graph, value);
        if (maker < 0) return value;
        const lac_node *node = &graph->nodes[maker];
        if (node->op == LAC_OP_FLATTEN) return node->in[0];
        if (!is_folded(graph, node)) return value;
        value = node->in[0];
    }
}

static step step_of(const pricer *p, int n) {
    const lac_node *node = &p->graph->nodes[n];
    return (step){.shape = {.n_out = (int)p->graph->values[node->out].shape.dim[1],
                            .n_taps = 1,
                            .visits = visits_of(p, n),
                            .raw = is_raw(p->graph, node)},
                  .inputs = 1,
                  .places = 1,
                  .one_group = true,
                  .weight_bits = LEAST_WEIGHT_BITS};
}

static void find_taps(const pricer *p, step *s) {
    s->taps = LAC_NEW_ARRAY(p->scratch, int, s->places);
    s->shape.n_taps = 0;
    for (int k = 0; k < s->places; k++) {
        bool any = false;
        for (int64_t i = 0; i < s->shape.n_out * s->inputs && !any; i++) any = s->w[i * s->places + k] != 0;
        if (any) s->taps[s->shape.n_taps++] = k;
    }
    if (s->shape.n_taps == 0) s->shape.n_taps = 1;
}

// Where weight i of a channel is in a list that goes over a map word by word and lane by lane.
static int64_t lane_position(const pricer *p, int from, int64_t i) {
    const lac_placement *place = &p->place;
    int64_t h = lac_pixels_of(p->graph, from, 0), w = lac_pixels_of(p->graph, from, 1);
    int64_t tile_h = place->tile[0][from], tile_w = place->tile[1][from];
    int64_t c = i / (h * w), y = i / w % h, x = i % w;
    int64_t word = c * tile_h * tile_w + y % tile_h * tile_w + x % tile_w;
    return word * (int64_t)p->engine.lanes + y / tile_h * place->mesh[1] + x / tile_w;
}

static void find_lanes(const pricer *p, step *s, int from) {
    int64_t n = s->inputs * s->places;
    for (int64_t i = 0; i < n; i++) {
        int64_t position = lane_position(p, from, i);
        if (position >= s->span) s->span = position + 1;
    }
    s->at_lane = LAC_NEW_ARRAY(p->scratch, int64_t, s->span);
    for (int64_t q = 0; q < s->span; q++) s->at_lane[q] = -1;
    for (int64_t i = 0; i < n; i++) s->at_lane[lane_position(p, from, i)] = i;
}

static step layer_step(const pricer *p, int n) {
    const lac_graph *graph = p->graph;
    const lac_node *node = &graph->nodes[n];
    const lac_value *w = weights_of(graph, node);
    step s = step_of(p, n);
    bool linear = node->op == LAC_OP_LINEAR;
    int from = linear ? source_of(graph, node->in[0]) : node->in[0];
    s.w = w->data;
    s.inputs = w->shape.dim[1];
    s.places = lac_shape_count(w->shape) / w->shape.dim[0] / s.inputs;
    s.one_group = linear || node->attr.window.groups == 1;
    s.weight_bits = p->weight_bits > LEAST_WEIGHT_BITS ? p->weight_bits : LEAST_WEIGHT_BITS;
    if (linear && is_map(graph, from))
        find_lanes(p, &s, from);
    else
        find_taps(p, &s);
    s.shape.reduce = s.at_lane || (s.shape.raw && !is_map(graph, from) && s.shape.n_taps == 1);
    return s;
}

// Ones: an addition has two, a pool one for every place of its window.
static step ones_step(const pricer *p, int n, int n_ones) {
    step s = step_of(p, n);
    s.shape.n_taps = n_ones;
    s.one_group = false;
    return s;
}

static step pool_step(const pricer *p, int n) {
    const lac_node *node = &p->graph->nodes[n];
    bool whole = is_map(p->graph, node->in[0]) && !is_map(p->graph, node->out);
    const lac_window *w = &node->attr.window;
    if (node->op == LAC_OP_GLOBAL_AVG_POOL || (node->op == LAC_OP_AVG_POOL && whole)) {
        step s = ones_step(p, n, (int)tile_pixels(p, node->in[0])); // lanes sum their tiles side by side
        s.shape.reduce = true;
        return s;
    }
    if (node->op == LAC_OP_AVG_POOL) return ones_step(p, n, w->kernel[0] * w->kernel[1]);
    step s = ones_step(p, n, 1);
    s.shape.visits *= (uint64_t)w->kernel[0] * (uint64_t)w->kernel[1];
    return s;
}

static uint64_t node_cycles(pricer *p, int n) {
    const lac_node *node = &p->graph->nodes[n];
    step s;
    if (node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR) {
        s = layer_step(p, n);
    } else if (node->op == LAC_OP_ADD) {
        s = ones_step(p, n, 2);
        s.weight_bits = ADD_WEIGHT_BITS;
    } else if (is_first_norm(p->graph, node)) {
        s = ones_step(p, n, 1);
        s.weight_bits = NORM_WEIGHT_BITS;
    } else if (node->op == LAC_OP_GLOBAL_AVG_POOL || (is_pool(node) && !rides(p, n))) {
        s = pool_step(p, n);
    } else {
        return 0;
    }
    return price(p, &s);
}

// ---- the whole ------------------------------------------------------------------------------------------

static int or_default(int given, int otherwise) {
    return given ? given : otherwise;
}

static pricer make_pricer(const lac_graph *graph, const lac_cost_engine *e, lac_arena *scratch) {
    int x = or_default(e->mesh_x, DEFAULT_SIDE), y = or_default(e->mesh_y, DEFAULT_SIDE);
    int drain = or_default(e->drain, DEFAULT_SIDE);
    uint64_t lanes = (uint64_t)(x * y);
    pricer p = {.graph = graph,
                .place = lac_placement_of(graph, x, y, scratch),
                .engine = {.lanes = lanes,
                           .drain = (uint64_t)drain < lanes ? (uint64_t)drain : lanes,
                           .list_words = (uint64_t)or_default(e->list_words, DEFAULT_LIST_WORDS)},
                .weight_bits = or_default(e->weight_bits, DEFAULT_WEIGHT_BITS),
                .scratch = scratch};
    find_pools(&p);
    return p;
}

uint64_t lac_engine_cycles(const lac_graph *graph, const lac_cost_engine *engine, uint64_t *by_node) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) return 0;
    pricer p = make_pricer(graph, engine, scratch);
    uint64_t total = 0;
    for (int n = 0; n < graph->n_nodes; n++) {
        uint64_t cycles = node_cycles(&p, n);
        if (by_node) by_node[n] = cycles;
        total += cycles;
    }
    lac_arena_close(scratch);
    return total;
}
