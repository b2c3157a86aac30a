#include "talk.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void lac_talk_step(const lac_talk *talk, const char *stage, uint64_t done, uint64_t total, const char *format,
                   ...) {
    if (!talk || !talk->step) return;
    char detail[256];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    talk->step(talk->ctx, stage, done, total, detail);
}

void lac_talk_note(const lac_talk *talk, const char *format, ...) {
    if (!talk || !talk->note) return;
    char sentence[512];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    talk->note(talk->ctx, sentence);
}

bool lac_talk_stop(const lac_talk *talk) {
    return talk && talk->stop && talk->stop(talk->ctx);
}

double lac_now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
