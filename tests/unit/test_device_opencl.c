#include "device_rows.h"
#include "graph_builder.h"
#include "kernel_source.h"
#include "opencl_error.h"
#include "opencl_find.h"
#include "ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Device opencl on a real platform, with calls that go wrong on demand, and as if the platform were Xilinx's:
// the linker sends the calls below here first (--wrap).

static struct {
    int no_platform, is_xilinx, n_units, refuses_binary, other_engine, fail_buffer, lose_at;
    int n_buffers, n_placed, n_waits;
} fake;

static const lac_engine_config engine = {
    .mesh_x = 3, .mesh_y = 3, .drain = 3, .acc_bits = 28, .act_words = 1024, .list_words = 512};

cl_int __real_clGetPlatformIDs(cl_uint n, cl_platform_id *platforms, cl_uint *count);
cl_int __wrap_clGetPlatformIDs(cl_uint n, cl_platform_id *platforms, cl_uint *count);
cl_int __wrap_clGetPlatformIDs(cl_uint n, cl_platform_id *platforms, cl_uint *count) {
    return fake.no_platform ? -1001 : __real_clGetPlatformIDs(n, platforms, count);
}

cl_int __real_clGetPlatformInfo(cl_platform_id p, cl_platform_info what, size_t n, void *value, size_t *used);
cl_int __wrap_clGetPlatformInfo(cl_platform_id p, cl_platform_info what, size_t n, void *value, size_t *used);
cl_int __wrap_clGetPlatformInfo(cl_platform_id p, cl_platform_info what, size_t n, void *value,
                                size_t *used) {
    if (!fake.is_xilinx || what != CL_PLATFORM_NAME) return __real_clGetPlatformInfo(p, what, n, value, used);
    snprintf(value, n, "Xilinx");
    return CL_SUCCESS;
}

/// A card's binary is the source, built for the engine above or another one.
cl_program __wrap_clCreateProgramWithBinary(cl_context context, cl_uint n, const cl_device_id *devices,
                                            const size_t *bytes, const unsigned char **binaries,
                                            cl_int *loaded, cl_int *code);
cl_program __wrap_clCreateProgramWithBinary(cl_context context, cl_uint n, const cl_device_id *devices,
                                            const size_t *bytes, const unsigned char **binaries,
                                            cl_int *loaded, cl_int *code) {
    (void)devices;
    assert_int_equal(n, 1);
    assert_true(bytes[0] > 8);
    assert_memory_equal(binaries[0], "xclbin2", 8);
    *loaded = fake.refuses_binary ? CL_INVALID_BINARY : CL_SUCCESS;
    *code = *loaded;
    if (fake.refuses_binary) return NULL;
    const char *texts[LAC_KERNEL_FILES];
    for (int i = 0; i < LAC_KERNEL_FILES; i++) texts[i] = lac_kernel_source[i].text;
    return clCreateProgramWithSource(context, LAC_KERNEL_FILES, texts, NULL, code);
}

cl_int __real_clBuildProgram(cl_program program, cl_uint n, const cl_device_id *devices, const char *options,
                             void(CL_CALLBACK *done)(cl_program, void *), void *data);
cl_int __wrap_clBuildProgram(cl_program program, cl_uint n, const cl_device_id *devices, const char *options,
                             void(CL_CALLBACK *done)(cl_program, void *), void *data);
cl_int __wrap_clBuildProgram(cl_program program, cl_uint n, const cl_device_id *devices, const char *options,
                             void(CL_CALLBACK *done)(cl_program, void *), void *data) {
    char text[200];
    snprintf(
        text, sizeof text,
        "-DLAC_BUNDLED -DLAC_MESH_X=3 -DLAC_MESH_Y=3 -DLAC_DRAIN=%d -DLAC_ACC_BITS=28 -DLAC_ACT_WORDS=1024 "
        "-DLAC_LIST_WORDS=512",
        fake.other_engine ? 9 : 3);
    return __real_clBuildProgram(program, n, devices, options ? options : text, done, data);
}

