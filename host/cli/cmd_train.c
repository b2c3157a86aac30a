#include "curve.h"
#include "names.h"
#include "onnx.h"
#include "op.h"
#include "stage.h"

#include <string.h>
#include <unistd.h>

typedef struct train_args {
    lac_common_args common;
    const char *net, *best, *teacher, *curve;
    lac_stage_args stage;
    float teacher_weight, temperature, hint_weight;
    const char *hint;
} train_args;

#define TRAIN_REAL(member, the_name, low, high, fallback_text, group_text, help_text)                        \
    {                                                                                                        \
        .name = the_name, .kind = LAC_OPT_FLOAT, .offset = offsetof(train_args, member), .lowest = low,      \
        .highest = high, .fallback = fallback_text, .group = group_text, .help = help_text                   \
    }
#define TRAIN_FILE(member, the_name, is_unsaved, group_text, help_text)                                      \
    {                                                                                                        \
        .name = the_name, .kind = LAC_OPT_TEXT, .unsaved = is_unsaved,                                       \
        .offset = offsetof(train_args, member), .value = "FILE", .group = group_text, .help = help_text      \
    }

static const char more[] = "Further recipe", distil[] = "Distillation", output[] = "Output";

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
    TRAIN_FILE(best, "best", true, output, "also write the epoch with the best validation accuracy, as ONNX"),
    TRAIN_FILE(curve, "curve", true, output, "draw the learning curve as PNG (needs --metrics, and gnuplot)"),
    TRAIN_REAL(stage.recipe.step_epochs, "step-epochs", 0, 10000, "0", more,
               "schedule step: epochs to the next step; 0 is a third of all"),
    TRAIN_REAL(stage.recipe.step_factor, "step-factor", 0.001, 1, "0.1", more,
               "schedule step: what lr is multiplied by"),
    TRAIN_REAL(stage.recipe.clip, "clip", 0, 1e6, "0", more,
               "largest norm of all gradients together; 0 is any"),
    TRAIN_REAL(stage.recipe.ema, "ema", 0, 0.99999, "0", more,
               "decay of an average of the weights, which is kept"),
    {.name = "patience",
     .kind = LAC_OPT_INT,
     .offset = offsetof(train_args, stage.recipe.patience),
     .lowest = 0,
     .highest = 1e6,
     .fallback = "0",
     .group = more,
     .help = "stop after so many epochs without a better validation accuracy"},
    TRAIN_FILE(teacher, "teacher", false, distil, "an .onnx network to learn from, besides the labels"),
    TRAIN_REAL(teacher_weight, "teacher-weight", 0.01, 1, "0.5", distil, "its share in the loss"),
    TRAIN_REAL(temperature, "temperature", 0.1, 100, "4", distil, "what logits are divided by for it"),
    {.name = "hint",
     .kind = LAC_OPT_TEXT,
     .offset = offsetof(train_args, hint),
     .value = "VALUE[=VALUE],...",
     .group = distil,
     .help = "pull values of the network to the teacher's (=: of another name)"},
    TRAIN_REAL(hint_weight, "hint-weight", 0.0001, 1e4, "1", distil, "of the mean squared distance"),
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

static lac_status find_value(const lac_graph *graph, const char *name, size_t n, int *out, lac_error *err) {
    for (int v = 0; v < graph->n_values; v++)
        if (!graph->values[v].data && strlen(graph->values[v].name) == n &&
            memcmp(graph->values[v].name, name, n) == 0) {
            *out = v;
            return LAC_OK;
        }
    LAC_FAIL(err, LAC_E_USAGE,
             "--hint: network '%s' has no value '%.*s'; its values have the names of its nodes", graph->name,
             (int)n, name);
}

// "VALUE[=VALUE],...": the student's, and the teacher's where it is named otherwise.
static lac_status make_hints(lac_cli *cli, const char *text, const lac_graph *graph, const lac_graph *teacher,
                             lac_distillation *lesson, lac_error *err) {
    lac_hint *hints = LAC_NEW_ARRAY(cli->arena, lac_hint, strlen(text));
    for (const char *rest = text; *rest; rest += *rest == ',') {
        size_t n = strcspn(rest, "=,"), n_other = n;
        const char *other = rest;
        if (rest[n] == '=') n_other = strcspn(other = rest + n + 1, ",");
        lac_hint *hint = &hints[lesson->n_hints++];
        LAC_TRY(find_value(graph, rest, n, &hint->value, err));
        LAC_TRY(find_value(teacher, other, n_other, &hint->teacher_value, err));
        rest = other + n_other;
    }
    lesson->hints = hints;
    return LAC_OK;
}

// What the teacher's options say; hook->distillation stays NULL without one.
static lac_status make_lesson(lac_cli *cli, const train_args *args, const lac_graph *graph,
                              lac_train_hook *hook, lac_error *err) {
    if (!args->teacher && args->hint)
        LAC_FAIL(err, LAC_E_USAGE, "--hint '%s' needs a --teacher that has the value", args->hint);
    if (!args->teacher) return LAC_OK;
    lac_graph *teacher;
    LAC_TRY(lac_stage_read(cli, args->teacher, &teacher, err));
    lac_distillation *lesson = LAC_NEW(cli->arena, lac_distillation);
    *lesson = (lac_distillation){.teacher = teacher,
                                 .weight = args->teacher_weight,
                                 .temperature = args->temperature,
                                 .hint_weight = args->hint_weight};
    hook->distillation = lesson;
    if (!args->hint) return LAC_OK;
    return make_hints(cli, args->hint, graph, teacher, lesson, err);
}

