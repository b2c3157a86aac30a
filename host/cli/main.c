#include "command.h"
#include "progress.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *command_name(int i) {
    return i < lac_n_commands() ? lac_command_row(i)->name : NULL;
}

static int report(const char *who, lac_status status, const lac_error *err) {
    const char *text = err->text[0] ? err->text : lac_status_text(status);
    fprintf(stderr, "lacuna%s%s: %s\n", who[0] ? " " : "", who, text);
    return lac_status_exit_code(status);
}

static int finish_stdout(const char *who) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
    lac_error err = {0};
    lac_status status = lac_fail(&err, LAC_E_IO, "cannot write to standard output: %s", strerror(errno));
    return report(who, status, &err);
}

/// The command line as one would type it again beside its files, in double quotes where a word has spaces.
static const char *join_line(lac_arena *arena, int argc, char **argv) {
    const char *line = "lacuna";
    for (int i = 1; i < argc; i++) {
        const char *word = lac_option_bare(arena, argv[i]);
        line = lac_arena_printf(arena, strchr(word, ' ') ? "%s \"%s\"" : "%s %s", line, word);
    }
    return line;
}

static bool asks_for_help(int argc, char **argv) {
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

static int run_command(const lac_command *command, int argc, char **argv) {
    lac_error err = {0};
    lac_arena *arena = lac_arena_open();
    if (!arena) return report(command->name, LAC_E_MEMORY, &err);
    void *args = lac_arena_alloc(arena, command->args_bytes);
    lac_status status =
        lac_option_parse(command->options, command->n_options, argc - 2, argv + 2, args, &err);
    if (status == LAC_OK) {
        lac_progress progress;
        lac_cli cli = {.arena = arena,
                       .line = join_line(arena, argc, argv),
                       .version = LAC_VERSION,
                       .common = *(const lac_common_args *)args};
        lac_progress_catch_signals();
        lac_progress_begin(&progress, stderr, isatty(STDERR_FILENO) == 1, cli.common.quiet);
        cli.talk = lac_progress_talk(&progress);
        status = command->run(&cli, args, &err);
        lac_progress_end(&progress);
    }
    int code = status == LAC_OK ? finish_stdout(command->name) : report(command->name, status, &err);
    lac_arena_close(arena);
    return code;
}

static int refuse_command(const char *word) {
    lac_error err = {0};
    const char *near = lac_option_nearest(word, command_name);
    lac_status status =
        near ? lac_fail(&err, LAC_E_USAGE, "there is no command '%s'; did you mean '%s'?", word, near)
             : lac_fail(&err, LAC_E_USAGE, "there is no command '%s'; 'lacuna --help' lists them", word);
    return report("", status, &err);
}

static int show_help(int argc, char **argv) {
    if (argc < 3) {
        lac_commands_help(stdout);
        return finish_stdout("");
    }
    const lac_command *command = lac_command_find(argv[2]);
    if (!command) return refuse_command(argv[2]);
    lac_command_help(command, stdout);
    return finish_stdout("");
}

/// OpenMP's threads spin while they wait, by default: on a machine that has other work too, training then
/// takes six times as long. The runtime reads its policy before main begins, so the process starts again with
/// it set.
static void prefer_sleeping_threads(char **argv) {
    if (getenv("OMP_WAIT_POLICY")) return;
    if (setenv("OMP_WAIT_POLICY", "passive", 1) == 0) execv("/proc/self/exe", argv);
}

int main(int argc, char **argv) {
    prefer_sleeping_threads(argv);
    // A full disk or a file size limit is reported like any other failed write, not by a signal.
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        lac_commands_help(stderr);
        return lac_status_exit_code(LAC_E_USAGE);
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return show_help(argc, argv);
    if (strcmp(word, "--version") == 0) {
        printf("lacuna %s\n", LAC_VERSION);
        return finish_stdout("");
    }
    const lac_command *command = lac_command_find(word);
    if (!command) return refuse_command(word);
    if (asks_for_help(argc, argv)) {
        lac_command_help(command, stdout);
        return finish_stdout("");
    }
    return run_command(command, argc, argv);
}
