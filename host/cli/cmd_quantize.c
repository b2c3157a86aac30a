#include "names.h"
#include "ptq.h"
#include "quant_doc.h"
#include "quantize.h"
#include "stage.h"
#include "widths_file.h"

#include <math.h>

typedef struct quantize_args {
    lac_common_args common;
    const char *input;
    lac_stage_args stage;
    int method, images, iterations;
    const char *per_layer, *save_widths, *teacher;
    lac_mixed_config mixed;
    int budget; // 0: none, else lac_budget_kind + 1
    bool report, compare;
    int limit;
    lac_quant_config config; // the recipe inside is filled from stage
} quantize_args;

_Static_assert(sizeof(lac_range_kind) == sizeof(int) && sizeof(lac_search_kind) == sizeof(int) &&
                   sizeof(lac_sensitivity_kind) == sizeof(int),
               "options store table positions as int");

static const char *budget_names(int i) {
    return i == 0 ? "none" : lac_budget_name(i - 1);
}

static const char *search_names(int i) {
    static const char *const names[] = {[LAC_SEARCH_DP] = "dp", [LAC_SEARCH_GREEDY] = "greedy", NULL};
    return names[i];
}

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
    {.name = "distill",
     .kind = LAC_OPT_FLOAT,
     .offset = offsetof(quantize_args, config.distill),
     .lowest = 0,
     .highest = 1,
     .fallback = "0",
     .value = "WEIGHT",
     .group = "Quantization",
     .help = "how much the float network has to say in the training; 0: nothing"},
    {.name = "temperature",
     .kind = LAC_OPT_FLOAT,
     .offset = offsetof(quantize_args, config.temperature),
     .lowest = 0.1,
     .highest = 100,
     .fallback = "4",
     .group = "Quantization",
     .help = "softens its answers, and those they are compared with"},
    {.name = "teacher",
     .kind = LAC_OPT_TEXT,
     .offset = offsetof(quantize_args, teacher),
     .value = "FILE",
     .group = "Quantization",
     .help = "another .onnx network for --distill, instead of MODEL itself"},
    {.name = "range",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(quantize_args, config.act_range),
     .fallback = "mse",
     .names = lac_names_ranges,
     .value = "RULE",
     .group = "Quantization",
     .help = "how ranges of activations follow from calibration ('lacuna list ranges')"},
    {.name = "weight-range",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(quantize_args, config.weight_range),
     .fallback = "mse",
     .names = lac_names_ranges,
     .value = "RULE",
     .group = "Quantization",
     .help = "the same for weights"},
    {.name = "percentile",
     .kind = LAC_OPT_DOUBLE,
     .offset = offsetof(quantize_args, config.percentile),
     .lowest = 50,
     .highest = 100,
     .fallback = "99.99",
     .value = "PERCENT",
     .group = "Quantization",
     .help = "share of values that the percentile rule keeps"},
    {.name = "images",
     .kind = LAC_OPT_INT,
     .offset = offsetof(quantize_args, images),
     .lowest = 1,
     .highest = 100000,
     .fallback = "512",
     .value = "N",
     .group = "Quantization",
     .help = "training images to calibrate on; methods that do not train draw them by --seed"},
    {.name = "asymmetric",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(quantize_args, config.asymmetric),
     .group = "Quantization",
     .help = "activations of both signs get a zero point"},
    {.name = "per-tensor",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(quantize_args, config.per_tensor),
     .group = "Quantization",
     .help = "one scale for all weights of a layer, not one a channel"},
    {.name = "power-of-two",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(quantize_args, config.power_of_two),
     .group = "Quantization",
     .help = "calibrated scales are powers of two"},
    {.name = "equalize",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(quantize_args, config.equalize),
     .group = "After training",
     .help = "balance the weights of layers that follow each other"},
    {.name = "absorb-bias",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(quantize_args, config.absorb_bias),
     .group = "After training",
     .help = "move what all images share into the next layer's bias"},
    {.name = "bias-correct",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(quantize_args, config.correct_bias),
     .group = "After training",
     .help = "let biases undo the mean error of each layer's output"},
    {.name = "reestimate",
     .kind = LAC_OPT_FLAG,
     .offset = offsetof(quantize_args, config.reestimate),
     .group = "After training",
     .help = "keep batch norms and measure their statistics again"},
    {.name = "iterations",
     .kind = LAC_OPT_INT,
     .offset = offsetof(quantize_args, iterations),
     .lowest = 1,
     .highest = 1000000,
     .fallback = "1000",
     .value = "N",
     .group = "After training",
     .help = "brecq, qdrop: steps that each block learns"},
    {.name = "per-layer",
     .kind = LAC_OPT_TEXT,
     .offset = offsetof(quantize_args, per_layer),
     .value = "FILE",
     .group = "Widths by layer",
     .help = "YAML with widths of single layers"},
    {.name = "budget",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(quantize_args, budget),
     .fallback = "none",
     .names = budget_names,
     .value = "UNIT",
     .group = "Widths by layer",
     .help = "choose widths within so many bytes of weights, bit operations or DIGIT cycles an image"},
    {.name = "budget-bits",
     .kind = LAC_OPT_INT,
     .offset = offsetof(quantize_args, mixed.uniform_bits),
     .lowest = 0,
     .highest = 8,
     .fallback = "4",
     .value = "BITS",
     .group = "Widths by layer",
     .help = "the budget is what this uniform width costs; 0: --budget-limit counts"},
    {.name = "budget-limit",
     .kind = LAC_OPT_DOUBLE,
     .offset = offsetof(quantize_args, mixed.limit),
     .lowest = 0,
     .highest = 1e18,
     .fallback = "0",
     .value = "N",
     .group = "Widths by layer",
     .help = "the budget in its unit"},
    {.name = "sensitivity",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(quantize_args, mixed.sensitivity),
     .fallback = "hessian",
     .names = lac_names_sensitivities,
     .value = "NAME",
     .group = "Widths by layer",
     .help = "what narrow weights cost: by the Hessian's trace, or measured"},
    {.name = "search",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(quantize_args, mixed.search),
     .fallback = "dp",
     .names = search_names,
     .value = "NAME",
     .group = "Widths by layer",
     .help = "dynamic programming, or greedy steps"},
    {.name = "save-widths",
     .kind = LAC_OPT_TEXT,
     .unsaved = true,
     .offset = offsetof(quantize_args, save_widths),
     .value = "FILE",
     .group = "Widths by layer",
     .help = "write the chosen widths as YAML for --per-layer"},
    {.name = "digits",
     .kind = LAC_OPT_DOUBLE,
     .offset = offsetof(quantize_args, config.digits),
     .lowest = 0,
     .highest = 1,
     .fallback = "0",
     .value = "SHARE",
     .group = "For the engine",
     .help = "round to cheap codes until so much of the radix-4 digits is left; 0 is off"},
    {.name = "most-digits",
     .kind = LAC_OPT_INT,
     .offset = offsetof(quantize_args, config.most_digits),
     .lowest = 0,
     .highest = 4,
     .fallback = "0",
     .value = "N",
     .group = "For the engine",
     .help = "lsq: train with codes of at most so many radix-4 digits; 0 is all codes"},
    {.name = "digit-pull",
     .kind = LAC_OPT_FLOAT,
     .offset = offsetof(quantize_args, config.digit_pull),
     .lowest = 0,
     .highest = 1000,
     .fallback = "0",
     .value = "WEIGHT",
     .group = "For the engine",
     .help = "lsq: pull weights to codes with few digits while they train; 0 is off"},
    {.name = "digit-reach",
     .kind = LAC_OPT_FLOAT,
     .offset = offsetof(quantize_args, config.digit_reach),
     .lowest = 0.1,
     .highest = 127,
     .fallback = "4",
     .value = "CODES",
     .group = "For the engine",
     .help = "how far a weight goes to save a digit, with --digit-pull"},
    {.name = "acc-bits",
     .kind = LAC_OPT_INT,
     .offset = offsetof(quantize_args, config.acc_bits),
     .lowest = 0,
     .highest = 32,
     .fallback = "0",
     .value = "BITS",
     .group = "For the engine",
     .help = "guarantee that every accumulator fits; 0 is as it comes"},
    LAC_RECIPE_OPTIONS(quantize_args, "5", "0.02"),
    {.name = "limit",
     .kind = LAC_OPT_INT,
     .unsaved = true,
     .offset = offsetof(quantize_args, limit),
     .lowest = 0,
     .highest = 10000000,
     .fallback = "0",
     .value = "N",
     .group = "Output",
     .help = "measure the integers on the first N images of each part; 0 is all"},
    {.name = "report",
     .kind = LAC_OPT_FLAG,
     .unsaved = true,
     .offset = offsetof(quantize_args, report),
     .group = "Output",
     .help = "a row for each layer: widths, range, zeros, digits, signal to noise"},
    {.name = "compare",
     .kind = LAC_OPT_FLAG,
     .unsaved = true,
     .offset = offsetof(quantize_args, compare),
     .group = "Output",
     .help = "compare float and integer graph code by code on the validation part"},
    LAC_COMMON_OPTIONS(quantize_args),
};

