#include "stage.h"

#include "results.h"

#include "file.h"
#include "normalization.h"
#include "onnx.h"
#include "op.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

lac_status lac_stage_check_output(const char *path, lac_error *err) {
    if (strcmp(path, "-") == 0) return LAC_OK;
    struct stat there;
    // Opening a pipe to try it would be seen at its other end.
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode)) return LAC_OK;
    lac_file_out file;
    LAC_TRY(lac_file_begin(&file, path, err));
    lac_file_abort(&file);
    return LAC_OK;
}

lac_status lac_stage_begin(lac_cli *cli, const lac_stage_args *args, lac_dataset *data, lac_recipe *recipe,
                           lac_error *err) {
    LAC_TRY(lac_stage_check_output(args->output, err));
    LAC_TRY(lac_dataset_open(args->data, cli->arena, data, err));
    *recipe = args->recipe;
    if (args->no_checkpoint)
        recipe->checkpoint = NULL;
    else if (!recipe->checkpoint && strcmp(args->output, "-") != 0)
        recipe->checkpoint = lac_arena_printf(cli->arena, "%s.checkpoint", args->output);
    return LAC_OK;
}

lac_status lac_stage_read(lac_cli *cli, const char *path, lac_graph **out, lac_error *err) {
    lac_graph *graph;
    LAC_TRY(lac_onnx_read(path, cli->arena, &graph, err));
    lac_status status = lac_graph_infer(graph, err);
    if (status == LAC_OK) status = lac_graph_check(graph, err);
    if (status != LAC_OK) return lac_fail_in(err, status, path);
    *out = graph;
    return LAC_OK;
}

/// The images of the same data that a stage of the model's making held out; -1: it had no part in it.
static long held_out_by(const lac_graph *graph, const char *stage, const lac_dataset *data) {
    char key[64], crc[16];
    snprintf(key, sizeof key, "lacuna.%s.data_crc", stage);
    snprintf(crc, sizeof crc, "%08x", data->data_crc);
    const char *data_crc = lac_graph_meta(graph, key);
    snprintf(key, sizeof key, "lacuna.%s.held_out", stage);
    const char *held = lac_graph_meta(graph, key);
    return data_crc && held && strcmp(data_crc, crc) == 0 ? strtol(held, NULL, 10) : -1;
}

lac_status lac_stage_hold_out(const lac_stage_args *args, const lac_graph *graph, lac_dataset *data,
                              lac_error *err) {
    static const char *const stages[] = {"train", "prune", "quantize"};
    long n = args->validation;
    for (size_t i = 0; args->validation < 0 && graph && i < sizeof stages / sizeof stages[0]; i++) {
        long held = held_out_by(graph, stages[i], data);
        if (held >= 0 && (n < 0 || held < n)) n = held;
    }
    return n < 0 ? LAC_OK : lac_dataset_hold_out(data, (uint32_t)n, err);
}

static void set_meta(lac_cli *cli, lac_graph *graph, const char *stage, const char *key, const char *text) {
    lac_graph_set_meta(graph, lac_arena_printf(cli->arena, "lacuna.%s.%s", stage, key),
                       lac_arena_strdup(cli->arena, text));
}

void lac_stage_record_number(lac_cli *cli, lac_graph *graph, const char *stage, const char *key,
                             double value) {
    set_meta(cli, graph, stage, key, lac_arena_printf(cli->arena, "%.10g", value));
}

uint32_t lac_stage_settings(lac_cli *cli, const lac_command *command, const void *args) {
    char text[128];
    uint32_t crc = 0;
    for (int i = 0; i < command->n_options; i++) {
        const lac_option *o = &command->options[i];
        if (o->unsaved) continue;
        const char *value = lac_option_bare(cli->arena, lac_option_print(o, args, text));
        crc = lac_crc32(crc, o->name, strlen(o->name) + 1);
        crc = lac_crc32(crc, value, strlen(value) + 1);
    }
    return crc;
}

