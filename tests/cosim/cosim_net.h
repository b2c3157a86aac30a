#ifndef COSIM_NET_H
#define COSIM_NET_H

#include "arena.h"
#include "rng.h"
#include "sim.h"

/// Small random networks for the engine, with their results by plain loops. Nothing here knows the compiler:
/// the test bench and the compiler must agree because both obey docs/engine.md.

enum { MAX_TENSORS = 12, MAX_LAYERS = 8, MAX_TAPS = 64, MAX_COUT = 40, NOT_WRITTEN = -1 };

typedef struct cosim_tensor {
    int c, h, w;        ///< the map
    int tile_h, tile_w; ///< of a lane
    int base;
    bool is_signed;
    uint8_t *codes; ///< [c][lane][tile_h * tile_w], every lane, real pixel or not
} cosim_tensor;

typedef struct cosim_tap {
    int dy, dx;
    int tensor; ///< that it reads; not the layer's input only for an addition
} cosim_tap;

typedef enum cosim_kind { COSIM_CONV, COSIM_ADD, COSIM_GLOBAL_SUM, COSIM_FULLY } cosim_kind;

typedef struct cosim_layer {
    cosim_kind kind;
    int in, out; ///< tensors; out is -1 for raw
    int c_out, groups;
    int n_taps;
    cosim_tap taps[MAX_TAPS];
    int stride_y, stride_x, pool_h, pool_w, pool_stride_y, pool_stride_x;
    int order, entry_bits, weight_bits;
    int pad_code;
    bool raw, reduce, out_signed;
    int lo, hi, zero;
    int out_tile_h, out_tile_w;
    int n_major;     ///< COSIM_FULLY: words of the input
    int8_t *weights; ///< [c_out][channels of a group][n_taps]; COSIM_FULLY: [c_out][n_major][lanes]
    int32_t bias[MAX_COUT];
    uint16_t m[MAX_COUT];
    uint8_t s[MAX_COUT];
    uint64_t n_entries, n_nulls, n_empty,
        min_entries;   ///< of all channels; channels without any; of the poorest channel
    uint64_t n_pixels; ///< visits of the tile
    bool streamed;     ///< the list stands in the program for each of them
} cosim_layer;

typedef struct cosim_net {
    lac_sim_config engine;
    int n_lanes;
    int split_y, split_x; ///< log2 of the images that share the mesh
    int streamed_percent; ///< of the layers whose lists would fit list memory
    int rows, cols;       ///< of the mesh that one of them has
    int n_tensors, n_layers;
    cosim_tensor tensors[MAX_TENSORS];
    cosim_layer layers[MAX_LAYERS];
    int next_word;     ///< free activation memory
    int16_t *expected; ///< [act_words][lanes]: code or NOT_WRITTEN
    int32_t *raw;
    size_t n_raw;
    lac_arena *arena;
    lac_rng rng;
} cosim_net;

/// A random network that the engine can run.
void cosim_net_make(cosim_net *net, const lac_sim_config *engine, uint64_t seed, lac_arena *arena);

/// Starts a network with one random input; layers are then added by hand.
void cosim_net_start(cosim_net *net, const lac_sim_config *engine, uint64_t seed, lac_arena *arena);
int cosim_net_input(cosim_net *net, int c, int h, int w, int tile_multiple, bool is_signed);

/// Adds a convolution with random weights; returns it, ready to be changed before cosim_net_run. density is
/// in percent; NULL when it does not fit the engine.
typedef struct cosim_conv {
    int in, c_out, groups, kh, kw, stride, dilation, pad, pool, order, entry_bits, weight_bits, density;
    bool raw, reduce;
} cosim_conv;
cosim_layer *cosim_net_conv(cosim_net *net, const cosim_conv *conv);

/// A random code of the engine's width, as the 8 bits in which ports carry it.
int cosim_code(cosim_net *net, bool is_signed);

/// Digit of a weight at 4^plane, by Booth's recoding: -2 to 2.
enum { COSIM_PLANES = 4 };
int cosim_digit(int weight, int plane);

/// Planes of digits of a channel's weights: one more than the highest that is not empty.
int cosim_planes(const int8_t *weights, int n);

/// The results of all layers, by plain loops: expected and raw.
void cosim_net_run(cosim_net *net);

#endif
