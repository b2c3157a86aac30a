#ifndef LAC_FILE_H
#define LAC_FILE_H

#include "arena.h"
#include "lac_status.h"

#include <stdint.h>
#include <stdio.h>

/// Whole files in memory, and files that appear whole or not at all.

typedef struct lac_bytes {
    uint8_t *data;
    size_t n;
} lac_bytes;

/// Reads a whole file, "-" being standard input.
///
/// errors  E_NOT_FOUND, E_IO
lac_status lac_file_read(const char *path, lac_arena *arena, lac_bytes *out, lac_error *err) LAC_MUST_CHECK;

/// Writes a whole file, "-" being standard output: to "PATH.tmp" first, then renamed, so that no reader ever
/// sees half.
///
/// errors  E_IO (the temporary file is removed)
lac_status lac_file_write(const char *path, const void *data, size_t n_bytes, lac_error *err) LAC_MUST_CHECK;

/// A file being written: _begin opens "PATH.tmp", _commit makes it appear as PATH, _abort forgets it.
typedef struct lac_file_out {
    FILE *stream;
    char path[1024], temporary[1040];
} lac_file_out;
lac_status lac_file_begin(lac_file_out *file, const char *path, lac_error *err) LAC_MUST_CHECK;
lac_status lac_file_commit(lac_file_out *file, lac_error *err) LAC_MUST_CHECK;
void lac_file_abort(lac_file_out *file);

/// Creates a directory and its parents.
lac_status lac_dir_make(const char *path, lac_error *err) LAC_MUST_CHECK;

/// CRC-32 (IEEE 802.3, reflected, as in zlib and PNG); start with crc = 0.
uint32_t lac_crc32(uint32_t crc, const void *data, size_t n_bytes);

#endif
