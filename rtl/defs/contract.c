/// Prints the contract between compiler, engine and host from program.def, engine.def and registers.def:
/// lac_contract.h (C), lac_contract.vh (Verilog) and contract.md (people), for the kernel's registers
/// lac_registers.h, lac_registers.vh, kernel.xml and registers.tcl. Run by the build.
///
///   lac_contract_gen DIRECTORY
///
/// It refuses tables in which two fields of a record share a bit, a field leaves its word, or a default is
/// out of its own limits: a sentence on stderr and exit code 1.

#include "registers.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct field {
    const char *record, *name;
    int word, lsb, width, is_signed;
    const char *doc;
} field;

typedef struct param {
    const char *name, *member;
    long value, low, high;
    const char *unit, *doc;
} param;

#ifndef LAC_PROGRAM_DEF
#define LAC_PROGRAM_DEF "program.def"
#endif
#ifndef LAC_ENGINE_DEF
#define LAC_ENGINE_DEF "engine.def"
#endif

static const field fields[] = {
#define LAC_FIELD(record, name, word, lsb, width, is_signed, doc)                                            \
    {#record, #name, word, lsb, width, is_signed, doc},
#include LAC_PROGRAM_DEF
#undef LAC_FIELD
};
static const param params[] = {
#define LAC_PARAM(name, member, value, low, high, unit, doc) {#name, #member, value, low, high, unit, doc},
#include LAC_ENGINE_DEF
#undef LAC_PARAM
};
enum { N_FIELDS = sizeof fields / sizeof fields[0], N_PARAMS = sizeof params / sizeof params[0] };

static int last_bit(const field *f) {
    return f->lsb + f->width - 1;
}

static int check_field(const field *f) {
    if (f->word < 0 || f->lsb < 0 || f->width < 1 || last_bit(f) > 63) {
        fprintf(stderr, "program.def: %s.%s takes bits %d..%d of word %d, but a word has bits 0..63\n",
                f->record, f->name, f->lsb, last_bit(f), f->word);
        return 1;
    }
    for (const field *g = fields; g < f; g++) {
        if (strcmp(f->record, g->record) != 0) continue;
        int shares = f->word == g->word && f->lsb <= last_bit(g) && g->lsb <= last_bit(f);
        if (!shares && strcmp(f->name, g->name) != 0) continue;
        fprintf(stderr,
                "program.def: %s.%s (word %d, bits %d..%d) and %s.%s (word %d, bits %d..%d) %s; move one\n",
                f->record, f->name, f->word, f->lsb, last_bit(f), g->record, g->name, g->word, g->lsb,
                last_bit(g), shares ? "overlap" : "have one name");
        return 1;
    }
    return 0;
}

static int check_tables(void) {
    int wrong = 0;
    for (int i = 0; i < N_FIELDS; i++) wrong |= check_field(&fields[i]);
    for (int i = 0; i < N_PARAMS; i++) {
        const param *p = &params[i];
        if (p->low <= p->value && p->value <= p->high) continue;
        fprintf(stderr, "engine.def: %s defaults to %ld, outside its own limits %ld..%ld\n", p->name,
                p->value, p->low, p->high);
        wrong = 1;
    }
    return wrong | lac_registers_check();
}

static void hash_text(uint32_t *hash, const char *text) {
    for (; *text; text++) *hash = (*hash ^ (uint8_t)*text) * 16777619u;
}

/// What the rows do not say: raised when the same fields mean something else. 2: an entry goes up to 3 *
/// MINOR.
static const char meaning[] = "meaning 2\n";

/// FNV-1a over names and numbers of all rows; the documentation may change without changing the contract.
static uint32_t contract_hash(void) {
    uint32_t hash = 2166136261u;
    char row[256];
    hash_text(&hash, meaning);
    for (int i = 0; i < N_FIELDS; i++) {
        const field *f = &fields[i];
        snprintf(row, sizeof row, "%s.%s %d %d %d %d\n", f->record, f->name, f->word, f->lsb, f->width,
                 f->is_signed);
        hash_text(&hash, row);
    }
    for (int i = 0; i < N_PARAMS; i++) {
        const param *p = &params[i];
        snprintf(row, sizeof row, "%s %ld %ld\n", p->name, p->low, p->high);
        hash_text(&hash, row);
    }
    lac_registers_hash(hash_text, &hash);
    return hash;
}

static int is_first_of_record(int i) {
    return i == 0 || strcmp(fields[i].record, fields[i - 1].record) != 0;
}

static int record_words(const char *record) {
    int words = 0;
    for (int i = 0; i < N_FIELDS; i++) {
        if (strcmp(fields[i].record, record) == 0 && fields[i].word >= words) words = fields[i].word + 1;
    }
    return words;
}

static void print_c_params(FILE *out) {
    for (int i = 0; i < N_PARAMS; i++) {
        const param *p = &params[i];
        fprintf(out, "#define LAC_%s_DEFAULT %ld ///< %s: %s\n", p->name, p->value, p->unit, p->doc);
        fprintf(out, "#define LAC_%s_MIN %ld\n#define LAC_%s_MAX %ld\n", p->name, p->low, p->name, p->high);
    }
    fprintf(out, "\n/// The members of a struct of engine parameters, in the order of engine.def.\n"
                 "#define LAC_ENGINE_MEMBERS");
    for (int i = 0; i < N_PARAMS; i++) fprintf(out, " \\\n    int %s;", params[i].member);
    fprintf(out,
            "\n\n#if !defined(__OPENCL_C_VERSION__) && !defined(__SYNTHESIS__)\ntypedef struct "
            "lac_param_limits {\n    const char *name;\n    "
            "int32_t value, low, high;\n"
            "    const char *unit, *doc;\n} lac_param_limits;\n"
            "enum { LAC_N_PARAMS = %d };\n"
            "/// Every engine parameter with its default and limits, in the order of engine.def.\n"
            "static const lac_param_limits lac_params[LAC_N_PARAMS] = {\n",
            N_PARAMS);
    for (int i = 0; i < N_PARAMS; i++) {
        const param *p = &params[i];
        fprintf(out, "    {\"%s\", %ld, %ld, %ld, \"%s\", \"%s\"},\n", p->name, p->value, p->low, p->high,
                p->unit, p->doc);
    }
    fprintf(out, "};\n#endif\n");
}

static void print_c(FILE *out) {
    fprintf(out,
            "/* Printed by rtl/defs/contract.c from program.def and engine.def; do not edit. */\n"
            "#ifndef LAC_CONTRACT_H\n#define LAC_CONTRACT_H\n\n"
            "/* OpenCL C, one of the kernel's dialects, has no such header: its types are in lac_hls.h. */\n"
            "#ifndef __OPENCL_C_VERSION__\n#include <stdint.h>\n#endif\n\n"
            "#define LAC_CONTRACT_HASH 0x%08xu\n\n",
            contract_hash());
    for (int i = 0; i < N_FIELDS; i++) {
        const field *f = &fields[i];
        if (is_first_of_record(i))
            fprintf(out, "#define LAC_%s_WORDS %d\n", f->record, record_words(f->record));
        fprintf(out, "/* %s */\n", f->doc);
        fprintf(out, "#define LAC_%s_%s_WORD %d\n", f->record, f->name, f->word);
        fprintf(out, "#define LAC_%s_%s_LSB %d\n", f->record, f->name, f->lsb);
        fprintf(out, "#define LAC_%s_%s_WIDTH %d\n", f->record, f->name, f->width);
        fprintf(out, "#define LAC_%s_%s_SIGNED %d\n", f->record, f->name, f->is_signed);
    }
    fprintf(
        out,
        "\n/// Puts value into a field of words; bits of other fields stay. Use LAC_FIELD_SET.\n"
        "static inline void lac_field_set(uint64_t *words, int word, int lsb, int width, int64_t value) {\n"
        "    uint64_t mask = (~(uint64_t)0 >> (64 - width)) << lsb;\n"
        "    words[word] = (words[word] & ~mask) | (((uint64_t)value << lsb) & mask);\n}\n"
        "/// Takes a field out of words, sign-extended where is_signed. Use LAC_FIELD_GET.\n"
        "static inline int64_t lac_field_get(const uint64_t *words, int word, int lsb, int width,\n"
        "                                    int is_signed) {\n"
        "    uint64_t value = (words[word] >> lsb) & (~(uint64_t)0 >> (64 - width));\n"
        "    uint64_t sign = (uint64_t)(is_signed != 0) << (width - 1);\n"
        "    return (int64_t)((value ^ sign) - sign);\n}\n"
        "/// Whether value survives the field: get(set(value)) == value.\n"
        "static inline int lac_field_fits(int width, int is_signed, int64_t value) {\n"
        "    uint64_t words[1] = {0};\n"
        "    lac_field_set(words, 0, 0, width, value);\n"
        "    return lac_field_get(words, 0, 0, width, is_signed) == value;\n}\n"
        "#define LAC_FIELD_SET(words, field, value) \\\n"
        "    lac_field_set((words), LAC_##field##_WORD, LAC_##field##_LSB, LAC_##field##_WIDTH, (value))\n"
        "#define LAC_FIELD_GET(words, field) \\\n"
        "    lac_field_get((words), LAC_##field##_WORD, LAC_##field##_LSB, LAC_##field##_WIDTH, \\\n"
        "                  LAC_##field##_SIGNED)\n"
        "#define LAC_FIELD_FITS(field, value) \\\n"
        "    lac_field_fits(LAC_##field##_WIDTH, LAC_##field##_SIGNED, (value))\n\n");
    print_c_params(out);
    fprintf(out, "\n#endif\n");
}

/// A Verilog field is a part-select of the record's words laid side by side: desc[`LAC_LAYER_KIND].
static void print_verilog(FILE *out) {
    fprintf(out,
            "// Printed by rtl/defs/contract.c from program.def and engine.def; do not edit.\n"
            "`ifndef LAC_CONTRACT_VH\n`define LAC_CONTRACT_VH\n`define LAC_CONTRACT_HASH 32'h%08x\n",
            contract_hash());
    for (int i = 0; i < N_FIELDS; i++) {
        const field *f = &fields[i];
        if (is_first_of_record(i))
            fprintf(out, "`define LAC_%s_WORDS %d\n", f->record, record_words(f->record));
        fprintf(out, "`define LAC_%s_%s %d +: %d\n", f->record, f->name, f->word * 64 + f->lsb, f->width);
        fprintf(out, "`define LAC_%s_%s_WIDTH %d\n", f->record, f->name, f->width);
    }
    for (int i = 0; i < N_PARAMS; i++) {
        const param *p = &params[i];
        fprintf(out, "`define LAC_%s_DEFAULT %ld\n`define LAC_%s_MIN %ld\n`define LAC_%s_MAX %ld\n", p->name,
                p->value, p->name, p->low, p->name, p->high);
    }
    fprintf(out, "`endif\n");
}

static void print_markdown(FILE *out) {
    fprintf(out,
            "# Contract %08x\n\nPrinted from the tables in `rtl/defs`.\n\n"
            "## Engine parameters\n\n| parameter | default | limits | unit | meaning |\n"
            "| --- | --- | --- | --- | --- |\n",
            contract_hash());
    for (int i = 0; i < N_PARAMS; i++) {
        const param *p = &params[i];
        fprintf(out, "| %s | %ld | %ld..%ld | %s | %s |\n", p->name, p->value, p->low, p->high, p->unit,
                p->doc);
    }
    for (int i = 0; i < N_FIELDS; i++) {
        const field *f = &fields[i];
        if (is_first_of_record(i)) {
            fprintf(out,
                    "\n## %s: %d word%s\n\n| field | word | bits | type | meaning |\n| --- | --- | --- | --- "
                    "| --- |\n",
                    f->record, record_words(f->record), record_words(f->record) == 1 ? "" : "s");
        }
        fprintf(out, "| %s | %d | %d..%d | %c%d | %s |\n", f->name, f->word, f->lsb, last_bit(f),
                f->is_signed ? 's' : 'u', f->width, f->doc);
    }
    lac_registers_print_markdown(out);
}

static int write_file(const char *directory, const char *name, void (*print)(FILE *)) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *out = fopen(path, "w");
    if (out) {
        print(out);
        if (fclose(out) == 0) return 0;
    }
    fprintf(stderr, "cannot write %s: %s\n", path, strerror(errno));
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: lac_contract_gen DIRECTORY\n");
        return 2;
    }
    if (check_tables()) return 1;
    return write_file(argv[1], "lac_contract.h", print_c) |
           write_file(argv[1], "lac_contract.vh", print_verilog) |
           write_file(argv[1], "lac_registers.h", lac_registers_print_c) |
           write_file(argv[1], "lac_registers.vh", lac_registers_print_verilog) |
           write_file(argv[1], "kernel.xml", lac_registers_print_xml) |
           write_file(argv[1], "registers.tcl", lac_registers_print_tcl) |
           write_file(argv[1], "contract.md", print_markdown);
}