static int64_t n_parameters(const lac_graph *graph) {
    int64_t n = 0;
    for (int v = 0; v < graph->n_values; v++)
        if (graph->values[v].trainable) n += lac_shape_count(graph->values[v].shape);
    return n;
}

static void tell(const lac_graph *graph, const lac_dataset *data, const lac_train_result *result,
                 lac_doc *doc) {
    lac_doc_text(doc, "network", "network", "%s", graph->name);
    lac_doc_number(doc, "parameters", "parameters", (double)n_parameters(graph), LAC_DOC_COUNT);
    lac_doc_number(doc, "weights", "weights", (double)lac_graph_n_weights(graph, false), LAC_DOC_COUNT);
    lac_doc_number(doc, "macs", "MACs an image", (double)lac_graph_conv_macs(graph), LAC_DOC_COUNT);
    lac_doc_number(doc, "train_loss", "training loss", result->train_loss, LAC_DOC_REAL);
    lac_doc_number(doc, "epochs", result->stopped_early ? "epochs, stopped early" : "epochs", result->epochs,
                   LAC_DOC_REAL);
    lac_doc_number(doc, "seconds", "time", result->seconds, LAC_DOC_SECONDS);
    lac_doc_number(doc, "images_per_s", "images/s", result->images_per_s, LAC_DOC_COUNT);
    if (data->validation.n == 0) return;
    lac_doc_number(doc, "best_epoch", "best epoch", result->best_epoch, LAC_DOC_REAL);
    lac_doc_number(doc, "best_validation_accuracy", "its validation accuracy",
                   result->best_validation_accuracy, LAC_DOC_PERCENT);
}

// The epoch that validation chose: its test accuracy beside the last epoch's, and its file.
static lac_status finish_best(lac_cli *cli, const train_args *args, const lac_dataset *data, lac_graph *best,
                              lac_doc *doc, lac_error *err) {
    lac_eval_result test;
    if (!best) return LAC_OK;
    LAC_TRY(lac_evaluate(best, data, &data->test, 0, &cli->talk, &test, err));
    lac_doc_number(doc, "best_test_accuracy", "its test accuracy", test.accuracy, LAC_DOC_PERCENT);
    if (!args->best) return LAC_OK;
    lac_stage_record(cli, best, &lac_cmd_train, args, data);
    lac_stage_record_number(cli, best, "train", "test_accuracy", test.accuracy);
    return lac_onnx_write(best, args->best, err);
}

static lac_status begin(lac_cli *cli, const train_args *args, lac_dataset *data, lac_recipe *recipe,
                        lac_graph **graph, lac_error *err) {
    LAC_TRY(check_net(args, err));
    if (args->curve && !args->stage.recipe.metrics)
        LAC_FAIL(err, LAC_E_USAGE, "--curve '%s' is drawn from the metrics; give --metrics FILE too",
                 args->curve);
    if (args->best) LAC_TRY(lac_stage_check_output(args->best, err));
    LAC_TRY(lac_stage_begin(cli, &args->stage, data, recipe, err));
    LAC_TRY(make_graph(cli, args, data, graph, err));
    LAC_TRY(lac_stage_hold_out(&args->stage, *graph, data, err));
    if (args->best && data->validation.n == 0)
        LAC_FAIL(err, LAC_E_USAGE, "--best '%s' needs validation images; give --validation N above 0",
                 args->best);
    return LAC_OK;
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const train_args *args = given;
    lac_dataset data;
    lac_recipe recipe;
    lac_graph *graph;
    lac_train_hook hook = {0};
    lac_train_result result;
    LAC_TRY(begin(cli, args, &data, &recipe, &graph, err));
    LAC_TRY(make_lesson(cli, args, graph, &hook, err));
    if (data.validation.n > 0) hook.best = lac_graph_copy(graph, cli->arena);
    LAC_TRY(lac_train(graph, &data, &recipe, &hook, &cli->talk, &result, err));

    lac_doc *doc = lac_doc_open(cli->arena);
    lac_stage_record(cli, graph, &lac_cmd_train, args, &data);
    tell(graph, &data, &result, doc);
    lac_status status = finish_best(cli, args, &data, hook.best, doc, err);
    if (status == LAC_OK) status = lac_stage_accuracy(cli, graph, &data, "train", doc, err);
    if (status == LAC_OK && args->curve) status = lac_curve_draw(recipe.metrics, args->curve, err);
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
        "lacuna train lacuna-tiny --data mnist:/data/mnist -o digits.onnx             # files elsewhere\n"
        "lacuna train resnet8 --data cifar10:DIR --epochs 60 --crop 4 --flip --precision bf16 -o r8.onnx\n"
        "lacuna train resnet8 --data cifar10:DIR --teacher big.onnx --temperature 4 -o small.onnx",
    .about = "The last 5,000 training images are held out (of a small data set, a tenth): every choice is "
             "made on their "
             "accuracy, and the test accuracy is only reported, for the last epoch and for the best one by "
             "validation. "
             "The last is written. The recipe and the results are stored in the file (lacuna info FILE).",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(train_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_UNSUPPORTED, LAC_E_SHAPE,
                                  LAC_E_INTERRUPTED, LAC_OK},
    .run = run,
};
