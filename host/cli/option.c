#include "option.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 80, MAX_WORD = 40 };

static int smallest(int a, int b) {
    return a < b ? a : b;
}

/// Optimal string alignment distance; words longer than MAX_WORD are infinitely far.
static int edit_distance(const char *a, const char *b) {
    int n = (int)strlen(a), m = (int)strlen(b), d[MAX_WORD + 1][MAX_WORD + 1];
    if (n > MAX_WORD || m > MAX_WORD) return 1000;
    for (int i = 0; i <= n; i++) d[i][0] = i;
    for (int j = 0; j <= m; j++) d[0][j] = j;
    for (int i = 1; i <= n; i++) {
        for (int j = 1; j <= m; j++) {
            int same = a[i - 1] == b[j - 1];
            d[i][j] = smallest(smallest(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + !same);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = smallest(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[n][m];
}

/// How far apart two words are for the purpose of a hint; a word that was begun right is near.
static int hint_distance(const char *word, const char *name) {
    size_t n = strlen(word);
    if (n >= 3 && strncmp(word, name, n) == 0) return 0;
    return edit_distance(word, name);
}

const char *lac_option_nearest(const char *word, lac_option_names *names) {
    const char *nearest = NULL;
    int distance = smallest(3, (int)strlen(word) / 2) + 1;
    for (int i = 0; names(i); i++) {
        int d = hint_distance(word, names(i));
        if (d < distance) {
            distance = d;
            nearest = names(i);
        }
    }
    return nearest;
}

static const char *nearest_option(const char *word, const lac_option *options, int n_options) {
    const char *nearest = NULL;
    int distance = smallest(3, (int)strlen(word) / 2) + 1;
    for (int i = 0; i < n_options; i++) {
        if (options[i].operand) continue;
        int d = hint_distance(word, options[i].name);
        if (d < distance) {
            distance = d;
            nearest = options[i].name;
        }
    }
    return nearest;
}

static const char *print_names(lac_option_names *names, char *text, size_t size) {
    size_t n = 0;
    text[0] = 0;
    for (int i = 0; names(i) && n < size; i++) {
        int wrote = snprintf(text + n, size - n, "%s%s", i ? "|" : "", names(i));
        n += (size_t)wrote;
    }
    return text;
}

const char *lac_option_range(const lac_option *option, char *text, size_t size) {
    switch (option->kind) {
    case LAC_OPT_FLAG:
        snprintf(text, size, "no value");
        break;
    case LAC_OPT_INT:
    case LAC_OPT_FLOAT:
    case LAC_OPT_DOUBLE:
    case LAC_OPT_U64:
        snprintf(text, size, "%.10g..%.10g", option->lowest, option->highest);
        break;
    case LAC_OPT_TEXT:
        snprintf(text, size, "a %s", option->value ? option->value : "TEXT");
        break;
    case LAC_OPT_CHOICE:
    case LAC_OPT_INDEX:
    case LAC_OPT_LIST:
        print_names(option->names, text, size);
        break;
    case LAC_OPT_GRID:
        snprintf(text, size, "COLUMNSxROWS, each %.10g..%.10g", option->lowest, option->highest);
        break;
    }
    return text;
}

/// "--bits" for an option, "MODEL" for an operand: how a row is called in messages.
static const char *row_name(const lac_option *option, char text[64]) {
    snprintf(text, 64, "%s%s", option->operand ? "" : "--", option->name);
    return text;
}

static lac_status refuse(const lac_option *option, const char *value, lac_error *err) {
    char name[64], range[256];
    row_name(option, name);
    lac_option_range(option, range, sizeof range);
    const char *near = option->names ? lac_option_nearest(value, option->names) : NULL;
    if (near)
        LAC_FAIL(err, LAC_E_USAGE, "%s takes %s, not '%s'; did you mean '%s'?", name, range, value, near);
    LAC_FAIL(err, LAC_E_USAGE, "%s takes %s, not '%s'", name, range, value);
}

static lac_status store_real(const lac_option *option, const char *value, void *at, lac_error *err) {
    char *end;
    double x = strtod(value, &end);
    bool whole = option->kind == LAC_OPT_INT;
    if (end == value || *end || !(x >= option->lowest && x <= option->highest) || (whole && x != floor(x)))
        return refuse(option, value, err);
    if (option->kind == LAC_OPT_INT) *(int *)at = (int)x;
    if (option->kind == LAC_OPT_FLOAT) *(float *)at = (float)x;
    if (option->kind == LAC_OPT_DOUBLE) *(double *)at = x;
    return LAC_OK;
}

static lac_status store_u64(const lac_option *option, const char *value, void *at, lac_error *err) {
    char *end;
    errno = 0;
    unsigned long long x = strtoull(value, &end, 0);
    if (!isdigit((unsigned char)value[0]) || *end || errno || (double)x > option->highest)
        return refuse(option, value, err);
    *(uint64_t *)at = x;
    return LAC_OK;
}

static lac_status store_name(const lac_option *option, const char *value, void *at, lac_error *err) {
    for (int i = 0; option->names(i); i++) {
        if (strcmp(option->names(i), value) != 0) continue;
        if (option->kind == LAC_OPT_INDEX)
            *(int *)at = i;
        else
            *(const char **)at = option->names(i);
        return LAC_OK;
    }
    return refuse(option, value, err);
}

static bool is_name(const char *word, size_t n, lac_option_names *names) {
    for (int i = 0; names(i); i++)
        if (strlen(names(i)) == n && strncmp(names(i), word, n) == 0) return true;
    return false;
}

static lac_status store_list(const lac_option *option, const char *value, void *at, lac_error *err) {
    for (const char *p = value;; p++) {
        size_t n = strcspn(p, ",");
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)n, p);
        if (!is_name(p, n, option->names)) return refuse(option, word, err);
        p += n;
        if (!*p) break;
    }
    *(const char **)at = value;
    return LAC_OK;
}

static lac_status store_grid(const lac_option *option, const char *value, void *at, lac_error *err) {
    int columns, rows, n_read = 0;
    bool read = sscanf(value, "%dx%d%n", &columns, &rows, &n_read) == 2 && !value[n_read];
    if (!read || columns < option->lowest || rows < option->lowest || columns > option->highest ||
        rows > option->highest)
        return refuse(option, value, err);
    ((int *)at)[0] = columns;
    ((int *)at)[1] = rows;
    return LAC_OK;
}

static lac_status store(const lac_option *option, const char *value, void *args, lac_error *err) {
    void *at = (char *)args + option->offset;
    switch (option->kind) {
    case LAC_OPT_FLAG:
        *(bool *)at = true;
        return LAC_OK;
    case LAC_OPT_INT:
    case LAC_OPT_FLOAT:
    case LAC_OPT_DOUBLE:
        return store_real(option, value, at, err);
    case LAC_OPT_U64:
        return store_u64(option, value, at, err);
    case LAC_OPT_TEXT:
        if (!value[0]) return refuse(option, value, err);
        *(const char **)at = value;
        return LAC_OK;
    case LAC_OPT_CHOICE:
    case LAC_OPT_INDEX:
        return store_name(option, value, at, err);
    case LAC_OPT_LIST:
        return store_list(option, value, at, err);
    case LAC_OPT_GRID:
        return store_grid(option, value, at, err);
    }
    return LAC_E_INTERNAL;
}

const char *lac_option_bare(lac_arena *arena, const char *word) {
    const char *slash = strrchr(word, '/');
    if (!slash) return word;
    const char *equals = *word == '-' ? strchr(word, '=') : NULL;
    const char *value = equals && equals < slash ? equals + 1 : word, *colon = strchr(value, ':');
    bool named = colon && colon < slash; // NAME:FOLDER
    return lac_arena_printf(arena, "%.*s%s", (int)(named ? colon - word : value - word), word,
                            named ? "" : slash + 1);
}

const char *lac_option_print(const lac_option *option, const void *args, char text[128]) {
    const void *at = (const char *)args + option->offset;
    const char *word = NULL;
    text[0] = 0;
    switch (option->kind) {
    case LAC_OPT_FLAG:
        word = *(const bool *)at ? "yes" : "no";
        break;
    case LAC_OPT_INT:
        snprintf(text, 128, "%d", *(const int *)at);
        break;
    case LAC_OPT_FLOAT:
        snprintf(text, 128, "%.7g", (double)*(const float *)at);
        break;
    case LAC_OPT_DOUBLE:
        snprintf(text, 128, "%.10g", *(const double *)at);
        break;
    case LAC_OPT_U64:
        snprintf(text, 128, "%llu", (unsigned long long)*(const uint64_t *)at);
        break;
    case LAC_OPT_TEXT:
    case LAC_OPT_LIST:
    case LAC_OPT_CHOICE:
        word = *(const char *const *)at;
        break;
    case LAC_OPT_INDEX:
        word = option->names(*(const int *)at);
        break;
    case LAC_OPT_GRID:
        snprintf(text, 128, "%dx%d", ((const int *)at)[0], ((const int *)at)[1]);
        break;
    }
    if (word) snprintf(text, 128, "%s", word);
    return text;
}

/// A command line being read.
typedef struct reader {
    const lac_option *options;
    int n_options;
    int argc, next;
    char **argv;
    void *args;
    bool given[MAX_OPTIONS];
} reader;

static const lac_option *find_long(const reader *r, const char *word, size_t n) {
    for (int i = 0; i < r->n_options; i++) {
        const lac_option *o = &r->options[i];
        if (!o->operand && strlen(o->name) == n && strncmp(o->name, word, n) == 0) return o;
    }
    return NULL;
}

static const lac_option *find_letter(const reader *r, char letter) {
    for (int i = 0; i < r->n_options; i++)
        if (r->options[i].letter == letter) return &r->options[i];
    return NULL;
}

static lac_status read_value(reader *r, const lac_option *option, const char *attached, lac_error *err) {
    char name[64], range[256];
    const char *value = attached;
    if (option->kind == LAC_OPT_FLAG && attached)
        LAC_FAIL(err, LAC_E_USAGE, "%s takes no value, and was given '%s'", row_name(option, name), attached);
    if (option->kind != LAC_OPT_FLAG && !value) {
        if (r->next >= r->argc)
            LAC_FAIL(err, LAC_E_USAGE, "%s needs a value: %s", row_name(option, name),
                     lac_option_range(option, range, sizeof range));
        value = r->argv[r->next++];
    }
    r->given[option - r->options] = true;
    return store(option, value, r->args, err);
}

static lac_status read_long(reader *r, const char *word, lac_error *err) {
    const char *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : strlen(word);
    const lac_option *option = find_long(r, word, n);
    if (option) return read_value(r, option, equals ? equals + 1 : NULL, err);
    char bare[64];
    snprintf(bare, sizeof bare, "%.*s", (int)n, word);
    const char *near = nearest_option(bare, r->options, r->n_options);
    if (near) LAC_FAIL(err, LAC_E_USAGE, "there is no option '--%s'; did you mean '--%s'?", bare, near);
    LAC_FAIL(err, LAC_E_USAGE, "there is no option '--%s'; --help lists them", bare);
}

static lac_status read_letter(reader *r, const char *word, lac_error *err) {
    const lac_option *option = find_letter(r, word[0]);
    if (!option) LAC_FAIL(err, LAC_E_USAGE, "there is no option '-%c'; --help lists them", word[0]);
    return read_value(r, option, word[1] ? word + 1 : NULL, err);
}

static lac_status read_operand(reader *r, const char *word, lac_error *err) {
    for (int i = 0; i < r->n_options; i++) {
        if (!r->options[i].operand || r->given[i]) continue;
        r->given[i] = true;
        return store(&r->options[i], word, r->args, err);
    }
    LAC_FAIL(err, LAC_E_USAGE, "'%s' is one word too many; --help shows the usage", word);
}

static lac_status check_given(const reader *r, lac_error *err) {
    for (int i = 0; i < r->n_options; i++) {
        const lac_option *o = &r->options[i];
        if (r->given[i] || o->fallback || !(o->operand || o->required)) continue;
        char name[64], range[256];
        if (o->names)
            LAC_FAIL(err, LAC_E_USAGE, "%s is missing: %s; %s", row_name(o, name), o->help,
                     lac_option_range(o, range, sizeof range));
        LAC_FAIL(err, LAC_E_USAGE, "%s is missing: %s", row_name(o, name), o->help);
    }
    return LAC_OK;
}

lac_status lac_option_parse(const lac_option *options, int n_options, int argc, char **argv, void *args,
                            lac_error *err) {
    assert(n_options <= MAX_OPTIONS);
    reader r = {.options = options, .n_options = n_options, .argc = argc, .argv = argv, .args = args};
    for (int i = 0; i < n_options; i++)
        if (options[i].fallback) LAC_TRY(store(&options[i], options[i].fallback, args, err));
    bool only_operands = false;
    while (r.next < argc) {
        const char *word = argv[r.next++];
        if (!only_operands && strcmp(word, "--") == 0)
            only_operands = true;
        else if (!only_operands && strncmp(word, "--", 2) == 0)
            LAC_TRY(read_long(&r, word + 2, err));
        else if (!only_operands && word[0] == '-' && word[1])
            LAC_TRY(read_letter(&r, word + 1, err));
        else
            LAC_TRY(read_operand(&r, word, err));
    }
    return check_given(&r, err);
}
