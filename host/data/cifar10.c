#include "data_files.h"
#include "file.h"

#include <stdio.h>
#include <string.h>

lac_status lac_data_open_cifar10(const char *folder, lac_arena *arena, lac_dataset *out, lac_error *err);

/// The binary version: files of 10,000 records, each a label and 32x32 red, green and blue bytes.
///
/// source  A. Krizhevsky: Learning multiple layers of features from tiny images, 2009; "Binary version"
enum { IMAGE_BYTES = 3 * 32 * 32, RECORD_BYTES = 1 + IMAGE_BYTES, FILE_IMAGES = 10000 };

static const char *const class_names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                          "dog",      "frog",       "horse", "ship", "truck"};

// Appends one file to pixels and labels.
static lac_status read_batch(const char *folder, const char *file, uint8_t *pixels, uint8_t *labels,
                             lac_arena *scratch, lac_error *err) {
    char path[1024];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, file) >= sizeof path)
        LAC_FAIL(err, LAC_E_USAGE, "cifar10: the folder's path is over %zu bytes long", sizeof path);
    lac_bytes bytes;
    lac_status status = lac_file_read(path, scratch, &bytes, err);
    if (status == LAC_E_NOT_FOUND)
        LAC_FAIL(err, status,
                 "cannot find '%s'; unpack the binary version of CIFAR-10 and give the folder as "
                 "cifar10:FOLDER",
                 path);
    LAC_TRY(status);
    size_t expected = (size_t)FILE_IMAGES * RECORD_BYTES;
    if (bytes.n != expected)
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' has %zu bytes, %d records of %d bytes are %zu; copy the file again",
                 path, bytes.n, FILE_IMAGES, RECORD_BYTES, expected);
    for (size_t i = 0; i < FILE_IMAGES; i++) {
        const uint8_t *record = bytes.data + i * RECORD_BYTES;
        labels[i] = record[0];
        memcpy(pixels + i * IMAGE_BYTES, record + 1, IMAGE_BYTES);
    }
    return lac_data_check_labels(path, labels, FILE_IMAGES, 10, err);
}

static lac_status read_split(const char *folder, const char *const *files, uint32_t n_files, lac_arena *arena,
                             lac_split *out, lac_error *err) {
    uint32_t n = n_files * FILE_IMAGES;
    uint8_t *pixels = LAC_NEW_ARRAY(arena, uint8_t, (size_t)n * IMAGE_BYTES);
    uint8_t *labels = LAC_NEW_ARRAY(arena, uint8_t, n);
    for (size_t i = 0; i < n_files; i++) {
        lac_arena *scratch = lac_arena_open();
        if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to read '%s/%s'", folder, files[i]);
        lac_status status = read_batch(folder, files[i], pixels + i * FILE_IMAGES * IMAGE_BYTES,
                                       labels + i * FILE_IMAGES, scratch, err);
        lac_arena_close(scratch);
        LAC_TRY(status);
    }
    *out = (lac_split){pixels, labels, n};
    return LAC_OK;
}

lac_status lac_data_open_cifar10(const char *folder, lac_arena *arena, lac_dataset *out, lac_error *err) {
    static const char *const train[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                        "data_batch_4.bin", "data_batch_5.bin"};
    static const char *const test[] = {"test_batch.bin"};
    if (!folder)
        LAC_FAIL(err, LAC_E_NOT_FOUND,
                 "cifar10 is in no Debian package; give the folder that holds data_batch_1.bin (the binary "
                 "version) as cifar10:FOLDER");
    out->c = 3;
    out->h = out->w = 32;
    out->n_classes = 10;
    out->class_names = class_names;
    // One mean and deviation for all channels (per channel they are 125, 123, 114 and 63, 62, 67), because an
    // input quantizer has one scale and zero point: so pixels pass unchanged, as in fashion_mnist.c.
    for (int c = 0; c < 3; c++) {
        out->mean[c] = 121;
        out->std[c] = 64;
    }
    LAC_TRY(read_split(folder, train, 5, arena, &out->train, err));
    return read_split(folder, test, 1, arena, &out->test, err);
}