cl_kernel __real_clCreateKernel(cl_program program, const char *name, cl_int *code);
cl_kernel __wrap_clCreateKernel(cl_program program, const char *name, cl_int *code);
cl_kernel __wrap_clCreateKernel(cl_program program, const char *name, cl_int *code) {
    static const char prefix[] = "lac_kernel:{lac_kernel_";
    if (!fake.is_xilinx) return __real_clCreateKernel(program, name, code);
    assert_memory_equal(name, prefix, sizeof prefix - 1);
    if (strtol(name + sizeof prefix - 1, NULL, 10) > fake.n_units) {
        *code = CL_INVALID_KERNEL_NAME;
        return NULL;
    }
    return __real_clCreateKernel(program, "lac_kernel", code);
}

cl_mem __real_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t n, void *host, cl_int *code);
cl_mem __wrap_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t n, void *host, cl_int *code);
cl_mem __wrap_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t n, void *host, cl_int *code) {
    const cl_mem_flags placement = (cl_mem_flags)INT32_MIN;
    if (++fake.n_buffers == fake.fail_buffer) {
        *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
        return NULL;
    }
    assert_int_equal(fake.is_xilinx, (flags & placement) == placement);
    if (fake.is_xilinx) { // the buffer of argument `index` of a kernel
        const struct {
            unsigned index;
            void *host;
            cl_kernel kernel;
        } *x = host;
        assert_true(x->index >= 2 && x->index <= 5);
        assert_non_null(x->kernel);
        host = x->host;
        flags &= ~placement;
        fake.n_placed++;
    }
    assert_int_equal((uintptr_t)host % 4096, 0);
    assert_int_equal(n % 4096, 0);
    return __real_clCreateBuffer(context, flags, n, host, code);
}

/// A device that is lost: waiting says that a command failed, and the command why.
cl_int __real_clWaitForEvents(cl_uint n, const cl_event *events);
cl_int __wrap_clWaitForEvents(cl_uint n, const cl_event *events);
cl_int __wrap_clWaitForEvents(cl_uint n, const cl_event *events) {
    cl_int code = __real_clWaitForEvents(n, events);
    return ++fake.n_waits == fake.lose_at ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST : code;
}
cl_int __real_clGetEventInfo(cl_event event, cl_event_info what, size_t n, void *value, size_t *used);
cl_int __wrap_clGetEventInfo(cl_event event, cl_event_info what, size_t n, void *value, size_t *used);
cl_int __wrap_clGetEventInfo(cl_event event, cl_event_info what, size_t n, void *value, size_t *used) {
    cl_int code = __real_clGetEventInfo(event, what, n, value, used);
    if (fake.lose_at && what == CL_EVENT_COMMAND_EXECUTION_STATUS) *(cl_int *)value = CL_DEVICE_NOT_AVAILABLE;
    return code;
}

/// Commands of the runs in hand: transfers to the device, and kernels.
enum { MOST_COMMANDS = 200 };
static struct {
    cl_event loads[MOST_COMMANDS], kernels[MOST_COMMANDS];
    int n, is_watching, is_in_order;
} seen;

cl_int __real_clEnqueueMigrateMemObjects(cl_command_queue queue, cl_uint n, const cl_mem *buffers,
                                         cl_mem_migration_flags flags, cl_uint n_wait, const cl_event *wait,
                                         cl_event *event);
cl_int __wrap_clEnqueueMigrateMemObjects(cl_command_queue queue, cl_uint n, const cl_mem *buffers,
                                         cl_mem_migration_flags flags, cl_uint n_wait, const cl_event *wait,
                                         cl_event *event);
cl_int __wrap_clEnqueueMigrateMemObjects(cl_command_queue queue, cl_uint n, const cl_mem *buffers,
                                         cl_mem_migration_flags flags, cl_uint n_wait, const cl_event *wait,
                                         cl_event *event) {
    cl_int code = __real_clEnqueueMigrateMemObjects(queue, n, buffers, flags, n_wait, wait, event);
    if (seen.is_watching && code == CL_SUCCESS && event && !(flags & CL_MIGRATE_MEM_OBJECT_HOST)) {
        assert_true(seen.n < MOST_COMMANDS);
        clRetainEvent(*event);
        seen.loads[seen.n] = *event;
    }
    return code;
}

