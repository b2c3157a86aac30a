#include "registers.h"

typedef struct argument {
    const char *name, *c_name;
    int offset, is_pointer;
    const char *type, *doc;
} argument;

typedef struct register_row {
    const char *name;
    int offset;
    const char *access, *doc;
} register_row;

typedef struct report_row {
    const char *name;
    int offset, bytes;
    const char *doc;
} report_row;

typedef struct status_row {
    const char *name;
    int value;
    const char *doc;
} status_row;

#ifndef LAC_REGISTERS_DEF
#define LAC_REGISTERS_DEF "registers.def"
#endif

static const argument arguments[] = {
#define LAC_ARGUMENT(name, c_name, offset, is_pointer, type, doc)                                            \
    {#name, #c_name, offset, is_pointer, type, doc},
#include LAC_REGISTERS_DEF
};
static const register_row registers[] = {
#define LAC_REGISTER(name, offset, access, doc) {#name, offset, access, doc},
#include LAC_REGISTERS_DEF
};
static const report_row reports[] = {
#define LAC_REPORT(name, offset, bytes, doc) {#name, offset, bytes, doc},
#include LAC_REGISTERS_DEF
};
static const status_row statuses[] = {
#define LAC_KERNEL_STATUS(name, value, doc) {#name, value, doc},
#include LAC_REGISTERS_DEF
};
static const char *const parameters[] = {
#define LAC_PARAM(name, member, value, low, high, unit, doc) #name,
#include "engine.def"
#undef LAC_PARAM
};

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))
enum { FIRST_ARGUMENT = 0x10, SCALAR_BYTES = 8, POINTER_BYTES = 12, REPORT_BYTES = 64, MAP_BYTES = 0x100 };

static int register_end(int i) {
    return i + 1 < COUNT(registers) ? registers[i + 1].offset : MAP_BYTES;
}

static int check_arguments(void) {
    int wrong = 0, expected = FIRST_ARGUMENT;
    for (int i = 0; i < COUNT(arguments); i++) {
        const argument *a = &arguments[i];
        if (a->offset != expected) {
            fprintf(stderr, "registers.def: argument %s is at 0x%02x, but Vitis puts it at 0x%02x\n", a->name,
                    (unsigned)a->offset, (unsigned)expected);
            wrong = 1;
        }
        expected = a->offset + (a->is_pointer ? POINTER_BYTES : SCALAR_BYTES);
    }
    for (int i = 0; i < COUNT(registers); i++) {
        const register_row *r = &registers[i];
        int in_control = r->offset >= 0 && r->offset + 4 <= FIRST_ARGUMENT;
        int behind = r->offset >= expected && r->offset < MAP_BYTES;
        if ((in_control || behind) && r->offset % 4 == 0 && register_end(i) > r->offset) continue;
        fprintf(stderr, "registers.def: register %s at 0x%02x overlaps another register or an argument\n",
                r->name, (unsigned)r->offset);
        wrong = 1;
    }
    return wrong;
}

static int check_reports(void) {
    int wrong = 0, expected = 0;
    for (int i = 0; i < COUNT(reports); i++) {
        const report_row *r = &reports[i];
        if (r->offset != expected) {
            fprintf(stderr, "registers.def: report word %s is at byte %d, but the one before ends at %d\n",
                    r->name, r->offset, expected);
            wrong = 1;
        }
        expected = r->offset + r->bytes;
    }
    if (expected != REPORT_BYTES) {
        fprintf(stderr, "registers.def: the report has %d bytes instead of %d\n", expected, REPORT_BYTES);
        wrong = 1;
    }
    return wrong;
}

int lac_registers_check(void) {
    return check_arguments() | check_reports();
}

void lac_registers_hash(void (*text)(uint32_t *hash, const char *text), uint32_t *hash) {
    char row[128];
    for (int i = 0; i < COUNT(arguments); i++) {
        snprintf(row, sizeof row, "argument %s %d %d\n", arguments[i].name, arguments[i].offset,
                 arguments[i].is_pointer);
        text(hash, row);
    }
    for (int i = 0; i < COUNT(registers); i++) {
        snprintf(row, sizeof row, "register %s %d\n", registers[i].name, registers[i].offset);
        text(hash, row);
    }
    for (int i = 0; i < COUNT(reports); i++) {
        snprintf(row, sizeof row, "report %s %d %d\n", reports[i].name, reports[i].offset, reports[i].bytes);
        text(hash, row);
    }
    for (int i = 0; i < COUNT(statuses); i++) {
        snprintf(row, sizeof row, "status %s %d\n", statuses[i].name, statuses[i].value);
        text(hash, row);
    }
}

