#include "onnx.h"

#include "onnx_reader.h"

#include <inttypes.h>
#include <string.h>

// ---- the model around the graph -------------------------------------------------------------------------

enum { IR_LEAST = 3, IR_MOST = 12 };

static lac_status read_opsets(onnx_reader *r, const Onnx__ModelProto *model) {
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = model->opset_import[i];
        const char *domain = set->domain ? set->domain : "";
        if (strcmp(domain, "") == 0 || strcmp(domain, "ai.onnx") == 0) r->opset = set->version;
        if (strcmp(domain, "qonnx.custom_op.general") == 0) r->qonnx_opset = set->version;
    }
    if (r->opset < LAC_ONNX_OPSET_LEAST || r->opset > LAC_ONNX_OPSET_MOST)
        LAC_FAIL(r->err, LAC_E_UNSUPPORTED,
                 "the model imports opset %" PRId64
                 " (0: none), supported are %d to %d; export it with opset %d",
                 r->opset, LAC_ONNX_OPSET_LEAST, LAC_ONNX_OPSET_MOST, LAC_ONNX_OPSET);
    return LAC_OK;
}

static lac_status check_model(onnx_reader *r, const Onnx__ModelProto *model) {
    if (!model->has_ir_version || !model->graph)
        LAC_FAIL(r->err, LAC_E_FORMAT, "not an ONNX model: it has no %s; export it again",
                 model->graph ? "ir_version" : "graph");
    if (model->ir_version < IR_LEAST || model->ir_version > IR_MOST)
        LAC_FAIL(r->err, LAC_E_UNSUPPORTED,
                 "the model has IR version %" PRId64 ", supported are %d to %d; export it with opset %d",
                 model->ir_version, IR_LEAST, IR_MOST, LAC_ONNX_OPSET);
    LAC_TRY(read_opsets(r, model));
    const Onnx__GraphProto *file = model->graph;
    if (file->n_sparse_initializer)
        LAC_FAIL(r->err, LAC_E_UNSUPPORTED,
                 "the model has %zu sparse initializers; store them dense, zeros and all",
                 file->n_sparse_initializer);
    size_t most = LAC_ONNX_MAX_ITEMS;
    if (file->n_node > most || file->n_initializer > most || model->n_metadata_props > most ||
        file->n_input > most)
        LAC_FAIL(
            r->err, LAC_E_UNSUPPORTED,
            "the model has %zu nodes, %zu initializers, %zu inputs and %zu meta data entries; supported are "
            "%zu of each",
            file->n_node, file->n_initializer, file->n_input, model->n_metadata_props, most);
    return LAC_OK;
}

static void read_meta(onnx_reader *r, const Onnx__ModelProto *model) {
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
        if (entry->key) lac_graph_set_meta(r->graph, entry->key, entry->value ? entry->value : "");
    }
}

// ---- names ----------------------------------------------------------------------------------------------

