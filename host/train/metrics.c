#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

lac_status lac_metrics_open(lac_metrics *m, const char *path, int64_t keep, lac_error *err) {
    *m = (lac_metrics){.path = path};
    if (!path) return LAC_OK;
    m->file = fopen(path, keep > 0 ? "r+" : "w");
    if (!m->file) LAC_FAIL(err, LAC_E_IO, "cannot write metrics '%s': %s", path, strerror(errno));
    if (keep > 0 && (ftruncate(fileno(m->file), (off_t)keep) != 0 || fseek(m->file, 0, SEEK_END) != 0))
        LAC_FAIL(err, LAC_E_IO, "cannot continue metrics '%s': %s", path, strerror(errno));
    return LAC_OK;
}

void lac_metrics_close(lac_metrics *m) {
    if (m->file) fclose(m->file);
    m->file = NULL;
}

void lac_metrics_write(lac_metrics *m, const lac_metrics_line *l) {
    if (!m->file) return;
    fprintf(m->file, "{\"step\":%" PRIu64 ",\"epoch\":%.6g,\"lr\":%.6g,\"loss\":%.6g,\"train_accuracy\":%.6g",
            l->step, l->epoch, l->lr, l->loss, l->train_accuracy);
    if (l->has_validation)
        fprintf(m->file, ",\"validation_loss\":%.6g,\"validation_accuracy\":%.6g", l->validation_loss,
                l->validation_accuracy);
    fputs("}\n", m->file);
}

lac_status lac_metrics_flush(lac_metrics *m, int64_t *n_bytes, lac_error *err) {
    if (!m->file) return LAC_OK;
    if (fflush(m->file) != 0 || ferror(m->file))
        LAC_FAIL(err, LAC_E_IO, "cannot write metrics '%s': %s", m->path, strerror(errno));
    if (n_bytes) *n_bytes = ftell(m->file);
    return LAC_OK;
}
