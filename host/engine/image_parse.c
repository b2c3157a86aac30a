#include "byte_stream.h"
#include "file.h"
#include "geometry.h"
#include "image_format.h"

#include "lac_contract.h"

#include <inttypes.h>
#include <string.h>

enum {
    LARGEST_WINDOW = 4095,   ///< kernels, strides, paddings, dilations
    LEAST_TENSOR_BYTES = 36, ///< in the file: bounds the number of tensors before they are read
    LEAST_LAYER_BYTES = 16,
};
static const uint64_t MOST_WEIGHTS = (uint64_t)1 << 28;

// ---- frame ------------------------------------------------------------------------------------------------

static lac_status parse_header(lac_byte_reader *file, lac_image *image, lac_error *err) {
    lac_byte_reader r = {file->data, file->n, 0, "header"};
    const uint8_t *magic;
    uint32_t version, n_sections, parameters[LAC_N_PARAMS], reserved = 0, crc;
    if (r.n < LAC_IMAGE_HEADER_BYTES)
        LAC_FAIL(err, LAC_E_FORMAT, "%zu bytes, shorter than the %d of a program image's header", r.n,
                 LAC_IMAGE_HEADER_BYTES);
    LAC_TRY(lac_get_bytes(&r, 4, &magic, err));
    if (memcmp(magic, LAC_IMAGE_MAGIC, 4) != 0)
        LAC_FAIL(err, LAC_E_FORMAT, "not a program image: it begins with %02x %02x %02x %02x, not '%s'",
                 magic[0], magic[1], magic[2], magic[3], LAC_IMAGE_MAGIC);
    LAC_TRY(lac_get_u32(&r, &version, err));
    LAC_TRY(lac_get_u32(&r, &image->contract_hash, err));
    LAC_TRY(lac_get_u32(&r, &n_sections, err));
    for (int i = 0; i < LAC_N_PARAMS; i++) LAC_TRY(lac_get_u32(&r, &parameters[i], err));
    if (r.at < LAC_IMAGE_HEADER_BYTES - 4) LAC_TRY(lac_get_u32(&r, &reserved, err));
    LAC_TRY(lac_get_u32(&r, &crc, err));
    uint32_t expected = lac_crc32(0, r.data, LAC_IMAGE_HEADER_BYTES - 4);
    if (crc != expected)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "section header is damaged: CRC-32 %08" PRIx32 ", its bytes give %08" PRIx32, crc, expected);
    if (version != LAC_IMAGE_VERSION || n_sections != LAC_IMAGE_N_SECTIONS || reserved != 0)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "image version %" PRIu32 " with %" PRIu32
                 " sections, this program reads version %d with %d; "
                 "compile the model again",
                 version, n_sections, LAC_IMAGE_VERSION, LAC_IMAGE_N_SECTIONS);
    if (image->contract_hash != LAC_CONTRACT_HASH)
        LAC_FAIL(err, LAC_E_CONTRACT,
                 "image is for contract %08" PRIx32 ", this engine has %08" PRIx32
                 "; compile the model again",
                 image->contract_hash, (uint32_t)LAC_CONTRACT_HASH);
    memcpy(&image->engine, parameters, sizeof parameters);
    file->at = r.at;
    return lac_engine_check(&image->engine, err);
}

static lac_status open_section(lac_byte_reader *file, const char *tag, lac_byte_reader *section,
                               lac_error *err) {
    const uint8_t *got, *payload;
    uint32_t crc;
    uint64_t n;
    file->section = tag;
    LAC_TRY(lac_get_bytes(file, 4, &got, err));
    if (memcmp(got, tag, 4) != 0)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s expected at byte %zu, not found there", tag, file->at - 4);
    LAC_TRY(lac_get_u32(file, &crc, err));
    LAC_TRY(lac_get_u64(file, &n, err));
    if (n > file->n - file->at || (n + 7) / 8 * 8 > file->n - file->at)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s is cut: it has %" PRIu64 " bytes, the file %zu more", tag, n,
                 file->n - file->at);
    LAC_TRY(lac_get_bytes(file, ((size_t)n + 7) / 8 * 8, &payload, err));
    uint32_t expected = lac_crc32(0, payload, ((size_t)n + 7) / 8 * 8);
    if (crc != expected)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s is damaged: CRC-32 %08" PRIx32 ", its bytes give %08" PRIx32,
                 tag, crc, expected);
    *section = (lac_byte_reader){payload, (size_t)n, 0, tag};
    return LAC_OK;
}

static lac_status at_end(const lac_byte_reader *r, lac_error *err) {
    if (r->at != r->n)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s has %zu bytes, only %zu mean something", r->section, r->n,
                 r->at);
    return LAC_OK;
}

