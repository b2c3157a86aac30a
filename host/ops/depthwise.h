#ifndef LAC_DEPTHWISE_H
#define LAC_DEPTHWISE_H

#include "planner.h"

/// The gradient of depthwise weights over channels in blocks of 16, which oneDNN 2.6 leaves to its reference
/// loops when maps are smaller than their kernel reaches.

/// True for one channel a group, with input and gradient in blocks of 16 channels.
bool lac_depthwise_fits(const lac_node *node, const dnnl_memory_desc_t *src, const dnnl_memory_desc_t *grad);

/// Appends the sum over images and pixels of x[p * stride + k * dilation - pad] * dy[p] as w's contribution.
///
/// exact   one sum a channel and tap, in the order of images and pixels, whatever the number of threads
lac_status lac_depthwise_backward_weights(lac_plan *plan, const lac_node *node, lac_tensor *w,
                                          dnnl_memory_t src, dnnl_memory_t grad, lac_error *err);

#endif
