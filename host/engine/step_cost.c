#include "step_cost.h"

void lac_step_predict(const lac_engine_config *engine, const lac_layer_record *record,
                      const lac_channel_work *work, lac_engine_clock *clock, lac_arena *scratch,
                      lac_step_cost *cost) {
    const lac_step_engine of = {.lanes = (uint64_t)(engine->mesh_x * engine->mesh_y),
                                .drain = (uint64_t)engine->drain,
                                .list_words = (uint64_t)engine->list_words,
                                .has_tables = engine->table};
    const lac_step_shape shape = {.n_out = record->N_OUT,
                                  .n_taps = record->N_TAPS,
                                  .table = record->TABLE,
                                  .visits = lac_record_visits(record),
                                  .streamed = record->STREAMED,
                                  .raw = record->RAW,
                                  .vector = record->ORDER == LAC_ORDER_VECTOR,
                                  .reduce = record->REDUCE};
    lac_step_time(&of, &shape, work, clock, scratch, cost);
}