// ---- graph ------------------------------------------------------------------------------------------------

static lac_status get_tensor(lac_byte_reader *r, lac_arena *arena, lac_int_tensor *t, lac_error *err) {
    int is_signed;
    LAC_TRY(lac_get_text(r, arena, &t->name, err));
    LAC_TRY(lac_get_int(r, "channels", 1, 65535, &t->c, err));
    LAC_TRY(lac_get_int(r, "rows", 1, 65535, &t->h, err));
    LAC_TRY(lac_get_int(r, "columns", 1, 65535, &t->w, err));
    LAC_TRY(lac_get_int(r, "bits", 1, 32, &t->type.bits, err));
    LAC_TRY(lac_get_int(r, "signedness", 0, 1, &is_signed, err));
    LAC_TRY(lac_get_int(r, "zero point", -256, 255, &t->type.zero, err));
    t->type.is_signed = is_signed;
    return lac_get_f64(r, &t->type.scale, err);
}

static lac_status get_window(lac_byte_reader *r, lac_window *w, lac_error *err) {
    for (int i = 0; i < 2; i++) LAC_TRY(lac_get_int(r, "kernel", 1, LARGEST_WINDOW, &w->kernel[i], err));
    for (int i = 0; i < 2; i++) LAC_TRY(lac_get_int(r, "stride", 1, LARGEST_WINDOW, &w->stride[i], err));
    for (int i = 0; i < 4; i++) LAC_TRY(lac_get_int(r, "padding", 0, LARGEST_WINDOW, &w->pad[i], err));
    for (int i = 0; i < 2; i++) LAC_TRY(lac_get_int(r, "dilation", 1, LARGEST_WINDOW, &w->dilation[i], err));
    return lac_get_int(r, "groups", 0, 65535, &w->groups, err);
}

static lac_status get_wiring(lac_byte_reader *r, const lac_int_graph *graph, lac_int_layer *layer,
                             lac_error *err) {
    int kind;
    LAC_TRY(lac_get_text(r, graph->arena, &layer->name, err));
    LAC_TRY(lac_get_int(r, "kind of layer", 0, LAC_N_INT_KINDS - 1, &kind, err));
    layer->kind = (lac_int_kind)kind;
    LAC_TRY(lac_get_int(r, "number of inputs", 1, (int64_t)((r->n - r->at) / 4), &layer->n_in, err));
    layer->in = LAC_NEW_ARRAY(graph->arena, int, layer->n_in);
    for (int i = 0; i < layer->n_in; i++)
        LAC_TRY(lac_get_int(r, "input tensor", 0, graph->n_tensors - 1, &layer->in[i], err));
    return lac_get_int(r, "output tensor", 0, graph->n_tensors - 1, &layer->out, err);
}

static lac_status get_layer(lac_byte_reader *r, const lac_int_graph *graph, lac_int_layer *layer,
                            lac_error *err) {
    int raw;
    LAC_TRY(get_wiring(r, graph, layer, err));
    if (layer->kind == LAC_INT_CONCAT) return LAC_OK;
    if (lac_int_kind_has_window(layer->kind)) LAC_TRY(get_window(r, &layer->window, err));
    if (layer->kind == LAC_INT_CONV2D) LAC_TRY(lac_get_int(r, "weight bits", 1, 8, &layer->weight_bits, err));
    if (lac_int_kind_moves_codes(layer->kind)) return LAC_OK;
    LAC_TRY(lac_get_int(r, "raw", 0, 1, &raw, err));
    layer->raw = raw;
    if (raw) {
        int n = graph->tensors[layer->out].c;
        layer->raw_scale = LAC_NEW_ARRAY(graph->arena, double, n);
        for (int o = 0; o < n; o++) LAC_TRY(lac_get_f64(r, &layer->raw_scale[o], err));
        return LAC_OK;
    }
    LAC_TRY(lac_get_int(r, "lower clamp", -256, 255, &layer->lo, err));
    return lac_get_int(r, "upper clamp", -256, 255, &layer->hi, err);
}

