#include "workload.h"

#include "ref.h"
#include "rng.h"

#include <string.h>

const char *lac_names_splits(int i) {
    static const char *const names[] = {"test", "validation", "train", NULL};
    return names[i];
}

/// The data set that the stages of the model name, the last stage first; NULL when none does.
static const char *stored_data(const lac_image *image) {
    static const char *const keys[] = {"lacuna.quantize.data", "lacuna.prune.data", "lacuna.train.data"};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
        for (int i = 0; i < image->n_meta; i++)
            if (strcmp(image->meta[i].key, keys[k]) == 0) return image->meta[i].text;
    return NULL;
}

static void make_random(lac_cli *cli, const lac_workload_args *args, lac_workload *out) {
    const lac_int_graph *graph = out->image->graph;
    size_t n = (size_t)args->random * lac_int_tensor_count(&graph->tensors[graph->input]);
    uint8_t *pixels = lac_arena_alloc(cli->arena, n);
    lac_rng rng = lac_rng_make(args->seed, 0);
    for (size_t i = 0; i < n; i++) pixels[i] = (uint8_t)(lac_rng_u64(&rng) >> 56);
    out->pixels = pixels;
    out->n_images = (uint32_t)args->random;
    out->data = "random pixels";
}

static lac_status check_shapes(const lac_image *image, const lac_dataset *data, const char *path,
                               lac_error *err) {
    const lac_int_tensor *t = &image->graph->tensors[image->graph->input];
    if (t->c == data->c && t->h == data->h && t->w == data->w) return LAC_OK;
    LAC_FAIL(err, LAC_E_SHAPE,
             "%s: takes images of %dx%dx%d, and those of '%s' are %dx%dx%d; use the data set it was made for",
             path, t->c, t->h, t->w, data->name, data->c, data->h, data->w);
}

lac_status lac_workload_open(lac_cli *cli, const lac_workload_args *args, lac_workload *out, lac_error *err) {
    *out = (lac_workload){0};
    LAC_TRY(lac_image_read(args->image, cli->arena, &out->image, err));
    if (args->random) {
        make_random(cli, args, out);
        return LAC_OK;
    }
    lac_dataset data;
    const char *name = args->data ? args->data : stored_data(out->image);
    if (!name)
        LAC_FAIL(err, LAC_E_USAGE,
                 "%s does not say which data set it was made with; give --data NAME or --random N",
                 args->image);
    LAC_TRY(lac_dataset_open(name, cli->arena, &data, err));
    LAC_TRY(check_shapes(out->image, &data, args->image, err));
    const lac_split *splits[] = {&data.test, &data.validation, &data.train};
    const lac_split *split = splits[args->split];
    out->data = lac_arena_printf(cli->arena, "%s, %s", data.name, lac_names_splits(args->split));
    out->pixels = split->pixels;
    out->labels = split->labels;
    out->n_images = args->limit && (uint32_t)args->limit < split->n ? (uint32_t)args->limit : split->n;
    return LAC_OK;
}

void lac_workload_fill(const lac_workload_args *args, const lac_workload *workload,
                       lac_verify_config *config) {
    config->pixels = workload->pixels;
    config->labels = workload->labels;
    config->n_images = workload->n_images;
    config->n_threads = args->threads;
    config->stall_seed = args->stalls;
    config->platform = args->platform;
    config->binary = args->binary;
}
