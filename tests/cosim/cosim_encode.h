#ifndef COSIM_ENCODE_H
#define COSIM_ENCODE_H

#include "cosim_net.h"

/// The program stream of a test network.
typedef struct cosim_program {
    uint64_t *words;
    size_t n;
    uint64_t n_list_words[MAX_LAYERS]; ///< of layers for the vector unit
} cosim_program;

void cosim_encode(const cosim_net *net, lac_arena *arena, cosim_program *out);

#endif
