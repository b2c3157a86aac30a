/// Checks the rules that an HLS compiler sets and no host compiler knows:
///
///   hls_lint FILE...     kernel sources (.c, .h), kernel.xml, link and HLS configurations (.cfg)
///
/// Sources: no recursion, allocation, library call, function pointer, variable with static storage, while, do
/// or goto; loops whose bound is in their condition, a constant one where they are unrolled; no loop inside a
/// pipelined one but those that are unrolled; pragmas from a whitelist, each with the settings it needs; no
/// include from outside the folder. The kernel's signature,
/// its interface pragmas, kernel.xml and the configurations agree with rtl/defs/registers.def. One sentence a
/// finding, exit code 1 when there is one.

#include "lint_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct argument {
    const char *name, *type;
    int is_pointer;
    unsigned offset;
} argument;

static const argument arguments[] = {
#define LAC_ARGUMENT(name, c_name, offset, is_pointer, type, doc) {#c_name, type, is_pointer, offset},
#include "registers.def"
};
enum { N_ARGUMENTS = sizeof arguments / sizeof arguments[0] };
static const char top[] = "lac_kernel";

// ---- words that have no place in a kernel -----------------------------------------------------------------

static const struct {
    const char *word, *why;
} forbidden[] = {
    {"malloc", "allocates"},
    {"calloc", "allocates"},
    {"realloc", "allocates"},
    {"alloca", "allocates"},
    {"free", "frees"},
    {"memcpy", "is a library call, which OpenCL C does not have"},
    {"memset", "is a library call, which OpenCL C does not have"},
    {"printf", "is a library call"},
    {"while", "is a loop without a bound in sight; write for (i = 0; i < BOUND; i++)"},
    {"do", "is a loop without a bound in sight; write for (i = 0; i < BOUND; i++)"},
    {"goto", "is no structured control"},
    {"float", "is no integer"},
    {"double", "is no integer"},
    {"setjmp", "is no structured control"},
};

static void check_words(const lint_text *t) {
    for (size_t at = 0; lint_next_word(t, &at); at += lint_word_length(t, at)) {
        for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
            if (lint_word_is(t, at, forbidden[i].word))
                lint_find(t, at, "'%s' %s", forbidden[i].word, forbidden[i].why);
        if (lint_word_is(t, at, "static") && !lint_starts(t, at, "static inline"))
            lint_find(t, at, "a variable or function with static storage keeps state between runs");
    }
}

/// A '(' and then '*' NAME ')' and '(' is a function pointer.
static void check_function_pointers(const lint_text *t) {
    for (size_t i = 0; i + 1 < t->n; i++) {
        if (t->text[i] != '(') continue;
        size_t at = lint_skip_space(t, i + 1);
        if (at >= t->n || t->text[at] != '*') continue;
        at = lint_skip_space(t, at + 1);
        at += lint_word_length(t, at);
        at = lint_skip_space(t, at);
        if (at + 1 < t->n && t->text[at] == ')' && t->text[lint_skip_space(t, at + 1)] == '(')
            lint_find(t, i, "a function pointer: hardware has no address of a function");
    }
}

// ---- includes and pragmas ---------------------------------------------------------------------------------

static const char *const pragmas[][2] = {
    // name, what it must say
    {"INTERFACE", "mode="},
    {"PIPELINE", "II=1"},
    {"UNROLL", ""},
    {"ARRAY_PARTITION", "variable="},
    {"BIND_STORAGE", "variable="},
    {"LOOP_TRIPCOUNT", "max="},
    {"DATAFLOW", ""},
    {"DEPENDENCE", "variable="},
    {"BIND_OP", "variable="},
};

static void check_pragma(const lint_text *t, size_t at, const char *body) {
    for (size_t i = 0; i < sizeof pragmas / sizeof pragmas[0]; i++) {
        size_t n = strlen(pragmas[i][0]);
        if (strncmp(body, pragmas[i][0], n) != 0 || (body[n] && body[n] != ',')) continue;
        if (!strstr(body, pragmas[i][1]))
            lint_find(t, at, "pragma %s without '%s'", pragmas[i][0], pragmas[i][1]);
        return;
    }
    lint_find(t, at, "pragma '%s' is not on the list of those that are known to every tool", body);
}

