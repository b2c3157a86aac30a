#include "widths_file.h"

#include "file.h"

#include <cyaml/cyaml.h>
#include <stdio.h>
#include <string.h>

typedef struct widths_entry {
    char *layer;
    int weights, acts;
} widths_entry;

typedef struct widths_document {
    widths_entry *layers;
    unsigned layers_count;
} widths_document;

static const cyaml_schema_field_t entry_fields[] = {
    CYAML_FIELD_STRING_PTR("layer", CYAML_FLAG_POINTER, widths_entry, layer, 1, CYAML_UNLIMITED),
    CYAML_FIELD_INT("weights", CYAML_FLAG_OPTIONAL, widths_entry, weights),
    CYAML_FIELD_INT("acts", CYAML_FLAG_OPTIONAL, widths_entry, acts),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t entry_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, widths_entry, entry_fields),
};

static const cyaml_schema_field_t document_fields[] = {
    CYAML_FIELD_SEQUENCE("layers", CYAML_FLAG_POINTER, widths_document, layers, &entry_schema, 0,
                         CYAML_UNLIMITED),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t document_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, widths_document, document_fields),
};

/// The parser's own words, line by line; the first says what, the others where.
typedef struct words {
    char text[256];
} words;

static void note(cyaml_log_t level, void *ctx, const char *format, va_list args) {
    words *w = ctx;
    size_t n = strlen(w->text);
    (void)level;
    vsnprintf(w->text + n, sizeof w->text - n, format, args);
    for (char *c = w->text; *c; c++)
        if (*c == '\n') *c = ' ';
}

lac_status lac_widths_read(const char *path, lac_arena *arena, lac_layer_widths **out, int *n,
                           lac_error *err) {
    words said = {""};
    const cyaml_config_t config = {
        .log_fn = note, .log_ctx = &said, .log_level = CYAML_LOG_ERROR, .mem_fn = cyaml_mem};
    widths_document *document = NULL;
    lac_bytes bytes;
    LAC_TRY(lac_file_read(path, arena, &bytes, err));
    cyaml_err_t status =
        cyaml_load_data(bytes.data, bytes.n, &config, &document_schema, (cyaml_data_t **)&document, NULL);
    if (status != CYAML_OK)
        LAC_FAIL(err, LAC_E_FORMAT, "%s: %s (%s); it is a list 'layers' of 'layer', 'weights' and 'acts'",
                 path, cyaml_strerror(status), said.text);
    *n = document ? (int)document->layers_count : 0;
    *out = LAC_NEW_ARRAY(arena, lac_layer_widths, *n + 1);
    for (int i = 0; i < *n; i++)
        (*out)[i] = (lac_layer_widths){lac_arena_strdup(arena, document->layers[i].layer),
                                       document->layers[i].weights, document->layers[i].acts};
    cyaml_free(&config, &document_schema, document, 0);
    return LAC_OK;
}

lac_status lac_widths_write(const char *path, const lac_layer_widths *widths, int n, lac_error *err) {
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to write '%s'", path);
    char *text = lac_arena_strdup(arena, "layers:\n");
    for (int i = 0; i < n; i++)
        text = lac_arena_printf(arena, "%s  - layer: \"%s\"\n    weights: %d\n    acts: %d\n", text,
                                widths[i].layer, widths[i].weights, widths[i].acts);
    lac_status status = lac_file_write(path, text, strlen(text), err);
    lac_arena_close(arena);
    return status;
}
