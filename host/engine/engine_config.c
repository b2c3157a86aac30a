#include "image.h"

#include <inttypes.h>

typedef struct parameter {
    const char *name, *unit;
    int64_t value, lowest, highest;
} parameter;

enum {
#define LAC_PARAM(name, preset, lowest, highest, unit, doc) PRESET_##name = preset,
#include "engine.def"
#undef LAC_PARAM
};

lac_engine_config lac_engine_default(void) {
    return (lac_engine_config){.mesh_x = PRESET_MESH_X,
                               .mesh_y = PRESET_MESH_Y,
                               .drain = PRESET_DRAIN,
                               .acc_bits = PRESET_ACC_BITS,
                               .act_words = PRESET_ACT_WORDS,
                               .list_words = PRESET_LIST_WORDS};
}

lac_status lac_engine_check(const lac_engine_config *config, lac_error *err) {
    const int VALUE_MESH_X = config->mesh_x, VALUE_MESH_Y = config->mesh_y, VALUE_DRAIN = config->drain,
              VALUE_ACC_BITS = config->acc_bits, VALUE_ACT_WORDS = config->act_words,
              VALUE_LIST_WORDS = config->list_words;
    const parameter parameters[] = {
#define LAC_PARAM(name, preset, lowest, highest, unit, doc) {#name, unit, VALUE_##name, lowest, highest},
#include "engine.def"
#undef LAC_PARAM
    };
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        const parameter *p = &parameters[i];
        if (p->value < p->lowest || p->value > p->highest)
            LAC_FAIL(err, LAC_E_RANGE,
                     "engine parameter %s is %" PRId64 " %s; %" PRId64 " to %" PRId64 " are possible",
                     p->name, p->value, p->unit, p->lowest, p->highest);
    }
    if (config->mesh_x * config->mesh_y % config->drain != 0)
        LAC_FAIL(err, LAC_E_RANGE,
                 "engine parameter DRAIN is %d, which does not divide the %d lanes of a %dx%d mesh",
                 config->drain, config->mesh_x * config->mesh_y, config->mesh_x, config->mesh_y);
    return LAC_OK;
}
