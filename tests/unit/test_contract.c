#include "lac_contract.h"
#include "lac_registers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

typedef struct field {
    const char *name;
    int word, lsb, width, is_signed;
} field;

static const field fields[] = {
#define LAC_FIELD(record, name, word, lsb, width, is_signed, doc)                                            \
    {#record "." #name, word, lsb, width, is_signed},
#include "program.def"
#undef LAC_FIELD
};
enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static void every_field_keeps_its_extremes_and_leaves_the_others_alone(void **state) {
    (void)state;
    for (int i = 0; i < N_FIELDS; i++) {
        const field *f = &fields[i];
        int64_t most = (int64_t)(~(uint64_t)0 >> (64 - f->width)) >> f->is_signed;
        int64_t least = f->is_signed ? -most - 1 : 0;
        const int64_t values[] = {least, most, 0, 1};
        for (int k = 0; k < 4; k++) {
            uint64_t zeros[4] = {0}, ones[4] = {~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0, ~(uint64_t)0};
            if (values[k] > most) continue;
            assert_true(lac_field_fits(f->width, f->is_signed, values[k]));
            lac_field_set(zeros, f->word, f->lsb, f->width, values[k]);
            lac_field_set(ones, f->word, f->lsb, f->width, values[k]);
            assert_int_equal(lac_field_get(zeros, f->word, f->lsb, f->width, f->is_signed), values[k]);
            assert_int_equal(lac_field_get(ones, f->word, f->lsb, f->width, f->is_signed), values[k]);
            // Bits outside of the field differ still.
            uint64_t mask = (~(uint64_t)0 >> (64 - f->width)) << f->lsb;
            assert_true((zeros[f->word] ^ ones[f->word]) == ~mask);
        }
        assert_false(lac_field_fits(f->width, f->is_signed, most + 1));
        assert_false(lac_field_fits(f->width, f->is_signed, least - 1));
    }
}

static void macros_name_the_fields(void **state) {
    (void)state;
    uint64_t words[LAC_LAYER_WORDS] = {0};
    LAC_FIELD_SET(words, LAYER_LO, -256);
    LAC_FIELD_SET(words, LAYER_HI, 255);
    assert_int_equal(LAC_FIELD_GET(words, LAYER_LO), -256);
    assert_int_equal(LAC_FIELD_GET(words, LAYER_HI), 255);
    assert_true(LAC_FIELD_FITS(LAYER_N_OUT, 65535));
    assert_false(LAC_FIELD_FITS(LAYER_N_OUT, 65536));
    assert_string_equal(lac_params[0].name, "MESH_X");
}

static void verilog_has_the_same_hash(void **state) {
    (void)state;
    FILE *in = fopen(LAC_CONTRACT_VH, "r");
    assert_non_null(in);
    char line[256];
    unsigned hash = 0;
    while (fgets(line, sizeof line, in)) {
        if (sscanf(line, "`define LAC_CONTRACT_HASH 32'h%x", &hash) == 1) break;
    }
    fclose(in);
    assert_int_equal(hash, LAC_CONTRACT_HASH);
}

static void the_generator_refuses_overlapping_fields_and_says_which(void **state) {
    (void)state;
    FILE *out = popen(LAC_FAULTY_GENERATOR " . 2>&1", "r");
    assert_non_null(out);
    char text[2048];
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
    int result = pclose(out);
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == 1);
    assert_non_null(
        strstr(text, "RECORD.SECOND (word 0, bits 7..10) and RECORD.FIRST (word 0, bits 0..7) overlap"));
    assert_non_null(strstr(text, "RECORD.THIRD takes bits 60..64 of word 1"));
    assert_null(strstr(text, "OTHER"));
    assert_non_null(strstr(text, "argument SECOND is at 0x18, but Vitis puts it at 0x1c"));
    assert_non_null(strstr(text, "register INSIDE at 0x18 overlaps another register or an argument"));
    assert_non_null(strstr(text, "report word GAP is at byte 8, but the one before ends at 4"));
    assert_non_null(strstr(text, "the report has 16 bytes instead of 64"));
}

/// Every argument of registers.def must stand in a printed file, at its offset, in the order of the
/// signature.
static void kernel_xml_has_every_argument_at_its_offset(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int offset, is_pointer;
    } rows[] = {
#define LAC_ARGUMENT(name, c_name, offset, is_pointer, type, doc) {#c_name, offset, is_pointer},
#include "registers.def"
    };
    FILE *in = fopen(LAC_KERNEL_XML, "r");
    assert_non_null(in);
    char line[512];
    int n = 0;
    while (fgets(line, sizeof line, in)) {
        char name[64];
        int qualifier, id;
        unsigned offset;
        if (sscanf(line, " <arg name=\"%63[^\"]\" addressQualifier=\"%d\" id=\"%d\"", name, &qualifier,
                   &id) != 3)
            continue;
        assert_in_range(n, 0, LAC_N_ARGUMENTS - 1);
        assert_int_equal(sscanf(strstr(line, "offset="), "offset=\"%x\"", &offset), 1);
        assert_string_equal(name, rows[n].name);
        assert_int_equal(qualifier, rows[n].is_pointer);
        assert_int_equal(id, n);
        assert_int_equal(offset, rows[n].offset);
        n++;
    }
    fclose(in);
    assert_int_equal(n, LAC_N_ARGUMENTS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_keeps_its_extremes_and_leaves_the_others_alone),
        cmocka_unit_test(macros_name_the_fields),
        cmocka_unit_test(verilog_has_the_same_hash),
        cmocka_unit_test(the_generator_refuses_overlapping_fields_and_says_which),
        cmocka_unit_test(kernel_xml_has_every_argument_at_its_offset),
    };
    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
