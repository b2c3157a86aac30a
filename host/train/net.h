#ifndef LAC_NET_H
#define LAC_NET_H

#include "graph.h"
#include "rng.h"

/// Builds a network node by node; each call returns the value it makes. A layer that does not fit its input
/// marks the net, and lac_net_done then returns NULL.
typedef struct lac_net {
    lac_graph *graph;
    lac_rng rng;
    bool misfit;
} lac_net;

lac_net lac_net_start(lac_arena *arena, const char *name, int c, int h, int w, uint64_t seed);
lac_graph *lac_net_done(lac_net *net, int logits);

/// Square kernels; weights are He-initialised: normal, deviation sqrt(2 / fan in).
///
/// source  He et al.: Delving deep into rectifiers, ICCV 2015, section 2.2
int lac_net_conv(lac_net *net, const char *name, int x, int out_channels, int kernel, int stride, int pad,
                 bool bias);
int lac_net_batch_norm(lac_net *net, const char *name, int x);
int lac_net_relu(lac_net *net, const char *name, int x);
/// Convolution without bias (pad = kernel / 2), batch norm, ReLU.
int lac_net_conv_bn_relu(lac_net *net, const char *name, int x, int out_channels, int kernel, int stride);
int lac_net_max_pool(lac_net *net, const char *name, int x, int kernel, int stride);
int lac_net_global_avg_pool(lac_net *net, const char *name, int x);
int lac_net_flatten(lac_net *net, const char *name, int x);
int lac_net_linear(lac_net *net, const char *name, int x, int out_features);
int lac_net_add(lac_net *net, const char *name, int a, int b);

#endif
