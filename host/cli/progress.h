#ifndef LAC_PROGRESS_H
#define LAC_PROGRESS_H

#include "talk.h"

#include <pthread.h>
#include <stdio.h>

/// Progress of long jobs on standard error: a bar with an estimate on a terminal, else a line every ten
/// seconds; and the stop flag behind Ctrl-C.
typedef struct lac_progress {
    FILE *out;
    bool tty, quiet;
    pthread_mutex_t lock;
    char stage[64]; ///< the job that is being shown
    double begin_s, drawn_s;
    bool on_line; ///< a bar stands on the current line
    bool shown;   ///< the stage has been shown at all
} lac_progress;

void lac_progress_begin(lac_progress *progress, FILE *out, bool tty, bool quiet);

/// Takes the bar off the line.
void lac_progress_end(lac_progress *progress);

/// The callbacks of a talk that draw on this progress.
lac_talk lac_progress_talk(lac_progress *progress);

/// From here on the first SIGINT or SIGTERM raises the stop flag and the second ends the process.
void lac_progress_catch_signals(void);

/// "1:05" or "2:01:05" into text.
const char *lac_progress_time(double seconds, char text[32]);

#endif
