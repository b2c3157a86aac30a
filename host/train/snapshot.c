#include "snapshot.h"

#include <string.h>

static int64_t count(const lac_graph *graph, int v) {
    return graph->values[v].data ? lac_shape_count(graph->values[v].shape) : 0;
}

lac_snapshot *lac_snapshot_new(const lac_graph *graph, lac_arena *arena) {
    lac_snapshot *s = LAC_NEW(arena, lac_snapshot);
    s->data = LAC_NEW_ARRAY(arena, float *, graph->n_values);
    for (int v = 0; v < graph->n_values; v++)
        if (graph->values[v].data) s->data[v] = LAC_NEW_ARRAY(arena, float, count(graph, v));
    lac_snapshot_take(s, graph);
    return s;
}

static bool holds(const lac_snapshot *s, const lac_graph *graph, int v) {
    return s->data[v] && graph->values[v].data;
}

void lac_snapshot_take(lac_snapshot *s, const lac_graph *graph) {
    for (int v = 0; v < graph->n_values; v++)
        if (holds(s, graph, v))
            memcpy(s->data[v], graph->values[v].data, (size_t)count(graph, v) * sizeof(float));
}

void lac_snapshot_give(const lac_snapshot *s, lac_graph *graph) {
    for (int v = 0; v < graph->n_values; v++)
        if (holds(s, graph, v))
            memcpy(graph->values[v].data, s->data[v], (size_t)count(graph, v) * sizeof(float));
}

void lac_snapshot_swap(lac_snapshot *s, lac_graph *graph) {
    for (int v = 0; v < graph->n_values; v++)
        for (int64_t i = 0; holds(s, graph, v) && i < count(graph, v); i++) {
            float kept = s->data[v][i];
            s->data[v][i] = graph->values[v].data[i];
            graph->values[v].data[i] = kept;
        }
}

void lac_snapshot_average(lac_snapshot *s, const lac_graph *graph, float decay) {
    for (int v = 0; v < graph->n_values; v++)
        for (int64_t i = 0; holds(s, graph, v) && i < count(graph, v); i++)
            s->data[v][i] += (1.0f - decay) * (graph->values[v].data[i] - s->data[v][i]);
}
