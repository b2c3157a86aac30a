// The data sets that are read from users' own files: CIFAR-100, NumPy arrays, folders of images.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include "arrays.h"
#include "dataset.h"
#include "file.h"
#include "picture.h"

typedef struct fixture {
    char folder[64];
    lac_arena *arena;
    lac_dataset data;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    strcpy(f->folder, "/tmp/lacuna-test-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    f->arena = lac_arena_open();
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    int result = system(command);
    lac_arena_close(f->arena);
    free(f);
    return result;
}

static const char *path_of(fixture *f, const char *name) {
    return lac_arena_printf(f->arena, "%s/%s", f->folder, name);
}

static void put(fixture *f, const char *name, const void *data, size_t n) {
    assert_int_equal(lac_file_write(path_of(f, name), data, n, NULL), LAC_OK);
}

static void opens(fixture *f, const char *spec) {
    lac_error err = {0};
    if (lac_dataset_open(spec, f->arena, &f->data, &err) != LAC_OK) fail_msg("%s", err.text);
}

static void refuses(fixture *f, const char *spec, lac_status status, const char *word) {
    lac_error err = {0};
    lac_dataset before = f->data;
    assert_int_equal(lac_dataset_open(spec, f->arena, &f->data, &err), status);
    if (!strstr(err.text, word)) fail_msg("no '%s' in: %s", word, err.text);
    assert_memory_equal(&before, &f->data, sizeof before);
}

// ---- CIFAR-100 ------------------------------------------------------------------------------------------

static void cifar100_has_fine_labels(void **state) {
    fixture *f = *state;
    enum { RECORD = 3074, TRAIN = 50000, TEST = 10000 };
    uint8_t *bytes = calloc(TRAIN, RECORD);
    const char *spec = lac_arena_printf(f->arena, "cifar100:%s", f->folder);
    refuses(f, "cifar100", LAC_E_NOT_FOUND, "cifar100:FOLDER");
    refuses(f, spec, LAC_E_NOT_FOUND, "train.bin");
    bytes[(size_t)7 * RECORD] = 19;            // coarse
    bytes[(size_t)7 * RECORD + 1] = 99;        // fine
    bytes[(size_t)7 * RECORD + 2 + 1024] = 55; // first green pixel
    put(f, "train.bin", bytes, (size_t)TRAIN * RECORD);
    put(f, "test.bin", bytes, (size_t)TEST * RECORD);
    opens(f, spec);
    assert_int_equal(f->data.n_classes, 100);
    assert_int_equal(f->data.train.n, 45000);
    assert_int_equal(f->data.train.labels[7], 99);
    assert_int_equal(f->data.test.pixels[7 * 3072 + 1024], 55);
    put(f, "test.bin", bytes, (size_t)TEST * RECORD - 1);
    refuses(f, spec, LAC_E_FORMAT, "30739999");
    bytes[(size_t)7 * RECORD + 1] = 100;
    put(f, "test.bin", bytes, (size_t)TEST * RECORD);
    refuses(f, spec, LAC_E_FORMAT, "image 7 has label 100");
    free(bytes);
}

// ---- arrays ---------------------------------------------------------------------------------------------

static size_t make_npy(uint8_t *to, const char *descr, const char *shape, const void *data, size_t n) {
    char header[128];
    int length = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                          descr, shape);
    while ((10 + length + 1) % 64) header[length++] = ' ';
    header[length++] = '\n';
    memcpy(to, "\x93NUMPY\1\0", 8);
    to[8] = (uint8_t)length;
    to[9] = 0;
    memcpy(to + 10, header, (size_t)length);
    memcpy(to + 10 + length, data, n);
    return 10 + (size_t)length + n;
}

enum { N_TRAIN = 40, N_TEST = 5, H = 6, W = 5, C = 3 };

typedef struct arrays {
    uint8_t x[2][N_TRAIN * H * W * C + 256], y[2][N_TRAIN * 8 + 256];
    size_t x_n[2], y_n[2];
} arrays;

static uint8_t pixel(int i, int c, int y, int x) {
    return (uint8_t)(i * 5 + c * 60 + y * 7 + x);
}

