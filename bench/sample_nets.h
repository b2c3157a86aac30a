#ifndef SAMPLE_NETS_H
#define SAMPLE_NETS_H

#include "device.h"
#include "graph_builder.h"

/// Networks that others publish results on, with random weights: values do not change the time, so nothing is
/// trained.

enum { RESNET8, RESNET20, VGG, DS_CNN, MOBILENET, MLP, N_SAMPLE_NETS };
enum { SAMPLE_WEIGHT_BITS = 4, SAMPLE_ACT_BITS = 4 };

typedef struct sample_net {
    const char *name;
    int (*build)(builder *b);
    double target; ///< cycles over the ideal, at most
} sample_net;

extern const sample_net sample_nets[N_SAMPLE_NETS];

/// The network with weights of which `percent` are not zero.
lac_int_graph *sample_graph(const sample_net *net, int percent, lac_arena *arena);

/// Runs an image once in RTL simulation, on as many random inputs as share the mesh.
///
/// errors  E_MISMATCH where a result is not the reference's
lac_status sample_run(const lac_image *image, lac_arena *arena, lac_step_cycles *cycles, lac_error *err);

#endif
