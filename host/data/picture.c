#include "picture.h"

#include "file.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h> // jpeglib.h needs FILE

#include <jpeglib.h>
#include <png.h>
#include <string.h>

enum { MAX_SIDE = 1024 }; // pixels

static lac_status check_size(const char *path, uint32_t w, uint32_t h, lac_error *err) {
    if (w >= 1 && h >= 1 && w <= MAX_SIDE && h <= MAX_SIDE) return LAC_OK;
    LAC_FAIL(err, LAC_E_FORMAT, "'%s' is %ux%u pixels, 1 to %d on a side are read; resize it", path, w, h,
             MAX_SIDE);
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