/// Lowers the graph and measures it as integers: the accuracy that counts.
static lac_status describe_integers(lac_cli *cli, lac_graph *graph, const lac_dataset *data, uint32_t limit,
                                    lac_doc *doc, lac_error *err) {
    lac_int_graph *integers;
    double validation, test;
    lac_split parts[2] = {data->validation, data->test};
    for (int i = 0; i < 2; i++)
        if (limit && limit < parts[i].n) parts[i].n = limit;
    LAC_TRY(lac_lower(graph, data, cli->arena, &integers, err));
    LAC_TRY(lac_int_accuracy(cli, integers, &parts[0], &validation, err));
    LAC_TRY(lac_int_accuracy(cli, integers, &parts[1], &test, err));
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

/// Widths from a file and from a search become the config's.
static lac_status settle_widths(lac_cli *cli, const quantize_args *args, const lac_graph *graph,
                                const lac_dataset *data, lac_quant_config *config, lac_doc *doc,
                                lac_error *err) {
    lac_layer_widths *widths = NULL;
    int n = 0;
    if (args->per_layer && args->budget)
        LAC_FAIL(err, LAC_E_USAGE, "--per-layer and --budget both choose widths; give one of them");
    if (args->per_layer) LAC_TRY(lac_widths_read(args->per_layer, cli->arena, &widths, &n, err));
    if (args->budget) {
        lac_mixed_config mixed = args->mixed;
        lac_mixed_layer *layers;
        double limit;
        mixed.budget = (lac_budget_kind)(args->budget - 1);
        mixed.seed = config->recipe.seed;
        LAC_TRY(
            lac_mixed_search(graph, data, config, &mixed, &cli->talk, cli->arena, &layers, &n, &limit, err));
        widths = LAC_NEW_ARRAY(cli->arena, lac_layer_widths, n);
        for (int i = 0; i < n; i++) {
            const lac_mixed_choice *c = &layers[i].choices[layers[i].chosen];
            widths[i] = (lac_layer_widths){layers[i].name, c->weights, c->acts};
        }
        lac_doc_mixed(doc, layers, n, lac_budget_name((int)mixed.budget), limit);
    }
    config->layers = widths;
    config->n_layers = n;
    if (args->save_widths) LAC_TRY(lac_widths_write(args->save_widths, widths, n, err));
    return LAC_OK;
}

/// What --report and --compare add; float_graph is as it came.
static lac_status describe_layers(lac_cli *cli, const quantize_args *args, lac_graph *float_graph,
                                  const lac_graph *graph, const lac_dataset *data,
                                  const lac_quant_config *config, lac_doc *doc, lac_error *err) {
    enum { IMAGES = 128 };
    if (!args->report && !args->compare) return LAC_OK;
    lac_int_graph *integers;
    LAC_TRY(lac_lower(graph, data, cli->arena, &integers, err));
    if (args->report) {
        lac_quant_row *rows;
        int n;
        if (!lac_quantizer_row(args->method)->trains)
            LAC_TRY(lac_ptq_rewrite(float_graph, data, config, NULL, err));
        LAC_TRY(lac_quant_report(float_graph, graph, integers, data, IMAGES, cli->arena, &rows, &n, err));
        lac_doc_quant_rows(doc, rows, n);
    }
    if (!args->compare) return LAC_OK;
    lac_agreement a;
    LAC_TRY(lac_agreement_measure(graph, integers, data, &data->validation, (uint32_t)args->limit, &cli->talk,
                                  &a, err));
    lac_doc_agreement(doc, &a);
    return LAC_OK;
}

static lac_status check_accumulators(lac_cli *cli, const lac_graph *graph, const lac_dataset *data,
                                     int acc_bits, lac_error *err) {
    lac_int_graph *g;
    if (!acc_bits) return LAC_OK;
    LAC_TRY(lac_lower(graph, data, cli->arena, &g, err));
    for (int l = 0; l < g->n_layers; l++) {
        int bits = lac_int_layer_acc_bits(g, &g->layers[l]);
        if (bits > acc_bits)
            LAC_FAIL(err, LAC_E_RANGE, "%s '%s': its accumulator needs %d bits, --acc-bits allows %d; %s",
                     lac_int_kind_name(g->layers[l].kind), g->layers[l].name, bits, acc_bits,
                     "post-training methods narrow layers with weights; the others need fewer bits for "
                     "activations");
    }
    return LAC_OK;
}

static lac_status quantize(lac_cli *cli, const quantize_args *args, lac_graph *graph, const lac_dataset *data,
                           lac_quant_config *config, lac_doc *doc, lac_error *err) {
    double begin_s = lac_now_s();
    LAC_TRY(settle_widths(cli, args, graph, data, config, doc, err));
    lac_graph *float_graph = lac_graph_copy(graph, cli->arena);
    LAC_TRY(lac_quantizer_row(args->method)->run(graph, data, config, &cli->talk, err));
    LAC_TRY(check_accumulators(cli, graph, data, config->acc_bits, err));
    lac_stage_record(cli, graph, &lac_cmd_quantize, args, data);
    lac_doc_number(doc, "seconds", "time", lac_now_s() - begin_s, LAC_DOC_SECONDS);
    lac_status status = lac_stage_accuracy(cli, graph, data, "quantize", doc, err);
    if (status == LAC_OK) status = describe_integers(cli, graph, data, (uint32_t)args->limit, doc, err);
    if (status == LAC_OK) status = describe_layers(cli, args, float_graph, graph, data, config, doc, err);
    return lac_stage_finish(cli, graph, args->stage.output, status, doc, err);
}

static lac_status read_teacher(lac_cli *cli, const quantize_args *args, lac_quant_config *config,
                               lac_error *err) {
    lac_graph *teacher;
    if (!args->teacher) return LAC_OK;
    if (!(config->distill > 0))
        LAC_FAIL(err, LAC_E_USAGE, "--teacher '%s' is heard only with --distill above 0", args->teacher);
    LAC_TRY(lac_stage_read(cli, args->teacher, &teacher, err));
    config->teacher = teacher;
    return LAC_OK;
}

static lac_status check_digits(const quantize_args *args, lac_error *err) {
    const lac_quantizer_desc *method = lac_quantizer_row(args->method);
    if (method->limits_digits || (!args->config.most_digits && !(args->config.digit_pull > 0))) return LAC_OK;
    LAC_FAIL(err, LAC_E_USAGE, "--%s is for --method lsq, not '%s'; take lsq, or leave it out",
             args->config.most_digits ? "most-digits" : "digit-pull", method->name);
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const quantize_args *args = given;
    LAC_TRY(check_digits(args, err));
    lac_dataset data;
    lac_graph *graph;
    lac_quant_config config = args->config;
    LAC_TRY(lac_stage_begin(cli, &args->stage, &data, &config.recipe, err));
    LAC_TRY(lac_stage_read(cli, args->input, &graph, err));
    config.recipe.settings = lac_stage_settings(cli, &lac_cmd_quantize, args);
    LAC_TRY(lac_stage_hold_out(&args->stage, graph, &data, err));
    config.images = (uint32_t)args->images;
    config.iterations = (uint32_t)args->iterations;
    LAC_TRY(read_teacher(cli, args, &config, err));
    lac_doc *doc = lac_doc_open(cli->arena);
    lac_status status = quantize(cli, args, graph, &data, &config, doc, err);
    lac_doc_close(doc);
    return status;
}

const lac_command lac_cmd_quantize = {
    .name = "quantize",
    .summary = "make weights and activations narrow integers, after training or with fine-tuning",
    .usage = "quantize MODEL --data NAME -o FILE [options]",
    .examples = "lacuna quantize pruned.onnx --weights 4 --acts 4 --first 8 --last 8 --data fashion-mnist -o "
                "int.onnx\n"
                "lacuna quantize pruned.onnx --ternary --acts 4 --data fashion-mnist -o ternary.onnx\n"
                "lacuna quantize pruned.onnx -w 1 -a 2 --epochs 20 --data fashion-mnist -o tiny.onnx\n"
                "lacuna quantize float.onnx --method adaround --equalize --bias-correct -w 4 -a 8 --data "
                "fashion-mnist -o int.onnx",
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
