#include "verify.h"

#include "layout.h"
#include "verify_work.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { IMAGES_A_WORKER = 32, DEFAULT_MARGIN = 256 };

// ---- what came out of it ----------------------------------------------------------------------------------

static void merge_cycles(lac_device_result *result, const lac_unit *unit, int n_steps, bool first) {
    for (int s = 0; s < n_steps; s++) {
        if (first || unit->least[s].total < result->least[s].total) result->least[s] = unit->least[s];
        if (first || unit->most[s].total > result->most[s].total) result->most[s] = unit->most[s];
    }
}

static void add_times(lac_device_result *result, const lac_unit *unit) {
    lac_device_times times;
    result->has_times = unit->device->times != NULL;
    if (!result->has_times || !unit->state) return;
    unit->device->times(unit->state, &times);
    result->times.load_s += times.load_s;
    result->times.run_s += times.run_s;
    result->times.store_s += times.store_s;
}

static void collect(const lac_crowd *crowd, lac_verify_report *report) {
    int n_steps = crowd->image->n_steps;
    report->n_threads = crowd->n_workers;
    report->n_devices = crowd->n_devices;
    report->devices = LAC_NEW_ARRAY(crowd->arena, lac_device_result, crowd->n_devices);
    for (int w = 0; w < crowd->n_workers; w++) report->n_compared += crowd->workers[w].n_compared;
    for (int d = 0; d < crowd->n_devices; d++) {
        lac_device_result *result = &report->devices[d];
        result->device = crowd->devices[d]->name;
        result->has_cycles = crowd->devices[d]->has_cycles;
        result->least = LAC_NEW_ARRAY(crowd->arena, lac_step_cycles, n_steps);
        result->most = LAC_NEW_ARRAY(crowd->arena, lac_step_cycles, n_steps);
        bool first = true;
        for (int w = 0; w < crowd->n_workers; w++) {
            const lac_unit *unit = &crowd->workers[w].units[d];
            result->n_right += unit->n_right;
            result->busy_s += unit->busy_s;
            add_times(result, unit);
            if (unit->n_images == 0) continue;
            merge_cycles(result, unit, n_steps, first);
            first = false;
        }
    }
}

// ---- the first mismatch -----------------------------------------------------------------------------------

/// Lane and cycle of the wrong value; the device has just run the image.
static void locate(const lac_crowd *crowd, const lac_unit *unit, lac_mismatch *m) {
    int t = crowd->image->steps[m->step].out_tensor;
    m->lane = lac_layout_lane(&crowd->image->engine, &crowd->image->layouts[t], m->y, m->x) +
              lac_image_lane(crowd->image, m->k);
    if (unit->device->explain)
        m->has_cycle =
            unit->device->explain(unit->state, m->step, m->k, m->c, m->y, m->x, &m->cycle, &m->lane);
}

/// Runs the image once more with a waveform around the cycle of the wrong write.
static lac_status trace(const lac_crowd *crowd, lac_worker *worker, const lac_unit *unit, lac_mismatch *m,
                        lac_error *err) {
    uint64_t margin =
        crowd->config->trace_margin_cycles ? crowd->config->trace_margin_cycles : DEFAULT_MARGIN;
    m->trace_begin = m->cycle > margin ? m->cycle - margin : 0;
    m->trace_end = m->cycle + margin;
    const lac_device_config config = {.stall_seed = crowd->config->stall_seed,
                                      .trace_path = crowd->config->trace_path,
                                      .trace_begin = m->trace_begin,
                                      .trace_end = m->trace_end};
    void *state = NULL;
    LAC_TRY(unit->device->open(unit->image, &config, crowd->talk, &state, err));
    lac_status status = unit->device->run(state, worker->input, worker->output, NULL, NULL, err);
    unit->device->close(state);
    m->has_trace = status == LAC_OK;
    return status;
}

static const char *kind_of(const lac_image *image, int step) {
    return lac_int_kind_name(image->graph->layers[image->steps[step].layer].kind);
}

static lac_status tell(const lac_crowd *crowd, const lac_mismatch *m, lac_error *err) {
    char cycle[64] = "", wave[256] = "";
    if (m->has_cycle) snprintf(cycle, sizeof cycle, ", cycle %" PRIu64, m->cycle);
    if (m->has_trace)
        snprintf(wave, sizeof wave, "; waveform of cycles %" PRIu64 "..%" PRIu64 " in %s", m->trace_begin,
                 m->trace_end, crowd->config->trace_path);
    LAC_FAIL(err, LAC_E_MISMATCH,
             "image %" PRIu32 ", device %s, step %d '%s' (%s): channel %d, pixel (%d,%d) is %" PRId32
             ", the reference says %" PRId32 "; lane %d%s; %" PRIu64 " of %" PRIu64
             " values of the layer differ%s",
             m->image, m->device, m->step, crowd->image->steps[m->step].name, kind_of(crowd->image, m->step),
             m->c, m->y, m->x, m->got, m->expected, m->lane, cycle, m->n_wrong, m->n_values, wave);
}

