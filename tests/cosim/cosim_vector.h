#ifndef COSIM_VECTOR_H
#define COSIM_VECTOR_H

#include "cosim_encode.h"

/// Headers and list words of a layer for the vector unit (order 3), with idle entries strewn in at random: a
/// slot may stay where it is at any time, and run up to 24 channels ahead of the others.
void cosim_encode_vector(const cosim_net *net, const cosim_layer *l, int id, cosim_program *program);

/// Rows of the layer's input: activation words / slots.
int cosim_vector_rows(const cosim_net *net, const cosim_layer *l);

#endif
