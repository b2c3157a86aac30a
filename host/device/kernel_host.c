#include "kernel_host.h"

#include "lac_contract.h"
#include "ref.h"

#include <inttypes.h>
#include <string.h>

// In the order of rtl/defs/engine.def, as the kernel reports them.
static void engine_values(const lac_engine_config *e, int32_t values[LAC_N_PARAMS]) {
    _Static_assert(sizeof *e == LAC_N_PARAMS * sizeof *values, "one value for every parameter");
    memcpy(values, e, sizeof *e);
}

static size_t tensor_words(const lac_image *image, int t) {
    return (size_t)image->graph->tensors[t].c * (size_t)lac_layout_channel_words(&image->layouts[t]);
}

static size_t largest_tensor(const lac_int_graph *graph) {
    size_t most = 0;
    for (int t = 0; t < graph->n_tensors; t++) {
        size_t n = lac_int_tensor_count(&graph->tensors[t]);
        if (n > most) most = n;
    }
    return most;
}

static size_t trace_bytes(const lac_image *image, const lac_raw_order *order) {
    size_t bytes = 0, lanes = (size_t)lac_engine_lanes(&image->engine);
    for (int s = 0; s < image->n_steps; s++)
        if (s != order->step)
            bytes += LAC_TRACE_HEADER_BYTES + tensor_words(image, image->steps[s].out_tensor) * lanes;
    return bytes;
}

lac_kernel_io *lac_kernel_io_new(const lac_image *image, lac_arena *arena) {
    lac_kernel_io *io = LAC_NEW(arena, lac_kernel_io);
    size_t lanes = (size_t)lac_engine_lanes(&image->engine);
    int input = image->graph->input;
    *io = (lac_kernel_io){.image = image,
                          .order = lac_image_raw_order(image),
                          .input_base = (uint32_t)image->layouts[input].base,
                          .input_words = (uint32_t)tensor_words(image, input)};
    io->input_bytes = io->input_words * lanes;
    io->output_count = (uint32_t)io->order.n;
    io->trace_bytes = (uint32_t)trace_bytes(image, &io->order);
    io->memory = LAC_NEW_ARRAY(arena, uint8_t, (size_t)image->engine.act_words * lanes);
    io->tensor = LAC_NEW_ARRAY(arena, int32_t, largest_tensor(image->graph));
    return io;
}

const char *const *lac_kernel_options(const lac_engine_config *engine, lac_arena *arena) {
    const char **options = LAC_NEW_ARRAY(arena, const char *, LAC_N_PARAMS + 1);
    int32_t values[LAC_N_PARAMS];
    engine_values(engine, values);
    for (int i = 0; i < LAC_N_PARAMS; i++)
        options[i] = lac_arena_printf(arena, "-DLAC_%s=%" PRId32, lac_params[i].name, values[i]);
    return options;
}

size_t lac_kernel_stack_bytes(const lac_engine_config *engine) {
    enum { ENTRY_BYTES = 8, LISTS = 2, BYTES_A_LANE = 64, REST = 65536 };
    size_t lanes = (size_t)lac_engine_lanes(engine);
    return lanes * ((size_t)engine->act_words + BYTES_A_LANE) +
           (size_t)engine->list_words * ENTRY_BYTES * LISTS + REST;
}

// ---- buffers ----------------------------------------------------------------------------------------------

void lac_kernel_pack(const lac_kernel_io *io, int n, const int32_t *inputs, uint8_t *words) {
    const lac_int_graph *graph = io->image->graph;
    const lac_int_tensor *tensor = &graph->tensors[graph->input];
    lac_layout layout = io->image->layouts[graph->input];
    layout.base = 0;
    for (int i = 0; i < n; i++)
        lac_layout_load(&io->image->engine, &layout, tensor,
                        inputs + (size_t)i * lac_int_tensor_count(tensor),
                        words + (size_t)i * io->input_bytes);
}

void lac_kernel_unpack(const lac_kernel_io *io, int n, const int32_t *sent, int32_t *outputs) {
    const lac_int_graph *graph = io->image->graph;
    size_t count = lac_int_tensor_count(&graph->tensors[graph->output]);
    for (int i = 0; i < n; i++)
        lac_raw_extract(io->image, &io->order, sent + (size_t)i * io->order.n, outputs + (size_t)i * count);
}

// ---- the report -------------------------------------------------------------------------------------------

