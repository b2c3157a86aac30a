#include "device_rows.h"
#include "file.h"
#include "kernel_host.h"
#include "kernel_source.h"
#include "opencl_error.h"
#include "opencl_find.h"
#include "ref.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The HLS kernel behind OpenCL 1.2: built from source where the platform has a compiler, loaded from an
// .xclbin where it is Xilinx's. A unit is one kernel in hardware (or one core of a processor); each has two
// slots, so that the transfers of a batch overlap with the work on another.

enum {
    SLOTS_A_UNIT = 2,
    MOST_UNITS = 64,
    BATCH = 32, // runs a slot holds
    PAGE = 4096,
    LARGEST_STACK = 6 << 20, // PoCL's threads have 8 MB
    ARG_TRACE = LAC_N_ARGUMENTS,
    ARG_TRACE_BYTES
};
static const char kernel_name[] = "lac_kernel";

/// A host buffer, and the device's view of it.
typedef struct shared {
    void *host;
    size_t bytes;
    cl_mem device;
} shared;

/// One batch on its way.
typedef struct cl_slot {
    cl_kernel kernel;
    shared program, input, output, report;
    cl_event loaded, done, stored;
    int first, n; ///< runs; n = 0: idle
} cl_slot;

typedef struct cl_state {
    lac_arena *arena;
    lac_kernel_io *io;
    lac_opencl_choice choice;
    cl_context context;
    cl_command_queue queue;
    cl_program program, traced_program; ///< the second one when a run is first watched
    cl_slot traced;                     ///< for runs that are watched
    shared trace;
    cl_slot slots[SLOTS_A_UNIT * MOST_UNITS];
    int n_units, n_slots;
    lac_device_times times;
} cl_state;

// ---- buffers ----------------------------------------------------------------------------------------------

/// What Xilinx's runtime takes in place of a host pointer: the buffer goes into the bank that the argument is
/// wired to.
typedef struct xilinx_placement {
    unsigned argument;
    void *host;
    cl_kernel kernel;
} xilinx_placement;
static const cl_mem_flags XILINX_PLACEMENT = (cl_mem_flags)INT32_MIN;

static void shared_free(shared *s) {
    if (s->device) clReleaseMemObject(s->device);
    free(s->host);
    *s = (shared){0};
}

static lac_status shared_make(cl_state *state, const cl_slot *slot, int argument, size_t bytes, shared *s,
                              lac_error *err) {
    *s = (shared){.bytes = (bytes + PAGE - 1) / PAGE * PAGE};
    if (s->bytes == 0) s->bytes = PAGE;
    if (posix_memalign(&s->host, PAGE, s->bytes) != 0)
        LAC_FAIL(err, LAC_E_MEMORY, "device opencl: no memory for a buffer of %zu bytes", s->bytes);
    memset(s->host, 0, s->bytes);
    cl_int code;
    xilinx_placement placement = {(unsigned)argument, s->host, slot->kernel};
    cl_mem_flags flags = CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR;
    s->device = state->choice.is_xilinx
                    ? clCreateBuffer(state->context, flags | XILINX_PLACEMENT, s->bytes, &placement, &code)
                    : clCreateBuffer(state->context, flags, s->bytes, s->host, &code);
    if (code != CL_SUCCESS) {
        s->device = NULL;
        shared_free(s);
        return lac_opencl_fail(err, code, "a buffer of %zu bytes", bytes);
    }
    code = clSetKernelArg(slot->kernel, (cl_uint)argument, sizeof s->device, &s->device);
    if (code != CL_SUCCESS) return lac_opencl_fail(err, code, "argument %d", argument);
    return LAC_OK;
}

static lac_status set_number(const cl_slot *slot, int argument, size_t value, lac_error *err) {
    cl_uint number = (cl_uint)value;
    cl_int code = clSetKernelArg(slot->kernel, (cl_uint)argument, sizeof number, &number);
    if (code != CL_SUCCESS) return lac_opencl_fail(err, code, "argument %d", argument);
    return LAC_OK;
}