static void check_directives(const lint_text *t) {
    char line[512];
    int in_bambu = 0;
    for (size_t at = 0; at < t->n; at = lint_next_line(t, at)) {
        lint_line(t, at, line, sizeof line);
        const char *s = line + strspn(line, " ");
        if (strstr(s, "ifdef __BAMBU__")) in_bambu = 1;
        if (strncmp(s, "#endif", 6) == 0) in_bambu = 0;
        if (strncmp(s, "#pragma", 7) == 0 && !(in_bambu && strncmp(s, "#pragma HLS interface", 21) == 0))
            lint_find(t, at, "a literal pragma; write it with LAC_HLS(...)");
        if (strncmp(s, "#include", 8) == 0 &&
            (strchr(s, '/') || (strchr(s, '<') && !strstr(s, "<stdint.h>"))))
            lint_find(t, at, "'%s' is outside the kernel's folder", s);
    }
    for (size_t at = 0; lint_next_call(t, &at, "LAC_HLS"); at++) {
        char body[256];
        lint_arguments(t, at, body, sizeof body);
        if (strcmp(body, "text") != 0) check_pragma(t, at, body); // the macro itself
    }
}

// ---- loops ------------------------------------------------------------------------------------------------

/// Upper case, digits and arithmetic: a constant of the preprocessor or an enumeration.
static int is_constant(const char *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789+-*/()u ", s[i]))) return 0;
    return n > 0;
}

/// Whether the loop's first statement says that it is unrolled.
static int is_unrolled(const lint_text *t, size_t close) {
    size_t at = lint_skip_space(t, close + 1);
    if (at >= t->n || t->text[at] != '{') return 0;
    at = lint_skip_space(t, at + 1);
    return lint_starts(t, at, "LAC_HLS(UNROLL");
}

static void check_loops(const lint_text *t) {
    for (size_t at = 0; lint_next_call(t, &at, "for"); at++) {
        char head[256];
        size_t close = lint_arguments(t, at, head, sizeof head);
        char *condition = strchr(head, ';'), *end = condition ? strchr(condition + 1, ';') : NULL;
        char *less = condition ? strchr(condition, '<') : NULL;
        if (!end || !less || less > end) {
            lint_find(t, at, "a loop without 'i < BOUND' in its condition");
            continue;
        }
        if (is_unrolled(t, close) && !is_constant(less + 1, (size_t)(end - less - 1)))
            lint_find(t, at, "an unrolled loop with the bound '%.*s', which is no constant",
                      (int)(end - less - 1), less + 1);
    }
}

// ---- recursion --------------------------------------------------------------------------------------------

enum { MOST_FUNCTIONS = 200 };
typedef struct function {
    char name[64];
    size_t begin, end; ///< of its body
} function;

/// Names before "(...) {" at the outermost level.
static int find_functions(const lint_text *t, function *out) {
    int n = 0, depth = 0;
    size_t name = 0, name_length = 0;
    for (size_t i = 0; i < t->n; i++) {
        char c = t->text[i];
        if (c == '(' && depth == 0) {
            size_t j = i;
            while (j > 0 && t->text[j - 1] == ' ') j--;
            name_length = 0;
            while (j > name_length && lint_is_word(t->text[j - name_length - 1])) name_length++;
            name = j - name_length;
            i = lint_close(t, i);
            size_t brace = lint_skip_space(t, i + 1);
            if (brace < t->n && t->text[brace] == '{' && name_length && name_length < 64 &&
                n < MOST_FUNCTIONS) {
                out[n].begin = brace;
                out[n].end = lint_close(t, brace);
                memcpy(out[n].name, t->text + name, name_length);
                out[n].name[name_length] = '\0';
                i = out[n++].end;
            }
        } else if (c == '{')
            depth++;
        else if (c == '}')
            depth--;
    }
    return n;
}

static int calls(const lint_text *t, const function *from, const function *to) {
    const lint_text body = {.text = t->text, .n = from->end};
    size_t at = from->begin;
    return lint_next_call(&body, &at, to->name);
}

