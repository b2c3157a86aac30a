#include "lint_text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int n_findings;

static void blank(char *text, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++)
        if (text[i] != '\n') text[i] = ' ';
}

static size_t comment_end(const char *text, size_t n, size_t at) {
    if (text[at + 1] == '/') {
        while (at < n && text[at] != '\n') at++;
        return at;
    }
    for (at += 2; at + 1 < n; at++)
        if (text[at] == '*' && text[at + 1] == '/') return at + 2;
    return n;
}

/// Names of included files stay: a directive's string is no data.
static int in_include(const char *text, size_t at) {
    while (at > 0 && text[at - 1] != '\n') at--;
    return strncmp(text + at, "#include", 8) == 0;
}

static void strip_comments(char *text, size_t n) {
    for (size_t i = 0; i + 1 < n; i++) {
        if (text[i] == '/' && (text[i + 1] == '/' || text[i + 1] == '*')) {
            size_t end = comment_end(text, n, i);
            blank(text, i, end);
            i = end - 1;
        } else if (text[i] == '"' && !in_include(text, i)) {
            size_t end = i + 1;
            while (end < n && text[end] != '"' && text[end] != '\n') end += text[end] == '\\' ? 2 : 1;
            blank(text, i + 1, end < n ? end : n);
            i = end;
        }
    }
}

int lint_read(const char *path, int strip, lint_text *out) {
    FILE *in = fopen(path, "rb");
    *out = (lint_text){.path = path};
    if (!in) {
        fprintf(stderr, "hls_lint: cannot read '%s'\n", path);
        return 0;
    }
    size_t room = 1 << 20;
    out->text = calloc(1, room);
    if (out->text) out->n = fread(out->text, 1, room - 2, in);
    fclose(in);
    if (!out->text || out->n == room - 2) {
        fprintf(stderr, "hls_lint: '%s' is too long\n", path);
        return 0;
    }
    if (strip) strip_comments(out->text, out->n);
    return 1;
}

void lint_free(lint_text *t) {
    free(t->text);
    *t = (lint_text){0};
}

void lint_find(const lint_text *t, size_t at, const char *format, ...) {
    int line = 1;
    for (size_t i = 0; i < at && i < t->n; i++) line += t->text[i] == '\n';
    printf("%s:%d: ", t->path, line);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    n_findings++;
}

int lint_n_findings(void) {
    return n_findings;
}

int lint_is_word(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

size_t lint_word_length(const lint_text *t, size_t at) {
    size_t n = 0;
    while (at + n < t->n && lint_is_word(t->text[at + n])) n++;
    return n;
}

size_t lint_skip_space(const lint_text *t, size_t at) {
    while (at < t->n && isspace((unsigned char)t->text[at])) at++;
    return at;
}

int lint_next_word(const lint_text *t, size_t *at) {
    while (*at < t->n && !lint_is_word(t->text[*at])) ++*at;
    return *at < t->n;
}

int lint_word_is(const lint_text *t, size_t at, const char *word) {
    return lint_word_length(t, at) == strlen(word) && lint_starts(t, at, word);
}

int lint_starts(const lint_text *t, size_t at, const char *text) {
    return at + strlen(text) <= t->n && strncmp(t->text + at, text, strlen(text)) == 0;
}

int lint_contains(const lint_text *t, const char *text) {
    return strstr(t->text, text) != NULL;
}

int lint_next_call(const lint_text *t, size_t *at, const char *name) {
    while (lint_next_word(t, at)) {
        size_t n = lint_word_length(t, *at), open = lint_skip_space(t, *at + n);
        if (lint_word_is(t, *at, name) && open < t->n && t->text[open] == '(') return 1;
        *at += n;
    }
    return 0;
}

size_t lint_close(const lint_text *t, size_t open) {
    int depth = 0;
    for (size_t i = open; i < t->n; i++) {
        depth += t->text[i] == '(' || t->text[i] == '{' || t->text[i] == '[';
        depth -= t->text[i] == ')' || t->text[i] == '}' || t->text[i] == ']';
        if (depth == 0) return i;
    }
    return t->n - 1;
}

static size_t arguments(const lint_text *t, size_t at, char between, char *out, size_t n) {
    size_t open = lint_skip_space(t, at + lint_word_length(t, at)), close = lint_close(t, open), used = 0;
    for (size_t i = open + 1; i < close && used + 2 < n; i++) {
        if (!isspace((unsigned char)t->text[i])) {
            out[used++] = t->text[i];
            continue;
        }
        size_t next = lint_skip_space(t, i);
        if (used && lint_is_word(out[used - 1]) && next < close &&
            (lint_is_word(t->text[next]) || t->text[next] == '*'))
            out[used++] = between;
        i = next - 1;
    }
    out[used] = '\0';
    return close;
}

size_t lint_arguments(const lint_text *t, size_t at, char *out, size_t n) {
    return arguments(t, at, ',', out, n);
}

size_t lint_arguments_spaced(const lint_text *t, size_t at, char *out, size_t n) {
    return arguments(t, at, ' ', out, n);
}

size_t lint_next_line(const lint_text *t, size_t at) {
    while (at < t->n && t->text[at] != '\n') at++;
    return at + 1;
}

void lint_line(const lint_text *t, size_t at, char *out, size_t n) {
    size_t used = 0;
    while (at < t->n && t->text[at] != '\n' && used + 1 < n) out[used++] = t->text[at++];
    out[used] = '\0';
}