/// Everything but the number of runs.
static lac_status set_arguments(const lac_kernel_io *io, const cl_slot *slot, lac_error *err) {
    const struct {
        int argument;
        size_t value;
    } numbers[] = {{LAC_ARG_CONTRACT, io->image->contract_hash},
                   {LAC_ARG_ENGINE, io->job.engine},
                   {LAC_ARG_PROGRAM_WORDS, io->image->n_program},
                   {LAC_ARG_INPUT_BASE, io->job.input_base},
                   {LAC_ARG_INPUT_WORDS, io->job.input_words},
                   {LAC_ARG_OUTPUT_WORDS, io->order.n},
                   {LAC_ARG_PATIENCE, 0}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        LAC_TRY(set_number(slot, numbers[i].argument, numbers[i].value, err));
    return LAC_OK;
}

static lac_status slot_open(cl_state *state, cl_slot *slot, lac_error *err) {
    const lac_kernel_io *io = state->io;
    size_t program_bytes = io->image->n_program * sizeof *io->image->program;
    LAC_TRY(shared_make(state, slot, LAC_ARG_PROGRAM, program_bytes, &slot->program, err));
    LAC_TRY(shared_make(state, slot, LAC_ARG_INPUT, BATCH * io->job.input_bytes, &slot->input, err));
    LAC_TRY(shared_make(state, slot, LAC_ARG_OUTPUT, BATCH * io->job.output_bytes, &slot->output, err));
    LAC_TRY(shared_make(state, slot, LAC_ARG_REPORT, LAC_REPORT_BYTES, &slot->report, err));
    memcpy(slot->program.host, io->image->program, program_bytes);
    LAC_TRY(set_arguments(io, slot, err));
    cl_int code = clEnqueueMigrateMemObjects(state->queue, 1, &slot->program.device, 0, 0, NULL, NULL);
    if (code == CL_SUCCESS) code = clFinish(state->queue);
    if (code != CL_SUCCESS) return lac_opencl_fail(err, code, "the program");
    return LAC_OK;
}

static void slot_close(cl_slot *slot) {
    shared_free(&slot->program);
    shared_free(&slot->input);
    shared_free(&slot->output);
    shared_free(&slot->report);
    if (slot->kernel) clReleaseKernel(slot->kernel);
}

// ---- one batch --------------------------------------------------------------------------------------------

static void slot_forget(cl_slot *slot) {
    if (slot->loaded) clReleaseEvent(slot->loaded);
    if (slot->done) clReleaseEvent(slot->done);
    if (slot->stored) clReleaseEvent(slot->stored);
    slot->loaded = slot->done = slot->stored = NULL;
    slot->n = 0;
}

/// Sends the input, runs the kernel and fetches what it wrote: three commands, each after the one before.
static lac_status slot_start(cl_state *state, cl_slot *slot, int first, int n, lac_error *err) {
    static const size_t one = 1;
    cl_command_queue q = state->queue;
    int batch = lac_image_batch(state->io->image);
    LAC_TRY(set_number(slot, LAC_ARG_RUNS, (size_t)n, err));
    memset(slot->report.host, 0, slot->report.bytes);
    const cl_mem in[] = {slot->input.device, slot->report.device},
                 out[] = {slot->output.device, slot->report.device};
    slot->first = first;
    slot->n = n;
    cl_int code = clEnqueueMigrateMemObjects(q, 2, in, 0, 0, NULL, &slot->loaded);
    if (code == CL_SUCCESS)
        code = clEnqueueNDRangeKernel(q, slot->kernel, 1, NULL, &one, &one, 1, &slot->loaded, &slot->done);
    if (code == CL_SUCCESS)
        code =
            clEnqueueMigrateMemObjects(q, 2, out, CL_MIGRATE_MEM_OBJECT_HOST, 1, &slot->done, &slot->stored);
    if (code == CL_SUCCESS) code = clFlush(q);
    if (code != CL_SUCCESS)
        return lac_opencl_fail(err, code, "the start of images %d..%d", first * batch, (first + n) * batch);
    return LAC_OK;
}

static double seconds_of(cl_event event) {
    cl_ulong begin = 0, end = 0;
    if (clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof begin, &begin, NULL) !=
            CL_SUCCESS ||
        clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL) != CL_SUCCESS)
        return 0;
    return (double)(end - begin) * 1e-9;
}

