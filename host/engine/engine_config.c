#include "image.h"

#include <inttypes.h>
#include <string.h>

_Static_assert(sizeof(lac_engine_config) == LAC_N_PARAMS * sizeof(int), "parameters are nothing but ints");

lac_engine_config lac_engine_default(void) {
    lac_engine_config config;
    int values[LAC_N_PARAMS];
    for (int i = 0; i < LAC_N_PARAMS; i++) values[i] = lac_params[i].value;
    memcpy(&config, values, sizeof config);
    return config;
}

lac_status lac_engine_check(const lac_engine_config *config, lac_error *err) {
    int values[LAC_N_PARAMS];
    memcpy(values, config, sizeof values);
    for (int i = 0; i < LAC_N_PARAMS; i++) {
        const lac_param_limits *p = &lac_params[i];
        if (values[i] < p->low || values[i] > p->high)
            LAC_FAIL(err, LAC_E_RANGE,
                     "engine parameter %s is %d %s; %" PRId32 " to %" PRId32 " are possible", p->name,
                     values[i], p->unit, p->low, p->high);
    }
    if (config->mesh_x * config->mesh_y % config->drain != 0)
        LAC_FAIL(err, LAC_E_RANGE,
                 "engine parameter DRAIN is %d, which does not divide the %d lanes of a %dx%d mesh",
                 config->drain, config->mesh_x * config->mesh_y, config->mesh_x, config->mesh_y);
    if (config->vector != 0 && config->vector != 4 && config->vector != 8 && config->vector != 16)
        LAC_FAIL(err, LAC_E_RANGE, "engine parameter VECTOR is %d; 0, 4, 8 and 16 are possible",
                 config->vector);
    return LAC_OK;
}
