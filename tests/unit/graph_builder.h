#ifndef GRAPH_BUILDER_H
#define GRAPH_BUILDER_H

#include "int_graph.h"
#include "rng.h"

/// Integer graphs for tests: layers with random weights, and whole random graphs.

typedef struct builder {
    lac_int_graph *graph;
    lac_rng rng;
    bool gates; ///< random layers are tables and products, too
} builder;

typedef struct layer_options {
    int out_c;
    lac_window window;  ///< zero members: kernel 1, stride 1, dilation 1, one group
    int weight_bits;    ///< 0: 4
    int zero_percent;   ///< chance of a weight to be zero
    lac_code_type type; ///< of the output; bits 0: unsigned 4
    bool raw;
    const char *name; ///< NULL: "layer<n>"
} layer_options;

builder builder_begin(lac_arena *arena, uint64_t seed);
/// Random number in [low, high].
int builder_between(builder *b, int low, int high);
lac_code_type builder_any_type(builder *b);
/// One whose codes above zero are -128..127.
lac_code_type builder_factor_type(builder *b);

int builder_input(builder *b, int c, int h, int w, lac_code_type type);
int builder_conv(builder *b, int in, layer_options options);
int builder_avg_pool(builder *b, int in, layer_options options);
int builder_max_pool(builder *b, int in, lac_window window);
int builder_add(builder *b, int x, int y, lac_code_type type);
/// A random table to codes of another type.
int builder_table(builder *b, int in, lac_code_type type);
/// x times one number for each of its channels.
int builder_mul(builder *b, int x, int scale, lac_code_type type);
int builder_concat(builder *b, const int *in, int n_in);
/// Makes a tensor the output.
lac_int_graph *builder_end(builder *b, int output);

/// A random graph of all kinds of layers, ending in a fully connected raw layer or in a map.
lac_int_graph *random_graph(lac_arena *arena, uint64_t seed);

/// The same with tables and products of a map with one number a channel.
lac_int_graph *random_gated_graph(lac_arena *arena, uint64_t seed);

/// Random codes over the whole range of a tensor.
void random_codes(lac_rng *rng, const lac_int_tensor *tensor, int32_t *codes);

/// Buffers for every tensor, the input filled at random, all others by the reference.
int32_t **reference_values(const lac_int_graph *graph, lac_arena *arena, uint64_t seed);

#define WINDOW(k, s, p)                                                                                      \
    ((lac_window){.kernel = {k, k}, .stride = {s, s}, .pad = {p, p, p, p}, .dilation = {1, 1}, .groups = 1})

#endif
