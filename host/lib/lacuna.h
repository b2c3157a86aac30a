#ifndef LACUNA_H
#define LACUNA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// liblacuna: program images (*.lac) on devices, from C.
///
///   lacuna_open, lacuna_load; then lacuna_run, or lacuna_start and lacuna_wait; lacuna_close
///
/// Every function that can fail returns 0, or the number that docs/errors.md gives the failure (the command's
/// exit code), and then puts one sentence into the error where that is not NULL. The library prints nothing.
/// Handles of one device are used by one thread at a time; different devices are independent.

typedef struct lacuna_device lacuna_device;
typedef struct lacuna_job lacuna_job;

typedef struct lacuna_error {
    int code;
    char text[512];
} lacuna_error;

typedef struct lacuna_options {
    const char *platform; ///< opencl: "NAME" or "NAME:2"; NULL: the first there is
    const char *xclbin;   ///< opencl on a card of Xilinx: the kernel
    int threads;          ///< 0: one a core
} lacuna_options;

/// Of the image that is loaded: input pixels [c][h][w], results.
typedef struct lacuna_shape {
    int channels, rows, columns;
    int results;
} lacuna_shape;

/// "0.1.0"
const char *lacuna_version(void);

/// Name of device i ("ref", "hls", "opencl", ...), NULL after the last one.
const char *lacuna_device_name(int i);

/// Opens a device by name; options may be NULL.
int lacuna_open(const char *device, const lacuna_options *options, lacuna_device **out, lacuna_error *error);

/// Loads an image and starts the device with it. Another image may be loaded later, when no job is under way.
int lacuna_load(lacuna_device *device, const char *path, lacuna_error *error);
int lacuna_get_shape(const lacuna_device *device, lacuna_shape *out, lacuna_error *error);

/// Runs n inputs: pixels [n][c][h][w], 0..255, in; raw results [n][results] out.
int lacuna_run(lacuna_device *device, int n, const uint8_t *pixels, int32_t *results, lacuna_error *error);

/// The same in the background: both buffers belong to the library until lacuna_wait returns. Jobs of a device
/// are done in the order of their start. Every job that was started must be waited for, once.
int lacuna_start(lacuna_device *device, int n, const uint8_t *pixels, int32_t *results, lacuna_job **out,
                 lacuna_error *error);
int lacuna_wait(lacuna_job *job, lacuna_error *error);

/// Raw results as real numbers (logits), and the index of the largest.
int lacuna_scores(const lacuna_device *device, const int32_t *results, float *scores, lacuna_error *error);
int lacuna_class(const lacuna_device *device, const int32_t *results);

/// Waits for all jobs and frees the device; NULL is fine.
void lacuna_close(lacuna_device *device);

#ifdef __cplusplus
}
#endif

#endif
