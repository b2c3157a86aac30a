#include "byte_stream.h"
#include "file.h"
#include "image_format.h"

#include <assert.h>
#include <string.h>

static void put_tensor(lac_byte_writer *w, const lac_int_tensor *t) {
    lac_put_text(w, t->name);
    const int fields[] = {t->c, t->h, t->w, t->type.bits, t->type.is_signed, t->type.zero};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) lac_put_i32(w, fields[i]);
    lac_put_f64(w, t->type.scale);
}

static void put_window(lac_byte_writer *w, const lac_window *window) {
    for (int i = 0; i < 2; i++) lac_put_i32(w, window->kernel[i]);
    for (int i = 0; i < 2; i++) lac_put_i32(w, window->stride[i]);
    for (int i = 0; i < 4; i++) lac_put_i32(w, window->pad[i]);
    for (int i = 0; i < 2; i++) lac_put_i32(w, window->dilation[i]);
    lac_put_i32(w, window->groups);
}

/// All of a layer that the program does not hold: weights, biases, multipliers and shifts are there.
static void put_layer(lac_byte_writer *w, const lac_int_graph *graph, const lac_int_layer *layer) {
    lac_put_text(w, layer->name);
    lac_put_i32(w, (int32_t)layer->kind);
    lac_put_i32(w, layer->n_in);
    for (int i = 0; i < layer->n_in; i++) lac_put_i32(w, layer->in[i]);
    lac_put_i32(w, layer->out);
    if (layer->kind == LAC_INT_CONCAT) return;
    if (lac_int_kind_has_window(layer->kind)) put_window(w, &layer->window);
    if (layer->kind == LAC_INT_CONV2D) lac_put_i32(w, layer->weight_bits);
    if (lac_int_kind_moves_codes(layer->kind)) return;
    lac_put_i32(w, layer->raw);
    for (int o = 0; layer->raw && o < graph->tensors[layer->out].c; o++) lac_put_f64(w, layer->raw_scale[o]);
    if (layer->raw) return;
    lac_put_i32(w, layer->lo);
    lac_put_i32(w, layer->hi);
}

static void put_graph(lac_byte_writer *w, const lac_image *image) {
    const lac_int_graph *graph = image->graph;
    lac_put_text(w, graph->name);
    lac_put_i32(w, graph->n_tensors);
    lac_put_i32(w, graph->n_layers);
    lac_put_i32(w, graph->input);
    lac_put_i32(w, graph->output);
    for (int i = 0; i < 4; i++) {
        lac_put_f64(w, (double)graph->input_mean[i]);
        lac_put_f64(w, (double)graph->input_std[i]);
    }
    for (int t = 0; t < graph->n_tensors; t++) put_tensor(w, &graph->tensors[t]);
    for (int l = 0; l < graph->n_layers; l++) put_layer(w, graph, &graph->layers[l]);
}

static void put_steps(lac_byte_writer *w, const lac_image *image) {
    lac_put_i32(w, image->split_y);
    lac_put_i32(w, image->split_x);
    for (int t = 0; t < image->graph->n_tensors; t++) {
        lac_put_i32(w, image->layouts[t].base);
        lac_put_i32(w, image->layouts[t].tile_h);
        lac_put_i32(w, image->layouts[t].tile_w);
    }
    lac_put_i32(w, image->n_steps);
    for (int s = 0; s < image->n_steps; s++) {
        lac_put_i32(w, image->steps[s].layer);
        lac_put_i32(w, image->steps[s].table_layer);
        lac_put_i32(w, image->steps[s].pool_layer);
    }
}

static void put_program(lac_byte_writer *w, const lac_image *image) {
    for (size_t i = 0; i < image->n_program; i++) lac_put_u64(w, image->program[i]);
}

static void put_meta(lac_byte_writer *w, const lac_image *image) {
    lac_put_i32(w, image->n_meta);
    for (int i = 0; i < image->n_meta; i++) {
        lac_put_text(w, image->meta[i].key);
        lac_put_text(w, image->meta[i].text);
    }
}

static void put_section(lac_byte_writer *file, const char *tag, const lac_byte_writer *payload) {
    static const uint8_t zeros[8];
    size_t padding = (8 - payload->n % 8) % 8;
    uint32_t crc = lac_crc32(0, payload->data, payload->n);
    lac_put_bytes(file, tag, 4);
    lac_put_u32(file, lac_crc32(crc, zeros, padding));
    lac_put_u64(file, payload->n);
    lac_put_bytes(file, payload->data, payload->n);
    lac_put_bytes(file, zeros, padding);
}

static void put_header(lac_byte_writer *w, const lac_image *image) {
    int parameters[LAC_N_PARAMS];
    memcpy(parameters, &image->engine, sizeof parameters);
    lac_put_bytes(w, LAC_IMAGE_MAGIC, 4);
    lac_put_u32(w, LAC_IMAGE_VERSION);
    lac_put_u32(w, image->contract_hash);
    lac_put_u32(w, LAC_IMAGE_N_SECTIONS);
    for (int i = 0; i < LAC_N_PARAMS; i++) lac_put_i32(w, parameters[i]);
    while (w->n < LAC_IMAGE_HEADER_BYTES - 4) lac_put_u32(w, 0);
    lac_put_u32(w, lac_crc32(0, w->data, w->n));
    assert(w->n == LAC_IMAGE_HEADER_BYTES);
}

lac_status lac_image_serialize(const lac_image *image, lac_arena *arena, uint8_t **bytes, size_t *n_bytes,
                               lac_error *err) {
    if (image->n_steps < 1 || image->n_program < 1)
        LAC_FAIL(err, LAC_E_FORMAT, "image of %d steps and %zu program words; compile it first",
                 image->n_steps, image->n_program);
    static const struct section {
        const char *tag;
        void (*put)(lac_byte_writer *w, const lac_image *image);
    } sections[LAC_IMAGE_N_SECTIONS] = {
        {LAC_IMAGE_GRAPH, put_graph},
        {LAC_IMAGE_STEPS, put_steps},
        {LAC_IMAGE_PROGRAM, put_program},
        {LAC_IMAGE_META, put_meta},
    };
    lac_byte_writer file = {.arena = arena};
    put_header(&file, image);
    for (size_t i = 0; i < LAC_IMAGE_N_SECTIONS; i++) {
        lac_byte_writer payload = {.arena = arena};
        sections[i].put(&payload, image);
        put_section(&file, sections[i].tag, &payload);
    }
    *bytes = file.data;
    *n_bytes = file.n;
    return LAC_OK;
}

lac_status lac_image_write(const lac_image *image, const char *path, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "%s: out of memory", path);
    uint8_t *bytes;
    size_t n;
    lac_status status = lac_image_serialize(image, scratch, &bytes, &n, err);
    if (status == LAC_OK) status = lac_file_write(path, bytes, n, err);
    lac_arena_close(scratch);
    return status;
}
