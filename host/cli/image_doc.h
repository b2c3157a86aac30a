#ifndef LAC_IMAGE_DOC_H
#define LAC_IMAGE_DOC_H

#include "device.h"
#include "doc.h"
#include "image.h"

/// Program images and their cycles, as facts and tables.

/// The engine, sizes, weights and MACs. n_bytes is the file's size.
void lac_image_describe(lac_doc *doc, const lac_image *image, size_t n_bytes);

/// Tables of the steps: how their weights are listed, and the cycles they are predicted to take; then the
/// area that the engine is predicted to take.
void lac_image_describe_steps(lac_doc *doc, const lac_image *image, lac_arena *arena);

/// A table of measured cycles of one image against entries x pixels, and where the rest went; then the sums.
void lac_image_describe_cycles(lac_doc *doc, const lac_image *image, const lac_step_cycles *cycles);

/// Sum of ideal cycles of all steps.
uint64_t lac_image_ideal_cycles(const lac_image *image);

#endif