cl_int __real_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                                     const size_t *offset, const size_t *global, const size_t *local,
                                     cl_uint n_wait, const cl_event *wait, cl_event *event);
cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                                     const size_t *offset, const size_t *global, const size_t *local,
                                     cl_uint n_wait, const cl_event *wait, cl_event *event);
cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                                     const size_t *offset, const size_t *global, const size_t *local,
                                     cl_uint n_wait, const cl_event *wait, cl_event *event) {
    cl_int code =
        __real_clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, n_wait, wait, event);
    if (seen.is_watching && code == CL_SUCCESS) {
        clRetainEvent(*event);
        seen.kernels[seen.n++] = *event;
        if (seen.is_in_order) clFinish(queue);
    }
    return code;
}

// ---- tests ------------------------------------------------------------------------------------------------

static int n_images = 1; // that share the mesh

typedef struct fixture {
    lac_arena *arena;
    lac_image *image;
    void *state;
    lac_error err;
} fixture;

static int n_channels = 3; // of the net: how long it takes

static lac_status open_with(fixture *f, const lac_engine_config *e, const lac_device_config *config) {
    *f = (fixture){.arena = lac_arena_open()};
    builder b = builder_begin(f->arena, 5);
    int x = builder_input(&b, 2, 6, 6, (lac_code_type){.bits = 4});
    x = builder_conv(&b, x, (layer_options){.out_c = n_channels, .window = WINDOW(3, 1, 1)});
    if (n_channels > 3)
        x = builder_conv(&b, x, (layer_options){.out_c = n_channels, .window = WINDOW(3, 1, 1)});
    x = builder_conv(&b, x, (layer_options){.out_c = 4, .window = WINDOW(6, 1, 0), .raw = true});
    assert_int_equal(lac_compile_batch(builder_end(&b, x), e, n_images, f->arena, &f->image, NULL), LAC_OK);
    return lac_device_opencl.open(f->image, config, NULL, &f->state, &f->err);
}

static void close_all(fixture *f) {
    lac_device_opencl.close(f->state);
    lac_arena_close(f->arena);
}

/// n runs.
static lac_status run_many(fixture *f, int n) {
    const lac_int_graph *g = f->image->graph;
    size_t n_in = lac_int_tensor_count(&g->tensors[g->input]),
           n_out = lac_int_tensor_count(&g->tensors[g->output]);
    int n_all = n * n_images;
    int32_t *in = LAC_NEW_ARRAY(f->arena, int32_t, (size_t)n_all * n_in),
            *out = LAC_NEW_ARRAY(f->arena, int32_t, (size_t)n_all * n_out);
    lac_rng rng = lac_rng_make(1, 1);
    for (int i = 0; i < n_all; i++) random_codes(&rng, &g->tensors[g->input], in + (size_t)i * n_in);
    LAC_TRY(lac_device_opencl.run_batch(f->state, n, in, out, &f->err));
    int32_t **values = reference_values(g, f->arena, 1);
    for (int i = 0; i < n_all; i++) {
        memcpy(values[g->input], in + (size_t)i * n_in, n_in * sizeof *in);
        lac_ref_run(g, values);
        assert_memory_equal(values[g->output], out + (size_t)i * n_out, n_out * sizeof *out);
    }
    return LAC_OK;
}

typedef struct span {
    cl_ulong begin, end;
} span;

static span span_of(cl_event event) {
    span s;
    assert_int_equal(
        clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof s.begin, &s.begin, NULL),
        CL_SUCCESS);
    assert_int_equal(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof s.end, &s.end, NULL),
                     CL_SUCCESS);
    return s;
}

/// Runs many batches; how many commands of a kind lie, at least with one end, inside a kernel that was
/// started before.
static int count_overlaps(fixture *f, cl_event *commands) {
    int n = 0;
    seen.n = 0;
    seen.is_watching = 1;
    assert_int_equal(run_many(f, 192), LAC_OK);
    seen.is_watching = 0;
    for (int i = 0; i < seen.n; i++)
        for (int j = i + 1; j < seen.n; j++) {
            span kernel = span_of(seen.kernels[i]), other = span_of(commands[j]);
            n += other.begin < kernel.end && other.end > kernel.begin;
        }
    for (int i = 0; i < seen.n; i++) {
        clReleaseEvent(seen.loads[i]);
        clReleaseEvent(seen.kernels[i]);
    }
    return n;
}

