#include "kernel_host.h"

#include "lac_contract.h"
#include "ref.h"

#include <inttypes.h>
#include <stdio.h>
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
    size_t bytes = LAC_TRACE_HEADER_BYTES, lanes = (size_t)lac_engine_lanes(&image->engine);
    for (int s = 0; s < image->n_steps; s++)
        if (s != order->step)
            bytes += LAC_TRACE_HEADER_BYTES + tensor_words(image, image->steps[s].out_tensor) * lanes;
    return bytes;
}

lac_kernel_io *lac_kernel_io_new(const lac_image *image, lac_arena *arena) {
    lac_kernel_io *io = LAC_NEW(arena, lac_kernel_io);
    size_t lanes = (size_t)lac_engine_lanes(&image->engine);
    *io =
        (lac_kernel_io){.image = image, .order = lac_image_raw_order(image), .job = lac_kernel_job_of(image)};
    io->trace_bytes = (uint32_t)trace_bytes(image, &io->order);
    io->memory = LAC_NEW_ARRAY(arena, uint8_t, (size_t)image->engine.act_words * lanes);
    io->tensor = LAC_NEW_ARRAY(arena, int32_t, largest_tensor(image->graph));
    return io;
}

const char *const *lac_kernel_options(const lac_engine_config *engine, bool traced, lac_arena *arena) {
    const char **options = LAC_NEW_ARRAY(arena, const char *, LAC_N_PARAMS + 2);
    int32_t values[LAC_N_PARAMS];
    engine_values(engine, values);
    for (int i = 0; i < LAC_N_PARAMS; i++)
        options[i] = lac_arena_printf(arena, "-DLAC_%s=%" PRId32, lac_params[i].name, values[i]);
    if (traced) options[LAC_N_PARAMS] = "-DLAC_TRACE";
    return options;
}

size_t lac_kernel_stack_bytes(const lac_engine_config *engine) {
    enum { ENTRY_BYTES = 8, LISTS = 2, BYTES_A_LANE = 64, REST = 65536 };
    size_t lanes = (size_t)lac_engine_lanes(engine), drain = (size_t)engine->drain;
    size_t word = lanes / drain * ((drain * (size_t)engine->act_bits + 7) / 8);
    size_t banks = engine->vector ? (size_t)engine->act_words + (size_t)engine->vector : 0;
    return word * (size_t)engine->act_words + banks + lanes * BYTES_A_LANE +
           (size_t)engine->list_words * ENTRY_BYTES * LISTS + REST;
}

size_t lac_kernel_values(const lac_image *image, int tensor) {
    return (size_t)lac_image_batch(image) * lac_int_tensor_count(&image->graph->tensors[tensor]);
}

// ---- buffers ----------------------------------------------------------------------------------------------

void lac_kernel_pack(const lac_kernel_io *io, int n, const int32_t *inputs, void *buffer) {
    size_t count = lac_kernel_values(io->image, io->image->graph->input);
    for (int i = 0; i < n; i++)
        lac_kernel_pack_input(io->image, inputs + (size_t)i * count, io->memory,
                              (uint8_t *)buffer + (size_t)i * io->job.input_bytes);
}

void lac_kernel_unpack(const lac_kernel_io *io, int n, const void *buffer, int32_t *outputs) {
    size_t count = lac_kernel_values(io->image, io->image->graph->output);
    const int32_t *sent = buffer;
    for (int i = 0; i < n; i++)
        lac_kernel_unpack_output(io->image, sent + (size_t)i * (io->job.output_bytes / sizeof *sent),
                                 outputs + (size_t)i * count);
}

// ---- the report -------------------------------------------------------------------------------------------

static const char *sentence(uint32_t code) {
    switch (code) {
#define LAC_KERNEL_STATUS(name, value, doc)                                                                  \
    case value:                                                                                              \
        return doc;
#include "registers.def"
    default:
        return "it is no kernel of Lacuna's";
    }
}

