#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "dataset.h"
#include "file.h"

enum { N_TRAIN = 10100, N_TEST = 7, SIDE = 4, LABELS = 8, IMAGES = 16 /* header bytes */ };

static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

typedef struct fixture {
    char folder[64], spec[128];
    lac_arena *arena;
    lac_dataset data;
    lac_error err;
} fixture;

static const char *path_of(const fixture *f, const char *name, char path[192]) {
    snprintf(path, 192, "%s/%s", f->folder, name);
    return path;
}

static void put(const fixture *f, const char *name, const void *data, size_t n) {
    char path[192];
    assert_int_equal(lac_file_write(path_of(f, name, path), data, n, NULL), LAC_OK);
}

static void big_endian(uint8_t *to, uint32_t x) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(x >> (24 - 8 * i));
}

// Image i is filled with i, its label is i % 10.
static size_t make_images(uint8_t *to, uint32_t n) {
    big_endian(to, 0x803);
    big_endian(to + 4, n);
    big_endian(to + 8, SIDE);
    big_endian(to + 12, SIDE);
    for (uint32_t i = 0; i < n; i++) memset(to + IMAGES + i * SIDE * SIDE, (int)(i & 255), SIDE * SIDE);
    return IMAGES + n * SIDE * SIDE;
}

static size_t make_labels(uint8_t *to, uint32_t n) {
    big_endian(to, 0x801);
    big_endian(to + 4, n);
    for (uint32_t i = 0; i < n; i++) to[LABELS + i] = (uint8_t)(i % 10);
    return LABELS + n;
}

static uint8_t buffer[IMAGES + N_TRAIN * SIDE * SIDE + 64];

static void put_good_files(const fixture *f) {
    put(f, names[0], buffer, make_images(buffer, N_TRAIN));
    put(f, names[1], buffer, make_labels(buffer, N_TRAIN));
    put(f, names[2], buffer, make_images(buffer, N_TEST));
    put(f, names[3], buffer, make_labels(buffer, N_TEST));
}

static void remove_files(const fixture *f) {
    char path[192];
    for (int i = 0; i < 4; i++) {
        char gz[64];
        snprintf(gz, sizeof gz, "%s.gz", names[i]);
        unlink(path_of(f, names[i], path));
        unlink(path_of(f, gz, path));
    }
}

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    strcpy(f->folder, "/tmp/lacuna-test-XXXXXX");
    if (!f || !mkdtemp(f->folder)) return -1;
    snprintf(f->spec, sizeof f->spec, "mnist:%s", f->folder);
    f->arena = lac_arena_open();
    put_good_files(f);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    remove_files(f);
    rmdir(f->folder);
    lac_arena_close(f->arena);
    free(f);
    return 0;
}

static void expect(fixture *f, lac_status status, const char *const *words) {
    lac_dataset before = f->data;
    f->err = (lac_error){0};
    assert_int_equal(lac_dataset_open(f->spec, f->arena, &f->data, &f->err), status);
    assert_memory_equal(&before, &f->data, sizeof before);
    for (; *words; words++)
        if (!strstr(f->err.text, *words)) fail_msg("no '%s' in: %s", *words, f->err.text);
}
#define EXPECT(f, status, ...) expect((f), (status), (const char *const[]){__VA_ARGS__, NULL})

static void opens_plain_files_and_holds_out_the_last_5000(void **state) {
    fixture *f = *state;
    assert_int_equal(lac_dataset_open(f->spec, f->arena, &f->data, &f->err), LAC_OK);
    assert_int_equal(f->err.status, LAC_OK);
    assert_string_equal(f->err.text, "");
    assert_int_equal(f->data.train.n, N_TRAIN - 5000);
    assert_int_equal(f->data.validation.n, 5000);
    assert_int_equal(f->data.test.n, N_TEST);
    assert_int_equal(f->data.h, SIDE);
    assert_int_equal(f->data.c, 1);
    assert_int_equal(f->data.validation.pixels[0], 5100 % 256);
    assert_int_equal(f->data.validation.labels[3], 5103 % 10);
    assert_int_equal(f->data.validation.labels[4999], 9);
    assert_int_equal(f->data.test.pixels[N_TEST * SIDE * SIDE - 1], N_TEST - 1);
}

