#include "opencl_error.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct error_row {
    int32_t code;
    lac_status status;
    const char *name, *text;
} error_row;

static const error_row rows[] = {
#define ROW(code, status, name, text) {code, LAC_##status, name, text},
#include "opencl_errors.def"
#undef ROW
};

static const error_row *find(int32_t code) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code) return &rows[i];
    return NULL;
}

const char *lac_opencl_text(int32_t code, char *buffer, size_t n_bytes) {
    const error_row *row = find(code);
    if (row)
        snprintf(buffer, n_bytes, "%s: %s", row->name, row->text);
    else
        snprintf(buffer, n_bytes, "error %d, which is not in the OpenCL standard", (int)code);
    return buffer;
}

lac_status lac_opencl_fail(lac_error *err, int32_t code, const char *format, ...) {
    char what[400], why[160];
    const error_row *row = find(code);
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return lac_fail(err, row ? row->status : LAC_E_DEVICE, "device opencl: %s: %s", what,
                    lac_opencl_text(code, why, sizeof why));
}