static lac_status get_graph(lac_byte_reader *r, lac_int_graph *graph, lac_error *err) {
    LAC_TRY(lac_get_text(r, graph->arena, &graph->name, err));
    LAC_TRY(
        lac_get_int(r, "number of tensors", 1, (int64_t)(r->n / LEAST_TENSOR_BYTES), &graph->n_tensors, err));
    LAC_TRY(
        lac_get_int(r, "number of layers", 1, (int64_t)(r->n / LEAST_LAYER_BYTES), &graph->n_layers, err));
    LAC_TRY(lac_get_int(r, "input", 0, graph->n_tensors - 1, &graph->input, err));
    LAC_TRY(lac_get_int(r, "output", 0, graph->n_tensors - 1, &graph->output, err));
    for (int i = 0; i < 4; i++) {
        double mean, std;
        LAC_TRY(lac_get_f64(r, &mean, err));
        LAC_TRY(lac_get_f64(r, &std, err));
        graph->input_mean[i] = (float)mean;
        graph->input_std[i] = (float)std;
    }
    graph->tensors = LAC_NEW_ARRAY(graph->arena, lac_int_tensor, graph->n_tensors);
    graph->layers = LAC_NEW_ARRAY(graph->arena, lac_int_layer, graph->n_layers);
    for (int t = 0; t < graph->n_tensors; t++) LAC_TRY(get_tensor(r, graph->arena, &graph->tensors[t], err));
    for (int l = 0; l < graph->n_layers; l++) LAC_TRY(get_layer(r, graph, &graph->layers[l], err));
    return at_end(r, err);
}

/// Room for what the program holds, filled with values that break no invariant.
static lac_status make_room(lac_int_graph *graph, lac_int_layer *layer, uint64_t *n_weights, lac_error *err) {
    size_t n = (size_t)graph->tensors[layer->out].c;
    if (layer->kind == LAC_INT_TABLE) {
        lac_code_type type = graph->tensors[layer->out].type;
        layer->table = LAC_NEW_ARRAY(graph->arena, uint8_t, LAC_TABLE_CODES);
        if (type.bits <= 8) memset(layer->table, type.zero & 0xFF, LAC_TABLE_CODES);
    }
    if (lac_int_kind_moves_codes(layer->kind)) return LAC_OK;
    layer->bias = LAC_NEW_ARRAY(graph->arena, int32_t, n);
    if (!layer->raw) {
        layer->m = LAC_NEW_ARRAY(graph->arena, uint16_t, n);
        layer->s = LAC_NEW_ARRAY(graph->arena, uint8_t, n);
        memset(layer->s, 1, n);
    }
    if (layer->kind == LAC_INT_ADD) layer->add_w[0] = layer->add_w[1] = 1;
    if (layer->kind != LAC_INT_CONV2D) return LAC_OK;
    const lac_window *w = &layer->window;
    // Sizes are below 2^16 and kernels below 2^12: no overflow in 64 bits.
    uint64_t per_channel = (uint64_t)graph->tensors[layer->in[0]].c * (uint64_t)(w->kernel[0] * w->kernel[1]);
    if (w->groups < 1 || per_channel > MOST_WEIGHTS ||
        per_channel / (uint64_t)w->groups * n > MOST_WEIGHTS - *n_weights)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s: layer '%s' has over %" PRIu64 " weights, or no groups",
                 LAC_IMAGE_GRAPH, layer->name, MOST_WEIGHTS);
    *n_weights += per_channel / (uint64_t)w->groups * n;
    layer->w = LAC_NEW_ARRAY(graph->arena, int8_t, per_channel / (uint64_t)w->groups * n);
    return LAC_OK;
}

static lac_status check_graph(const lac_int_graph *graph, lac_error *err) {
    lac_error why = {0};
    if (lac_int_graph_check(graph, &why) != LAC_OK)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s: %s", LAC_IMAGE_GRAPH, why.text);
    return LAC_OK;
}

static lac_status parse_graph(lac_byte_reader *r, lac_int_graph *graph, lac_error *err) {
    uint64_t n_weights = 0;
    LAC_TRY(get_graph(r, graph, err));
    for (int l = 0; l < graph->n_layers; l++) LAC_TRY(make_room(graph, &graph->layers[l], &n_weights, err));
    return check_graph(graph, err);
}

// ---- steps and layouts ---------------------------------------------------------------------------------

static lac_status get_layout(lac_byte_reader *r, const lac_image *image, int t, lac_error *err) {
    const lac_int_tensor *tensor = &image->graph->tensors[t];
    lac_layout *layout = &image->layouts[t];
    LAC_TRY(lac_get_int(r, "base of a layout", LAC_NOT_IN_MEMORY, image->engine.act_words - 1, &layout->base,
                        err));
    LAC_TRY(lac_get_int(r, "tile rows", 1, 63, &layout->tile_h, err));
    LAC_TRY(lac_get_int(r, "tile columns", 1, 63, &layout->tile_w, err));
    if (layout->base == LAC_NOT_IN_MEMORY && tensor->type.bits != 32) return LAC_OK;
    int words = tensor->type.bits == 32 ? 0 : tensor->c * lac_layout_channel_words(layout);
    if (layout->base + words > image->engine.act_words ||
        (tensor->h - 1) / layout->tile_h >= image->engine.mesh_y >> image->split_y ||
        (tensor->w - 1) / layout->tile_w >= image->engine.mesh_x >> image->split_x)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s: tensor '%s' at %d in tiles of %dx%d leaves the engine",
                 LAC_IMAGE_STEPS, tensor->name, layout->base, layout->tile_h, layout->tile_w);
    return LAC_OK;
}

