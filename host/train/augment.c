#include "augment.h"

#include "parallel.h"
#include "rng.h"

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

static void augment_image(const lac_augment *a, const uint8_t *from, uint32_t item, int64_t epoch,
                          float *to) {
    int dy = 0, dx = 0;
    bool mirror = false;
    if (epoch >= 0) {
        lac_rng rng = lac_rng_make(a->seed ^ 0xA06E57u, ((uint64_t)epoch << 32) | item);
        if (a->crop_pad > 0) {
            uint32_t span = 2 * (uint32_t)a->crop_pad + 1;
            dy = (int)lac_rng_below(&rng, span) - a->crop_pad;
            dx = (int)lac_rng_below(&rng, span) - a->crop_pad;
        }
        mirror = a->flip && lac_rng_below(&rng, 2) == 1;
    }
    move_image(a, from, dy, dx, mirror, to);
}

void lac_augment_batch(const lac_augment *a, const uint8_t *pixels, const uint32_t *items, uint32_t n,
                       int64_t epoch, float *out) {
    const size_t size = (size_t)a->c * (size_t)a->h * (size_t)a->w;
    LAC_PARALLEL
    for (uint32_t i = 0; i < n; i++) {
        uint32_t item = items ? items[i] : i;
        augment_image(a, pixels + item * size, item, epoch, out + i * size);
    }
}
