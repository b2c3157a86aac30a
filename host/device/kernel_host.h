#ifndef LAC_KERNEL_HOST_H
#define LAC_KERNEL_HOST_H

#include "device.h"
#include "lac_kernel.h"
#include "layout.h"

/// What all hosts of the HLS kernel (hls/lac_kernel.c) share: its options, its buffers, its report.

/// An image as the kernel's buffers see it.
typedef struct lac_kernel_io {
    const lac_image *image;
    lac_raw_order order;
    uint32_t input_base, input_words; ///< activation words
    size_t input_bytes;               ///< of one image
    uint32_t output_count;            ///< results of one image
    uint32_t trace_bytes;             ///< room for the trace of one image
    uint8_t *memory;                  ///< activation memory as the trace shows it
    int32_t *tensor;                  ///< a tensor being shown
} lac_kernel_io;

/// memory  from arena
lac_kernel_io *lac_kernel_io_new(const lac_image *image, lac_arena *arena);

/// Macros of the engine's parameters, "-DLAC_MESH_X=7" and so on, NULL at the end.
const char *const *lac_kernel_options(const lac_engine_config *engine, lac_arena *arena);

/// Bytes of the kernel's arrays; they stand on the stack where a host compiler or PoCL runs it.
size_t lac_kernel_stack_bytes(const lac_engine_config *engine);

/// Codes of n images, dense, into the kernel's input buffer.
void lac_kernel_pack(const lac_kernel_io *io, int n, const int32_t *inputs, uint8_t *words);
/// The kernel's output buffer into output tensors of n images, dense.
void lac_kernel_unpack(const lac_kernel_io *io, int n, const int32_t *sent, int32_t *outputs);

/// Whether the kernel that wrote this report is the engine that the image is for.
///
/// errors  E_CONTRACT: both hashes, or the parameter with both values, and the remedy
lac_status lac_kernel_check_engine(const lac_kernel_io *io, const char *device, const uint32_t *status,
                                   lac_error *err) LAC_MUST_CHECK;

/// Whether a run of n images was completed.
///
/// errors  E_DEVICE: what the kernel says, with step and program word; E_CONTRACT
lac_status lac_kernel_check_run(const lac_kernel_io *io, const char *device, const uint32_t *status, int n,
                                lac_error *err) LAC_MUST_CHECK;

/// Shows every tensor of a trace to a watch, and the output, which is not in it.
///
/// errors  E_DEVICE: the trace is not one of this image
lac_status lac_kernel_show(lac_kernel_io *io, const char *device, const uint8_t *trace, uint32_t n_bytes,
                           const int32_t *output, const lac_device_watch *watch,
                           lac_error *err) LAC_MUST_CHECK;

#endif
