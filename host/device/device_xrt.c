#include "device_rows.h"
#include "file.h"
#include "kernel_host.h"
#include "ref.h"

#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The HLS or RTL kernel on a card, through XRT's native C API: the same buffers and order as device opencl,
// without it.

enum { SLOTS_A_UNIT = 2, MOST_UNITS = 64, BATCH = 32, POINTERS = 4 };
static const char kernel_name[] = "lac_kernel";
/// The kernel's pointers, in the order of a slot's buffers.
static const int pointer_arguments[POINTERS] = {LAC_ARG_PROGRAM, LAC_ARG_INPUT, LAC_ARG_OUTPUT,
                                                LAC_ARG_REPORT};
enum { PROGRAM, INPUT, OUTPUT, REPORT };

/// One batch on its way.
typedef struct xrt_slot {
    xrtKernelHandle kernel;
    xrtRunHandle run;
    xrtBufferHandle buffers[POINTERS];
    int first, n; ///< runs; n = 0: idle
    int batch;    ///< images of a run
} xrt_slot;

typedef struct xrt_state {
    lac_arena *arena;
    lac_kernel_io *io;
    xrtDeviceHandle device;
    xuid_t id;
    xrt_slot slots[SLOTS_A_UNIT * MOST_UNITS];
    int n_units, n_slots;
    void *copy; ///< of a batch's input or output
} xrt_state;

// ---- slots ------------------------------------------------------------------------------------------------

static size_t buffer_bytes(const lac_kernel_io *io, int buffer) {
    const size_t bytes[POINTERS] = {io->image->n_program * sizeof *io->image->program,
                                    BATCH * io->job.input_bytes, BATCH * io->job.output_bytes,
                                    LAC_REPORT_BYTES};
    return bytes[buffer];
}

static lac_status send(const xrt_slot *slot, int buffer, const void *data, size_t bytes, lac_error *err) {
    if (xrtBOWrite(slot->buffers[buffer], data, bytes, 0) != 0 ||
        xrtBOSync(slot->buffers[buffer], XCL_BO_SYNC_BO_TO_DEVICE, bytes, 0) != 0)
        LAC_FAIL(err, LAC_E_DEVICE, "device xrt: %zu bytes cannot be sent to the card", bytes);
    return LAC_OK;
}

static lac_status fetch(const xrt_slot *slot, int buffer, void *data, size_t bytes, lac_error *err) {
    if (xrtBOSync(slot->buffers[buffer], XCL_BO_SYNC_BO_FROM_DEVICE, bytes, 0) != 0 ||
        xrtBORead(slot->buffers[buffer], data, bytes, 0) != 0)
        LAC_FAIL(err, LAC_E_DEVICE, "device xrt: %zu bytes cannot be fetched from the card", bytes);
    return LAC_OK;
}

/// Each buffer in the memory that its argument is wired to.
static lac_status make_buffers(xrt_state *state, xrt_slot *slot, lac_error *err) {
    for (int b = 0; b < POINTERS; b++) {
        size_t bytes = buffer_bytes(state->io, b);
        int group = xrtKernelArgGroupId(slot->kernel, pointer_arguments[b]);
        if (group >= 0) slot->buffers[b] = xrtBOAlloc(state->device, bytes, 0, (xrtMemoryGroup)group);
        if (!slot->buffers[b])
            LAC_FAIL(err, LAC_E_MEMORY, "device xrt: the card has no memory for %zu bytes of argument %d",
                     bytes, pointer_arguments[b]);
    }
    return LAC_OK;
}

static lac_status set_arguments(const xrt_state *state, const xrt_slot *slot, lac_error *err) {
    const lac_kernel_io *io = state->io;
    const struct {
        int argument;
        uint32_t value;
    } numbers[] = {{LAC_ARG_CONTRACT, io->image->contract_hash},
                   {LAC_ARG_ENGINE, io->job.engine},
                   {LAC_ARG_PROGRAM_WORDS, (uint32_t)io->image->n_program},
                   {LAC_ARG_INPUT_BASE, io->job.input_base},
                   {LAC_ARG_INPUT_WORDS, io->job.input_words},
                   {LAC_ARG_OUTPUT_WORDS, (uint32_t)io->order.n},
                   {LAC_ARG_PATIENCE, 0}};
    int failed = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        failed |= xrtRunSetArg(slot->run, numbers[i].argument, numbers[i].value);
    for (int b = 0; b < POINTERS; b++)
        failed |= xrtRunSetArg(slot->run, pointer_arguments[b], slot->buffers[b]);
    if (failed)
        LAC_FAIL(err, LAC_E_DEVICE, "device xrt: the kernel does not take the arguments of this version");
    return LAC_OK;
}

