#ifndef LAC_PRUNE_REPORT_H
#define LAC_PRUNE_REPORT_H

#include "account.h"
#include "doc.h"
#include "stage.h"

/// What is left of every layer, before and after, as numbers and as a picture.

/// Totals in all currencies, and the efficiency family for an accuracy on n_test images.
void lac_prune_report_totals(lac_doc *doc, const lac_account *before, const lac_account *after,
                             double accuracy, uint32_t n_test);

/// One row a layer that is left.
void lac_prune_report_layers(lac_doc *doc, const lac_account *after);

/// Bars of every layer's weights before and after, as a PNG made by gnuplot.
///
/// errors  E_IO: gnuplot is not installed (Debian: gnuplot-nox), or the file cannot be written
lac_status lac_prune_chart(const char *path, const lac_account *before, const lac_account *after,
                           const char *title, lac_error *err) LAC_MUST_CHECK;

#endif
