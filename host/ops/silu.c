#include "eltwise.h"

LAC_ELTWISE_OP(SILU, silu, dnnl_eltwise_swish, 1.0f, "y = x / (1 + exp(-x))");
