#include "doc.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 16, MAX_CELL = 160, MAX_LABEL = 24 };

typedef struct line {
    struct line *next;
    const char *text;
} line;

typedef struct row {
    struct row *next;
    const char *cells[MAX_COLUMNS];
} row;

struct lac_doc {
    lac_arena *arena;
    cJSON *root;
    line *first, *last;
    // The table that is being filled.
    cJSON *array, *object;
    int n_columns, column;
    const char *keys[MAX_COLUMNS], *heads[MAX_COLUMNS];
    row *first_row, *last_row;
};

lac_doc *lac_doc_open(lac_arena *arena) {
    lac_doc *doc = LAC_NEW(arena, lac_doc);
    doc->arena = arena;
    doc->root = cJSON_CreateObject();
    return doc;
}

void lac_doc_close(lac_doc *doc) {
    if (doc) cJSON_Delete(doc->root);
}

static void add_line(lac_doc *doc, const char *text) {
    line *l = LAC_NEW(doc->arena, line);
    l->text = text;
    if (doc->last)
        doc->last->next = l;
    else
        doc->first = l;
    doc->last = l;
}

static const char *print_count(double value, char text[64]) {
    char digits[40];
    int n = snprintf(digits, sizeof digits, "%.0f", fabs(value));
    char *to = text;
    if (value < 0) *to++ = '-';
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return text;
}

static const char *print_number(double value, lac_doc_form form, char text[64]) {
    char count[64];
    switch (form) {
    case LAC_DOC_COUNT:
        print_count(value, text);
        break;
    case LAC_DOC_PERCENT:
        snprintf(text, 64, "%.2f %%", 100.0 * value);
        break;
    case LAC_DOC_RATIO:
        snprintf(text, 64, "%.3f", value);
        break;
    case LAC_DOC_REAL:
        snprintf(text, 64, "%.4g", value);
        break;
    case LAC_DOC_SECONDS:
        snprintf(text, 64, "%.1f s", value);
        break;
    case LAC_DOC_BYTES:
        snprintf(text, 64, "%s bytes", print_count(value, count));
        break;
    }
    return text;
}

static void add_fact(lac_doc *doc, const char *label, const char *value) {
    if (label) add_line(doc, lac_arena_printf(doc->arena, "%-*s  %s", MAX_LABEL, label, value));
}

void lac_doc_number(lac_doc *doc, const char *key, const char *label, double value, lac_doc_form form) {
    char text[64];
    cJSON_AddNumberToObject(doc->root, key, value);
    add_fact(doc, label, print_number(value, form, text));
}

void lac_doc_text(lac_doc *doc, const char *key, const char *label, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cJSON_AddStringToObject(doc->root, key, text);
    add_fact(doc, label, text);
}

void lac_doc_flag(lac_doc *doc, const char *key, const char *label, bool value) {
    cJSON_AddBoolToObject(doc->root, key, value);
    add_fact(doc, label, value ? "yes" : "no");
}

void lac_doc_line(lac_doc *doc, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add_line(doc, lac_arena_strdup(doc->arena, text));
}

/// Splits "a|b|c" into out; returns how many.
static int split(lac_doc *doc, const char *text, const char **out) {
    int n = 0;
    char *part = lac_arena_strdup(doc->arena, text);
    while (part) {
        assert(n < MAX_COLUMNS);
        char *bar = strchr(part, '|');
        if (bar) *bar++ = 0;
        out[n++] = part;
        part = bar;
    }
    return n;
}

void lac_doc_table_begin(lac_doc *doc, const char *key, const char *keys, const char *heads) {
    doc->array = cJSON_AddArrayToObject(doc->root, key);
    doc->n_columns = split(doc, keys, doc->keys);
    int n_heads = split(doc, heads, doc->heads);
    assert(n_heads == doc->n_columns);
    (void)n_heads;
    doc->first_row = doc->last_row = NULL;
}

void lac_doc_row(lac_doc *doc) {
    assert(!doc->last_row || doc->column == doc->n_columns);
    row *r = LAC_NEW(doc->arena, row);
    if (doc->last_row)
        doc->last_row->next = r;
    else
        doc->first_row = r;
    doc->last_row = r;
    doc->column = 0;
    doc->object = cJSON_CreateObject();
    cJSON_AddItemToArray(doc->array, doc->object);
}

static void add_cell(lac_doc *doc, const char *text) {
    assert(doc->column < doc->n_columns);
    doc->last_row->cells[doc->column++] = lac_arena_strdup(doc->arena, text);
}

void lac_doc_cell(lac_doc *doc, double value, lac_doc_form form) {
    char text[64];
    cJSON_AddNumberToObject(doc->object, doc->keys[doc->column], value);
    add_cell(doc, print_number(value, form, text));
}

void lac_doc_cell_text(lac_doc *doc, const char *format, ...) {
    char text[MAX_CELL];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cJSON_AddStringToObject(doc->object, doc->keys[doc->column], text);
    add_cell(doc, text);
}

void lac_doc_cell_none(lac_doc *doc) {
    cJSON_AddNullToObject(doc->object, doc->keys[doc->column]);
    add_cell(doc, "-");
}

static void add_table_line(lac_doc *doc, const char *const *cells, const int *widths) {
    char text[1024];
    size_t n = 0;
    for (int c = 0; c < doc->n_columns && n < sizeof text; c++) {
        bool left = doc->heads[c][0] == '<';
        const char *cell = cells[c] + (cells == doc->heads && left);
        int width = left && c == doc->n_columns - 1 ? 0 : widths[c];
        n += (size_t)snprintf(text + n, sizeof text - n, left ? "%s%-*s" : "%s%*s", c ? "  " : "", width,
                              cell);
    }
    add_line(doc, lac_arena_strdup(doc->arena, text));
}

void lac_doc_table_end(lac_doc *doc) {
    int widths[MAX_COLUMNS];
    for (int c = 0; c < doc->n_columns; c++) {
        widths[c] = (int)strlen(doc->heads[c]) - (doc->heads[c][0] == '<');
        for (const row *r = doc->first_row; r; r = r->next)
            if ((int)strlen(r->cells[c]) > widths[c]) widths[c] = (int)strlen(r->cells[c]);
    }
    if (doc->last) add_line(doc, "");
    add_table_line(doc, doc->heads, widths);
    for (const row *r = doc->first_row; r; r = r->next) add_table_line(doc, r->cells, widths);
    add_line(doc, "");
    doc->first_row = doc->last_row = NULL;
}

static void print_lines(const lac_doc *doc, FILE *out) {
    bool blank = true; // no blank line first or last, and never two
    const line *held = NULL;
    for (const line *l = doc->first; l; l = l->next) {
        if (!l->text[0]) {
            held = blank ? NULL : l;
            continue;
        }
        if (held) fputc('\n', out);
        held = NULL;
        fprintf(out, "%s\n", l->text);
        blank = false;
    }
}

lac_status lac_doc_print(lac_doc *doc, bool json, FILE *out, lac_error *err) {
    if (json) {
        char *text = cJSON_Print(doc->root);
        if (!text) LAC_FAIL(err, LAC_E_MEMORY, "cannot print the results: out of memory");
        fprintf(out, "%s\n", text);
        cJSON_free(text);
    } else {
        print_lines(doc, out);
    }
    if (fflush(out) == 0 && !ferror(out)) return LAC_OK;
    LAC_FAIL(err, LAC_E_IO, "cannot print the results: %s", strerror(errno));
}
