#include "pool.h"

const lac_op_desc lac_op_global_max_pool = {
    .op = LAC_OP_GLOBAL_MAX_POOL,
    .law = "y[c] = max over all pixels of x[c]",
    .infer = lac_global_pool_infer,
    .plan_forward = lac_global_pool_forward,
    .plan_backward = lac_global_pool_backward,
};
