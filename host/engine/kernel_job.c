#include "kernel_job.h"

#include "lac_contract.h"
#include "lac_registers.h"

#include <string.h>

enum { BLOCK_BYTES = 64 };

uint32_t lac_engine_id(const lac_engine_config *engine) {
    int32_t values[LAC_N_PARAMS];
    _Static_assert(sizeof *engine == sizeof values, "one value for every parameter");
    memcpy(values, engine, sizeof values);
    uint32_t id = LAC_ENGINE_ID_SEED;
    for (int i = 0; i < LAC_N_PARAMS; i++) id = (id ^ (uint32_t)values[i]) * LAC_ENGINE_ID_PRIME;
    return id;
}

size_t lac_kernel_group_bytes(const lac_engine_config *engine) {
    size_t bytes = 1;
    while (bytes < (size_t)engine->drain) bytes *= 2;
    return bytes;
}

static size_t whole_blocks(size_t bytes) {
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
}

static size_t n_groups(const lac_engine_config *engine) {
    return (size_t)(lac_engine_lanes(engine) / engine->drain);
}

static size_t count_of(const lac_int_tensor *t) {
    return (size_t)t->c * (size_t)t->h * (size_t)t->w;
}

static size_t input_words(const lac_image *image) {
    int t = image->graph->input;
    return (size_t)image->graph->tensors[t].c * (size_t)lac_layout_channel_words(&image->layouts[t]);
}

lac_kernel_job lac_kernel_job_of(const lac_image *image) {
    const lac_engine_config *engine = &image->engine;
    size_t words = input_words(image), results = lac_image_raw_order(image).n;
    return (lac_kernel_job){.contract = image->contract_hash,
                            .engine = lac_engine_id(engine),
                            .program_words = (uint32_t)image->n_program,
                            .input_base = (uint32_t)image->layouts[image->graph->input].base,
                            .input_words = (uint32_t)words,
                            .output_words = (uint32_t)results,
                            .input_bytes =
                                whole_blocks(words * n_groups(engine) * lac_kernel_group_bytes(engine)),
                            .output_bytes = whole_blocks(results * sizeof(int32_t))};
}

void lac_kernel_pack_input(const lac_image *image, const int32_t *values, uint8_t *scratch, uint8_t *bytes) {
    const lac_engine_config *engine = &image->engine;
    int t = image->graph->input;
    const lac_layout *layout = &image->layouts[t];
    size_t lanes = (size_t)lac_engine_lanes(engine), drain = (size_t)engine->drain;
    size_t group_bytes = lac_kernel_group_bytes(engine), first = (size_t)layout->base;
    memset(scratch + first * lanes, 0, input_words(image) * lanes);
    const lac_int_tensor *tensor = &image->graph->tensors[t];
    for (int k = 0; k < lac_image_batch(image); k++)
        lac_layout_load(engine, layout, tensor, values + (size_t)k * count_of(tensor),
                        scratch + lac_image_lane(image, k));
    memset(bytes, 0, lac_kernel_job_of(image).input_bytes);
    for (size_t word = first; word < first + input_words(image); word++)
        for (size_t group = 0; group < n_groups(engine); group++, bytes += group_bytes)
            memcpy(bytes, scratch + word * lanes + group * drain, drain);
}

void lac_kernel_unpack_output(const lac_image *image, const int32_t *results, int32_t *values) {
    lac_raw_order order = lac_image_raw_order(image);
    size_t n = count_of(&image->graph->tensors[image->graph->output]);
    for (int k = 0; k < lac_image_batch(image); k++)
        lac_raw_extract(image, &order, results, k, values + (size_t)k * n);
}
