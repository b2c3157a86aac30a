#include "doc.h"
#include "names.h"
#include "results.h"

#include "command.h"
#include "device.h"
#include "op.h"
#include "prune.h"
#include "quantize.h"

#include <string.h>

typedef struct list_args {
    lac_common_args common;
    int table;
} list_args;

static void list_commands(lac_doc *doc) {
    lac_doc_table_begin(doc, "commands", "name|help", "<command|<what it does");
    for (int i = 0; i < lac_n_commands(); i++) {
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", lac_command_row(i)->name);
        lac_doc_cell_text(doc, "%s", lac_command_row(i)->summary);
    }
}

static void list_ops(lac_doc *doc) {
    static const struct {
        const char *name, *onnx, *domain, *help;
    } rows[] = {
#define LAC_OP(id, name, onnx, domain, help) {#name, onnx, domain, help},
#include "ops.def"
#undef LAC_OP
    };
    lac_doc_table_begin(doc, "ops", "name|onnx|domain|help", "<op|<ONNX|<domain|<what it is");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", rows[i].name);
        lac_doc_cell_text(doc, "%s", rows[i].onnx);
        lac_doc_cell_text(doc, "%s", rows[i].domain[0] ? rows[i].domain : "ai.onnx");
        lac_doc_cell_text(doc, "%s", rows[i].help);
    }
}

static void list_nets(lac_doc *doc) {
    lac_doc_table_begin(doc, "nets", "name|help|source", "<network|<what it is|<source");
    for (int i = 0; i < lac_n_nets(); i++) {
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", lac_net_row(i)->name);
        lac_doc_cell_text(doc, "%s", lac_net_row(i)->help);
        lac_doc_cell_text(doc, "%s", lac_net_row(i)->source);
    }
}

static void list_data(lac_doc *doc) {
    lac_doc_table_begin(doc, "data", "name|help", "<data set|<what it holds");
    for (int i = 0; i < lac_n_datasets(); i++) {
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", lac_dataset_row(i)->name);
        lac_doc_cell_text(doc, "%s", lac_dataset_row(i)->help);
    }
}

static void list_quantizers(lac_doc *doc) {
    lac_doc_table_begin(doc, "quantizers", "name|trains|help|source",
                        "<quantizer|<trains|<what it does|<source");
    for (int i = 0; i < lac_n_quantizers(); i++) {
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", lac_quantizer_row(i)->name);
        lac_doc_cell_text(doc, "%s", lac_quantizer_row(i)->trains ? "yes" : "no");
        lac_doc_cell_text(doc, "%s", lac_quantizer_row(i)->help);
        lac_doc_cell_text(doc, "%s", lac_quantizer_row(i)->source);
    }
}

static void list_ranges(lac_doc *doc) {
    lac_doc_table_begin(doc, "ranges", "name|help", "<rule|<what the range is");
    for (int i = 0; lac_range_name(i); i++) {
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", lac_range_name(i));
        lac_doc_cell_text(doc, "%s", lac_range_help(i));
    }
}

static void list_pruners(lac_doc *doc) {
    lac_doc_table_begin(doc, "pruners", "name|help|source", "<pruner|<what it does|<source");
    for (int i = 0; i < lac_n_pruners(); i++) {
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", lac_pruner_row(i)->name);
        lac_doc_cell_text(doc, "%s", lac_pruner_row(i)->help);
        lac_doc_cell_text(doc, "%s", lac_pruner_row(i)->source);
    }
}

static void list_devices(lac_doc *doc) {
    lac_doc_table_begin(doc, "devices", "name|clock|help", "<device|<clock|<what it is");
    for (int i = 0; i < lac_n_devices(); i++) {
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", lac_device_row(i)->name);
        lac_doc_cell_text(doc, "%s", lac_device_row(i)->has_cycles ? "yes" : "no");
        lac_doc_cell_text(doc, "%s", lac_device_row(i)->help);
    }
}

