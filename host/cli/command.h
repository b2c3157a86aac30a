#ifndef LAC_COMMAND_H
#define LAC_COMMAND_H

#include "arena.h"
#include "option.h"
#include "talk.h"

/// Sub-commands: one file each (cmd_<name>.c) and one row in commands.def.

/// Members that every command's argument struct begins with.
typedef struct lac_common_args {
    bool help, quiet, json;
    const char *results;
} lac_common_args;

#define LAC_COMMON_OPTIONS(args_type)                                                                        \
    {.name = "json",                                                                                         \
     .kind = LAC_OPT_FLAG,                                                                                   \
     .unsaved = true,                                                                                        \
     .offset = offsetof(args_type, common.json),                                                             \
     .group = "Output",                                                                                      \
     .help = "print the results as one JSON object"},                                                        \
        {.name = "results",                                                                                  \
         .kind = LAC_OPT_TEXT,                                                                               \
         .unsaved = true,                                                                                    \
         .offset = offsetof(args_type, common.results),                                                      \
         .value = "FILE",                                                                                    \
         .group = "Output",                                                                                  \
         .help = "also write that object to a file"},                                                        \
        {.name = "quiet",                                                                                    \
         .letter = 'q',                                                                                      \
         .kind = LAC_OPT_FLAG,                                                                               \
         .unsaved = true,                                                                                    \
         .offset = offsetof(args_type, common.quiet),                                                        \
         .group = "Output",                                                                                  \
         .help = "no progress and no remarks on standard error"},                                            \
    {                                                                                                        \
        .name = "help", .letter = 'h', .kind = LAC_OPT_FLAG, .unsaved = true,                                \
        .offset = offsetof(args_type, common.help), .group = "Output", .help = "print this text"             \
    }

/// What a running command may use.
typedef struct lac_cli {
    lac_arena *arena; ///< lives as long as the command
    lac_talk talk;    ///< progress on standard error, and the stop flag
    const char *line; ///< the whole command line, without the folders in it
    const char *version;
    lac_common_args common;
} lac_cli;

typedef struct lac_command {
    const char *name, *summary;
    const char *usage;    ///< without the word lacuna
    const char *examples; ///< lines of "command   # remark"
    const char *about;    ///< paragraphs after the examples, NULL for none
    const lac_option *options;
    int n_options;
    size_t args_bytes;
    const lac_status *fails; ///< statuses it can end with, LAC_OK last; success and usage are understood
    lac_status (*run)(lac_cli *cli, const void *args, lac_error *err);
} lac_command;

int lac_n_commands(void);
const lac_command *lac_command_row(int i);
const lac_command *lac_command_find(const char *name); ///< NULL when there is none

#define LAC_COMMAND(name, part) extern const lac_command lac_cmd_##name;
#include "commands.def"
#undef LAC_COMMAND

/// Help of one command, and of the whole.
void lac_command_help(const lac_command *command, FILE *out);
void lac_commands_help(FILE *out);

#endif