static void check_recursion(const lint_text *t) {
    static function functions[MOST_FUNCTIONS];
    static unsigned char reach[MOST_FUNCTIONS][MOST_FUNCTIONS];
    int n = find_functions(t, functions);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) reach[i][j] = (unsigned char)calls(t, &functions[i], &functions[j]);
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) reach[i][j] |= reach[i][k] & reach[k][j];
    for (int i = 0; i < n; i++)
        if (reach[i][i]) lint_find(t, functions[i].begin, "'%s' calls itself", functions[i].name);
}

// ---- pipelines --------------------------------------------------------------------------------------------

/// Whether a piece of text has a loop that is not unrolled, itself or in what it calls.
static int has_loop(const lint_text *t, size_t begin, size_t end, const function *functions,
                    const unsigned char *loops, int n) {
    const lint_text piece = {.text = t->text, .n = end};
    for (size_t at = begin; lint_next_call(&piece, &at, "for"); at++) {
        char head[256];
        if (!is_unrolled(t, lint_arguments(t, at, head, sizeof head))) return 1;
    }
    for (int i = 0; i < n; i++) {
        size_t at = begin;
        if (loops[i] && lint_next_call(&piece, &at, functions[i].name)) return 1;
    }
    return 0;
}

/// A tool unrolls what is inside a pipelined loop, whatever its bound, and then cannot start a pass a cycle.
static void check_pipelines(const lint_text *t) {
    static function functions[MOST_FUNCTIONS];
    unsigned char loops[MOST_FUNCTIONS] = {0};
    int n = find_functions(t, functions);
    for (int round = 0; round < n; round++)
        for (int i = 0; i < n; i++)
            loops[i] = (unsigned char)has_loop(t, functions[i].begin, functions[i].end, functions, loops, n);
    for (size_t at = 0; lint_next_call(t, &at, "for"); at++) {
        char head[256];
        size_t open = lint_skip_space(t, lint_arguments(t, at, head, sizeof head) + 1);
        if (open >= t->n || t->text[open] != '{' ||
            !lint_starts(t, lint_skip_space(t, open + 1), "LAC_HLS(PIPELINE"))
            continue;
        if (has_loop(t, open, lint_close(t, open), functions, loops, n))
            lint_find(t, at, "a pipelined loop around another loop that is not unrolled");
    }
}

// ---- the kernel's signature -------------------------------------------------------------------------------

/// "LAC_GLOBAL const uint64_t *LAC_RESTRICT program" becomes "const uint64_t *" and "program".
static void split_parameter(char *text, char *type, char *name) {
    static const char *const noise[] = {"LAC_GLOBAL ", "LAC_RESTRICT "};
    for (size_t i = 0; i < 2; i++)
        for (char *at; (at = strstr(text, noise[i]));)
            memmove(at, at + strlen(noise[i]), strlen(at + strlen(noise[i])) + 1);
    char *end = text + strlen(text);
    while (end > text && lint_is_word(end[-1])) end--;
    strcpy(name, end);
    while (end > text && end[-1] == ' ' && (end == text + 1 || end[-2] != '*')) end--;
    *end = '\0';
    strcpy(type, text);
}

static void check_interface(const lint_text *t, const argument *a, char *bundles, size_t room) {
    char body[256], wanted[96];
    snprintf(wanted, sizeof wanted, "port=%s", a->name);
    int found = 0;
    for (size_t at = 0; lint_next_call(t, &at, "LAC_HLS"); at++) {
        lint_arguments(t, at, body, sizeof body);
        const char *port = strstr(body, wanted);
        if (strncmp(body, "INTERFACE", 9) != 0 || !port || lint_is_word(port[strlen(wanted)])) continue;
        found++;
        if (!strstr(body, a->is_pointer ? "mode=m_axi" : "mode=s_axilite"))
            lint_find(t, at, "argument '%s' is a %s: its interface must be %s", a->name,
                      a->is_pointer ? "pointer" : "scalar", a->is_pointer ? "m_axi" : "s_axilite");
        const char *bundle = strstr(body, "bundle=");
        if (a->is_pointer && bundle) {
            size_t used = strlen(bundles);
            int n = (int)strcspn(bundle + 7, ",)");
            snprintf(bundles + used, room - used, "%.*s %s;", n, bundle + 7, a->type);
        }
    }
    if (found != 1) lint_find(t, 0, "argument '%s' has %d interface pragmas, not one", a->name, found);
}

