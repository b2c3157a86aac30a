#include "kernel_source.h"

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// OpenCL as a card of Xilinx's has it, on any platform with a compiler: loaded before the loader's library
// (LD_PRELOAD), these calls come here first. An .xclbin is the kernel for the default engine. LAC_CARD says
// what is wrong with the card:
//
//   refuses      the .xclbin is for another platform        other-engine   it holds a kernel of other
//   parameters no-memory    its memory is full                         lost           it is gone while the
//   second batch is at work

static bool is_card(const char *kind) {
    const char *given = getenv("LAC_CARD");
    return given && strcmp(given, kind) == 0;
}

/// The function of the same name behind this library.
#define NEXT(type, name)                                                                                     \
    union {                                                                                                  \
        void *object;                                                                                        \
        type *function;                                                                                      \
    } next = {dlsym(RTLD_NEXT, name)}

typedef cl_int platform_info(cl_platform_id, cl_platform_info, size_t, void *, size_t *);
cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t n, void *value,
                         size_t *used) {
    NEXT(platform_info, "clGetPlatformInfo");
    if (what != CL_PLATFORM_NAME) return next.function(platform, what, n, value, used);
    if (value) snprintf(value, n, "Xilinx");
    if (used) *used = sizeof "Xilinx";
    return CL_SUCCESS;
}

cl_program clCreateProgramWithBinary(cl_context context, cl_uint n, const cl_device_id *devices,
                                     const size_t *bytes, const unsigned char **binaries, cl_int *loaded,
                                     cl_int *code) {
    (void)n;
    (void)devices;
    (void)bytes;
    (void)binaries;
    *loaded = *code = is_card("refuses") ? CL_INVALID_BINARY : CL_SUCCESS;
    if (is_card("refuses")) return NULL;
    const char *texts[LAC_KERNEL_FILES];
    for (int i = 0; i < LAC_KERNEL_FILES; i++) texts[i] = lac_kernel_source[i].text;
    return clCreateProgramWithSource(context, LAC_KERNEL_FILES, texts, NULL, code);
}

typedef cl_int build_program(cl_program, cl_uint, const cl_device_id *, const char *,
                             void(CL_CALLBACK *)(cl_program, void *), void *);
cl_int clBuildProgram(cl_program program, cl_uint n, const cl_device_id *devices, const char *options,
                      void(CL_CALLBACK *done)(cl_program, void *), void *data) {
    NEXT(build_program, "clBuildProgram");
    (void)options;
    return next.function(program, n, devices,
                         is_card("other-engine") ? "-DLAC_BUNDLED -DLAC_DRAIN=49" : "-DLAC_BUNDLED", done,
                         data);
}

/// The card has two units.
typedef cl_kernel create_kernel(cl_program, const char *, cl_int *);
cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *code) {
    NEXT(create_kernel, "clCreateKernel");
    static const char prefix[] = "lac_kernel:{lac_kernel_";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0 || strtol(name + sizeof prefix - 1, NULL, 10) > 2) {
        *code = CL_INVALID_KERNEL_NAME;
        return NULL;
    }
    return next.function(program, "lac_kernel", code);
}

/// Buffers come with the argument that they are for.
typedef cl_mem create_buffer(cl_context, cl_mem_flags, size_t, void *, cl_int *);
cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t n, void *host, cl_int *code) {
    NEXT(create_buffer, "clCreateBuffer");
    const cl_mem_flags placement = (cl_mem_flags)INT32_MIN;
    if (is_card("no-memory") || (flags & placement) != placement) {
        *code = is_card("no-memory") ? CL_MEM_OBJECT_ALLOCATION_FAILURE : CL_INVALID_VALUE;
        return NULL;
    }
    const struct {
        unsigned argument;
        void *host;
        cl_kernel kernel;
    } *place = host;
    return next.function(context, flags & ~placement, n, place->host, code);
}

/// A command that failed, and its reason; the first waiting is for the question which engine the kernel is.
typedef cl_int wait_for_events(cl_uint, const cl_event *);
cl_int clWaitForEvents(cl_uint n, const cl_event *events) {
    NEXT(wait_for_events, "clWaitForEvents");
    static int n_waits;
    cl_int code = next.function(n, events);
    return is_card("lost") && ++n_waits == 3 ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST : code;
}

typedef cl_int event_info(cl_event, cl_event_info, size_t, void *, size_t *);
cl_int clGetEventInfo(cl_event event, cl_event_info what, size_t n, void *value, size_t *used) {
    NEXT(event_info, "clGetEventInfo");
    cl_int code = next.function(event, what, n, value, used);
    if (is_card("lost") && what == CL_EVENT_COMMAND_EXECUTION_STATUS)
        *(cl_int *)value = CL_DEVICE_NOT_AVAILABLE;
    return code;
}
