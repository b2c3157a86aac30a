#ifndef LAC_GATHER_H
#define LAC_GATHER_H

#include "planner.h"
#include "rearrange.h"

/// Ops that only rearrange (rearrange.h) share one planner: runs of neighbours are copied, and their
/// gradients go back the same way, where several readers of one element add up.
lac_status lac_gather_infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err);
lac_status lac_gather_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err);
lac_status lac_gather_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err);

/// Defines lac_op_<name> of row id; law is one line.
#define LAC_GATHER_OP(id, name, law_text)                                                                    \
    const lac_op_desc lac_op_##name = {.op = LAC_OP_##id,                                                    \
                                       .law = law_text,                                                      \
                                       .infer = lac_gather_infer,                                            \
                                       .plan_forward = lac_gather_forward,                                   \
                                       .plan_backward = lac_gather_backward}

#endif
