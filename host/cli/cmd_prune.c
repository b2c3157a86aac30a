#include "names.h"
#include "prune.h"
#include "stage.h"

#include "op.h"

#include <string.h>

typedef struct prune_args {
    lac_common_args common;
    const char *input;
    lac_stage_args stage;
    int method;
    double density, begin, end;
} prune_args;

static const lac_option options[] = {
    {.name = "MODEL",
     .kind = LAC_OPT_TEXT,
     .operand = true,
     .offset = offsetof(prune_args, input),
     .value = "FILE",
     .group = "Files",
     .help = "ONNX file to read"},
    LAC_STAGE_FILES(prune_args),
    {.name = "method",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(prune_args, method),
     .fallback = "magnitude",
     .names = lac_names_pruners,
     .value = "NAME",
     .group = "Pruning",
     .help = "how to choose ('lacuna list pruners')"},
    {.name = "density",
     .letter = 'd',
     .kind = LAC_OPT_DOUBLE,
     .offset = offsetof(prune_args, density),
     .lowest = 0.001,
     .highest = 1,
     .fallback = "0.2",
     .group = "Pruning",
     .help = "share of the weights that stays"},
    {.name = "begin",
     .kind = LAC_OPT_DOUBLE,
     .offset = offsetof(prune_args, begin),
     .lowest = 0,
     .highest = 1,
     .fallback = "0",
     .group = "Pruning",
     .help = "part of the training at which pruning begins"},
    {.name = "end",
     .kind = LAC_OPT_DOUBLE,
     .offset = offsetof(prune_args, end),
     .lowest = 0,
     .highest = 1,
     .fallback = "0.6",
     .group = "Pruning",
     .help = "part of the training at which the density is reached"},
    LAC_RECIPE_OPTIONS(prune_args, "5", "0.05"),
    LAC_COMMON_OPTIONS(prune_args),
};

static void describe(lac_doc *doc, const lac_graph *graph) {
    double all = (double)lac_graph_n_weights(graph, false), left = (double)lac_graph_n_weights(graph, true);
    lac_doc_number(doc, "weights", "weights", all, LAC_DOC_COUNT);
    lac_doc_number(doc, "nonzero_weights", "of which not zero", left, LAC_DOC_COUNT);
    lac_doc_number(doc, "zeros", "zeros", all > 0 ? 1 - left / all : 0, LAC_DOC_PERCENT);
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const prune_args *args = given;
    if (args->end < args->begin)
        LAC_FAIL(err, LAC_E_USAGE, "--end %g is before --begin %g", args->end, args->begin);
    lac_dataset data;
    lac_graph *graph;
    lac_prune_config config = {.density = args->density, .begin = args->begin, .end = args->end};
    LAC_TRY(lac_stage_begin(cli, &args->stage, &data, &config.recipe, err));
    LAC_TRY(lac_stage_read(cli, args->input, &graph, err));
    double begin_s = lac_now_s();
    LAC_TRY(lac_pruner_row(args->method)->run(graph, &data, &config, &cli->talk, err));

    lac_doc *doc = lac_doc_open(cli->arena);
    lac_stage_record(cli, graph, &lac_cmd_prune, args, &data);
    describe(doc, graph);
    lac_doc_number(doc, "seconds", "time", lac_now_s() - begin_s, LAC_DOC_SECONDS);
    lac_status status = lac_stage_accuracy(cli, graph, &data, "prune", doc, err);
    status = lac_stage_finish(cli, graph, args->stage.output, status, doc, err);
    lac_doc_close(doc);
    return status;
}

const lac_command lac_cmd_prune = {
    .name = "prune",
    .summary = "take weights away, training around it",
    .usage = "prune MODEL --data NAME -o FILE [options]",
    .examples = "lacuna prune float.onnx --density 0.18 --data fashion-mnist -o pruned.onnx\n"
                "lacuna prune float.onnx -d 0.1 --epochs 8 --lr 0.05 --data fashion-mnist -o pruned.onnx",
    .about =
        "A pruned weight is a zero in the file. Later stages keep it zero, and the engine never sees it.",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(prune_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_UNSUPPORTED, LAC_E_SHAPE,
                                  LAC_E_INTERRUPTED, LAC_OK},
    .run = run,
};
