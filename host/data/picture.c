#include "picture.h"

#include "file.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h> // jpeglib.h needs FILE

#include <jpeglib.h>
#include <png.h>
#include <string.h>

static lac_status check_size(const char *path, uint32_t w, uint32_t h, lac_error *err) {
    if (w >= 1 && h >= 1 && w <= LAC_PICTURE_SIDE && h <= LAC_PICTURE_SIDE) return LAC_OK;
    LAC_FAIL(err, LAC_E_FORMAT, "'%s' is %ux%u pixels, 1 to %d on a side are read; resize it", path, w, h,
             LAC_PICTURE_SIDE);
}

static lac_status read_png(const char *path, const lac_bytes *file, lac_arena *arena, lac_picture *out,
                           lac_error *err) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&image, file->data, file->n))
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' is a damaged PNG: %s", path, image.message);
    lac_status status = check_size(path, image.width, image.height, err);
    if (status != LAC_OK) {
        png_image_free(&image);
        return status;
    }
    bool colour = image.format & PNG_FORMAT_FLAG_COLOR;
    image.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    *out = (lac_picture){.c = colour ? 3 : 1, .h = (int)image.height, .w = (int)image.width};
    out->pixels = lac_arena_alloc(arena, PNG_IMAGE_SIZE(image));
    const png_color black = {0, 0, 0};
    if (!png_image_finish_read(&image, &black, out->pixels, 0, NULL))
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' is a damaged PNG: %s", path, image.message);
    return LAC_OK;
}

// libjpeg ends the process on an error unless its handler jumps away.
typedef struct jpeg_failure {
    struct jpeg_error_mgr base;
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
} jpeg_failure;

static void fail(j_common_ptr info) {
    jpeg_failure *f = (jpeg_failure *)info->err;
    info->err->format_message(info, f->text);
    longjmp(f->back, 1);
}

// A warning, such as the end of the file before that of the image, is an error here.
static void warn(j_common_ptr info, int level) {
    if (level < 0) fail(info);
}

static void decode(struct jpeg_decompress_struct *jpeg, lac_arena *arena, lac_picture *out) {
    jpeg->out_color_space = jpeg->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW; // the same bytes on every machine
    jpeg_start_decompress(jpeg);
    *out = (lac_picture){
        .c = jpeg->output_components, .h = (int)jpeg->output_height, .w = (int)jpeg->output_width};
    size_t row = (size_t)out->c * (size_t)out->w;
    out->pixels = lac_arena_alloc(arena, row * (size_t)out->h);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW to = out->pixels + row * jpeg->output_scanline;
        jpeg_read_scanlines(jpeg, &to, 1);
    }
    jpeg_finish_decompress(jpeg);
}

static lac_status read_jpeg(const char *path, const lac_bytes *file, lac_arena *arena, lac_picture *out,
                            lac_error *err) {
    struct jpeg_decompress_struct jpeg = {0};
    jpeg_failure failure = {.text = ""};
    jpeg.err = jpeg_std_error(&failure.base);
    failure.base.error_exit = fail;
    failure.base.emit_message = warn;
    if (setjmp(failure.back)) {
        jpeg_destroy_decompress(&jpeg);
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' is a damaged JPEG: %s", path, failure.text);
    }
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, file->data, file->n);
    jpeg_read_header(&jpeg, TRUE);
    lac_status status = check_size(path, jpeg.image_width, jpeg.image_height, err);
    if (status == LAC_OK) decode(&jpeg, arena, out);
    jpeg_destroy_decompress(&jpeg);
    return status;
}

lac_status lac_picture_read(const char *path, lac_arena *arena, lac_picture *out, lac_error *err) {
    lac_bytes file;
    LAC_TRY(lac_file_read(path, arena, &file, err));
    if (file.n >= 8 && memcmp(file.data, "\x89PNG\r\n\x1a\n", 8) == 0)
        return read_png(path, &file, arena, out, err);
    if (file.n >= 3 && memcmp(file.data, "\xff\xd8\xff", 3) == 0)
        return read_jpeg(path, &file, arena, out, err);
    LAC_FAIL(err, LAC_E_FORMAT, "'%s' begins neither as a PNG nor as a JPEG; convert it, or remove it", path);
}

// ---- scaling --------------------------------------------------------------------------------------------

// One axis of the old picture, measured in parts of a pixel such that everything begins on a whole one: an
// old pixel is `old` parts long, a new one `fresh`, and the first new one begins at `begin`.
typedef struct axis {
    int64_t old, fresh, begin;
} axis;

// Parts that new pixel i and old pixel j share.
static int64_t shared(const axis *a, int i, int64_t j) {
    int64_t low = a->begin + a->fresh * i, high = low + a->fresh;
    if (low < a->old * j) low = a->old * j;
    if (high > a->old * (j + 1)) high = a->old * (j + 1);
    return high - low;
}

// The old pixels [*first, *last) that new pixel i covers.
static void covered(const axis *a, int i, int64_t *first, int64_t *last) {
    *first = (a->begin + a->fresh * i) / a->old;
    *last = (a->begin + a->fresh * (i + 1) + a->old - 1) / a->old;
}

static uint8_t mean_of(const lac_picture *p, const axis *rows, const axis *columns, int y, int x, int c) {
    int64_t y0, y1, x0, x1, sum = 0, area = rows->fresh * columns->fresh;
    covered(rows, y, &y0, &y1);
    covered(columns, x, &x0, &x1);
    for (int64_t j = y0; j < y1; j++)
        for (int64_t i = x0; i < x1; i++)
            sum += shared(rows, y, j) * shared(columns, x, i) * p->pixels[(j * p->w + i) * p->c + c];
    return (uint8_t)((2 * sum + area) / (2 * area));
}

lac_picture lac_picture_cover(const lac_picture *p, int w, int h, lac_arena *arena) {
    bool wide = (int64_t)p->w * h > (int64_t)p->h * w; // wider than what is asked for: its height just fits
    int64_t many = wide ? p->h : p->w, few = wide ? h : w; // a new pixel is many / few old ones long
    axis columns = {2 * few, 2 * many, p->w * few - w * many},
         rows = {2 * few, 2 * many, p->h * few - h * many};
    lac_picture out = {.c = p->c, .h = h, .w = w};
    out.pixels = lac_arena_array(arena, (size_t)h * (size_t)w, (size_t)p->c);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < p->c; c++)
                out.pixels[((size_t)y * (size_t)w + (size_t)x) * (size_t)p->c + (size_t)c] =
                    mean_of(p, &rows, &columns, y, x, c);
    return out;
}