/// "gmem0 const uint64_t *;gmem0 int32_t *;": one width a bundle, or some compilers make wrong hardware of
/// it.
static void check_bundles(const lint_text *t, const char *bundles) {
    for (const char *a = bundles; *a; a = strchr(a, ';') + 1)
        for (const char *b = bundles; b < a; b = strchr(b, ';') + 1) {
            size_t n = strcspn(a, " ");
            const char *width_a = strstr(a, "int"), *width_b = strstr(b, "int");
            if (n == strcspn(b, " ") && strncmp(a, b, n) == 0 &&
                strtol(width_a + 3, NULL, 10) != strtol(width_b + 3, NULL, 10))
                lint_find(t, 0, "bundle '%.*s' has elements of different widths", (int)n, a);
        }
}

/// Bambu takes a pointer without a literal pragma for a scalar.
static void check_literal_interface(const lint_text *t, const argument *a) {
    char line[512], wanted[128];
    snprintf(wanted, sizeof wanted,
             "#pragma HLS interface port=%s mode=m_axi offset=direct bundle=", a->name);
    for (size_t at = 0; at < t->n; at = lint_next_line(t, at)) {
        lint_line(t, at, line, sizeof line);
        if (strncmp(line, wanted, strlen(wanted)) == 0) return;
    }
    lint_find(t, 0, "pointer '%s' has no literal interface under __BAMBU__", a->name);
}

static void check_signature(const lint_text *t) {
    char list[1024], bundles[1024] = "", type[256], name[256];
    size_t at = 0;
    if (!lint_next_call(t, &at, "LAC_KERNEL_NAME")) return;
    lint_arguments_spaced(t, at, list, sizeof list);
    char *rest = list;
    for (int i = 0; i < N_ARGUMENTS; i++) {
        char *text = rest;
        size_t n = rest ? strcspn(rest, ",") : 0;
        if (!rest || !n) {
            lint_find(t, at, "the kernel has %d arguments, registers.def has %d", i, N_ARGUMENTS);
            return;
        }
        rest = text[n] ? text + n + 1 : NULL;
        text[n] = '\0';
        if (i == N_ARGUMENTS - 1) text[strcspn(text, "L")] = '\0'; // LAC_TRACE_ARGUMENTS
        while (*text == ' ') text++;
        while (*text && text[strlen(text) - 1] == ' ') text[strlen(text) - 1] = '\0';
        split_parameter(text, type, name);
        if (strcmp(name, arguments[i].name) != 0 || strcmp(type, arguments[i].type) != 0)
            lint_find(t, at, "argument %d of the kernel is '%s %s', in registers.def '%s %s'", i, type, name,
                      arguments[i].type, arguments[i].name);
    }
    if (rest) lint_find(t, at, "the kernel has more arguments than the %d of registers.def", N_ARGUMENTS);
    for (int i = 0; i < N_ARGUMENTS; i++) {
        check_interface(t, &arguments[i], bundles, sizeof bundles);
        if (arguments[i].is_pointer) check_literal_interface(t, &arguments[i]);
    }
    check_bundles(t, bundles);
}

static void check_source(const lint_text *t) {
    check_words(t);
    check_function_pointers(t);
    check_directives(t);
    check_loops(t);
    check_recursion(t);
    check_pipelines(t);
    check_signature(t);
}

// ---- kernel.xml and configurations ------------------------------------------------------------------------