static void list_platforms(lac_doc *doc) {
    lac_doc_table_begin(doc, "platforms", "device|platform|number|name|kernel",
                        "<device|<platform|number|<name|<kernel");
    for (int d = 0; d < lac_n_devices(); d++) {
        lac_device_place place;
        for (int i = 0; lac_device_row(d)->place && lac_device_row(d)->place(i, &place); i++) {
            lac_doc_row(doc);
            lac_doc_cell_text(doc, "%s", lac_device_row(d)->name);
            lac_doc_cell_text(doc, "%s", place.platform);
            lac_doc_cell(doc, place.index, LAC_DOC_COUNT);
            lac_doc_cell_text(doc, "%s", place.name);
            lac_doc_cell_text(doc, "%s", place.takes_binary ? "an .xclbin" : "built from source");
        }
    }
}

static void list_engine(lac_doc *doc) {
    static const struct {
        const char *name, *unit, *help;
        int fallback, lowest, highest;
    } rows[] = {
#define LAC_PARAM(name, member, fallback, lowest, highest, unit, help)                                       \
    {#name, unit, help, fallback, lowest, highest},
#include "engine.def"
#undef LAC_PARAM
    };
    lac_doc_table_begin(doc, "engine", "name|default|lowest|highest|unit|help",
                        "<parameter|default|lowest|highest|<unit|<what it is");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", rows[i].name);
        lac_doc_cell(doc, rows[i].fallback, LAC_DOC_COUNT);
        lac_doc_cell(doc, rows[i].lowest, LAC_DOC_COUNT);
        lac_doc_cell(doc, rows[i].highest, LAC_DOC_COUNT);
        lac_doc_cell_text(doc, "%s", rows[i].unit);
        lac_doc_cell_text(doc, "%s", rows[i].help);
    }
}

static void list_errors(lac_doc *doc) {
    lac_doc_table_begin(doc, "errors", "exit_code|name|text", "exit|<name|<meaning");
    for (int i = 0; i < LAC_N_STATUS; i++) {
        lac_doc_row(doc);
        lac_doc_cell(doc, lac_status_exit_code((lac_status)i), LAC_DOC_COUNT);
        lac_doc_cell_text(doc, "%s", lac_status_name((lac_status)i));
        lac_doc_cell_text(doc, "%s", lac_status_text((lac_status)i));
    }
}

static const struct {
    const char *name;
    void (*list)(lac_doc *doc);
} tables[] = {
    {"commands", list_commands}, {"ops", list_ops},         {"nets", list_nets},
    {"data", list_data},         {"pruners", list_pruners}, {"quantizers", list_quantizers},
    {"ranges", list_ranges},     {"devices", list_devices}, {"platforms", list_platforms},
    {"engine", list_engine},     {"errors", list_errors},
};

static const char *table_names(int i) {
    return i < (int)(sizeof tables / sizeof tables[0]) ? tables[i].name : NULL;
}

static const lac_option options[] = {
    {.name = "TABLE",
     .kind = LAC_OPT_INDEX,
     .operand = true,
     .offset = offsetof(list_args, table),
     .names = table_names,
     .group = "Table",
     .help = "what to list"},
    LAC_COMMON_OPTIONS(list_args),
};

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const list_args *args = given;
    lac_doc *doc = lac_doc_open(cli->arena);
    tables[args->table].list(doc);
    lac_doc_table_end(doc);
    lac_status status = lac_results_print(cli, doc, stdout, err);
    lac_doc_close(doc);
    return status;
}

const lac_command lac_cmd_list = {
    .name = "list",
    .summary = "show what there is: ops, networks, data, methods, devices, errors",
    .usage = "list TABLE [options]",
    .examples = "lacuna list ops\n"
                "lacuna list devices --json\n"
                "lacuna list errors       # the exit codes",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(list_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_OK},
    .run = run,
};