/// By the times that the runtime gives for its commands. One unit, so that a transfer has no other kernel to
/// run beside; a busy machine may need more than one try.
static void sends_a_batch_while_another_is_at_work(void **state) {
    (void)state;
    static const lac_device_config one_unit = {.n_units = 1};
    fixture f;
    int n = 0;
    memset(&fake, 0, sizeof fake);
    n_channels = 50;
    assert_int_equal(open_with(&f, &engine, &one_unit), LAC_OK);
    n_channels = 3;
    for (int i = 0; i < 20 && n == 0; i++) n = count_overlaps(&f, seen.loads);
    print_message("%d of %d transfers beside a kernel\n", n, seen.n);
    assert_true(n > 0);
    seen.is_in_order = 1; // and if every command waits for the one before, there is none
    assert_int_equal(count_overlaps(&f, seen.loads), 0);
    seen.is_in_order = 0;
    close_all(&f);
}

static void keeps_several_units_at_work(void **state) {
    (void)state;
    static const lac_device_config two_units = {.n_units = 2};
    fixture f;
    int n = 0;
    cl_uint there = 0;
    memset(&fake, 0, sizeof fake);
    n_channels = 50;
    assert_int_equal(open_with(&f, &engine, &two_units), LAC_OK);
    n_channels = 3;
    lac_opencl_choice place;
    assert_true(lac_opencl_row(0, &place));
    clGetDeviceInfo(place.device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof there, &there, NULL);
    for (int i = 0; i < 20 && n == 0 && there > 1; i++) n = count_overlaps(&f, seen.kernels);
    print_message("%d pairs of kernels at once, on %u cores\n", n, there);
    assert_true(n > 0 || there < 2);
    seen.is_in_order = 1;
    assert_int_equal(count_overlaps(&f, seen.kernels), 0);
    seen.is_in_order = 0;
    close_all(&f);
}

/// Five runs of four images that share a mesh, across slots.
static void runs_images_that_share_the_mesh(void **state) {
    (void)state;
    static const lac_device_config config = {0};
    lac_engine_config four = engine;
    four.mesh_x = four.mesh_y = 6;
    memset(&fake, 0, sizeof fake);
    fixture f;
    n_images = 4;
    assert_int_equal(open_with(&f, &four, &config), LAC_OK);
    assert_int_equal(lac_image_batch(f.image), 4);
    assert_int_equal(run_many(&f, 5), LAC_OK);
    assert_int_equal(run_many(&f, 101), LAC_OK);
    close_all(&f);
    n_images = 1;
}

static void write_binary(const char *path, const char *text) {
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fwrite(text, 1, strlen(text) + 1, out);
    fputs("the rest", out);
    fclose(out);
}

static void overlaps_batches_and_takes_times(void **state) {
    (void)state;
    static const lac_device_config config = {0};
    memset(&fake, 0, sizeof fake);
    fixture f;
    lac_device_times times;
    assert_int_equal(open_with(&f, &engine, &config), LAC_OK);
    for (int n = 1; n <= 300; n += 149) assert_int_equal(run_many(&f, n), LAC_OK);
    lac_device_opencl.times(f.state, &times);
    assert_true(times.run_s > 0);
    close_all(&f);
}

static void places_buffers_by_argument_on_a_card(void **state) {
    (void)state;
    static const lac_device_config config = {.binary = "good.xclbin"};
    write_binary("good.xclbin", "xclbin2");
    memset(&fake, 0, sizeof fake);
    fake.is_xilinx = 1;
    fake.n_units = 2;
    fixture f;
    if (open_with(&f, &engine, &config) != LAC_OK) fail_msg("%s", f.err.text);
    assert_int_equal(fake.n_placed, 2 * 2 * 4); // units, slots, pointers
    assert_int_equal(run_many(&f, 150), LAC_OK);
    close_all(&f);
}

static void fails(lac_status expected, const char *words, const lac_device_config *config) {
    fixture f;
    lac_status status = open_with(&f, &engine, config);
    if (status == LAC_OK) status = run_many(&f, 100);
    if (status != expected || !strstr(f.err.text, words)) fail_msg("status %d: %s", status, f.err.text);
    close_all(&f);
    memset(&fake, 0, sizeof fake);
}