/// A fused layer takes codes from what the drain made before.
static lac_status check_fused(const lac_int_graph *graph, const lac_int_layer *layer, int fused,
                              lac_int_kind kind, int *out, lac_error *err) {
    if (fused < 0) return LAC_OK;
    const lac_int_layer *next = &graph->layers[fused];
    if (layer->raw || layer->kind == LAC_INT_MAX_POOL || layer->kind == kind || next->kind != kind ||
        next->in[0] != *out)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s: layer '%s' cannot be fused into '%s'", LAC_IMAGE_STEPS,
                 next->name, layer->name);
    *out = next->out;
    return LAC_OK;
}

static lac_status get_step(lac_byte_reader *r, const lac_image *image, lac_step *step, bool *covered,
                           lac_error *err) {
    const lac_int_graph *graph = image->graph;
    LAC_TRY(lac_get_int(r, "layer of a step", 0, graph->n_layers - 1, &step->layer, err));
    LAC_TRY(lac_get_int(r, "fused table of a step", -1, graph->n_layers - 1, &step->table_layer, err));
    LAC_TRY(lac_get_int(r, "fused pool of a step", -1, graph->n_layers - 1, &step->pool_layer, err));
    const lac_int_layer *layer = &graph->layers[step->layer];
    step->name = layer->name;
    step->out_tensor = layer->out;
    LAC_TRY(check_fused(graph, layer, step->table_layer, LAC_INT_TABLE, &step->out_tensor, err));
    LAC_TRY(check_fused(graph, layer, step->pool_layer, LAC_INT_MAX_POOL, &step->out_tensor, err));
    const int layers[] = {step->layer, step->table_layer, step->pool_layer};
    for (int i = 0; i < 3; i++) {
        if (layers[i] < 0) continue;
        if (covered[layers[i]])
            LAC_FAIL(err, LAC_E_FORMAT, "section %s: layer '%s' is executed twice", LAC_IMAGE_STEPS,
                     graph->layers[layers[i]].name);
        covered[layers[i]] = true;
    }
    bool in_memory = image->layouts[step->out_tensor].base != LAC_NOT_IN_MEMORY;
    for (int i = 0; i < layer->n_in; i++)
        if (image->layouts[layer->in[i]].base == LAC_NOT_IN_MEMORY || in_memory == layer->raw)
            LAC_FAIL(err, LAC_E_FORMAT, "section %s: layer '%s' has an operand that is not in memory",
                     LAC_IMAGE_STEPS, layer->name);
    return LAC_OK;
}

/// The inputs of a concat must stand side by side in its output.
static lac_status check_concat(const lac_image *image, const lac_int_layer *layer, lac_error *err) {
    const lac_layout *out = &image->layouts[layer->out];
    int base = out->base;
    for (int i = 0; i < layer->n_in; i++) {
        const lac_layout *in = &image->layouts[layer->in[i]];
        if (out->base == LAC_NOT_IN_MEMORY || in->base != base || in->tile_h != out->tile_h ||
            in->tile_w != out->tile_w)
            LAC_FAIL(err, LAC_E_FORMAT, "section %s: input %d of concat '%s' is at %d, its place is %d",
                     LAC_IMAGE_STEPS, i, layer->name, in->base, base);
        base += image->graph->tensors[layer->in[i]].c * lac_layout_channel_words(in);
    }
    return LAC_OK;
}

