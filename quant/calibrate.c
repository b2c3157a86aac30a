#include "calibrate.h"
#include "lac_num.h"
#include "scale_search.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 512, BATCH = 64, SAMPLES_PER_BATCH = 4096 };

typedef struct samples {
    const lac_quant_sites *sites;
    float **x; // per family leader
    size_t *n;
} samples;

// Takes values at a stride, which is odd against the layout of maps so that all channels and places are seen.
static void sample(void *ctx, int value, const float *data, lac_shape shape) {
    samples *s = ctx;
    size_t n = (size_t)lac_shape_count(shape), stride = n / SAMPLES_PER_BATCH | 1;
    for (int i = 0; i < s->sites->n; i++) {
        if (s->sites->site[i].value != value) continue;
        int family = s->sites->site[i].family;
        for (size_t j = 0, taken = 0; j < n && taken < SAMPLES_PER_BATCH; j += stride, taken++)
            s->x[family][s->n[family]++] = data[j];
    }
}

static lac_status run_images(const lac_graph *graph, const lac_dataset *data, samples *s, lac_arena *arena,
                             lac_error *err) {
    size_t pixels = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    uint32_t n_images = data->train.n < IMAGES ? data->train.n : IMAGES;
    float *x = LAC_NEW_ARRAY(arena, float, BATCH *pixels);
    for (uint32_t first = 0; first < n_images; first += BATCH) {
        uint32_t n = n_images - first < BATCH ? n_images - first : BATCH;
        lac_normalize(data, data->train.pixels + first * pixels, n, x);
        LAC_TRY(lac_infer_visit(graph, x, n, sample, s, err));
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

lac_status lac_calibrate(const lac_graph *graph, const lac_dataset *data, const lac_quant_sites *sites,
                         lac_arena *arena, float **scale, int **zero, lac_error *err) {
    samples s = {sites, LAC_NEW_ARRAY(arena, float *, sites->n), LAC_NEW_ARRAY(arena, size_t, sites->n)};
    const size_t capacity = (IMAGES / BATCH) * SAMPLES_PER_BATCH;
    int *members = LAC_NEW_ARRAY(arena, int, sites->n);
    for (int i = 0; i < sites->n; i++) members[sites->site[i].family]++;
    for (int i = 0; i < sites->n; i++)
        if (members[i]) s.x[i] = LAC_NEW_ARRAY(arena, float, capacity *(size_t)members[i]);
    LAC_TRY(run_images(graph, data, &s, arena, err));
    *scale = LAC_NEW_ARRAY(arena, float, sites->n);
    *zero = LAC_NEW_ARRAY(arena, int, sites->n);
    for (int i = 0; i < sites->n; i++) {
        const lac_quant_site *site = &sites->site[i];
        if (site->is_input) {
            input_scale(data, site, &(*scale)[i], &(*zero)[i]);
        } else if (site->family != i) {
            (*scale)[i] = (*scale)[site->family];
        } else {
            float best = lac_scale_search(s.x[i], s.n[i], lac_code_min(site->bits, site->is_signed),
                                          lac_code_max(site->bits, site->is_signed));
            (*scale)[i] = best > 0 ? best : 1;
        }
    }
    return LAC_OK;
}