static lac_status slot_open(xrt_state *state, xrt_slot *slot, int unit, lac_error *err) {
    slot->batch = lac_image_batch(state->io->image);
    char name[64];
    snprintf(name, sizeof name, "%s:{%s_%d}", kernel_name, kernel_name, unit + 1);
    slot->kernel = xrtPLKernelOpen(state->device, state->id, name);
    if (slot->kernel) slot->run = xrtRunOpen(slot->kernel);
    if (!slot->run) LAC_FAIL(err, LAC_E_DEVICE, "device xrt: the .xclbin has no kernel '%s'", name);
    LAC_TRY(make_buffers(state, slot, err));
    LAC_TRY(set_arguments(state, slot, err));
    return send(slot, PROGRAM, state->io->image->program, buffer_bytes(state->io, PROGRAM), err);
}

static void slot_close(xrt_slot *slot) {
    if (slot->run) xrtRunClose(slot->run);
    for (int b = 0; b < POINTERS; b++)
        if (slot->buffers[b]) xrtBOFree(slot->buffers[b]);
    if (slot->kernel) xrtKernelClose(slot->kernel);
}

// ---- batches ----------------------------------------------------------------------------------------------

static lac_status slot_start(xrt_slot *slot, int first, int n, lac_error *err) {
    static const uint8_t nothing[LAC_REPORT_BYTES];
    LAC_TRY(send(slot, REPORT, nothing, sizeof nothing, err));
    if (xrtRunSetArg(slot->run, LAC_ARG_RUNS, (uint32_t)n) != 0 || xrtRunStart(slot->run) != 0)
        LAC_FAIL(err, LAC_E_DEVICE, "device xrt: images %d..%d cannot be started", first * slot->batch,
                 (first + n) * slot->batch);
    slot->first = first;
    slot->n = n;
    return LAC_OK;
}

static lac_status slot_wait(const xrt_slot *slot, uint8_t report[LAC_REPORT_BYTES], lac_error *err) {
    enum ert_cmd_state end = xrtRunWait(slot->run);
    if (end != ERT_CMD_STATE_COMPLETED)
        LAC_FAIL(err, LAC_E_DEVICE,
                 "device xrt: images %d..%d are lost: the card ended them in state %d, not %d",
                 slot->first * slot->batch, (slot->first + slot->n) * slot->batch, (int)end,
                 (int)ERT_CMD_STATE_COMPLETED);
    return fetch(slot, REPORT, report, LAC_REPORT_BYTES, err);
}

static lac_status slot_finish(xrt_state *state, xrt_slot *slot, int32_t *outputs, lac_error *err) {
    uint8_t report[LAC_REPORT_BYTES];
    const lac_kernel_io *io = state->io;
    int n = slot->n;
    if (n == 0) return LAC_OK;
    slot->n = 0;
    LAC_TRY(slot_wait(slot, report, err));
    LAC_TRY(lac_kernel_check(io, "xrt", report, n, err));
    LAC_TRY(fetch(slot, OUTPUT, state->copy, (size_t)n * io->job.output_bytes, err));
    size_t n_out = lac_kernel_values(io->image, io->image->graph->output);
    lac_kernel_unpack(io, n, state->copy, outputs + (size_t)slot->first * n_out);
    return LAC_OK;
}

static lac_status pass(xrt_state *state, int n, const int32_t *inputs, int32_t *outputs, lac_error *err) {
    size_t n_in = lac_kernel_values(state->io->image, state->io->image->graph->input);
    int next = 0;
    for (int first = 0; first < n; first += BATCH, next = (next + 1) % state->n_slots) {
        xrt_slot *slot = &state->slots[next];
        int count = n - first < BATCH ? n - first : BATCH;
        LAC_TRY(slot_finish(state, slot, outputs, err));
        lac_kernel_pack(state->io, count, inputs + (size_t)first * n_in, state->copy);
        LAC_TRY(send(slot, INPUT, state->copy, (size_t)count * state->io->job.input_bytes, err));
        LAC_TRY(slot_start(slot, first, count, err));
    }
    for (int i = 0; i < state->n_slots; i++)
        LAC_TRY(slot_finish(state, &state->slots[(next + i) % state->n_slots], outputs, err));
    return LAC_OK;
}

