#include "lac_num.h"
#include "lower_view.h"
#include "quantize.h"

#include <string.h>

static bool same_type(const lac_code_type *a, const lac_code_type *b) {
    return a->bits == b->bits && a->is_signed == b->is_signed && a->zero == b->zero && a->scale == b->scale;
}

static bool full_range(const lac_quant_params *q) {
    return q->lowest == lac_code_min(q->bits, q->is_signed) &&
           q->highest == lac_code_max(q->bits, q->is_signed);
}

lac_status lac_lowering_tensor(lac_lowering *l, const lac_node *reader, int value, int *out, lac_error *err) {
    lac_view view;
    LAC_TRY(lac_lowering_stored(l, reader, value, &view, err));
    *out = view.tensor;
    if (lac_view_is_plain(&view)) return LAC_OK;
    LAC_FAIL(
        err, LAC_E_UNSUPPORTED,
        "%s '%s': %d x %d pixels of '%s' lie in one place of memory, which only convolutions, averages and "
        "linear layers take apart; put a convolution between",
        lac_op_name(reader->op), reader->name, view.fold[0], view.fold[1], l->graph->values[value].name);
}

int lac_lowering_add_tensor(lac_lowering *l, const char *name, int c, int h, int w, lac_code_type type) {
    lac_int_graph *out = l->out;
    out->tensors[out->n_tensors] =
        (lac_int_tensor){.name = lac_arena_strdup(l->arena, name), .c = c, .h = h, .w = w, .type = type};
    return out->n_tensors++;
}

lac_int_layer *lac_lowering_add_layer(lac_lowering *l, lac_int_kind kind, const char *name, const int *in,
                                      int n_in) {
    lac_int_layer *layer = &l->out->layers[l->out->n_layers++];
    *layer = (lac_int_layer){.kind = kind, .name = lac_arena_strdup(l->arena, name), .n_in = n_in};
    layer->in = lac_arena_copy(l->arena, in, (size_t)n_in * sizeof *in);
    layer->window = (lac_window){.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
    return layer;
}

// ---- nodes outside chains ------------------------------------------------------------------------------

static lac_status lower_input(lac_lowering *l, const lac_node *node, int index, lac_error *err) {
    lac_quant_params q;
    LAC_TRY(lac_quant_params_read(l->graph, index, &q, err));
    lac_shape shape = l->graph->values[l->graph->input].shape;
    if (shape.n_dims != 4 && shape.n_dims != 2)
        LAC_FAIL(err, LAC_E_SHAPE, "graph input '%s' has %d dimensions, expects N x C x H x W or N x C",
                 l->graph->values[l->graph->input].name, shape.n_dims);
    if (l->out->input >= 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "quant '%s': the graph's input has a quantizer already; share it",
                 node->name);
    if (!full_range(&q))
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "quant '%s': the input's codes are narrow (%d..%d); use the full range of %d bits",
                 node->name, q.lowest, q.highest, q.bits);
    bool map = shape.n_dims == 4;
    lac_code_type type = {q.bits, q.is_signed, q.zero, q.scale};
    l->out->input = lac_lowering_add_tensor(l, l->graph->values[node->out].name, (int)shape.dim[1],
                                            map ? (int)shape.dim[2] : 1, map ? (int)shape.dim[3] : 1, type);
    l->view_of[node->out] = lac_view_of(l, l->out->input);
    return LAC_OK;
}

// A quantizer outside a chain reads the graph's input, constants (the layer behind them takes those), or
// codes that already have its type.
static lac_status lower_quant(lac_lowering *l, const lac_node *node, int index, lac_error *err) {
    if (l->graph->values[node->in[0]].data) return LAC_OK;
    if (node->in[0] == l->graph->input) return lower_input(l, node, index, err);
    lac_view view;
    lac_quant_params q;
    LAC_TRY(lac_lowering_view(l, node, node->in[0], &view, err));
    LAC_TRY(lac_quant_params_read(l->graph, index, &q, err));
    const lac_code_type type = {q.bits, q.is_signed, q.zero, q.scale};
    if (!same_type(&type, &l->out->tensors[view.tensor].type) || !full_range(&q))
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "quant '%s': its input '%s' is quantized already, differently; keep one of the two quantizers",
            node->name, l->graph->values[node->in[0]].name);
    l->view_of[node->out] = view;
    return LAC_OK;
}

