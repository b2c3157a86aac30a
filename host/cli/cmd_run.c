#include "file.h"
#include "image_doc.h"
#include "names.h"
#include "results.h"
#include "workload.h"

typedef struct run_args {
    lac_common_args common;
    lac_workload_args workload;
    const char *device, *predictions;
} run_args;

static const lac_option options[] = {
    LAC_WORKLOAD_OPTIONS(run_args),
    {.name = "device",
     .letter = 'd',
     .kind = LAC_OPT_CHOICE,
     .offset = offsetof(run_args, device),
     .fallback = "ref",
     .names = lac_names_devices,
     .value = "NAME",
     .group = "Running",
     .help = "what runs it ('lacuna list devices')"},
    {.name = "predictions",
     .letter = 'p',
     .kind = LAC_OPT_TEXT,
     .offset = offsetof(run_args, predictions),
     .value = "FILE",
     .group = "Output",
     .help = "write the class of every image, one number a line"},
    LAC_COMMON_OPTIONS(run_args),
};

static lac_status write_predictions(lac_cli *cli, const char *path, const uint8_t *classes, uint32_t n,
                                    lac_error *err) {
    char *text = lac_arena_alloc(cli->arena, (size_t)n * 4 + 1);
    size_t used = 0;
    for (uint32_t i = 0; i < n; i++) used += (size_t)snprintf(text + used, 5, "%u\n", classes[i]);
    return lac_file_write(path, text, used, err);
}

static lac_status describe(lac_cli *cli, const run_args *args, const lac_workload *w,
                           const lac_verify_report *report, lac_error *err) {
    const lac_device_result *result = &report->devices[0];
    double n = report->n_images;
    lac_doc *doc = lac_doc_open(cli->arena);
    lac_doc_text(doc, "device", "device", "%s", result->device);
    lac_doc_text(doc, "data", "data", "%s", w->data);
    lac_doc_number(doc, "images", "images", n, LAC_DOC_COUNT);
    if (w->labels) {
        lac_doc_number(doc, "right", "classified right", result->n_right, LAC_DOC_COUNT);
        lac_doc_number(doc, "accuracy", "accuracy", n > 0 ? result->n_right / n : 0, LAC_DOC_PERCENT);
    }
    lac_doc_number(doc, "threads", "threads", report->n_threads, LAC_DOC_COUNT);
    lac_doc_number(doc, "seconds", "time", report->seconds, LAC_DOC_SECONDS);
    lac_doc_number(doc, "images_per_s", "images/s", report->seconds > 0 ? n / report->seconds : 0,
                   LAC_DOC_REAL);
    if (result->has_times) {
        lac_doc_number(doc, "kernel_seconds", "in the kernel", result->times.run_s, LAC_DOC_SECONDS);
        lac_doc_number(doc, "transfer_seconds", "in transfers", result->times.load_s + result->times.store_s,
                       LAC_DOC_SECONDS);
    }
    if (result->has_cycles) lac_image_describe_cycles(doc, w->image, result->least);
    FILE *out = args->predictions ? lac_stage_stream(args->predictions) : stdout;
    lac_status status = lac_results_print(cli, doc, out, err);
    lac_doc_close(doc);
    return status;
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const run_args *args = given;
    lac_workload w;
    lac_verify_report report = {0};
    if (args->predictions) LAC_TRY(lac_stage_check_output(args->predictions, err));
    LAC_TRY(lac_workload_open(cli, &args->workload, &w, err));
    lac_verify_config config = {.devices = &args->device, .n_devices = 1};
    lac_workload_fill(&args->workload, &w, &config);
    if (args->predictions) config.classes = lac_arena_alloc(cli->arena, w.n_images);
    LAC_TRY(lac_run(w.image, &config, &cli->talk, cli->arena, &report, err));
    if (args->predictions)
        LAC_TRY(write_predictions(cli, args->predictions, config.classes, w.n_images, err));
    return describe(cli, args, &w, &report, err);
}

const lac_command lac_cmd_run = {
    .name = "run",
    .summary = "run a program image on a device and count what it gets right",
    .usage = "run IMAGE [options]",
    .examples = "lacuna run model.lac --device rtl\n"
                "lacuna run model.lac --device rtl --data fashion-mnist --limit 100 --json\n"
                "lacuna run model.lac --predictions classes.txt",
    .about = "On a device with a clock, every step's cycles are printed beside entries x pixels, with the "
             "reason for "
             "the rest. The first run on an engine builds its simulation model and keeps it in "
             "$LACUNA_CACHE, else "
             "~/.cache/lacuna.",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(run_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_SHAPE, LAC_E_CONTRACT,
                                  LAC_E_DEVICE, LAC_E_INTERRUPTED, LAC_OK},
    .run = run,
};
