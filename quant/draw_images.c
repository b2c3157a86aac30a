#include "draw_images.h"
#include "rng.h"

#include <string.h>

lac_dataset lac_draw_images(const lac_dataset *data, uint32_t n, uint64_t seed, lac_arena *arena) {
    enum { STREAM = 0x64726177 };
    lac_dataset drawn = *data;
    size_t bytes = (size_t)data->c * (size_t)data->h * (size_t)data->w;
    if (n > data->train.n) n = data->train.n;
    uint32_t *order = LAC_NEW_ARRAY(arena, uint32_t, data->train.n);
    uint8_t *pixels = LAC_NEW_ARRAY(arena, uint8_t, n * bytes), *labels = LAC_NEW_ARRAY(arena, uint8_t, n);
    lac_rng rng = lac_rng_make(seed, STREAM);
    for (uint32_t i = 0; i < data->train.n; i++) order[i] = i;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t other = i + lac_rng_below(&rng, data->train.n - i), image = order[other];
        order[other] = order[i];
        memcpy(pixels + i * bytes, data->train.pixels + image * bytes, bytes);
        labels[i] = data->train.labels[image];
    }
    drawn.train = (lac_split){pixels, labels, n};
    return drawn;
}
