#include "data_files.h"
#include "file.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum {
    IMAGES_MAGIC = 0x803, // unsigned bytes, three dimensions
    LABELS_MAGIC = 0x801, // unsigned bytes, one dimension
    MAX_SIDE = 1024,      // pixels
    MAX_EXPANSION = 1032, // the most that deflate can expand
};

// A file of bytes, plain or compressed, read from front to back.
typedef struct source {
    char path[1024];
    const char *remedy;
    lac_bytes raw;
    bool compressed, ended; // ended: the compressed stream came to its checksum and it was right
    z_stream z;
} source;

// Opens folder/name.gz, or folder/name.
static lac_status source_open(source *s, const char *folder, const char *name, const char *remedy,
                              lac_arena *scratch, lac_error *err) {
    *s = (source){.remedy = remedy};
    lac_error why = {0};
    lac_status status = LAC_E_NOT_FOUND;
    static const char *const suffixes[] = {"", ".gz"}; // the message names the last, which Debian has
    for (int i = 0; i < 2 && status == LAC_E_NOT_FOUND; i++) {
        if ((size_t)snprintf(s->path, sizeof s->path, "%s/%s%s", folder, name, suffixes[i]) >= sizeof s->path)
            LAC_FAIL(err, LAC_E_USAGE, "the data set's folder has a path of over %zu bytes", sizeof s->path);
        status = lac_file_read(s->path, scratch, &s->raw, &why);
    }
    if (status == LAC_E_NOT_FOUND) LAC_FAIL(err, status, "cannot find '%s'; %s", s->path, remedy);
    if (status != LAC_OK) LAC_FAIL(err, status, "%s", why.text);
    s->z.next_in = s->raw.data;
    s->z.avail_in = (uInt)s->raw.n;
    if (s->raw.n > UINT32_MAX / 2)
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' has %zu bytes, at most %u are read; %s", s->path, s->raw.n,
                 UINT32_MAX / 2, remedy);
    s->compressed = s->raw.n >= 2 && s->raw.data[0] == 0x1F && s->raw.data[1] == 0x8B;
    if (s->compressed && inflateInit2(&s->z, 15 + 16) != Z_OK)
        LAC_FAIL(err, LAC_E_MEMORY, "no memory to decompress '%s'", s->path);
    return LAC_OK;
}

static void source_close(source *s) {
    if (s->compressed) inflateEnd(&s->z);
}

// Up to n bytes; fewer at the end of the file. *damage tells corrupt streams from short ones.
static size_t source_read(source *s, uint8_t *to, size_t n, const char **damage) {
    if (!s->compressed) {
        size_t take = n < s->z.avail_in ? n : s->z.avail_in;
        if (take) memcpy(to, s->z.next_in, take);
        s->z.next_in += take;
        s->z.avail_in -= (uInt)take;
        return take;
    }
    s->z.next_out = to;
    s->z.avail_out = (uInt)n;
    int result = inflate(&s->z, Z_SYNC_FLUSH);
    if (result == Z_DATA_ERROR || result == Z_NEED_DICT || result == Z_STREAM_ERROR)
        *damage = s->z.msg ? s->z.msg : "damaged stream";
    s->ended = result == Z_STREAM_END;
    return n - s->z.avail_out;
}

static lac_status read_exactly(source *s, uint8_t *to, size_t n, const char *what, lac_error *err) {
    const char *damage = NULL;
    size_t got = source_read(s, to, n, &damage);
    if (damage) LAC_FAIL(err, LAC_E_FORMAT, "'%s' is damaged (%s); %s", s->path, damage, s->remedy);
    if (got != n)
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' is truncated: its %s take %zu bytes, it has %zu; %s", s->path, what,
                 n, got, s->remedy);
    return LAC_OK;
}

static lac_status expect_end(source *s, lac_error *err) {
    uint8_t extra;
    const char *damage = NULL;
    size_t got = source_read(s, &extra, 1, &damage);
    if (damage) LAC_FAIL(err, LAC_E_FORMAT, "'%s' is damaged (%s); %s", s->path, damage, s->remedy);
    if (s->compressed && !got && !s->ended)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "'%s' is truncated: its checksum takes 8 bytes after the data and is cut; %s", s->path,
                 s->remedy);
    if (got || s->z.avail_in)
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' has bytes after its end (%u or more); %s", s->path,
                 got ? 1u : s->z.avail_in, s->remedy);
    return LAC_OK;
}

