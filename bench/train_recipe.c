// Trains a network by a recipe given as key=value words, and tells what came of it: for the search of
// recipes.
//
//   train_recipe net=lacuna-tiny data=fashion-mnist epochs=5 batch=128 lr=0.1 warmup=0.2 decay=5e-4 smooth=0
//                pad=0 flip=0 seed=1 adam=0 test=0
#include "talk.h"
#include "train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note(void *ctx, const char *sentence) {
    (void)ctx;
    fprintf(stderr, "%s\n", sentence);
}

static const char *word(int argc, char **argv, const char *key, const char *otherwise) {
    size_t n = strlen(key);
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], key, n) == 0 && argv[i][n] == '=') return argv[i] + n + 1;
    return otherwise;
}

static float number(int argc, char **argv, const char *key, const char *otherwise) {
    return strtof(word(argc, argv, key, otherwise), NULL);
}

static const lac_net_desc *find(const char *name) {
    for (int i = 0; i < lac_n_nets(); i++)
        if (strcmp(lac_net_row(i)->name, name) == 0) return lac_net_row(i);
    fprintf(stderr, "no network '%s'\n", name);
    exit(2);
}

static lac_status run(int argc, char **argv, lac_arena *arena, lac_error *err) {
    lac_dataset data;
    LAC_TRY(lac_dataset_open(word(argc, argv, "data", "fashion-mnist"), arena, &data, err));
    lac_recipe recipe = {.optimizer = number(argc, argv, "adam", "0") != 0 ? LAC_ADAM : LAC_SGD,
                         .epochs = number(argc, argv, "epochs", "5"),
                         .batch = (int)number(argc, argv, "batch", "128"),
                         .lr = number(argc, argv, "lr", "0.1"),
                         .warmup_epochs = number(argc, argv, "warmup", "0.2"),
                         .weight_decay = number(argc, argv, "decay", "5e-4"),
                         .label_smoothing = number(argc, argv, "smooth", "0"),
                         .crop_pad = (int)number(argc, argv, "pad", "0"),
                         .flip = number(argc, argv, "flip", "0") != 0,
                         .seed = (uint64_t)number(argc, argv, "seed", "1")};
    const lac_net_desc *net = find(word(argc, argv, "net", "lacuna-tiny"));
    lac_graph *graph = net->build(arena, data.c, data.h, data.w, data.n_classes, recipe.seed);
    lac_train_result result;
    LAC_TRY(lac_train(graph, &data, &recipe, NULL, &(lac_talk){.note = note}, &result, err));
    for (int i = 1; i < argc; i++) printf("%s ", argv[i]);
    printf("-> validation %.2f %% (best %.2f), train loss %.4f, %.1f s, %.0f images/s\n",
           100 * result.validation_accuracy, 100 * result.best_validation_accuracy, result.train_loss,
           result.seconds, result.images_per_s);
    if (number(argc, argv, "test", "0") == 0) return LAC_OK;
    lac_eval_result test;
    LAC_TRY(lac_evaluate(graph, &data, &data.test, 0, NULL, &test, err));
    printf("   test %.2f %%\n", 100 * test.accuracy);
    return LAC_OK;
}

int main(int argc, char **argv) {
    lac_arena *arena = lac_arena_open();
    lac_error err = {0};
    lac_status status = run(argc, argv, arena, &err);
    if (status != LAC_OK) fprintf(stderr, "train_recipe: %s\n", err.text);
    lac_arena_close(arena);
    return lac_status_exit_code(status);
}