/// Runs the image alone, so that the story is the same whatever the threads did.
static lac_status explain(lac_crowd *crowd, uint32_t image, lac_mismatch *m, lac_error *err) {
    lac_worker *worker = &crowd->workers[0];
    lac_status status = lac_worker_image(crowd, worker, image);
    if (status != LAC_OK) {
        if (err) *err = worker->error;
        return status;
    }
    *m = worker->mismatch;
    if (!m->found)
        LAC_FAIL(err, LAC_E_DEVICE,
                 "image %" PRIu32
                 " differed from the reference once, but not when it was run again: the device "
                 "keeps state between images",
                 image);
    lac_unit *unit = worker->units;
    while (unit->device->name != m->device) unit++;
    locate(crowd, unit, m);
    lac_error why = {0};
    if (m->has_cycle && crowd->config->trace_path && trace(crowd, worker, unit, m, &why) != LAC_OK)
        lac_talk_note(crowd->talk, "no waveform: %s", why.text);
    return tell(crowd, m, err);
}

// ---- all images -------------------------------------------------------------------------------------------

static lac_status check_piece(lac_crowd *crowd, uint32_t n, lac_verify_report *report, lac_error *err) {
    for (uint32_t i = 0; i * crowd->block < n; i++)
        if (crowd->mismatched[i])
            return explain(crowd, crowd->first + i * crowd->block, &report->mismatch, err);
    return LAC_OK;
}

static lac_status run_all(lac_crowd *crowd, lac_verify_report *report, lac_error *err) {
    uint32_t n_images = crowd->config->n_images,
             images_a_worker = crowd->block > IMAGES_A_WORKER ? crowd->block : IMAGES_A_WORKER;
    // Whole blocks, so that only the last one may be short.
    uint32_t piece =
        (images_a_worker + crowd->block - 1) / crowd->block * crowd->block * (uint32_t)crowd->n_workers;
    const char *stage = crowd->compare ? "verify" : "run";
    crowd->mismatched = LAC_NEW_ARRAY(crowd->arena, bool, piece);
    lac_talk_step(crowd->talk, stage, 0, n_images, "images");
    for (crowd->first = 0; crowd->first < n_images; crowd->first += piece) {
        uint32_t n = n_images - crowd->first < piece ? n_images - crowd->first : piece;
        LAC_TRY(lac_crowd_piece(crowd, n, err));
        if (lac_talk_stop(crowd->talk))
            LAC_FAIL(err, LAC_E_INTERRUPTED, "%s interrupted after %" PRIu32 " of %" PRIu32 " images", stage,
                     report->n_images, n_images);
        LAC_TRY(check_piece(crowd, n, report, err));
        report->n_images += n;
        lac_talk_step(crowd->talk, stage, report->n_images, n_images, "images");
    }
    return LAC_OK;
}

static lac_status go(const lac_image *image, const lac_verify_config *config, bool compare,
                     const lac_talk *talk, lac_arena *arena, lac_verify_report *report, lac_error *err) {
    lac_crowd crowd = {.image = image, .config = config, .talk = talk, .arena = arena, .compare = compare};
    *report = (lac_verify_report){0};
    double start = lac_now_s();
    lac_status status = lac_crowd_open(&crowd, err);
    report->open_seconds = lac_now_s() - start;
    if (status == LAC_OK) {
        start = lac_now_s();
        status = run_all(&crowd, report, err);
        report->seconds = lac_now_s() - start;
        collect(&crowd, report);
    }
    lac_crowd_close(&crowd);
    return status;
}

lac_status lac_run(const lac_image *image, const lac_verify_config *config, const lac_talk *talk,
                   lac_arena *arena, lac_verify_report *report, lac_error *err) {
    return go(image, config, false, talk, arena, report, err);
}

lac_status lac_verify(const lac_image *image, const lac_verify_config *config, const lac_talk *talk,
                      lac_arena *arena, lac_verify_report *report, lac_error *err) {
    return go(image, config, true, talk, arena, report, err);
}
