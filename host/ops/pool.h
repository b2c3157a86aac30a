#ifndef LAC_POOL_H
#define LAC_POOL_H

#include "planner.h"

/// The pools share one planner: a window and what is done in it.
lac_status lac_pool_infer(const lac_graph *graph, const lac_node *node, lac_shape *out, lac_error *err);
lac_status lac_pool_forward(lac_plan *plan, const lac_node *node, dnnl_alg_kind_t kind,
                            const lac_window *window, void **state, lac_error *err);
lac_status lac_pool_backward(lac_plan *plan, const lac_node *node, dnnl_alg_kind_t kind,
                             const lac_window *window, void *state, lac_error *err);

/// Pools whose window is the whole map; the op says which.
lac_status lac_global_pool_infer(const lac_graph *graph, const lac_node *node, lac_shape *out,
                                 lac_error *err);
lac_status lac_global_pool_forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err);
lac_status lac_global_pool_backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err);

#endif
