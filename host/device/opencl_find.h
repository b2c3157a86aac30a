#ifndef LAC_OPENCL_FIND_H
#define LAC_OPENCL_FIND_H

#include "lac_status.h"

#include <stdbool.h>

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <CL/cl.h>

/// Which OpenCL platform and device to use.

typedef struct lac_opencl_choice {
    cl_platform_id platform;
    cl_device_id device;
    char platform_name[128], device_name[128];
    int index;      ///< of the device in its platform
    bool is_xilinx; ///< takes .xclbin files, and has no compiler
} lac_opencl_choice;

/// Finds a device.
///
///   wanted  NULL: the first device there is. "NAME": the first of a platform whose name contains NAME, case
///   ignored.
///           "NAME:2": its third device. ":1": the second device of the first platform.
///
/// errors  E_NOT_FOUND: no platform at all (with what to install), or not this one (with those there are)
lac_status lac_opencl_find(const char *wanted, lac_opencl_choice *out, lac_error *err) LAC_MUST_CHECK;

/// Device i of all platforms, counted on; false when there are not so many.
bool lac_opencl_row(int i, lac_opencl_choice *out);

#endif
