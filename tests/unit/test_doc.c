#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doc.h"

static lac_doc *make(lac_arena *arena) {
    lac_doc *doc = lac_doc_open(arena);
    lac_doc_text(doc, "network", "network", "tiny %d", 2);
    lac_doc_number(doc, "accuracy", "accuracy", 0.9128, LAC_DOC_PERCENT);
    lac_doc_number(doc, "hidden", NULL, 3, LAC_DOC_COUNT);
    lac_doc_table_begin(doc, "steps", "step|cycles|reason", "<step|cycles|<the rest");
    lac_doc_row(doc);
    lac_doc_cell_text(doc, "conv1");
    lac_doc_cell(doc, 1234567, LAC_DOC_COUNT);
    lac_doc_cell_text(doc, "drain");
    lac_doc_row(doc);
    lac_doc_cell_text(doc, "fc");
    lac_doc_cell(doc, -42, LAC_DOC_COUNT);
    lac_doc_cell_none(doc);
    lac_doc_table_end(doc);
    lac_doc_flag(doc, "equal", "equal", true);
    return doc;
}

static void prints(bool json, const char *expected) {
    lac_arena *arena = lac_arena_open();
    lac_doc *doc = make(arena);
    char *text;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    assert_int_equal(lac_doc_print(doc, json, out, NULL), LAC_OK);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
    lac_doc_close(doc);
    lac_arena_close(arena);
}

static void people_get_aligned_tables(void **state) {
    (void)state;
    prints(false, "network                   tiny 2\n"
                  "accuracy                  91.28 %\n"
                  "\n"
                  "step      cycles  the rest\n"
                  "conv1  1,234,567  drain\n"
                  "fc           -42  -\n"
                  "\n"
                  "equal                     yes\n");
}

static void programs_get_json_with_the_numbers_themselves(void **state) {
    (void)state;
    prints(true, "{\n"
                 "\t\"network\":\t\"tiny 2\",\n"
                 "\t\"accuracy\":\t0.9128,\n"
                 "\t\"hidden\":\t3,\n"
                 "\t\"steps\":\t[{\n"
                 "\t\t\t\"step\":\t\"conv1\",\n"
                 "\t\t\t\"cycles\":\t1234567,\n"
                 "\t\t\t\"reason\":\t\"drain\"\n"
                 "\t\t}, {\n"
                 "\t\t\t\"step\":\t\"fc\",\n"
                 "\t\t\t\"cycles\":\t-42,\n"
                 "\t\t\t\"reason\":\tnull\n"
                 "\t\t}],\n"
                 "\t\"equal\":\ttrue\n"
                 "}\n");
}

static void full_disk_is_an_error(void **state) {
    (void)state;
    lac_arena *arena = lac_arena_open();
    lac_doc *doc = make(arena);
    lac_error err = {0};
    FILE *out = fopen("/dev/full", "w");
    assert_int_equal(lac_doc_print(doc, false, out, &err), LAC_E_IO);
    assert_string_equal(err.text, "cannot print the results: No space left on device");
    fclose(out);
    lac_doc_close(doc);
    lac_arena_close(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_get_aligned_tables),
        cmocka_unit_test(programs_get_json_with_the_numbers_themselves),
        cmocka_unit_test(full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
