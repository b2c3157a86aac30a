#include "image_doc.h"
#include "names.h"
#include "results.h"
#include "workload.h"

#include <string.h>

typedef struct verify_args {
    lac_common_args common;
    lac_workload_args workload;
    const char *devices, *waveform, *fault;
    int margin;
} verify_args;

static const lac_option options[] = {
    LAC_WORKLOAD_OPTIONS(verify_args),
    {.name = "devices",
     .letter = 'd',
     .kind = LAC_OPT_LIST,
     .offset = offsetof(verify_args, devices),
     .fallback = "ref,rtl",
     .names = lac_names_devices,
     .value = "LIST",
     .group = "Running",
     .help = "devices to compare, with commas; ref is always there"},
    {.name = "waveform",
     .letter = 'w',
     .kind = LAC_OPT_TEXT,
     .offset = offsetof(verify_args, waveform),
     .value = "FILE",
     .group = "On a mismatch",
     .help = "record the cycles around the first wrong write (FST, for GTKWave)"},
    {.name = "margin",
     .kind = LAC_OPT_INT,
     .offset = offsetof(verify_args, margin),
     .lowest = 1,
     .highest = 1000000,
     .fallback = "256",
     .value = "CYCLES",
     .group = "On a mismatch",
     .help = "cycles to record before and after it"},
    {.name = "inject-fault",
     .kind = LAC_OPT_TEXT,
     .offset = offsetof(verify_args, fault),
     .value = "STEP",
     .group = "On a mismatch",
     .help = "flip a bit of this step's first weight in the last device's program, to see the check work"},
    LAC_COMMON_OPTIONS(verify_args),
};

enum { MAX_DEVICES = 16 };

/// Splits "ref,rtl" into names; returns how many.
static int split_devices(lac_cli *cli, const char *list, const char *names[MAX_DEVICES]) {
    int n = 0;
    char *text = lac_arena_strdup(cli->arena, list), *rest = NULL;
    for (char *word = strtok_r(text, ",", &rest); word && n < MAX_DEVICES; word = strtok_r(NULL, ",", &rest))
        names[n++] = word;
    return n;
}

static lac_status find_step(const lac_image *image, const char *name, int *step, lac_error *err) {
    for (int i = 0; i < image->n_steps; i++) {
        *step = i;
        if (strcmp(image->steps[i].name, name) == 0) return LAC_OK;
    }
    LAC_FAIL(err, LAC_E_USAGE,
             "there is no step '%s' in the image; its %d steps are '%s' to '%s' (lacuna info)", name,
             image->n_steps, image->steps[0].name, image->steps[image->n_steps - 1].name);
}

static void describe_devices(lac_doc *doc, const lac_verify_report *report, bool labelled) {
    lac_doc_table_begin(doc, "devices", "device|accuracy|busy_seconds|images_per_busy_second",
                        "<device|accuracy|busy|images/s a thread");
    for (int i = 0; i < report->n_devices; i++) {
        const lac_device_result *d = &report->devices[i];
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", d->device);
        if (labelled && report->n_images)
            lac_doc_cell(doc, (double)d->n_right / report->n_images, LAC_DOC_PERCENT);
        else
            lac_doc_cell_none(doc);
        lac_doc_cell(doc, d->busy_s, LAC_DOC_SECONDS);
        lac_doc_cell(doc, d->busy_s > 0 ? report->n_images / d->busy_s : 0, LAC_DOC_REAL);
    }
    lac_doc_table_end(doc);
}

static void describe_mismatch(lac_doc *doc, const lac_image *image, const lac_mismatch *m) {
    if (!m->found) return;
    lac_doc_text(doc, "mismatch_device", "device", "%s", m->device);
    lac_doc_text(doc, "mismatch_step", "step", "%s", image->steps[m->step].name);
    lac_doc_number(doc, "mismatch_image", "image", m->image, LAC_DOC_COUNT);
    lac_doc_number(doc, "mismatch_channel", "channel", m->c, LAC_DOC_COUNT);
    lac_doc_number(doc, "mismatch_y", "row", m->y, LAC_DOC_COUNT);
    lac_doc_number(doc, "mismatch_x", "column", m->x, LAC_DOC_COUNT);
    lac_doc_number(doc, "mismatch_expected", "expected", m->expected, LAC_DOC_COUNT);
    lac_doc_number(doc, "mismatch_got", "got", m->got, LAC_DOC_COUNT);
    lac_doc_number(doc, "mismatch_wrong_values", "wrong in that step", (double)m->n_wrong, LAC_DOC_COUNT);
    lac_doc_number(doc, "mismatch_values", "of", (double)m->n_values, LAC_DOC_COUNT);
    if (m->has_cycle) {
        lac_doc_number(doc, "mismatch_cycle", "written in cycle", (double)m->cycle, LAC_DOC_COUNT);
        lac_doc_number(doc, "mismatch_lane", "by lane", m->lane, LAC_DOC_COUNT);
    }
    if (m->has_trace) {
        lac_doc_number(doc, "trace_begin", "waveform from cycle", (double)m->trace_begin, LAC_DOC_COUNT);
        lac_doc_number(doc, "trace_end", "to cycle", (double)m->trace_end, LAC_DOC_COUNT);
    }
}

