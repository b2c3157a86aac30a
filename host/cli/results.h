#ifndef LAC_RESULTS_H
#define LAC_RESULTS_H

#include "command.h"
#include "doc.h"

/// Prints a command's results as its common options say: for people or as JSON, and to the --results file.
///
/// errors  E_IO
lac_status lac_results_print(const lac_cli *cli, lac_doc *doc, FILE *out, lac_error *err) LAC_MUST_CHECK;

#endif
