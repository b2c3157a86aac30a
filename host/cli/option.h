#ifndef LAC_OPTION_H
#define LAC_OPTION_H

#include "arena.h"
#include "lac_status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/// Command lines by table: one row an option drives parsing, --help and the words of every error.

typedef enum lac_option_kind {
    LAC_OPT_FLAG,   ///< bool; takes no value
    LAC_OPT_INT,    ///< int in [lowest, highest]
    LAC_OPT_FLOAT,  ///< float in [lowest, highest]
    LAC_OPT_DOUBLE, ///< double in [lowest, highest]
    LAC_OPT_U64,    ///< uint64_t up to highest
    LAC_OPT_TEXT,   ///< const char *, any text but an empty one
    LAC_OPT_CHOICE, ///< const char *, one of names()
    LAC_OPT_INDEX,  ///< int, position in names()
    LAC_OPT_LIST,   ///< const char *, some of names() with commas between
    LAC_OPT_GRID,   ///< int[2], "7x7", both in [lowest, highest]
} lac_option_kind;

/// Highest of a LAC_OPT_U64 that takes all of its type.
#define LAC_OPTION_ANY_U64 18446744073709551615.0

/// Names of a table's rows, NULL past the end.
typedef const char *lac_option_names(int i);

/// One row. Rows with operand set are filled by position, in table order; the others by --name.
typedef struct lac_option {
    const char *name;
    char letter; ///< one-letter form, 0 for none
    lac_option_kind kind;
    bool operand;  ///< given by position; an operand must be given unless it has a fallback
    bool required; ///< an option that must be given
    bool unsaved;  ///< does not shape the result: stays out of the recipe that is stored with it
    size_t offset; ///< of the member that takes the value, in the command's argument struct
    double lowest, highest;
    const char *fallback; ///< value when it is not given, as one would type it; NULL leaves zero
    const char *shown;    ///< how help shows the default, where the fallback does not say it
    const char *value;    ///< word for the value in help, "FILE"
    lac_option_names *names;
    const char *group; ///< heading in help; rows of one group stand together
    const char *help;
} lac_option;

/// Fills args from the fallbacks, then from argv[0 .. argc-1] (the words after the command). "--" ends the
/// options; "-" is an operand; "--name=value" and "-nvalue" are fine; a later option overrides an earlier.
///
/// errors  E_USAGE: names the word, what is allowed and the nearest match
lac_status lac_option_parse(const lac_option *options, int n_options, int argc, char **argv, void *args,
                            lac_error *err) LAC_MUST_CHECK;

/// A word of a command line without the folders in it, as it may stand in a file that others get: "a/b.onnx"
/// is "b.onnx", "cifar10:/data/cifar" is "cifar10", "--out=a/b" is "--out=b".
const char *lac_option_bare(lac_arena *arena, const char *word);

/// The value of a row in args as one would type it; "" where there is none.
const char *lac_option_print(const lac_option *option, const void *args, char text[128]);

/// What a row takes, for help and errors: "1..8", "sgd|adam", "a path"; text has room for size bytes.
const char *lac_option_range(const lac_option *option, char *text, size_t size);

/// The name nearest to word (edit distance with transpositions), NULL when none is near.
const char *lac_option_nearest(const char *word, lac_option_names *names);

#endif
