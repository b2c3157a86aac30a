#include "lac_status.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *text;
    int exit_code;
} rows[LAC_N_STATUS] = {
#define LAC_STATUS(name, exit_code, text) {"LAC_" #name, text, exit_code},
#include "lac_status.def"
#undef LAC_STATUS
};

const char *lac_status_text(lac_status status) {
    assert(status < LAC_N_STATUS);
    return rows[status].text;
}

const char *lac_status_name(lac_status status) {
    assert(status < LAC_N_STATUS);
    return rows[status].name;
}

int lac_status_exit_code(lac_status status) {
    assert(status < LAC_N_STATUS);
    return rows[status].exit_code;
}

lac_status lac_fail(lac_error *err, lac_status status, const char *format, ...) {
    if (!err) return status;
    err->status = status;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}

lac_status lac_fail_in(lac_error *err, lac_status status, const char *context) {
    if (!err) return status;
    char inner[LAC_ERROR_TEXT_BYTES];
    memcpy(inner, err->text, sizeof inner);
    size_t n = (size_t)snprintf(err->text, sizeof err->text, "%s: ", context);
    if (n < sizeof err->text)
        snprintf(err->text + n, sizeof err->text - n, "%.*s", LAC_ERROR_TEXT_BYTES - 1, inner);
    return status;
}
