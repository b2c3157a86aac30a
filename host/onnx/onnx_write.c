#include "onnx.h"

#include "onnx_build.h"
#include "onnx_qdq.h"
#include "onnx_reader.h"
#include "onnx_writer.h"

#include <string.h>

static const struct {
    const char *type, *domain;
} onnx_ops[LAC_N_OPS] = {
#define LAC_OP(id, name, onnx, domain, help) {onnx, domain},
#include "ops.def"
#undef LAC_OP
};

typedef onnx_writer writer;

static void add_window(const writer *w, Onnx__NodeProto *to, const lac_window *window) {
    onnx_add_ints(w->arena, to, "kernel_shape", window->kernel, 2);
    onnx_add_ints(w->arena, to, "strides", window->stride, 2);
    onnx_add_ints(w->arena, to, "pads", window->pad, 4);
}

static lac_status add_attributes(const writer *w, const lac_node *node, Onnx__NodeProto *to) {
    const lac_attr *attr = &node->attr;
    switch (node->op) {
    case LAC_OP_CONV2D:
        add_window(w, to, &attr->window);
        onnx_add_ints(w->arena, to, "dilations", attr->window.dilation, 2);
        onnx_add_int(w->arena, to, "group", attr->window.groups);
        break;
    case LAC_OP_MAX_POOL:
        add_window(w, to, &attr->window);
        onnx_add_ints(w->arena, to, "dilations", attr->window.dilation, 2);
        break;
    case LAC_OP_AVG_POOL:
        if (attr->window.dilation[0] != 1 || attr->window.dilation[1] != 1)
            LAC_FAIL(w->err, LAC_E_UNSUPPORTED, "avg_pool '%s': dilation %dx%d, opset %d knows 1x1 alone",
                     node->name, attr->window.dilation[0], attr->window.dilation[1], LAC_ONNX_OPSET);
        add_window(w, to, &attr->window);
        onnx_add_int(w->arena, to, "count_include_pad", attr->count_include_pad);
        break;
    case LAC_OP_LINEAR:
        onnx_add_int(w->arena, to, "transB", 1);
        break;
    case LAC_OP_BATCH_NORM:
        onnx_add_float(w->arena, to, "epsilon", attr->epsilon);
        onnx_add_float(w->arena, to, "momentum", attr->momentum);
        break;
    case LAC_OP_CONCAT:
    case LAC_OP_FLATTEN:
        onnx_add_int(w->arena, to, "axis", 1);
        break;
    case LAC_OP_QUANT:
        onnx_add_int(w->arena, to, "signed", attr->quant.is_signed);
        onnx_add_int(w->arena, to, "narrow", attr->quant.is_signed && attr->quant.narrow);
        onnx_add_string(w->arena, to, "rounding_mode", "ROUND");
        break;
    case LAC_OP_CONV_TRANSPOSE:
        add_window(w, to, &attr->window);
        onnx_add_ints(w->arena, to, "dilations", attr->window.dilation, 2);
        onnx_add_int(w->arena, to, "group", attr->window.groups);
        onnx_add_ints(w->arena, to, "output_padding", attr->out_pad, 2);
        break;
    case LAC_OP_HARD_SIGMOID:
        onnx_add_float(w->arena, to, "alpha", attr->alpha);
        onnx_add_float(w->arena, to, "beta", attr->beta);
        break;
    case LAC_OP_DEPTH_TO_SPACE:
        onnx_add_int(w->arena, to, "blocksize", attr->move.block);
        onnx_add_string(w->arena, to, "mode", attr->move.by_column ? "CRD" : "DCR");
        break;
    case LAC_OP_RELU:
    case LAC_OP_SIGMOID:
    case LAC_OP_TANH:
    case LAC_OP_MUL:
    case LAC_OP_GLOBAL_MAX_POOL:
    case LAC_OP_HARD_SWISH: // the rest is for onnx_expand
    case LAC_OP_SILU:
    case LAC_OP_GELU:
    case LAC_OP_SLICE:
    case LAC_OP_CHANNEL_SHUFFLE:
    case LAC_OP_UPSAMPLE:
    case LAC_OP_PAD:
    case LAC_OP_CHANNEL_MEAN:
    case LAC_OP_CHANNEL_MAX:
    case LAC_OP_GLOBAL_AVG_POOL:
    case LAC_OP_ADD:
    case LAC_OP_BIPOLAR_QUANT:
    case LAC_N_OPS:
        break;
    }
    return LAC_OK;
}

char *onnx_side_name(const onnx_writer *w, const lac_node *node, const char *suffix) {
    const char *name = lac_arena_printf(w->arena, "%s%s", node->name, suffix);
    while (!onnx_name_is_free(w->graph, name)) name = lac_arena_printf(w->arena, "%s_", name);
    return lac_arena_strdup(w->arena, name);
}

