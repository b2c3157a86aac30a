#include "arrays.h"
#include "data_files.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

lac_status lac_data_open_arrays(const char *folder, lac_arena *arena, lac_dataset *out, lac_error *err);

// NumPy arrays x_train, y_train, x_test and y_test: files of a folder, or members of one .npz, as Keras has
// them.

enum { MAX_CLASSES = 256, MAX_SIDE = 1024 };

static const char remedy[] = "save x_train, y_train, x_test and y_test with numpy.savez, pixels as uint8";

// Bytes n x h x w, n x c x h x w or n x h x w x c; the last two are told apart by which of them is 1, 3 or 4.
static lac_status image_shape(const lac_array *a, lac_dataset *out, bool *channels_last, lac_error *err) {
    const uint64_t *d = a->dims;
    bool grey = a->n_dims == 3, first = a->n_dims == 4 && d[1] <= 4 && d[1] != 2,
         last = a->n_dims == 4 && d[3] <= 4;
    *channels_last = last && !first;
    if (a->kind != 'u' || a->item_bytes != 1 || !(grey || first || last))
        LAC_FAIL(err, LAC_E_FORMAT,
                 "array '%s' has %d dimensions of %c%d; images are bytes (u1), n x h x w, n x c x h x w or "
                 "n x h x w x c; %s",
                 a->path, a->n_dims, a->kind, a->item_bytes, remedy);
    uint64_t c = grey    ? 1
                 : first ? d[1]
                         : d[3],
             h = grey || *channels_last ? d[1] : d[2], w = grey || *channels_last ? d[2] : d[3];
    if (c < 1 || c == 2 || h < 1 || w < 1 || h > MAX_SIDE || w > MAX_SIDE)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "array '%s' has images of %" PRIu64 "x%" PRIu64 "x%" PRIu64
                 "; 1, 3 or 4 channels and 1 to %d pixels on a side are read",
                 a->path, c, h, w, MAX_SIDE);
    out->c = (int)c;
    out->h = (int)h;
    out->w = (int)w;
    return LAC_OK;
}

static uint8_t *channels_first(const lac_array *a, const lac_dataset *d, lac_arena *arena) {
    size_t plane = (size_t)d->h * (size_t)d->w, channels = (size_t)d->c;
    uint8_t *to = lac_arena_alloc(arena, a->n_bytes);
    for (uint64_t i = 0; i < a->dims[0]; i++)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < plane; p++)
                to[(i * channels + c) * plane + p] = a->data[(i * plane + p) * channels + c];
    return to;
}

static lac_status read_labels(const lac_array *a, uint8_t **out, int *n_classes, lac_arena *arena,
                              lac_error *err) {
    bool fits = a->n_dims == 1 || (a->n_dims == 2 && a->dims[1] == 1);
    if (!fits || (a->kind != 'u' && a->kind != 'i'))
        LAC_FAIL(err, LAC_E_FORMAT,
                 "array '%s' has %d dimensions of %c%d; labels are one integer an image; %s", a->path,
                 a->n_dims, a->kind, a->item_bytes, remedy);
    *out = LAC_NEW_ARRAY(arena, uint8_t, a->dims[0]);
    for (uint64_t i = 0; i < a->dims[0]; i++) {
        int64_t label = lac_array_integer(a, i);
        if (label < 0 || label >= MAX_CLASSES)
            LAC_FAIL(err, LAC_E_FORMAT,
                     "array '%s': image %" PRIu64 " has label %" PRId64 ", 0 to %d are read", a->path, i,
                     label, MAX_CLASSES - 1);
        (*out)[i] = (uint8_t)label;
        if (label >= *n_classes) *n_classes = (int)label + 1;
    }
    return LAC_OK;
}

static lac_status read_pair(const char *path, const char *x_name, const char *y_name, lac_arena *arena,
                            lac_dataset *shape, lac_split *out, lac_error *err) {
    lac_array x, y;
    bool channels_last;
    uint8_t *labels;
    LAC_TRY(lac_array_read(path, x_name, remedy, arena, &x, err));
    LAC_TRY(lac_array_read(path, y_name, remedy, arena, &y, err));
    LAC_TRY(image_shape(&x, shape, &channels_last, err));
    LAC_TRY(read_labels(&y, &labels, &shape->n_classes, arena, err));
    if (x.dims[0] != y.dims[0] || x.dims[0] == 0 || x.dims[0] > UINT32_MAX)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "'%s' has %" PRIu64 " images, '%s' has %" PRIu64 " labels; both must be one number above 0",
                 x.path, x.dims[0], y.path, y.dims[0]);
    *out =
        (lac_split){channels_last ? channels_first(&x, shape, arena) : x.data, labels, (uint32_t)x.dims[0]};
    return LAC_OK;
}

lac_status lac_data_open_arrays(const char *path, lac_arena *arena, lac_dataset *out, lac_error *err) {
    if (!path)
        LAC_FAIL(err, LAC_E_NOT_FOUND,
                 "arrays are files of yours; give a folder or an .npz as arrays:PATH, and %s", remedy);
    lac_dataset train = {0}, test = {0};
    LAC_TRY(read_pair(path, "x_train", "y_train", arena, &train, &out->train, err));
    LAC_TRY(read_pair(path, "x_test", "y_test", arena, &test, &out->test, err));
    if (train.c != test.c || train.h != test.h || train.w != test.w)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "'%s': images to train on are %dx%dx%d, those to test on %dx%dx%d; make them equal", path,
                 train.c, train.h, train.w, test.c, test.h, test.w);
    out->c = train.c;
    out->h = train.h;
    out->w = train.w;
    out->n_classes = train.n_classes > test.n_classes ? train.n_classes : test.n_classes;
    lac_data_measure(out);
    return LAC_OK;
}
