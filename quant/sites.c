#include "sites.h"
#include "chain.h"

#include <string.h>

enum { INPUT_BITS = 8, OPERAND_BITS = 8, FACTOR_BITS = 7 };

typedef struct planning {
    const lac_graph *graph;
    const lac_quant_config *config;
    lac_quant_sites *sites;
    int *site_of;      // per value: the site whose codes it holds, -1 for none
    bool *nonnegative; // per value
    bool *is_taken;    // per node: a batch norm of the chain before it
    bool *feeds_operand, *feeds_other,
        *feeds_last;                 // per site; operand: of sums, factors, tables, batch norms
    bool *is_multiplied, *is_factor; // per site: has no zero point; is the second operand
    int *asked;                      // per site: most bits that the layers it feeds ask for, 0: none
    int first, last;                 // nodes with weights
    lac_error *err;
} planning;

static bool has_weights(lac_op op) {
    return op == LAC_OP_CONV2D || op == LAC_OP_CONV_TRANSPOSE || op == LAC_OP_LINEAR;
}

static const lac_layer_widths *widths_of(const lac_quant_config *c, const char *layer) {
    for (int i = 0; i < c->n_layers; i++)
        if (strcmp(c->layers[i].layer, layer) == 0) return &c->layers[i];
    return NULL;
}

static int only_reader(const lac_graph *graph, int value) {
    int reader = -1;
    return value != graph->output && lac_graph_readers(graph, value, &reader, 1) == 1 ? reader : -1;
}

static bool has_negative_factor(const lac_graph *graph, const lac_node *norm) {
    const lac_value *gamma = &graph->values[norm->in[1]];
    for (int64_t i = 0; gamma->data && i < lac_shape_count(gamma->shape); i++)
        if (gamma->data[i] < 0) return true;
    return false;
}

// A batch norm belongs to the layer right before it, unless it must negate sums that have no weights.
static bool takes_norm(const lac_graph *graph, const lac_node *start, int value, const lac_node *next) {
    return next->op == LAC_OP_BATCH_NORM && value == start->out && start->op != LAC_OP_BATCH_NORM &&
           (has_weights(start->op) || !has_negative_factor(graph, next));
}

// The last value of the chain that starts at a node. A max pool is left outside, unless a ReLU follows it.
static int chain_end(planning *p, int node) {
    const lac_graph *graph = p->graph;
    int value = graph->nodes[node].out;
    for (;;) {
        int reader = only_reader(graph, value);
        if (reader < 0) return value;
        const lac_node *next = &graph->nodes[reader];
        int after = next->op == LAC_OP_MAX_POOL ? only_reader(graph, next->out) : -1;
        bool norm = takes_norm(graph, &graph->nodes[node], value, next);
        if (norm) p->is_taken[reader] = true;
        if (norm || next->op == LAC_OP_RELU)
            value = next->out;
        else if (after >= 0 && graph->nodes[after].op == LAC_OP_RELU)
            value = graph->nodes[after].out;
        else
            return value;
    }
}

static bool is_output(const lac_graph *graph, int value) {
    for (;;) {
        if (value == graph->output) return true;
        int reader = only_reader(graph, value);
        if (reader < 0 || graph->nodes[reader].op != LAC_OP_FLATTEN) return false;
        value = graph->nodes[reader].out;
    }
}

static void add_site(planning *p, int value, bool is_input) {
    lac_quant_sites *sites = p->sites;
    p->site_of[value] = sites->n;
    sites->site[sites->n] = (lac_quant_site){.value = value, .family = sites->n, .is_input = is_input};
    sites->n++;
}

static int leader(const lac_quant_sites *sites, int site) {
    while (sites->site[site].family != site) site = sites->site[site].family;
    return site;
}

// ---- one walk in topological order ---------------------------------------------------------------------

static void note_sign(planning *p, const lac_node *node) {
    bool all = true;
    switch (node->op) {
    case LAC_OP_RELU:
    case LAC_OP_SIGMOID:
    case LAC_OP_HARD_SIGMOID:
        break;
    case LAC_OP_MAX_POOL:
    case LAC_OP_AVG_POOL:
    case LAC_OP_GLOBAL_AVG_POOL:
    case LAC_OP_GLOBAL_MAX_POOL:
    case LAC_OP_CHANNEL_MEAN:
    case LAC_OP_CHANNEL_MAX:
    case LAC_OP_FLATTEN:
    case LAC_OP_SLICE:
    case LAC_OP_CHANNEL_SHUFFLE:
    case LAC_OP_UPSAMPLE:
    case LAC_OP_DEPTH_TO_SPACE:
    case LAC_OP_PAD:
    case LAC_OP_ADD:
    case LAC_OP_MUL:
    case LAC_OP_CONCAT:
        for (int i = 0; i < node->n_in; i++) all = all && p->nonnegative[node->in[i]];
        break;
    default:
        all = false;
    }
    p->nonnegative[node->out] = all;
}