static void check_xml(const lint_text *t) {
    char line[512], wanted[64];
    int n = 0;
    for (size_t at = 0; at < t->n; at = lint_next_line(t, at)) {
        lint_line(t, at, line, sizeof line);
        if (!strstr(line, "<arg ")) continue;
        if (n < N_ARGUMENTS) {
            const argument *a = &arguments[n];
            snprintf(wanted, sizeof wanted, "name=\"%s\"", a->name);
            if (!strstr(line, wanted)) lint_find(t, at, "argument %d is not '%s'", n, a->name);
            const char *offset = strstr(line, " offset=\"");
            if (!offset || strtoul(offset + 9, NULL, 16) != a->offset)
                lint_find(t, at, "argument '%s' is not at 0x%02X", a->name, a->offset);
            snprintf(wanted, sizeof wanted, "addressQualifier=\"%d\"", a->is_pointer);
            if (!strstr(line, wanted)) lint_find(t, at, "argument '%s' must have %s", a->name, wanted);
        }
        n++;
    }
    if (n != N_ARGUMENTS) lint_find(t, 0, "%d arguments, registers.def has %d", n, N_ARGUMENTS);
    snprintf(wanted, sizeof wanted, "kernel name=\"%s\"", top);
    if (!lint_contains(t, wanted)) lint_find(t, 0, "no kernel named '%s'", top);
}

static const argument *find_argument(const char *name, size_t n) {
    for (int i = 0; i < N_ARGUMENTS; i++)
        if (strlen(arguments[i].name) == n && strncmp(arguments[i].name, name, n) == 0) return &arguments[i];
    return NULL;
}

/// "nk=lac_kernel:2:lac_kernel_1.lac_kernel_2" and "sp=lac_kernel_1.input:HBM[0]": a memory for every pointer
/// of every unit.
static void check_link(const lint_text *t) {
    char line[512];
    long n_units = 0;
    int placed[64][N_ARGUMENTS] = {{0}};
    for (size_t at = 0; at < t->n; at = lint_next_line(t, at)) {
        lint_line(t, at, line, sizeof line);
        if (strncmp(line, "nk=", 3) == 0) {
            size_t n = strlen(top);
            if (strncmp(line + 3, top, n) != 0 || line[3 + n] != ':')
                lint_find(t, at, "'%s' is not kernel '%s'", line, top);
            else
                n_units = strtol(line + 4 + n, NULL, 10);
        }
        if (strncmp(line, "sp=", 3) != 0) continue;
        char *dot = strchr(line, '.'), *underscore = dot;
        while (underscore && underscore > line && *underscore != '_') underscore--;
        const argument *a = dot ? find_argument(dot + 1, strcspn(dot + 1, ":")) : NULL;
        long unit = underscore ? strtol(underscore + 1, NULL, 10) : 0;
        if (!a || !a->is_pointer || unit < 1 || unit > 63)
            lint_find(t, at, "'%s' places no pointer of the kernel", line);
        else
            placed[unit][a - arguments] = 1;
    }
    if (n_units < 1 || n_units > 63) lint_find(t, 0, "no line 'nk=%s:UNITS:...'", top);
    for (long u = 1; u <= n_units && u < 64; u++)
        for (int i = 0; i < N_ARGUMENTS; i++)
            if (arguments[i].is_pointer && !placed[u][i])
                lint_find(t, 0, "unit %ld has no memory for '%s'", u, arguments[i].name);
}

static void check_hls_config(const lint_text *t) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "syn.top=%s\n", top);
    if (!lint_contains(t, wanted)) lint_find(t, 0, "no line '%.*s'", (int)strlen(wanted) - 1, wanted);
    if (!lint_contains(t, "syn.file=lac_kernel.c\n")) lint_find(t, 0, "no line 'syn.file=lac_kernel.c'");
    if (!lint_contains(t, "flow_target=vitis\n")) lint_find(t, 0, "no line 'flow_target=vitis'");
}

static int ends_with(const char *path, const char *end) {
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: hls_lint FILE...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        lint_text t;
        if (!lint_read(argv[i], !ends_with(argv[i], ".cfg") && !ends_with(argv[i], ".xml"), &t)) return 2;
        if (ends_with(argv[i], ".xml"))
            check_xml(&t);
        else if (!ends_with(argv[i], ".cfg"))
            check_source(&t);
        else if (lint_contains(&t, "[connectivity]"))
            check_link(&t);
        else
            check_hls_config(&t);
        lint_free(&t);
    }
    return lint_n_findings() ? 1 : 0;
}