/// The code of the command that failed, where the runtime says only that one did.
static cl_int cause_of(const cl_slot *slot, cl_int code) {
    const cl_event events[] = {slot->loaded, slot->done, slot->stored};
    for (int i = 0; code == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST && i < 3; i++) {
        cl_int status = CL_COMPLETE;
        if (clGetEventInfo(events[i], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL) ==
                CL_SUCCESS &&
            status < 0)
            return status;
    }
    return code;
}

/// Makes the device's writes visible in the host's memory; costs nothing where both are one.
static lac_status look_at(cl_state *state, const shared *s, lac_error *err) {
    cl_int code;
    void *seen =
        clEnqueueMapBuffer(state->queue, s->device, CL_TRUE, CL_MAP_READ, 0, s->bytes, 0, NULL, NULL, &code);
    if (code == CL_SUCCESS) code = clEnqueueUnmapMemObject(state->queue, s->device, seen, 0, NULL, NULL);
    if (code != CL_SUCCESS) return lac_opencl_fail(err, code, "a result of %zu bytes", s->bytes);
    return LAC_OK;
}

static lac_status slot_wait(cl_state *state, cl_slot *slot, lac_error *err) {
    int batch = lac_image_batch(state->io->image);
    cl_int code = clWaitForEvents(1, &slot->stored);
    if (code != CL_SUCCESS)
        return lac_opencl_fail(err, cause_of(slot, code), "images %d..%d, which are lost",
                               slot->first * batch, (slot->first + slot->n) * batch);
    state->times.load_s += seconds_of(slot->loaded);
    state->times.run_s += seconds_of(slot->done);
    state->times.store_s += seconds_of(slot->stored);
    LAC_TRY(look_at(state, &slot->report, err));
    LAC_TRY(look_at(state, &slot->output, err));
    return lac_kernel_check(state->io, "opencl", slot->report.host, slot->n, err);
}

static lac_status slot_finish(cl_state *state, cl_slot *slot, int32_t *outputs, lac_error *err) {
    if (slot->n == 0) return LAC_OK;
    const lac_image *image = state->io->image;
    lac_status status = slot_wait(state, slot, err);
    if (status == LAC_OK)
        lac_kernel_unpack(state->io, slot->n, slot->output.host,
                          outputs + (size_t)slot->first * lac_kernel_values(image, image->graph->output));
    slot_forget(slot);
    return status;
}

/// After a failure nothing may be left that still writes to our buffers.
static void abandon(cl_state *state) {
    clFinish(state->queue);
    for (int i = 0; i < state->n_slots; i++) slot_forget(&state->slots[i]);
    slot_forget(&state->traced);
}

// ---- many -------------------------------------------------------------------------------------------------

/// Runs a slot takes at a time: all of them at work, none with more than its buffers hold.
static int runs_a_slot(const cl_state *state, int n) {
    int share = (n + state->n_slots - 1) / state->n_slots;
    return share < 1 ? 1 : share > BATCH ? BATCH : share;
}

static lac_status pass(cl_state *state, int n, const int32_t *inputs, int32_t *outputs, lac_error *err) {
    size_t n_in = lac_kernel_values(state->io->image, state->io->image->graph->input);
    int share = runs_a_slot(state, n), next = 0;
    for (int first = 0; first < n; first += share, next = (next + 1) % state->n_slots) {
        cl_slot *slot = &state->slots[next];
        int count = n - first < share ? n - first : share;
        LAC_TRY(slot_finish(state, slot, outputs, err));
        lac_kernel_pack(state->io, count, inputs + (size_t)first * n_in, slot->input.host);
        LAC_TRY(slot_start(state, slot, first, count, err));
    }
    for (int i = 0; i < state->n_slots; i++)
        LAC_TRY(slot_finish(state, &state->slots[(next + i) % state->n_slots], outputs, err));
    return LAC_OK;
}

