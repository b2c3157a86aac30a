#ifndef LAC_QUANT_DOC_H
#define LAC_QUANT_DOC_H

#include "agree.h"
#include "doc.h"
#include "mixed.h"
#include "quant_report.h"

/// Tables of what quantization did and chose.
void lac_doc_quant_rows(lac_doc *doc, const lac_quant_row *rows, int n);
void lac_doc_agreement(lac_doc *doc, const lac_agreement *a);

/// Every layer's widths with the reason: what they add to the loss and to the cost, and what the next cheaper
/// choice would save and add.
void lac_doc_mixed(lac_doc *doc, const lac_mixed_layer *layers, int n, const char *unit, double limit);

#endif
