#include "train.h"

#include <assert.h>
#include <stddef.h>

#define LAC_NET(id) extern const lac_net_desc lac_net_##id;
#include "nets.def"
#undef LAC_NET

static const lac_net_desc *const rows[] = {
#define LAC_NET(id) &lac_net_##id,
#include "nets.def"
#undef LAC_NET
};

int lac_n_nets(void) {
    return (int)(sizeof rows / sizeof *rows);
}

const lac_net_desc *lac_net_row(int i) {
    assert(i >= 0 && i < lac_n_nets());
    return rows[i];
}
