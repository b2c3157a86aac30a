#include "pool.h"

static uint64_t macs(const lac_graph *graph, const lac_node *node) {
    lac_shape x = graph->values[node->in[0]].shape;
    return (uint64_t)((x.dim[2] * x.dim[3] + 1) * x.dim[1]);
}

const lac_op_desc lac_op_global_avg_pool = {
    .op = LAC_OP_GLOBAL_AVG_POOL,
    .law = "y[c] = mean over all pixels of x[c]",
    .infer = lac_global_pool_infer,
    .macs = macs,
    .any_type = true,
    .plan_forward = lac_global_pool_forward,
    .plan_backward = lac_global_pool_backward,
};
