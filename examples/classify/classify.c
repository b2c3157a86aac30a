/// Classifies images with a program image on a device, and prints a class a line.
///
///   classify DEVICE MODEL.lac < PIXELS      PIXELS: images of the model's size, one after the other, 8 bits
///   a value classify --list                         the devices of this build
///
/// While one batch is at work, the next one is read.

#include <lacuna.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 256 };

typedef struct batch {
    uint8_t *pixels;
    int32_t *results;
    int n;
    lacuna_job *job;
} batch;

static int fail(const char *what, const lacuna_error *error) {
    fprintf(stderr, "classify: %s: %s\n", what, error->text);
    return error->code;
}

/// Reads up to a batch of images and starts it; n = 0 at the end of the input.
static int begin(lacuna_device *device, batch *b, size_t n_pixels, lacuna_error *error) {
    b->n = (int)fread(b->pixels, n_pixels, BATCH, stdin);
    b->job = NULL;
    return b->n ? lacuna_start(device, b->n, b->pixels, b->results, &b->job, error) : 0;
}

static int finish(lacuna_device *device, batch *b, int n_results, lacuna_error *error) {
    if (!b->job) return 0;
    int code = lacuna_wait(b->job, error);
    b->job = NULL;
    for (int i = 0; !code && i < b->n; i++) printf("%d\n", lacuna_class(device, b->results + i * n_results));
    return code;
}

static int run(lacuna_device *device, const char *model, lacuna_error *error) {
    lacuna_shape shape;
    batch batches[2];
    int code = lacuna_load(device, model, error);
    if (!code) code = lacuna_get_shape(device, &shape, error);
    if (code) return code;
    size_t n_pixels = (size_t)shape.channels * (size_t)shape.rows * (size_t)shape.columns;
    for (int i = 0; i < 2; i++) {
        batches[i].job = NULL;
        batches[i].pixels = malloc(BATCH * n_pixels);
        batches[i].results = malloc(BATCH * sizeof(int32_t) * (size_t)shape.results);
        if (!batches[i].pixels || !batches[i].results) {
            *error = (lacuna_error){13, "no memory for a batch of images"};
            code = 13;
        }
    }
    for (int turn = 0; !code; turn = !turn) {
        code = begin(device, &batches[turn], n_pixels, error);
        int other = finish(device, &batches[!turn], shape.results, error);
        if (!code) code = other;
        if (code || !batches[turn].n) break;
    }
    lacuna_error ignored;
    for (int i = 0; i < 2; i++) {
        if (batches[i].job) lacuna_wait(batches[i].job, &ignored);
        free(batches[i].pixels);
        free(batches[i].results);
    }
    return code;
}

int main(int argc, char **argv) {
    lacuna_error error = {0, ""};
    lacuna_device *device;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (int i = 0; lacuna_device_name(i); i++) printf("%s\n", lacuna_device_name(i));
        return 0;
    }
    if (argc != 3) {
        fprintf(stderr, "usage: classify DEVICE MODEL.lac < PIXELS\n       classify --list\n");
        return 2;
    }
    if (lacuna_open(argv[1], NULL, &device, &error)) return fail(argv[1], &error);
    int code = run(device, argv[2], &error);
    lacuna_close(device);
    return code ? fail(argv[2], &error) : 0;
}
