#ifndef LAC_STEP_COST_H
#define LAC_STEP_COST_H

#include "record.h"
#include "step_report.h"

/// What the list of one output channel asks of the decoder and of the mesh.
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

/// Predicts one step, channel by channel: the decoder works ahead as far as list memory and headers allow,
/// the mesh replays a list for every pixel, the drain takes its time for every result.
///
/// memory  N_OUT words of scratch
void lac_step_predict(const lac_engine_config *engine, const lac_layer_record *record,
                      const lac_channel_work *work, lac_engine_clock *clock, lac_arena *scratch,
                      lac_step_cost *cost);

/// Pixels of the tile that the step visits, pool windows included.
uint64_t lac_record_visits(const lac_layer_record *record);

#endif
