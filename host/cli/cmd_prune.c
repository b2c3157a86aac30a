#include "clean.h"
#include "names.h"
#include "prune.h"
#include "prune_report.h"
#include "stage.h"

#include "op.h"

#include <stdlib.h>
#include <string.h>

typedef struct prune_args {
    lac_common_args common;
    const char *input;
    lac_stage_args stage;
    int method, scope, share, reestimate, mesh[2], drain;
    double density, begin, end, macs, bytes, cycles;
    float distill;
    lac_gate_recipe gates;
    int weight_bits, act_bits;
    const char *chart;
    bool no_training, layers, clean, reconstruct;
} prune_args;

static const char *scope_name(int i) {
    static const char *const names[LAC_N_SCOPES] = {"method", "layer", "global"};
    return i < LAC_N_SCOPES ? names[i] : NULL;
}

static const char *share_name(int i) {
    static const char *const names[LAC_N_SHARES] = {"method", "global", "uniform", "erk"};
    return i < LAC_N_SHARES ? names[i] : NULL;
}

#define BUDGET(member, help_text)                                                                            \
    {                                                                                                        \
        .name = #member, .kind = LAC_OPT_DOUBLE, .offset = offsetof(prune_args, member), .lowest = 0,        \
        .highest = 1e15, .group = "Budget of channels", .help = help_text                                    \
    }
#define GATE_REAL(member, the_name, most, fallback_text, help_text)                                          \
    {                                                                                                        \
        .name = the_name, .kind = LAC_OPT_FLOAT, .offset = offsetof(prune_args, gates.member),               \
        .lowest = 1e-6, .highest = most, .fallback = fallback_text, .group = "Trainable gates",              \
        .help = help_text                                                                                    \
    }

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
    {.name = "share",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(prune_args, share),
     .fallback = "method",
     .names = share_name,
     .value = "NAME",
     .group = "Pruning",
     .help =
         "how layers share the density: all compete, the same for each, by size, or as the authors have it"},
    {.name = "no-training",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(prune_args, no_training),
     .group = "Pruning",
     .help = "leave the weights as pruning leaves them"},
    {.name = "clean",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(prune_args, clean),
     .group = "Pruning",
     .help = "also take away what no longer matters: dead channels, weights on no path"},
    {.name = "distill",
     .kind = LAC_OPT_FLOAT,
     .offset = offsetof(prune_args, distill),
     .lowest = 0,
     .highest = 1,
     .fallback = "0",
     .value = "WEIGHT",
     .group = "Pruning",
     .help = "how much the network before pruning has to say in the training; 0: nothing"},
    BUDGET(macs, "multiply-accumulates that stay: a share up to 1, or a number"),
    BUDGET(bytes, "bytes of float parameters that stay: a share or a number"),
    BUDGET(cycles, "engine cycles an image that stay: a share or a number"),
    {.name = "mesh",
     .kind = LAC_OPT_GRID,
     .offset = offsetof(prune_args, mesh),
     .lowest = 1,
     .highest = 64,
     .fallback = "7x7",
     .value = "XxY",
     .group = "Budget of channels",
     .help = "lanes of the engine whose cycles count"},
    {.name = "drain",
     .kind = LAC_OPT_INT,
     .offset = offsetof(prune_args, drain),
     .lowest = 1,
     .highest = 64,
     .fallback = "7",
     .group = "Budget of channels",
     .help = "its results a cycle"},
    {.name = "scope",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(prune_args, scope),
     .fallback = "method",
     .names = scope_name,
     .value = "NAME",
     .group = "Budget of channels",
     .help = "what competes: a layer's channels, all, or as the method's authors have it"},
    {.name = "reconstruct",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(prune_args, reconstruct),
     .group = "Budget of channels",
     .help = "the layers that read pruned channels make up for them, by least squares"},
    {.name = "reestimate",
     .kind = LAC_OPT_INT,
     .offset = offsetof(prune_args, reestimate),
     .lowest = 0,
     .highest = 100000,
     .fallback = "0",
     .value = "BATCHES",
     .group = "Budget of channels",
     .help = "measure batch norm statistics anew after pruning"},
    {.name = "gate-batches",
     .kind = LAC_OPT_INT,
     .offset = offsetof(prune_args, gates.batches),
     .lowest = 1,
     .highest = 1000000,
     .fallback = "200",
     .group = "Trainable gates",
     .help = "steps of training the gates"},
    {.name = "gate-batch",
     .kind = LAC_OPT_INT,
     .offset = offsetof(prune_args, gates.batch),
     .lowest = 1,
     .highest = 4096,
     .fallback = "64",
     .group = "Trainable gates",
     .help = "images a step"},
    GATE_REAL(lr, "gate-lr", 10, "0.6", "learning rate"),
    GATE_REAL(beta, "gate-beta", 1000, "6", "weight of the budget"),
    GATE_REAL(gamma, "gate-gamma", 1000, "0.4", "weight of being open or closed"),
    {.name = "gate-noise",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(prune_args, gates.noise),
     .group = "Trainable gates",
     .help = "closing gates let noise in, like the channel's own values, in place of nothing"},
    {.name = "layers",
     .kind = LAC_OPT_FLAG,
     .unsaved = true,
     .offset = offsetof(prune_args, layers),
     .group = "Report",
     .help = "what is left of every layer"},
    {.name = "chart",
     .kind = LAC_OPT_TEXT,
     .unsaved = true,
     .offset = offsetof(prune_args, chart),
     .value = "FILE",
     .group = "Report",
     .help = "the same as bars, a PNG made by gnuplot"},
    {.name = "weight-bits",
     .kind = LAC_OPT_INT,
     .unsaved = true,
     .offset = offsetof(prune_args, weight_bits),
     .lowest = 1,
     .highest = 8,
     .fallback = "4",
     .group = "Report",
     .help = "of the codes that bytes and bit operations are counted for"},
    {.name = "act-bits",
     .kind = LAC_OPT_INT,
     .unsaved = true,
     .offset = offsetof(prune_args, act_bits),
     .lowest = 1,
     .highest = 8,
     .fallback = "4",
     .group = "Report",
     .help = "likewise, of activations"},
    LAC_RECIPE_OPTIONS(prune_args, "5", "0.05"),
    LAC_COMMON_OPTIONS(prune_args),
};

