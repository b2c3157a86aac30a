#include "lacuna.h"

#include "device.h"
#include "ref.h"
#include "threads.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A thread for every device takes jobs from its queue; instances of the device share the images of one job.

enum { BLOCK = 32 }; // runs an instance takes at once, where the device says nothing else

typedef struct instance {
    void *state;
    int32_t *inputs, *outputs; ///< of a block
    lac_error error;
} instance;

struct lacuna_job {
    lacuna_device *device;
    int n;
    const uint8_t *pixels;
    int32_t *results;
    lac_error error;
    bool is_done;
    lacuna_job *next;
};

struct lacuna_device {
    const lac_device_desc *desc;
    lacuna_options options;
    char *platform, *xclbin; ///< own copies
    lac_arena *arena;        ///< of the image; NULL when none is loaded
    lac_image *image;
    instance *instances;
    int n_instances, block;
    size_t n_in, n_out;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    lacuna_job *first, *last; ///< queue
    bool is_closing;
};

// ---- errors -----------------------------------------------------------------------------------------------

static int report(lac_status status, const lac_error *err, lacuna_error *error) {
    int code = lac_status_exit_code(status);
    if (status == LAC_OK || !error) return code;
    error->code = code;
    snprintf(error->text, sizeof error->text, "%s", err->text);
    return code;
}

// ---- one job ----------------------------------------------------------------------------------------------

static lac_status run_images(const lacuna_device *d, instance *unit, int n, lac_error *err) {
    int batch = lac_image_batch(d->image), n_runs = (n + batch - 1) / batch;
    for (int i = n; i < n_runs * batch; i++) // the last run is filled up with the last image
        memcpy(unit->inputs + (size_t)i * d->n_in, unit->inputs + (size_t)(n - 1) * d->n_in,
               d->n_in * sizeof *unit->inputs);
    if (d->desc->run_batch) return d->desc->run_batch(unit->state, n_runs, unit->inputs, unit->outputs, err);
    for (int i = 0; i < n_runs; i++)
        LAC_TRY(d->desc->run(unit->state, unit->inputs + (size_t)(i * batch) * d->n_in,
                             unit->outputs + (size_t)(i * batch) * d->n_out, NULL, NULL, err));
    return LAC_OK;
}

static void run_block(void *ctx, size_t item, int worker) {
    lacuna_job *job = ctx;
    const lacuna_device *d = job->device;
    instance *unit = &d->instances[worker];
    size_t first = item * (size_t)d->block, left = (size_t)job->n - first;
    size_t n = left < (size_t)d->block ? left : (size_t)d->block;
    if (unit->error.status != LAC_OK) return;
    for (size_t i = 0; i < n; i++)
        lac_input_codes(d->image->graph, job->pixels + (first + i) * d->n_in, unit->inputs + i * d->n_in);
    lac_status status = run_images(d, unit, (int)n, &unit->error);
    unit->error.status = status;
    if (status == LAC_OK)
        memcpy(job->results + first * d->n_out, unit->outputs, n * d->n_out * sizeof(int32_t));
}

static void run_job(lacuna_job *job) {
    lacuna_device *d = job->device;
    size_t blocks = ((size_t)job->n + (size_t)d->block - 1) / (size_t)d->block;
    lac_parallel_for(blocks, d->n_instances, run_block, job);
    for (int i = 0; i < d->n_instances; i++) {
        if (job->error.status == LAC_OK) job->error = d->instances[i].error;
        d->instances[i].error.status = LAC_OK;
    }
}

static void *work(void *ctx) {
    lacuna_device *d = ctx;
    pthread_mutex_lock(&d->mutex);
    for (;;) {
        while (!d->first && !d->is_closing) pthread_cond_wait(&d->changed, &d->mutex);
        lacuna_job *job = d->first;
        if (!job) break;
        pthread_mutex_unlock(&d->mutex);
        run_job(job);
        pthread_mutex_lock(&d->mutex);
        d->first = job->next;
        if (!d->first) d->last = NULL;
        job->is_done = true;
        pthread_cond_broadcast(&d->changed);
    }
    pthread_mutex_unlock(&d->mutex);
    return NULL;
}

// ---- opening and loading ----------------------------------------------------------------------------------

