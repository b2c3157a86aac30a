#ifndef LAC_CHANNEL_REDUCE_H
#define LAC_CHANNEL_REDUCE_H

#include "planner.h"

/// Mean and maximum over channels share one planner.
lac_status lac_channel_reduce_infer(const lac_graph *graph, const lac_node *node, lac_shape *out,
                                    lac_error *err);
lac_status lac_channel_reduce_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err);
lac_status lac_channel_reduce_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err);

#endif
