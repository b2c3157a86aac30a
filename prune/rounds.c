#include "rounds.h"

#include "masks.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 5 };

double lac_round_density(double initial, double final, int r, int n) {
    return initial * pow(final / initial, (double)r / n);
}

// Constants of the file back in place, but for the masks.
static void rewind_to(lac_graph *graph, const lac_graph *start) {
    for (int v = 0; v < graph->n_values; v++) {
        lac_value *value = &graph->values[v];
        int64_t n = value->data ? lac_shape_count(value->shape) : 0;
        for (int64_t i = 0; i < n; i++)
            value->data[i] = value->mask && !value->mask[i] ? 0.0f : start->values[v].data[i];
    }
}

static lac_status train(lac_graph *graph, const lac_dataset *data, const lac_prune_config *config, int round,
                        const lac_talk *talk, lac_error *err) {
    char path[1024];
    lac_recipe recipe = config->recipe;
    if (recipe.checkpoint) {
        if ((size_t)snprintf(path, sizeof path, "%s.%d", recipe.checkpoint, round) >= sizeof path)
            LAC_FAIL(err, LAC_E_USAGE, "the checkpoint's path is over %zu bytes long", sizeof path);
        recipe.checkpoint = path;
    }
    lac_talk_note(talk, "round %d of %d", round, ROUNDS);
    return lac_train(graph, data, &recipe, NULL, talk, NULL, err);
}

static lac_status rounds(bool rewind, lac_graph *graph, const lac_graph *start, const lac_dataset *data,
                         const lac_prune_config *config, const lac_talk *talk, lac_error *err) {
    double n = (double)lac_prunable_count(graph, false),
           initial = (double)lac_prunable_count(graph, true) / n;
    double final = config->density < initial ? config->density : initial;
    if (rewind) LAC_TRY(train(graph, data, config, 0, talk, err));
    for (int r = 1; r <= ROUNDS; r++) {
        LAC_TRY(lac_mask_largest(graph, (uint64_t)llround(lac_round_density(initial, final, r, ROUNDS) * n),
                                 1, err));
        if (rewind) rewind_to(graph, start);
        LAC_TRY(train(graph, data, config, r, talk, err));
    }
    return LAC_OK;
}

lac_status lac_prune_rounds(const char *name, bool rewind, lac_graph *graph, const lac_dataset *data,
                            const lac_prune_config *config, const lac_talk *talk, lac_error *err) {
    if (!(config->density > 0) || config->density > 1)
        LAC_FAIL(err, LAC_E_USAGE, "density %g of the weights is to stay, must be above 0 and at most 1",
                 config->density);
    if (config->no_training)
        LAC_FAIL(err, LAC_E_USAGE, "%s prunes between trainings: it cannot go without", name);
    if (lac_prunable_count(graph, false) == 0)
        LAC_FAIL(err, LAC_E_UNSUPPORTED,
                 "the graph has no trainable weights of convolutions or linear layers");
    lac_arena *arena = lac_arena_open();
    if (!arena) LAC_FAIL(err, LAC_E_MEMORY, "no memory to prune graph '%s'", graph->name);
    lac_status status = rounds(rewind, graph, lac_graph_copy(graph, arena), data, config, talk, err);
    lac_arena_close(arena);
    char text[96];
    snprintf(text, sizeof text, "%s density %g", name, config->density);
    if (status == LAC_OK) lac_graph_set_meta(graph, "lacuna.pruner", text);
    return status;
}
