#ifndef LAC_ELTWISE_H
#define LAC_ELTWISE_H

#include "planner.h"

/// The activations of one input share one planner: which function of oneDNN is applied to every element.
lac_status lac_eltwise_forward(lac_plan *plan, const lac_node *node, dnnl_alg_kind_t kind, float alpha,
                               void **state, lac_error *err);
lac_status lac_eltwise_backward(lac_plan *plan, const lac_node *node, dnnl_alg_kind_t kind, float alpha,
                                void *state, lac_error *err);

/// Defines lac_op_<name> of row id; law is one line.
#define LAC_ELTWISE_OP(id, name, kind, alpha, law_text)                                                      \
    static lac_status forward(lac_plan *plan, const lac_node *node, void **state, lac_error *err) {          \
        return lac_eltwise_forward(plan, node, kind, alpha, state, err);                                     \
    }                                                                                                        \
    static lac_status backward(lac_plan *plan, const lac_node *node, void *state, lac_error *err) {          \
        return lac_eltwise_backward(plan, node, kind, alpha, state, err);                                    \
    }                                                                                                        \
    const lac_op_desc lac_op_##name = {.op = LAC_OP_##id,                                                    \
                                       .law = law_text,                                                      \
                                       .infer = lac_infer_same,                                              \
                                       .plan_forward = forward,                                              \
                                       .plan_backward = backward}

#endif
