#include "arrays.h"

#include "file.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static uint64_t little_endian(const uint8_t *b, int n) {
    uint64_t v = 0;
    for (int i = 0; i < n; i++) v |= (uint64_t)b[i] << (8 * i);
    return v;
}

// ---- .npy -----------------------------------------------------------------------------------------------

static lac_status bad_header(const char *path, const char *what, lac_error *err) {
    LAC_FAIL(err, LAC_E_FORMAT, "'%s' is no NumPy array that can be read: %s; save it with numpy.save", path,
             what);
}

// What follows a key of the header's dictionary; NULL when it is not there.
static const char *member(const char *header, const char *key) {
    const char *at = strstr(header, key);
    at = at ? strchr(at + strlen(key), ':') : NULL;
    return at ? at + 1 + strspn(at + 1, " ") : NULL;
}

static lac_status parse_type(const char *text, lac_array *out, lac_error *err) {
    bool quoted = text && (*text == '\'' || *text == '"');
    if (!quoted) return bad_header(out->path, "its header has no plain 'descr'", err);
    if (text[1] != '<' && text[1] != '|')
        return bad_header(out->path, "its numbers are not little-endian", err);
    out->kind = text[2];
    out->item_bytes = text[3] >= '1' && text[3] <= '8' ? text[3] - '0' : 0;
    bool known = out->kind && strchr("uifb", out->kind) && text[4] == text[0];
    if (!known || (out->item_bytes & (out->item_bytes - 1)) || out->item_bytes == 0)
        return bad_header(out->path, "its type is none of u1 to u8, i1 to i8, f2 to f8 and b1", err);
    return LAC_OK;
}

static lac_status parse_shape(const char *text, lac_array *out, lac_error *err) {
    if (!text || *text != '(') return bad_header(out->path, "its header has no 'shape'", err);
    out->n_bytes = (size_t)out->item_bytes;
    for (text++; *text != ')';) {
        char *end;
        unsigned long long d = strtoull(text, &end, 10);
        if (end == text || *text == '-') return bad_header(out->path, "its shape is no list of numbers", err);
        if (out->n_dims == 4) return bad_header(out->path, "it has more than 4 dimensions", err);
        if (d && out->n_bytes > SIZE_MAX / 4 / d) return bad_header(out->path, "its shape is too large", err);
        out->dims[out->n_dims++] = d;
        out->n_bytes *= d;
        text = end + strspn(end, " ,");
    }
    return LAC_OK;
}

lac_status lac_array_parse(const char *path, uint8_t *bytes, size_t n, lac_array *out, lac_error *err) {
    lac_array a = {.path = path};
    if (n < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return bad_header(path, "it does not begin as one", err);
    int length_bytes = bytes[6] == 1 ? 2 : 4;
    size_t start = 8 + (size_t)length_bytes, length = little_endian(bytes + 8, length_bytes);
    enum { MAX_HEADER = 4096 };
    char header[MAX_HEADER + 8] = ""; // a type cut short still ends within
    if (length > MAX_HEADER || length > n - start) return bad_header(path, "its header is cut", err);
    memcpy(header, bytes + start, length);
    header[length] = 0;
    LAC_TRY(parse_type(member(header, "'descr'"), &a, err));
    const char *order = member(header, "'fortran_order'");
    if (!order || strncmp(order, "False", 5) != 0) return bad_header(path, "it is not row-major", err);
    LAC_TRY(parse_shape(member(header, "'shape'"), &a, err));
    a.data = bytes + start + length;
    if (a.n_bytes != n - start - length)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "'%s' has %zu bytes after its header, its shape needs %zu; copy the file again", path,
                 n - start - length, a.n_bytes);
    *out = a;
    return LAC_OK;
}

