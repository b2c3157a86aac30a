#include "step_cost.h"

// A prediction at the grain of channels. The constants are the engine's pipelines; test_cost holds them
// against the RTL.

enum {
    HEADER_CYCLES = 1,   ///< a channel header in the decoder
    END_CYCLES = 1,      ///< the end of a list
    READY_CYCLES = 2,    ///< from the last entry decoded to the first one issued
    PIPELINE_CYCLES = 6, ///< from the last entry issued to its result at the drain
};

uint64_t lac_record_visits(const lac_layer_record *r) {
    return (uint64_t)r->OUT_TILE_H * (uint64_t)r->OUT_TILE_W * (uint64_t)r->POOL_H * (uint64_t)r->POOL_W;
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

/// Cycles that the drain takes for one result of all lanes.
static uint64_t drain_cycles(const lac_engine_config *engine, const lac_layer_record *r) {
    uint64_t lanes = (uint64_t)(engine->mesh_x * engine->mesh_y);
    if (r->RAW) return r->REDUCE ? lanes / (uint64_t)engine->drain : lanes;
    return lanes / (uint64_t)engine->drain;
}

/// When the list memory has room for channel o: the end of the last channel that must have left it.
static uint64_t room_at(const lac_engine_config *engine, const lac_channel_work *work, const uint64_t *done,
                        int o, int *oldest, uint64_t *held) {
    *held += work[o].n_entries;
    uint64_t at = 0;
    while (*held > (uint64_t)engine->list_words && *oldest < o) {
        *held -= work[*oldest].n_entries;
        at = done[(*oldest)++];
    }
    return at;
}

void lac_step_predict(const lac_engine_config *engine, const lac_layer_record *record,
                      const lac_channel_work *work, lac_engine_clock *clock, lac_arena *scratch,
                      lac_step_cost *cost) {
    uint64_t start = clock->mesh, interval = drain_cycles(engine, record), visits = lac_record_visits(record);
    uint64_t *done = LAC_NEW_ARRAY(scratch, uint64_t, record->N_OUT);
    uint64_t decoded = clock->stream + LAC_LAYER_RECORD_WORDS + (uint64_t)(record->N_TAPS + 1) / 2, held = 0;
    int oldest = 0;
    *cost = (lac_step_cost){0};
    for (int o = 0; o < record->N_OUT; o++) {
        uint64_t n = work[o].n_entries ? work[o].n_entries : 1, before = o ? done[o - 1] : start;
        decoded = later(decoded, room_at(engine, work, done, o, &oldest, &held));
        decoded += HEADER_CYCLES + work[o].n_entries + work[o].n_skips + END_CYCLES;
        uint64_t first = later(before, decoded + READY_CYCLES), pace = later(n, interval);
        cost->starved += first - before;
        cost->mesh += visits * n;
        cost->drain += visits * (pace - n);
        done[o] = first + visits * pace;
    }
    clock->mesh = done[record->N_OUT - 1] + PIPELINE_CYCLES + interval;
    clock->stream = decoded;
    cost->other = PIPELINE_CYCLES + interval;
    cost->total = clock->mesh - start;
}
