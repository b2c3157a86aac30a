#ifndef LAC_DATA_FILES_H
#define LAC_DATA_FILES_H

#include "dataset.h"
#include "file.h"

/// What the readers of this room share.

enum { LAC_VALIDATION_IMAGES = 5000 };

/// The four IDX files of the MNIST family in a folder, each plain or with .gz.
///
/// out     c, h, w, train (still with its validation part) and test are set
/// memory  pixels and labels from arena
/// errors  E_NOT_FOUND (with the remedy), E_FORMAT (names file, both numbers and the remedy), E_IO
/// source  Y. LeCun, C. Cortes, C. Burges: The MNIST database, "File formats"
lac_status lac_data_read_idx(const char *folder, const char *remedy, int n_classes, lac_arena *arena,
                             lac_dataset *out, lac_error *err) LAC_MUST_CHECK;

/// Checks that every label is below n_classes.
///
/// errors  E_FORMAT (names file, image and label)
lac_status lac_data_check_labels(const char *path, const uint8_t *labels, uint32_t n, int n_classes,
                                 lac_error *err) LAC_MUST_CHECK;

/// Reads a file whose size is known.
///
/// errors  E_NOT_FOUND (with the remedy), E_FORMAT (names the file and both sizes), E_IO
lac_status lac_data_read_file(const char *path, const char *remedy, size_t n_bytes, lac_arena *arena,
                              lac_bytes *out, lac_error *err) LAC_MUST_CHECK;

/// Fills in mean and deviation from the images to train on: one pair for all channels, because an input
/// quantizer has one scale and zero point, in whole numbers, so that such a quantizer hands pixels on
/// unchanged.
void lac_data_measure(lac_dataset *data);

#endif