// Images with channels last or first, labels of 8 signed bytes.
static arrays make_arrays(bool channels_last) {
    arrays a;
    for (int part = 0; part < 2; part++) {
        int n = part ? N_TEST : N_TRAIN;
        uint8_t x[N_TRAIN * H * W * C];
        int64_t y[N_TRAIN];
        char x_shape[64], y_shape[64];
        for (int i = 0; i < n; i++)
            for (int c = 0; c < C; c++)
                for (int p = 0; p < H * W; p++)
                    x[channels_last ? (i * H * W + p) * C + c : (i * C + c) * H * W + p] =
                        pixel(i, c, p / W, p % W);
        for (int i = 0; i < n; i++) y[i] = i % 4;
        snprintf(x_shape, sizeof x_shape, channels_last ? "(%d, %d, %d, %d)" : "(%d, %d, %d, %d)", n,
                 channels_last ? H : C, channels_last ? W : H, channels_last ? C : W);
        snprintf(y_shape, sizeof y_shape, "(%d,)", n);
        a.x_n[part] = make_npy(a.x[part], "|u1", x_shape, x, (size_t)(n * H * W * C));
        a.y_n[part] = make_npy(a.y[part], "<i8", y_shape, y, (size_t)n * 8);
    }
    return a;
}

static void check_arrays(const lac_dataset *d) {
    assert_true(d->c == C && d->h == H && d->w == W && d->n_classes == 4);
    assert_int_equal(d->train.n, N_TRAIN - N_TRAIN / 10);
    assert_int_equal(d->validation.n, N_TRAIN / 10);
    assert_int_equal(d->test.n, N_TEST);
    for (int i = 0; i < N_TEST; i++) {
        assert_int_equal(d->test.labels[i], i % 4);
        for (int c = 0; c < C; c++)
            for (int p = 0; p < H * W; p++)
                assert_int_equal(d->test.pixels[(i * C + c) * H * W + p], pixel(i, c, p / W, p % W));
    }
    assert_true(d->mean[0] > 60 && d->mean[0] < 190 && d->mean[0] == d->mean[2] && d->std[0] > 1);
}

static void arrays_come_from_a_folder_with_channels_first_or_last(void **state) {
    fixture *f = *state;
    const char *spec = lac_arena_printf(f->arena, "arrays:%s", f->folder);
    refuses(f, "arrays", LAC_E_NOT_FOUND, "numpy.savez");
    refuses(f, spec, LAC_E_NOT_FOUND, "x_train.npy");
    for (int last = 0; last < 2; last++) {
        arrays a = make_arrays(last);
        put(f, "x_train.npy", a.x[0], a.x_n[0]);
        put(f, "y_train.npy", a.y[0], a.y_n[0]);
        put(f, "x_test.npy", a.x[1], a.x_n[1]);
        put(f, "y_test.npy", a.y[1], a.y_n[1]);
        opens(f, spec);
        check_arrays(&f->data);
        put(f, "x_test.npy", a.x[1], a.x_n[1] - 1);
        refuses(f, spec, LAC_E_FORMAT, "its shape needs 450");
        put(f, "x_test.npy", a.x[0], a.x_n[0]);
        refuses(f, spec, LAC_E_FORMAT, "40 images");
    }
}