const char *lacuna_version(void) {
    return LAC_VERSION;
}

const char *lacuna_device_name(int i) {
    return i >= 0 && i < lac_n_devices() ? lac_device_row(i)->name : NULL;
}

static lac_status start_thread(lacuna_device *d, lac_error *err) {
    if (pthread_mutex_init(&d->mutex, NULL) != 0) LAC_FAIL(err, LAC_E_MEMORY, "no memory for a device");
    if (pthread_cond_init(&d->changed, NULL) == 0) {
        if (pthread_create(&d->thread, NULL, work, d) == 0) return LAC_OK;
        pthread_cond_destroy(&d->changed);
    }
    pthread_mutex_destroy(&d->mutex);
    LAC_FAIL(err, LAC_E_MEMORY, "no memory for the thread of a device");
}

static lac_status copy_text(const char *text, char **out, lac_error *err) {
    *out = text ? strdup(text) : NULL;
    if (text && !*out) LAC_FAIL(err, LAC_E_MEMORY, "no memory for a device");
    return LAC_OK;
}

static void free_device(lacuna_device *d) {
    free(d->platform);
    free(d->xclbin);
    free(d);
}

static lac_status make_device(const char *name, const lacuna_options *options, lacuna_device **out,
                              lac_error *err) {
    const lac_device_desc *desc = lac_device_find(name ? name : "");
    if (!desc) LAC_FAIL(err, LAC_E_USAGE, "there is no device '%s'", name ? name : "");
    lacuna_device *d = calloc(1, sizeof *d);
    if (!d) LAC_FAIL(err, LAC_E_MEMORY, "no memory for a device");
    d->desc = desc;
    if (options) d->options = *options;
    lac_status status = copy_text(d->options.platform, &d->platform, err);
    if (status == LAC_OK) status = copy_text(d->options.xclbin, &d->xclbin, err);
    if (status == LAC_OK) status = start_thread(d, err);
    if (status == LAC_OK)
        *out = d;
    else
        free_device(d);
    return status;
}

int lacuna_open(const char *device, const lacuna_options *options, lacuna_device **out, lacuna_error *error) {
    lac_error err = {0};
    return report(make_device(device, options, out, &err), &err, error);
}

static void unload(lacuna_device *d) {
    for (int i = 0; i < d->n_instances; i++)
        if (d->instances[i].state) d->desc->close(d->instances[i].state);
    if (d->arena) lac_arena_close(d->arena);
    d->arena = NULL;
    d->image = NULL;
    d->instances = NULL;
    d->n_instances = 0;
}

static lac_status open_instances(lacuna_device *d, lac_error *err) {
    const lac_device_config config = {
        .platform = d->platform, .binary = d->xclbin, .n_units = d->options.threads};
    int n = d->desc->takes_all_cores ? 1 : d->options.threads > 0 ? d->options.threads : lac_n_cores();
    d->instances = LAC_NEW_ARRAY(d->arena, instance, n);
    for (; d->n_instances < n; d->n_instances++) {
        instance *unit = &d->instances[d->n_instances];
        unit->inputs = LAC_NEW_ARRAY(d->arena, int32_t, (size_t)d->block * d->n_in);
        unit->outputs = LAC_NEW_ARRAY(d->arena, int32_t, (size_t)d->block * d->n_out);
        LAC_TRY(d->desc->open(d->image, &config, NULL, &unit->state, err));
    }
    return LAC_OK;
}

static lac_status load(lacuna_device *d, const char *path, lac_error *err) {
    unload(d);
    d->arena = lac_arena_open();
    if (!d->arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory for '%s'", path);
    LAC_TRY(lac_image_read(path, d->arena, &d->image, err));
    const lac_int_graph *graph = d->image->graph;
    if (graph->tensors[graph->input].c > 4)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "'%s' takes %d channels; inputs of at most 4 are normalised", path,
                 graph->tensors[graph->input].c);
    d->n_in = lac_int_tensor_count(&graph->tensors[graph->input]);
    d->n_out = lac_int_tensor_count(&graph->tensors[graph->output]);
    d->block = (d->desc->batch > 0 ? d->desc->batch : BLOCK) * lac_image_batch(d->image);
    return open_instances(d, err);
}

