#include "calibrate.h"
#include "lac_num.h"
#include "range.h"

#include <math.h>

enum { IMAGES = 512, BATCH = 64, SAMPLES_PER_BATCH = 4096 };

typedef struct seen {
    float *x, *low, *high;
    size_t n;
    int n_batches;
} seen;

typedef struct calibration {
    const lac_quant_sites *sites;
    seen *of; // per family leader
} calibration;

static void note_extremes(seen *s, const float *data, size_t n) {
    float low = data[0], high = data[0];
    for (size_t i = 1; i < n; i++) {
        low = data[i] < low ? data[i] : low;
        high = data[i] > high ? data[i] : high;
    }
    s->low[s->n_batches] = low;
    s->high[s->n_batches++] = high;
}

// Takes values at a stride, which is odd against the layout of maps, and begins elsewhere in every batch:
// without that the same channels and places are left out of all batches, and with them what is rare and
// large.
static void sample(void *ctx, int value, const float *data, lac_shape shape) {
    calibration *c = ctx;
    size_t n = (size_t)lac_shape_count(shape), stride = n / SAMPLES_PER_BATCH | 1;
    for (int i = 0; i < c->sites->n; i++) {
        if (c->sites->site[i].value != value) continue;
        seen *s = &c->of[c->sites->site[i].family];
        size_t first = (size_t)s->n_batches * 7919 % stride;
        for (size_t j = first, taken = 0; j < n && taken < SAMPLES_PER_BATCH; j += stride, taken++)
            s->x[s->n++] = data[j];
        note_extremes(s, data, n);
    }
}

static uint32_t n_images_of(const lac_dataset *data, const lac_quant_config *config) {
    uint32_t wanted = config->images ? config->images : IMAGES;
    return data->train.n < wanted ? data->train.n : wanted;
}

static lac_status run_images(const lac_graph *graph, const lac_dataset *data, uint32_t n_images,
                             calibration *c, lac_arena *arena, lac_error *err) {
    size_t pixels = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    float *x = LAC_NEW_ARRAY(arena, float, BATCH *pixels);
    for (uint32_t first = 0; first < n_images; first += BATCH) {
        uint32_t n = n_images - first < BATCH ? n_images - first : BATCH;
        lac_normalize(data, data->train.pixels + first * pixels, n, x);
        LAC_TRY(lac_infer_visit(graph, x, n, sample, c, err));
    }
    return LAC_OK;
}

// Codes 0..255 over the pixels 0..255 of all channels: with one channel, code = pixel.
static void input_scale(const lac_dataset *data, const lac_quant_site *site, float *scale, int *zero) {
    double lowest = INFINITY, highest = -INFINITY;
    for (int c = 0; c < data->c && c < 4; c++) {
        double std = (double)data->std[c], mean = (double)data->mean[c];
        lowest = fmin(lowest, -mean / std);
        highest = fmax(highest, (255 - mean) / std);
    }
    int top = lac_code_max(site->bits, site->is_signed);
    *scale = (float)((highest - lowest) / top);
    double z = rint(-lowest / (double)*scale);
    *zero = (int)(z < 0 ? 0 : z > top ? top : z);
}

static void fit(const lac_quant_config *config, const lac_quant_site *site, const seen *s, lac_arena *arena,
                float *scale, int *zero) {
    const lac_range_samples samples = {s->x, s->n, s->low, s->high, s->n_batches};
    const lac_code_grid grid = {.lowest = lac_code_min(site->bits, site->is_signed),
                                .highest = lac_code_max(site->bits, site->is_signed),
                                .asymmetric = site->is_asymmetric,
                                .power_of_two = config->power_of_two};
    lac_range_fit(config->act_range, config->percentile, &samples, grid, arena, scale, zero);
    if (!(*scale > 0)) *scale = 1;
}

static void allocate(calibration *c, uint32_t n_images, lac_arena *arena) {
    const lac_quant_sites *sites = c->sites;
    int n_batches = (int)((n_images + BATCH - 1) / BATCH);
    c->of = LAC_NEW_ARRAY(arena, seen, sites->n);
    int *members = LAC_NEW_ARRAY(arena, int, sites->n);
    for (int i = 0; i < sites->n; i++) members[sites->site[i].family]++;
    for (int i = 0; i < sites->n; i++) {
        if (!members[i]) continue;
        c->of[i].x = LAC_NEW_ARRAY(arena, float, n_batches *SAMPLES_PER_BATCH *members[i]);
        c->of[i].low = LAC_NEW_ARRAY(arena, float, n_batches *members[i]);
        c->of[i].high = LAC_NEW_ARRAY(arena, float, n_batches *members[i]);
    }
}

lac_status lac_calibrate(const lac_graph *graph, const lac_dataset *data, const lac_quant_config *config,
                         const lac_quant_sites *sites, lac_arena *arena, float **scale, int **zero,
                         lac_error *err) {
    calibration c = {.sites = sites};
    uint32_t n_images = n_images_of(data, config);
    allocate(&c, n_images, arena);
    LAC_TRY(run_images(graph, data, n_images, &c, arena, err));
    *scale = LAC_NEW_ARRAY(arena, float, sites->n);
    *zero = LAC_NEW_ARRAY(arena, int, sites->n);
    for (int i = 0; i < sites->n; i++) {
        const lac_quant_site *site = &sites->site[i];
        if (site->is_input) {
            input_scale(data, site, &(*scale)[i], &(*zero)[i]);
        } else if (site->family != i) {
            (*scale)[i] = (*scale)[site->family];
            (*zero)[i] = (*zero)[site->family];
        } else {
            fit(config, site, &c.of[i], arena, &(*scale)[i], &(*zero)[i]);
        }
    }
    return LAC_OK;
}