static void put_gz(const fixture *f, const char *name, const void *data, size_t n, size_t keep) {
    char path[192], gz[64];
    snprintf(gz, sizeof gz, "%s.gz", name);
    gzFile out = gzopen(path_of(f, gz, path), "wb");
    assert_int_equal(gzwrite(out, data, (unsigned)n), n);
    gzclose(out);
    lac_bytes bytes;
    assert_int_equal(lac_file_read(path, f->arena, &bytes, NULL), LAC_OK);
    if (keep) put(f, gz, bytes.data, keep < bytes.n ? keep : bytes.n);
}

static void compressed_files_give_the_same_data(void **state) {
    fixture *f = *state;
    assert_int_equal(lac_dataset_open(f->spec, f->arena, &f->data, &f->err), LAC_OK);
    uint32_t crc = f->data.data_crc;
    remove_files(f);
    put_gz(f, names[0], buffer, make_images(buffer, N_TRAIN), 0);
    put_gz(f, names[1], buffer, make_labels(buffer, N_TRAIN), 0);
    put_gz(f, names[2], buffer, make_images(buffer, N_TEST), 0);
    put_gz(f, names[3], buffer, make_labels(buffer, N_TEST), 0);
    assert_int_equal(lac_dataset_open(f->spec, f->arena, &f->data, &f->err), LAC_OK);
    assert_int_equal(f->data.data_crc, crc);
}

static void crc_sees_one_changed_pixel_and_one_changed_label(void **state) {
    fixture *f = *state;
    assert_int_equal(lac_dataset_open(f->spec, f->arena, &f->data, NULL), LAC_OK);
    uint32_t crc = f->data.data_crc;
    size_t n = make_images(buffer, N_TEST);
    buffer[n - 1] ^= 1;
    put(f, names[2], buffer, n);
    assert_int_equal(lac_dataset_open(f->spec, f->arena, &f->data, NULL), LAC_OK);
    assert_int_not_equal(f->data.data_crc, crc);
    put(f, names[2], buffer, make_images(buffer, N_TEST));
    n = make_labels(buffer, N_TRAIN);
    buffer[LABELS + 5000] = 7;
    put(f, names[1], buffer, n);
    assert_int_equal(lac_dataset_open(f->spec, f->arena, &f->data, NULL), LAC_OK);
    assert_int_not_equal(f->data.data_crc, crc);
}

static void says_what_is_wrong_with_plain_files(void **state) {
    fixture *f = *state;
    size_t n = make_images(buffer, N_TEST);
    put(f, names[2], buffer, n - 1);
    EXPECT(f, LAC_E_FORMAT, names[2], "truncated", "112", "111", "mnist:FOLDER");
    put(f, names[2], buffer, n + 3);
    EXPECT(f, LAC_E_FORMAT, names[2], "bytes after its end");
    put(f, names[2], buffer, 10);
    EXPECT(f, LAC_E_FORMAT, names[2], "truncated", "header take 16 bytes, it has 10");
    put(f, names[2], buffer, 0);
    EXPECT(f, LAC_E_FORMAT, names[2], "truncated");
    put(f, names[2], buffer, make_labels(buffer, N_TEST));
    EXPECT(f, LAC_E_FORMAT, names[2], "truncated");
    make_images(buffer, N_TEST);
    big_endian(buffer, 0x801);
    put(f, names[2], buffer, n);
    EXPECT(f, LAC_E_FORMAT, names[2], "0x00000801", "0x00000803");
    make_images(buffer, N_TEST);
    big_endian(buffer + 8, 0);
    put(f, names[2], buffer, n);
    EXPECT(f, LAC_E_FORMAT, names[2], "0 pixels on a side");
}

static void header_that_promises_terabytes_is_refused_before_memory_is_asked_for(void **state) {
    fixture *f = *state;
    size_t n = make_images(buffer, N_TEST);
    big_endian(buffer + 4, UINT32_MAX);
    put(f, names[2], buffer, n);
    EXPECT(f, LAC_E_FORMAT, names[2], "68719476720");
    big_endian(buffer + 4, 100000000);
    put(f, names[2], buffer, n);
    EXPECT(f, LAC_E_FORMAT, names[2], "truncated", "1600000000");
    assert_true(lac_arena_used_bytes(f->arena) < 1 << 22);
}

