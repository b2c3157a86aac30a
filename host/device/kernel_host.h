#ifndef LAC_KERNEL_HOST_H
#define LAC_KERNEL_HOST_H

#include "device.h"
#include "kernel_job.h"
#include "lac_registers.h"
#include "lac_trace.h"

/// What all hosts of the HLS kernel (hls/lac_kernel.c) share: its options, its buffers, its report.

/// An image as the kernel's buffers see it.
typedef struct lac_kernel_io {
    const lac_image *image;
    lac_raw_order order;
    lac_kernel_job job;
    uint32_t trace_bytes; ///< room for the trace of one run
    uint8_t *memory;      ///< activation memory as the trace shows it
    int32_t *tensor;      ///< a tensor being shown
} lac_kernel_io;

/// memory  from arena
lac_kernel_io *lac_kernel_io_new(const lac_image *image, lac_arena *arena);

/// Macros for the kernel's compiler: the engine's parameters, "-DLAC_MESH_X=7" and so on, and -DLAC_TRACE
/// where wanted; NULL at the end.
const char *const *lac_kernel_options(const lac_engine_config *engine, bool traced, lac_arena *arena);

/// Bytes of the kernel's arrays; they stand on the stack where a host compiler or PoCL runs it.
size_t lac_kernel_stack_bytes(const lac_engine_config *engine);

/// Values of a tensor in one run, that is in lac_image_batch(image) images.
size_t lac_kernel_values(const lac_image *image, int tensor);

/// Codes of n runs, of lac_image_batch(image) images each, dense, into the kernel's input buffer.
void lac_kernel_pack(const lac_kernel_io *io, int n, const int32_t *inputs, void *buffer);
/// The kernel's output buffer into the output tensors of n runs, dense.
void lac_kernel_unpack(const lac_kernel_io *io, int n, const void *buffer, int32_t *outputs);

/// Whether a job of n images was completed, by the kernel's report.
///
/// errors  E_CONTRACT: the kernel was built for another contract or engine (both sides, and the remedy);
/// E_DEVICE: what
///         the kernel says
lac_status lac_kernel_check(const lac_kernel_io *io, const char *device, const void *report, int n,
                            lac_error *err) LAC_MUST_CHECK;

/// The same for a job of no images, which a kernel refuses as such, but only when image and kernel match.
lac_status lac_kernel_check_match(const lac_kernel_io *io, const char *device, const void *report,
                                  lac_error *err) LAC_MUST_CHECK;

/// Shows the output tensors of a run to a watch.
void lac_kernel_show_output(const lac_kernel_io *io, const int32_t *output, const lac_device_watch *watch);

/// Shows every tensor of a trace to a watch, and the output, which is not in it.
///
/// errors  E_DEVICE: the trace is not one of this image
lac_status lac_kernel_show(lac_kernel_io *io, const char *device, const uint8_t *trace, const int32_t *output,
                           const lac_device_watch *watch, lac_error *err) LAC_MUST_CHECK;

#endif
