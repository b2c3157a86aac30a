#ifndef LAC_VERIFY_WORK_H
#define LAC_VERIFY_WORK_H

#include "verify.h"

/// One instance of a device, with what it has measured.
typedef struct lac_unit {
    const lac_device_desc *device;
    const lac_image *image; ///< the image, or a faulty copy of it
    void *state;
    lac_step_cycles *cycles, *least, *most; ///< [n_steps]
    uint32_t n_images, n_right;
    double busy_s;
} lac_unit;

/// A thread's own devices and buffers.
typedef struct lac_worker {
    lac_unit *units;         ///< [n_devices]
    int32_t ***values;       ///< [image of a run][tensor], by the reference
    int32_t *input, *output; ///< of a block
    // the comparison in progress
    const lac_image *image;
    lac_mismatch mismatch; ///< the first one of the image in hand
    uint64_t n_compared;
    lac_error error;
} lac_worker;

typedef struct lac_crowd {
    const lac_image *image;
    const lac_verify_config *config;
    const lac_talk *talk;
    lac_arena *arena;
    const lac_device_desc **devices;
    const lac_image **images; ///< [n_devices], faulty or not
    int n_devices, n_workers;
    bool compare;
    lac_worker *workers;
    bool at_once;     ///< the only device takes a block in one call of run_batch
    uint32_t block;   ///< images that a device takes at once; those of one run when they are compared
    uint32_t first;   ///< image of item 0 of the piece in hand
    uint32_t n_piece; ///< images of it
    bool *mismatched; ///< [item]: blocks
} lac_crowd;

/// Finds the devices, makes the faulty image where wanted, opens everything.
lac_status lac_crowd_open(lac_crowd *crowd, lac_error *err) LAC_MUST_CHECK;
void lac_crowd_close(lac_crowd *crowd);

/// Makes n runs, of images from crowd->first on, on all workers; an error of any of them is returned.
lac_status lac_crowd_piece(lac_crowd *crowd, uint32_t n, lac_error *err) LAC_MUST_CHECK;

/// Runs the images of one run, from `image` on, on one worker; its mismatch, if any, is in the worker.
lac_status lac_worker_image(const lac_crowd *crowd, lac_worker *worker, uint32_t image) LAC_MUST_CHECK;

#endif