static void labels_and_images_must_agree(void **state) {
    fixture *f = *state;
    put(f, names[3], buffer, make_labels(buffer, N_TEST + 1));
    EXPECT(f, LAC_E_FORMAT, names[2], names[3], "7 images", "8 labels");
    size_t n = make_labels(buffer, N_TEST);
    buffer[LABELS + 4] = 10;
    put(f, names[3], buffer, n);
    EXPECT(f, LAC_E_FORMAT, names[3], "image 4 has label 10", "10 classes");
    put_good_files(f);
    n = make_images(buffer, N_TEST);
    big_endian(buffer + 8, 2);
    big_endian(buffer + 12, 8);
    put(f, names[2], buffer, n);
    EXPECT(f, LAC_E_FORMAT, "4x4", "2x8");
    put(f, names[2], buffer, (make_images(buffer, 0)));
    put(f, names[3], buffer, (make_labels(buffer, 0)));
    EXPECT(f, LAC_E_FORMAT, "0 images");
}

static void small_sets_hold_out_a_tenth_and_callers_any_number_but_all(void **state) {
    fixture *f = *state;
    put(f, names[0], buffer, make_images(buffer, 5000));
    put(f, names[1], buffer, make_labels(buffer, 5000));
    lac_error err = {0};
    lac_dataset *d = &f->data;
    if (lac_dataset_open(f->spec, f->arena, d, &err) != LAC_OK) fail_msg("%s", err.text);
    assert_int_equal(d->train.n, 4500);
    assert_int_equal(d->validation.n, 500);
    assert_ptr_equal(d->validation.labels, d->train.labels + 4500);
    assert_int_equal(lac_dataset_hold_out(d, 5000, &err), LAC_E_RANGE);
    assert_non_null(strstr(err.text, "5000 training images"));
    assert_int_equal(d->train.n, 4500);
    assert_int_equal(lac_dataset_hold_out(d, 0, NULL), LAC_OK);
    assert_int_equal(d->train.n, 5000);
    assert_int_equal(d->validation.n, 0);
    assert_int_equal(lac_dataset_hold_out(d, 7, NULL), LAC_OK);
    assert_int_equal(d->train.n, 4993);
    assert_ptr_equal(d->validation.pixels, d->train.pixels + 4993 * d->h * d->w);
}

static void says_what_is_wrong_with_compressed_files(void **state) {
    fixture *f = *state;
    char path[192], gz[64];
    unlink(path_of(f, names[1], path));
    size_t n = make_labels(buffer, N_TRAIN);
    put_gz(f, names[1], buffer, n, 45);
    EXPECT(f, LAC_E_FORMAT, "train-labels-idx1-ubyte.gz", "truncated", "10100");
    put_gz(f, names[1], buffer, n + 5, 0);
    EXPECT(f, LAC_E_FORMAT, "train-labels-idx1-ubyte.gz", "bytes after its end");
    put_gz(f, names[1], buffer, n, 0);
    snprintf(gz, sizeof gz, "%s.gz", names[1]);
    lac_bytes good;
    assert_int_equal(lac_file_read(path_of(f, gz, path), f->arena, &good, NULL), LAC_OK);
    uint8_t *bad = lac_arena_copy(f->arena, good.data, good.n);
    put(f, gz, bad, good.n - 4);
    EXPECT(f, LAC_E_FORMAT, gz, "truncated", "checksum");
    bad[good.n - 6] ^= 1; // the stored checksum
    put(f, gz, bad, good.n);
    EXPECT(f, LAC_E_FORMAT, gz, "damaged");
    memcpy(bad, good.data, good.n);
    memset(bad + good.n - 16, 0xFF, 8);
    put(f, gz, bad, good.n);
    EXPECT(f, LAC_E_FORMAT, gz);
    bad = lac_arena_alloc(f->arena, good.n + 9);
    memcpy(bad, good.data, good.n);
    put(f, gz, bad, good.n + 9);
    EXPECT(f, LAC_E_FORMAT, gz, "9 or more");
}

static void missing_data_says_how_to_get_it(void **state) {
    fixture *f = *state;
    remove_files(f);
    EXPECT(f, LAC_E_NOT_FOUND, f->folder, names[0], "mnist:FOLDER");
    strcpy(f->spec, "mnist");
    EXPECT(f, LAC_E_NOT_FOUND, "mnist:FOLDER");
    strcpy(f->spec, "cifar10");
    EXPECT(f, LAC_E_NOT_FOUND, "cifar10:FOLDER");
    snprintf(f->spec, sizeof f->spec, "cifar10:%s", f->folder);
    EXPECT(f, LAC_E_NOT_FOUND, "data_batch_1.bin", "cifar10:FOLDER");
    strcpy(f->spec, "imagenet");
    EXPECT(f, LAC_E_USAGE, "imagenet", "fashion-mnist, mnist, cifar10");
    strcpy(f->spec, "mnist:");
    EXPECT(f, LAC_E_USAGE, "mnist:FOLDER");
}

