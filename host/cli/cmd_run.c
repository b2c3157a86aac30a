#include "file.h"
#include "image_doc.h"
#include "names.h"
#include "ref.h"
#include "stage.h"
#include "threads.h"

#include <string.h>

typedef struct run_args {
    lac_common_args common;
    const char *image, *data, *device, *predictions;
    int split, limit, threads;
    uint64_t stalls;
} run_args;

static const char *split_names(int i) {
    static const char *const names[] = {"test", "validation", "train", NULL};
    return names[i];
}

static const lac_option options[] = {
    {.name = "IMAGE",
     .kind = LAC_OPT_TEXT,
     .operand = true,
     .offset = offsetof(run_args, image),
     .value = "FILE",
     .group = "Files",
     .help = "program image (.lac) to run"},
    {.name = "data",
     .kind = LAC_OPT_TEXT,
     .required = true,
     .offset = offsetof(run_args, data),
     .value = "NAME[:FOLDER]",
     .group = "Files",
     .help = "data set to take images from ('lacuna list data')"},
    {.name = "split",
     .kind = LAC_OPT_INDEX,
     .offset = offsetof(run_args, split),
     .fallback = "test",
     .names = split_names,
     .value = "NAME",
     .group = "Files",
     .help = "part of it"},
    {.name = "predictions",
     .kind = LAC_OPT_TEXT,
     .offset = offsetof(run_args, predictions),
     .value = "FILE",
     .group = "Files",
     .help = "write the class of every image, one number a line"},
    {.name = "device",
     .letter = 'd',
     .kind = LAC_OPT_CHOICE,
     .offset = offsetof(run_args, device),
     .fallback = "ref",
     .names = lac_names_devices,
     .value = "NAME",
     .group = "Running",
     .help = "what runs it ('lacuna list devices')"},
    {.name = "limit",
     .letter = 'n',
     .kind = LAC_OPT_INT,
     .offset = offsetof(run_args, limit),
     .lowest = 0,
     .highest = 1e9,
     .fallback = "0",
     .group = "Running",
     .help = "first images only; 0 is all"},
    {.name = "threads",
     .letter = 't',
     .kind = LAC_OPT_INT,
     .offset = offsetof(run_args, threads),
     .lowest = 0,
     .highest = 256,
     .fallback = "0",
     .group = "Running",
     .help = "devices at work side by side; 0 is one a core"},
    {.name = "stalls",
     .kind = LAC_OPT_U64,
     .offset = offsetof(run_args, stalls),
     .highest = 1.8e19,
     .fallback = "0",
     .value = "SEED",
     .group = "Running",
     .help = "rtl: make the program stream and the output stall at random; 0 is never"},
    LAC_COMMON_OPTIONS(run_args),
};

/// Images through one device a worker.
typedef struct job {
    const lac_image *image;
    const lac_device_desc *device;
    const lac_split *split;
    void **states;            ///< [worker]
    int32_t **in, **out;      ///< [worker]
    lac_step_cycles **cycles; ///< [worker][step], of the last image
    lac_error *errors;        ///< [worker]
    uint64_t *total_cycles;   ///< [worker]
    uint32_t first;
    uint8_t *classes; ///< [image]
} job;

static void run_image(void *ctx, size_t item, int w) {
    job *j = ctx;
    if (j->errors[w].status != LAC_OK) return;
    const lac_int_graph *graph = j->image->graph;
    size_t i = j->first + item, n_pixels = lac_int_tensor_count(&graph->tensors[graph->input]);
    lac_input_codes(graph, j->split->pixels + i * n_pixels, j->in[w]);
    lac_status status = j->device->run(j->states[w], j->in[w], j->out[w], NULL, j->cycles[w], &j->errors[w]);
    if (status != LAC_OK) {
        j->errors[w].status = status;
        return;
    }
    for (int s = 0; s < j->image->n_steps; s++) j->total_cycles[w] += j->cycles[w][s].total;
    j->classes[i] = (uint8_t)lac_int_argmax(graph, j->out[w]);
}

