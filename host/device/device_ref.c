#include "device_rows.h"
#include "graph_device.h"

// The reference: the integer graph of the image, layer by layer.

static lac_status ref_open(const lac_image *image, const lac_device_config *config, const lac_talk *talk,
                           void **out, lac_error *err) {
    (void)config;
    (void)talk;
    return lac_graph_device_open(image, false, out, err);
}

const lac_device_desc lac_device_ref = {.name = "ref",
                                        .help = "the definition: the integer graph in plain loops",
                                        .open = ref_open,
                                        .run = lac_graph_device_run,
                                        .close = lac_graph_device_close};