static uint32_t big_endian(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

// Magic and dimensions; n_dims is 1 or 3.
static lac_status read_header(source *s, uint32_t magic, int n_dims, uint32_t *dims, lac_error *err) {
    uint8_t header[16];
    LAC_TRY(read_exactly(s, header, 4 + 4 * (size_t)n_dims, "header", err));
    if (big_endian(header) != magic)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "'%s' begins with 0x%08" PRIx32 ", an IDX file of %s with 0x%08" PRIx32 "; %s", s->path,
                 big_endian(header), n_dims == 1 ? "labels" : "images", magic, s->remedy);
    size_t bytes = 1;
    for (int i = 0; i < n_dims; i++) {
        dims[i] = big_endian(header + 4 + 4 * i);
        if (i > 0 && (dims[i] < 1 || dims[i] > MAX_SIDE))
            LAC_FAIL(err, LAC_E_FORMAT,
                     "'%s' has images of %" PRIu32 " pixels on a side, 1 to %d are read; %s", s->path,
                     dims[i], MAX_SIDE, s->remedy);
        bytes *= dims[i];
    }
    // Before memory is asked for: could the file hold what its header promises?
    if (bytes > UINT32_MAX / 2)
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' promises %zu bytes, at most %u are read; %s", s->path, bytes,
                 UINT32_MAX / 2, s->remedy);
    if (bytes > s->raw.n * (s->compressed ? MAX_EXPANSION : 1))
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' is truncated: its header promises %zu bytes, the file has %zu; %s",
                 s->path, bytes, s->raw.n, s->remedy);
    return LAC_OK;
}

typedef struct idx {
    uint32_t dims[3];
    uint8_t *data;
    char path[1024];
} idx;

static lac_status read_body(source *s, int n_dims, lac_arena *arena, idx *out, lac_error *err) {
    LAC_TRY(read_header(s, n_dims == 1 ? LABELS_MAGIC : IMAGES_MAGIC, n_dims, out->dims, err));
    size_t n = out->dims[0];
    for (int i = 1; i < n_dims; i++) n *= out->dims[i];
    out->data = LAC_NEW_ARRAY(arena, uint8_t, n);
    LAC_TRY(read_exactly(s, out->data, n, n_dims == 1 ? "labels" : "images", err));
    memcpy(out->path, s->path, sizeof out->path);
    return expect_end(s, err);
}

static lac_status read_file(const char *folder, const char *name, const char *remedy, int n_dims,
                            lac_arena *arena, idx *out, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to read '%s/%s'", folder, name);
    source s;
    lac_status status = source_open(&s, folder, name, remedy, scratch, err);
    if (status == LAC_OK) {
        status = read_body(&s, n_dims, arena, out, err);
        source_close(&s);
    }
    lac_arena_close(scratch);
    return status;
}

lac_status lac_data_check_labels(const char *path, const uint8_t *labels, uint32_t n, int n_classes,
                                 lac_error *err) {
    for (uint32_t i = 0; i < n; i++)
        if (labels[i] >= n_classes)
            LAC_FAIL(err, LAC_E_FORMAT,
                     "'%s': image %" PRIu32 " has label %u, there are %d classes; copy the file again", path,
                     i, labels[i], n_classes);
    return LAC_OK;
}

static lac_status read_pair(const char *folder, const char *images_name, const char *labels_name,
                            const char *remedy, int n_classes, lac_arena *arena, idx *images, lac_split *out,
                            lac_error *err) {
    idx labels;
    LAC_TRY(read_file(folder, images_name, remedy, 3, arena, images, err));
    LAC_TRY(read_file(folder, labels_name, remedy, 1, arena, &labels, err));
    if (images->dims[0] != labels.dims[0])
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' has %" PRIu32 " images, '%s' has %" PRIu32 " labels; %s",
                 images->path, images->dims[0], labels.path, labels.dims[0], remedy);
    if (images->dims[0] == 0)
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' has 0 images, at least 1 is needed; %s", images->path, remedy);
    LAC_TRY(lac_data_check_labels(labels.path, labels.data, labels.dims[0], n_classes, err));
    *out = (lac_split){images->data, labels.data, images->dims[0]};
    return LAC_OK;
}

lac_status lac_data_read_idx(const char *folder, const char *remedy, int n_classes, lac_arena *arena,
                             lac_dataset *out, lac_error *err) {
    idx train, test;
    LAC_TRY(read_pair(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte", remedy, n_classes, arena,
                      &train, &out->train, err));
    LAC_TRY(read_pair(folder, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", remedy, n_classes, arena,
                      &test, &out->test, err));
    if (train.dims[1] != test.dims[1] || train.dims[2] != test.dims[2])
        LAC_FAIL(err, LAC_E_FORMAT,
                 "'%s' has images of %" PRIu32 "x%" PRIu32 " pixels, '%s' of %" PRIu32 "x%" PRIu32 "; %s",
                 train.path, train.dims[1], train.dims[2], test.path, test.dims[1], test.dims[2], remedy);
    out->c = 1;
    out->h = (int)train.dims[1];
    out->w = (int)train.dims[2];
    return LAC_OK;
}