void lac_registers_print_c(FILE *out) {
    fprintf(out, "/* Printed by rtl/defs/contract.c from registers.def; do not edit. */\n"
                 "#ifndef LAC_REGISTERS_H\n#define LAC_REGISTERS_H\n\n"
                 "/* Arguments: place in the signature, register offset. */\n");
    for (int i = 0; i < COUNT(arguments); i++) {
        const argument *a = &arguments[i];
        fprintf(out, "#define LAC_ARG_%s %d /* %s, %s: %s */\n#define LAC_REG_%s 0x%02x\n", a->name, i,
                a->type, a->c_name, a->doc, a->name, (unsigned)a->offset);
    }
    fprintf(out, "#define LAC_N_ARGUMENTS %d\n\n/* Other registers. */\n", COUNT(arguments));
    for (int i = 0; i < COUNT(registers); i++)
        fprintf(out, "#define LAC_REG_%s 0x%02x /* %s: %s */\n", registers[i].name,
                (unsigned)registers[i].offset, registers[i].access, registers[i].doc);
    fprintf(out, "\n/* Report: byte offset of each word. */\n#define LAC_REPORT_BYTES %d\n", REPORT_BYTES);
    for (int i = 0; i < COUNT(reports); i++)
        fprintf(out, "#define LAC_REPORT_%s %d /* %d bytes: %s */\n", reports[i].name, reports[i].offset,
                reports[i].bytes, reports[i].doc);
    fprintf(out, "\n/* Status codes. */\n");
    for (int i = 0; i < COUNT(statuses); i++)
        fprintf(out, "#define LAC_KERNEL_%s %d /* %s */\n", statuses[i].name, statuses[i].value,
                statuses[i].doc);
    fprintf(out,
            "\n/* The ID that tells engines of different parameters apart: FNV-1a over the values of "
            "engine.def,\n * id = SEED, then id = (id ^ value) * PRIME for each. */\n"
            "#define LAC_ENGINE_ID_SEED 2166136261u\n#define LAC_ENGINE_ID_PRIME 16777619u\n\n"
            "/* The engine of the kernel being compiled: LAC_MESH_X and so on, the contract's where none is "
            "given. */\n");
    for (int i = 0; i < COUNT(parameters); i++)
        fprintf(out, "#ifndef LAC_%s\n#define LAC_%s LAC_%s_DEFAULT\n#endif\n", parameters[i], parameters[i],
                parameters[i]);
    fprintf(out, "#define LAC_THIS_ENGINE (");
    for (int i = 0; i < COUNT(parameters); i++) fprintf(out, "(");
    fprintf(out, "LAC_ENGINE_ID_SEED");
    for (int i = 0; i < COUNT(parameters); i++)
        fprintf(out, " ^ LAC_%s) * LAC_ENGINE_ID_PRIME", parameters[i]);
    fprintf(out, ")\n\n#endif\n");
}

/// Offsets and codes. LAC_ENGINE_PARAMETERS declares the parameters of a module around the engine,
/// LAC_ENGINE_CONNECT hands them on, and LAC_ENGINE_ID and LAC_PARAMETERS use them.
void lac_registers_print_verilog(FILE *out) {
    fprintf(out, "// Printed by rtl/defs/contract.c from registers.def and engine.def; do not edit.\n"
                 "`ifndef LAC_REGISTERS_VH\n`define LAC_REGISTERS_VH\n");
    uint32_t words = 0;
    for (int i = 0; i < COUNT(arguments); i++) {
        words |= (arguments[i].is_pointer ? 3u : 1u) << (arguments[i].offset / 4);
        fprintf(out, "`define LAC_WORD_%s 5'd%d\n", arguments[i].name, arguments[i].offset / 4);
    }
    fprintf(out, "`define LAC_ARGUMENT_WORDS 32'h%08x\n", words);
    for (int i = 0; i < COUNT(registers); i++)
        fprintf(out, "`define LAC_REG_%s 8'h%02x\n", registers[i].name, (unsigned)registers[i].offset);
    for (int i = 0; i < COUNT(statuses); i++)
        fprintf(out, "`define LAC_KERNEL_%s 4'd%d\n", statuses[i].name, statuses[i].value);
    fprintf(out, "`define LAC_ENGINE_ID (");
    for (int i = 0; i < COUNT(parameters); i++) fprintf(out, "(");
    fprintf(out, "32'd2166136261");
    for (int i = 0; i < COUNT(parameters); i++) fprintf(out, " ^ %s) * 32'd16777619", parameters[i]);
    fprintf(out, ")\n`define LAC_PARAMETERS (");
    for (int i = 0; i < COUNT(parameters); i++)
        fprintf(out, "%s((512'd1 * %s) << %d)", i ? " | " : "", parameters[i], 32 * i);
    fprintf(out, ")\n`define LAC_ENGINE_PARAMETERS \\\n");
    for (int i = 0; i < COUNT(parameters); i++)
        fprintf(out, "    parameter %s = `LAC_%s_DEFAULT%s\n", parameters[i], parameters[i],
                i + 1 < COUNT(parameters) ? ", \\" : "");
    fprintf(out, "`define LAC_ENGINE_CONNECT \\\n");
    for (int i = 0; i < COUNT(parameters); i++)
        fprintf(out, "    .%s(%s)%s\n", parameters[i], parameters[i],
                i + 1 < COUNT(parameters) ? ", \\" : "");
    fprintf(out, "`endif\n");
}

