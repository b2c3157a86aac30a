#include "curve.h"

#include "file.h"

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// One curve: a member of the lines, as a share or as it is.
typedef struct curve {
    const char *key, *title, *axes, *style;
    double factor;
} curve;

static const curve accuracies[] = {
    {"train_accuracy", "training", "x1y1", "lines lw 2 lc rgb '#4477aa'", 100},
    {"validation_accuracy", "validation", "x1y1", "linespoints lw 2 pt 7 ps 0.5 lc rgb '#ee6677'", 100},
};
static const curve losses[] = {
    {"loss", "training loss", "x1y1", "lines lw 2 lc rgb '#4477aa'", 1},
    {"validation_loss", "validation loss", "x1y1", "linespoints lw 2 pt 7 ps 0.5 lc rgb '#ee6677'", 1},
    {"lr", "learning rate", "x1y2", "lines lw 1 lc rgb '#999999'", 1},
};

typedef struct lines {
    cJSON **items;
    size_t n;
} lines;

static void free_lines(lines *l) {
    for (size_t i = 0; i < l->n; i++) cJSON_Delete(l->items[i]);
    l->n = 0;
}

static lac_status read_lines(const char *path, lac_arena *arena, lines *out, lac_error *err) {
    lac_bytes bytes;
    LAC_TRY(lac_file_read(path, arena, &bytes, err));
    const char *at = (const char *)bytes.data, *end = at + bytes.n;
    out->items = LAC_NEW_ARRAY(arena, cJSON *, bytes.n / 2 + 1);
    for (size_t number = 1; at < end; number++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        if (!next) next = end;
        cJSON *item = cJSON_ParseWithLength(at, (size_t)(next - at));
        if (!cJSON_IsObject(item)) {
            cJSON_Delete(item);
            LAC_FAIL(err, LAC_E_FORMAT, "metrics '%s', line %zu is no JSON object; write the file anew", path,
                     number);
        }
        out->items[out->n++] = item;
        at = next + 1;
    }
    if (out->n == 0) LAC_FAIL(err, LAC_E_FORMAT, "metrics '%s' has no lines: there is nothing to draw", path);
    return LAC_OK;
}

static bool has(const lines *l, const curve *c) {
    for (size_t i = 0; i < l->n; i++)
        if (cJSON_GetObjectItemCaseSensitive(l->items[i], c->key)) return true;
    return false;
}

static void write_points(FILE *out, const lines *l, const curve *c) {
    if (!has(l, c)) return;
    for (size_t i = 0; i < l->n; i++) {
        const cJSON *x = cJSON_GetObjectItemCaseSensitive(l->items[i], "epoch");
        const cJSON *y = cJSON_GetObjectItemCaseSensitive(l->items[i], c->key);
        if (cJSON_IsNumber(x) && cJSON_IsNumber(y))
            fprintf(out, "%.9g %.9g\n", x->valuedouble, c->factor * y->valuedouble);
    }
    fputs("e\n", out);
}

static void write_plot(FILE *out, const lines *l, const curve *curves, size_t n) {
    const char *comma = "plot ";
    for (size_t i = 0; i < n; i++) {
        if (!has(l, &curves[i])) continue;
        fprintf(out, "%s'-' axes %s with %s title '%s'", comma, curves[i].axes, curves[i].style,
                curves[i].title);
        comma = ", ";
    }
    fputc('\n', out);
    for (size_t i = 0; i < n; i++) write_points(out, l, &curves[i]);
}

static void write_script(FILE *out, const lines *l, const char *png) {
    fputs("set terminal pngcairo size 960,800 font 'sans,11'\nset output '", out);
    for (const char *c = png; *c; c++) fputs(*c == '\'' ? "''" : (char[]){*c, 0}, out);
    fputs("'\nset multiplot layout 2,1\nset grid\nset xlabel 'epoch'\nset key bottom right\n"
          "set ylabel 'accuracy, %'\n",
          out);
    write_plot(out, l, accuracies, sizeof accuracies / sizeof *accuracies);
    fputs(
        "set key top right\nset ylabel 'loss'\nset ytics nomirror\nset y2tics\nset y2label 'learning rate'\n"
        "set y2range [0:]\n",
        out);
    write_plot(out, l, losses, sizeof losses / sizeof *losses);
    fputs("unset multiplot\n", out);
}

static lac_status run_gnuplot(const lines *l, const char *png, lac_error *err) {
    struct sigaction ignore = {.sa_handler = SIG_IGN}, saved;
    sigaction(SIGPIPE, &ignore, &saved); // a gnuplot that ends early is an error of ours, not our end
    FILE *out = popen("exec gnuplot 2>/dev/null", "w");
    if (out) write_script(out, l, png);
    int result = out ? pclose(out) : -1;
    sigaction(SIGPIPE, &saved, NULL);
    enum { NOT_FOUND = 127 << 8 };
    if (result == NOT_FOUND)
        LAC_FAIL(err, LAC_E_NOT_FOUND, "cannot draw '%s': gnuplot is not installed (Debian: gnuplot-nox)",
                 png);
    if (result != 0 || access(png, R_OK) != 0)
        LAC_FAIL(err, LAC_E_IO, "gnuplot could not draw '%s'; check that its folder can be written", png);
    return LAC_OK;
}

lac_status lac_curve_draw(const char *metrics, const char *png, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    lines l = {0};
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to draw '%s'", png);
    lac_status status = read_lines(metrics, arena, &l, err);
    if (status == LAC_OK) status = run_gnuplot(&l, png, err);
    free_lines(&l);
    lac_arena_close(arena);
    return status;
}
