#include "augment.h"

#include "parallel.h"
#include "rng.h"

#include <math.h>

lac_augment lac_augment_make(const lac_dataset *data, int crop_pad, bool flip, uint64_t seed) {
    lac_augment a = {
        .c = data->c, .h = data->h, .w = data->w, .crop_pad = crop_pad, .flip = flip, .seed = seed};
    for (int c = 0; c < data->c; c++)
        for (int v = 0; v < 256; v++) a.table[c][v] = ((float)v - data->mean[c]) / data->std[c];
    return a;
}

// One row: columns shifted by dx, mirrored or not; what lies outside the image is byte 0.
static void move_row(const uint8_t *from, const float *table, int w, int dx, bool mirror, float *to) {
    for (int x = 0; x < w; x++) {
        int source = (mirror ? w - 1 - x : x) + dx;
        to[x] = source >= 0 && source < w ? table[from[source]] : table[0];
    }
}

static void move_image(const lac_augment *a, const uint8_t *from, int dy, int dx, bool mirror, float *to) {
    for (int c = 0; c < a->c; c++)
        for (int y = 0; y < a->h; y++, to += a->w) {
            int source = y + dy;
            if (source >= 0 && source < a->h)
                move_row(from + (size_t)((c * a->h + source) * a->w), a->table[c], a->w, dx, mirror, to);
            else
                for (int x = 0; x < a->w; x++) to[x] = a->table[c][0];
        }
}

typedef struct rectangle {
    int y, x, h, w;
} rectangle;

static int clamped(int v, int lo, int hi) {
    return v < lo ? lo : v > hi ? hi : v;
}

// The part of a square around a random pixel that lies on the image.
static rectangle cutout_square(const lac_augment *a, lac_rng *rng) {
    int y = (int)lac_rng_below(rng, (uint32_t)a->h) - a->cutout / 2;
    int x = (int)lac_rng_below(rng, (uint32_t)a->w) - a->cutout / 2;
    int y0 = clamped(y, 0, a->h), x0 = clamped(x, 0, a->w);
    return (rectangle){y0, x0, clamped(y + a->cutout, 0, a->h) - y0, clamped(x + a->cutout, 0, a->w) - x0};
}

// Area and aspect as published; a rectangle that does not fit is drawn again, up to a number of times.
static bool erased_rectangle(const lac_augment *a, lac_rng *rng, rectangle *out) {
    enum { ATTEMPTS = 20 };
    const float least = 0.02f, most = 1.0f / 3, narrow = 0.3f, wide = 1 / 0.3f;
    for (int i = 0; i < ATTEMPTS; i++) {
        float area = (float)(a->h * a->w) * (least + (most - least) * lac_rng_uniform(rng));
        float aspect = narrow + (wide - narrow) * lac_rng_uniform(rng);
        int h = (int)sqrtf(area * aspect), w = (int)sqrtf(area / aspect);
        if (h < 1 || w < 1 || h > a->h || w > a->w) continue;
        *out = (rectangle){(int)lac_rng_below(rng, (uint32_t)(a->h - h) + 1),
                           (int)lac_rng_below(rng, (uint32_t)(a->w - w) + 1), h, w};
        return true;
    }
    return false;
}

// noise NULL: zeros.
static void fill(const lac_augment *a, rectangle r, lac_rng *noise, float *image) {
    for (int c = 0; c < a->c; c++)
        for (int y = r.y; y < r.y + r.h; y++)
            for (int x = r.x; x < r.x + r.w; x++)
                image[(c * a->h + y) * a->w + x] = noise ? a->table[c][lac_rng_below(noise, 256)] : 0.0f;
}

static void cut_and_erase(const lac_augment *a, lac_rng *rng, float *image) {
    rectangle r;
    if (a->cutout > 0) fill(a, cutout_square(a, rng), NULL, image);
    if (a->erase > 0 && lac_rng_uniform(rng) < a->erase && erased_rectangle(a, rng, &r))
        fill(a, r, rng, image);
}

void lac_augment_image(const lac_augment *a, const uint8_t *pixels, uint32_t item, int64_t epoch, float *to) {
    const uint8_t *from = pixels + item * (size_t)a->c * (size_t)a->h * (size_t)a->w;
    if (epoch < 0) {
        move_image(a, from, 0, 0, false, to);
        return;
    }
    lac_rng rng = lac_rng_make(a->seed ^ 0xA06E57u, ((uint64_t)epoch << 32) | item);
    int dy = 0, dx = 0;
    if (a->crop_pad > 0) {
        uint32_t span = 2 * (uint32_t)a->crop_pad + 1;
        dy = (int)lac_rng_below(&rng, span) - a->crop_pad;
        dx = (int)lac_rng_below(&rng, span) - a->crop_pad;
    }
    move_image(a, from, dy, dx, a->flip && lac_rng_below(&rng, 2) == 1, to);
    cut_and_erase(a, &rng, to);
}

void lac_augment_batch(const lac_augment *a, const uint8_t *pixels, const uint32_t *items, uint32_t n,
                       int64_t epoch, float *out) {
    const size_t size = (size_t)a->c * (size_t)a->h * (size_t)a->w;
    LAC_PARALLEL
    for (uint32_t i = 0; i < n; i++)
        lac_augment_image(a, pixels, items ? items[i] : i, epoch, out + i * size);
}