static uint32_t report_word(const void *report, size_t at) {
    uint32_t word;
    memcpy(&word, (const char *)report + at, sizeof word);
    return word;
}

static lac_status check_match(const lac_kernel_io *io, const char *device, uint32_t code, lac_error *err) {
    char list[200] = "";
    int32_t values[LAC_N_PARAMS];
    if (code == LAC_KERNEL_CONTRACT)
        LAC_FAIL(
            err, LAC_E_CONTRACT,
            "device %s: the image is for contract %08" PRIx32
            ", the kernel for another one; compile the model and build the kernel with one version of Lacuna",
            device, io->image->contract_hash);
    if (code != LAC_KERNEL_ENGINE) return LAC_OK;
    engine_values(&io->image->engine, values);
    for (int i = 0; i < LAC_N_PARAMS; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s=%" PRId32, i ? " " : "", lac_params[i].name,
                 values[i]);
    }
    LAC_FAIL(err, LAC_E_CONTRACT,
             "device %s: the image is for the engine %08" PRIx32
             " (%s), the kernel is another one; compile the model for the kernel's engine, or build the "
             "kernel for this one",
             device, io->job.engine, list);
}

lac_status lac_kernel_check(const lac_kernel_io *io, const char *device, const void *report, int n,
                            lac_error *err) {
    uint32_t code = report_word(report, LAC_REPORT_STATUS), done = report_word(report, LAC_REPORT_RUNS_DONE);
    if (code == LAC_KERNEL_OK && done == (uint32_t)n) return LAC_OK;
    LAC_TRY(check_match(io, device, code, err));
    LAC_FAIL(err, LAC_E_DEVICE,
             "device %s: the kernel stopped after %" PRIu32 " of %d runs with status %" PRIu32 ": %s", device,
             done, n, code, sentence(code));
}

lac_status lac_kernel_check_match(const lac_kernel_io *io, const char *device, const void *report,
                                  lac_error *err) {
    uint32_t code = report_word(report, LAC_REPORT_STATUS);
    if (code == LAC_KERNEL_ARGUMENT) return LAC_OK;
    LAC_TRY(check_match(io, device, code, err));
    LAC_FAIL(err, LAC_E_DEVICE,
             "device %s: the kernel answers a job without images with status %" PRIu32 ": %s", device, code,
             sentence(code));
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
    for (int k = 0; k < lac_image_batch(image); k++) {
        lac_layout_extract(&image->engine, &image->layouts[t], &image->graph->tensors[t],
                           io->memory + lac_image_lane(image, k), io->tensor);
        watch->tensor(watch->ctx, step, k, io->tensor);
    }
    return LAC_OK;
}

void lac_kernel_show_output(const lac_kernel_io *io, const int32_t *output, const lac_device_watch *watch) {
    const lac_int_graph *graph = io->image->graph;
    size_t count = lac_int_tensor_count(&graph->tensors[graph->output]);
    for (int k = 0; k < lac_image_batch(io->image); k++)
        watch->tensor(watch->ctx, io->order.step, k, output + (size_t)k * count);
}

lac_status lac_kernel_show(lac_kernel_io *io, const char *device, const uint8_t *trace, const int32_t *output,
                           const lac_device_watch *watch, lac_error *err) {
    uint32_t n_bytes = number_at(trace);
    if (n_bytes < LAC_TRACE_HEADER_BYTES || n_bytes > io->trace_bytes)
        LAC_FAIL(err, LAC_E_DEVICE, "device %s: a trace of %" PRIu32 " bytes, where %" PRIu32 " are expected",
                 device, n_bytes, io->trace_bytes);
    const uint8_t *end = trace + n_bytes;
    trace += LAC_TRACE_HEADER_BYTES;
    for (int s = 0; s < io->image->n_steps; s++) {
        if (s == io->order.step)
            lac_kernel_show_output(io, output, watch);
        else
            LAC_TRY(show_step(io, device, s, &trace, end, watch, err));
    }
    return LAC_OK;
}
