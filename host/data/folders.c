#include "data_files.h"
#include "picture.h"
#include "rng.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

lac_status lac_data_open_folders(const char *folder, lac_arena *arena, lac_dataset *out, lac_error *err);

// ROOT/train/CLASS/*.png and ROOT/test/CLASS/*.png, or ROOT/CLASS/*.png, of which every tenth image of a
// class is for the test. Names are taken in the order of their bytes, and the images to train on are
// shuffled, so that those held out for validation come from all classes. "ROOT@HxW" scales all images to one
// size.

enum { MAX_CLASSES = 256, TEST_EVERY = 10, MAX_SCALED = 1024 };

typedef struct names {
    const char **items;
    size_t n, capacity;
} names;

static void add_name(names *list, const char *name, lac_arena *arena) {
    if (list->n == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        const char **larger = LAC_NEW_ARRAY(arena, const char *, list->capacity);
        if (list->n) memcpy(larger, list->items, list->n * sizeof *larger);
        list->items = larger;
    }
    list->items[list->n++] = name;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_folder(const char *path) {
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static bool is_image(const char *name) {
    static const char *const ends[] = {".png", ".jpg", ".jpeg"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n = strlen(name), m = strlen(ends[i]);
        if (n > m && strcasecmp(name + n - m, ends[i]) == 0) return true;
    }
    return false;
}

// Folders or images in a folder, sorted; hidden ones are passed over.
static lac_status list(const char *path, bool folders, lac_arena *arena, names *out, lac_error *err) {
    DIR *dir = opendir(path);
    if (!dir)
        LAC_FAIL(err, LAC_E_NOT_FOUND,
                 "cannot open folder '%s'; give one that holds CLASS/*.png as folders:FOLDER", path);
    *out = (names){0};
    for (const struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        bool wanted =
            folders ? is_folder(lac_arena_printf(arena, "%s/%s", path, e->d_name)) : is_image(e->d_name);
        if (wanted) add_name(out, lac_arena_strdup(arena, e->d_name), arena);
    }
    closedir(dir);
    if (out->n) qsort(out->items, out->n, sizeof *out->items, by_bytes);
    return LAC_OK;
}

typedef struct item {
    const char *path;
    uint8_t label;
} item;
typedef struct items {
    item *data;
    uint32_t n;
} items;

// The images of all classes under a root; part -1 takes all, 0 those to train on, 1 those to test on.
static lac_status collect(const char *root, const names *classes, int part, lac_arena *arena, items *out,
                          lac_error *err) {
    names *images = LAC_NEW_ARRAY(arena, names, classes->n);
    size_t total = 0;
    for (size_t c = 0; c < classes->n; c++) {
        LAC_TRY(
            list(lac_arena_printf(arena, "%s/%s", root, classes->items[c]), false, arena, &images[c], err));
        total += images[c].n;
    }
    *out = (items){.data = LAC_NEW_ARRAY(arena, item, total + 1)};
    for (size_t c = 0; c < classes->n; c++)
        for (size_t i = 0; i < images[c].n; i++) {
            bool test = i % TEST_EVERY == TEST_EVERY - 1;
            if (part >= 0 && test != (part == 1)) continue;
            const char *path =
                lac_arena_printf(arena, "%s/%s/%s", root, classes->items[c], images[c].items[i]);
            out->data[out->n++] = (item){path, (uint8_t)c};
        }
    if (out->n == 0)
        LAC_FAIL(err, LAC_E_NOT_FOUND,
                 "'%s' has %zu class folders and no %simage in them; it needs %s/CLASS/*.png or *.jpg", root,
                 classes->n, part == 1 ? "tenth " : "", root);
    return LAC_OK;
}

static void shuffle(items *list_, lac_arena *arena) {
    uint32_t *order = LAC_NEW_ARRAY(arena, uint32_t, list_->n);
    item *copy = lac_arena_copy(arena, list_->data, list_->n * sizeof *copy);
    lac_rng rng = lac_rng_make(0, 0);
    for (uint32_t i = 0; i < list_->n; i++) order[i] = i;
    lac_rng_shuffle(&rng, order, list_->n);
    for (uint32_t i = 0; i < list_->n; i++) list_->data[i] = copy[order[i]];
}

// What a whole data set has in common.
typedef struct frame {
    const char *first; // the image whose size and channels all have
    bool scaled;
} frame;

// Takes a size off the end of "ROOT@HxW".
static lac_status split_size(const char *text, lac_arena *arena, const char **root, int *h, int *w,
                             lac_error *err) {
    const char *at = strrchr(text, '@');
    int end = 0;
    *root = text;
    *h = *w = 0;
    if (!at || is_folder(text) || sscanf(at, "@%5dx%5d%n", h, w, &end) != 2 || at[end]) return LAC_OK;
    if (*h < 1 || *w < 1 || *h > MAX_SCALED || *w > MAX_SCALED)
        LAC_FAIL(err, LAC_E_RANGE, "'%s': a size of %dx%d was asked for, 1x1 to %dx%d can be had", text, *h,
                 *w, MAX_SCALED, MAX_SCALED);
    char *copy = lac_arena_strdup(arena, text);
    copy[at - text] = '\0';
    *root = copy;
    return LAC_OK;
}

// Rows of pixels to planes of channels; a grey file among coloured ones is grey in all of them.
static void put_planes(const lac_picture *from, int channels, uint8_t *to) {
    size_t plane = (size_t)from->h * (size_t)from->w;
    for (int c = 0; c < channels; c++)
        for (size_t p = 0; p < plane; p++)
            to[(size_t)c * plane + p] = from->pixels[p * (size_t)from->c + (size_t)(from->c == 1 ? 0 : c)];
}

static lac_status read_one(const item *it, const frame *all, lac_dataset *d, uint8_t *to, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    lac_picture picture;
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to read '%s'", it->path);
    lac_status status = lac_picture_read(it->path, scratch, &picture, err);
    if (status == LAC_OK && all->scaled) picture = lac_picture_cover(&picture, d->w, d->h, scratch);
    if (status == LAC_OK && picture.h == d->h && picture.w == d->w && picture.c <= d->c)
        put_planes(&picture, d->c, to);
    else if (status == LAC_OK)
        status = lac_fail(err, LAC_E_FORMAT,
                          "'%s' is %dx%d pixels of %d channels, '%s' is %dx%d of %d; make all alike, or have "
                          "them scaled, as in folders:ROOT@32x32",
                          it->path, picture.w, picture.h, picture.c, all->first, d->w, d->h, d->c);
    lac_arena_close(scratch);
    return status;
}

static lac_status read_all(const items *from, const frame *all, lac_dataset *d, lac_arena *arena,
                           lac_split *out, lac_error *err) {
    size_t size = (size_t)d->c * (size_t)d->h * (size_t)d->w;
    uint8_t *pixels = lac_arena_array(arena, from->n, size), *labels = lac_arena_alloc(arena, from->n);
    for (uint32_t i = 0; i < from->n; i++) {
        LAC_TRY(read_one(&from->data[i], all, d, pixels + i * size, err));
        labels[i] = from->data[i].label;
    }
    *out = (lac_split){pixels, labels, from->n};
    return LAC_OK;
}

static lac_status find_classes(const char *root, lac_arena *arena, names *out, lac_error *err) {
    LAC_TRY(list(root, true, arena, out, err));
    if (out->n >= 2 && out->n <= MAX_CLASSES) return LAC_OK;
    LAC_FAIL(err, LAC_E_FORMAT, "'%s' has %zu class folders, 2 to %d are needed", root, out->n, MAX_CLASSES);
}

lac_status lac_data_open_folders(const char *folder, lac_arena *arena, lac_dataset *out, lac_error *err) {
    if (!folder)
        LAC_FAIL(err, LAC_E_NOT_FOUND,
                 "images are files of yours; give the folder that holds CLASS/*.png as folders:FOLDER");
    const char *root;
    LAC_TRY(split_size(folder, arena, &root, &out->h, &out->w, err));
    const char *train_root = lac_arena_printf(arena, "%s/train", root);
    const char *test_root = lac_arena_printf(arena, "%s/test", root);
    bool parted = is_folder(train_root) && is_folder(test_root);
    names classes;
    items train, test;
    lac_picture first;
    LAC_TRY(find_classes(parted ? train_root : root, arena, &classes, err));
    LAC_TRY(collect(parted ? train_root : root, &classes, parted ? -1 : 0, arena, &train, err));
    LAC_TRY(collect(parted ? test_root : root, &classes, parted ? -1 : 1, arena, &test, err));
    LAC_TRY(lac_picture_read(train.data[0].path, arena, &first, err));
    const frame all = {train.data[0].path, out->h > 0};
    out->c = first.c;
    if (!all.scaled) out->h = first.h;
    if (!all.scaled) out->w = first.w;
    out->n_classes = (int)classes.n;
    out->class_names = classes.items;
    shuffle(&train, arena);
    LAC_TRY(read_all(&train, &all, out, arena, &out->train, err));
    LAC_TRY(read_all(&test, &all, out, arena, &out->test, err));
    lac_data_measure(out);
    return LAC_OK;
}