static void describe(lac_doc *doc, const lac_graph *graph) {
    double all = (double)lac_graph_n_weights(graph, false), left = (double)lac_graph_n_weights(graph, true);
    lac_doc_number(doc, "weights", "weights", all, LAC_DOC_COUNT);
    lac_doc_number(doc, "nonzero_weights", "of which not zero", left, LAC_DOC_COUNT);
    lac_doc_number(doc, "zeros", "zeros", all > 0 ? 1 - left / all : 0, LAC_DOC_PERCENT);
}

static void describe_channels(lac_doc *doc, const lac_prune_config *config) {
    static const char *const units[LAC_N_COST_UNITS] = {"MACs", "bytes", "cycles"};
    const lac_prune_result *r = config->result;
    const char *unit = units[config->budget.unit];
    lac_doc_text(doc, "unit", NULL, "%s", unit);
    lac_doc_number(doc, "cost_before", "before", r->cost_before, LAC_DOC_COUNT);
    lac_doc_number(doc, "cost_after", "after", r->cost_after, LAC_DOC_COUNT);
    lac_doc_number(doc, "target", "target", r->target, LAC_DOC_COUNT);
    lac_doc_number(doc, "closed", "channels closed", r->n_closed, LAC_DOC_COUNT);
    lac_doc_number(doc, "channels", "of", r->n_gates, LAC_DOC_COUNT);
    lac_doc_number(doc, "pruned_accuracy", "right after pruning", r->pruned_accuracy, LAC_DOC_PERCENT);
    lac_doc_number(doc, "prune_seconds", "time to prune", r->prune_seconds, LAC_DOC_SECONDS);
}

static void describe_cleaning(lac_doc *doc, const lac_clean_result *r) {
    lac_doc_number(doc, "folded", "weights folded into biases", (double)r->n_folded, LAC_DOC_COUNT);
    lac_doc_number(doc, "dead", "weights that led nowhere", (double)r->n_dead, LAC_DOC_COUNT);
    lac_doc_number(doc, "unread", "channels that nobody read", r->n_channels, LAC_DOC_COUNT);
}

// One budget at most; a share of 1 is no pruning at all, and 0 is none given.
static lac_status settle_budget(const prune_args *args, lac_prune_config *config, lac_error *err) {
    const double amounts[LAC_N_COST_UNITS] = {args->macs, args->bytes, args->cycles};
    int n = 0;
    for (int u = 0; u < LAC_N_COST_UNITS; u++)
        if (amounts[u] > 0) {
            config->budget = (lac_budget){(lac_cost_unit)u, amounts[u]};
            n++;
        }
    const lac_pruner_desc *method = lac_pruner_row(args->method);
    if (n > 1) LAC_FAIL(err, LAC_E_USAGE, "give one of --macs, --bytes and --cycles, not %d", n);
    if (n > 0 && !method->removes_channels)
        LAC_FAIL(err, LAC_E_USAGE, "--method %s prunes weights: give --density instead of a budget",
                 method->name);
    return LAC_OK;
}

