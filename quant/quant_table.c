#include "quantize.h"

#include <assert.h>

#define LAC_QUANTIZER(name) extern const lac_quantizer_desc lac_quantizer_##name;
#include "quant.def"
#undef LAC_QUANTIZER

static const lac_quantizer_desc *const rows[] = {
#define LAC_QUANTIZER(name) &lac_quantizer_##name,
#include "quant.def"
#undef LAC_QUANTIZER
};

int lac_n_quantizers(void) {
    return (int)(sizeof rows / sizeof *rows);
}

const lac_quantizer_desc *lac_quantizer_row(int i) {
    assert(i >= 0 && i < lac_n_quantizers());
    return rows[i];
}
