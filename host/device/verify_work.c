#include "verify_work.h"

#include "fault.h"
#include "ref.h"
#include "threads.h"

#include <string.h>

// ---- opening ----------------------------------------------------------------------------------------------

static lac_status find_devices(lac_crowd *crowd, lac_error *err) {
    const lac_verify_config *config = crowd->config;
    crowd->n_devices = config->n_devices;
    crowd->devices = LAC_NEW_ARRAY(crowd->arena, const lac_device_desc *, config->n_devices);
    crowd->images = LAC_NEW_ARRAY(crowd->arena, const lac_image *, config->n_devices);
    for (int d = 0; d < config->n_devices; d++) {
        crowd->devices[d] = lac_device_find(config->devices[d]);
        crowd->images[d] = crowd->image;
        if (!crowd->devices[d])
            LAC_FAIL(err, LAC_E_USAGE,
                     "no device '%s' in this build; 'lacuna list devices' shows those there are",
                     config->devices[d]);
        if (!config->fault_device || strcmp(config->fault_device, config->devices[d]) != 0) continue;
        lac_image *faulty = NULL;
        LAC_TRY(lac_image_with_fault(crowd->image, config->fault_step, crowd->arena, &faulty, err));
        crowd->images[d] = faulty;
    }
    return LAC_OK;
}

static lac_status open_unit(lac_crowd *crowd, lac_unit *unit, int d, lac_error *err) {
    size_t n = (size_t)crowd->image->n_steps;
    const lac_device_config config = {.stall_seed = crowd->config->stall_seed,
                                      .platform = crowd->config->platform,
                                      .binary = crowd->config->binary,
                                      .n_units = crowd->compare ? 1 : crowd->config->n_threads};
    unit->device = crowd->devices[d];
    unit->image = crowd->images[d];
    unit->cycles = LAC_NEW_ARRAY(crowd->arena, lac_step_cycles, n);
    unit->least = LAC_NEW_ARRAY(crowd->arena, lac_step_cycles, n);
    unit->most = LAC_NEW_ARRAY(crowd->arena, lac_step_cycles, n);
    return unit->device->open(unit->image, &config, crowd->talk, &unit->state, err);
}

static lac_status open_worker(lac_crowd *crowd, lac_worker *worker, lac_error *err) {
    const lac_int_graph *graph = crowd->image->graph;
    worker->image = crowd->image;
    worker->units = LAC_NEW_ARRAY(crowd->arena, lac_unit, crowd->n_devices);
    int batch = lac_image_batch(crowd->image);
    size_t n_in = lac_int_tensor_count(&graph->tensors[graph->input]);
    size_t n_out = lac_int_tensor_count(&graph->tensors[graph->output]);
    worker->input = LAC_NEW_ARRAY(crowd->arena, int32_t, crowd->block * n_in);
    worker->output = LAC_NEW_ARRAY(crowd->arena, int32_t, crowd->block * n_out);
    worker->values = LAC_NEW_ARRAY(crowd->arena, int32_t **, batch);
    for (int k = 0; k < batch; k++) {
        worker->values[k] = LAC_NEW_ARRAY(crowd->arena, int32_t *, graph->n_tensors);
        for (int t = 0; t < graph->n_tensors; t++)
            worker->values[k][t] =
                t == graph->input
                    ? worker->input + (size_t)k * n_in
                    : LAC_NEW_ARRAY(crowd->arena, int32_t, lac_int_tensor_count(&graph->tensors[t]));
    }
    for (int d = 0; d < crowd->n_devices; d++) LAC_TRY(open_unit(crowd, &worker->units[d], d, err));
    return LAC_OK;
}

