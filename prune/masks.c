#include "masks.h"

#include <string.h>

int lac_prunable(const lac_graph *graph, int *values) {
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const lac_node *node = &graph->nodes[i];
        if (node->op != LAC_OP_CONV2D && node->op != LAC_OP_LINEAR) continue;
        int value = node->in[1], producer = lac_graph_producer(graph, value);
        if (producer >= 0) value = graph->nodes[producer].in[0]; // quantized weights: the constant behind
        bool seen = !graph->values[value].trainable;
        for (int j = 0; j < n; j++) seen = seen || values[j] == value;
        if (!seen) values[n++] = value;
    }
    return n;
}

static uint64_t count_weights(const lac_value *value, bool nonzero_only) {
    int64_t n = lac_shape_count(value->shape);
    uint64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += !nonzero_only || (value->data[i] != 0 && (!value->mask || value->mask[i]));
    return count;
}

uint64_t lac_prunable_count(const lac_graph *graph, bool nonzero_only) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) return 0;
    int *values = LAC_NEW_ARRAY(scratch, int, graph->n_values), n = lac_prunable(graph, values);
    uint64_t count = 0;
    for (int i = 0; i < n; i++) count += count_weights(&graph->values[values[i]], nonzero_only);
    lac_arena_close(scratch);
    return count;
}

// ---- selection -----------------------------------------------------------------------------------------

/// Weights under selection. key is the bit pattern of |w|, whose order as an integer is that of the float;
/// FORCED ones stay whatever their size.
typedef struct selection {
    uint32_t *key;
    uint8_t *keep;
    size_t n;
} selection;

enum { HALF_KEYS = 1 << 16 };
static const uint32_t FORCED = UINT32_MAX;

static uint32_t key_of(float w) {
    uint32_t bits;
    memcpy(&bits, &w, sizeof bits);
    return bits & 0x7FFFFFFFu;
}

// Largest half-key such that at least `wanted` of the counted keys are at or above it; *wanted becomes how
// many of that half-key itself are needed.
static uint32_t find_half(const uint64_t *count, uint64_t *wanted) {
    uint32_t half = HALF_KEYS - 1;
    for (; half > 0 && count[half] < *wanted; half--) *wanted -= count[half];
    return half;
}

// The wanted-th largest key of n by two counting passes; *ties becomes how many keys equal to it stay.
static uint32_t nth_largest(const uint32_t *key, size_t n, uint64_t wanted, uint64_t *ties, uint64_t *count) {
    memset(count, 0, HALF_KEYS * sizeof *count);
    for (size_t i = 0; i < n; i++) count[key[i] >> 16]++;
    uint32_t high = find_half(count, &wanted);
    memset(count, 0, HALF_KEYS * sizeof *count);
    for (size_t i = 0; i < n; i++)
        if (key[i] >> 16 == high) count[key[i] & 0xFFFF]++;
    uint32_t low = find_half(count, &wanted);
    *ties = wanted;
    return high << 16 | low;
}

static void select_largest(const uint32_t *key, uint8_t *keep, size_t n, uint64_t wanted, uint64_t *count) {
    memset(keep, 0, n);
    if (wanted == 0 || n == 0) return;
    uint64_t ties;
    uint32_t threshold = nth_largest(key, n, wanted, &ties, count);
    for (size_t i = 0; i < n; i++) {
        keep[i] = key[i] > threshold || (key[i] == threshold && ties > 0);
        ties -= keep[i] && key[i] == threshold;
    }
}

static uint64_t force_layer(selection *s, size_t first, size_t n, uint64_t wanted, uint64_t *count) {
    if (wanted > n) wanted = n;
    select_largest(s->key + first, s->keep + first, n, wanted, count);
    for (size_t i = first; i < first + n; i++)
        if (s->keep[i]) s->key[i] = FORCED;
    return wanted;
}

static void apply(lac_graph *graph, lac_value *value, const uint8_t *keep) {
    size_t n = (size_t)lac_shape_count(value->shape);
    if (!value->mask) value->mask = LAC_NEW_ARRAY(graph->arena, uint8_t, n);
    for (size_t i = 0; i < n; i++) {
        value->mask[i] = keep[i];
        if (!keep[i]) value->data[i] = 0;
    }
}

lac_status lac_mask_largest(lac_graph *graph, uint64_t keep, uint64_t min_per_layer, lac_error *err) {
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to prune graph '%s'", graph->name);
    int *values = LAC_NEW_ARRAY(scratch, int, graph->n_values), n_values = lac_prunable(graph, values);
    size_t n = (size_t)lac_prunable_count(graph, false), first = 0;
    uint64_t *count = LAC_NEW_ARRAY(scratch, uint64_t, HALF_KEYS), forced = 0;
    selection s = {LAC_NEW_ARRAY(scratch, uint32_t, n), LAC_NEW_ARRAY(scratch, uint8_t, n), n};
    for (int v = 0; v < n_values; v++) {
        const lac_value *value = &graph->values[values[v]];
        size_t n_layer = (size_t)lac_shape_count(value->shape);
        for (size_t i = 0; i < n_layer; i++) s.key[first + i] = key_of(value->data[i]);
        forced += force_layer(&s, first, n_layer, min_per_layer, count);
        first += n_layer;
    }
    keep = keep < forced ? forced : keep > n ? n : keep;
    select_largest(s.key, s.keep, n, keep, count);
    first = 0;
    for (int v = 0; v < n_values; v++) {
        lac_value *value = &graph->values[values[v]];
        apply(graph, value, s.keep + first);
        first += (size_t)lac_shape_count(value->shape);
    }
    lac_arena_close(scratch);
    return LAC_OK;
}
