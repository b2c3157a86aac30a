#include "channel_reduce.h"

const lac_op_desc lac_op_channel_max = {
    .op = LAC_OP_CHANNEL_MAX,
    .law = "y[p] = max over channels of x[c][p]",
    .infer = lac_channel_reduce_infer,
    .plan_forward = lac_channel_reduce_forward,
    .plan_backward = lac_channel_reduce_backward,
};
