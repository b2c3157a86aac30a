#ifndef LAC_STEP_COST_H
#define LAC_STEP_COST_H

#include "record.h"
#include "step_report.h"

/// What the list of one output channel asks of the decoder and of the mesh.
typedef struct lac_channel_work {
    uint32_t n_entries, n_skips, n_words; ///< words without the header
} lac_channel_work;

/// When the engine is free again after the steps so far; zero-initialised before the first.
typedef struct lac_engine_clock {
    uint64_t mesh;   ///< the last step has drained
    uint64_t stream; ///< the decoder has taken the last step's program
} lac_engine_clock;

/// Predicts one step, channel by channel: the decoder works ahead as far as the list memory allows, the mesh
/// replays a list for every pixel, the drain takes lanes / DRAIN cycles (raw: lanes) a result.
///
/// memory  scratch is reset by the caller
void lac_step_predict(const lac_engine_config *engine, const lac_layer_record *record,
                      const lac_channel_work *work, lac_engine_clock *clock, lac_arena *scratch,
                      lac_step_cost *cost);

/// Pixels of the tile that the step visits, pool windows included.
uint64_t lac_record_visits(const lac_layer_record *record);

#endif
