#include "onnx.h"
#include "op.h"
#include "results.h"
#include "stage.h"

typedef struct import_args {
    lac_common_args common;
    const char *input, *output;
} import_args;

static const lac_option options[] = {
    {.name = "MODEL",
     .kind = LAC_OPT_TEXT,
     .operand = true,
     .offset = offsetof(import_args, input),
     .value = "FILE",
     .group = "Files",
     .help = "ONNX file to read"},
    {.name = "output",
     .letter = 'o',
     .kind = LAC_OPT_TEXT,
     .unsaved = true,
     .offset = offsetof(import_args, output),
     .value = "FILE",
     .group = "Files",
     .help = "clean ONNX file to write; without it the model is only checked"},
    LAC_COMMON_OPTIONS(import_args),
};

static void describe_ops(lac_doc *doc, const lac_graph *graph) {
    lac_doc_table_begin(doc, "ops", "op|nodes|macs", "<op|nodes|MACs");
    for (int op = 0; op < LAC_N_OPS; op++) {
        int n = 0;
        uint64_t macs = 0;
        const lac_op_desc *desc = lac_op_row((lac_op)op);
        for (int i = 0; i < graph->n_nodes; i++) {
            if ((int)graph->nodes[i].op != op) continue;
            n++;
            macs += desc->macs ? desc->macs(graph, &graph->nodes[i]) : 0;
        }
        if (!n) continue;
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", lac_op_name((lac_op)op));
        lac_doc_cell(doc, n, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)macs, LAC_DOC_COUNT);
    }
    lac_doc_table_end(doc);
}

static lac_status finish(lac_cli *cli, const import_args *args, const lac_graph *graph, lac_doc *doc,
                         lac_error *err) {
    if (args->output) return lac_stage_finish(cli, graph, args->output, LAC_OK, doc, err);
    return lac_results_print(cli, doc, stdout, err);
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const import_args *args = given;
    lac_graph *graph;
    char shape[96];
    if (args->output) LAC_TRY(lac_stage_check_output(args->output, err));
    LAC_TRY(lac_stage_read(cli, args->input, &graph, err));
    LAC_TRY(lac_graph_tidy(graph, err));
    lac_doc *doc = lac_doc_open(cli->arena);
    lac_doc_text(doc, "network", "network", "%s", graph->name);
    lac_doc_text(doc, "input", "input", "%s", lac_shape_print(graph->values[graph->input].shape, shape));
    lac_doc_text(doc, "outputs", "output", "%s", lac_shape_print(graph->values[graph->output].shape, shape));
    lac_doc_number(doc, "weights", "weights", (double)lac_graph_n_weights(graph, false), LAC_DOC_COUNT);
    lac_doc_number(doc, "nonzero_weights", "of which not zero", (double)lac_graph_n_weights(graph, true),
                   LAC_DOC_COUNT);
    const char *note = lac_graph_meta(graph, "lacuna.import.note");
    if (note) lac_doc_text(doc, "note", "note", "%s", note);
    describe_ops(doc, graph);
    lac_graph_set_meta(graph, "lacuna.import.command", cli->line);
    lac_status status = finish(cli, args, graph, doc, err);
    lac_doc_close(doc);
    return status;
}

const lac_command lac_cmd_import = {
    .name = "import",
    .summary = "check a foreign ONNX model and write it cleanly",
    .usage = "import MODEL [-o FILE] [options]",
    .examples = "lacuna import model.onnx                  # is everything in it supported?\n"
                "lacuna import model.onnx -o clean.onnx\n"
                "curl -s https://example.org/model.onnx | lacuna import - -o clean.onnx",
    .about = "Every attribute is honoured or refused by name: nothing is skipped in silence.",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(import_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_UNSUPPORTED, LAC_E_SHAPE,
                                  LAC_E_RANGE, LAC_OK},
    .run = run,
};
