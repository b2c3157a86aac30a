#ifndef LAC_STEP_COST_H
#define LAC_STEP_COST_H

#include "record.h"
#include "step_report.h"

/// lac_step_time for the step of a program.
///
/// memory  N_OUT words of scratch
void lac_step_predict(const lac_engine_config *engine, const lac_layer_record *record,
                      const lac_channel_work *work, lac_engine_clock *clock, lac_arena *scratch,
                      lac_step_cost *cost);

#endif
