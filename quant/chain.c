#include "chain.h"
#include "rearrange.h"

bool lac_chain_starts(lac_op op) {
    return op == LAC_OP_CONV2D || op == LAC_OP_CONV_TRANSPOSE || op == LAC_OP_LINEAR || op == LAC_OP_ADD ||
           op == LAC_OP_MUL || op == LAC_OP_AVG_POOL || op == LAC_OP_GLOBAL_AVG_POOL ||
           op == LAC_OP_CHANNEL_MEAN || op == LAC_OP_BATCH_NORM;
}

bool lac_passes_codes(lac_op op) {
    return op == LAC_OP_MAX_POOL || op == LAC_OP_GLOBAL_MAX_POOL || op == LAC_OP_CHANNEL_MAX ||
           op == LAC_OP_FLATTEN || lac_op_rearranges(op);
}

bool lac_is_activation(lac_op op) {
    return op == LAC_OP_SIGMOID || op == LAC_OP_TANH || op == LAC_OP_HARD_SIGMOID ||
           op == LAC_OP_HARD_SWISH || op == LAC_OP_SILU || op == LAC_OP_GELU;
}

// A max pool before a ReLU or a quantizer gives what it gives after: both are monotone. Batch norm is not
// when a gamma is negative, and a bias after ReLU is no bias of the accumulator.
static lac_status take_batch_norm(const lac_graph *graph, lac_chain *chain, int index, lac_error *err) {
    const char *name = graph->nodes[index].name;
    if (chain->batch_norm >= 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "batch_norm '%s' follows batch_norm '%s' without a convolution between; merge them", name,
                 graph->nodes[chain->batch_norm].name);
    if (chain->relu || chain->n_pools > 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "batch_norm '%s' follows %s; place it directly after the convolution", name,
                 chain->relu ? "a relu" : "a max pool");
    chain->batch_norm = index;
    return LAC_OK;
}

static lac_status take_pool(const lac_graph *graph, lac_chain *chain, int index, lac_error *err) {
    if (chain->n_pools == LAC_CHAIN_MAX_POOLS)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "max_pool '%s': more than %d max pools before a quantizer; quantize after the first",
                 graph->nodes[index].name, LAC_CHAIN_MAX_POOLS);
    chain->pool[chain->n_pools++] = index;
    return LAC_OK;
}

static lac_status take(const lac_graph *graph, lac_chain *chain, int index, lac_error *err) {
    const lac_node *node = &graph->nodes[index], *start = &graph->nodes[chain->node];
    switch (node->op) {
    case LAC_OP_BATCH_NORM:
        return take_batch_norm(graph, chain, index, err);
    case LAC_OP_RELU:
        chain->relu = true;
        return LAC_OK;
    case LAC_OP_MAX_POOL:
        return take_pool(graph, chain, index, err);
    case LAC_OP_FLATTEN:
        return LAC_OK;
    default:
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "%s '%s' reads '%s' of %s '%s' in float; put a quantizer between them (`lacuna quantize` does)",
            lac_op_name(node->op), node->name, graph->values[chain->end].name, lac_op_name(start->op),
            start->name);
    }
}

static lac_status finish_raw(const lac_graph *graph, const lac_chain *chain, lac_error *err) {
    if (chain->relu || chain->n_pools > 0)
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "graph output '%s' passes %s after %s '%s'; the last layer gives raw sums: end the graph there",
            graph->values[chain->end].name, chain->relu ? "a relu" : "a max pool",
            lac_op_name(graph->nodes[chain->node].op), graph->nodes[chain->node].name);
    if (lac_graph_n_readers(graph, chain->end) > 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "graph output '%s' is also read inside the graph; let the output be read by nothing",
                 graph->values[chain->end].name);
    return LAC_OK;
}

lac_status lac_chain_match(const lac_graph *graph, int index, lac_chain *out, lac_error *err) {
    bool is_norm = graph->nodes[index].op == LAC_OP_BATCH_NORM;
    lac_chain chain = {
        .node = index, .batch_norm = is_norm ? index : -1, .quant = -1, .end = graph->nodes[index].out};
    while (chain.end != graph->output) {
        int reader = -1, n = lac_graph_readers(graph, chain.end, &reader, 1);
        if (n != 1)
            LAC_FAIL(err, LAC_E_UNSUPPORTED,
                     "'%s' of %s '%s' has %d readers before its quantizer, must have 1; put the quantizer "
                     "before the branch",
                     graph->values[chain.end].name, lac_op_name(graph->nodes[index].op),
                     graph->nodes[index].name, n);
        lac_op op = graph->nodes[reader].op;
        if (op == LAC_OP_QUANT || op == LAC_OP_BIPOLAR_QUANT) {
            chain.quant = reader;
            chain.end = graph->nodes[reader].out;
            *out = chain;
            return LAC_OK;
        }
        LAC_TRY(take(graph, &chain, reader, err));
        chain.end = graph->nodes[reader].out;
    }
    LAC_TRY(finish_raw(graph, &chain, err));
    *out = chain;
    return LAC_OK;
}