static lac_status lower_pool(lac_lowering *l, const lac_node *node, lac_error *err) {
    int tensor;
    LAC_TRY(lac_lowering_tensor(l, node, node->in[0], &tensor, err));
    lac_int_tensor from = l->out->tensors[tensor];
    const lac_window *window = &node->attr.window;
    int64_t h = lac_window_out(window, 0, from.h), w = lac_window_out(window, 1, from.w);
    if (h < 1 || w < 1)
        LAC_FAIL(err, LAC_E_SHAPE, "max_pool '%s': a window of %d x %d does not fit the input's %d x %d",
                 node->name, window->kernel[0], window->kernel[1], from.h, from.w);
    lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_MAX_POOL, node->name, &tensor, 1);
    layer->window = *window;
    layer->window.groups = 1;
    layer->out =
        lac_lowering_add_tensor(l, l->graph->values[node->out].name, from.c, (int)h, (int)w, from.type);
    l->view_of[node->out] = lac_view_of(l, layer->out);
    return LAC_OK;
}

// Operands have channels in order, and are folded alike.
static lac_status concat_operand(lac_lowering *l, const lac_node *node, int i, lac_view *joined, int *tensor,
                                 lac_error *err) {
    lac_view view;
    LAC_TRY(lac_lowering_stored(l, node, node->in[i], &view, err));
    if (i == 0) *joined = (lac_view){.fold = {view.fold[0], view.fold[1]}};
    if (view.fold[0] != joined->fold[0] || view.fold[1] != joined->fold[1])
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "%s '%s': '%s' has %d x %d pixels in one place of memory, the first operand %d x %d; put a "
                 "convolution after the smaller one",
                 lac_op_name(node->op), node->name, l->graph->values[node->in[i]].name, view.fold[0],
                 view.fold[1], joined->fold[0], joined->fold[1]);
    joined->n_channels += view.n_channels;
    *tensor = view.tensor;
    return LAC_OK;
}

static lac_status lower_concat(lac_lowering *l, const lac_node *node, lac_error *err) {
    int *in = LAC_NEW_ARRAY(l->scratch, int, node->n_in), channels = 0;
    lac_view joined;
    for (int i = 0; i < node->n_in; i++) {
        LAC_TRY(concat_operand(l, node, i, &joined, &in[i], err));
        const lac_int_tensor *first = &l->out->tensors[in[0]], *t = &l->out->tensors[in[i]];
        if (!same_type(&first->type, &t->type))
            LAC_FAIL(
                err, LAC_E_UNSUPPORTED,
                "concat '%s': '%s' has scale %g and %d bits, '%s' has %g and %d; let their quantizers share "
                "one scale, width and sign",
                node->name, first->name, first->type.scale, first->type.bits, t->name, t->type.scale,
                t->type.bits);
        if (t->h != first->h || t->w != first->w)
            LAC_FAIL(err, LAC_E_SHAPE, "concat '%s': '%s' is %d x %d, '%s' is %d x %d", node->name,
                     first->name, first->h, first->w, t->name, t->h, t->w);
        channels += t->c;
    }
    const lac_int_tensor first = l->out->tensors[in[0]];
    lac_int_layer *layer = lac_lowering_add_layer(l, LAC_INT_CONCAT, node->name, in, node->n_in);
    layer->out =
        lac_lowering_add_tensor(l, l->graph->values[node->out].name, channels, first.h, first.w, first.type);
    joined.tensor = layer->out;
    l->view_of[node->out] = joined;
    return LAC_OK;
}

// Only the linear layer that reads it sees a difference, and it checks the number of weights.
static lac_status lower_flatten(lac_lowering *l, const lac_node *node, lac_error *err) {
    return lac_lowering_view(l, node, node->in[0], &l->view_of[node->out], err);
}

static lac_status lower_node(lac_lowering *l, int index, lac_error *err) {
    const lac_node *node = &l->graph->nodes[index];
    if (l->taken[index]) return LAC_OK;
    if (lac_chain_starts(node->op)) return lac_lower_chain(l, index, err);
    if (lac_is_activation(node->op)) return lac_lower_table(l, node, err);
    switch (node->op) {
    case LAC_OP_QUANT:
    case LAC_OP_BIPOLAR_QUANT:
        return lower_quant(l, node, index, err);
    case LAC_OP_MAX_POOL:
        return lower_pool(l, node, err);
    case LAC_OP_GLOBAL_MAX_POOL:
        return lac_lower_global_max(l, node, err);
    case LAC_OP_CHANNEL_MAX:
        return lac_lower_channel_max(l, node, err);
    case LAC_OP_CONCAT:
        return lower_concat(l, node, err);
    case LAC_OP_FLATTEN:
        return lower_flatten(l, node, err);
    case LAC_OP_SLICE:
    case LAC_OP_CHANNEL_SHUFFLE:
    case LAC_OP_UPSAMPLE:
    case LAC_OP_DEPTH_TO_SPACE:
    case LAC_OP_PAD:
        return lac_lower_rearrange(l, node, err);
    default:
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "%s '%s' reads quantized codes and has no integer form of its own; place it directly after a "
            "convolution, before the quantizer",
            lac_op_name(node->op), node->name);
    }
}