lac_status lac_crowd_open(lac_crowd *crowd, lac_error *err) {
    const lac_int_graph *graph = crowd->image->graph;
    if (graph->tensors[graph->input].c > 4)
        LAC_FAIL(err, LAC_E_UNSUPPORTED, "input '%s' has %d channels; images of at most 4 are normalised",
                 graph->tensors[graph->input].name, graph->tensors[graph->input].c);
    LAC_TRY(find_devices(crowd, err));
    const lac_device_desc *device = crowd->devices[0];
    crowd->at_once = !crowd->compare && crowd->n_devices == 1 && device->run_batch;
    crowd->block = (uint32_t)lac_image_batch(crowd->image) * (crowd->at_once ? (uint32_t)device->batch : 1);
    crowd->n_workers = crowd->config->n_threads > 0 ? crowd->config->n_threads : lac_n_cores();
    if ((uint32_t)crowd->n_workers > crowd->config->n_images)
        crowd->n_workers = crowd->config->n_images ? (int)crowd->config->n_images : 1;
    if (crowd->at_once && device->takes_all_cores) crowd->n_workers = 1;
    crowd->workers = LAC_NEW_ARRAY(crowd->arena, lac_worker, crowd->n_workers);
    for (int w = 0; w < crowd->n_workers; w++) LAC_TRY(open_worker(crowd, &crowd->workers[w], err));
    return LAC_OK;
}

void lac_crowd_close(lac_crowd *crowd) {
    for (int w = 0; crowd->workers && w < crowd->n_workers; w++)
        for (int d = 0; crowd->workers[w].units && d < crowd->n_devices; d++) {
            lac_unit *unit = &crowd->workers[w].units[d];
            if (unit->state) unit->device->close(unit->state);
        }
}

// ---- one image --------------------------------------------------------------------------------------------

typedef struct comparison {
    lac_worker *worker;
    const lac_unit *unit;
} comparison;

/// Compares a step's tensor with the reference; only the first mismatch of an image is kept.
static void compare_tensor(void *ctx, int step, int k, const int32_t *got) {
    const comparison *c = ctx;
    lac_worker *worker = c->worker;
    int t = worker->image->steps[step].out_tensor;
    const lac_int_tensor *tensor = &worker->image->graph->tensors[t];
    const int32_t *expected = worker->values[k][t];
    size_t n = lac_int_tensor_count(tensor), first = 0, n_wrong = 0;
    worker->n_compared += n;
    if (memcmp(got, expected, n * sizeof *got) == 0 || worker->mismatch.found) return;
    while (got[first] == expected[first]) first++;
    for (size_t i = 0; i < n; i++) n_wrong += got[i] != expected[i];
    int at = (int)first, map = tensor->h * tensor->w;
    worker->mismatch = (lac_mismatch){.found = true,
                                      .device = c->unit->device->name,
                                      .k = k,
                                      .step = step,
                                      .c = at / map,
                                      .y = at % map / tensor->w,
                                      .x = at % tensor->w,
                                      .expected = expected[first],
                                      .got = got[first],
                                      .n_wrong = n_wrong,
                                      .n_values = n};
}

static void keep_cycles(const lac_worker *worker, lac_unit *unit) {
    for (int s = 0; s < worker->image->n_steps; s++) {
        const lac_step_cycles *c = &unit->cycles[s];
        if (unit->n_images == 0 || c->total < unit->least[s].total) unit->least[s] = *c;
        if (unit->n_images == 0 || c->total > unit->most[s].total) unit->most[s] = *c;
    }
}

static lac_status run_unit(const lac_crowd *crowd, lac_worker *worker, lac_unit *unit, lac_error *err) {
    comparison c = {worker, unit};
    const lac_device_watch watch = {.tensor = compare_tensor, .ctx = &c};
    double start = lac_now_s();
    lac_status status = unit->device->run(unit->state, worker->input, worker->output,
                                          crowd->compare ? &watch : NULL, unit->cycles, err);
    unit->busy_s += lac_now_s() - start;
    return status;
}

/// Results of the first device are the ones that are kept.
static void count_result(const lac_crowd *crowd, lac_unit *unit, const int32_t *output, uint32_t image,
                         bool first) {
    const lac_verify_config *config = crowd->config;
    int class = lac_int_argmax(crowd->image->graph, output);
    unit->n_images++;
    if (config->labels) unit->n_right += class == config->labels[image];
    if (config->classes && first) config->classes[image] = (uint8_t) class;
}

/// Image number k of a run that begins with `first`; the last run is filled up with the last image.
static uint32_t image_of_run(const lac_crowd *crowd, uint32_t first, int k) {
    uint32_t image = first + (uint32_t)k, n = crowd->config->n_images;
    return image < n ? image : n - 1;
}

