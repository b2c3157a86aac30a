#ifndef LAC_DATASET_H
#define LAC_DATASET_H

#include "arena.h"
#include "lac_status.h"

#include <stdint.h>

/// Labelled images in memory, as stored in their files: bytes, C x H x W, image after image.

typedef struct lac_split {
    const uint8_t *pixels; ///< [n][c][h][w]
    const uint8_t *labels; ///< [n]
    uint32_t n;
} lac_split;

/// train and validation are disjoint parts of the published training set; every choice is made on validation.
/// test is only ever reported.
typedef struct lac_dataset {
    const char *name;
    int c, h, w, n_classes;
    const char *const *class_names; ///< NULL when the files name none
    float mean[4], std[4];          ///< per channel, in pixel units 0..255: x = (pixel - mean) / std
    lac_split train, validation, test;
    uint32_t data_crc; ///< CRC-32 of all pixels and labels, for the recipe
} lac_dataset;

/// Opens a data set by its row in data.def, optionally "name:folder" to read the files elsewhere
/// ("mnist:/data/mnist"). The validation part is the last 5,000 images of the published training set, or the
/// last tenth of a training set that has no more than 10,000.
///
/// memory  pixels and labels from arena
/// errors  E_NOT_FOUND (names the file and the Debian package or URL-free hint that provides it), E_FORMAT,
/// E_USAGE
lac_status lac_dataset_open(const char *spec, lac_arena *arena, lac_dataset *out,
                            lac_error *err) LAC_MUST_CHECK;

/// Holds out the last n training images for validation instead; 0 trains on all, with a recipe that was
/// chosen before.
///
/// errors  E_RANGE when none would be left to train on; the data set is then as it was
lac_status lac_dataset_hold_out(lac_dataset *data, uint32_t n, lac_error *err) LAC_MUST_CHECK;

/// One row of data.def.
typedef struct lac_dataset_desc {
    const char *name, *help;
    lac_status (*open)(const char *folder, lac_arena *arena, lac_dataset *out,
                       lac_error *err); ///< folder NULL: the default
} lac_dataset_desc;

int lac_n_datasets(void);
const lac_dataset_desc *lac_dataset_row(int i);

#endif