static void put16(uint8_t *to, size_t v) {
    to[0] = (uint8_t)v;
    to[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *to, size_t v) {
    put16(to, v & 0xFFFF);
    put16(to + 2, v >> 16);
}

// Appends a member to a zip, its directory entry to another buffer.
static void add_member(uint8_t *zip, size_t *at, uint8_t *directory, size_t *d_at, const char *name,
                       uint8_t *data, size_t n, bool deflated) {
    size_t start = *at, name_n = strlen(name), packed = n;
    uint8_t *local = zip + start, *entry = directory + *d_at, *body = local + 30 + name_n;
    if (deflated) {
        z_stream z = {.next_in = data, .avail_in = (uInt)n, .next_out = body, .avail_out = 1 << 16};
        assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        packed = z.total_out;
        deflateEnd(&z);
    } else {
        memcpy(body, data, n);
    }
    memset(local, 0, 30);
    memset(entry, 0, 46);
    memcpy(local, "PK\3\4", 4);
    memcpy(entry, "PK\1\2", 4);
    put16(local + 26, name_n);
    memcpy(local + 30, name, name_n);
    put16(entry + 10, deflated ? 8 : 0);
    put32(entry + 16, lac_crc32(0, data, n));
    put32(entry + 20, packed);
    put32(entry + 24, n);
    put16(entry + 28, name_n);
    put32(entry + 42, start);
    memcpy(entry + 46, name, name_n);
    *at = start + 30 + name_n + packed;
    *d_at += 46 + name_n;
}

static size_t make_npz(arrays *a, bool deflated, uint8_t *zip) {
    static const char *const names[2][2] = {{"x_train.npy", "y_train.npy"}, {"x_test.npy", "y_test.npy"}};
    uint8_t directory[1024];
    size_t at = 0, d_at = 0;
    for (int part = 0; part < 2; part++) {
        add_member(zip, &at, directory, &d_at, names[part][0], a->x[part], a->x_n[part], deflated);
        add_member(zip, &at, directory, &d_at, names[part][1], a->y[part], a->y_n[part], deflated);
    }
    memcpy(zip + at, directory, d_at);
    uint8_t *end = zip + at + d_at;
    memset(end, 0, 22);
    memcpy(end, "PK\5\6", 4);
    put16(end + 10, 4);
    put32(end + 12, d_at);
    put32(end + 16, at);
    return at + d_at + 22;
}

static void npz_files_are_read_stored_and_deflated(void **state) {
    fixture *f = *state;
    static uint8_t zip[1 << 17];
    const char *spec = lac_arena_printf(f->arena, "arrays:%s/a.npz", f->folder);
    for (int deflated = 0; deflated < 2; deflated++) {
        arrays a = make_arrays(true);
        size_t n = make_npz(&a, deflated, zip);
        put(f, "a.npz", zip, n);
        opens(f, spec);
        check_arrays(&f->data);
        put(f, "a.npz", zip, n - 1);
        refuses(f, spec, LAC_E_FORMAT, "no directory");
        zip[60] ^= 1;
        put(f, "a.npz", zip, n);
        refuses(f, spec, LAC_E_FORMAT, deflated ? "damaged" : "checksum");
    }
}

// Every cut and every single-bit fault of a small .npz is an error or gives data, and never a crash.
static void damaged_npz_files_do_no_harm(void **state) {
    fixture *f = *state;
    static uint8_t zip[1 << 17];
    arrays a = make_arrays(true);
    size_t n = make_npz(&a, true, zip);
    int n_refused = 0;
    for (size_t i = 0; i < n; i += 7) {
        lac_arena *arena = lac_arena_open();
        lac_array out;
        zip[i] ^= (uint8_t)(1 << (i % 8));
        put(f, "b.npz", zip, n);
        n_refused += lac_array_read(path_of(f, "b.npz"), "x_test", "", arena, &out, NULL) != LAC_OK;
        zip[i] ^= (uint8_t)(1 << (i % 8));
        put(f, "b.npz", zip, i);
        assert_int_equal(lac_array_read(path_of(f, "b.npz"), "x_test", "", arena, &out, NULL), LAC_E_FORMAT);
        lac_arena_close(arena);
    }
    assert_true(n_refused > 0);
}

static void npy_headers_that_cannot_be_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *descr, *shape, *word;
    } rows[] = {{">i4", "(2,)", "little-endian"},
                {"<c8", "(2,)", "type"},
                {"<i3", "(2,)", "type"},
                {"|u1", "(2, 1, 1, 1, 1)", "4 dimensions"},
                {"|u1", "(-2,)", "shape"},
                {"|u1", "(9223372036854775807, 9)", "too large"},
                {"|u1", "(3,)", "its shape needs 3"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[512];
        lac_array a;
        lac_error err = {0};
        size_t n = make_npy(bytes, rows[i].descr, rows[i].shape, "ab", 2);
        assert_int_equal(lac_array_parse("f.npy", bytes, n, &a, &err), LAC_E_FORMAT);
        if (!strstr(err.text, rows[i].word)) fail_msg("no '%s' in: %s", rows[i].word, err.text);
    }
}

// ---- folders --------------------------------------------------------------------------------------------

static void put_png(fixture *f, const char *name, int w, int h, bool colour, uint8_t value) {
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)w,
                       .height = (png_uint_32)h,
                       .format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    uint8_t pixels[32 * 32 * 3];
    memset(pixels, value, sizeof pixels);
    if (colour) pixels[2] = 200; // blue of the first pixel
    assert_true(png_image_write_to_file(&image, path_of(f, name), 0, pixels, 0, NULL));
}

static void put_jpeg(fixture *f, const char *name, int w, int h, uint8_t value) {
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    FILE *file = fopen(path_of(f, name), "wb");
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)w;
    jpeg.image_height = (JDIMENSION)h;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    uint8_t row[32 * 3];
    memset(row, value, sizeof row);
    JSAMPROW rows = row;
    for (int y = 0; y < h; y++) jpeg_write_scanlines(&jpeg, &rows, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
}

