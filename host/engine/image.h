#ifndef LAC_IMAGE_H
#define LAC_IMAGE_H

#include "int_graph.h"

#include "lac_contract.h"

/// The program image, *.lac: what the compiler makes of an integer graph for one engine configuration.
///
/// An image is self-contained: the weights stand in it once, as the engine's list of non-zeros, and the
/// integer graph is decoded back from it (the reference device runs that). File layout, little-endian:
///   header: "LAC1", version, contract hash, number of sections, engine parameters; CRC-32 of the header
///   sections: {tag, bytes, CRC-32, payload padded to 8}: GRAF (tensors, layers without weights), STEP
///   (program steps and layouts), PROG (the program stream), META (key/value text)

/// The engine that an image is for; fields as in rtl/defs/engine.def.
typedef struct lac_engine_config {
    LAC_ENGINE_MEMBERS
} lac_engine_config;

/// Values of LANE.
enum { LAC_LANE_MUL, LAC_LANE_DIGIT, LAC_LANE_LOGIC };

/// The default of rtl/defs/engine.def.
lac_engine_config lac_engine_default(void);

/// errors  E_RANGE: a sentence with the parameter, its value and its limits
lac_status lac_engine_check(const lac_engine_config *config, lac_error *err) LAC_MUST_CHECK;

/// Where a tensor lives: see docs/engine.md. Pixel (y,x) is in lane (y / tile_h, x / tile_w).
typedef struct lac_layout {
    int base;           ///< first activation word
    int tile_h, tile_w; ///< a lane's tile; channel c takes words base + c * tile_h * tile_w ...
} lac_layout;

/// One layer as the engine executes it: an integer layer, with the table and the max pool that follow it when
/// they are fused in the drain.
typedef struct lac_step {
    const char *name;
    int layer;                   ///< index in graph->layers
    int table_layer;             ///< index of the fused table, -1 for none
    int pool_layer;              ///< index of the fused max pool, which comes last; -1 for none
    int out_tensor;              ///< what the step writes: the last fused layer's output
    uint64_t n_entries, n_skips; ///< list entries of all channels; skip entries
    uint64_t ideal_cycles;       ///< entries * pixels visited of the tile (pool windows included)
    uint64_t stream_words;       ///< 64-bit program words, descriptor and headers included
    int entry_bits, weight_bits; ///< list format
} lac_step;

typedef struct lac_image {
    lac_arena *arena;
    lac_engine_config engine;
    uint32_t contract_hash;
    lac_int_graph *graph;
    lac_layout *layouts;  ///< one per tensor of graph; concat outputs and raw outputs included
    int split_y, split_x; ///< log2 of the input images that share the mesh, along each axis
    lac_step *steps;
    int n_steps;
    uint64_t *program; ///< the stream
    size_t n_program;
    lac_meta *meta;
    int n_meta;
} lac_image;

/// Compiles an integer graph. ACT_BITS 0 is the default.
///
/// The image's graph has no channels that are the same code at every pixel whatever the input, as far as the
/// biases of their readers can hold them, and none that no weight reads. All that is left has the same codes
/// as before.
///
/// errors  E_CAPACITY (names the layer or tensor, what it needs, what the engine has and which parameter to
/// raise),
///         E_UNSUPPORTED, E_RANGE (accumulator bound, codes wider than ACT_BITS)
lac_status lac_compile(const lac_int_graph *graph, const lac_engine_config *config, lac_arena *arena,
                       lac_image **out, lac_error *err) LAC_MUST_CHECK;

/// Compiles for n_images input images a run, each in its own rectangle of the mesh: for small maps. Of the
/// ways to cut the mesh it takes the one with the fewest predicted cycles; n_images 0 takes the number with
/// the fewest cycles an image.
///
/// range   n_images 0, 1, 2, 4, 8
/// errors  E_RANGE: the mesh cannot be cut so; and those of lac_compile
lac_status lac_compile_batch(const lac_int_graph *graph, const lac_engine_config *config, int n_images,
                             lac_arena *arena, lac_image **out, lac_error *err) LAC_MUST_CHECK;

/// lac_compile, but every channel stays: to compare channel by channel, or to see what folding gains.
lac_status lac_compile_whole(const lac_int_graph *graph, const lac_engine_config *config, lac_arena *arena,
                             lac_image **out, lac_error *err) LAC_MUST_CHECK;

/// Input images that one run of the program computes.
static inline int lac_image_batch(const lac_image *image) {
    return 1 << (image->split_y + image->split_x);
}

/// Serialises; reading it back gives an equal image (compile checks that before it returns).
lac_status lac_image_write(const lac_image *image, const char *path, lac_error *err) LAC_MUST_CHECK;

/// Parses and checks every length, CRC and index; decodes the program stream into graph's weights.
///
/// errors  E_FORMAT (names the section), E_CONTRACT (both hashes, and the remedy)
lac_status lac_image_read(const char *path, lac_arena *arena, lac_image **out, lac_error *err) LAC_MUST_CHECK;
lac_status lac_image_parse(const void *bytes, size_t n_bytes, const char *path, lac_arena *arena,
                           lac_image **out, lac_error *err) LAC_MUST_CHECK;
lac_status lac_image_serialize(const lac_image *image, lac_arena *arena, uint8_t **bytes, size_t *n_bytes,
                               lac_error *err) LAC_MUST_CHECK;

#endif