int64_t lac_array_integer(const lac_array *a, uint64_t i) {
    uint64_t v = little_endian(a->data + i * (uint64_t)a->item_bytes, a->item_bytes);
    int unused = 64 - 8 * a->item_bytes;
    if (a->kind == 'i') return (int64_t)(v << unused) >> unused;
    return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

// ---- .npz -----------------------------------------------------------------------------------------------

typedef struct zip_member {
    size_t offset, packed, size; // of its local header, stored and unpacked
    int method;
    uint32_t crc;
} zip_member;

static lac_status bad_zip(const char *path, const char *what, lac_error *err) {
    LAC_FAIL(err, LAC_E_FORMAT, "'%s' is no .npz that can be read: %s; save it with numpy.savez", path, what);
}

// The end record stands at the end, before a comment of up to 65,535 bytes.
static const uint8_t *end_record(const lac_bytes *file) {
    for (size_t back = 22; back <= file->n && back <= 22 + 65535; back++)
        if (memcmp(file->data + file->n - back, "PK\5\6", 4) == 0) return file->data + file->n - back;
    return NULL;
}

// Members that a 32-bit field cannot describe have all ones there, and are refused by their size.
static lac_status find_member(const char *path, const lac_bytes *file, const char *name, zip_member *out,
                              lac_error *err) {
    const uint8_t *end = file->n >= 22 ? end_record(file) : NULL;
    if (!end) return bad_zip(path, "it has no directory", err);
    size_t n = little_endian(end + 10, 2), at = little_endian(end + 16, 4);
    for (size_t i = 0; i < n; i++) {
        if (at > file->n || file->n - at < 46 || memcmp(file->data + at, "PK\1\2", 4) != 0)
            return bad_zip(path, "its directory is damaged", err);
        const uint8_t *e = file->data + at;
        size_t name_bytes = little_endian(e + 28, 2);
        size_t entry = 46 + name_bytes + little_endian(e + 30, 2) + little_endian(e + 32, 2);
        if (entry > file->n - at) return bad_zip(path, "its directory is damaged", err);
        if (name_bytes == strlen(name) && memcmp(e + 46, name, name_bytes) == 0) {
            *out = (zip_member){.method = (int)little_endian(e + 10, 2),
                                .crc = (uint32_t)little_endian(e + 16, 4),
                                .packed = little_endian(e + 20, 4),
                                .size = little_endian(e + 24, 4),
                                .offset = little_endian(e + 42, 4)};
            return LAC_OK;
        }
        at += entry;
    }
    LAC_FAIL(err, LAC_E_NOT_FOUND, "'%s' has no array '%s'; save it with numpy.savez", path, name);
}

static lac_status unpack(const char *path, const zip_member *m, uint8_t *from, lac_arena *arena,
                         uint8_t **out, lac_error *err) {
    enum { STORED = 0, DEFLATED = 8, MAX_EXPANSION = 1032 };
    if (m->method == STORED && m->packed == m->size) {
        *out = from;
    } else if (m->method == DEFLATED && m->size / MAX_EXPANSION <= m->packed) {
        z_stream z = {.next_in = from, .avail_in = (uInt)m->packed};
        *out = lac_arena_alloc(arena, m->size);
        z.next_out = *out;
        z.avail_out = (uInt)m->size;
        if (inflateInit2(&z, -15) != Z_OK) LAC_FAIL(err, LAC_E_MEMORY, "no memory to decompress '%s'", path);
        int result = inflate(&z, Z_FINISH);
        inflateEnd(&z);
        if (result != Z_STREAM_END || z.avail_out) return bad_zip(path, "a compressed array is damaged", err);
    } else {
        return bad_zip(path, "an array is neither stored nor deflated", err);
    }
    if (lac_crc32(0, *out, m->size) != m->crc) return bad_zip(path, "the checksum of an array is wrong", err);
    return LAC_OK;
}

static lac_status read_member(const char *path, const char *name, lac_bytes *file, lac_arena *arena,
                              lac_array *out, lac_error *err) {
    zip_member m;
    uint8_t *bytes;
    LAC_TRY(find_member(path, file, name, &m, err));
    if (m.offset > file->n || file->n - m.offset < 30 || memcmp(file->data + m.offset, "PK\3\4", 4) != 0)
        return bad_zip(path, "an array is not where its directory says", err);
    const uint8_t *local = file->data + m.offset;
    size_t start = m.offset + 30 + little_endian(local + 26, 2) + little_endian(local + 28, 2);
    if (start > file->n || m.packed > file->n - start) return bad_zip(path, "an array is cut", err);
    LAC_TRY(unpack(path, &m, file->data + start, arena, &bytes, err));
    return lac_array_parse(lac_arena_printf(arena, "%s:%s", path, name), bytes, m.size, out, err);
}

static bool is_zip(const char *path) {
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".npz") == 0;
}

lac_status lac_array_read(const char *path, const char *name, const char *remedy, lac_arena *arena,
                          lac_array *out, lac_error *err) {
    const char *member_name = lac_arena_printf(arena, "%s.npy", name);
    const char *file_path = is_zip(path) ? path : lac_arena_printf(arena, "%s/%s", path, member_name);
    lac_bytes file;
    lac_status status = lac_file_read(file_path, arena, &file, err);
    if (status == LAC_E_NOT_FOUND) LAC_FAIL(err, status, "cannot find '%s'; %s", file_path, remedy);
    LAC_TRY(status);
    return is_zip(path) ? read_member(path, member_name, &file, arena, out, err)
                        : lac_array_parse(file_path, file.data, file.n, out, err);
}