static void make_folder(fixture *f, const char *name) {
    assert_int_equal(lac_dir_make(path_of(f, name), NULL), LAC_OK);
}

static void class_folders_become_a_data_set(void **state) {
    fixture *f = *state;
    const char *spec = lac_arena_printf(f->arena, "folders:%s", f->folder);
    refuses(f, "folders", LAC_E_NOT_FOUND, "folders:FOLDER");
    make_folder(f, "cat");
    refuses(f, spec, LAC_E_FORMAT, "1 class folders");
    make_folder(f, "ant");
    refuses(f, spec, LAC_E_NOT_FOUND, "no image");
    for (int i = 0; i < 20; i++) {
        char name[64];
        snprintf(name, sizeof name, "ant/%02d.png", i);
        put_png(f, name, 6, 4, true, (uint8_t)i);
        snprintf(name, sizeof name, "cat/%02d.JPG", i);
        put_jpeg(f, name, 6, 4, (uint8_t)(100 + i));
    }
    put(f, "cat/notes.txt", "x", 1);
    opens(f, spec);
    const lac_dataset *d = &f->data;
    assert_true(d->c == 3 && d->h == 4 && d->w == 6 && d->n_classes == 2);
    assert_string_equal(d->class_names[0], "ant");
    assert_int_equal(d->train.n + d->validation.n, 36);
    assert_int_equal(d->validation.n, 3);
    assert_int_equal(d->test.n, 4); // the tenth and twentieth of each
    assert_int_equal(d->test.labels[1], 0);
    assert_int_equal(d->test.labels[2], 1);
    assert_int_equal(d->test.pixels[1 * 72 + 1], 19);   // red, second pixel of ant/19.png
    assert_int_equal(d->test.pixels[1 * 72 + 48], 200); // blue, first pixel
    assert_in_range(d->test.pixels[3 * 72 + 5], 117, 121);
    int first_half = 0;
    for (int i = 0; i < 18; i++) first_half += d->train.labels[i];
    assert_in_range(first_half, 3, 15); // shuffled
}

static void train_and_test_folders_are_kept_apart(void **state) {
    fixture *f = *state;
    const char *spec = lac_arena_printf(f->arena, "folders:%s", f->folder);
    static const char *const folders[] = {"train/a", "train/b", "test/a", "test/b"};
    for (int i = 0; i < 4; i++) {
        make_folder(f, folders[i]);
        for (int k = 0; k < 12; k++)
            put_png(f, lac_arena_printf(f->arena, "%s/%d.png", folders[i], k), 5, 5, false,
                    (uint8_t)(i * 50));
    }
    opens(f, spec);
    assert_int_equal(f->data.c, 1);
    assert_int_equal(f->data.train.n + f->data.validation.n, 24);
    assert_int_equal(f->data.test.n, 24);
    assert_int_equal(f->data.test.pixels[12 * 25], 150);
}

static void put_ramp(fixture *f, const char *name, int w, int h) {
    uint8_t pixels[64 * 64];
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)w,
                       .height = (png_uint_32)h,
                       .format = PNG_FORMAT_GRAY};
    for (int i = 0; i < w * h; i++) pixels[i] = (uint8_t)(4 * (i % w));
    assert_true(png_image_write_to_file(&image, path_of(f, name), 0, pixels, 0, NULL));
}

static void pictures_are_scaled_by_areas_and_their_middle_is_kept(void **state) {
    fixture *f = *state;
    // 4 x 2 to 2 x 2: the middle two columns as they are. To 1 x 1: their mean.
    uint8_t pixels[8] = {0, 10, 20, 30, 0, 30, 41, 50};
    const lac_picture wide = {.c = 1, .h = 2, .w = 4, .pixels = pixels};
    lac_picture p = lac_picture_cover(&wide, 2, 2, f->arena);
    assert_memory_equal(p.pixels, ((uint8_t[]){10, 20, 30, 41}), 4);
    p = lac_picture_cover(&wide, 1, 1, f->arena);
    assert_int_equal(p.pixels[0], 25); // 101 / 4
    // 3 x 3 to 2 x 2: each is a whole pixel, two halves and a quarter. 2 x 2 to 4 x 4: each four times.
    uint8_t nine[9] = {8, 16, 0, 4, 12, 0, 0, 0, 9};
    p = lac_picture_cover(&(lac_picture){.c = 1, .h = 3, .w = 3, .pixels = nine}, 2, 2, f->arena);
    assert_int_equal(p.pixels[0], (4 * 8 + 2 * 16 + 2 * 4 + 12 + 4) / 9);
    assert_int_equal(p.pixels[3], (4 * 9 + 12 + 4) / 9);
    p = lac_picture_cover(&p, 4, 4, f->arena);
    assert_true(p.pixels[0] == p.pixels[5] && p.pixels[10] == p.pixels[15] && p.pixels[0] != p.pixels[15]);
    // Two channels, tall to wide: the middle row of three, each column twice.
    uint8_t tall[6] = {1, 2, 30, 40, 5, 6};
    p = lac_picture_cover(&(lac_picture){.c = 2, .h = 3, .w = 1, .pixels = tall}, 2, 2, f->arena);
    assert_memory_equal(p.pixels, ((uint8_t[]){30, 40, 30, 40, 30, 40, 30, 40}), 8);
}

