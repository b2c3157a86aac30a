#ifndef LAC_DEVICE_ROWS_H
#define LAC_DEVICE_ROWS_H

#include "device.h"

// The descriptors behind devices.def.
#define LAC_DEVICE(id) extern const lac_device_desc lac_device_##id;
#include "devices.def"
#undef LAC_DEVICE

#endif
