#ifndef LAC_ARRAYS_H
#define LAC_ARRAYS_H

#include "arena.h"
#include "lac_status.h"

#include <stdint.h>

/// An array of NumPy's file format, row-major and little-endian.
typedef struct lac_array {
    const char *path; ///< for error texts
    char kind;        ///< 'u' or 'i' integers, 'f' reals, 'b' booleans
    int item_bytes, n_dims;
    uint64_t dims[4];
    uint8_t *data;
    size_t n_bytes;
} lac_array;

/// Reads NAME.npy of a folder, or the member NAME.npy of an .npz file (stored or deflated).
///
/// errors  E_NOT_FOUND (with the remedy), E_FORMAT (names file, what is found and expected), E_IO
/// source  NumPy enhancement proposal 1 (.npy, versions 1 to 3); PKWARE APPNOTE 6.3.9, sections 4.3.7
/// to 4.3.16
lac_status lac_array_read(const char *path, const char *name, const char *remedy, lac_arena *arena,
                          lac_array *out, lac_error *err) LAC_MUST_CHECK;

/// The same from bytes in memory, which the array then refers to.
lac_status lac_array_parse(const char *path, uint8_t *bytes, size_t n, lac_array *out,
                           lac_error *err) LAC_MUST_CHECK;

/// Element i of an array of integers.
int64_t lac_array_integer(const lac_array *array, uint64_t i);

#endif