static lac_status report(lac_cli *cli, const prune_args *args, lac_graph *graph, const lac_dataset *data,
                         const lac_account *before, const lac_account_config *account, lac_doc *doc,
                         lac_error *err) {
    LAC_TRY(lac_stage_accuracy(cli, graph, data, "prune", doc, err));
    const char *accuracy = lac_graph_meta(graph, "lacuna.prune.test_accuracy");
    const lac_account after = lac_account_of(graph, account, cli->arena);
    lac_prune_report_totals(doc, before, &after, accuracy ? strtod(accuracy, NULL) : -1, data->test.n);
    if (args->layers) lac_prune_report_layers(doc, &after);
    return args->chart ? lac_prune_chart(args->chart, before, &after, graph->name, err) : LAC_OK;
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const prune_args *args = given;
    if (args->end < args->begin)
        LAC_FAIL(err, LAC_E_USAGE, "--end %g is before --begin %g", args->end, args->begin);
    lac_dataset data;
    lac_graph *graph;
    lac_prune_result result = {.pruned_accuracy = -1};
    lac_prune_config config = {.density = args->density,
                               .begin = args->begin,
                               .end = args->end,
                               .scope = (lac_scope)args->scope,
                               .share = (lac_share)args->share,
                               .engine = {.mesh_x = args->mesh[0],
                                          .mesh_y = args->mesh[1],
                                          .drain = args->drain,
                                          .weight_bits = args->weight_bits},
                               .gates = args->gates,
                               .distill = args->distill,
                               .reconstruct = args->reconstruct,
                               .reestimate_batches = args->reestimate,
                               .no_training = args->no_training,
                               .result = &result};
    LAC_TRY(settle_budget(args, &config, err));
    LAC_TRY(lac_stage_begin(cli, &args->stage, &data, &config.recipe, err));
    LAC_TRY(lac_stage_read(cli, args->input, &graph, err));
    config.recipe.settings = lac_stage_settings(cli, &lac_cmd_prune, args);
    LAC_TRY(lac_stage_hold_out(&args->stage, graph, &data, err));
    const lac_account_config account = {args->weight_bits, args->act_bits, config.engine};
    const lac_account before = lac_account_of(graph, &account, cli->arena);
    double begin_s = lac_now_s();
    LAC_TRY(lac_pruner_row(args->method)->run(graph, &data, &config, &cli->talk, err));

    lac_clean_result cleaned = {0};
    if (args->clean) LAC_TRY(lac_clean(graph, &cleaned, err));

    lac_doc *doc = lac_doc_open(cli->arena);
    lac_stage_record(cli, graph, &lac_cmd_prune, args, &data);
    describe(doc, graph);
    if (args->clean) describe_cleaning(doc, &cleaned);
    if (lac_pruner_row(args->method)->removes_channels) describe_channels(doc, &config);
    lac_doc_number(doc, "seconds", "time", lac_now_s() - begin_s, LAC_DOC_SECONDS);
    lac_status status = report(cli, args, graph, &data, &before, &account, doc, err);
    status = lac_stage_finish(cli, graph, args->stage.output, status, doc, err);
    lac_doc_close(doc);
    return status;
}

const lac_command lac_cmd_prune = {
    .name = "prune",
    .summary = "take weights away, training around it",
    .usage = "prune MODEL --data NAME -o FILE [options]",
    .examples = "lacuna prune float.onnx --density 0.18 --data fashion-mnist -o pruned.onnx\n"
                "lacuna prune float.onnx -d 0.1 --epochs 8 --lr 0.05 --data fashion-mnist -o pruned.onnx\n"
                "lacuna prune float.onnx --method autobot --macs 0.5 --data fashion-mnist -o pruned.onnx",
    .about =
        "A pruned weight is a zero in the file. Later stages keep it zero, and the engine never sees it. A "
        "pruned "
        "channel is gone from the graph. Methods that prune channels take a budget, the others a density.",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(prune_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_UNSUPPORTED, LAC_E_SHAPE,
                                  LAC_E_INTERRUPTED, LAC_OK},
    .run = run,
};
