#include "data_files.h"

#include <string.h>

lac_status lac_data_open_cifar100(const char *folder, lac_arena *arena, lac_dataset *out, lac_error *err);

/// The binary version: train.bin and test.bin of records of a coarse label (20 superclasses, not used), a
/// fine label, and 32x32 red, green and blue bytes.
///
/// source  A. Krizhevsky: Learning multiple layers of features from tiny images, 2009; "Binary version",
/// CIFAR-100
enum { IMAGE_BYTES = 3 * 32 * 32, RECORD_BYTES = 2 + IMAGE_BYTES, CLASSES = 100 };

static lac_status read_split(const char *folder, const char *file, uint32_t n, lac_arena *arena,
                             lac_split *out, lac_error *err) {
    const char *path = lac_arena_printf(arena, "%s/%s", folder, file);
    lac_arena *scratch = lac_arena_open();
    lac_bytes bytes = {0};
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to read '%s'", path);
    lac_status status = lac_data_read_file(
        path, "unpack the binary version of CIFAR-100 and give the folder as cifar100:FOLDER",
        (size_t)n * RECORD_BYTES, scratch, &bytes, err);
    uint8_t *pixels = LAC_NEW_ARRAY(arena, uint8_t, (size_t)n * IMAGE_BYTES);
    uint8_t *labels = LAC_NEW_ARRAY(arena, uint8_t, n);
    for (uint32_t i = 0; status == LAC_OK && i < n; i++) {
        const uint8_t *record = bytes.data + (size_t)i * RECORD_BYTES;
        labels[i] = record[1];
        memcpy(pixels + (size_t)i * IMAGE_BYTES, record + 2, IMAGE_BYTES);
    }
    lac_arena_close(scratch);
    LAC_TRY(status);
    *out = (lac_split){pixels, labels, n};
    return lac_data_check_labels(path, labels, n, CLASSES, err);
}

lac_status lac_data_open_cifar100(const char *folder, lac_arena *arena, lac_dataset *out, lac_error *err) {
    if (!folder)
        LAC_FAIL(
            err, LAC_E_NOT_FOUND,
            "cifar100 is in no Debian package; give the folder that holds train.bin (the binary version) as "
            "cifar100:FOLDER");
    out->c = 3;
    out->h = out->w = 32;
    out->n_classes = CLASSES;
    // One mean and deviation for all channels, as in cifar10.c (per channel 129, 124, 112 and 68, 65, 70).
    for (int c = 0; c < 3; c++) {
        out->mean[c] = 122;
        out->std[c] = 68;
    }
    LAC_TRY(read_split(folder, "train.bin", 50000, arena, &out->train, err));
    return read_split(folder, "test.bin", 10000, arena, &out->test, err);
}
