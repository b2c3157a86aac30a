#ifndef LAC_LINT_TEXT_H
#define LAC_LINT_TEXT_H

#include <stddef.h>

/// Source text without its comments, and the few questions that the lint asks of it.

typedef struct lint_text {
    const char *path;
    char *text; ///< comments and strings are blanks; lines are as in the file
    size_t n;
} lint_text;

/// Reads a file; strip: blanks out comments and the contents of strings. 0 and a sentence when it cannot.
int lint_read(const char *path, int strip, lint_text *out);
void lint_free(lint_text *t);

/// Prints "path:line: sentence" and counts it.
void lint_find(const lint_text *t, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));
int lint_n_findings(void);

int lint_is_word(char c);
size_t lint_word_length(const lint_text *t, size_t at);
size_t lint_skip_space(const lint_text *t, size_t at);
/// Moves *at to the next word, or returns 0.
int lint_next_word(const lint_text *t, size_t *at);
int lint_word_is(const lint_text *t, size_t at, const char *word);
int lint_starts(const lint_text *t, size_t at, const char *text);
int lint_contains(const lint_text *t, const char *text);

/// Moves *at to the next use of NAME that a '(' follows, or returns 0.
int lint_next_call(const lint_text *t, size_t *at, const char *name);
/// The bracket that closes the one at `open`.
size_t lint_close(const lint_text *t, size_t open);
/// What stands in the brackets after the word at `at`, without blanks (a comma where there was one between
/// words, one blank in the other form); the place of the closing one.
size_t lint_arguments(const lint_text *t, size_t at, char *out, size_t n);
size_t lint_arguments_spaced(const lint_text *t, size_t at, char *out, size_t n);

size_t lint_next_line(const lint_text *t, size_t at);
void lint_line(const lint_text *t, size_t at, char *out, size_t n);

#endif