static lac_status check_name(const onnx_reader *r, const char *name, const char *what) {
    for (const char *p = name ? name : ""; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            LAC_FAIL(r->err, LAC_E_FORMAT, "a name of a %s has the control character 0x%02X; rename it", what,
                     (unsigned)*p);
    if (!name || !*name) LAC_FAIL(r->err, LAC_E_FORMAT, "a %s has no name; export the model again", what);
    return LAC_OK;
}

static lac_status bind_initializers(onnx_reader *r) {
    for (size_t i = 0; i < r->file->n_initializer; i++) {
        const Onnx__TensorProto *t = r->file->initializer[i];
        LAC_TRY(check_name(r, t->name, "initializer"));
        onnx_binding *b = onnx_names_get(&r->names, t->name);
        if (b->initializer)
            LAC_FAIL(r->err, LAC_E_FORMAT, "two initializers have the name '%.200s'", t->name);
        b->initializer = t;
    }
    return LAC_OK;
}

static lac_status bind_node(onnx_reader *r, size_t n) {
    const Onnx__NodeProto *node = r->file->node[n];
    onnx_node context = {r, node, 0};
    if (node->name && *node->name) LAC_TRY(check_name(r, node->name, "node"));
    if (node->op_type && *node->op_type) LAC_TRY(check_name(r, node->op_type, "node's op"));
    if (node->n_output == 0 || !*node->output[0]) ONNX_FAIL(&context, LAC_E_FORMAT, "has no output");
    for (size_t i = 0; i < node->n_output; i++) {
        if (!*node->output[i]) continue;
        LAC_TRY(check_name(r, node->output[i], "node's output"));
        onnx_binding *b = onnx_names_get(&r->names, node->output[i]);
        if (b->producer >= 0 || b->initializer || b->value != LAC_NO_VALUE)
            ONNX_FAIL(&context, LAC_E_FORMAT,
                      "its output '%.180s' is also made elsewhere; names must be unique", node->output[i]);
        b->producer = (int)n;
    }
    for (size_t i = 0; i < node->n_input; i++)
        if (*node->input[i]) onnx_names_get(&r->names, node->input[i])->n_uses++;
    return LAC_OK;
}

static size_t count_names(const Onnx__GraphProto *file) {
    size_t n = file->n_initializer + file->n_input + file->n_output;
    for (size_t i = 0; i < file->n_node; i++) n += file->node[i]->n_input + file->node[i]->n_output;
    return n;
}

// ---- the graph's ends -----------------------------------------------------------------------------------

static lac_status read_dims(onnx_reader *r, const char *name, const Onnx__TensorShapeProto *shape,
                            lac_shape *out) {
    if (shape->n_dim != 2 && shape->n_dim != 4)
        LAC_FAIL(r->err, LAC_E_UNSUPPORTED,
                 "input '%.200s' has %zu dimensions, supported are 4 (N x C x H x W) and 2 (N x features)",
                 name, shape->n_dim);
    out->n_dims = (int)shape->n_dim;
    for (size_t i = 0; i < shape->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = shape->dim[i];
        bool fixed = dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        int64_t value = fixed ? dim->dim_value : 0;
        if (i == 0 && value >= 0) r->batch = value; // 0: symbolic
        if (i == 0 && value >= 0) value = 1;
        if (value < 1 || value > LAC_ONNX_MAX_SIDE)
            LAC_FAIL(r->err, LAC_E_SHAPE,
                     "input '%.200s' has %" PRId64
                     " (0: symbolic) as dimension %zu, supported are 1 to %d; export "
                     "the model with a fixed image size",
                     name, value, i, LAC_ONNX_MAX_SIDE);
        out->dim[i] = value;
    }
    if (lac_shape_count(*out) > INT32_MAX / 4)
        LAC_FAIL(r->err, LAC_E_SHAPE, "input '%.200s' has %" PRId64 " elements, supported are %d", name,
                 lac_shape_count(*out), INT32_MAX / 4);
    return LAC_OK;
}

static lac_status check_float(const onnx_reader *r, const Onnx__ValueInfoProto *info, const char *what) {
    const Onnx__TypeProto *type = info->type;
    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE || !type->tensor_type)
        LAC_FAIL(r->err, LAC_E_UNSUPPORTED,
                 "%s '%.200s' is no tensor; supported are tensors of 32-bit floats", what, info->name);
    if (type->tensor_type->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
        LAC_FAIL(r->err, LAC_E_UNSUPPORTED,
                 "%s '%.200s' has elements of type %d, supported is %d (32-bit floats); export it so", what,
                 info->name, type->tensor_type->elem_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    return LAC_OK;
}

// The one input that is no initializer.
static lac_status bind_input(onnx_reader *r) {
    const Onnx__ValueInfoProto *input = NULL;
    for (size_t i = 0; i < r->file->n_input; i++) {
        const Onnx__ValueInfoProto *info = r->file->input[i];
        LAC_TRY(check_name(r, info->name, "input"));
        const onnx_binding *b = onnx_names_find(&r->names, info->name);
        if (b && b->initializer) continue; // a default value, which we take
        if (input)
            LAC_FAIL(
                r->err, LAC_E_UNSUPPORTED,
                "the model has the inputs '%.100s' and '%.100s', supported is one; make weights initializers",
                input->name, info->name);
        input = info;
    }
    if (!input) LAC_FAIL(r->err, LAC_E_FORMAT, "the model has no input; export it again");
    LAC_TRY(check_float(r, input, "input"));
    if (!input->type->tensor_type->shape)
        LAC_FAIL(r->err, LAC_E_SHAPE, "input '%.200s' has no shape; export the model with a fixed image size",
                 input->name);
    lac_shape shape = {0};
    LAC_TRY(read_dims(r, input->name, input->type->tensor_type->shape, &shape));
    r->graph->input = lac_graph_add_value(r->graph, input->name, shape);
    onnx_names_get(&r->names, input->name)->value = r->graph->input;
    return LAC_OK;
}

static lac_status bind_output(onnx_reader *r) {
    if (r->file->n_output != 1)
        LAC_FAIL(r->err, LAC_E_UNSUPPORTED, "the model has %zu outputs, supported is one: the logits",
                 r->file->n_output);
    LAC_TRY(check_name(r, r->file->output[0]->name, "output"));
    onnx_binding *b = onnx_names_get(&r->names, r->file->output[0]->name);
    bool decides =
        b->producer >= 0 && r->file->node[b->producer]->op_type &&
        strcmp(r->file->node[b->producer]->op_type, "ArgMax") == 0; // gives integers, and is left out
    if (r->file->output[0]->type && !decides) LAC_TRY(check_float(r, r->file->output[0], "output"));
    b->n_uses++;
    return LAC_OK;
}

// ---- the nodes ------------------------------------------------------------------------------------------

typedef struct order {
    unsigned char *state; // 0 new, 1 on the path, 2 read
    size_t *next;         // input to look at
    int *stack;
} order;

// Node n and before it whatever it needs: files need not be in order, and what leads nowhere is not read.
static lac_status import_from(onnx_reader *r, int n, order *o) {
    int depth = 0;
    o->stack[depth++] = n;
    o->state[n] = 1;
    while (depth > 0) {
        int at = o->stack[depth - 1];
        const Onnx__NodeProto *node = r->nodes[at];
        if (o->next[at] == node->n_input) {
            LAC_TRY(onnx_import(r, node));
            o->state[at] = 2;
            depth--;
            continue;
        }
        const onnx_binding *b = onnx_names_find(&r->names, node->input[o->next[at]++]);
        if (!b || b->producer < 0 || o->state[b->producer] == 2) continue;
        onnx_node context = {r, node, 0};
        if (o->state[b->producer] == 1)
            ONNX_FAIL(&context, LAC_E_FORMAT,
                      "its input '%.180s' depends on its output: the model has a cycle", b->name);
        o->state[b->producer] = 1;
        o->stack[depth++] = b->producer;
    }
    return LAC_OK;
}

static lac_status import_nodes(onnx_reader *r) {
    const char *name = r->file->output[0]->name;
    const onnx_binding *out = onnx_names_find(&r->names, name);
    if (out->producer < 0)
        LAC_FAIL(r->err, LAC_E_FORMAT, "output '%.200s' is made by no node; export the model again", name);
    size_t n = r->file->n_node;
    order o = {LAC_NEW_ARRAY(r->scratch, unsigned char, n), LAC_NEW_ARRAY(r->scratch, size_t, n),
               LAC_NEW_ARRAY(r->scratch, int, n)};
    LAC_TRY(import_from(r, out->producer, &o));
    if (out->value == LAC_NO_VALUE)
        LAC_FAIL(r->err, LAC_E_UNSUPPORTED, "output '%.200s' is a constant, not computed from the input",
                 name);
    r->graph->output = out->value;
    return LAC_OK;
}

static lac_status read_model(const Onnx__ModelProto *model, lac_arena *arena, lac_arena *scratch,
                             lac_graph **out, lac_error *err) {
    onnx_reader r = {.scratch = scratch, .file = model->graph, .err = err};
    LAC_TRY(check_model(&r, model));
    r.graph = lac_graph_new(arena, model->graph->name);
    onnx_names_open(&r.names, count_names(r.file), scratch);
    LAC_TRY(bind_initializers(&r));
    LAC_TRY(bind_input(&r));
    for (size_t i = 0; i < r.file->n_node; i++) LAC_TRY(bind_node(&r, i));
    LAC_TRY(bind_output(&r));
    LAC_TRY(onnx_find_patterns(&r));
    read_meta(&r, model);
    LAC_TRY(import_nodes(&r));
    LAC_TRY(lac_graph_tidy(r.graph, err));
    LAC_TRY(lac_graph_check(r.graph, err));
    *out = r.graph;
    return LAC_OK;
}

lac_status lac_onnx_parse(const uint8_t *data, size_t n_bytes, lac_arena *arena, lac_graph **out,
                          lac_error *err) {
    Onnx__ModelProto *model;
    LAC_TRY(onnx_unpack(data, n_bytes, &model, err));
    lac_arena *scratch = lac_arena_open();
    lac_status status = LAC_E_MEMORY;
    if (scratch)
        status = read_model(model, arena, scratch, out, err);
    else
        lac_fail(err, status, "no memory to read the model");
    lac_arena_close(scratch);
    onnx__model_proto__free_unpacked(model, NULL);
    return status;
}

lac_status lac_onnx_read(const char *path, lac_arena *arena, lac_graph **out, lac_error *err) {
    lac_arena *file = lac_arena_open();
    if (!file) LAC_FAIL(err, LAC_E_MEMORY, "no memory to read '%s'", path);
    lac_bytes bytes;
    lac_status status = lac_file_read(path, file, &bytes, err);
    if (status == LAC_OK) {
        status = lac_onnx_parse(bytes.data, bytes.n, arena, out, err);
        if (status != LAC_OK) lac_fail_in(err, status, path);
    }
    lac_arena_close(file);
    return status;
}
