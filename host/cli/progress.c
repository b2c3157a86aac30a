#include "progress.h"

#include <signal.h>
#include <string.h>

enum { BAR = 24 };
static const double redraw_s = 0.1, line_s = 10.0;

// A signal handler can reach nothing but a global: the one written global of the house.
static volatile sig_atomic_t stop_wanted;

static void on_signal(int signal_number) {
    (void)signal_number;
    stop_wanted = 1;
}

void lac_progress_catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

const char *lac_progress_time(double seconds, char text[32]) {
    long s = seconds > 0 ? (long)(seconds + 0.5) : 0;
    if (s >= 3600)
        snprintf(text, 32, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 32, "%ld:%02ld", s / 60, s % 60);
    return text;
}

static void clear_line(lac_progress *p) {
    if (p->on_line) fputs("\r\033[K", p->out);
    p->on_line = false;
}

static void draw(lac_progress *p, uint64_t done, uint64_t total, const char *detail, double now) {
    char bar[BAR + 1], left[32], spent[32];
    double share = total ? (double)done / (double)total : 0;
    if (share > 1) share = 1;
    double elapsed = now - p->begin_s;
    int filled = (int)(share * BAR);
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)filled);
    bar[BAR] = 0;
    clear_line(p);
    if (p->tty) fprintf(p->out, "%-10s [%s] ", p->stage, bar);
    if (!p->tty) fprintf(p->out, "%s: ", p->stage);
    if (done >= total)
        fprintf(p->out, "%3.0f %% in %s", 100 * share, lac_progress_time(elapsed, spent));
    else if (share > 0)
        fprintf(p->out, "%3.0f %%, %s left", 100 * share,
                lac_progress_time(elapsed * (1 - share) / share, left));
    else
        fprintf(p->out, "  0 %%");
    if (detail && detail[0]) fprintf(p->out, ", %s", detail);
    p->on_line = p->tty && done < total;
    if (!p->on_line) fputc('\n', p->out);
    fflush(p->out);
    p->drawn_s = now;
    p->shown = true;
}

static void on_step(void *ctx, const char *stage, uint64_t done, uint64_t total, const char *detail) {
    lac_progress *p = ctx;
    if (p->quiet) return;
    pthread_mutex_lock(&p->lock);
    double now = lac_now_s();
    if (strncmp(stage, p->stage, sizeof p->stage - 1) != 0) {
        clear_line(p);
        snprintf(p->stage, sizeof p->stage, "%s", stage);
        p->begin_s = p->drawn_s = now;
        p->shown = false;
    }
    bool finished = done >= total;
    bool due = now - p->drawn_s >= (p->tty ? redraw_s : line_s);
    // The end of a stage is worth a line when its beginning was, or when it took a while.
    if (due || (finished && (p->shown || now - p->begin_s >= 1.0))) draw(p, done, total, detail, now);
    if (finished) p->stage[0] = 0;
    pthread_mutex_unlock(&p->lock);
}

static void on_note(void *ctx, const char *sentence) {
    lac_progress *p = ctx;
    if (p->quiet) return;
    pthread_mutex_lock(&p->lock);
    clear_line(p);
    fprintf(p->out, "%s\n", sentence);
    fflush(p->out);
    pthread_mutex_unlock(&p->lock);
}

static bool wants_stop(void *ctx) {
    (void)ctx;
    return stop_wanted != 0;
}

void lac_progress_begin(lac_progress *progress, FILE *out, bool tty, bool quiet) {
    *progress = (lac_progress){.out = out, .tty = tty, .quiet = quiet};
    pthread_mutex_init(&progress->lock, NULL);
}

void lac_progress_end(lac_progress *progress) {
    clear_line(progress);
    fflush(progress->out);
    pthread_mutex_destroy(&progress->lock);
}

lac_talk lac_progress_talk(lac_progress *progress) {
    return (lac_talk){.step = on_step, .note = on_note, .stop = wants_stop, .ctx = progress};
}
