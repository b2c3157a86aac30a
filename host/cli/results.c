#include "results.h"

#include "file.h"

#include <stdlib.h>

static lac_status write_json(lac_doc *doc, const char *path, lac_error *err) {
    char *text = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&text, &n);
    if (!memory) LAC_FAIL(err, LAC_E_MEMORY, "cannot print the results: out of memory");
    lac_status status = lac_doc_print(doc, true, memory, err);
    fclose(memory);
    if (status == LAC_OK) status = lac_file_write(path, text, n, err);
    free(text);
    return status;
}

lac_status lac_results_print(const lac_cli *cli, lac_doc *doc, FILE *out, lac_error *err) {
    if (cli->common.results) LAC_TRY(write_json(doc, cli->common.results, err));
    return lac_doc_print(doc, cli->common.json, out, err);
}
