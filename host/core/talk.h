#ifndef LAC_TALK_H
#define LAC_TALK_H

#include <stdbool.h>
#include <stdint.h>

/// What a long job tells its caller, and how the caller stops it. Libraries never print: they fill this in.
///
/// A job calls lac_talk_step after each unit of work; the command draws a progress bar with an estimate from
/// it. A NULL talk, or NULL members, are fine.
typedef struct lac_talk {
    void (*step)(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *detail);
    void (*note)(void *ctx, const char *sentence); ///< a line worth keeping, without newline
    bool (*stop)(void *ctx); ///< true once the user wants out: return E_INTERRUPTED soon
    void *ctx;
} lac_talk;

void lac_talk_step(const lac_talk *talk, const char *stage, uint64_t done, uint64_t total, const char *format,
                   ...) __attribute__((format(printf, 5, 6)));
void lac_talk_note(const lac_talk *talk, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool lac_talk_stop(const lac_talk *talk);

/// Monotonic clock in seconds.
double lac_now_s(void);

#endif
