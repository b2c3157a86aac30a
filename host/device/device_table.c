#include "device_rows.h"

#include <string.h>

static const lac_device_desc *const devices[] = {
#define LAC_DEVICE(id) &lac_device_##id,
#include "devices.def"
#undef LAC_DEVICE
};

int lac_n_devices(void) {
    return (int)(sizeof devices / sizeof devices[0]);
}

const lac_device_desc *lac_device_row(int i) {
    return i >= 0 && i < lac_n_devices() ? devices[i] : NULL;
}

const lac_device_desc *lac_device_find(const char *name) {
    for (int i = 0; i < lac_n_devices(); i++)
        if (strcmp(devices[i]->name, name) == 0) return devices[i];
    return NULL;
}