static void prepare(const lac_crowd *crowd, lac_worker *worker, uint32_t first) {
    const lac_int_graph *graph = crowd->image->graph;
    size_t n_pixels = lac_int_tensor_count(&graph->tensors[graph->input]);
    for (int k = 0; k < lac_image_batch(crowd->image); k++) {
        size_t image = image_of_run(crowd, first, k);
        lac_input_codes(graph, crowd->config->pixels + image * n_pixels, worker->values[k][graph->input]);
        if (crowd->compare) lac_ref_run(graph, worker->values[k]);
    }
}

lac_status lac_worker_image(const lac_crowd *crowd, lac_worker *worker, uint32_t image) {
    const lac_int_graph *graph = crowd->image->graph;
    size_t n_out = lac_int_tensor_count(&graph->tensors[graph->output]);
    prepare(crowd, worker, image);
    worker->mismatch = (lac_mismatch){.found = false};
    for (int d = 0; d < crowd->n_devices; d++) {
        lac_unit *unit = &worker->units[d];
        LAC_TRY(run_unit(crowd, worker, unit, &worker->error));
        keep_cycles(worker, unit);
        for (int k = 0; k < lac_image_batch(crowd->image) && image + (uint32_t)k < crowd->config->n_images;
             k++)
            count_result(crowd, unit, worker->output + (size_t)k * n_out, image + (uint32_t)k, d == 0);
    }
    if (worker->mismatch.found) worker->mismatch.image = image_of_run(crowd, image, worker->mismatch.k);
    return LAC_OK;
}

/// Runs images [first, first + n) at once on the only device of a worker.
static lac_status run_block(const lac_crowd *crowd, lac_worker *worker, uint32_t first, uint32_t n) {
    const lac_int_graph *graph = crowd->image->graph;
    size_t n_in = lac_int_tensor_count(&graph->tensors[graph->input]),
           n_out = lac_int_tensor_count(&graph->tensors[graph->output]);
    uint32_t batch = (uint32_t)lac_image_batch(crowd->image), n_runs = (n + batch - 1) / batch;
    lac_unit *unit = &worker->units[0];
    for (uint32_t i = 0; i < n_runs * batch; i++) { // the last run is filled up with the last image
        size_t image = first + (i < n ? i : n - 1);
        lac_input_codes(graph, crowd->config->pixels + image * n_in, worker->input + i * n_in);
    }
    double start = lac_now_s();
    LAC_TRY(unit->device->run_batch(unit->state, (int)n_runs, worker->input, worker->output, &worker->error));
    unit->busy_s += lac_now_s() - start;
    for (uint32_t i = 0; i < n; i++) count_result(crowd, unit, worker->output + i * n_out, first + i, true);
    return LAC_OK;
}

// ---- many -------------------------------------------------------------------------------------------------

static void run_item(void *ctx, size_t item, int w) {
    lac_crowd *crowd = ctx;
    lac_worker *worker = &crowd->workers[w];
    if (worker->error.status != LAC_OK || lac_talk_stop(crowd->talk)) return;
    uint32_t at = (uint32_t)item * crowd->block, left = crowd->n_piece - at;
    lac_status status = crowd->at_once ? run_block(crowd, worker, crowd->first + at,
                                                   left < crowd->block ? left : crowd->block)
                                       : lac_worker_image(crowd, worker, crowd->first + at);
    if (status != LAC_OK) worker->error.status = status;
    crowd->mismatched[item] = worker->mismatch.found;
}

lac_status lac_crowd_piece(lac_crowd *crowd, uint32_t n, lac_error *err) {
    memset(crowd->mismatched, 0, n * sizeof *crowd->mismatched);
    crowd->n_piece = n;
    lac_parallel_for((n + crowd->block - 1) / crowd->block, crowd->n_workers, run_item, crowd);
    for (int w = 0; w < crowd->n_workers; w++) {
        if (crowd->workers[w].error.status == LAC_OK) continue;
        if (err) *err = crowd->workers[w].error;
        return crowd->workers[w].error.status;
    }
    return LAC_OK;
}
