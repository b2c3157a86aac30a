#ifndef LAC_STATUS_H
#define LAC_STATUS_H

/// The one error shape of the house: a status, and a sentence that names the object, both numbers and the
/// remedy.

typedef enum lac_status {
#define LAC_STATUS(name, exit_code, text) LAC_##name,
#include "lac_status.def"
#undef LAC_STATUS
    LAC_N_STATUS
} lac_status;

enum { LAC_ERROR_TEXT_BYTES = 512 };

/// What went wrong. Zero-initialise before use; success leaves it untouched.
typedef struct lac_error {
    lac_status status;
    char text[LAC_ERROR_TEXT_BYTES];
} lac_error;

#define LAC_MUST_CHECK __attribute__((warn_unused_result))

/// Short fixed text of a status; never NULL.
const char *lac_status_text(lac_status status);

/// Name of a status as it stands in code, "LAC_E_SHAPE"; never NULL.
const char *lac_status_name(lac_status status);

/// Exit code of the command for a status.
int lac_status_exit_code(lac_status status);

/// Writes the sentence into err (NULL allowed) and returns status.
///
/// range   a sentence over LAC_ERROR_TEXT_BYTES - 1 bytes is cut
lac_status lac_fail(lac_error *err, lac_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// Puts "context: " before the sentence that err holds, for a caller that knows the file or the layer;
/// returns status.
lac_status lac_fail_in(lac_error *err, lac_status status, const char *context);

// Returns the status itself, not lac_fail's result, so that an analyser of one file sees which path fails.
#define LAC_FAIL(err, status, ...)                                                                           \
    do {                                                                                                     \
        lac_status lac_fail_status_ = (status);                                                              \
        lac_fail((err), lac_fail_status_, __VA_ARGS__);                                                      \
        return lac_fail_status_;                                                                             \
    } while (0)

#define LAC_TRY(call)                                                                                        \
    do {                                                                                                     \
        lac_status lac_try_status_ = (call);                                                                 \
        if (lac_try_status_ != LAC_OK) return lac_try_status_;                                               \
    } while (0)

#endif
