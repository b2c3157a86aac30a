#ifndef LAC_LAYOUT_H
#define LAC_LAYOUT_H

#include "image.h"

/// Where pixel (y,x) of channel c lives: docs/image-format.md, "Layouts".

enum { LAC_NOT_IN_MEMORY = -1 }; ///< base of raw results, and of a tensor that a fused pool consumes

static inline int lac_layout_lane(const lac_engine_config *engine, const lac_layout *layout, int y, int x) {
    return y / layout->tile_h * engine->mesh_x + x / layout->tile_w;
}

/// Activation word, counted from the layout's base.
static inline int lac_layout_offset(const lac_layout *layout, int c, int y, int x) {
    return (c * layout->tile_h + y % layout->tile_h) * layout->tile_w + x % layout->tile_w;
}

static inline int lac_layout_channel_words(const lac_layout *layout) {
    return layout->tile_h * layout->tile_w;
}

/// The first lane of the rectangle of the mesh that input image k has. Memory from that lane on is laid out
/// for it as for the only one: pass memory + lac_image_lane(image, k) to lac_layout_load and
/// lac_layout_extract.
static inline int lac_image_lane(const lac_image *image, int k) {
    int rows = image->engine.mesh_y >> image->split_y, cols = image->engine.mesh_x >> image->split_x;
    return (k >> image->split_x) * rows * image->engine.mesh_x + (k & ((1 << image->split_x) - 1)) * cols;
}

static inline int lac_engine_lanes(const lac_engine_config *engine) {
    return engine->mesh_x * engine->mesh_y;
}

/// Activation memory as bytes, [act_words][lanes], and dense tensors [c][h][w] of codes.
void lac_layout_load(const lac_engine_config *engine, const lac_layout *layout, const lac_int_tensor *tensor,
                     const int32_t *values, uint8_t *memory);
void lac_layout_extract(const lac_engine_config *engine, const lac_layout *layout,
                        const lac_int_tensor *tensor, const uint8_t *memory, int32_t *values);

/// The raw results of a step as the engine sends them: channel by channel, pixel by pixel of the tile, all
/// lanes (or one value where the lanes are summed).
typedef struct lac_raw_order {
    int step;         ///< that sends them
    bool one_a_pixel; ///< lanes are summed: one value for each input image
    size_t n;         ///< words
} lac_raw_order;

lac_raw_order lac_image_raw_order(const lac_image *image);
void lac_raw_extract(const lac_image *image, const lac_raw_order *order, const int32_t *sent, int k,
                     int32_t *values); ///< of input image k

#endif
