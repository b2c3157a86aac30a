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
/// The same from a shape, 1 x C x H x W.
lac_net lac_net_begin(lac_arena *arena, const char *name, lac_shape image, uint64_t seed);
lac_graph *lac_net_done(lac_net *net, int logits);

/// Square kernels; weights are He-initialised: normal, deviation sqrt(2 / fan in).
///
/// source  He et al.: Delving deep into rectifiers, ICCV 2015, section 2.2
int lac_net_conv(lac_net *net, const char *name, int x, int out_channels, int kernel, int stride, int pad,
                 bool bias);
/// The same for any window: rectangular kernels, uneven padding, groups.
int lac_net_conv_window(lac_net *net, const char *name, int x, int out_channels, lac_window window,
                        bool bias);
/// A square window without dilation.
lac_window lac_net_square(int kernel, int stride, int pad, int groups);
int lac_net_batch_norm(lac_net *net, const char *name, int x);
int lac_net_relu(lac_net *net, const char *name, int x);
/// Batch norm and ReLU, named `<name>.bn` and `<name>.relu`.
int lac_net_bn_relu(lac_net *net, const char *name, int x);
/// Convolution without bias (pad = kernel / 2), batch norm, ReLU.
int lac_net_conv_bn_relu(lac_net *net, const char *name, int x, int out_channels, int kernel, int stride);
/// op is MAX_POOL or AVG_POOL; the mean leaves out the padding.
int lac_net_pool(lac_net *net, lac_op op, const char *name, int x, lac_window window);
int lac_net_max_pool(lac_net *net, const char *name, int x, int kernel, int stride);
int lac_net_global_avg_pool(lac_net *net, const char *name, int x);
/// The same mean as an AVG_POOL whose window is the whole map, for networks that are published and counted
/// so.
int lac_net_mean_pool(lac_net *net, const char *name, int x);
int lac_net_flatten(lac_net *net, const char *name, int x);
int lac_net_linear(lac_net *net, const char *name, int x, int out_features);
int lac_net_add(lac_net *net, const char *name, int a, int b);
/// a times b, which may be one number a channel or pixel.
int lac_net_mul(lac_net *net, const char *name, int a, int b);
/// An op of one operand without attributes: SIGMOID, CHANNEL_MEAN, GLOBAL_MAX_POOL, ...
int lac_net_unary(lac_net *net, lac_op op, const char *name, int x);
/// Channels begin .. end - 1 / the channels of all groups in turn.
int lac_net_slice(lac_net *net, const char *name, int x, int begin, int end);
int lac_net_shuffle(lac_net *net, const char *name, int x, int groups);
/// The convolution that made `like`, with its very weights, of another input.
int lac_net_conv_again(lac_net *net, const char *name, int x, int like);
int lac_net_concat(lac_net *net, const char *name, const int *in, int n_in);
/// Global average pool and a linear layer: what most networks end with.
int lac_net_classify(lac_net *net, int x, int n_classes);
int64_t lac_net_channels(const lac_net *net, int x);

#endif
