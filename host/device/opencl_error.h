#ifndef LAC_OPENCL_ERROR_H
#define LAC_OPENCL_ERROR_H

#include "lac_status.h"

#include <stddef.h>
#include <stdint.h>

/// OpenCL's error codes in words.

/// "CL_OUT_OF_HOST_MEMORY: no memory on the host"; a number for a code that no standard knows.
const char *lac_opencl_text(int32_t code, char *buffer, size_t n_bytes);

/// Fails with what was tried and what OpenCL says about it.
///
/// errors  E_MEMORY for codes that mean no memory, E_NOT_FOUND for no platform or device, E_DEVICE for all
/// others
lac_status lac_opencl_fail(lac_error *err, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