int lacuna_load(lacuna_device *device, const char *path, lacuna_error *error) {
    lac_error err = {0};
    lac_status status = load(device, path, &err);
    if (status != LAC_OK) unload(device);
    return report(status, &err, error);
}

static lac_status check_loaded(const lacuna_device *d, lac_error *err) {
    if (!d->image)
        LAC_FAIL(err, LAC_E_USAGE, "device %s has no image: call lacuna_load first", d->desc->name);
    return LAC_OK;
}

int lacuna_get_shape(const lacuna_device *device, lacuna_shape *out, lacuna_error *error) {
    lac_error err = {0};
    lac_status status = check_loaded(device, &err);
    if (status == LAC_OK) {
        const lac_int_tensor *in = &device->image->graph->tensors[device->image->graph->input];
        *out = (lacuna_shape){in->c, in->h, in->w, (int)device->n_out};
    }
    return report(status, &err, error);
}

// ---- running ----------------------------------------------------------------------------------------------

static lac_status enqueue(lacuna_device *d, int n, const uint8_t *pixels, int32_t *results, lacuna_job **out,
                          lac_error *err) {
    LAC_TRY(check_loaded(d, err));
    if (n < 0) LAC_FAIL(err, LAC_E_USAGE, "%d images cannot be run", n);
    lacuna_job *job = calloc(1, sizeof *job);
    if (!job) LAC_FAIL(err, LAC_E_MEMORY, "no memory for a job of %d images", n);
    *job = (lacuna_job){.device = d, .n = n, .pixels = pixels, .results = results};
    pthread_mutex_lock(&d->mutex);
    if (d->last)
        d->last->next = job;
    else
        d->first = job;
    d->last = job;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->mutex);
    *out = job;
    return LAC_OK;
}

int lacuna_start(lacuna_device *device, int n, const uint8_t *pixels, int32_t *results, lacuna_job **out,
                 lacuna_error *error) {
    lac_error err = {0};
    return report(enqueue(device, n, pixels, results, out, &err), &err, error);
}

int lacuna_wait(lacuna_job *job, lacuna_error *error) {
    lacuna_device *d = job->device;
    pthread_mutex_lock(&d->mutex);
    while (!job->is_done) pthread_cond_wait(&d->changed, &d->mutex);
    pthread_mutex_unlock(&d->mutex);
    lac_error err = job->error;
    free(job);
    return report(err.status, &err, error);
}

int lacuna_run(lacuna_device *device, int n, const uint8_t *pixels, int32_t *results, lacuna_error *error) {
    lac_error err = {0};
    lacuna_job *job = NULL;
    lac_status status = enqueue(device, n, pixels, results, &job, &err);
    return status == LAC_OK ? lacuna_wait(job, error) : report(status, &err, error);
}

/// Scale of raw result i.
static double scale_of(const lac_int_graph *graph, size_t i) {
    const lac_int_tensor *out = &graph->tensors[graph->output];
    for (int l = 0; l < graph->n_layers; l++)
        if (graph->layers[l].out == graph->output && graph->layers[l].raw)
            return graph->layers[l].raw_scale[i / ((size_t)out->h * (size_t)out->w)];
    return 1; // not reached: the compiler ends every network in raw results
}

int lacuna_scores(const lacuna_device *device, const int32_t *results, float *scores, lacuna_error *error) {
    lac_error err = {0};
    lac_status status = check_loaded(device, &err);
    for (size_t i = 0; status == LAC_OK && i < device->n_out; i++)
        scores[i] = (float)(scale_of(device->image->graph, i) * results[i]);
    return report(status, &err, error);
}

int lacuna_class(const lacuna_device *device, const int32_t *results) {
    return device->image ? lac_int_argmax(device->image->graph, results) : -1;
}

void lacuna_close(lacuna_device *device) {
    if (!device) return;
    pthread_mutex_lock(&device->mutex);
    device->is_closing = true;
    pthread_cond_broadcast(&device->changed);
    pthread_mutex_unlock(&device->mutex);
    pthread_join(device->thread, NULL);
    unload(device);
    pthread_cond_destroy(&device->changed);
    pthread_mutex_destroy(&device->mutex);
    free_device(device);
}
