#ifndef LAC_STEP_CLOCK_H
#define LAC_STEP_CLOCK_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>

/// The time that an engine takes for a step, from the lengths of its lists: what the compiler predicts with,
/// and what graphs are priced with before there is a program.

typedef struct lac_step_engine {
    uint64_t lanes, drain, list_words;
    bool has_tables; ///< a stage more in the drain
} lac_step_engine;

/// A step apart from its lists.
typedef struct lac_step_shape {
    int n_out, n_taps;
    bool table;       ///< codes of the step go through one, which the program brings
    uint64_t visits;  ///< pixels of a lane's tile, pool windows included
    bool streamed;    ///< lists come once for every visit, and not from list memory
    bool raw, reduce; ///< sums leave as they are; lanes are summed
    bool vector;      ///< for the vector unit: only the words of the lists count
} lac_step_shape;

/// What the list of one output channel asks of the decoder and of the mesh, each time that it is decoded.
typedef struct lac_channel_work {
    uint32_t n_entries, n_nulls, n_skips,
        n_words; ///< nulls: entries without a digit; words without the header
} lac_channel_work;

/// The state of an engine between two steps, in cycles since the first program word; zero-initialised.
typedef struct lac_engine_clock {
    uint64_t drained; ///< the last step has written its last word
    uint64_t decoded; ///< the decoder has finished the last step's lists
    uint64_t taken;   ///< the last step's record has left the parser
} lac_engine_clock;

/// Clock cycles of one step; they add up to total.
typedef struct lac_step_cost {
    uint64_t total;
    uint64_t mesh;    ///< an entry is issued to the lanes
    uint64_t starved; ///< the next list is not decoded yet
    uint64_t drain;   ///< results leave more slowly than they are made
    uint64_t other;   ///< descriptor, barrier between steps, pipeline
} lac_step_cost;

/// Predicts one step, channel by channel: the decoder works ahead as far as list memory and headers allow,
/// the mesh replays a list for every pixel, the drain takes its time for every result.
///
/// memory  n_out words of scratch, of a streamed step n_out * visits
void lac_step_time(const lac_step_engine *engine, const lac_step_shape *shape, const lac_channel_work *work,
                   lac_engine_clock *clock, lac_arena *scratch, lac_step_cost *cost);

#endif
