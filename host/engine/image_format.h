#ifndef LAC_IMAGE_FORMAT_H
#define LAC_IMAGE_FORMAT_H

#include "image.h"

/// The frame of a *.lac file: docs/image-format.md.

#define LAC_IMAGE_MAGIC "LAC1"
#define LAC_IMAGE_GRAPH "GRAF"
#define LAC_IMAGE_STEPS "STEP"
#define LAC_IMAGE_PROGRAM "PROG"
#define LAC_IMAGE_META "META"

enum {
    LAC_IMAGE_VERSION = 1,
    LAC_IMAGE_N_SECTIONS = 4,
    LAC_IMAGE_HEADER_BYTES = (16 + 4 * LAC_N_PARAMS + 4 + 7) / 8 * 8, ///< the CRC-32 ends it
    LAC_IMAGE_SECTION_BYTES = 16, ///< before a payload: tag, CRC-32, length
};

/// Decodes the program into the weights, biases, multipliers and shifts of the image's graph, and fills in
/// the counts of its steps. The program must be what the graph, the layouts and the steps say.
///
/// memory  weights from image->arena
/// errors  E_FORMAT: what the program says and what the graph does
lac_status lac_image_decode(lac_image *image, lac_error *err) LAC_MUST_CHECK;

#endif
