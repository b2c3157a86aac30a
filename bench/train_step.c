// One step of training of ResNet-8 on 32 images, for bench/train_step_torch.py to repeat in PyTorch: writes
// before.onnx, after.onnx, images (bytes) and labels into a folder.
//
//   train_step FOLDER
#include "file.h"
#include "onnx.h"
#include "rng.h"
#include "train.h"

#include <stdio.h>
#include <string.h>

enum { BATCH = 32, IMAGE = 3 * 32 * 32 };

static lac_status put(lac_arena *arena, const char *folder, const char *name, const void *data, size_t n,
                      lac_error *err) {
    return lac_file_write(lac_arena_printf(arena, "%s/%s", folder, name), data, n, err);
}

static lac_dataset make_data(lac_arena *arena) {
    lac_dataset data = {.name = "random", .c = 3, .h = 32, .w = 32, .n_classes = 10};
    uint8_t *pixels = lac_arena_alloc(arena, BATCH * IMAGE), *labels = lac_arena_alloc(arena, BATCH);
    lac_rng rng = lac_rng_make(1, 1);
    for (int i = 0; i < BATCH * IMAGE; i++) pixels[i] = (uint8_t)lac_rng_below(&rng, 256);
    for (int i = 0; i < BATCH; i++) labels[i] = (uint8_t)lac_rng_below(&rng, 10);
    for (int c = 0; c < 3; c++) {
        data.mean[c] = 121;
        data.std[c] = 64;
    }
    data.train = (lac_split){pixels, labels, BATCH};
    return data;
}

static lac_status run(lac_arena *arena, const char *folder, lac_error *err) {
    lac_dataset data = make_data(arena);
    lac_graph *graph = NULL;
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, "resnet8") == 0)
            graph = lac_net_row(i)->build(arena, 3, 32, 32, 10, 1);
    LAC_TRY(lac_onnx_write(graph, lac_arena_printf(arena, "%s/before.onnx", folder), err));
    LAC_TRY(put(arena, folder, "images", data.train.pixels, BATCH * IMAGE, err));
    LAC_TRY(put(arena, folder, "labels", data.train.labels, BATCH, err));
    const lac_recipe recipe = {
        .epochs = 1, .batch = BATCH, .lr = 0.1f, .weight_decay = 5e-4f, .schedule = LAC_CONSTANT};
    lac_train_result result;
    LAC_TRY(lac_train(graph, &data, &recipe, NULL, NULL, &result, err));
    printf("loss %.9g\n", result.train_loss);
    return lac_onnx_write(graph, lac_arena_printf(arena, "%s/after.onnx", folder), err);
}

int main(int argc, char **argv) {
    lac_error err = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: train_step FOLDER\n");
        return 2;
    }
    lac_arena *arena = lac_arena_open();
    lac_status status = run(arena, argv[1], &err);
    if (status != LAC_OK) fprintf(stderr, "train_step: %s\n", err.text);
    lac_arena_close(arena);
    return lac_status_exit_code(status);
}
