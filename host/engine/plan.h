#ifndef LAC_PLAN_H
#define LAC_PLAN_H

#include "image.h"
#include "layout.h"
#include "record.h"

/// What the compiler's passes work on: the integer graph, step by step on its way to a program.

/// How the lanes share a step's work.
typedef enum lac_mapping {
    LAC_MAP_TILES, ///< every lane makes the pixels of its own tile
    LAC_MAP_SUM,   ///< pooling of a whole map: every lane sums its tile, the drain sums the lanes
    LAC_MAP_LANES, ///< one output pixel from a whole map: a list entry names the lane that it is for
} lac_mapping;

typedef struct lac_plan_tap {
    lac_tap_record record;
    int ky, kx;
} lac_plan_tap;

typedef struct lac_plan_step {
    int layer, table_layer, pool_layer; ///< indices in the graph; the last two -1 for none
    int out_tensor;
    lac_mapping mapping;
    lac_layer_record record;
    lac_plan_tap taps[LAC_MOST_TAPS];
    int32_t bias_shift; ///< added to every bias, for padding that the mapping does not read
} lac_plan_step;

typedef struct lac_plan {
    lac_arena *arena, *scratch;
    lac_engine_config engine;
    int split_y, split_x; ///< as in lac_image
    bool keep_channels;   ///< constant and unread ones, too
    bool part_last_pools; ///< max pools that leave one row or column are steps of their own
    lac_int_graph *graph; ///< own copy, changed by the passes
    lac_layout *layouts;  ///< one a tensor
    lac_plan_step *steps;
    int n_steps;
    uint64_t *program;
    size_t n_program, program_capacity;
} lac_plan;

// The passes, in order; each is one file.
lac_status lac_pass_codes(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_fold(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_results(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_concats(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_wraps(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_bounds(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_fuse(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_tiles(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_memory(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_map(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_digits(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_lists(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;
lac_status lac_pass_encode(lac_plan *plan, lac_error *err) LAC_MUST_CHECK;

/// Is there a max pool that leaves one row or column and could be fused into the layer before it?
bool lac_has_last_pool(const lac_int_graph *graph);

/// Adds a tensor to the plan's graph, a layer before layer `at`; what they point to is in the plan's arena.
int lac_plan_add_tensor(lac_plan *plan, const lac_int_tensor *tensor);
void lac_plan_insert_layer(lac_plan *plan, int at, const lac_int_layer *layer);

/// Deep copy of an integer graph.
lac_int_graph *lac_int_graph_copy(const lac_int_graph *graph, lac_arena *arena);

/// Sizes of a tensor by axis, 0 = y, 1 = x.
static inline int lac_tensor_size(const lac_int_tensor *tensor, int axis) {
    return axis ? tensor->w : tensor->h;
}

/// Rows and columns of the mesh that an input image has.
static inline int lac_plan_rows(const lac_plan *plan) {
    return plan->engine.mesh_y >> plan->split_y;
}
static inline int lac_plan_cols(const lac_plan *plan) {
    return plan->engine.mesh_x >> plan->split_x;
}

/// True when a concat output is (part of) where this tensor lives; the tensor then has no place of its own.
/// Sets the tensor that holds it and the first channel there.
bool lac_plan_inside_concat(const lac_plan *plan, int tensor, int *whole, int *first_channel);

/// Table of a step, its own or the fused one's; NULL: none.
const uint8_t *lac_plan_table(const lac_plan *plan, const lac_plan_step *step);

// ---- lists ------------------------------------------------------------------------------------------------

/// A list position (docs/image-format.md, "Lists") and the weight there; for DIGIT lanes the digit, and its
/// plane counted from the most significant one. An item without weight stands for a plane without digits.
typedef struct lac_list_item {
    int64_t position;
    int weight, plane;
} lac_list_item;

/// The non-zero weights, or digits, of one output channel in list order, for the step's ORDER; returns their
/// number.
///
/// memory  items has room for lac_plan_most_items
int lac_plan_channel_items(const lac_plan *plan, const lac_plan_step *step, int channel,
                           lac_list_item *items);
int lac_plan_most_items(const lac_plan *plan, const lac_plan_step *step);

/// List positions of an output channel.
int lac_plan_positions(const lac_plan *plan, const lac_plan_step *step);

/// The non-zero weights themselves, whatever the lanes; items has room for lac_plan_positions.
int lac_plan_channel_weights(const lac_plan *plan, const lac_plan_step *step, int channel,
                             lac_list_item *items);

/// Channel groups of the input: how many, and how many output channels read one.
int lac_plan_groups(const lac_plan *plan, const lac_plan_step *step);

#endif