static lac_status parse_steps(lac_byte_reader *r, lac_image *image, lac_arena *scratch, lac_error *err) {
    const lac_int_graph *graph = image->graph;
    LAC_TRY(lac_get_int(r, "split in y", 0, 3, &image->split_y, err));
    LAC_TRY(lac_get_int(r, "split in x", 0, 3 - image->split_y, &image->split_x, err));
    if (image->engine.mesh_y >> image->split_y << image->split_y != image->engine.mesh_y ||
        image->engine.mesh_x >> image->split_x << image->split_x != image->engine.mesh_x)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s: a %dx%d mesh is not cut into %d images", LAC_IMAGE_STEPS,
                 image->engine.mesh_x, image->engine.mesh_y, lac_image_batch(image));
    image->layouts = LAC_NEW_ARRAY(image->arena, lac_layout, graph->n_tensors);
    for (int t = 0; t < graph->n_tensors; t++) LAC_TRY(get_layout(r, image, t, err));
    if (image->layouts[graph->input].base == LAC_NOT_IN_MEMORY)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s: the input is not in memory", LAC_IMAGE_STEPS);
    LAC_TRY(lac_get_int(r, "number of steps", 1, graph->n_layers, &image->n_steps, err));
    image->steps = LAC_NEW_ARRAY(image->arena, lac_step, image->n_steps);
    bool *covered = LAC_NEW_ARRAY(scratch, bool, graph->n_layers);
    for (int s = 0; s < image->n_steps; s++) LAC_TRY(get_step(r, image, &image->steps[s], covered, err));
    for (int l = 0; l < graph->n_layers; l++) {
        if (graph->layers[l].kind == LAC_INT_CONCAT) LAC_TRY(check_concat(image, &graph->layers[l], err));
        if (covered[l] == (graph->layers[l].kind == LAC_INT_CONCAT))
            LAC_FAIL(err, LAC_E_FORMAT, "section %s: %s layer '%s'", LAC_IMAGE_STEPS,
                     covered[l] ? "a step for concat" : "no step for", graph->layers[l].name);
    }
    return at_end(r, err);
}

// ---- the whole -----------------------------------------------------------------------------------------

static lac_status parse_program(lac_byte_reader *r, lac_image *image, lac_error *err) {
    if (r->n % 8 != 0)
        LAC_FAIL(err, LAC_E_FORMAT, "section %s: %zu bytes are no whole words", r->section, r->n);
    image->n_program = r->n / 8;
    image->program = LAC_NEW_ARRAY(image->arena, uint64_t, image->n_program);
    for (size_t i = 0; i < image->n_program; i++) LAC_TRY(lac_get_u64(r, &image->program[i], err));
    return LAC_OK;
}

static lac_status parse_meta(lac_byte_reader *r, lac_image *image, lac_error *err) {
    LAC_TRY(lac_get_int(r, "number of entries", 0, (int64_t)(r->n / 8), &image->n_meta, err));
    image->meta = LAC_NEW_ARRAY(image->arena, lac_meta, image->n_meta);
    for (int i = 0; i < image->n_meta; i++) {
        LAC_TRY(lac_get_text(r, image->arena, &image->meta[i].key, err));
        LAC_TRY(lac_get_text(r, image->arena, &image->meta[i].text, err));
    }
    return at_end(r, err);
}

static lac_status parse_all(lac_byte_reader *file, lac_image *image, lac_arena *scratch, lac_error *err) {
    lac_byte_reader section;
    LAC_TRY(parse_header(file, image, err));
    LAC_TRY(open_section(file, LAC_IMAGE_GRAPH, &section, err));
    LAC_TRY(parse_graph(&section, image->graph, err));
    LAC_TRY(open_section(file, LAC_IMAGE_STEPS, &section, err));
    LAC_TRY(parse_steps(&section, image, scratch, err));
    LAC_TRY(open_section(file, LAC_IMAGE_PROGRAM, &section, err));
    LAC_TRY(parse_program(&section, image, err));
    LAC_TRY(open_section(file, LAC_IMAGE_META, &section, err));
    LAC_TRY(parse_meta(&section, image, err));
    if (file->at != file->n)
        LAC_FAIL(err, LAC_E_FORMAT, "%zu bytes after the last section", file->n - file->at);
    LAC_TRY(lac_image_decode(image, err));
    return check_graph(image->graph, err);
}

lac_status lac_image_parse(const void *bytes, size_t n_bytes, const char *path, lac_arena *arena,
                           lac_image **out, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "%s: out of memory", path);
    lac_image *image = LAC_NEW(arena, lac_image);
    image->arena = arena;
    image->graph = LAC_NEW(arena, lac_int_graph);
    image->graph->arena = arena;
    lac_byte_reader file = {bytes, n_bytes, 0, "header"};
    lac_status status = parse_all(&file, image, scratch, err);
    lac_arena_close(scratch);
    if (status != LAC_OK) return lac_fail_in(err, status, path);
    *out = image;
    return LAC_OK;
}

lac_status lac_image_read(const char *path, lac_arena *arena, lac_image **out, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "%s: out of memory", path);
    lac_bytes bytes;
    lac_status status = lac_file_read(path, scratch, &bytes, err);
    if (status == LAC_OK) status = lac_image_parse(bytes.data, bytes.n, path, arena, out, err);
    lac_arena_close(scratch);
    return status;
}
