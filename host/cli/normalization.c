#include "normalization.h"

#include <stdlib.h>

static const char *print_numbers(lac_arena *arena, const float *values, int n) {
    const char *text = "";
    for (int i = 0; i < n; i++)
        text = lac_arena_printf(arena, i ? "%s %.9g" : "%s%.9g", text, (double)values[i]);
    return text;
}

void lac_normalization_store(lac_graph *graph, const lac_dataset *data) {
    lac_graph_set_meta(graph, "lacuna.input.mean", print_numbers(graph->arena, data->mean, data->c));
    lac_graph_set_meta(graph, "lacuna.input.std", print_numbers(graph->arena, data->std, data->c));
}

/// Reads up to four numbers; returns how many, or -1 when there is something else.
static int read_numbers(const char *text, float out[4]) {
    int n = 0;
    while (*text) {
        char *end;
        float value = strtof(text, &end);
        if (end == text || n == 4) return -1;
        out[n++] = value;
        for (text = end; *text == ' ';) text++;
    }
    return n;
}

lac_status lac_normalization_load(const lac_graph *graph, lac_dataset *out, lac_error *err) {
    const char *mean = lac_graph_meta(graph, "lacuna.input.mean"),
               *std = lac_graph_meta(graph, "lacuna.input.std");
    if (!mean || !std)
        LAC_FAIL(err, LAC_E_NOT_FOUND,
                 "'%s' does not say how pixels are normalised (lacuna.input.mean and .std); give --data NAME",
                 graph->name);
    lac_dataset data = {.name = "stored normalisation"};
    data.c = read_numbers(mean, data.mean);
    int n_std = read_numbers(std, data.std);
    if (data.c < 1 || n_std != data.c)
        LAC_FAIL(err, LAC_E_FORMAT,
                 "'%s': lacuna.input.mean is '%s' and lacuna.input.std is '%s'; each must be "
                 "1 to 4 numbers, one a channel",
                 graph->name, mean, std);
    *out = data;
    return LAC_OK;
}
