#ifndef LAC_GRAPH_DEVICE_H
#define LAC_GRAPH_DEVICE_H

#include "device.h"

/// What the devices share that execute the image's integer graph on the host: the open, run and close of
/// their descriptors.
///
/// fast  by `cpu`, else by `ref`
lac_status lac_graph_device_open(const lac_image *image, bool fast, void **out,
                                 lac_error *err) LAC_MUST_CHECK;
lac_status lac_graph_device_run(void *state, const int32_t *input, int32_t *output,
                                const lac_device_watch *watch, lac_step_cycles *cycles,
                                lac_error *err) LAC_MUST_CHECK;
void lac_graph_device_close(void *state);

#endif
