#include "names.h"
#include "quantize.h"
#include "stage.h"

typedef struct quantize_args {
    lac_common_args common;
    const char *input;
    lac_stage_args stage;
    int method;
    lac_quant_config config; // the recipe inside is filled from stage
} quantize_args;

static const lac_option options[] = {
    {.name = "MODEL",
     .kind = LAC_OPT_TEXT,
     .operand = true,
     .offset = offsetof(quantize_args, input),
     .value = "FILE",
     .group = "Files",
     .help = "ONNX file to read"},
    LAC_STAGE_FILES(quantize_args),
    {.name = "method",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(quantize_args, method),
     .fallback = "lsq",
     .names = lac_names_quantizers,
     .value = "NAME",
     .group = "Quantization",
     .help = "how to quantize ('lacuna list quantizers')"},
    {.name = "weights",
     .letter = 'w',
     .kind = LAC_OPT_INT,
     .offset = offsetof(quantize_args, config.weight_bits),
     .lowest = 1,
     .highest = 8,
     .fallback = "4",
     .value = "BITS",
     .group = "Quantization",
     .help = "width of weights; 1 is {-1,+1}"},
    {.name = "acts",
     .letter = 'a',
     .kind = LAC_OPT_INT,
     .offset = offsetof(quantize_args, config.act_bits),
     .lowest = 1,
     .highest = 8,
     .fallback = "4",
     .value = "BITS",
     .group = "Quantization",
     .help = "width of activations"},
    {.name = "ternary",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(quantize_args, config.ternary),
     .group = "Quantization",
     .help = "weights in {-1,0,+1}; --weights is then ignored"},
    {.name = "first",
     .kind = LAC_OPT_INT,
     .offset = offsetof(quantize_args, config.first_bits),
     .lowest = 0,
     .highest = 8,
     .fallback = "0",
     .value = "BITS",
     .group = "Quantization",
     .help = "width of the first layer's weights; 0 is as the rest"},
    {.name = "last",
     .kind = LAC_OPT_INT,
     .offset = offsetof(quantize_args, config.last_bits),
     .lowest = 0,
     .highest = 8,
     .fallback = "0",
     .value = "BITS",
     .group = "Quantization",
     .help = "width of the last layer's weights and input; 0 is as the rest"},
    {.name = "scale-lr",
     .kind = LAC_OPT_FLOAT,
     .offset = offsetof(quantize_args, stage.recipe.scale_lr),
     .lowest = 0.0001,
     .highest = 1000,
     .fallback = "1",
     .group = "Quantization",
     .help = "learning rate of the quantizers' scales, relative to --lr"},
    {.name = "freeze-batch-norm",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(quantize_args, stage.recipe.freeze_batch_norm),
     .group = "Quantization",
     .help = "keep the running statistics as they are"},
    LAC_RECIPE_OPTIONS(quantize_args, "5", "0.02"),
    LAC_COMMON_OPTIONS(quantize_args),
};

/// Lowers the graph and measures it as integers: the accuracy that counts.
static lac_status describe_integers(lac_cli *cli, lac_graph *graph, const lac_dataset *data, lac_doc *doc,
                                    lac_error *err) {
    lac_int_graph *integers;
    double validation, test;
    LAC_TRY(lac_lower(graph, data, cli->arena, &integers, err));
    LAC_TRY(lac_int_accuracy(cli, integers, &data->validation, &validation, err));
    LAC_TRY(lac_int_accuracy(cli, integers, &data->test, &test, err));
    double all = (double)lac_int_graph_n_weights(integers, false);
    double left = (double)lac_int_graph_n_weights(integers, true);
    double zeros = all > 0 ? 1 - left / all : 0;
    lac_doc_number(doc, "int_validation_accuracy", "as integers, validation", validation, LAC_DOC_PERCENT);
    lac_doc_number(doc, "int_test_accuracy", "as integers, test", test, LAC_DOC_PERCENT);
    lac_doc_number(doc, "weights", "weights", all, LAC_DOC_COUNT);
    lac_doc_number(doc, "nonzero_weights", "of which not zero", left, LAC_DOC_COUNT);
    lac_doc_number(doc, "zeros", "zeros", zeros, LAC_DOC_PERCENT);
    lac_doc_number(doc, "macs", "MACs an image", (double)lac_int_graph_macs(integers, false), LAC_DOC_COUNT);
    lac_doc_number(doc, "nonzero_macs", "of which not zero", (double)lac_int_graph_macs(integers, true),
                   LAC_DOC_COUNT);
    lac_stage_record_number(cli, graph, "quantize", "int_validation_accuracy", validation);
    lac_stage_record_number(cli, graph, "quantize", "int_test_accuracy", test);
    lac_stage_record_number(cli, graph, "quantize", "zeros", zeros);
    return LAC_OK;
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const quantize_args *args = given;
    lac_dataset data;
    lac_graph *graph;
    lac_quant_config config = args->config;
    LAC_TRY(lac_stage_begin(cli, &args->stage, &data, &config.recipe, err));
    LAC_TRY(lac_stage_read(cli, args->input, &graph, err));
    double begin_s = lac_now_s();
    LAC_TRY(lac_quantizer_row(args->method)->run(graph, &data, &config, &cli->talk, err));

    lac_doc *doc = lac_doc_open(cli->arena);
    lac_stage_record(cli, graph, &lac_cmd_quantize, args, &data);
    lac_doc_number(doc, "seconds", "time", lac_now_s() - begin_s, LAC_DOC_SECONDS);
    lac_status status = lac_stage_accuracy(cli, graph, &data, "quantize", doc, err);
    if (status == LAC_OK) status = describe_integers(cli, graph, &data, doc, err);
    status = lac_stage_finish(cli, graph, args->stage.output, status, doc, err);
    lac_doc_close(doc);
    return status;
}

const lac_command lac_cmd_quantize = {
    .name = "quantize",
    .summary = "make weights and activations narrow integers, with fine-tuning",
    .usage = "quantize MODEL --data NAME -o FILE [options]",
    .examples = "lacuna quantize pruned.onnx --weights 4 --acts 4 --first 8 --last 8 --data fashion-mnist -o "
                "int.onnx\n"
                "lacuna quantize pruned.onnx --ternary --acts 4 --data fashion-mnist -o ternary.onnx\n"
                "lacuna quantize pruned.onnx -w 1 -a 2 --epochs 20 --data fashion-mnist -o tiny.onnx",
    .about = "Writes ONNX with QONNX Quant and BipolarQuant nodes. The accuracy that counts is the integer "
             "graph's, "
             "which is what every device computes; the fake-quantized float accuracy is printed beside it.",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(quantize_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_UNSUPPORTED, LAC_E_SHAPE,
                                  LAC_E_RANGE, LAC_E_INTERRUPTED, LAC_OK},
    .run = run,
};