// QONNX has the bit width as a fourth input. Node names are unique, so these differ among themselves.
static char *add_bit_width(writer *w, const lac_node *node) {
    char *name = onnx_side_name(w, node, "_bits");
    float bits = (float)node->attr.quant.bits;
    w->file->initializer[w->file->n_initializer++] = onnx_new_tensor(w->arena, name, (lac_shape){0}, &bits);
    return name;
}

static lac_status add_node(writer *w, const lac_node *node) {
    const lac_graph *graph = w->graph;
    if (w->format == LAC_ONNX_QDQ && (node->op == LAC_OP_QUANT || node->op == LAC_OP_BIPOLAR_QUANT)) {
        onnx_add_qdq(&(onnx_qdq){graph, w->arena, w->file}, node);
        return LAC_OK;
    }
    if (onnx_expand(w, node)) return LAC_OK;
    Onnx__NodeProto *to = onnx_new_node(w->arena, node, onnx_ops[node->op].type, onnx_ops[node->op].domain,
                                        LAC_ONNX_ATTRIBUTES_MOST);
    to->input = LAC_NEW_ARRAY(w->arena, char *, node->n_in + 1);
    for (int i = 0; i < node->n_in; i++)
        to->input[to->n_input++] = lac_arena_strdup(w->arena, graph->values[node->in[i]].name);
    if (node->op == LAC_OP_QUANT) to->input[to->n_input++] = add_bit_width(w, node);
    to->output = LAC_NEW_ARRAY(w->arena, char *, 1);
    to->output[to->n_output++] = lac_arena_strdup(w->arena, graph->values[node->out].name);
    LAC_TRY(add_attributes(w, node, to));
    w->file->node[w->file->n_node++] = to;
    return LAC_OK;
}

static lac_status fill_shapes(lac_graph *graph, lac_error *err) {
    lac_value *input = &graph->values[graph->input];
    if (input->shape.n_dims == 0)
        LAC_FAIL(err, LAC_E_SHAPE, "graph '%s': its input '%s' has no shape; set it before writing",
                 graph->name, input->name);
    for (int n = 0; n < graph->n_nodes; n++) {
        lac_node *node = &graph->nodes[n];
        LAC_TRY(onnx_infer(graph, node, &graph->values[node->out].shape, err));
    }
    return LAC_OK;
}

static void add_initializers(writer *w) {
    const lac_graph *graph = w->graph;
    for (int v = 0; v < graph->n_values; v++) {
        const lac_value *value = &graph->values[v];
        if (value->data && !(w->format == LAC_ONNX_QDQ && onnx_is_of_quantizers(graph, v)))
            w->file->initializer[w->file->n_initializer++] =
                onnx_new_tensor(w->arena, value->name, value->shape, value->data);
    }
}

// Shapes of the values in between; a quantized parameter has no batch.
static void add_value_infos(writer *w) {
    const lac_graph *graph = w->graph;
    for (int n = 0; n < graph->n_nodes; n++) {
        int v = graph->nodes[n].out;
        const lac_value *value = &graph->values[v];
        if (v != graph->output)
            w->file->value_info[w->file->n_value_info++] =
                onnx_new_value_info(w->arena, value->name, value->shape, !onnx_is_parameter(graph, v));
    }
}

// Circular padding came to the standard late; all else is said in the opset that most tools read.
static int64_t opset_of(const lac_graph *graph) {
    for (int n = 0; n < graph->n_nodes; n++)
        if (graph->nodes[n].op == LAC_OP_PAD && graph->nodes[n].attr.move.circular)
            return LAC_ONNX_OPSET_CIRCULAR;
    return LAC_ONNX_OPSET;
}

static lac_status build_graph(writer *w) {
    const lac_graph *graph = w->graph;
    lac_arena *arena = w->arena;
    Onnx__GraphProto *file = w->file = LAC_NEW(arena, Onnx__GraphProto);
    onnx__graph_proto__init(file);
    file->name = lac_arena_strdup(arena, *graph->name ? graph->name : "graph");
    size_t n_nodes = (size_t)graph->n_nodes, n_values = (size_t)graph->n_values;
    file->node = LAC_NEW_ARRAY(arena, Onnx__NodeProto *, n_nodes * LAC_ONNX_STEPS_MOST);
    file->initializer =
        LAC_NEW_ARRAY(arena, Onnx__TensorProto *, n_values + n_nodes * LAC_ONNX_CONSTANTS_MOST);
    file->value_info = LAC_NEW_ARRAY(arena, Onnx__ValueInfoProto *, n_nodes);
    file->input = LAC_NEW_ARRAY(arena, Onnx__ValueInfoProto *, 1);
    file->output = LAC_NEW_ARRAY(arena, Onnx__ValueInfoProto *, 1);
    add_initializers(w);
    for (int n = 0; n < graph->n_nodes; n++) LAC_TRY(add_node(w, &graph->nodes[n]));
    const lac_value *in = &graph->values[graph->input], *out = &graph->values[graph->output];
    file->input[file->n_input++] = onnx_new_value_info(arena, in->name, in->shape, true);
    file->output[file->n_output++] = onnx_new_value_info(arena, out->name, out->shape, true);
    add_value_infos(w);
    return LAC_OK;
}

