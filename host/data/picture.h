#ifndef LAC_PICTURE_H
#define LAC_PICTURE_H

#include "arena.h"
#include "lac_status.h"

#include <stdint.h>

enum { LAC_PICTURE_SIDE = 8192 }; ///< pixels, the most that is read

/// Pixels of an image file, row by row, the channels of a pixel side by side.
typedef struct lac_picture {
    int c, h, w; ///< c: 1 for grey files, 3 for all others; transparency is laid over black
    uint8_t *pixels;
} lac_picture;

/// Reads a PNG or JPEG file, told apart by how it begins.
///
/// memory  pixels from arena
/// errors  E_NOT_FOUND, E_IO, E_FORMAT (names the file and what is wrong with it)
lac_status lac_picture_read(const char *path, lac_arena *arena, lac_picture *out,
                            lac_error *err) LAC_MUST_CHECK;

/// Scales a picture so that it just covers w x h pixels and cuts out its middle. Each new pixel is the mean
/// of the old ones that it covers, by area.
///
/// ranges  w, h: 1..LAC_PICTURE_SIDE
/// memory  the new pixels from arena
/// exact   whole numbers, rounded half up: the same bytes on every machine
lac_picture lac_picture_cover(const lac_picture *picture, int w, int h, lac_arena *arena);

#endif