lac_status lac_kernel_check_engine(const lac_kernel_io *io, const char *device, const uint32_t *status,
                                   lac_error *err) {
    int32_t values[LAC_N_PARAMS];
    engine_values(&io->image->engine, values);
    if (status[LAC_STATUS_CONTRACT] != io->image->contract_hash)
        LAC_FAIL(err, LAC_E_CONTRACT,
                 "device %s: the image is for contract %08" PRIx32 ", the kernel has %08" PRIx32
                 "; compile the model and build the kernel with one version of Lacuna",
                 device, io->image->contract_hash, status[LAC_STATUS_CONTRACT]);
    for (int i = 0; i < LAC_N_PARAMS; i++) {
        int32_t has = (int32_t)status[LAC_STATUS_PARAMS + i];
        if (has != values[i])
            LAC_FAIL(err, LAC_E_CONTRACT,
                     "device %s: the image is for an engine with %s = %" PRId32 ", the kernel has %" PRId32
                     "; compile the model for this engine, or build the kernel with -DLAC_%s=%" PRId32,
                     device, lac_params[i].name, values[i], has, lac_params[i].name, values[i]);
    }
    return LAC_OK;
}

static const char *sentence(uint32_t code) {
    switch (code) {
#define ROW(name, value, text)                                                                               \
    case value:                                                                                              \
        return text;
        LAC_KERNEL_CODES(ROW)
#undef ROW
    default:
        return NULL;
    }
}

lac_status lac_kernel_check_run(const lac_kernel_io *io, const char *device, const uint32_t *status, int n,
                                lac_error *err) {
    uint32_t code = status[LAC_STATUS_CODE];
    const char *text = sentence(code);
    if (code == LAC_KERNEL_DONE && status[LAC_STATUS_IMAGES] == (uint32_t)n) return LAC_OK;
    if (code == LAC_KERNEL_BAD_CONTRACT) LAC_TRY(lac_kernel_check_engine(io, device, status, err));
    if (code == LAC_KERNEL_DONE || !text)
        LAC_FAIL(err, LAC_E_DEVICE,
                 "device %s: the kernel ended with code %" PRIu32 " after %" PRIu32
                 " of %d images: it did not run to its end, or is not this kernel",
                 device, code, status[LAC_STATUS_IMAGES], n);
    LAC_FAIL(err, LAC_E_DEVICE,
             "device %s: image %" PRIu32 " of the batch, step %" PRIu32 ", program word %" PRIu32 ": %s",
             device, status[LAC_STATUS_IMAGES], status[LAC_STATUS_STEP], status[LAC_STATUS_WORD], text);
}

// ---- the trace --------------------------------------------------------------------------------------------

static uint32_t number_at(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static lac_status show_step(lac_kernel_io *io, const char *device, int step, const uint8_t **trace,
                            const uint8_t *end, const lac_device_watch *watch, lac_error *err) {
    const lac_image *image = io->image;
    uint64_t lanes = (uint64_t)lac_engine_lanes(&image->engine),
             act_words = (uint64_t)image->engine.act_words;
    uint64_t left = (uint64_t)(end - *trace), id = 0, first = 0, n = 0;
    if (left >= LAC_TRACE_HEADER_BYTES) {
        id = number_at(*trace);
        first = number_at(*trace + 4);
        n = number_at(*trace + 8);
        left -= LAC_TRACE_HEADER_BYTES;
    }
    if (n == 0 || id != (uint64_t)step || first + n > act_words || n * lanes > left)
        LAC_FAIL(err, LAC_E_DEVICE,
                 "device %s: the trace has step %" PRIu64 ", words %" PRIu64 "..%" PRIu64
                 " where step %d of %" PRIu64 " words is expected",
                 device, id, first, first + n, step, act_words);
    *trace += LAC_TRACE_HEADER_BYTES;
    memcpy(io->memory + first * lanes, *trace, n * lanes);
    *trace += n * lanes;
    int t = image->steps[step].out_tensor;
    lac_layout_extract(&image->engine, &image->layouts[t], &image->graph->tensors[t], io->memory, io->tensor);
    watch->tensor(watch->ctx, step, io->tensor);
    return LAC_OK;
}

lac_status lac_kernel_show(lac_kernel_io *io, const char *device, const uint8_t *trace, uint32_t n_bytes,
                           const int32_t *output, const lac_device_watch *watch, lac_error *err) {
    const uint8_t *end = trace + n_bytes;
    for (int s = 0; s < io->image->n_steps; s++) {
        if (s == io->order.step)
            watch->tensor(watch->ctx, s, output);
        else
            LAC_TRY(show_step(io, device, s, &trace, end, watch, err));
    }
    return LAC_OK;
}