static void note_reader(planning *p, int index) {
    const lac_node *node = &p->graph->nodes[index];
    int site = p->site_of[node->in[0]];
    bool is_operand = node->op == LAC_OP_ADD || node->op == LAC_OP_MUL || lac_is_activation(node->op);
    if (is_operand || node->op == LAC_OP_BATCH_NORM) {
        for (int i = 0; i < (is_operand ? node->n_in : 1); i++)
            if (p->site_of[node->in[i]] >= 0) p->feeds_operand[p->site_of[node->in[i]]] = true;
        for (int i = 0; i < 2 && node->op == LAC_OP_MUL; i++) {
            if (p->site_of[node->in[i]] < 0) continue;
            p->is_multiplied[p->site_of[node->in[i]]] = true;
            if (i == 1) p->is_factor[p->site_of[node->in[i]]] = true;
        }
    } else if (site >= 0 && lac_chain_starts(node->op)) {
        const lac_layer_widths *own = widths_of(p->config, node->name);
        p->feeds_other[site] = true;
        if (index == p->last) p->feeds_last[site] = true;
        if (own && own->acts > p->asked[site]) p->asked[site] = own->acts;
    }
}

static lac_status join_concat(planning *p, const lac_node *node) {
    lac_quant_sites *sites = p->sites;
    for (int i = 0; i < node->n_in; i++) {
        int site = p->site_of[node->in[i]];
        if (site < 0 || sites->site[site].is_input)
            LAC_FAIL(p->err, LAC_E_UNSUPPORTED,
                     "concat '%s': operand '%s' %s; put a convolution before the concat", node->name,
                     p->graph->values[node->in[i]].name,
                     site < 0 ? "has no quantizer that it could share" : "is the graph's input");
        int a = leader(sites, p->site_of[node->in[0]]), b = leader(sites, site);
        sites->site[a < b ? b : a].family = a < b ? a : b;
    }
    p->site_of[node->out] = p->site_of[node->in[0]];
    return LAC_OK;
}

static lac_status visit(planning *p, int index) {
    const lac_graph *graph = p->graph;
    const lac_node *node = &graph->nodes[index];
    if (node->op == LAC_OP_QUANT || node->op == LAC_OP_BIPOLAR_QUANT)
        LAC_FAIL(p->err, LAC_E_UNSUPPORTED,
                 "%s '%s': the model is quantized already; quantize its float model", lac_op_name(node->op),
                 node->name);
    note_sign(p, node);
    if (p->is_taken[index]) return LAC_OK;
    note_reader(p, index);
    if (lac_chain_starts(node->op)) {
        int end = chain_end(p, index);
        if (!is_output(graph, end)) add_site(p, end, false);
        return LAC_OK;
    }
    if (lac_is_activation(node->op)) {
        add_site(p, node->out, false);
        return LAC_OK;
    }
    if (node->op == LAC_OP_CONCAT) return join_concat(p, node);
    if (lac_passes_codes(node->op) && p->site_of[node->out] < 0)
        p->site_of[node->out] = p->site_of[node->in[0]];
    return LAC_OK;
}

// ---- widths --------------------------------------------------------------------------------------------

static int site_bits(const planning *p, int site) {
    const lac_quant_config *c = p->config;
    const lac_quant_site *s = &p->sites->site[site];
    int bits = c->act_bits;
    if (p->feeds_last[site] && c->last_bits) bits = c->last_bits;
    if (p->asked[site]) bits = p->asked[site];
    if (p->feeds_operand[site] && !p->feeds_other[site]) bits = OPERAND_BITS;
    if (p->is_factor[site] && !s->is_signed && bits > FACTOR_BITS) bits = FACTOR_BITS; // a signed weight
    if (bits == 1 && s->is_signed) bits = 2; // one bit has no code for zero and both signs
    return s->is_input ? INPUT_BITS : bits;
}

static void set_types(planning *p) {
    lac_quant_sites *sites = p->sites;
    for (int i = 0; i < sites->n; i++)
        sites->site[i].is_signed = !sites->site[i].is_input && !p->nonnegative[sites->site[i].value];
    for (int i = 0; i < sites->n; i++) sites->site[i].bits = site_bits(p, i);
    for (int i = 0; i < sites->n; i++) {
        lac_quant_site *lead = &sites->site[leader(sites, i)], *s = &sites->site[i];
        if (s->bits > lead->bits) lead->bits = s->bits;
        if (s->is_signed) lead->is_signed = true;
    }
    for (int i = 0; i < sites->n; i++) {
        lac_quant_site *s = &sites->site[i];
        s->family = leader(sites, i);
        s->is_signed = sites->site[s->family].is_signed;
        s->bits = sites->site[s->family].bits == 1 && s->is_signed ? 2 : sites->site[s->family].bits;
    }
    for (int i = 0; i < sites->n; i++)
        if (p->is_multiplied[i]) p->is_multiplied[leader(sites, i)] = true;
    for (int i = 0; p->config->asymmetric && i < sites->n; i++) {
        lac_quant_site *s = &sites->site[i];
        if (p->is_multiplied[leader(sites, i)]) continue;
        s->is_asymmetric = s->is_signed;
        s->is_signed = false;
    }
}

