#include "prune_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void one_total(lac_doc *doc, const char *key, const char *what, uint64_t before, uint64_t after) {
    lac_doc_row(doc);
    lac_doc_cell_text(doc, "%s", key);
    lac_doc_cell_text(doc, "%s", what);
    lac_doc_cell(doc, (double)before, LAC_DOC_COUNT);
    lac_doc_cell(doc, (double)after, LAC_DOC_COUNT);
    lac_doc_cell(doc, before ? (double)after / (double)before : 0, LAC_DOC_PERCENT);
}

static void efficiency(lac_doc *doc, const lac_account *after, double accuracy, uint32_t n_test) {
    lac_efficiency e = lac_efficiency_of(after, accuracy, (uint32_t)(accuracy * n_test + 0.5));
    lac_doc_number(doc, "accuracy_per_parameter", "accuracy per weight", e.accuracy_per_parameter,
                   LAC_DOC_REAL);
    lac_doc_number(doc, "correct_per_parameter", "test images right per weight", e.correct_per_parameter,
                   LAC_DOC_REAL);
    lac_doc_number(doc, "accuracy_per_byte", "accuracy per list byte", e.accuracy_per_byte, LAC_DOC_REAL);
    lac_doc_number(doc, "log_efficiency", "decades of error per decade of weights", e.log_efficiency,
                   LAC_DOC_REAL);
}

void lac_prune_report_totals(lac_doc *doc, const lac_account *before, const lac_account *after,
                             double accuracy, uint32_t n_test) {
    const lac_layer_account *b = &before->total, *a = &after->total;
    lac_doc_table_begin(doc, "account", "key|what|before|after|left", "<count|<of|before|after|left");
    one_total(doc, "parameters", "trainable numbers", before->n_parameters, after->n_parameters);
    one_total(doc, "weights", "of convolutions and linear layers", b->n_weights, a->n_weights);
    one_total(doc, "nonzero", "that are not zero", b->n_nonzero, a->n_nonzero);
    one_total(doc, "effective", "on a path from image to logits", b->n_effective, a->n_effective);
    one_total(doc, "macs", "multiply-accumulates", b->macs, a->macs);
    one_total(doc, "nonzero_macs", "by weights that are not zero", b->nonzero_macs, a->nonzero_macs);
    one_total(doc, "bops", "bit operations", before->bops, after->bops);
    one_total(doc, "cycles", "engine cycles an image, estimated", b->cycles, a->cycles);
    one_total(doc, "bytes_dense", "weights as a matrix", b->bytes.dense, a->bytes.dense);
    one_total(doc, "bytes_bitmap", "with a bitmap", b->bytes.bitmap, a->bytes.bitmap);
    one_total(doc, "bytes_run", "with runs of zeros", b->bytes.run, a->bytes.run);
    one_total(doc, "bytes_delta", "with distances", b->bytes.delta, a->bytes.delta);
    one_total(doc, "bytes_csr", "as compressed rows", b->bytes.csr, a->bytes.csr);
    one_total(doc, "bytes_stream", "as the engine's lists", b->bytes.stream, a->bytes.stream);
    lac_doc_table_end(doc);
    if (accuracy >= 0) efficiency(doc, after, accuracy, n_test);
}

void lac_prune_report_layers(lac_doc *doc, const lac_account *after) {
    lac_doc_table_begin(doc, "layers",
                        "name|in|out|weights|nonzero|density|effective|nonzero_macs|cycles|list_bytes",
                        "<layer|in|out|weights|not zero|density|effective|MACs|cycles|list bytes");
    for (int i = 0; i < after->n_layers; i++) {
        const lac_layer_account *a = &after->layers[i];
        lac_doc_row(doc);
        lac_doc_cell_text(doc, "%s", a->name);
        lac_doc_cell(doc, (double)a->n_in, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)a->n_out, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)a->n_weights, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)a->n_nonzero, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)a->n_nonzero / (double)a->n_weights, LAC_DOC_PERCENT);
        lac_doc_cell(doc, (double)a->n_effective, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)a->nonzero_macs, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)a->cycles, LAC_DOC_COUNT);
        lac_doc_cell(doc, (double)a->bytes.stream, LAC_DOC_COUNT);
    }
    lac_doc_table_end(doc);
}

// ---- the picture ----------------------------------------------------------------------------------------

// Texts go into a data block between quotes: quotes and backslashes would end it.
static void plain(char to[64], const char *from) {
    size_t n = 0;
    for (; *from && n < 63; from++)
        if (*from != '"' && *from != '\\' && (unsigned char)*from >= ' ') to[n++] = *from;
    to[n] = 0;
}

static void write_script(FILE *out, const char *file, const lac_account *before, const lac_account *after,
                         const char *title) {
    char name[64];
    int width = 320 + 28 * after->n_layers;
    plain(name, title);
    fputs("$layers << END\n", out);
    for (int i = 0; i < after->n_layers; i++) {
        char layer[64];
        plain(layer, after->layers[i].name);
        uint64_t was = i < before->n_layers ? before->layers[i].n_nonzero : 0;
        fprintf(out, "\"%s\" %" PRIu64 " %" PRIu64 "\n", layer, was, after->layers[i].n_nonzero);
    }
    fputs("END\n", out);
    fprintf(out, "set terminal pngcairo size %d,480 noenhanced\nset output \"%s\"\n",
            width < 640 ? 640 : width, file);
    fprintf(out, "set title \"%s\"\nset ylabel \"weights that are not zero\"\n", name);
    fputs("set style data histogram\nset style histogram clustered gap 1\nset style fill solid\n"
          "set boxwidth 0.95\nset logscale y\nset yrange [1:*]\nset xtics rotate by -60 noenhanced\nset grid "
          "ytics\n"
          "plot $layers using 2:xtic(1) title \"before\" linecolor rgb \"#b8c4d0\", "
          "'' using 3 title \"after\" linecolor rgb \"#1f6fb4\"\n",
          out);
}

lac_status lac_prune_chart(const char *path, const lac_account *before, const lac_account *after,
                           const char *title, lac_error *err) {
    char temporary[1040];
    if (strchr(path, '"') || strchr(path, '\\') ||
        (size_t)snprintf(temporary, sizeof temporary, "%s.tmp", path) >= sizeof temporary)
        LAC_FAIL(err, LAC_E_IO, "the chart's path must be under 1,036 bytes, without quotes and backslashes");
    FILE *gnuplot = popen("gnuplot 2>/dev/null", "w");
    if (!gnuplot) LAC_FAIL(err, LAC_E_IO, "cannot start gnuplot for '%s'", path);
    write_script(gnuplot, temporary, before, after, title);
    int status = pclose(gnuplot);
    bool made = WIFEXITED(status) && WEXITSTATUS(status) == 0 && rename(temporary, path) == 0;
    if (!made) unlink(temporary);
    if (!made)
        LAC_FAIL(err, LAC_E_IO,
                 "gnuplot did not make '%s': install it (Debian: gnuplot-nox) or check that the folder can "
                 "be written",
                 path);
    return LAC_OK;
}
