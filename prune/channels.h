#ifndef LAC_CHANNELS_H
#define LAC_CHANNELS_H

#include "graph.h"

/// Which channels of a graph can only be removed together.
///
/// Every channel of every activation belongs to a class; channels of one class live or die as one. Classes
/// follow from the ops alone:
///
///   batch norm, activations, pools, ...   a channel of the output is that channel of the input
///   add, mul                              the same of both inputs; one channel spread over many is itself
///   concat, flatten, slice                a channel of the output is a channel of one input
///   channel shuffle                       likewise, and one place of every group, so that groups stay equal
///   convolution, linear                   outputs are new channels
///   depthwise convolution                 an output is the input channel that it reads
///   grouped convolution                   one place of every group, so that groups stay equal
///   any other op                          its channels are fixed
///
/// The image's channels, the logits, and channels of layers that share constants are fixed: never removed.
///
/// source  Fang et al.: DepGraph: towards any structural pruning, CVPR 2023
typedef struct lac_channels {
    int n_classes;
    int *n_of;      ///< [value] channels (dimension 1), 0 for constants and what is made of them alone
    int **class_of; ///< [value][channel]
    bool *fixed;    ///< [class]
} lac_channels;

/// The graph's shapes must be inferred.
///
/// memory  from arena
lac_channels *lac_channels_find(const lac_graph *graph, lac_arena *arena);

/// How a convolution's groups bind channels.
typedef enum lac_group_kind { LAC_ONE_GROUP, LAC_DEPTHWISE, LAC_GROUPED } lac_group_kind;
lac_group_kind lac_conv_groups(const lac_graph *graph, const lac_node *node);

/// True for ops of which an output channel is made of one channel of an input, or of each.
bool lac_keeps_channels_apart(lac_op op);

/// The channel of input i that output channel c is made of, where an op keeps channels apart; -1: none of
/// this input. n_of as in lac_channels.
int lac_channel_source(const int *n_of, const lac_node *node, int i, int c);

/// The constant behind a node's parameter i, seen through a quantizer.
int lac_constant_of(const lac_graph *graph, const lac_node *node, int i);

/// Removes all classes that are not kept: rows and columns of weights, entries of biases, batch norms and
/// scales, with their masks. Shapes are inferred again.
///
/// memory  from graph->arena
/// errors  E_RANGE when a layer would be left without channels, or a fixed class is not kept; the graph is
///         untouched then
lac_status lac_channels_remove(lac_graph *graph, const lac_channels *channels, const bool *keep,
                               lac_error *err) LAC_MUST_CHECK;

#endif
