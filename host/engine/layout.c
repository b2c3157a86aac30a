#include "layout.h"

#include "lac_num.h"
#include "program_survey.h"

static size_t place_of(const lac_engine_config *engine, const lac_layout *layout, int c, int y, int x) {
    size_t word = (size_t)(layout->base + lac_layout_offset(layout, c, y, x));
    return word * (size_t)lac_engine_lanes(engine) + (size_t)lac_layout_lane(engine, layout, y, x);
}

void lac_layout_load(const lac_engine_config *engine, const lac_layout *layout, const lac_int_tensor *tensor,
                     const int32_t *values, uint8_t *memory) {
    for (int c = 0; c < tensor->c; c++)
        for (int y = 0; y < tensor->h; y++)
            for (int x = 0; x < tensor->w; x++)
                memory[place_of(engine, layout, c, y, x)] = (uint8_t)*values++;
}

void lac_layout_extract(const lac_engine_config *engine, const lac_layout *layout,
                        const lac_int_tensor *tensor, const uint8_t *memory, int32_t *values) {
    for (int c = 0; c < tensor->c; c++)
        for (int y = 0; y < tensor->h; y++)
            for (int x = 0; x < tensor->w; x++) {
                int code = memory[place_of(engine, layout, c, y, x)];
                *values++ = tensor->type.is_signed && code > 127 ? code - 256 : code;
            }
}

lac_raw_order lac_image_raw_order(const lac_image *image) {
    lac_raw_order order = {0};
    while (!image->graph->layers[image->steps[order.step].layer].raw) order.step++;
    lac_layer_record record = lac_image_record(image, order.step);
    order.one_a_pixel = record.REDUCE;
    size_t pixels = (size_t)record.OUT_TILE_H * (size_t)record.OUT_TILE_W * (size_t)record.N_OUT;
    order.n =
        pixels * (size_t)(order.one_a_pixel ? lac_image_batch(image) : lac_engine_lanes(&image->engine));
    return order;
}

void lac_raw_extract(const lac_image *image, const lac_raw_order *order, const int32_t *sent, int k,
                     int32_t *values) {
    int t = image->steps[order->step].out_tensor;
    const lac_int_tensor *tensor = &image->graph->tensors[t];
    const lac_layout *layout = &image->layouts[t];
    size_t lanes = (size_t)(order->one_a_pixel ? lac_image_batch(image) : lac_engine_lanes(&image->engine));
    sent += order->one_a_pixel ? k : lac_image_lane(image, k);
    for (int c = 0; c < tensor->c; c++)
        for (int y = 0; y < tensor->h; y++)
            for (int x = 0; x < tensor->w; x++) {
                size_t lane = order->one_a_pixel ? 0 : (size_t)lac_layout_lane(&image->engine, layout, y, x);
                *values++ = sent[(size_t)lac_layout_offset(layout, c, y, x) * lanes + lane];
            }
}
