#ifndef LAC_WIDTHS_FILE_H
#define LAC_WIDTHS_FILE_H

#include "quantize.h"

/// Widths by layer, in YAML:
///
///   layers:
///     - layer: conv1
///       weights: 8
///       acts: 8        # bits of what enters the layer; each may be left out
///
/// memory  from arena
/// errors  E_NOT_FOUND, E_FORMAT (with the place in the file)
lac_status lac_widths_read(const char *path, lac_arena *arena, lac_layer_widths **out, int *n,
                           lac_error *err) LAC_MUST_CHECK;

/// errors  E_IO
lac_status lac_widths_write(const char *path, const lac_layer_widths *widths, int n,
                            lac_error *err) LAC_MUST_CHECK;

#endif
