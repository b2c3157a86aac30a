#include "quant_doc.h"

#include <math.h>

static void cell_real(lac_doc *doc, double db) {
    if (isfinite(db))
        lac_doc_cell(doc, db, LAC_DOC_REAL);
    else
        lac_doc_cell_none(doc);
}

void lac_doc_quant_rows(lac_doc *doc, const lac_quant_row *rows, int n) {
    lac_doc_table_begin(
        doc, "layers",
        "layer|weight_bits|in_bits|out_bits|acc_bits|weights|zeros|digits|low|high|weight_sqnr_db|sqnr_db",
        "<layer|w bits|in bits|out bits|acc bits|weights|zeros|digits a weight|low|high|weights "
        "dB|output dB");
    for (int i = 0; i < n; i++) {
        const lac_quant_row *r = &rows[i];
        double all = r->n_weights ? (double)r->n_weights : 1;
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", r->name);
        lac_doc_cell(doc, r->weight_bits, LAC_DOC_COUNT);
        lac_doc_cell(doc, r->in_bits, LAC_DOC_COUNT);
        lac_doc_cell(doc, r->out_bits, LAC_DOC_COUNT);
        lac_doc_cell(doc, r->acc_bits, LAC_DOC_COUNT);
        lac_doc_cell(doc, all, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)r->n_zeros / all, LAC_DOC_PERCENT);
        lac_doc_cell(doc, (double)r->digits / all, LAC_DOC_RATIO);
        lac_doc_cell(doc, r->low, LAC_DOC_REAL);
        lac_doc_cell(doc, r->high, LAC_DOC_REAL);
        cell_real(doc, r->weight_sqnr_db);
        cell_real(doc, r->sqnr_db);
    }
    lac_doc_table_end(doc);
}

void lac_doc_agreement(lac_doc *doc, const lac_agreement *a) {
    lac_doc_number(doc, "compared_images", "compared, images", a->images, LAC_DOC_COUNT);
    lac_doc_number(doc, "compared_codes", "codes", (double)a->codes, LAC_DOC_COUNT);
    lac_doc_number(doc, "ties", "that differ, being ties", (double)a->ties, LAC_DOC_COUNT);
    lac_doc_number(doc, "furthest_tie", "furthest of them from a half", a->furthest, LAC_DOC_REAL);
    lac_doc_number(doc, "beyond", "that differ otherwise", (double)a->beyond, LAC_DOC_COUNT);
    if (a->beyond) lac_doc_text(doc, "beyond_layer", "first of them in", "%s", a->where);
    lac_doc_number(doc, "different_classes", "images of another class", a->different, LAC_DOC_COUNT);
    lac_doc_number(doc, "different_without_tie", "of them without a tie", a->different_without_tie,
                   LAC_DOC_COUNT);
}

// The choice that is next cheaper in cost; NULL when there is none.
static const lac_mixed_choice *next_cheaper(const lac_mixed_layer *layer) {
    const lac_mixed_choice *now = &layer->choices[layer->chosen], *best = NULL;
    for (int c = 0; c < layer->n_choices; c++) {
        const lac_mixed_choice *x = &layer->choices[c];
        if (x->cost < now->cost && (!best || x->cost > best->cost)) best = x;
    }
    return best;
}

void lac_doc_mixed(lac_doc *doc, const lac_mixed_layer *layers, int n, const char *unit, double limit) {
    double cost = 0, loss = 0;
    lac_doc_table_begin(
        doc, "widths", "layer|trace|weights|acts|loss|cost|cheaper_saves|cheaper_adds",
        "<layer|mean trace|w bits|in bits|adds to loss|costs|one step cheaper saves|and adds");
    for (int l = 0; l < n; l++) {
        const lac_mixed_choice *now = &layers[l].choices[layers[l].chosen], *next = next_cheaper(&layers[l]);
        cost += now->cost;
        loss += now->loss;
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", layers[l].name);
        cell_real(doc, layers[l].trace);
        lac_doc_cell(doc, now->weights, LAC_DOC_COUNT);
        lac_doc_cell(doc, now->acts, LAC_DOC_COUNT);
        lac_doc_cell(doc, now->loss, LAC_DOC_REAL);
        lac_doc_cell(doc, now->cost, LAC_DOC_COUNT);
        if (!next) {
            lac_doc_cell_none(doc);
            lac_doc_cell_none(doc);
            continue;
        }
        lac_doc_cell(doc, now->cost - next->cost, LAC_DOC_COUNT);
        lac_doc_cell(doc, next->loss - now->loss, LAC_DOC_REAL);
    }
    lac_doc_table_end(doc);
    lac_doc_text(doc, "budget", "budget", "%s", unit);
    lac_doc_number(doc, "budget_limit", "limit", limit, LAC_DOC_COUNT);
    lac_doc_number(doc, "budget_cost", "costs", cost, LAC_DOC_COUNT);
    lac_doc_number(doc, "budget_loss", "expected loss", loss, LAC_DOC_REAL);
}