static void cifar10_is_read_in_its_binary_version(void **state) {
    fixture *f = *state;
    static const char *const files[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                        "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
    enum { RECORD = 3073, FILE_BYTES = 10000 * RECORD };
    uint8_t *bytes = calloc(1, FILE_BYTES);
    assert_non_null(bytes);
    for (int i = 0; i < 6; i++) {
        memset(bytes + 9999 * RECORD, 0, RECORD);
        bytes[9999 * RECORD] = (uint8_t)i;          // label of the last image
        bytes[9999 * RECORD + 1 + 1024 + 33] = 200; // its green pixel at y 1, x 1
        put(f, files[i], bytes, FILE_BYTES);
    }
    snprintf(f->spec, sizeof f->spec, "cifar10:%s", f->folder);
    lac_status status = lac_dataset_open(f->spec, f->arena, &f->data, &f->err);
    assert_int_equal(status, LAC_OK);
    assert_int_equal(f->data.train.n, 45000);
    assert_int_equal(f->data.validation.labels[4999], 4);
    assert_int_equal(f->data.test.labels[9999], 5);
    assert_int_equal(f->data.test.pixels[(9999 * 3 + 1) * 1024 + 33], 200);
    assert_int_equal(f->data.train.labels[9999], 0);
    put(f, files[2], bytes, FILE_BYTES - 1);
    EXPECT(f, LAC_E_FORMAT, files[2], "30729999", "30730000");
    bytes[77 * RECORD] = 10;
    put(f, files[2], bytes, FILE_BYTES);
    EXPECT(f, LAC_E_FORMAT, files[2], "image 77 has label 10");
    char path[192];
    for (int i = 0; i < 6; i++) unlink(path_of(f, files[i], path));
    free(bytes);
}

static void every_row_has_a_name_and_help(void **state) {
    (void)state;
    assert_true(lac_n_datasets() >= 3);
    for (int i = 0; i < lac_n_datasets(); i++) {
        assert_non_null(lac_dataset_row(i)->open);
        assert_true(strlen(lac_dataset_row(i)->name) > 0 && strlen(lac_dataset_row(i)->help) > 0);
    }
}

// The published facts of the real files: counts, class balance, mean and deviation.
static void fashion_mnist_is_what_was_published(void **state) {
    fixture *f = *state;
    if (access("/usr/share/datasets/fashion-mnist", F_OK) != 0) {
        print_message("dataset-fashion-mnist is not installed\n");
        skip();
    }
    strcpy(f->spec, "fashion-mnist");
    assert_int_equal(lac_dataset_open(f->spec, f->arena, &f->data, &f->err), LAC_OK);
    const lac_dataset *d = &f->data;
    assert_int_equal(d->train.n, 55000);
    assert_int_equal(d->test.n, 10000);
    assert_true(d->c == 1 && d->h == 28 && d->w == 28 && d->n_classes == 10);
    int count[10] = {0};
    for (uint32_t i = 0; i < d->test.n; i++) count[d->test.labels[i]]++;
    for (int i = 0; i < 10; i++) assert_int_equal(count[i], 1000);
    double sum = 0, squares = 0, n = 60000.0 * 784;
    for (size_t i = 0; i < 60000 * 784; i++) { // validation follows train in memory
        sum += d->train.pixels[i];
        squares += (double)d->train.pixels[i] * d->train.pixels[i];
    }
    double mean = sum / n, variance = squares / n - mean * mean;
    assert_true(mean > d->mean[0] - 0.1 && mean < d->mean[0] + 0.1);
    assert_true(variance > 89.9 * 89.9 && variance < 90.1 * 90.1);
    assert_string_equal(d->class_names[d->test.labels[0]], "Ankle boot");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(opens_plain_files_and_holds_out_the_last_5000),
        TEST(compressed_files_give_the_same_data),
        TEST(crc_sees_one_changed_pixel_and_one_changed_label),
        TEST(says_what_is_wrong_with_plain_files),
        TEST(header_that_promises_terabytes_is_refused_before_memory_is_asked_for),
        TEST(labels_and_images_must_agree),
        TEST(small_sets_hold_out_a_tenth_and_callers_any_number_but_all),
        TEST(says_what_is_wrong_with_compressed_files),
        TEST(missing_data_says_how_to_get_it),
        TEST(cifar10_is_read_in_its_binary_version),
        TEST(every_row_has_a_name_and_help),
        TEST(fashion_mnist_is_what_was_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