void lac_stage_record(lac_cli *cli, lac_graph *graph, const lac_command *command, const void *args,
                      const lac_dataset *data) {
    char text[128];
    for (int i = 0; i < command->n_options; i++) {
        const lac_option *o = &command->options[i];
        if (o->unsaved) continue;
        set_meta(cli, graph, command->name, o->name,
                 lac_option_bare(cli->arena, lac_option_print(o, args, text)));
    }
    set_meta(cli, graph, command->name, "command", cli->line);
    set_meta(cli, graph, command->name, "version", cli->version);
    set_meta(cli, graph, command->name, "data_crc", lac_arena_printf(cli->arena, "%08x", data->data_crc));
    lac_normalization_store(graph, data);
    const char *stages = lac_graph_meta(graph, "lacuna.stages");
    lac_graph_set_meta(graph, "lacuna.stages",
                       stages ? lac_arena_printf(cli->arena, "%s %s", stages, command->name) : command->name);
}

static lac_status one_accuracy(lac_cli *cli, lac_graph *graph, const lac_dataset *data, const char *stage,
                               const lac_split *split, const char *key, const char *label, lac_doc *doc,
                               lac_error *err) {
    lac_eval_result result;
    LAC_TRY(lac_evaluate(graph, data, split, 0, &cli->talk, &result, err));
    lac_doc_number(doc, key, label, result.accuracy, LAC_DOC_PERCENT);
    lac_stage_record_number(cli, graph, stage, key, result.accuracy);
    return LAC_OK;
}

lac_status lac_stage_accuracy(lac_cli *cli, lac_graph *graph, const lac_dataset *data, const char *stage,
                              lac_doc *doc, lac_error *err) {
    lac_stage_record_number(cli, graph, stage, "held_out", data->validation.n);
    if (data->validation.n > 0)
        LAC_TRY(one_accuracy(cli, graph, data, stage, &data->validation, "validation_accuracy",
                             "validation accuracy", doc, err));
    return one_accuracy(cli, graph, data, stage, &data->test, "test_accuracy", "test accuracy", doc, err);
}

FILE *lac_stage_stream(const char *output) {
    return strcmp(output, "-") == 0 ? stderr : stdout;
}

lac_status lac_stage_finish(lac_cli *cli, const lac_graph *graph, const char *output, lac_status measured,
                            lac_doc *doc, lac_error *err) {
    if (measured != LAC_OK && measured != LAC_E_INTERRUPTED) return measured;
    LAC_TRY(lac_onnx_write(graph, output, err));
    if (measured == LAC_E_INTERRUPTED)
        LAC_FAIL(err, LAC_E_INTERRUPTED, "interrupted while measuring; the finished model is in '%s'",
                 output);
    lac_doc_text(doc, "output", "written", "%s", output);
    return lac_results_print(cli, doc, lac_stage_stream(output), err);
}

static bool has_weights(const lac_node *node) {
    return node->op == LAC_OP_CONV2D || node->op == LAC_OP_LINEAR;
}

/// The constant that a node's weight comes from, through its quantizer where there is one.
static const lac_value *weight_of(const lac_graph *graph, const lac_node *node) {
    int value = node->in[1];
    while (!graph->values[value].data) {
        int producer = lac_graph_producer(graph, value);
        if (producer < 0) return NULL;
        value = graph->nodes[producer].in[0];
    }
    return &graph->values[value];
}

uint64_t lac_graph_n_weights(const lac_graph *graph, bool nonzero_only) {
    uint64_t n = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const lac_value *w = has_weights(&graph->nodes[i]) ? weight_of(graph, &graph->nodes[i]) : NULL;
        int64_t count = w ? lac_shape_count(w->shape) : 0;
        for (int64_t k = 0; k < count; k++) n += !nonzero_only || w->data[k] != 0.0f;
    }
    return n;
}

uint64_t lac_int_graph_n_weights(const lac_int_graph *graph, bool nonzero_only) {
    uint64_t n = 0;
    for (int i = 0; i < graph->n_layers; i++)
        n += lac_int_layer_weights(graph, &graph->layers[i], nonzero_only);
    return n;
}

uint64_t lac_int_graph_macs(const lac_int_graph *graph, bool nonzero_only) {
    uint64_t n = 0;
    for (int i = 0; i < graph->n_layers; i++) n += lac_int_layer_macs(graph, &graph->layers[i], nonzero_only);
    return n;
}
