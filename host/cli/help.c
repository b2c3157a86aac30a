#include "command.h"

#include <string.h>

enum { LINE = 96, HELP_COLUMN = 28 };

static const struct {
    const lac_command *command;
    const char *part;
} rows[] = {
#define LAC_COMMAND(name, part) {&lac_cmd_##name, part},
#include "commands.def"
#undef LAC_COMMAND
};

int lac_n_commands(void) {
    return (int)(sizeof rows / sizeof rows[0]);
}
const lac_command *lac_command_row(int i) {
    return rows[i].command;
}

const lac_command *lac_command_find(const char *name) {
    for (int i = 0; i < lac_n_commands(); i++)
        if (strcmp(rows[i].command->name, name) == 0) return rows[i].command;
    return NULL;
}

/// Prints text from column `at` on, broken at spaces; `used` columns of the line are taken.
static void print_wrapped(FILE *out, const char *text, int at, int used) {
    if (used > 0 && used >= at) {
        fputc('\n', out);
        used = 0;
    }
    fprintf(out, "%*s", at - used, "");
    int column = at;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (column + n > LINE && column > at) {
            fprintf(out, "\n%*s", at, "");
            column = at;
        }
        fprintf(out, "%.*s", n, text);
        column += n;
        text += n;
        while (*text == ' ') text++;
        if (*text && column + 1 + (int)strcspn(text, " ") <= LINE) {
            fputc(' ', out);
            column++;
        } else if (*text) {
            fprintf(out, "\n%*s", at, "");
            column = at;
        }
    }
    fputc('\n', out);
}

static void print_paragraph(FILE *out, const char *text) {
    print_wrapped(out, text, 0, 0);
}

/// The part of an option's text that follows from its row: range and default.
static void describe(const lac_option *o, char *text, size_t size) {
    char range[256];
    size_t n = (size_t)snprintf(text, size, "%s", o->help);
    bool number = o->kind == LAC_OPT_INT || o->kind == LAC_OPT_FLOAT || o->kind == LAC_OPT_DOUBLE ||
                  o->kind == LAC_OPT_GRID;
    if (n < size && (o->names || number))
        n += (size_t)snprintf(text + n, size - n, "; %s", lac_option_range(o, range, sizeof range));
    const char *shown = o->shown ? o->shown : o->fallback;
    if (n < size && shown) snprintf(text + n, size - n, " [%s]", shown);
}

static void print_option(FILE *out, const lac_option *o) {
    char text[512];
    int used;
    const char *value = o->value ? o->value : "N";
    if (o->operand)
        used = fprintf(out, "  %s", o->name);
    else if (o->kind == LAC_OPT_FLAG)
        used =
            o->letter ? fprintf(out, "  -%c, --%s", o->letter, o->name) : fprintf(out, "      --%s", o->name);
    else
        used = o->letter ? fprintf(out, "  -%c, --%s %s", o->letter, o->name, value)
                         : fprintf(out, "      --%s %s", o->name, value);
    describe(o, text, sizeof text);
    print_wrapped(out, text, HELP_COLUMN, used);
}

static void print_options(FILE *out, const lac_command *command) {
    const char *group = NULL;
    for (int i = 0; i < command->n_options; i++) {
        const lac_option *o = &command->options[i];
        if (!group || strcmp(group, o->group) != 0) fprintf(out, "\n%s:\n", o->group);
        group = o->group;
        print_option(out, o);
    }
}

static void print_exit_codes(FILE *out, const lac_command *command) {
    fprintf(out, "\nExit codes:\n");
    const lac_status always[] = {LAC_OK, LAC_E_USAGE};
    for (int i = 0; i < 2; i++)
        fprintf(out, "  %3d  %s\n", lac_status_exit_code(always[i]), lac_status_text(always[i]));
    for (const lac_status *s = command->fails; *s != LAC_OK; s++)
        fprintf(out, "  %3d  %s\n", lac_status_exit_code(*s), lac_status_text(*s));
    fprintf(out, "'lacuna list errors' prints the whole table.\n");
}

static void print_indented(FILE *out, const char *lines) {
    while (*lines) {
        int n = (int)strcspn(lines, "\n");
        fprintf(out, "%s%.*s\n", n ? "  " : "", n, lines);
        lines += n + (lines[n] == '\n');
    }
}

void lac_command_help(const lac_command *command, FILE *out) {
    fprintf(out, "lacuna %s - %s\n\nExamples:\n", command->name, command->summary);
    print_indented(out, command->examples);
    fprintf(out, "\nUsage:\n  lacuna %s\n", command->usage);
    if (command->about) {
        fputc('\n', out);
        for (const char *p = command->about; *p;) {
            char paragraph[1024];
            int n = (int)strcspn(p, "\n");
            snprintf(paragraph, sizeof paragraph, "%.*s", n, p);
            print_paragraph(out, paragraph);
            p += n + (p[n] == '\n');
        }
    }
    print_options(out, command);
    print_exit_codes(out, command);
}

void lac_commands_help(FILE *out) {
    fputs("lacuna - prune and quantize networks, and prove the engine that runs them\n"
          "\n"
          "Examples:\n"
          "  lacuna train lacuna-tiny --data fashion-mnist -o float.onnx\n"
          "  lacuna prune float.onnx --density 0.18 --data fashion-mnist -o pruned.onnx\n"
          "  lacuna quantize pruned.onnx --weights 4 --acts 4 --data fashion-mnist -o int.onnx\n"
          "  lacuna compile int.onnx --mesh 7x7 -o model.lac --report\n"
          "  lacuna verify model.lac --devices ref,rtl --data fashion-mnist\n"
          "\n"
          "Usage:\n"
          "  lacuna COMMAND [operands] [options]\n"
          "  lacuna COMMAND --help\n",
          out);
    const char *part = NULL;
    for (int i = 0; i < lac_n_commands(); i++) {
        if (!part || strcmp(part, rows[i].part) != 0) fprintf(out, "\n%s:\n", rows[i].part);
        part = rows[i].part;
        fprintf(out, "  %-10s %s\n", rows[i].command->name, rows[i].command->summary);
    }
    fputs(
        "\n"
        "Results go to standard output (--json for programs), progress and remarks to standard error.\n"
        "'-' as a file is standard input or output. Ctrl-C stops a long job cleanly, a second one at once.\n"
        "'lacuna list errors' explains the exit codes; 'lacuna --version' prints the version.\n",
        out);
}