static void folders_of_mixed_sizes_are_scaled_on_request(void **state) {
    fixture *f = *state;
    make_folder(f, "a");
    make_folder(f, "b");
    for (int k = 0; k < 10; k++) {
        put_ramp(f, lac_arena_printf(f->arena, "a/%d.png", k), 8 + k, 16);
        put_ramp(f, lac_arena_printf(f->arena, "b/%d.png", k), 40, 20);
    }
    refuses(f, lac_arena_printf(f->arena, "folders:%s", f->folder), LAC_E_FORMAT, "folders:ROOT@32x32");
    opens(f, lac_arena_printf(f->arena, "folders:%s@10x10", f->folder));
    const lac_dataset *d = &f->data;
    assert_true(d->c == 1 && d->h == 10 && d->w == 10 && d->test.n == 2);
    for (int x = 0; x < 10; x++) // 40 x 20: columns 10 .. 29 in pairs, 4 a column
        assert_int_equal(d->test.pixels[100 + x], 4 * (10 + 2 * x) + 2);
    refuses(f, lac_arena_printf(f->arena, "folders:%s@0x9", f->folder), LAC_E_RANGE, "0x9");
    refuses(f, lac_arena_printf(f->arena, "folders:%s@9x", f->folder), LAC_E_NOT_FOUND, "@9x");
}

static void images_of_other_sizes_and_damaged_ones_are_refused(void **state) {
    fixture *f = *state;
    const char *spec = lac_arena_printf(f->arena, "folders:%s", f->folder);
    make_folder(f, "a");
    make_folder(f, "b");
    for (int k = 0; k < 10; k++) {
        put_png(f, lac_arena_printf(f->arena, "a/%d.png", k), 5, 5, true, 9);
        put_png(f, lac_arena_printf(f->arena, "b/%d.png", k), 5, 5, true, 9);
    }
    opens(f, spec);
    put_png(f, "b/3.png", 6, 5, true, 9);
    refuses(f, spec, LAC_E_FORMAT, "6x5 pixels");
    put(f, "b/3.png", "GIF89a", 6);
    refuses(f, spec, LAC_E_FORMAT, "b/3.png");
    put_png(f, "b/3.png", 5, 5, true, 9);
    lac_bytes bytes;
    assert_int_equal(lac_file_read(path_of(f, "b/3.png"), f->arena, &bytes, NULL), LAC_OK);
    put(f, "b/3.png", bytes.data, bytes.n / 2);
    refuses(f, spec, LAC_E_FORMAT, "damaged PNG");
    put_jpeg(f, "b/3.png", 5, 5, 9); // its end tells what it is
    opens(f, spec);
    assert_int_equal(lac_file_read(path_of(f, "b/3.png"), f->arena, &bytes, NULL), LAC_OK);
    put(f, "b/3.png", bytes.data, bytes.n - 20);
    refuses(f, spec, LAC_E_FORMAT, "damaged JPEG");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(cifar100_has_fine_labels),
        TEST(arrays_come_from_a_folder_with_channels_first_or_last),
        TEST(npz_files_are_read_stored_and_deflated),
        TEST(damaged_npz_files_do_no_harm),
        TEST(npy_headers_that_cannot_be_are_refused),
        TEST(class_folders_become_a_data_set),
        TEST(train_and_test_folders_are_kept_apart),
        TEST(pictures_are_scaled_by_areas_and_their_middle_is_kept),
        TEST(folders_of_mixed_sizes_are_scaled_on_request),
        TEST(images_of_other_sizes_and_damaged_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
