#ifndef LAC_REF_H
#define LAC_REF_H

#include "int_graph.h"

/// The reference executor: the definition of what every device must compute, in plain loops that anyone can
/// check by eye.

/// Values in a tensor, for sizing buffers.
size_t lac_int_tensor_count(const lac_int_tensor *tensor);

/// Executes one layer on one image.
///
/// shape   in[i] [c][h][w] of layer->in[i]; out [c][h][w] of layer->out
/// type    codes and raw accumulators alike are s32 here
/// memory  allocates nothing
void lac_ref_layer(const lac_int_graph *graph, const lac_int_layer *layer, const int32_t *const *in,
                   int32_t *out);

/// Executes the whole graph on one image; values[t] (caller's memory, one buffer a tensor) receive every
/// tensor, values[input] being given.
void lac_ref_run(const lac_int_graph *graph, int32_t *const *values);

/// Pixels [c][h][w] of one image to input codes, by the rule in int_graph.h.
void lac_input_codes(const lac_int_graph *graph, const uint8_t *pixels, int32_t *codes);

/// Index of the largest logit, raw_scale applied; the lowest index wins a tie.
int lac_int_argmax(const lac_int_graph *graph, const int32_t *output);

#endif
