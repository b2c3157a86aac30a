#ifndef LAC_CURVE_H
#define LAC_CURVE_H

#include "lac_status.h"

/// Draws the learning curve of a metrics file (JSON lines) as a PNG: loss, accuracies and learning rate over
/// epochs.
///
/// errors  E_NOT_FOUND (metrics, or gnuplot is not installed), E_FORMAT (a line that is no JSON object, or no
/// line), E_IO
lac_status lac_curve_draw(const char *metrics, const char *png, lac_error *err) LAC_MUST_CHECK;

#endif
