#ifndef LAC_METRICS_H
#define LAC_METRICS_H

#include "lac_status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/// A file of JSON lines that a resumed run continues where its checkpoint left it.
typedef struct lac_metrics {
    FILE *file; ///< NULL: nothing is recorded
    const char *path;
} lac_metrics;

typedef struct lac_metrics_line {
    uint64_t step;
    double epoch, lr, loss, train_accuracy, validation_loss, validation_accuracy;
    bool has_validation;
} lac_metrics_line;

/// Opens path (NULL: records nothing) and cuts it to its first `keep` bytes.
///
/// errors  E_IO
lac_status lac_metrics_open(lac_metrics *metrics, const char *path, int64_t keep,
                            lac_error *err) LAC_MUST_CHECK;
void lac_metrics_close(lac_metrics *metrics);
void lac_metrics_write(lac_metrics *metrics, const lac_metrics_line *line);

/// Makes all lines reach the file; its length into n_bytes (NULL allowed).
///
/// errors  E_IO, also for lines written before
lac_status lac_metrics_flush(lac_metrics *metrics, int64_t *n_bytes, lac_error *err) LAC_MUST_CHECK;

#endif