static void says_in_words_what_is_wrong(void **state) {
    (void)state;
    static const lac_device_config none = {0}, nowhere = {.platform = "nowhere"}, odd = {.platform = "a:b"},
                                   binary = {.binary = "good.xclbin"}, no_xclbin = {.binary = "bad.xclbin"},
                                   missing = {.binary = "missing.xclbin"};
    write_binary("good.xclbin", "xclbin2");
    write_binary("bad.xclbin", "ELF");
    memset(&fake, 0, sizeof fake);
    fake.no_platform = 1;
    fails(LAC_E_NOT_FOUND, "no OpenCL platform is installed", &none);
    fails(LAC_E_NOT_FOUND, "no device 'nowhere'; there is '", &nowhere);
    fails(LAC_E_USAGE, "is not NAME or NAME:NUMBER", &odd);
    fails(LAC_E_USAGE, "needs a platform of Xilinx", &binary);
    fake.is_xilinx = fake.n_units = 1;
    fails(LAC_E_USAGE, "give --xclbin FILE", &none);
    fake.is_xilinx = fake.n_units = 1;
    fails(LAC_E_FORMAT, "'bad.xclbin' is no .xclbin", &no_xclbin);
    fake.is_xilinx = fake.n_units = 1;
    fails(LAC_E_NOT_FOUND, "missing.xclbin", &missing);
    fake.is_xilinx = fake.n_units = fake.refuses_binary = 1;
    fails(LAC_E_FORMAT, "CL_INVALID_BINARY", &binary);
    fake.is_xilinx = fake.n_units = fake.other_engine = 1;
    fails(LAC_E_CONTRACT, "the kernel is another one", &binary);
    fake.is_xilinx = 1; // and no unit
    fails(LAC_E_DEVICE, "CL_INVALID_KERNEL_NAME", &binary);
    fake.fail_buffer = 3;
    fails(LAC_E_MEMORY, "CL_MEM_OBJECT_ALLOCATION_FAILURE: the device has no memory", &none);
    fake.lose_at = 3; // the first is the question which engine it is
    fails(LAC_E_DEVICE, "CL_DEVICE_NOT_AVAILABLE: the device is gone", &none);
}

static void refuses_an_engine_that_does_not_fit_a_stack(void **state) {
    (void)state;
    lac_engine_config large = engine;
    large.mesh_x = large.mesh_y = 32;
    large.drain = 32;
    large.act_words = 65536;
    const lac_device_config none = {0};
    fixture f;
    memset(&fake, 0, sizeof fake);
    assert_int_equal(open_with(&f, &large, &none), LAC_E_CAPACITY);
    assert_non_null(strstr(f.err.text, "lower ACT_WORDS, or use device hls"));
    close_all(&f);
}

static void every_code_has_a_name(void **state) {
    (void)state;
    char text[200];
    for (int code = -1; code >= -68; code--) {
        if (code < -19 && code > -30) continue;
        assert_memory_equal(lac_opencl_text(code, text, sizeof text), "CL_", 3);
    }
    assert_non_null(strstr(lac_opencl_text(-9999, text, sizeof text), "error -9999"));
    lac_error err = {0};
    assert_int_equal(lac_opencl_fail(&err, CL_OUT_OF_HOST_MEMORY, "a buffer of %d bytes", 5), LAC_E_MEMORY);
    assert_string_equal(
        err.text, "device opencl: a buffer of 5 bytes: CL_OUT_OF_HOST_MEMORY: the host ran out of memory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlaps_batches_and_takes_times),
        cmocka_unit_test(runs_images_that_share_the_mesh),
        cmocka_unit_test(sends_a_batch_while_another_is_at_work),
        cmocka_unit_test(keeps_several_units_at_work),
        cmocka_unit_test(places_buffers_by_argument_on_a_card),
        cmocka_unit_test(says_in_words_what_is_wrong),
        cmocka_unit_test(refuses_an_engine_that_does_not_fit_a_stack),
        cmocka_unit_test(every_code_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
