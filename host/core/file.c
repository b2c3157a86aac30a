#include "file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static lac_status read_stream(FILE *in, const char *path, lac_arena *arena, lac_bytes *out, lac_error *err) {
    size_t n = 0, capacity = 1 << 16;
    uint8_t *data = malloc(capacity);
    if (!data) LAC_FAIL(err, LAC_E_MEMORY, "cannot hold '%s' in memory", path);
    for (size_t got; (got = fread(data + n, 1, capacity - n, in)) > 0;) {
        n += got;
        if (n < capacity) continue;
        uint8_t *larger = realloc(data, capacity *= 2);
        if (!larger) {
            free(data);
            LAC_FAIL(err, LAC_E_MEMORY, "cannot hold '%s' in memory: it is over %zu bytes", path, n);
        }
        data = larger;
    }
    if (ferror(in)) {
        free(data);
        LAC_FAIL(err, LAC_E_IO, "cannot read '%s': %s", path, strerror(errno));
    }
    *out = (lac_bytes){lac_arena_copy(arena, data, n), n};
    free(data);
    return LAC_OK;
}

lac_status lac_file_read(const char *path, lac_arena *arena, lac_bytes *out, lac_error *err) {
    if (strcmp(path, "-") == 0) return read_stream(stdin, "standard input", arena, out, err);
    FILE *in = fopen(path, "rb");
    if (!in)
        LAC_FAIL(err, errno == ENOENT ? LAC_E_NOT_FOUND : LAC_E_IO, "cannot open '%s': %s", path,
                 strerror(errno));
    lac_status status = read_stream(in, path, arena, out, err);
    fclose(in);
    return status;
}

lac_status lac_file_begin(lac_file_out *file, const char *path, lac_error *err) {
    *file = (lac_file_out){0};
    if (strlen(path) >= sizeof file->path)
        LAC_FAIL(err, LAC_E_IO, "path of %zu bytes is too long: '%s'", strlen(path), path);
    strcpy(file->path, path);
    // A device or a pipe is written as it is: renaming over it would replace it by a file.
    struct stat there;
    bool special = stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode);
    if (!special) snprintf(file->temporary, sizeof file->temporary, "%s.tmp", path);
    file->stream = fopen(special ? path : file->temporary, "wb");
    if (!file->stream) LAC_FAIL(err, LAC_E_IO, "cannot write '%s': %s", path, strerror(errno));
    return LAC_OK;
}

void lac_file_abort(lac_file_out *file) {
    if (!file->stream) return;
    fclose(file->stream);
    file->stream = NULL;
    if (file->temporary[0]) unlink(file->temporary);
}

lac_status lac_file_commit(lac_file_out *file, lac_error *err) {
    bool special = !file->temporary[0];
    bool bad = ferror(file->stream) || fflush(file->stream) || (!special && fsync(fileno(file->stream)));
    int why = errno;
    bad |= fclose(file->stream) != 0;
    file->stream = NULL;
    if (!bad && (special || rename(file->temporary, file->path) == 0)) return LAC_OK;
    if (!bad) why = errno;
    if (!special) unlink(file->temporary);
    LAC_FAIL(err, LAC_E_IO, "cannot write '%s': %s; nothing was left behind", file->path, strerror(why));
}

lac_status lac_file_write(const char *path, const void *data, size_t n_bytes, lac_error *err) {
    if (strcmp(path, "-") == 0) {
        if (fwrite(data, 1, n_bytes, stdout) == n_bytes && fflush(stdout) == 0) return LAC_OK;
        LAC_FAIL(err, LAC_E_IO, "cannot write to standard output: %s", strerror(errno));
    }
    lac_file_out file;
    LAC_TRY(lac_file_begin(&file, path, err));
    if (n_bytes && fwrite(data, 1, n_bytes, file.stream) != n_bytes) {
        int why = errno;
        lac_file_abort(&file);
        LAC_FAIL(err, LAC_E_IO, "cannot write '%s': %s; nothing was left behind", path, strerror(why));
    }
    return lac_file_commit(&file, err);
}

lac_status lac_dir_make(const char *path, lac_error *err) {
    char part[1024];
    if (strlen(path) >= sizeof part)
        LAC_FAIL(err, LAC_E_IO, "path of %zu bytes is too long: '%s'", strlen(path), path);
    strcpy(part, path);
    for (char *p = part + 1;; p++) {
        if (*p && *p != '/') continue;
        char saved = *p;
        *p = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            LAC_FAIL(err, LAC_E_IO, "cannot create '%s': %s", part, strerror(errno));
        *p = saved;
        if (!saved) return LAC_OK;
    }
}

uint32_t lac_crc32(uint32_t crc, const void *data, size_t n_bytes) {
    return (uint32_t)crc32_z(crc, data, n_bytes);
}