void lac_registers_print_xml(FILE *out) {
    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<root versionMajor=\"1\" versionMinor=\"6\">\n"
                 "  <kernel name=\"lac_kernel\" language=\"ip_c\" vlnv=\"lacuna:kernel:lac_kernel:1.0\" "
                 "attributes=\"\"\n          preferredWorkGroupSizeMultiple=\"0\" workGroupSize=\"1\" "
                 "interrupt=\"true\" hwControlProtocol=\"ap_ctrl_chain\">\n    <ports>\n"
                 "      <port name=\"s_axi_control\" mode=\"slave\" range=\"0x1000\" dataWidth=\"32\" "
                 "portType=\"addressable\" base=\"0x0\"/>\n"
                 "      <port name=\"m_axi_gmem\" mode=\"master\" range=\"0xFFFFFFFFFFFFFFFF\" "
                 "dataWidth=\"@DATA_BITS@\" portType=\"addressable\" base=\"0x0\"/>\n"
                 "    </ports>\n    <args>\n");
    for (int i = 0; i < COUNT(arguments); i++) {
        const argument *a = &arguments[i];
        int bytes = a->is_pointer ? 8 : 4;
        fprintf(out,
                "      <arg name=\"%s\" addressQualifier=\"%d\" id=\"%d\" port=\"%s\" size=\"0x%x\" "
                "offset=\"0x%02X\" hostOffset=\"0x0\" hostSize=\"0x%x\" type=\"%s\"/>\n",
                a->c_name, a->is_pointer, i, a->is_pointer ? "m_axi_gmem" : "s_axi_control", (unsigned)bytes,
                (unsigned)a->offset, (unsigned)bytes, a->is_pointer ? "void*" : "uint");
    }
    fprintf(out, "    </args>\n  </kernel>\n</root>\n");
}

void lac_registers_print_tcl(FILE *out) {
    fprintf(out, "# Printed by rtl/defs/contract.c from registers.def; do not edit.\n"
                 "# The memory map of s_axi_control: {name offset bits access pointer}\n"
                 "set lac_registers {\n");
    for (int i = 0; i < 4; i++)
        fprintf(out, "  {%s 0x%03X 32 read-write 0}\n", registers[i].name, (unsigned)registers[i].offset);
    for (int i = 0; i < COUNT(arguments); i++)
        fprintf(out, "  {%s 0x%03X %d read-write %d}\n", arguments[i].c_name, (unsigned)arguments[i].offset,
                arguments[i].is_pointer ? 64 : 32, arguments[i].is_pointer);
    fprintf(out, "}\n");
}

void lac_registers_print_markdown(FILE *out) {
    fprintf(out, "\n## Kernel arguments\n\n| no. | argument | offset | type | meaning |\n"
                 "| --- | --- | --- | --- | --- |\n");
    for (int i = 0; i < COUNT(arguments); i++)
        fprintf(out, "| %d | %s | 0x%02x | `%s` | %s |\n", i, arguments[i].c_name,
                (unsigned)arguments[i].offset, arguments[i].type, arguments[i].doc);
    fprintf(out, "\n## Registers\n\n| register | offset | access | meaning |\n| --- | --- | --- | --- |\n");
    for (int i = 0; i < COUNT(registers); i++)
        fprintf(out, "| %s | 0x%02x | %s | %s |\n", registers[i].name, (unsigned)registers[i].offset,
                registers[i].access, registers[i].doc);
    fprintf(out, "\n## Report\n\n| word | byte | bytes | meaning |\n| --- | --- | --- | --- |\n");
    for (int i = 0; i < COUNT(reports); i++)
        fprintf(out, "| %s | %d | %d | %s |\n", reports[i].name, reports[i].offset, reports[i].bytes,
                reports[i].doc);
    fprintf(out, "\n## Status codes\n\n| code | name | meaning |\n| --- | --- | --- |\n");
    for (int i = 0; i < COUNT(statuses); i++)
        fprintf(out, "| %d | %s | %s |\n", statuses[i].value, statuses[i].name, statuses[i].doc);
}