static lac_status open_devices(lac_cli *cli, job *j, const run_args *args, int n_workers, lac_error *err) {
    lac_device_config config = {.stall_seed = args->stalls};
    const lac_int_graph *graph = j->image->graph;
    j->states = LAC_NEW_ARRAY(cli->arena, void *, n_workers);
    j->in = LAC_NEW_ARRAY(cli->arena, int32_t *, n_workers);
    j->out = LAC_NEW_ARRAY(cli->arena, int32_t *, n_workers);
    j->cycles = LAC_NEW_ARRAY(cli->arena, lac_step_cycles *, n_workers);
    j->errors = LAC_NEW_ARRAY(cli->arena, lac_error, n_workers);
    j->total_cycles = LAC_NEW_ARRAY(cli->arena, uint64_t, n_workers);
    for (int w = 0; w < n_workers; w++) {
        j->in[w] = LAC_NEW_ARRAY(cli->arena, int32_t, lac_int_tensor_count(&graph->tensors[graph->input]));
        j->out[w] = LAC_NEW_ARRAY(cli->arena, int32_t, lac_int_tensor_count(&graph->tensors[graph->output]));
        j->cycles[w] = LAC_NEW_ARRAY(cli->arena, lac_step_cycles, j->image->n_steps);
        LAC_TRY(j->device->open(j->image, &config, &cli->talk, &j->states[w], err));
    }
    return LAC_OK;
}

static void close_devices(job *j, int n_workers) {
    for (int w = 0; j->states && w < n_workers; w++)
        if (j->states[w]) j->device->close(j->states[w]);
}

static lac_status run_all(lac_cli *cli, job *j, int n_workers, uint32_t n, uint32_t *n_right,
                          lac_error *err) {
    uint32_t piece = (uint32_t)n_workers * 16;
    for (j->first = 0; j->first < n; j->first += piece) {
        uint32_t here = n - j->first < piece ? n - j->first : piece;
        lac_parallel_for(here, n_workers, run_image, j);
        for (int w = 0; w < n_workers; w++) {
            if (j->errors[w].status == LAC_OK) continue;
            if (err) *err = j->errors[w];
            return j->errors[w].status;
        }
        for (uint32_t i = j->first; i < j->first + here; i++)
            *n_right += j->classes[i] == j->split->labels[i];
        lac_talk_step(&cli->talk, j->device->name, j->first + here, n, "%u right", *n_right);
        if (lac_talk_stop(&cli->talk))
            LAC_FAIL(err, LAC_E_INTERRUPTED, "interrupted after %u of %u images", j->first + here, n);
    }
    return LAC_OK;
}

static lac_status write_predictions(lac_cli *cli, const char *path, const uint8_t *classes, uint32_t n,
                                    lac_error *err) {
    if (!path) return LAC_OK;
    char *text = lac_arena_alloc(cli->arena, (size_t)n * 4 + 1);
    size_t used = 0;
    for (uint32_t i = 0; i < n; i++) used += (size_t)snprintf(text + used, 5, "%u\n", classes[i]);
    return lac_file_write(path, text, used, err);
}

static lac_status check_shapes(const lac_image *image, const lac_dataset *data, const char *path,
                               lac_error *err) {
    const lac_int_tensor *t = &image->graph->tensors[image->graph->input];
    if (t->c == data->c && t->h == data->h && t->w == data->w) return LAC_OK;
    LAC_FAIL(err, LAC_E_SHAPE,
             "%s: takes images of %dx%dx%d and '%s' has %dx%dx%d; use the data set it was made for", path,
             t->c, t->h, t->w, data->name, data->c, data->h, data->w);
}

