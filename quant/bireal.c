#include "op.h"
#include "prepare.h"
#include "ptq.h"
#include "qat.h"
#include "sites.h"

#include <string.h>

// ---- shortcuts --------------------------------------------------------------------------------------------

static int only_reader(const lac_graph *graph, int value) {
    int reader = -1;
    return value != graph->output && lac_graph_readers(graph, value, &reader, 1) == 1 ? reader : -1;
}

// Does `value` hold `part`, but for what ReLUs cut off and additions add?
static bool contains(const lac_graph *graph, int value, int part) {
    if (value == part) return true;
    int n = lac_graph_producer(graph, value);
    if (n < 0) return false;
    const lac_node *node = &graph->nodes[n];
    if (node->op == LAC_OP_RELU) return contains(graph, node->in[0], part);
    return node->op == LAC_OP_ADD &&
           (contains(graph, node->in[0], part) || contains(graph, node->in[1], part));
}

static void redirect(lac_graph *graph, int from, int to, int but) {
    for (int n = 0; n < graph->n_nodes; n++)
        for (int i = 0; n != but && i < graph->nodes[n].n_in; i++)
            if (graph->nodes[n].in[i] == from) graph->nodes[n].in[i] = to;
}

static const char *named(const lac_graph *graph, const char *layer, const char *suffix) {
    return lac_arena_printf(graph->arena, "%s.%s", layer, suffix);
}

// Where the layer's result is added to something that its input holds already, the input takes that one's
// place; else it is added.
static void add_shortcut(lac_graph *graph, const char *layer, int made, int x) {
    int reader = only_reader(graph, made);
    if (reader >= 0 && graph->nodes[reader].op == LAC_OP_ADD) {
        lac_node *add = &graph->nodes[reader];
        int other = add->in[0] == made ? 1 : 0;
        if (contains(graph, x, add->in[other])) {
            add->in[other] = x;
            return;
        }
    }
    int sum =
        lac_graph_add_node(graph, LAC_OP_ADD, named(graph, layer, "shortcut"), (int[]){made, x}, 2, NULL);
    redirect(graph, made, sum, graph->n_nodes - 1);
}

static int constant(lac_graph *graph, const char *layer, const char *what, int64_t n, float x, bool learns) {
    int v = lac_graph_add_constant(graph, named(graph, layer, what), LAC_SHAPE(n), NULL, learns);
    for (int64_t i = 0; i < n; i++) graph->values[v].data[i] = x;
    return v;
}

// The threshold of a sign: a batch norm, behind which half of the values are not negative.
static int center(lac_graph *graph, const char *layer, int x) {
    int64_t n = graph->values[x].shape.dim[1];
    const lac_attr attr = {.epsilon = 1e-5f, .momentum = 0.9f};
    const int in[] = {x, constant(graph, layer, "sign.gamma", n, 1, true),
                      constant(graph, layer, "sign.beta", n, 0, true),
                      constant(graph, layer, "sign.mean", n, 0, false),
                      constant(graph, layer, "sign.variance", n, 1, false)};
    int norm = lac_graph_add_node(graph, LAC_OP_BATCH_NORM, named(graph, layer, "sign.norm"), in, 5, &attr);
    return lac_graph_add_node(graph, LAC_OP_RELU, named(graph, layer, "sign.relu"), &norm, 1, NULL);
}

static bool keeps_shape(const lac_graph *graph, const lac_node *node) {
    return node->op == LAC_OP_CONV2D && node->in[0] != graph->input && node->out != graph->output &&
           lac_shape_equal(graph->values[node->in[0]].shape, graph->values[node->out].shape);
}

static void give_shortcut(lac_graph *graph, const char *layer) {
    int n = lac_node_named(graph, layer), x = graph->nodes[n].in[0], made = graph->nodes[n].out;
    int reader = only_reader(graph, made);
    if (reader >= 0 && graph->nodes[reader].op == LAC_OP_BATCH_NORM) made = graph->nodes[reader].out;
    if (made == graph->output) return;
    add_shortcut(graph, layer, made, x);
    int centered = center(graph, layer, x);
    graph->nodes[lac_node_named(graph, layer)].in[0] = centered;
}

lac_status lac_bireal_shortcuts(lac_graph *graph, const lac_quant_config *config, int *n_given,
                                lac_error *err) {
    LAC_TRY(lac_graph_tidy(graph, err));
    LAC_TRY(lac_graph_infer(graph, err));
    lac_quant_sites sites;
    LAC_TRY(lac_quant_sites_plan(graph, config, graph->arena, &sites, err));
    const char **layers = LAC_NEW_ARRAY(graph->arena, const char *, graph->n_nodes + 1);
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        if (sites.weight_bits[i] == 1 && keeps_shape(graph, &graph->nodes[i]))
            layers[n++] = graph->nodes[i].name;
    for (int i = 0; i < n; i++) give_shortcut(graph, layers[i]);
    *n_given = n;
    LAC_TRY(lac_graph_tidy(graph, err));
    LAC_TRY(lac_graph_infer(graph, err));
    return lac_graph_check(graph, err);
}

// ---- the method -------------------------------------------------------------------------------------------

static void start(lac_graph *graph, int index, const lac_quant_config *config) {
    lac_node *node = &graph->nodes[index];
    lac_binary_start(graph, index, config);
    if (node->op != LAC_OP_QUANT || node->attr.quant.bits > 1 || lac_quantizes_weights(graph, index)) return;
    lac_quant_rule *rule = LAC_NEW(graph->arena, lac_quant_rule);
    rule->slope = LAC_SLOPE_SIGN;
    node->attr.quant.rule = rule;
}

static lac_status run(lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                      const lac_talk *talk, lac_error *err) {
    enum { NORM_IMAGES = 4096 };
    const lac_qat_method method = {.name = "bireal", .start = start, .settle = lac_binary_settle};
    lac_quant_config binary = *config;
    int n = 0;
    binary.weight_bits = 1;
    if (config->distill > 0 && !config->teacher) binary.teacher = lac_graph_copy(graph, graph->arena);
    LAC_TRY(lac_bireal_shortcuts(graph, &binary, &n, err));
    if (n == 0)
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "graph '%s': no convolution of binary weights keeps its input's shape, so that none can have a "
            "shortcut; take xnor",
            graph->name);
    lac_talk_note(talk, "gave %d convolutions of binary weights a shortcut", n);
    LAC_TRY(lac_reestimate_norms(graph, data, NORM_IMAGES, talk, err));
    return lac_qat_run(graph, data, &binary, &method, talk, err);
}

const lac_quantizer_desc lac_quantizer_bireal = {
    .name = "bireal",
    .help =
        "training: xnor with a shortcut of 8 bits around every binary convolution, and the sign's slope a "
        "triangle",
    .source = "Liu et al., Bi-Real Net, ECCV 2018, sections 3.2 and 3.3",
    .trains = true,
    .run = run,
};