static void add_opset(const writer *w, Onnx__ModelProto *model, const char *domain, int64_t version) {
    Onnx__OperatorSetIdProto *set = LAC_NEW(w->arena, Onnx__OperatorSetIdProto);
    onnx__operator_set_id_proto__init(set);
    set->domain = lac_arena_strdup(w->arena, domain);
    set->has_version = 1;
    set->version = version;
    model->opset_import[model->n_opset_import++] = set;
}

static void build_model(const writer *w, Onnx__ModelProto *model) {
    const lac_graph *graph = w->graph;
    lac_arena *arena = w->arena;
    onnx__model_proto__init(model);
    model->has_ir_version = model->has_model_version = 1;
    model->ir_version = w->opset > LAC_ONNX_OPSET ? LAC_ONNX_IR_CIRCULAR : LAC_ONNX_IR_VERSION;
    model->model_version = 1;
    model->producer_name = lac_arena_strdup(arena, "lacuna");
    model->producer_version = lac_arena_strdup(arena, LAC_VERSION);
    model->doc_string = lac_arena_strdup(
        arena, "Images of 0..255 enter as (pixel - mean) / std; logits leave. Zero weights were pruned.");
    model->graph = w->file;
    model->opset_import = LAC_NEW_ARRAY(arena, Onnx__OperatorSetIdProto *, 2);
    add_opset(w, model, "", w->opset);
    bool quantized = false;
    for (int n = 0; n < graph->n_nodes; n++) quantized |= *onnx_ops[graph->nodes[n].op].domain != 0;
    if (quantized && w->format == LAC_ONNX_QONNX) add_opset(w, model, onnx_ops[LAC_OP_QUANT].domain, 1);
    model->metadata_props = LAC_NEW_ARRAY(arena, Onnx__StringStringEntryProto *, graph->n_meta);
    for (int i = 0; i < graph->n_meta; i++) {
        Onnx__StringStringEntryProto *entry = LAC_NEW(arena, Onnx__StringStringEntryProto);
        onnx__string_string_entry_proto__init(entry);
        entry->key = lac_arena_strdup(arena, graph->meta[i].key);
        entry->value = lac_arena_strdup(arena, graph->meta[i].text);
        model->metadata_props[model->n_metadata_props++] = entry;
    }
}

static lac_status serialize(const lac_graph *graph, lac_onnx_format format, lac_arena *scratch,
                            lac_arena *arena, lac_bytes *out, lac_error *err) {
    LAC_TRY(lac_graph_check(graph, err));
    lac_graph *shaped = lac_graph_copy(graph, scratch);
    LAC_TRY(lac_graph_tidy(shaped, err)); // leftovers of passes do not go into the file
    LAC_TRY(fill_shapes(shaped, err));
    writer w = {.graph = shaped, .arena = scratch, .format = format, .opset = opset_of(shaped), .err = err};
    LAC_TRY(build_graph(&w));
    Onnx__ModelProto model;
    build_model(&w, &model);
    size_t n = onnx__model_proto__get_packed_size(&model);
    if (n > INT32_MAX)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "graph '%s' takes %zu bytes, an ONNX file holds %d", graph->name, n,
                 INT32_MAX);
    uint8_t *data = lac_arena_alloc(arena, n);
    *out = (lac_bytes){data, onnx__model_proto__pack(&model, data)};
    return LAC_OK;
}

static lac_status serialize_as(const lac_graph *graph, lac_onnx_format format, lac_arena *arena,
                               lac_bytes *out, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to write graph '%s'", graph->name);
    lac_status status = serialize(graph, format, scratch, arena, out, err);
    lac_arena_close(scratch);
    return status;
}

lac_status lac_onnx_serialize(const lac_graph *graph, lac_arena *arena, lac_bytes *out, lac_error *err) {
    return serialize_as(graph, LAC_ONNX_QONNX, arena, out, err);
}

lac_status lac_onnx_write_as(const lac_graph *graph, lac_onnx_format format, const char *path,
                             lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to write '%s'", path);
    lac_bytes bytes;
    lac_status status = serialize_as(graph, format, arena, &bytes, err);
    if (status == LAC_OK) status = lac_file_write(path, bytes.data, bytes.n, err);
    lac_arena_close(arena);
    return status;
}

lac_status lac_onnx_write(const lac_graph *graph, const char *path, lac_error *err) {
    return lac_onnx_write_as(graph, LAC_ONNX_QONNX, path, err);
}
