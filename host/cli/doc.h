#ifndef LAC_DOC_H
#define LAC_DOC_H

#include "arena.h"
#include "lac_status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/// Results of a command: facts and tables, collected once, printed for people or as JSON. Both come from the
/// same calls, so they cannot disagree.
typedef struct lac_doc lac_doc;

/// How a number is shown to people; JSON always gets the number itself.
typedef enum lac_doc_form {
    LAC_DOC_COUNT,   ///< 12,345
    LAC_DOC_PERCENT, ///< a share 0..1 as 91.27 %
    LAC_DOC_RATIO,   ///< 1.034
    LAC_DOC_REAL,    ///< 4 significant digits
    LAC_DOC_SECONDS, ///< 12.3 s
    LAC_DOC_BYTES,   ///< 12,345 bytes
} lac_doc_form;

lac_doc *lac_doc_open(lac_arena *arena);
void lac_doc_close(lac_doc *doc);

/// A fact: "label  value" for people, "key": value in JSON. A label of NULL is for JSON only.
void lac_doc_number(lac_doc *doc, const char *key, const char *label, double value, lac_doc_form form);
void lac_doc_text(lac_doc *doc, const char *key, const char *label, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void lac_doc_flag(lac_doc *doc, const char *key, const char *label, bool value);

/// A sentence on a line of its own, for people only.
void lac_doc_line(lac_doc *doc, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// A table: _begin, then for each row _row and one _cell call a column in order, then _end. keys and heads
/// are separated by '|'; a head that begins with '<' is aligned left. JSON: "key": [{...}, ...].
void lac_doc_table_begin(lac_doc *doc, const char *key, const char *keys, const char *heads);
void lac_doc_row(lac_doc *doc);
void lac_doc_cell(lac_doc *doc, double value, lac_doc_form form);
void lac_doc_cell_text(lac_doc *doc, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lac_doc_cell_none(lac_doc *doc); ///< "-", null in JSON
void lac_doc_table_end(lac_doc *doc);

/// Prints all to a stream.
///
/// errors  E_IO
lac_status lac_doc_print(lac_doc *doc, bool json, FILE *out, lac_error *err) LAC_MUST_CHECK;

#endif