// ---- the graph -----------------------------------------------------------------------------------------

static void set_normalization(lac_int_graph *out, const lac_dataset *data) {
    for (int c = 0; c < 4; c++) {
        out->input_mean[c] = data ? data->mean[c] : 0;
        out->input_std[c] = data && data->std[c] > 0 ? data->std[c] : 1;
    }
}

static lac_status check_output(const lac_lowering *l, lac_error *err) {
    const lac_graph *graph = l->graph;
    int tensor = l->view_of[graph->output].tensor;
    if (tensor < 0 || l->out->tensors[tensor].type.bits != 32)
        LAC_FAIL(
            err, LAC_E_UNSUPPORTED,
            "graph output '%s' is quantized; end the graph with the sums of its last layer, which stay raw",
            graph->values[graph->output].name);
    l->out->output = tensor;
    return LAC_OK;
}

static lac_status check_quantized(const lac_graph *graph, lac_error *err) {
    for (int n = 0; n < graph->n_nodes; n++)
        if (graph->nodes[n].op == LAC_OP_QUANT || graph->nodes[n].op == LAC_OP_BIPOLAR_QUANT) return LAC_OK;
    LAC_FAIL(
        err, LAC_E_UNSUPPORTED,
        "graph '%s' is in float: none of its %d nodes is a quantizer; run `lacuna quantize` on the model",
        graph->name, graph->n_nodes);
}

static lac_status lower_all(lac_lowering *l, const lac_dataset *data, lac_error *err) {
    const lac_graph *graph = l->graph;
    LAC_TRY(check_quantized(graph, err));
    // A chain makes at most one layer a node, and a value is copied at most once; every layer makes one
    // tensor.
    int n_most = graph->n_nodes + graph->n_values;
    for (int n = 0; n < graph->n_nodes; n++) {
        n_most += lac_lowering_most_of_maximum(&graph->nodes[n]);
        n_most += lac_lowering_most_of_reach(&graph->nodes[n]);
    }
    l->out->layers = LAC_NEW_ARRAY(l->arena, lac_int_layer, n_most);
    l->out->tensors = LAC_NEW_ARRAY(l->arena, lac_int_tensor, n_most + 1);
    l->view_of = LAC_NEW_ARRAY(l->scratch, lac_view, graph->n_values);
    l->taken = LAC_NEW_ARRAY(l->scratch, bool, graph->n_nodes);
    for (int v = 0; v < graph->n_values; v++) l->view_of[v].tensor = -1;
    set_normalization(l->out, data);
    for (int n = 0; n < graph->n_nodes; n++) LAC_TRY(lower_node(l, n, err));
    LAC_TRY(check_output(l, err));
    LAC_TRY(lac_lower_signs(l->out, l->scratch, err));
    return lac_int_graph_check(l->out, err);
}

static lac_status lower_in(const lac_graph *graph, const lac_dataset *data, lac_arena *arena,
                           lac_arena *scratch, lac_int_graph **out, lac_error *err) {
    lac_graph *own = lac_graph_copy(graph, scratch);
    LAC_TRY(lac_graph_tidy(own, err));
    lac_lowering l = {.graph = own, .arena = arena, .scratch = scratch, .out = LAC_NEW(arena, lac_int_graph)};
    *l.out = (lac_int_graph){
        .arena = arena, .name = lac_arena_strdup(arena, graph->name), .input = -1, .output = -1};
    LAC_TRY(lower_all(&l, data, err));
    *out = l.out;
    return LAC_OK;
}

lac_status lac_lower(const lac_graph *graph, const lac_dataset *normalization, lac_arena *arena,
                     lac_int_graph **out, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to lower graph '%s'", graph->name);
    lac_status status = lower_in(graph, normalization, arena, scratch, out, err);
    lac_arena_close(scratch);
    return status;
}
