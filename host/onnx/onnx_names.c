#include "onnx_reader.h"

#include <string.h>

// FNV-1a.
static size_t hash(const char *name) {
    uint64_t h = 0xCBF29CE484222325u;
    for (; *name; name++) h = (h ^ (uint8_t)*name) * 0x100000001B3u;
    return (size_t)(h ^ h >> 32);
}

void onnx_names_open(onnx_names *names, size_t n_most, lac_arena *arena) {
    names->n_slots = 16;
    while (names->n_slots < 2 * n_most) names->n_slots *= 2;
    names->slots = LAC_NEW_ARRAY(arena, onnx_binding, names->n_slots);
}

static onnx_binding *slot_of(const onnx_names *names, const char *name) {
    size_t mask = names->n_slots - 1, i = hash(name) & mask;
    while (names->slots[i].name && strcmp(names->slots[i].name, name) != 0) i = (i + 1) & mask;
    return &names->slots[i];
}

onnx_binding *onnx_names_find(const onnx_names *names, const char *name) {
    onnx_binding *slot = slot_of(names, name);
    return slot->name ? slot : NULL;
}

onnx_binding *onnx_names_get(onnx_names *names, const char *name) {
    onnx_binding *slot = slot_of(names, name);
    if (!slot->name) *slot = (onnx_binding){.name = name, .value = LAC_NO_VALUE, .producer = -1};
    return slot;
}

bool onnx_name_is_free(const lac_graph *graph, const char *name) {
    for (int i = 0; i < graph->n_values; i++)
        if (strcmp(graph->values[i].name, name) == 0) return false;
    return true;
}
