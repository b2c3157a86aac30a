#include "device_rows.h"
#include "graph_device.h"

// The integer graph of the image by the fast executor.

static lac_status cpu_open(const lac_image *image, const lac_device_config *config, const lac_talk *talk,
                           void **out, lac_error *err) {
    (void)config;
    (void)talk;
    return lac_graph_device_open(image, true, out, err);
}

const lac_device_desc lac_device_cpu = {.name = "cpu",
                                        .help = "the same integers in vector registers, for long runs",
                                        .open = cpu_open,
                                        .run = lac_graph_device_run,
                                        .close = lac_graph_device_close};