static lac_status run_batch(void *opaque, int n, const int32_t *inputs, int32_t *outputs, lac_error *err) {
    xrt_state *state = opaque;
    lac_status status = pass(state, n, inputs, outputs, err);
    for (int i = 0; i < state->n_slots; i++) { // after a failure nothing may still be at work
        if (state->slots[i].n) xrtRunWait(state->slots[i].run);
        state->slots[i].n = 0;
    }
    return status;
}

/// A kernel in hardware has no trace: only what comes out can be seen.
static lac_status xrt_run(void *opaque, const int32_t *input, int32_t *output, const lac_device_watch *watch,
                          lac_step_cycles *cycles, lac_error *err) {
    xrt_state *state = opaque;
    if (cycles) memset(cycles, 0, (size_t)state->io->image->n_steps * sizeof *cycles);
    LAC_TRY(run_batch(state, 1, input, output, err));
    if (watch) lac_kernel_show_output(state->io, output, watch);
    return LAC_OK;
}

// ---- opening ----------------------------------------------------------------------------------------------

static lac_status load_binary(xrt_state *state, const lac_device_config *config, lac_error *err) {
    unsigned index = config->platform ? (unsigned)strtoul(config->platform, NULL, 10) : 0;
    if (!config->binary) LAC_FAIL(err, LAC_E_USAGE, "device xrt needs a kernel: give --xclbin FILE");
    state->device = xrtDeviceOpen(index);
    if (!state->device)
        LAC_FAIL(err, LAC_E_NOT_FOUND, "device xrt: there is no card %u (xrt-smi examine lists them)", index);
    if (xrtDeviceLoadXclbinFile(state->device, config->binary) != 0 ||
        xrtDeviceGetXclbinUUID(state->device, state->id) != 0)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "device xrt: card %u does not take '%s'; it must be built for this card's platform", index,
                 config->binary);
    return LAC_OK;
}

static int count_units(const xrt_state *state) {
    char name[64];
    int n = 0;
    for (; n < MOST_UNITS; n++) {
        snprintf(name, sizeof name, "%s:{%s_%d}", kernel_name, kernel_name, n + 1);
        xrtKernelHandle kernel = xrtPLKernelOpen(state->device, state->id, name);
        if (!kernel) break;
        xrtKernelClose(kernel);
    }
    return n < 1 ? 1 : n;
}

/// A job without images: the kernel refuses it, and says whether it is the engine that the image is for.
static lac_status ask_engine(xrt_state *state, lac_error *err) {
    uint8_t report[LAC_REPORT_BYTES];
    LAC_TRY(slot_start(&state->slots[0], 0, 0, err));
    LAC_TRY(slot_wait(&state->slots[0], report, err));
    return lac_kernel_check_match(state->io, "xrt", report, err);
}

static lac_status start(xrt_state *state, const lac_device_config *config, lac_error *err) {
    size_t in = buffer_bytes(state->io, INPUT), out = buffer_bytes(state->io, OUTPUT);
    state->copy = lac_arena_alloc(state->arena, in > out ? in : out);
    LAC_TRY(load_binary(state, config, err));
    state->n_units = count_units(state);
    for (int i = 0; i < SLOTS_A_UNIT * state->n_units; i++) {
        state->n_slots = i + 1;
        LAC_TRY(slot_open(state, &state->slots[i], i % state->n_units, err));
    }
    return ask_engine(state, err);
}

static void xrt_close(void *opaque) {
    xrt_state *state = opaque;
    if (!state) return;
    for (int i = 0; i < state->n_slots; i++) slot_close(&state->slots[i]);
    if (state->device) xrtDeviceClose(state->device);
    lac_arena_close(state->arena);
}

static lac_status xrt_open(const lac_image *image, const lac_device_config *config, const lac_talk *talk,
                           void **out, lac_error *err) {
    static const lac_device_config none = {0};
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "device xrt: out of memory");
    xrt_state *state = LAC_NEW(arena, xrt_state);
    *state = (xrt_state){.arena = arena, .io = lac_kernel_io_new(image, arena)};
    lac_status status = start(state, config ? config : &none, err);
    if (status != LAC_OK) {
        xrt_close(state);
        return status;
    }
    lac_talk_note(talk, "device xrt: %d kernel%s at work", state->n_units, state->n_units == 1 ? "" : "s");
    *out = state;
    return LAC_OK;
}

const lac_device_desc lac_device_xrt = {.name = "xrt",
                                        .help =
                                            "the kernel on a card of Xilinx, through XRT's native interface",
                                        .takes_all_cores = true,
                                        .batch = 512,
                                        .open = xrt_open,
                                        .run = xrt_run,
                                        .run_batch = run_batch,
                                        .close = xrt_close};
