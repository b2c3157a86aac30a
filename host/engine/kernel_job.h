#ifndef LAC_KERNEL_JOB_H
#define LAC_KERNEL_JOB_H

#include "layout.h"

/// What a host passes to the kernel for a program image (docs/system.md), whatever the kernel is made of.

typedef struct lac_kernel_job {
    uint32_t contract, engine; ///< arguments, named as in rtl/defs/registers.def
    uint32_t program_words, input_base, input_words, output_words;
    size_t input_bytes, output_bytes; ///< of one run in memory, multiples of 64
} lac_kernel_job;

lac_kernel_job lac_kernel_job_of(const lac_image *image);

/// What tells engines of different parameters apart: FNV-1a over their values.
uint32_t lac_engine_id(const lac_engine_config *engine);

/// Bytes that a group of DRAIN codes takes in the kernel's input.
size_t lac_kernel_group_bytes(const lac_engine_config *engine);

/// Lays out the codes of the inputs of one run, dense [k][c][h][w], as the kernel reads them.
///
/// memory  scratch of act_words * lanes bytes; bytes [job.input_bytes]
void lac_kernel_pack_input(const lac_image *image, const int32_t *values, uint8_t *scratch, uint8_t *bytes);

/// The output tensors, dense [k][c][h][w], from what the kernel wrote for one run.
void lac_kernel_unpack_output(const lac_image *image, const int32_t *results, int32_t *values);

#endif
