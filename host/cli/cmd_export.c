#include "onnx.h"
#include "results.h"
#include "stage.h"

typedef struct export_args {
    lac_common_args common;
    const char *input, *output;
    int format;
} export_args;

static const char *format_names(int i) {
    static const char *const names[] = {[LAC_ONNX_QONNX] = "qonnx", [LAC_ONNX_QDQ] = "qdq", NULL};
    return names[i];
}

static const lac_option options[] = {
    {.name = "MODEL",
     .kind = LAC_OPT_TEXT,
     .operand = true,
     .offset = offsetof(export_args, input),
     .value = "FILE",
     .group = "Files",
     .help = "ONNX file to read"},
    {.name = "output",
     .letter = 'o',
     .kind = LAC_OPT_TEXT,
     .required = true,
     .unsaved = true,
     .offset = offsetof(export_args, output),
     .value = "FILE",
     .group = "Files",
     .help = "ONNX file to write"},
    {.name = "format",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(export_args, format),
     .fallback = "qdq",
     .names = format_names,
     .value = "NAME",
     .group = "Files",
     .help = "how quantizers are written: nodes of QONNX, or pairs of standard ONNX"},
    LAC_COMMON_OPTIONS(export_args),
};

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const export_args *args = given;
    lac_graph *graph;
    LAC_TRY(lac_stage_check_output(args->output, err));
    LAC_TRY(lac_stage_read(cli, args->input, &graph, err));
    int quantizers = 0;
    for (int n = 0; n < graph->n_nodes; n++)
        quantizers += graph->nodes[n].op == LAC_OP_QUANT || graph->nodes[n].op == LAC_OP_BIPOLAR_QUANT;
    LAC_TRY(lac_onnx_write_as(graph, (lac_onnx_format)args->format, args->output, err));
    lac_doc *doc = lac_doc_open(cli->arena);
    lac_doc_text(doc, "network", "network", "%s", graph->name);
    lac_doc_number(doc, "quantizers", "quantizers", quantizers, LAC_DOC_COUNT);
    lac_doc_text(doc, "format", "format", "%s", format_names(args->format));
    lac_doc_text(doc, "output", "written", "%s", args->output);
    lac_status status = lac_results_print(cli, doc, lac_stage_stream(args->output), err);
    lac_doc_close(doc);
    return status;
}

const lac_command lac_cmd_export = {
    .name = "export",
    .summary = "write a model for other runtimes: QDQ pairs instead of QONNX nodes",
    .usage = "export MODEL -o FILE [options]",
    .examples = "lacuna export int.onnx -o qdq.onnx               # ONNX Runtime runs it\n"
                "lacuna export int.onnx --format qonnx -o q.onnx",
    .about = "A QDQ file has weights as int8 codes before a DequantizeLinear, and each activation quantizer "
             "as Clip "
             "(below 8 bits), QuantizeLinear and DequantizeLinear: the same arithmetic. `lacuna` itself "
             "reads QONNX.",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(export_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_UNSUPPORTED, LAC_E_SHAPE,
                                  LAC_E_RANGE, LAC_OK},
    .run = run,
};
