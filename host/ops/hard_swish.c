#include "eltwise.h"

LAC_ELTWISE_OP(HARD_SWISH, hard_swish, dnnl_eltwise_hardswish, 0.0f, "y = x * clamp(x / 6 + 1/2, 0, 1)");