static void set_weight_bits(planning *p) {
    const lac_quant_config *c = p->config;
    for (int n = 0; n < p->graph->n_nodes; n++) {
        if (!has_weights(p->graph->nodes[n].op)) continue;
        int bits = c->ternary ? 2 : c->weight_bits;
        if (n == p->first && c->first_bits) bits = c->first_bits;
        if (n == p->last && c->last_bits) bits = c->last_bits;
        const lac_layer_widths *own = widths_of(c, p->graph->nodes[n].name);
        if (own && own->weights) bits = own->weights;
        p->sites->weight_bits[n] = bits;
    }
}

static lac_status check_widths(const lac_quant_config *c, lac_error *err) {
    const struct {
        const char *name;
        int bits, least;
    } widths[] = {{"weights", c->ternary ? 2 : c->weight_bits, 1},
                  {"acts", c->act_bits, 1},
                  {"first", c->first_bits, 0},
                  {"last", c->last_bits, 0}};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (widths[i].bits < widths[i].least || widths[i].bits > 8)
            LAC_FAIL(err, LAC_E_USAGE, "%s: %d bits, supported are 1 to 8", widths[i].name, widths[i].bits);
    return LAC_OK;
}

static lac_status check_layers(const lac_graph *graph, const lac_quant_config *c, lac_error *err) {
    for (int i = 0; i < c->n_layers; i++) {
        const lac_layer_widths *l = &c->layers[i];
        bool found = false;
        for (int n = 0; n < graph->n_nodes && !found; n++)
            found = has_weights(graph->nodes[n].op) && strcmp(graph->nodes[n].name, l->layer) == 0;
        if (!found)
            LAC_FAIL(
                err, LAC_E_USAGE,
                "layer '%s' has widths of its own, but graph '%s' has no convolution or linear layer of that "
                "name; `lacuna info` lists them",
                l->layer, graph->name);
        if (l->weights < 0 || l->weights > 8 || l->acts < 0 || l->acts > 8)
            LAC_FAIL(err, LAC_E_USAGE,
                     "layer '%s': %d bits for weights and %d for activations, supported are 1 to 8", l->layer,
                     l->weights, l->acts);
    }
    return LAC_OK;
}

lac_status lac_quant_sites_plan(const lac_graph *graph, const lac_quant_config *config, lac_arena *arena,
                                lac_quant_sites *out, lac_error *err) {
    LAC_TRY(check_widths(config, err));
    LAC_TRY(check_layers(graph, config, err));
    int n_sites = graph->n_nodes + 1;
    lac_quant_sites sites = {.site = LAC_NEW_ARRAY(arena, lac_quant_site, n_sites),
                             .weight_bits = LAC_NEW_ARRAY(arena, int, graph->n_nodes),
                             .weight_range = config->weight_range,
                             .percentile = config->percentile,
                             .per_tensor = config->per_tensor,
                             .power_of_two = config->power_of_two};
    planning p = {.graph = graph,
                  .config = config,
                  .sites = &sites,
                  .site_of = LAC_NEW_ARRAY(arena, int, graph->n_values),
                  .nonnegative = LAC_NEW_ARRAY(arena, bool, graph->n_values),
                  .is_taken = LAC_NEW_ARRAY(arena, bool, graph->n_nodes),
                  .feeds_operand = LAC_NEW_ARRAY(arena, bool, n_sites),
                  .is_multiplied = LAC_NEW_ARRAY(arena, bool, n_sites),
                  .is_factor = LAC_NEW_ARRAY(arena, bool, n_sites),
                  .feeds_other = LAC_NEW_ARRAY(arena, bool, n_sites),
                  .feeds_last = LAC_NEW_ARRAY(arena, bool, n_sites),
                  .asked = LAC_NEW_ARRAY(arena, int, n_sites),
                  .first = -1,
                  .last = -1,
                  .err = err};
    for (int v = 0; v < graph->n_values; v++) p.site_of[v] = -1;
    for (int n = 0; n < graph->n_nodes; n++) {
        if (!has_weights(graph->nodes[n].op)) continue;
        if (p.first < 0) p.first = n;
        p.last = n;
    }
    add_site(&p, graph->input, true);
    for (int n = 0; n < graph->n_nodes; n++) LAC_TRY(visit(&p, n));
    set_types(&p);
    set_weight_bits(&p);
    *out = sites;
    return LAC_OK;
}