static lac_status describe(lac_cli *cli, const lac_workload *w, const lac_verify_report *report, bool equal,
                           lac_error *err) {
    lac_doc *doc = lac_doc_open(cli->arena);
    lac_doc_flag(doc, "equal", "all equal to ref", equal);
    lac_doc_text(doc, "data", "data", "%s", w->data);
    lac_doc_number(doc, "images", "images", report->n_images, LAC_DOC_COUNT);
    if (w->labels && report->n_devices && report->n_images)
        lac_doc_number(doc, "accuracy", "accuracy",
                       (double)report->devices[report->n_devices - 1].n_right / report->n_images,
                       LAC_DOC_PERCENT);
    lac_doc_number(doc, "compared", "values compared", (double)report->n_compared, LAC_DOC_COUNT);
    lac_doc_number(doc, "threads", "threads", report->n_threads, LAC_DOC_COUNT);
    lac_doc_number(doc, "open_seconds", "opening the devices", report->open_seconds, LAC_DOC_SECONDS);
    lac_doc_number(doc, "seconds", "time", report->seconds, LAC_DOC_SECONDS);
    if (report->seconds > 0)
        lac_doc_number(doc, "images_per_s", "images/s", report->n_images / report->seconds, LAC_DOC_REAL);
    describe_mismatch(doc, w->image, &report->mismatch);
    describe_devices(doc, report, w->labels != NULL);
    for (int i = 0; equal && i < report->n_devices; i++)
        if (report->devices[i].has_cycles) lac_image_describe_cycles(doc, w->image, report->devices[i].least);
    lac_status status = lac_results_print(cli, doc, stdout, err);
    lac_doc_close(doc);
    return status;
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const verify_args *args = given;
    lac_workload w;
    lac_verify_report report = {0};
    const char *devices[MAX_DEVICES];
    if (args->waveform) LAC_TRY(lac_stage_check_output(args->waveform, err));
    LAC_TRY(lac_workload_open(cli, &args->workload, &w, err));
    lac_verify_config config = {.devices = devices,
                                .n_devices = split_devices(cli, args->devices, devices),
                                .trace_path = args->waveform,
                                .trace_margin_cycles = (uint64_t)args->margin};
    lac_workload_fill(&args->workload, &w, &config);
    if (args->fault) {
        LAC_TRY(find_step(w.image, args->fault, &config.fault_step, err));
        config.fault_device = devices[config.n_devices - 1];
    }
    lac_status status = lac_verify(w.image, &config, &cli->talk, cli->arena, &report, err);
    if (status == LAC_E_MISMATCH) {
        // The explanation is err's; the parts are printed too, and the mismatch stays the outcome.
        lac_status printed = describe(cli, &w, &report, false, NULL);
        return printed == LAC_OK ? status : printed;
    }
    LAC_TRY(status);
    return describe(cli, &w, &report, true, err);
}

const lac_command lac_cmd_verify = {
    .name = "verify",
    .summary = "compare devices with the reference, value by value in every step",
    .usage = "verify IMAGE [options]",
    .examples = "lacuna verify model.lac\n"
                "lacuna verify model.lac --devices ref,rtl --data fashion-mnist --limit 200\n"
                "lacuna verify model.lac --random 50 --stalls 7        # random pixels, stalling streams\n"
                "lacuna verify model.lac --inject-fault conv2 --waveform wrong.fst   # see it find a fault",
    .about = "Every step's whole output tensor is compared. The first value that differs is explained: step, "
             "channel, "
             "pixel, both values, and on a device with a clock the cycle and lane that wrote it.",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(verify_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_SHAPE, LAC_E_CONTRACT,
                                  LAC_E_MISMATCH, LAC_E_DEVICE, LAC_E_INTERRUPTED, LAC_OK},
    .run = run,
};
