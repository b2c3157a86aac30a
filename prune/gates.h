#ifndef LAC_GATES_H
#define LAC_GATES_H

#include "channels.h"

/// What structured pruning decides about: gates. A gate is open (its channels stay) or closed (they go), or,
/// while it is being learned, something between.
///
/// A gate stands for one class of channels, and closing it removes them. Where residual streams are kept
/// whole (`branches`), a gate may also stand for one channel of a branch, in front of the addition: the
/// stream goes on without it, so closing it leaves a *hollow* channel: its weights and its batch norm are
/// zero and stay zero, and the engine's list does not have it.

typedef struct lac_gate_rules {
    bool branches; ///< keep residual streams whole, and gate what is added to them
    bool linears;  ///< also gate what linear layers make
} lac_gate_rules;

typedef struct lac_gates {
    const lac_graph *graph;
    const lac_channels *channels;
    int n;
    int *class_of; ///< [gate] class that it removes; -1: hollow
    int *vector;   ///< [gate] gates of one vector are made by the same layers
    int n_vectors;
    int **at; ///< [value][channel] gate that switches this channel, -1 for none
} lac_gates;

/// memory  from arena; graph and channels must stay
lac_gates *lac_gates_find(const lac_graph *graph, const lac_channels *channels, const lac_gate_rules *rules,
                          lac_arena *arena);

/// The rules that fit a graph: branches when a residual stream begins with a shortcut without weights that
/// changes the width (He et al., option A); linears when the network has no convolutions, or always if
/// everything may go.
lac_gate_rules lac_gate_rules_for(const lac_graph *graph, bool linears);

/// Opens gates so that every layer and every value keeps a channel: the one of the largest score.
void lac_gates_keep_one(const lac_gates *gates, const double *score, bool *open);

/// A copy of the graph in which a factor stands for every gate, where its channels are read.
///
///   y[c] = lambda[gate of c] * x[c],   lambda = 1 where there is no gate
///
/// The factors are batch norms with mean 0, variance 1 and epsilon 0, whose gamma is the gates' value and
/// whose beta, zero, is there for noise: run the copy with freeze_batch_norm. All other constants stop being
/// trainable, and share their data with the graph.
typedef struct lac_gated_graph {
    lac_graph *graph;
    int n_gates;
    int n_sites;
    int *gamma;    ///< [site] value index in the copy
    int *beta;     ///< [site] likewise
    int *value;    ///< [site] what is multiplied, in the original
    int **gate_of; ///< [site][channel]
    int *n_of;     ///< [site]
} lac_gated_graph;

lac_status lac_gated_graph_make(const lac_gates *gates, lac_arena *arena, lac_gated_graph *out,
                                lac_error *err) LAC_MUST_CHECK;

/// Writes the gates' values into the factors.
void lac_gated_graph_set(const lac_gated_graph *gated, const double *lambda);

/// Removes what closed gates stand for from a graph that is equal to gates->graph but for its constants
/// (or is gates->graph itself).
///
/// exact   the logits are those of the gated copy with lambda 0 for closed gates and 1 for open ones, but
///         for the order of sums
/// errors  as lac_channels_remove
lac_status lac_gates_remove(lac_graph *graph, const lac_gates *gates, const bool *open,
                            lac_error *err) LAC_MUST_CHECK;

#endif
