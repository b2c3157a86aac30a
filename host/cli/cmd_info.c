#include "file.h"
#include "image_doc.h"
#include "onnx.h"
#include "op.h"
#include "results.h"
#include "stage.h"

#include <string.h>

typedef struct info_args {
    lac_common_args common;
    const char *input;
    bool meta;
} info_args;

static const lac_option options[] = {
    {.name = "FILE",
     .kind = LAC_OPT_TEXT,
     .operand = true,
     .offset = offsetof(info_args, input),
     .value = "FILE",
     .group = "Files",
     .help = "model (.onnx) or program image (.lac)"},
    {.name = "meta",
     .letter = 'm',
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(info_args, meta),
     .group = "Output",
     .help = "print the recipes and results that are stored in the file, instead of the layers"},
    LAC_COMMON_OPTIONS(info_args),
};

static void describe_meta(lac_doc *doc, const lac_meta *meta, int n) {
    lac_doc_table_begin(doc, "meta", "key|text", "<key|<text");
    for (int i = 0; i < n; i++) {
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", meta[i].key);
        lac_doc_cell_text(doc, "%s", meta[i].text);
    }
    lac_doc_table_end(doc);
}

static uint64_t count(const lac_value *value, bool nonzero_only) {
    uint64_t n = 0;
    for (int64_t i = 0; i < lac_shape_count(value->shape); i++) n += !nonzero_only || value->data[i] != 0.0f;
    return n;
}

static void describe_node(lac_doc *doc, const lac_graph *graph, const lac_node *node) {
    char shape[96];
    uint64_t all = 0, left = 0;
    for (int i = 0; i < node->n_in; i++) {
        const lac_value *value = &graph->values[node->in[i]];
        if (!value->data) continue;
        all += count(value, false);
        left += count(value, true);
    }
    const lac_op_desc *desc = lac_op_row(node->op);
    lac_doc_row(doc);
    lac_doc_cell_text(doc, "%s", node->name);
    lac_doc_cell_text(doc, "%s", lac_op_name(node->op));
    lac_doc_cell_text(doc, "%s", lac_shape_print(graph->values[node->out].shape, shape));
    lac_doc_cell(doc, (double)all, LAC_DOC_COUNT);
    lac_doc_cell(doc, (double)left, LAC_DOC_COUNT);
    lac_doc_cell(doc, desc->macs ? (double)desc->macs(graph, node) : 0, LAC_DOC_COUNT);
    if (node->op == LAC_OP_QUANT)
        lac_doc_cell(doc, node->attr.quant.bits, LAC_DOC_COUNT);
    else if (node->op == LAC_OP_BIPOLAR_QUANT)
        lac_doc_cell(doc, 1, LAC_DOC_COUNT);
    else
        lac_doc_cell_none(doc);
}

static void describe_nodes(lac_doc *doc, const lac_graph *graph) {
    lac_doc_table_begin(doc, "nodes", "name|op|output|constants|nonzero|macs|bits",
                        "<node|<op|<output|constants|not zero|MACs|bits");
    for (int i = 0; i < graph->n_nodes; i++) describe_node(doc, graph, &graph->nodes[i]);
    lac_doc_table_end(doc);
}

static void describe_graph(lac_doc *doc, const lac_graph *graph) {
    char shape[96];
    double all = (double)lac_graph_n_weights(graph, false), left = (double)lac_graph_n_weights(graph, true);
    const char *stages = lac_graph_meta(graph, "lacuna.stages");
    lac_doc_text(doc, "kind", "file", "ONNX model");
    lac_doc_text(doc, "network", "network", "%s", graph->name);
    lac_doc_text(doc, "stages", "stages", "%s", stages ? stages : "none recorded");
    lac_doc_text(doc, "input", "input", "%s", lac_shape_print(graph->values[graph->input].shape, shape));
    lac_doc_text(doc, "outputs", "output", "%s", lac_shape_print(graph->values[graph->output].shape, shape));
    lac_doc_number(doc, "weights", "weights", all, LAC_DOC_COUNT);
    lac_doc_number(doc, "nonzero_weights", "of which not zero", left, LAC_DOC_COUNT);
    lac_doc_number(doc, "zeros", "zeros", all > 0 ? 1 - left / all : 0, LAC_DOC_PERCENT);
    lac_doc_number(doc, "macs", "MACs an image", (double)lac_graph_conv_macs(graph), LAC_DOC_COUNT);
}

static lac_status describe_onnx(lac_cli *cli, const info_args *args, const lac_bytes *bytes, lac_doc *doc,
                                lac_error *err) {
    lac_graph *graph;
    lac_status status = lac_onnx_parse(bytes->data, bytes->n, cli->arena, &graph, err);
    if (status == LAC_OK) status = lac_graph_infer(graph, err);
    if (status != LAC_OK) return lac_fail_in(err, status, args->input);
    describe_graph(doc, graph);
    if (!args->meta || cli->common.json) describe_nodes(doc, graph);
    if (args->meta || cli->common.json) describe_meta(doc, graph->meta, graph->n_meta);
    return LAC_OK;
}

static lac_status describe_image(lac_cli *cli, const info_args *args, const lac_bytes *bytes, lac_doc *doc,
                                 lac_error *err) {
    lac_image *image;
    LAC_TRY(lac_image_parse(bytes->data, bytes->n, args->input, cli->arena, &image, err));
    lac_doc_text(doc, "kind", "file", "program image");
    lac_image_describe(doc, image, bytes->n);
    if (!args->meta || cli->common.json) lac_image_describe_steps(doc, image, cli->arena);
    if (args->meta || cli->common.json) describe_meta(doc, image->meta, image->n_meta);
    return LAC_OK;
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const info_args *args = given;
    lac_bytes bytes;
    LAC_TRY(lac_file_read(args->input, cli->arena, &bytes, err));
    lac_doc *doc = lac_doc_open(cli->arena);
    bool is_image = bytes.n >= 4 && memcmp(bytes.data, "LAC1", 4) == 0;
    lac_status status =
        is_image ? describe_image(cli, args, &bytes, doc, err) : describe_onnx(cli, args, &bytes, doc, err);
    if (status == LAC_OK) status = lac_results_print(cli, doc, stdout, err);
    lac_doc_close(doc);
    return status;
}

const lac_command lac_cmd_info = {
    .name = "info",
    .summary = "summarise a model or a program image",
    .usage = "info FILE [options]",
    .examples = "lacuna info int.onnx\n"
                "lacuna info int.onnx --meta          # recipes and accuracies of all stages\n"
                "lacuna info model.lac --json | jq .steps",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(info_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_UNSUPPORTED, LAC_E_SHAPE,
                                  LAC_E_RANGE, LAC_E_CONTRACT, LAC_OK},
    .run = run,
};
