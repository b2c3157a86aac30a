#ifndef LAC_VERIFY_H
#define LAC_VERIFY_H

#include "device.h"

/// Many images through devices: for their results and cycles (run), or to compare every step's tensor with
/// the reference (verify). Every worker has its own instance of every device.

typedef struct lac_verify_config {
    const char *const
        *devices; ///< rows of devices.def; for verify, "ref" is always there and may be left out
    int n_devices;
    const uint8_t *pixels; ///< [n_images][c][h][w] of the image's input
    const uint8_t *labels; ///< [n_images]; NULL: accuracy is not counted
    uint32_t n_images;
    int n_threads; ///< 0: one a core

    const char *trace_path;       ///< waveform of a mismatch, where the device has a clock; NULL: none
    uint64_t trace_margin_cycles; ///< cycles kept before and after the wrong write; 0: 256
    uint64_t stall_seed;          ///< as in lac_device_config
    const char *platform, *binary;

    const char *fault_device; ///< to test the checker: flips a bit of one weight of fault_step in the
    int fault_step;           ///< program that this device gets; NULL: none

    uint8_t *classes; ///< [n_images]: class of every image by the first device; NULL: not wanted
} lac_verify_config;

/// The first value that differs, in order of images, then devices, then steps.
typedef struct lac_mismatch {
    bool found;
    uint32_t image;
    const char *device;
    int k; ///< which image of its run
    int step, c, y, x;
    int32_t expected, got;
    uint64_t n_wrong, n_values; ///< of that tensor
    bool has_cycle;             ///< the two below are known
    uint64_t cycle;             ///< of the write, since the start of the image
    int lane;
    bool has_trace; ///< trace_path holds cycles [trace_begin, trace_end)
    uint64_t trace_begin, trace_end;
} lac_mismatch;

typedef struct lac_device_result {
    const char *device;
    uint32_t n_right; ///< images whose class is their label
    double busy_s;    ///< seconds spent in the device, summed over workers
    bool has_cycles;
    bool has_times; ///< the device measured:
    lac_device_times times;
    lac_step_cycles *least, *most; ///< [n_steps], by total, over the images; equal where timing is data-free
} lac_device_result;

typedef struct lac_verify_report {
    uint32_t n_images; ///< that went through all devices
    int n_threads;
    double seconds; ///< wall clock, opening the devices excluded
    double open_seconds;
    uint64_t n_compared; ///< values compared with the reference
    int n_devices;
    lac_device_result *devices;
    lac_mismatch mismatch;
} lac_verify_report;

/// Runs images through the devices without comparing.
///
/// memory  report's arrays from arena
/// errors  E_USAGE (unknown device), E_DEVICE, E_INTERRUPTED (report holds what was done), E_NOT_FOUND
lac_status lac_run(const lac_image *image, const lac_verify_config *config, const lac_talk *talk,
                   lac_arena *arena, lac_verify_report *report, lac_error *err) LAC_MUST_CHECK;

/// Runs images through the reference and the devices and compares every tensor of every step. Stops at the
/// first image that differs, and explains: layer, channel, pixel, values, lane, cycle.
///
/// errors  as lac_run, and E_MISMATCH (err has the explanation, report->mismatch its parts)
lac_status lac_verify(const lac_image *image, const lac_verify_config *config, const lac_talk *talk,
                      lac_arena *arena, lac_verify_report *report, lac_error *err) LAC_MUST_CHECK;

#endif