static lac_status run_batch(void *opaque, int n, const int32_t *inputs, int32_t *outputs, lac_error *err) {
    lac_status status = pass(opaque, n, inputs, outputs, err);
    if (status != LAC_OK) abandon(opaque);
    return status;
}

// ---- opening ----------------------------------------------------------------------------------------------

static const char *options_text(const cl_state *state, bool traced) {
    const char *text = "-cl-std=CL1.2 -Werror -DLAC_BUNDLED";
    const char *const *options = lac_kernel_options(&state->io->image->engine, traced, state->arena);
    for (int i = 0; options[i]; i++) text = lac_arena_printf(state->arena, "%s %s", text, options[i]);
    return text;
}

static lac_status build_source(cl_state *state, bool traced, cl_program *program, lac_error *err) {
    size_t stack = lac_kernel_stack_bytes(&state->io->image->engine);
    if (stack > LARGEST_STACK)
        LAC_FAIL(err, LAC_E_CAPACITY,
                 "device opencl: the engine's memories take %zu bytes, and a kernel built from source may "
                 "have %d; "
                 "lower ACT_WORDS, or use device hls",
                 stack, LARGEST_STACK);
    const char *texts[LAC_KERNEL_FILES];
    for (int i = 0; i < LAC_KERNEL_FILES; i++) texts[i] = lac_kernel_source[i].text;
    cl_int code;
    cl_device_id device = state->choice.device;
    *program = clCreateProgramWithSource(state->context, LAC_KERNEL_FILES, texts, NULL, &code);
    if (code != CL_SUCCESS) return lac_opencl_fail(err, code, "the kernel's source");
    code = clBuildProgram(*program, 1, &device, options_text(state, traced), NULL, NULL);
    if (code == CL_SUCCESS) return LAC_OK;
    char log[512] = "";
    clGetProgramBuildInfo(*program, device, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
    return lac_opencl_fail(err, code, "building the kernel%s%.200s", log[0] ? ": " : "", log);
}

static lac_status load_binary(cl_state *state, const char *path, lac_error *err) {
    lac_bytes file;
    LAC_TRY(lac_file_read(path, state->arena, &file, err));
    static const char magic[] = "xclbin2";
    if (file.n < sizeof magic || memcmp(file.data, magic, sizeof magic) != 0)
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' is no .xclbin: it does not begin with '%s'", path, magic);
    const unsigned char *binary = file.data;
    cl_int code, loaded = CL_SUCCESS;
    state->program =
        clCreateProgramWithBinary(state->context, 1, &state->choice.device, &file.n, &binary, &loaded, &code);
    if (code == CL_SUCCESS) code = loaded;
    if (code == CL_SUCCESS) code = clBuildProgram(state->program, 1, &state->choice.device, NULL, NULL, NULL);
    if (code != CL_SUCCESS)
        return lac_opencl_fail(err, code, "'%s' on '%s'; it must be built for this card's platform", path,
                               state->choice.device_name);
    return LAC_OK;
}

static lac_status make_program(cl_state *state, const char *binary, lac_error *err) {
    if (!state->choice.is_xilinx && binary)
        LAC_FAIL(err, LAC_E_USAGE,
                 "device opencl: '%s' needs a platform of Xilinx, and '%s' builds from source", binary,
                 state->choice.platform_name);
    if (!state->choice.is_xilinx) return build_source(state, false, &state->program, err);
    if (!binary)
        LAC_FAIL(err, LAC_E_USAGE, "device opencl: the platform '%s' needs a kernel: give --xclbin FILE",
                 state->choice.platform_name);
    return load_binary(state, binary, err);
}

/// A kernel for unit u; on a card every unit has a name of its own, and the first that is not there ends
/// them.
static cl_kernel make_kernel(const cl_state *state, int u, cl_int *code) {
    char name[64];
    snprintf(name, sizeof name, "%s", kernel_name);
    if (state->choice.is_xilinx) snprintf(name, sizeof name, "%s:{%s_%d}", kernel_name, kernel_name, u + 1);
    return clCreateKernel(state->program, name, code);
}

static int wanted_units(const cl_state *state, int given) {
    cl_uint there = 1;
    if (state->choice.is_xilinx) return MOST_UNITS;
    clGetDeviceInfo(state->choice.device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof there, &there, NULL);
    int n = given > 0 && given < (int)there ? given : (int)there;
    return n < 1 ? 1 : n > MOST_UNITS ? MOST_UNITS : n;
}

static lac_status open_slots(cl_state *state, int n_units, lac_error *err) {
    for (int i = 0; i < SLOTS_A_UNIT * n_units; i++) {
        cl_int code;
        cl_slot *slot = &state->slots[i];
        // Units take turns, so that all are at work before one has two batches.
        slot->kernel = make_kernel(state, i % n_units, &code);
        if (code != CL_SUCCESS) return lac_opencl_fail(err, code, "kernel '%s'", kernel_name);
        state->n_slots = i + 1;
        LAC_TRY(slot_open(state, slot, err));
    }
    return LAC_OK;
}

static int count_units(cl_state *state, int wanted) {
    int n = 0;
    for (cl_int code = CL_SUCCESS; n < wanted; n++) {
        cl_kernel kernel = make_kernel(state, n, &code);
        if (code != CL_SUCCESS) break;
        clReleaseKernel(kernel);
    }
    return n < 1 ? 1 : n;
}

/// A job without images: the kernel refuses it, and says whether it is the engine that the image is for.
static lac_status ask_engine(cl_state *state, lac_error *err) {
    cl_slot *slot = &state->slots[0];
    lac_status status = slot_start(state, slot, 0, 0, err);
    if (status == LAC_OK && clWaitForEvents(1, &slot->stored) == CL_SUCCESS)
        status = look_at(state, &slot->report, err);
    if (status == LAC_OK) status = lac_kernel_check_match(state->io, "opencl", slot->report.host, err);
    clFinish(state->queue);
    slot_forget(slot);
    return status;
}

static lac_status start(cl_state *state, const lac_device_config *config, lac_error *err) {
    cl_int code;
    LAC_TRY(lac_opencl_find(config->platform, &state->choice, err));
    state->context = clCreateContext(NULL, 1, &state->choice.device, NULL, NULL, &code);
    if (code != CL_SUCCESS) return lac_opencl_fail(err, code, "a context on '%s'", state->choice.device_name);
    state->queue =
        clCreateCommandQueue(state->context, state->choice.device,
                             CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE | CL_QUEUE_PROFILING_ENABLE, &code);
    if (code != CL_SUCCESS) return lac_opencl_fail(err, code, "a queue on '%s'", state->choice.device_name);
    LAC_TRY(make_program(state, config->binary, err));
    state->n_units = count_units(state, wanted_units(state, config->n_units));
    LAC_TRY(open_slots(state, state->n_units, err));
    return ask_engine(state, err);
}

// ---- runs that are watched --------------------------------------------------------------------------------

/// A kernel that writes a trace, and its buffers.
static lac_status open_traced(cl_state *state, lac_error *err) {
    cl_slot *slot = &state->traced;
    cl_int code;
    if (slot->kernel) return LAC_OK;
    if (!state->traced_program) LAC_TRY(build_source(state, true, &state->traced_program, err));
    slot->kernel = clCreateKernel(state->traced_program, kernel_name, &code);
    if (code != CL_SUCCESS) return lac_opencl_fail(err, code, "kernel '%s'", kernel_name);
    LAC_TRY(slot_open(state, slot, err));
    LAC_TRY(shared_make(state, slot, ARG_TRACE, state->io->trace_bytes, &state->trace, err));
    return set_number(slot, ARG_TRACE_BYTES, state->io->trace_bytes, err);
}

static lac_status run_traced(cl_state *state, const int32_t *input, int32_t *output,
                             const lac_device_watch *watch, lac_error *err) {
    LAC_TRY(open_traced(state, err));
    lac_kernel_pack(state->io, 1, input, state->traced.input.host);
    LAC_TRY(slot_start(state, &state->traced, 0, 1, err));
    LAC_TRY(slot_finish(state, &state->traced, output, err));
    LAC_TRY(look_at(state, &state->trace, err));
    return lac_kernel_show(state->io, "opencl", state->trace.host, output, watch, err);
}

static lac_status cl_run(void *opaque, const int32_t *input, int32_t *output, const lac_device_watch *watch,
                         lac_step_cycles *cycles, lac_error *err) {
    cl_state *state = opaque;
    if (cycles) memset(cycles, 0, (size_t)state->io->image->n_steps * sizeof *cycles);
    if (!watch) return run_batch(state, 1, input, output, err);
    if (state->choice.is_xilinx) {
        // A kernel in hardware has no trace: only what comes out can be seen.
        LAC_TRY(run_batch(state, 1, input, output, err));
        lac_kernel_show_output(state->io, output, watch);
        return LAC_OK;
    }
    lac_status status = run_traced(state, input, output, watch, err);
    if (status != LAC_OK) abandon(state);
    return status;
}

// ---- the device -------------------------------------------------------------------------------------------

static void cl_times(void *opaque, lac_device_times *out) {
    const cl_state *state = opaque;
    *out = state->times;
}

static bool cl_place(int i, lac_device_place *out) {
    lac_opencl_choice row;
    if (!lac_opencl_row(i, &row)) return false;
    *out = (lac_device_place){.index = row.index, .takes_binary = row.is_xilinx};
    snprintf(out->platform, sizeof out->platform, "%s", row.platform_name);
    snprintf(out->name, sizeof out->name, "%s", row.device_name);
    return true;
}

static void cl_close(void *opaque) {
    cl_state *state = opaque;
    if (!state) return;
    if (state->queue) abandon(state);
    for (int i = 0; i < SLOTS_A_UNIT * MOST_UNITS; i++) slot_close(&state->slots[i]);
    slot_close(&state->traced);
    shared_free(&state->trace);
    if (state->program) clReleaseProgram(state->program);
    if (state->traced_program) clReleaseProgram(state->traced_program);
    if (state->queue) clReleaseCommandQueue(state->queue);
    if (state->context) clReleaseContext(state->context);
    lac_arena_close(state->arena);
}

static lac_status cl_open(const lac_image *image, const lac_device_config *config, const lac_talk *talk,
                          void **out, lac_error *err) {
    static const lac_device_config none = {0};
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "device opencl: out of memory");
    cl_state *state = LAC_NEW(arena, cl_state);
    *state = (cl_state){.arena = arena, .io = lac_kernel_io_new(image, arena)};
    lac_status status = start(state, config ? config : &none, err);
    if (status != LAC_OK) {
        cl_close(state);
        return status;
    }
    lac_talk_note(talk, "device opencl: %s, %d kernel%s at work", state->choice.device_name, state->n_units,
                  state->n_units == 1 ? "" : "s");
    *out = state;
    return LAC_OK;
}

const lac_device_desc lac_device_opencl = {
    .name = "opencl",
    .help = "the HLS kernel on an OpenCL platform: a card, or any processor",
    .batch = 512,
    .takes_all_cores = true,
    .open = cl_open,
    .run = cl_run,
    .run_batch = run_batch,
    .times = cl_times,
    .place = cl_place,
    .close = cl_close};