static lac_status report(lac_cli *cli, const run_args *args, const job *j, int n_workers, uint32_t n,
                         uint32_t n_right, double seconds, lac_error *err) {
    uint64_t total = 0;
    for (int w = 0; w < n_workers; w++) total += j->total_cycles[w];
    lac_doc *doc = lac_doc_open(cli->arena);
    lac_doc_text(doc, "device", "device", "%s", j->device->name);
    lac_doc_number(doc, "images", "images", n, LAC_DOC_COUNT);
    lac_doc_number(doc, "right", "classified right", n_right, LAC_DOC_COUNT);
    lac_doc_number(doc, "accuracy", "accuracy", n ? (double)n_right / n : 0, LAC_DOC_PERCENT);
    lac_doc_number(doc, "seconds", "time", seconds, LAC_DOC_SECONDS);
    lac_doc_number(doc, "images_per_s", "images/s", seconds > 0 ? n / seconds : 0, LAC_DOC_REAL);
    if (j->device->has_cycles) {
        lac_doc_number(doc, "mean_cycles", "mean cycles an image", n ? (double)total / n : 0, LAC_DOC_COUNT);
        lac_image_describe_cycles(doc, j->image, j->cycles[0]);
    }
    lac_status status = lac_doc_print(doc, cli->common.json,
                                      args->predictions ? lac_stage_stream(args->predictions) : stdout, err);
    lac_doc_close(doc);
    return status;
}

static lac_status run(lac_cli *cli, const void *given, lac_error *err) {
    const run_args *args = given;
    lac_dataset data;
    lac_image *image;
    if (args->predictions) LAC_TRY(lac_stage_check_output(args->predictions, err));
    LAC_TRY(lac_image_read(args->image, cli->arena, &image, err));
    LAC_TRY(lac_dataset_open(args->data, cli->arena, &data, err));
    LAC_TRY(check_shapes(image, &data, args->image, err));
    const lac_split *splits[] = {&data.test, &data.validation, &data.train};
    job j = {.image = image, .device = lac_device_find(args->device), .split = splits[args->split]};
    uint32_t n = args->limit && (uint32_t)args->limit < j.split->n ? (uint32_t)args->limit : j.split->n;
    uint32_t n_right = 0;
    int n_workers = args->threads ? args->threads : lac_n_cores();
    if ((uint32_t)n_workers > n) n_workers = (int)n;
    j.classes = lac_arena_alloc(cli->arena, n + 1);
    lac_status status = open_devices(cli, &j, args, n_workers, err);
    double begin_s = lac_now_s();
    if (status == LAC_OK) status = run_all(cli, &j, n_workers, n, &n_right, err);
    double seconds = lac_now_s() - begin_s;
    close_devices(&j, n_workers);
    LAC_TRY(status);
    LAC_TRY(write_predictions(cli, args->predictions, j.classes, n, err));
    return report(cli, args, &j, n_workers, n, n_right, seconds, err);
}

const lac_command lac_cmd_run = {
    .name = "run",
    .summary = "run a program image on a device and count what it gets right",
    .usage = "run IMAGE --data NAME [options]",
    .examples = "lacuna run model.lac --device rtl --data fashion-mnist\n"
                "lacuna run model.lac --device rtl --data fashion-mnist --limit 100 --json\n"
                "lacuna run model.lac --data fashion-mnist --predictions classes.txt",
    .about = "On a device with a clock, every step's cycles are printed beside the list's entries x pixels, "
             "with the "
             "reason for the rest. The first run on an engine builds its simulation model and keeps it in "
             "$LACUNA_CACHE, else ~/.cache/lacuna.",
    .options = options,
    .n_options = (int)(sizeof options / sizeof options[0]),
    .args_bytes = sizeof(run_args),
    .fails = (const lac_status[]){LAC_E_IO, LAC_E_NOT_FOUND, LAC_E_FORMAT, LAC_E_SHAPE, LAC_E_CONTRACT,
                                  LAC_E_DEVICE, LAC_E_INTERRUPTED, LAC_OK},
    .run = run,
};
