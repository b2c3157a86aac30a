#ifndef LAC_DEVICE_H
#define LAC_DEVICE_H

#include "image.h"
#include "talk.h"

/// Devices run a program image. One interface, one file each, one row in devices.def.

typedef struct lac_device lac_device;

/// What a run costs, per program step, in clock cycles; zero where the device has no clock.
typedef struct lac_step_cycles {
    uint64_t total, compute, starved, drain, other; ///< compute + starved + drain + other = total
} lac_step_cycles;

/// Called after each program step with the tensor it wrote, dense [c][h][w], codes or raw accumulators as
/// s32.
typedef struct lac_device_watch {
    /// k: which of the images of the run.
    void (*tensor)(void *ctx, int step, int k, const int32_t *values);
    void *ctx;
} lac_device_watch;

typedef struct lac_device_config {
    const char *trace_path; ///< rtl: waveform (FST) of the cycles in [trace_begin, trace_end); NULL is none
    uint64_t trace_begin, trace_end; ///< in cycles since the start of the run of one image
    const char *platform;            ///< opencl: as for lac_opencl_find; NULL: the first there is
    const char *binary;              ///< opencl: .xclbin of a card
    int n_units;                     ///< opencl: cores of a processor to use; 0: all
    uint64_t stall_seed; ///< rtl: non-zero makes the program stream and the output stall at random
} lac_device_config;

/// What a device measured itself, in seconds summed over its batches, which may overlap.
typedef struct lac_device_times {
    double load_s, run_s, store_s; ///< input to the device, kernel, results from it
} lac_device_times;

/// Something that a device can run on, of several there may be.
typedef struct lac_device_place {
    char platform[128], name[128];
    int index;         ///< of this device in its platform
    bool takes_binary; ///< wants an .xclbin; others build the kernel from source
} lac_device_place;

typedef struct lac_device_desc {
    const char *name, *help;
    bool has_cycles;
    lac_status (*open)(const lac_image *image, const lac_device_config *config, const lac_talk *talk,
                       void **state, lac_error *err);
    /// One run of the program, that is lac_image_batch(image) images: input codes [k][c][h][w] in, the output
    /// tensors out (s32). watch may be NULL. cycles: one per step, or NULL.
    lac_status (*run)(void *state, const int32_t *input, int32_t *output, const lac_device_watch *watch,
                      lac_step_cycles *cycles, lac_error *err);
    bool takes_all_cores; ///< in run_batch: one instance is enough
    int batch;            ///< images that run_batch likes to have at once
    /// n runs at once, tensors one after the other; NULL where run does as well.
    lac_status (*run_batch)(void *state, int n, const int32_t *inputs, int32_t *outputs, lac_error *err);
    /// Cycle, counted from the start of the last run, at which value (c,y,x) of a step's tensor was written,
    /// and the lane; k as in lac_device_watch.
    bool (*explain)(void *state, int step, int k, int c, int y, int x, uint64_t *cycle,
                    int *lane); ///< NULL where there is no clock
    void (*times)(void *state,
                  lac_device_times *out); ///< since it was opened; NULL where nothing is measured
    bool (*place)(int i,
                  lac_device_place *out); ///< place i of those there are; NULL where there is no choice
    void (*close)(void *state);
} lac_device_desc;

int lac_n_devices(void);
const lac_device_desc *lac_device_row(int i);
const lac_device_desc *lac_device_find(const char *name); ///< NULL when there is none

#endif
