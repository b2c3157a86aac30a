#ifndef LAC_PROCESS_H
#define LAC_PROCESS_H

#include "arena.h"
#include "lac_status.h"

/// Other programs, run without a shell.

/// Runs argv (NULL-terminated, looked up in PATH) in a directory; what it says is appended to the file log.
///
/// errors  E_DEVICE: it cannot be started, or fails (the sentence names program and result)
lac_status lac_process_run(const char *const *argv, const char *directory, const char *log,
                           lac_error *err) LAC_MUST_CHECK;

/// Standard output of a short command.
///
/// errors  E_DEVICE: it cannot be started, or fails (with a hint what to install)
lac_status lac_process_output(const char *const *argv, lac_arena *arena, const char **out,
                              lac_error *err) LAC_MUST_CHECK;

#endif
