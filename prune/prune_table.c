#include "prune.h"

#include <assert.h>
#include <string.h>

#define LAC_PRUNER(name) extern const lac_pruner_desc lac_pruner_##name;
#include "prune.def"
#undef LAC_PRUNER

static const lac_pruner_desc *const rows[] = {
#define LAC_PRUNER(name) &lac_pruner_##name,
#include "prune.def"
#undef LAC_PRUNER
};

int lac_n_pruners(void) {
    return (int)(sizeof rows / sizeof *rows);
}

const lac_pruner_desc *lac_pruner_row(int i) {
    assert(i >= 0 && i < lac_n_pruners());
    return rows[i];
}

const lac_pruner_desc *lac_pruner_find(const char *name) {
    for (int i = 0; i < lac_n_pruners(); i++)
        if (strcmp(rows[i]->name, name) == 0) return rows[i];
    return NULL;
}
