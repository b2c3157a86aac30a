#include "dataset.h"

#include "data_files.h"
#include "file.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LAC_DATASET(id, name, help)                                                                          \
    lac_status lac_data_open_##id(const char *folder, lac_arena *arena, lac_dataset *out, lac_error *err);
#include "data.def"
#undef LAC_DATASET

static const lac_dataset_desc rows[] = {
#define LAC_DATASET(id, name, help) {name, help, lac_data_open_##id},
#include "data.def"
#undef LAC_DATASET
};

int lac_n_datasets(void) {
    return (int)(sizeof rows / sizeof rows[0]);
}

const lac_dataset_desc *lac_dataset_row(int i) {
    assert(i >= 0 && i < lac_n_datasets());
    return &rows[i];
}

static const lac_dataset_desc *find(const char *name, size_t n) {
    for (int i = 0; i < lac_n_datasets(); i++)
        if (strlen(rows[i].name) == n && memcmp(rows[i].name, name, n) == 0) return &rows[i];
    return NULL;
}

static lac_status unknown(const char *name, size_t n, lac_error *err) {
    char known[256] = "";
    for (size_t i = 0, used = 0; i < (size_t)lac_n_datasets() && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", rows[i].name);
    LAC_FAIL(err, LAC_E_USAGE, "no data set '%.*s'; there are: %s", (int)n, name, known);
}

static uint32_t crc_of(const lac_dataset *data, const lac_split *split, uint32_t crc) {
    crc = lac_crc32(crc, split->pixels, (size_t)split->n * (size_t)(data->c * data->h * data->w));
    return lac_crc32(crc, split->labels, split->n);
}

void lac_data_measure(lac_dataset *data) {
    uint64_t counts[256] = {0};
    size_t n = (size_t)data->train.n * (size_t)(data->c * data->h * data->w);
    for (size_t i = 0; i < n; i++) counts[data->train.pixels[i]]++;
    double sum = 0, squares = 0;
    for (int v = 0; v < 256; v++) {
        sum += (double)counts[v] * v;
        squares += (double)counts[v] * v * v;
    }
    double mean = sum / (double)n, variance = squares / (double)n - mean * mean;
    for (int c = 0; c < data->c; c++) {
        data->mean[c] = (float)round(mean);
        data->std[c] = (float)fmax(1, round(sqrt(fmax(0, variance))));
    }
}

lac_status lac_data_read_file(const char *path, const char *remedy, size_t n_bytes, lac_arena *arena,
                              lac_bytes *out, lac_error *err) {
    lac_status status = lac_file_read(path, arena, out, err);
    if (status == LAC_E_NOT_FOUND) LAC_FAIL(err, status, "cannot find '%s'; %s", path, remedy);
    LAC_TRY(status);
    if (out->n != n_bytes)
        LAC_FAIL(err, LAC_E_FORMAT, "'%s' has %zu bytes, it should have %zu; copy the file again", path,
                 out->n, n_bytes);
    return LAC_OK;
}

lac_status lac_dataset_hold_out(lac_dataset *data, uint32_t n, lac_error *err) {
    // The two parts lie one after the other.
    lac_split *train = &data->train;
    uint32_t all = train->n + data->validation.n;
    if (n >= all)
        LAC_FAIL(err, LAC_E_RANGE,
                 "data set '%s' has %u training images; %u cannot be held out for validation, so give fewer",
                 data->name, all, n);
    size_t image_bytes = (size_t)(data->c * data->h * data->w);
    train->n = all - n;
    data->validation = (lac_split){train->pixels + train->n * image_bytes, train->labels + train->n, n};
    return LAC_OK;
}

static uint32_t default_hold_out(uint32_t n) {
    return n > 2 * LAC_VALIDATION_IMAGES ? LAC_VALIDATION_IMAGES : n / 10;
}

lac_status lac_dataset_open(const char *spec, lac_arena *arena, lac_dataset *out, lac_error *err) {
    size_t n = strcspn(spec, ":");
    const lac_dataset_desc *row = find(spec, n);
    if (!row) return unknown(spec, n, err);
    const char *folder = spec[n] ? spec + n + 1 : NULL;
    if (folder && !*folder)
        LAC_FAIL(err, LAC_E_USAGE, "'%s' names no folder after the colon; write %s:FOLDER", spec, row->name);
    lac_dataset data = {.name = row->name};
    LAC_TRY(row->open(folder, arena, &data, err));
    data.data_crc = crc_of(&data, &data.test, crc_of(&data, &data.train, 0));
    LAC_TRY(lac_dataset_hold_out(&data, default_hold_out(data.train.n), err));
    *out = data;
    return LAC_OK;
}
