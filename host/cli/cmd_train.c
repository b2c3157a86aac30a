#include "names.h"
#include "onnx.h"
#include "op.h"
#include "stage.h"

#include <string.h>
#include <unistd.h>

typedef struct train_args {
    lac_common_args common;
    const char *net;
    lac_stage_args stage;
} train_args;

static const lac_option options[] = {
    {.name = "NET",
     .kind = LAC_OPT_TEXT,
     .operand = true,
     .offset = offsetof(train_args, net),
     .value = "name or .onnx file",
     .group = "Files",
     .help = "a network of 'lacuna list nets', or an .onnx file to train further"},
    LAC_STAGE_FILES(train_args),
    LAC_RECIPE_OPTIONS(train_args, "10", "0.1"),
    LAC_COMMON_OPTIONS(train_args),
};

static const lac_net_desc *find_net(const char *name) {
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, name) == 0) return lac_net_row(i);
    return NULL;
}

static bool looks_like_file(const char *text) {
    return strcmp(text, "-") == 0 || strchr(text, '/') || strstr(text, ".onnx") || access(text, F_OK) == 0;
}

/// Refuses a word that is neither a network nor a file, before anything else is read.
static lac_status check_net(const train_args *args, lac_error *err) {
    if (find_net(args->net) || looks_like_file(args->net)) return LAC_OK;
    const char *near = lac_option_nearest(args->net, lac_names_nets);
    if (near)
        LAC_FAIL(err, LAC_E_USAGE, "there is no network '%s' and no such file; did you mean '%s'?", args->net,
                 near);
    LAC_FAIL(err, LAC_E_USAGE, "there is no network '%s' and no such file; 'lacuna list nets' shows all",
             args->net);
}

static lac_status make_graph(lac_cli *cli, const train_args *args, const lac_dataset *data, lac_graph **out,
                             lac_error *err) {
    const lac_net_desc *net = find_net(args->net);
    if (!net) return lac_stage_read(cli, args->net, out, err);
    *out = net->build(cli->arena, data->c, data->h, data->w, data->n_classes, args->stage.recipe.seed);
    return lac_graph_infer(*out, err);
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const train_args *args = given;
    lac_dataset data;
    lac_recipe recipe;
    lac_graph *graph;
    lac_train_result result;
    LAC_TRY(check_net(args, err));
    LAC_TRY(lac_stage_begin(cli, &args->stage, &data, &recipe, err));
    LAC_TRY(make_graph(cli, args, &data, &graph, err));
    LAC_TRY(lac_train(graph, &data, &recipe, NULL, &cli->talk, &result, err));

    lac_doc *doc = lac_doc_open(cli->arena);
    lac_stage_record(cli, graph, &lac_cmd_train, args, &data);
    lac_doc_text(doc, "network", "network", "%s", graph->name);
    lac_doc_number(doc, "weights", "weights", (double)lac_graph_n_weights(graph, false), LAC_DOC_COUNT);
    lac_doc_number(doc, "macs", "MACs an image", (double)lac_graph_conv_macs(graph), LAC_DOC_COUNT);
    lac_doc_number(doc, "train_loss", "training loss", result.train_loss, LAC_DOC_REAL);
    lac_doc_number(doc, "seconds", "time", result.seconds, LAC_DOC_SECONDS);
    lac_doc_number(doc, "images_per_s", "images/s", result.images_per_s, LAC_DOC_COUNT);
    lac_status status = lac_stage_accuracy(cli, graph, &data, "train", doc, err);
    status = lac_stage_finish(cli, graph, args->stage.output, status, doc, err);
    lac_doc_close(doc);
    return status;
}

const lac_command lac_cmd_train = {
    .name = "train",
    .summary = "train a network in float",
    .usage = "train NET --data NAME -o FILE [options]",
    .examples =
        "lacuna train lacuna-tiny --data fashion-mnist -o float.onnx\n"
        "lacuna train lacuna-tiny --data fashion-mnist --epochs 5 --lr 0.2 --seed 7 -o float.onnx\n"
        "lacuna train float.onnx --data fashion-mnist --epochs 2 --lr 0.01 -o better.onnx   # train further\n"
        "lacuna train lacuna-tiny --data mnist:/data/mnist -o digits.onnx             # files elsewhere",
    .about =
        "The last 5,000 training images are held out: every choice is made on their accuracy, and the test "
        "accuracy is only reported. The recipe and the results are stored in the file (lacuna info FILE).",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(train_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_UNSUPPORTED, LAC_E_SHAPE,
                                  LAC_E_INTERRUPTED, LAC_OK},
    .run = run,
};
